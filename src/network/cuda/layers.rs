//! Layers, and how each is differentiated.
//!
//! What a layer keeps for its gradient is what PyTorch keeps: its input, and its output where a ReLU
//! follows in the same step.

use std::sync::Arc;

use candle_core::cuda_backend::cudarc::cublas::{result as cublas, sys as cublas_sys};
use candle_core::cuda_backend::cudarc::driver::DeviceRepr;
use candle_core::{DType, Error, Result, Tensor, bail};

use super::library::{Library, THREADS, Tiles, launch};
use super::map::{address, is_last, matrix};
use super::{Engine, Gradient};
use crate::cpu::convolution::Geometry;
use crate::layers::{Affine, Moments, Running, Window};
use crate::tape;
use architecture::Precision;

/// What an average is taken over; see `kernels/average.cu`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bins {
    /// Square windows, in which padding counts as zeros.
    Window(Window),
    /// So many rows and columns of bins over the top left rows and columns of a map.
    Adaptive { inner: [usize; 2], output: [usize; 2] },
}

/// The windows of `kernels/pool.cu`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Windows([i32; 11]);

// SAFETY: whole numbers without padding, as the kernel has them.
unsafe impl DeviceRepr for Windows {}

/// The bins of `kernels/average.cu`.
#[derive(Clone, Copy)]
#[repr(C)]
struct BinsOf([i32; 12]);

// SAFETY: as above.
unsafe impl DeviceRepr for BinsOf {}

/// Bytes of a channel's statistics, and of what its gradient takes back: four floats each.
const CHANNEL: usize = 4;

impl Library {
    /// Adds bias and shortcut, and rectifies with `relu`, in place.
    fn finish(
        &self,
        y: &Tensor,
        bias: &Tensor,
        shortcut: Option<&Tensor>,
        relu: bool,
    ) -> Result<()> {
        let [rows, columns] = matrix(y)?;
        let Tiles { vector, grid, block } = self.tiles(rows, columns)?;
        let name = if vector == 4 { "bias_relu_4" } else { "bias_relu_1" };
        let other = shortcut.map_or(Ok(0), address)?;
        launch!(
            self,
            half(y),
            name,
            grid,
            block,
            address(y)?,
            address(bias)?,
            other,
            rows as i32,
            columns as i32,
            i32::from(relu),
        );
        Ok(())
    }

    /// The gradient by a bias per column. Where the output was rectified, `grad` is first set to zero as
    /// the ReLU does.
    fn by_bias(&self, grad: &Tensor, rectified: Option<&Tensor>) -> Result<Tensor> {
        let [rows, columns] = matrix(grad)?;
        let Tiles { vector, grid, block } = self.tiles(rows, columns)?;
        let name = if vector == 4 { "bias_gradient_4" } else { "bias_gradient_1" };
        let by = self.empty(false, &[columns])?;
        let [partial, counters] = self.scratch();
        let output = rectified.map_or(Ok(0), address)?;
        launch!(
            self,
            half(grad),
            name,
            grid,
            block,
            address(grad)?,
            output,
            rows as i32,
            columns as i32,
            address(&by)?,
            partial,
            counters,
        );
        Ok(by)
    }

    /// Takes a gradient back through a ReLU, in place.
    fn mask(&self, grad: &Tensor, rectified: &Tensor) -> Result<()> {
        let count = grad.elem_count();
        let [grad_at, y] = [address(grad)?, address(rectified)?];
        launch!(
            self,
            half(grad),
            "mask",
            self.flat(count),
            [THREADS, 1, 1],
            grad_at,
            y,
            count as i64
        );
        Ok(())
    }

    /// `to = a · b`, or with a factor turned; row-major matrices of `rows` x `inner` and `inner` x
    /// `columns`.
    fn product(
        &self,
        [a, b, to]: [&Tensor; 3],
        [turn_a, turn_b]: [bool; 2],
        [rows, inner, columns]: [usize; 3],
        precision: Precision,
    ) -> Result<()> {
        use cublas_sys::cublasOperation_t::{CUBLAS_OP_N, CUBLAS_OP_T};
        let values = if half(to) {
            cublas_sys::cudaDataType::CUDA_R_16BF
        } else {
            cublas_sys::cudaDataType::CUDA_R_32F
        };
        let compute = match precision {
            Precision::Tf32 => cublas_sys::cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32,
            Precision::F32 | Precision::Bf16 => cublas_sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
        };
        let whole = |n: usize| i32::try_from(n).map_err(Error::wrap);
        let turned = |turn: bool| if turn { CUBLAS_OP_T } else { CUBLAS_OP_N };
        let [alpha, beta] = [1f32, 0f32];
        let (lead_a, lead_b) =
            (if turn_a { rows } else { inner }, if turn_b { inner } else { columns });
        let blas = self.device.cublas_handle();
        // SAFETY: to cuBLAS, whose matrices are column-major, each of these is its transpose, so that b · a
        // gives the transpose of what is asked for; sizes are those of the tensors.
        unsafe {
            cublas::gemm_ex(
                *blas.handle(),
                turned(turn_b),
                turned(turn_a),
                whole(columns)?,
                whole(rows)?,
                whole(inner)?,
                (&raw const alpha).cast(),
                address(b)? as *const _,
                values,
                whole(lead_b)?,
                address(a)? as *const _,
                values,
                whole(lead_a)?,
                (&raw const beta).cast(),
                address(to)? as *mut _,
                values,
                whole(columns)?,
                compute,
                cublas_sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        }
        .map_err(Error::wrap)
    }

    fn bins(&self, dims: [usize; 4], bins: Bins) -> (BinsOf, [usize; 2]) {
        let [images, channels, rows, columns] = dims;
        let (inner, output, [kernel, stride, padding], adaptive) = match bins {
            Bins::Window(w) => {
                let size = [rows, columns];
                (size, w.output(size), [w.kernel[0], w.stride, w.padding[0]], 0)
            }
            Bins::Adaptive { inner, output } => (inner, output, [0; 3], 1),
        };
        let of = [
            images, channels, rows, columns, inner[0], inner[1], output[0], output[1], kernel,
            stride, padding, adaptive,
        ];
        (BinsOf(of.map(|n| n as i32)), output)
    }
}

/// Whether a tensor is in half precision.
fn half(tensor: &Tensor) -> bool {
    tensor.dtype() == DType::BF16
}

fn dims4(tensor: &Tensor) -> Result<[usize; 4]> {
    let (a, b, c, d) = tensor.dims4()?;
    Ok([a, b, c, d])
}

impl Engine {
    /// The same values as kernels want them.
    fn last(&self, x: &Tensor) -> Result<Tensor> {
        self.library.last(self.half(), x)
    }

    /// Records a step of the library; nothing without a tape.
    fn keep(
        &mut self,
        inputs: &[&Tensor],
        y: &Tensor,
        backward: impl Fn(&Arc<Library>, Tensor, &mut tape::Gradients<Gradient>) -> Result<()>
        + Send
        + 'static,
    ) {
        let library = Arc::clone(&self.library);
        if let Some(tape) = &mut self.tape {
            tape.record(inputs, y, move |grad, gradients| backward(&library, grad.map, gradients));
        }
    }

    /// See [`crate::layers::convolution`].
    pub(crate) fn convolution(
        &mut self,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
        g: Geometry,
        relu: bool,
    ) -> Result<Tensor> {
        let (library, half) = (Arc::clone(&self.library), self.half());
        let plan = library.plans.of(&g, self.precision)?;
        let (input, kernel) = (self.last(x)?, self.last(weight)?);
        let [rows, columns] = g.output();
        let y = library.empty(half, &[g.images, g.units, rows, columns])?;
        plan.forward(&library, [&input, &kernel, &y])?;
        match bias {
            Some(bias) => library.finish(&y, bias, None, relu)?,
            None if relu => bail!("a convolution without bias is not rectified here"),
            None => {}
        }
        let (x, weight, bias) = (x.clone(), weight.clone(), bias.cloned());
        let result = relu.then(|| y.clone());
        let inputs: Vec<Tensor> =
            [x.clone(), weight.clone()].into_iter().chain(bias.clone()).collect();
        self.keep(&inputs.iter().collect::<Vec<_>>(), &y, move |library, grad, gradients| {
            match &bias {
                Some(bias) => {
                    let by = library.by_bias(&grad, result.as_ref())?;
                    gradients.add(bias, Gradient::new(by, library))?;
                }
                None => {}
            }
            if gradients.wants(&weight) {
                let by = library.empty(half, weight.dims())?;
                plan.by_weight(library, [&input, &grad, &by])?;
                gradients.add(&weight, Gradient::new(by, library))?;
            }
            if gradients.wants(&x) {
                let by = library.empty(half, x.dims())?;
                plan.by_input(library, [&grad, &kernel, &by])?;
                gradients.add(&x, Gradient::new(by, library))?;
            }
            Ok(())
        });
        Ok(y)
    }

    /// A weight as [`Engine::convolution_fixed`] wants it.
    pub(crate) fn fixed_weight(&self, weight: &Tensor) -> Result<Tensor> {
        self.last(weight)
    }

    /// See [`crate::layers::convolution_fixed`]; `weight` is a
    /// [`fixed_weight`](Engine::fixed_weight).
    pub(crate) fn convolution_fixed(
        &mut self,
        x: &Tensor,
        [weight, bias]: [&Tensor; 2],
        g: Geometry,
        shortcut: Option<&Tensor>,
        relu: bool,
    ) -> Result<Tensor> {
        let library = Arc::clone(&self.library);
        let half = self.half();
        let plan = library.plans.of(&g, self.precision)?;
        let input = self.last(x)?;
        let [rows, columns] = g.output();
        let y = library.empty(half, &[g.images, g.units, rows, columns])?;
        let other = shortcut.map(|shortcut| self.last(shortcut)).transpose()?;
        let other = other.as_ref();
        plan.forward(&library, [&input, weight, &y])?;
        library.finish(&y, bias, other, relu)?;
        let (x, weight, shortcut) = (x.clone(), weight.clone(), shortcut.cloned());
        let result = relu.then(|| y.clone());
        let inputs: Vec<Tensor> = [x.clone()].into_iter().chain(shortcut.clone()).collect();
        self.keep(&inputs.iter().collect::<Vec<_>>(), &y, move |library, grad, gradients| {
            if let Some(result) = &result {
                library.mask(&grad, result)?;
            }
            if gradients.wants(&x) {
                let by = library.empty(half, x.dims())?;
                plan.by_input(library, [&grad, &weight, &by])?;
                gradients.add(&x, Gradient::new(by, library))?;
            }
            match &shortcut {
                Some(shortcut) => gradients.add(shortcut, Gradient::new(grad, library)),
                None => Ok(()),
            }
        });
        Ok(y)
    }

    /// See [`crate::layers::normalise`]; also moves the running statistics on.
    pub(crate) fn normalise(
        &mut self,
        x: &Tensor,
        affine: Affine<'_>,
        running: Running<'_>,
        shortcut: Option<&Tensor>,
        relu: bool,
    ) -> Result<Tensor> {
        let library = Arc::clone(&self.library);
        let Affine { gain, offset, epsilon } = affine;
        let input = self.last(x)?;
        let [rows, columns] = matrix(&input)?;
        if [gain.elem_count(), offset.elem_count()] != [columns; 2] {
            bail!("batch normalisation needs one of each parameter for each of {columns} channels");
        }
        if shortcut.is_some_and(|shortcut| shortcut.dims() != x.dims()) {
            bail!("a shortcut must have the shape of what it is added to");
        }
        let Tiles { vector, grid, block } = library.tiles(rows, columns)?;
        let channels = library.empty(false, &[columns * CHANNEL])?;
        let [partial, counters] = library.scratch();
        let Running { mean, variance, share } = running;
        launch!(
            library,
            half(&input),
            if vector == 4 { "moments_4" } else { "moments_1" },
            grid,
            block,
            address(&input)?,
            rows as i32,
            columns as i32,
            address(gain)?,
            address(offset)?,
            epsilon,
            share as f32,
            address(mean)?,
            address(variance)?,
            address(&channels)?,
            partial,
            counters,
        );
        let y = library.empty(half(&input), x.dims())?;
        let other = shortcut.map(|shortcut| self.last(shortcut)).transpose()?;
        launch!(
            library,
            half(&input),
            if vector == 4 { "normalise_4" } else { "normalise_1" },
            grid,
            block,
            address(&input)?,
            other.as_ref().map_or(Ok(0), address)?,
            address(&y)?,
            rows as i32,
            columns as i32,
            address(&channels)?,
            i32::from(relu),
        );
        let (x, gain, offset, shortcut) =
            (x.clone(), gain.clone(), offset.clone(), shortcut.cloned());
        // With a shortcut only the output says where the ReLU was open.
        let result = (relu && shortcut.is_some()).then(|| y.clone());
        let inputs: Vec<Tensor> =
            [x.clone(), gain.clone(), offset.clone()].into_iter().chain(shortcut.clone()).collect();
        self.keep(&inputs.iter().collect::<Vec<_>>(), &y, move |library, grad, gradients| {
            let half = half(&input);
            let [by_gain, by_offset] =
                [library.empty(false, &[columns])?, library.empty(false, &[columns])?];
            let slopes = library.empty(false, &[columns * CHANNEL])?;
            let [partial, counters] = library.scratch();
            launch!(
                library,
                half,
                if vector == 4 { "norm_gradient_sums_4" } else { "norm_gradient_sums_1" },
                grid,
                block,
                address(&input)?,
                result.as_ref().map_or(Ok(0), address)?,
                address(&grad)?,
                rows as i32,
                columns as i32,
                address(&gain)?,
                address(&channels)?,
                i32::from(relu),
                address(&by_gain)?,
                address(&by_offset)?,
                address(&slopes)?,
                partial,
                counters,
            );
            gradients.add(&gain, Gradient::new(by_gain, library))?;
            gradients.add(&offset, Gradient::new(by_offset, library))?;
            // The shortcut's gradient is the output's; without one its memory is free.
            let to = match &shortcut {
                Some(_) => library.empty(half, x.dims())?,
                None => grad.clone(),
            };
            launch!(
                library,
                half,
                if vector == 4 { "norm_gradient_4" } else { "norm_gradient_1" },
                grid,
                block,
                address(&input)?,
                address(&grad)?,
                address(&to)?,
                rows as i32,
                columns as i32,
                address(&channels)?,
                address(&slopes)?,
                i32::from(relu && result.is_none()),
            );
            if let Some(shortcut) = &shortcut {
                gradients.add(shortcut, Gradient::new(grad, library))?;
            }
            gradients.add(&x, Gradient::new(to, library))
        });
        Ok(y)
    }

    /// `max(x, 0)`.
    pub(crate) fn relu(&mut self, x: &Tensor) -> Result<Tensor> {
        let library = Arc::clone(&self.library);
        let input = self.last(x)?;
        let (half, count) = (half(&input), x.elem_count());
        let y = library.empty(half, x.dims())?;
        let [from, to] = [address(&input)?, address(&y)?];
        launch!(
            library,
            half,
            "relu",
            library.flat(count),
            [THREADS, 1, 1],
            from,
            to,
            count as i64
        );
        let (x, result) = (x.clone(), y.clone());
        self.keep(&[&x.clone()], &y, move |library, grad, gradients| {
            library.mask(&grad, &result)?;
            gradients.add(&x, Gradient::new(grad, library))
        });
        Ok(y)
    }

    /// Sets each value to zero with probability one half and doubles the others, by `seed`.
    pub(crate) fn dropout(&mut self, x: &Tensor, seed: u64) -> Result<Tensor> {
        let half = self.half();
        let run = move |library: &Arc<Library>, x: &Tensor| -> Result<Tensor> {
            let y = library.empty(half, x.dims())?;
            let count = x.elem_count();
            let [from, to] = [address(x)?, address(&y)?];
            let [low, high] = [seed as u32, (seed >> 32) as u32];
            let grid = library.flat(count);
            launch!(
                library,
                half,
                "dropout",
                grid,
                [THREADS, 1, 1],
                from,
                to,
                count as i64,
                low,
                high
            );
            Ok(y)
        };
        let y = run(&self.library, &self.last(x)?)?;
        let x = x.clone();
        self.keep(&[&x.clone()], &y, move |library, grad, gradients| {
            gradients.add(&x, Gradient::new(run(library, &grad)?, library))
        });
        Ok(y)
    }

    /// See [`crate::layers::max_pool`].
    pub(crate) fn max_pool(&mut self, x: &Tensor, window: Window) -> Result<Tensor> {
        let library = Arc::clone(&self.library);
        let input = self.last(x)?;
        let [images, channels, rows, columns] = dims4(x)?;
        let output = window.output([rows, columns]);
        let Window { kernel, stride, padding, .. } = window;
        if kernel[0] * kernel[1] > 256 {
            bail!("a pooling window of {kernel:?} holds more than 256 values");
        }
        let of = [
            images, channels, rows, columns, output[0], output[1], kernel[0], kernel[1], stride,
            padding[0], padding[1],
        ];
        let windows = Windows(of.map(|n| n as i32));
        let vector = channels.is_multiple_of(4);
        let half = half(&input);
        let y = library.empty(half, &[images, channels, output[0], output[1]])?;
        let count = y.elem_count();
        let which = self.tape.as_ref().map(|_| library.bytes(count)).transpose()?;
        launch!(
            library,
            half,
            if vector { "max_pool_4" } else { "max_pool_1" },
            library.flat(count.div_ceil(4)),
            [THREADS, 1, 1],
            address(&input)?,
            address(&y)?,
            which.as_ref().map_or(Ok(0), address)?,
            windows,
        );
        let Some(which) = which else { return Ok(y) };
        let x = x.clone();
        self.keep(&[&x.clone()], &y, move |library, grad, gradients| {
            let by = library.empty(half, x.dims())?;
            launch!(
                library,
                half,
                if vector { "max_pool_gradient_4" } else { "max_pool_gradient_1" },
                library.flat(by.elem_count().div_ceil(4)),
                [THREADS, 1, 1],
                address(&grad)?,
                address(&which)?,
                address(&by)?,
                windows,
            );
            gradients.add(&x, Gradient::new(by, library))
        });
        Ok(y)
    }

    /// Means over bins.
    pub(crate) fn average(&mut self, x: &Tensor, bins: Bins) -> Result<Tensor> {
        let library = Arc::clone(&self.library);
        let input = self.last(x)?;
        let dims = dims4(x)?;
        let (of, output) = library.bins(dims, bins);
        let vector = dims[1].is_multiple_of(4);
        let half = half(&input);
        let y = library.empty(half, &[dims[0], dims[1], output[0], output[1]])?;
        let grid = library.flat(y.elem_count().div_ceil(4));
        let [from, to] = [address(&input)?, address(&y)?];
        launch!(
            library,
            half,
            if vector { "average_4" } else { "average_1" },
            grid,
            [THREADS, 1, 1],
            from,
            to,
            of
        );
        let x = x.clone();
        self.keep(&[&x.clone()], &y, move |library, grad, gradients| {
            let by = library.empty(half, x.dims())?;
            let grid = library.flat(by.elem_count().div_ceil(4));
            let [from, to] = [address(&grad)?, address(&by)?];
            launch!(
                library,
                half,
                if vector { "average_gradient_4" } else { "average_gradient_1" },
                grid,
                [THREADS, 1, 1],
                from,
                to,
                of
            );
            gradients.add(&x, Gradient::new(by, library))
        });
        Ok(y)
    }

    /// Maps side by side.
    pub(crate) fn concatenate(&mut self, maps: &[Tensor]) -> Result<Tensor> {
        let library = Arc::clone(&self.library);
        let half = self.half();
        let Some(first) = maps.first() else { bail!("nothing to join") };
        let [images, _, rows, columns] = dims4(first)?;
        let parts: Vec<Tensor> = maps.iter().map(|map| self.last(map)).collect::<Result<_>>()?;
        let widths: Vec<usize> = maps.iter().map(|map| map.dim(1)).collect::<Result<_>>()?;
        let total: usize = widths.iter().sum();
        let y = library.empty(half, &[images, total, rows, columns])?;
        let places = images * rows * columns;
        let mut begin = 0;
        for (part, &width) in parts.iter().zip(&widths) {
            copy_columns(&library, [part, &y], places, [width, 0], [total, begin], width)?;
            begin += width;
        }
        let maps = maps.to_vec();
        let all = maps.clone();
        self.keep(&all.iter().collect::<Vec<_>>(), &y, move |library, grad, gradients| {
            let mut begin = 0;
            for (map, &width) in maps.iter().zip(&widths) {
                let by = library.empty(half, map.dims())?;
                copy_columns(library, [&grad, &by], places, [total, begin], [width, 0], width)?;
                gradients.add(map, Gradient::new(by, library))?;
                begin += width;
            }
            Ok(())
        });
        Ok(y)
    }

    /// All values of an image in one row, channel by channel.
    pub(crate) fn flatten(&mut self, x: &Tensor) -> Result<Tensor> {
        let y = self.library.flattened(&self.last(x)?)?;
        let x = x.clone();
        self.keep(&[&x.clone()], &y, move |library, grad, gradients| {
            gradients.add(&x, Gradient::new(library.unflattened(&grad, x.dims())?, library))
        });
        Ok(y)
    }

    /// The only value of each channel of each image, in one row per image.
    pub(crate) fn squeeze(&mut self, x: &Tensor) -> Result<Tensor> {
        let [images, channels, rows, columns] = dims4(x)?;
        if [rows, columns] != [1, 1] || !is_last(x) {
            bail!("expected one value per channel, found maps of {rows} x {columns}");
        }
        let y = x.permute((0, 2, 3, 1))?.reshape((images, channels))?;
        let x = x.clone();
        self.keep(&[&x.clone()], &y, move |library, grad, gradients| {
            let by = grad.reshape((images, 1, 1, channels))?.permute((0, 3, 1, 2))?;
            gradients.add(&x, Gradient::new(by, library))
        });
        Ok(y)
    }

    /// See [`crate::layers::linear`].
    pub(crate) fn linear(
        &mut self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        relu: bool,
    ) -> Result<Tensor> {
        let ((images, inputs), (outputs, columns)) = (x.dims2()?, weight.dims2()?);
        if columns != inputs || bias.dims() != [outputs] {
            bail!("{:?} and {:?} do not fit {inputs} inputs", weight.dims(), bias.dims());
        }
        let (library, precision) = (Arc::clone(&self.library), self.precision);
        let (input, kernel) = (self.last(x)?, self.last(weight)?);
        let half = self.half();
        let y = library.empty(half, &[images, outputs])?;
        let sizes = [images, inputs, outputs];
        library.product([&input, &kernel, &y], [false, true], sizes, precision)?;
        library.finish(&y, bias, None, relu)?;
        let (x, weight, bias) = (x.clone(), weight.clone(), bias.clone());
        let result = relu.then(|| y.clone());
        let inputs_of = [x.clone(), weight.clone(), bias.clone()];
        self.keep(&inputs_of.each_ref(), &y, move |library, grad, gradients| {
            let by = library.by_bias(&grad, result.as_ref())?;
            gradients.add(&bias, Gradient::new(by, library))?;
            if gradients.wants(&weight) {
                let by = library.empty(half, weight.dims())?;
                let sizes = [outputs, images, inputs];
                library.product([&grad, &input, &by], [true, false], sizes, precision)?;
                gradients.add(&weight, Gradient::new(by, library))?;
            }
            if gradients.wants(&x) {
                let by = library.empty(half, x.dims())?;
                let sizes = [images, outputs, inputs];
                library.product([&grad, &kernel, &by], [false, false], sizes, precision)?;
                gradients.add(&x, Gradient::new(by, library))?;
            }
            Ok(())
        });
        Ok(y)
    }

    /// Images, channels-first, each channel scaled and shifted; not differentiated.
    pub(crate) fn recolour(
        &mut self,
        images: &Tensor,
        [a, b, c]: [f32; 3],
        [d, e, f]: [f32; 3],
    ) -> Result<Tensor> {
        let library = &self.library;
        if self.tape.as_ref().is_some_and(|tape| tape.wants(images)) {
            bail!("images are not differentiated by");
        }
        let (count, _, rows, columns) = images.dims4()?;
        let images = images.contiguous()?;
        let y = library.empty(false, &[images.elem_count()])?;
        launch!(
            library,
            false,
            "recolour",
            library.flat(images.elem_count()),
            [THREADS, 1, 1],
            address(&images)?,
            address(&y)?,
            images.elem_count() as i64,
            (rows * columns) as i64,
            a,
            b,
            c,
            d,
            e,
            f,
        );
        y.reshape((count, 3, rows, columns))
    }
}

/// Weight and bias of a convolution with the batch normalisation after it, by fixed moments.
///
/// # Errors
/// When the device fails.
pub(crate) fn folded(
    weight: &Tensor,
    affine: Affine<'_>,
    moments: &Moments,
) -> Result<[Tensor; 2]> {
    let library = Library::of(weight.device().as_cuda_device()?)?;
    let Affine { gain, offset, epsilon } = affine;
    let (units, count) = (gain.elem_count(), weight.elem_count());
    let (to, bias) = (library.empty(false, &[count])?, library.empty(false, &[units])?);
    launch!(
        library,
        false,
        "fold",
        library.flat(count),
        [THREADS, 1, 1],
        address(weight)?,
        address(gain)?,
        address(offset)?,
        address(&moments.mean)?,
        address(&moments.variance)?,
        epsilon,
        address(&to)?,
        address(&bias)?,
        count as i64,
        (count / units.max(1)) as i64,
    );
    Ok([to.reshape(weight.dims())?, bias])
}

/// Copies columns of one matrix to another: width and first column of each, and how many.
fn copy_columns(
    library: &Library,
    [from, to]: [&Tensor; 2],
    rows: usize,
    [from_width, from_first]: [usize; 2],
    [to_width, to_first]: [usize; 2],
    columns: usize,
) -> Result<()> {
    launch!(
        library,
        half(from),
        "copy_columns",
        library.flat(rows * columns),
        [THREADS, 1, 1],
        address(from)?,
        address(to)?,
        rows as i64,
        columns as i32,
        from_width as i32,
        from_first as i32,
        to_width as i32,
        to_first as i32,
    );
    Ok(())
}
