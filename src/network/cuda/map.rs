//! Tensors as kernels see them, and the gradients of the tape.

use std::sync::Arc;

use candle_core::backend::BackendStorage;
use candle_core::cuda_backend::cudarc::driver::DevicePtr;
use candle_core::cuda_backend::{CudaStorage, CudaStorageSlice};
use candle_core::op::BackpropOp;
use candle_core::{DType, Device, Result, Shape, Storage, Tensor, bail};

use super::library::{Library, THREADS, launch};
use crate::tape;

/// Where the values of a tensor begin in the device's memory.
pub(super) fn address(tensor: &Tensor) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cuda(storage) = &*storage else {
        bail!("expected a tensor on a CUDA device, found one on {:?}", tensor.device().location());
    };
    let stream = storage.device().cuda_stream();
    let offset = layout.start_offset() * tensor.dtype().size_in_bytes();
    let start = match &storage.slice {
        CudaStorageSlice::F32(slice) => slice.device_ptr(&stream).0,
        CudaStorageSlice::BF16(slice) => slice.device_ptr(&stream).0,
        CudaStorageSlice::U8(slice) => slice.device_ptr(&stream).0,
        _ => bail!("no kernel reads a tensor of {:?}", tensor.dtype()),
    };
    Ok(start + offset as u64)
}

/// Whether a map lies channels-last, from the start of its memory and without gaps. A matrix does when it
/// is contiguous.
pub(super) fn is_last(tensor: &Tensor) -> bool {
    let layout = tensor.layout();
    let in_order = match *tensor.dims() {
        [_, channels, rows, columns] => {
            let wanted = [rows * columns * channels, 1, columns * channels, channels];
            let each = layout.stride().iter().zip(wanted).zip(tensor.dims());
            each.into_iter().all(|((stride, wanted), dim)| *stride == wanted || *dim == 1)
        }
        _ => layout.is_contiguous(),
    };
    in_order && layout.start_offset() == 0
}

/// Rows and columns of a map as a matrix: one column per channel.
pub(super) fn matrix(tensor: &Tensor) -> Result<[usize; 2]> {
    match *tensor.dims() {
        [images, channels, rows, columns] => Ok([images * rows * columns, channels]),
        [rows, columns] => Ok([rows, columns]),
        ref dims => bail!("expected a map or a matrix, found a shape of {dims:?}"),
    }
}

/// A copy on the processor, in single precision.
pub(super) fn to_host(tensor: &Tensor) -> Result<Tensor> {
    tensor.to_device(&Device::Cpu)?.to_dtype(DType::F32)
}

impl Library {
    fn wrap(&self, slice: CudaStorageSlice, shape: impl Into<Shape>) -> Tensor {
        let storage = CudaStorage { slice, device: self.device.clone() };
        Tensor::from_storage(Storage::Cuda(storage), shape, BackpropOp::none(), false)
    }

    /// Memory for so many values, of no particular content: bfloat16 where `half`.
    fn space(&self, half: bool, count: usize) -> Result<CudaStorageSlice> {
        // SAFETY: every kernel that is given it writes all of it before anything reads it.
        unsafe {
            Ok(match half {
                false => CudaStorageSlice::F32(self.device.alloc(count)?),
                true => CudaStorageSlice::BF16(self.device.alloc(count)?),
            })
        }
    }

    /// A tensor of this shape and no particular content; channels-last where it has four dimensions.
    pub(super) fn empty(&self, half: bool, dims: &[usize]) -> Result<Tensor> {
        let slice = self.space(half, dims.iter().product())?;
        match *dims {
            [images, channels, rows, columns] => {
                self.wrap(slice, (images, rows, columns, channels)).permute((0, 3, 1, 2))
            }
            _ => Ok(self.wrap(slice, dims)),
        }
    }

    /// Bytes of no particular content.
    pub(super) fn bytes(&self, count: usize) -> Result<Tensor> {
        // SAFETY: as in `space`.
        let slice = unsafe { self.device.alloc::<u8>(count)? };
        Ok(self.wrap(CudaStorageSlice::U8(slice), count))
    }

    /// Turns `count` matrices, one after the other.
    fn transpose(
        &self,
        half: bool,
        kernel: &'static str,
        [from, to]: [&Tensor; 2],
        [count, rows, columns]: [usize; 3],
    ) -> Result<()> {
        // A grid has at most 65,535 layers.
        const LAYERS: usize = 1 << 15;
        let [size_from, size_to] = [from, to].map(|tensor| tensor.dtype().size_in_bytes());
        for first in (0..count).step_by(LAYERS) {
            let skipped = first * rows * columns;
            let grid = [
                columns.div_ceil(32) as u32,
                rows.div_ceil(32) as u32,
                (count - first).min(LAYERS) as u32,
            ];
            launch!(
                self,
                half,
                kernel,
                grid,
                [32, 8, 1],
                address(from)? + (skipped * size_from) as u64,
                address(to)? + (skipped * size_to) as u64,
                rows as i32,
                columns as i32,
            );
        }
        Ok(())
    }

    /// The same values channels-last and in the precision of maps; the tensor itself where it is so.
    pub(super) fn last(&self, half: bool, x: &Tensor) -> Result<Tensor> {
        let wanted = if half { DType::BF16 } else { DType::F32 };
        if is_last(x) && x.dtype() == wanted {
            return Ok(x.clone());
        }
        let x = x.to_dtype(DType::F32)?.contiguous()?;
        let x = if x.layout().start_offset() == 0 { x } else { x.force_contiguous()? };
        let y = self.empty(half, x.dims())?;
        match *x.dims() {
            [images, channels, rows, columns] => {
                let sizes = [images, channels, rows * columns];
                self.transpose(half, "transpose_in", [&x, &y], sizes)?;
            }
            _ => {
                let count = x.elem_count();
                let grid = self.flat(count);
                launch!(
                    self,
                    half,
                    "cast",
                    grid,
                    [THREADS, 1, 1],
                    address(&x)?,
                    address(&y)?,
                    count as i64
                );
            }
        }
        Ok(y)
    }

    /// A map as it is outside: single precision, contiguous.
    pub(super) fn plain(&self, map: &Tensor) -> Result<Tensor> {
        let half = map.dtype() == DType::BF16;
        match *map.dims() {
            [images, channels, rows, columns] if is_last(map) => {
                let y = self.wrap(self.space(false, map.elem_count())?, map.dims());
                let sizes = [images, rows * columns, channels];
                self.transpose(half, "transpose_out", [map, &y], sizes)?;
                Ok(y)
            }
            _ => map.to_dtype(DType::F32)?.contiguous(),
        }
    }

    /// All values of an image in one row, channel by channel.
    pub(super) fn flattened(&self, map: &Tensor) -> Result<Tensor> {
        let (images, channels, rows, columns) = map.dims4()?;
        let half = map.dtype() == DType::BF16;
        let y = self.empty(half, &[images, channels * rows * columns])?;
        self.transpose(half, "transpose_same", [map, &y], [images, rows * columns, channels])?;
        Ok(y)
    }

    /// Takes [`Library::flattened`] back.
    pub(super) fn unflattened(&self, flat: &Tensor, dims: &[usize]) -> Result<Tensor> {
        let half = flat.dtype() == DType::BF16;
        let y = self.empty(half, dims)?;
        let [images, channels, rows, columns] = *dims else {
            bail!("expected the shape of a map, found {dims:?}");
        };
        self.transpose(half, "transpose_same", [flat, &y], [images, channels, rows * columns])?;
        Ok(y)
    }
}

/// A gradient: memory of its own, laid out as what it is the gradient by.
pub(crate) struct Gradient {
    pub(super) map: Tensor,
    library: Arc<Library>,
}

impl Gradient {
    /// Takes a tensor that nothing else holds.
    pub(super) fn new(map: Tensor, library: &Arc<Library>) -> Gradient {
        Gradient { map, library: Arc::clone(library) }
    }

    /// A gradient that was computed on the processor, by `of`.
    pub(super) fn upload(library: &Arc<Library>, values: &Tensor, of: &Tensor) -> Result<Gradient> {
        if values.dims() != of.dims() {
            bail!("a gradient of shape {:?} by {:?}", values.dims(), of.dims());
        }
        let uploaded = values.to_dtype(DType::F32)?.contiguous()?.to_device(of.device())?;
        let map = library.last(of.dtype() == DType::BF16, &uploaded)?;
        Ok(Gradient::new(map, library))
    }
}

impl tape::Gradient for Gradient {
    fn len(&self) -> usize {
        self.map.elem_count()
    }

    fn copy(&self) -> Result<Gradient> {
        let (storage, layout) = self.map.storage_and_layout();
        let copied = Tensor::from_storage(
            storage.try_clone(layout)?,
            (self.len(),),
            BackpropOp::none(),
            false,
        );
        let map = match *self.map.dims() {
            [images, channels, rows, columns] => {
                copied.reshape((images, rows, columns, channels))?.permute((0, 3, 1, 2))?
            }
            _ => copied.reshape(self.map.dims())?,
        };
        Ok(Gradient { map, library: Arc::clone(&self.library) })
    }

    fn accumulate(&mut self, other: Gradient) -> Result<()> {
        let count = self.len();
        let half = self.map.dtype() == DType::BF16;
        let library = &self.library;
        let grid = library.flat(count.div_ceil(4));
        let [to, from] = [address(&self.map)?, address(&other.map)?];
        launch!(library, half, "accumulate", grid, [THREADS, 1, 1], to, from, count as i64);
        Ok(())
    }

    fn into_tensor(self, dims: &[usize]) -> Result<Tensor> {
        match self.map.dims() == dims {
            true => Ok(self.map),
            false => bail!("a gradient of shape {:?} by {dims:?}", self.map.dims()),
        }
    }
}
