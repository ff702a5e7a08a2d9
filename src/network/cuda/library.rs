//! What a device needs once: compiled kernels, cuDNN's handle, scratch memory.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use candle_core::cuda_backend::cudarc::cudnn::{result as cudnn, sys as cudnn_sys};
use candle_core::cuda_backend::cudarc::driver::sys as driver;
use candle_core::cuda_backend::cudarc::driver::{CudaFunction, CudaSlice, CudaStream, DevicePtr};
use candle_core::cuda_backend::cudarc::nvrtc::{Ptx, result as nvrtc, sys as nvrtc_sys};
use candle_core::cuda_backend::{CudaDevice, DeviceId};
use candle_core::{Error, Result, bail};

use super::convolution::Plans;

/// Sources of the kernels; all are one module.
const SOURCES: [&str; 10] = [
    include_str!("kernels/common.cuh"),
    include_str!("kernels/transpose.cu"),
    include_str!("kernels/elementwise.cu"),
    include_str!("kernels/norm.cu"),
    include_str!("kernels/bias.cu"),
    include_str!("kernels/pool.cu"),
    include_str!("kernels/average.cu"),
    include_str!("kernels/join.cu"),
    include_str!("kernels/dropout.cu"),
    include_str!("kernels/sgd.cu"),
];

/// Their entry points.
const KERNELS: [&str; 30] = [
    "fold",
    "transpose_in",
    "transpose_out",
    "transpose_same",
    "relu",
    "mask",
    "accumulate",
    "recolour",
    "cast",
    "moments_1",
    "moments_4",
    "normalise_1",
    "normalise_4",
    "norm_gradient_sums_1",
    "norm_gradient_sums_4",
    "norm_gradient_1",
    "norm_gradient_4",
    "bias_relu_1",
    "bias_relu_4",
    "bias_gradient_1",
    "bias_gradient_4",
    "max_pool_1",
    "max_pool_4",
    "max_pool_gradient_1",
    "max_pool_gradient_4",
    "average_1",
    "average_4",
    "average_gradient_1",
    "average_gradient_4",
    "copy_columns",
];

/// Those that have only one form, whatever maps hold.
const PLAIN: [&str; 2] = ["dropout", "descend"];

/// Pairs of partial sums that [`Library::scratch`] has room for.
const PARTIAL: usize = 1 << 19;

/// Blocks of columns that sums may have.
const COUNTERS: usize = 1 << 14;

/// Threads of a block.
pub(super) const THREADS: u32 = 256;

/// cuDNN's handle.
struct Handle(cudnn_sys::cudnnHandle_t);

// SAFETY: cuDNN allows a handle to be used from any thread, one at a time; `Library::cudnn` locks it.
unsafe impl Send for Handle {}

type Functions = HashMap<&'static str, CudaFunction>;

/// What a device needs once.
pub(crate) struct Library {
    pub(super) device: CudaDevice,
    pub(super) stream: Arc<CudaStream>,
    /// Kernels over maps in single precision, and in half, each compiled at the first use.
    kernels: [OnceLock<Functions>; 2],
    cudnn: Mutex<Handle>,
    pub(super) plans: Plans,
    workspace: Mutex<Option<CudaSlice<u8>>>,
    scratch: CudaSlice<f64>,
    counters: CudaSlice<u32>,
    /// Blocks that keep every multiprocessor busy.
    blocks: u32,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library").field("device", &self.device).finish_non_exhaustive()
    }
}

/// A grid over a matrix: groups of this many columns, threads and blocks along columns and rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tiles {
    /// Columns that a thread reads at once.
    pub(super) vector: usize,
    pub(super) grid: [u32; 3],
    pub(super) block: [u32; 3],
}

impl Library {
    /// The library of a device; one for all who ask.
    pub(super) fn of(device: &CudaDevice) -> Result<Arc<Library>> {
        static ALL: OnceLock<Mutex<HashMap<DeviceId, Arc<Library>>>> = OnceLock::new();
        let all = ALL.get_or_init(Mutex::default);
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = all.get(&device.id()) {
            return Ok(Arc::clone(library));
        }
        let library = Arc::new(Library::open(device)?);
        all.insert(device.id(), Arc::clone(&library));
        Ok(library)
    }

    fn open(device: &CudaDevice) -> Result<Library> {
        let stream = device.cuda_stream();
        // SAFETY: all of the program's work on a device runs on this one stream, in the order of the
        // calls; events that guard one stream's memory from another's would only cost time.
        unsafe { device.disable_event_tracking() };
        let handle = cudnn::create_handle().map_err(Error::wrap)?;
        // SAFETY: the handle was just created, and the stream lives as long as the device.
        unsafe { cudnn::set_stream(handle, stream.cu_stream().cast()) }.map_err(Error::wrap)?;
        let attribute = driver::CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
        let processors = stream.context().attribute(attribute).map_err(Error::wrap)?;
        keep_memory(&stream)?;
        Ok(Library {
            kernels: Default::default(),
            cudnn: Mutex::new(Handle(handle)),
            plans: Plans::default(),
            workspace: Mutex::new(None),
            scratch: device.alloc_zeros::<f64>(2 * PARTIAL)?,
            counters: device.alloc_zeros::<u32>(COUNTERS)?,
            blocks: processors.max(1) as u32 * 4,
            device: device.clone(),
            stream,
        })
    }

    /// A compiled kernel, for maps in half precision or not.
    pub(super) fn function(&self, half: bool, name: &'static str) -> Result<&CudaFunction> {
        let cell = &self.kernels[usize::from(half)];
        let functions = match cell.get() {
            Some(functions) => functions,
            None => {
                let compiled = self.compile(half)?;
                cell.get_or_init(|| compiled)
            }
        };
        functions.get(name).ok_or_else(|| Error::msg(format!("there is no kernel {name}")))
    }

    fn compile(&self, half: bool) -> Result<Functions> {
        let context = self.stream.context();
        let (major, minor) = context.compute_capability().map_err(Error::wrap)?;
        let code = compile(half, &format!("sm_{major}{minor}"))?;
        let module = context.load_module(Ptx::from_binary(code)).map_err(Error::wrap)?;
        let names = KERNELS.iter().chain(&PLAIN).copied();
        names.map(|name| Ok((name, module.load_function(name).map_err(Error::wrap)?))).collect()
    }

    /// Calls `f` with cuDNN's handle, which no other thread has meanwhile.
    pub(super) fn with_cudnn<R>(&self, f: impl FnOnce(cudnn_sys::cudnnHandle_t) -> R) -> R {
        f(self.cudnn.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Calls `f` with at least so many bytes of memory of no particular content.
    pub(super) fn with_workspace<R>(
        &self,
        bytes: usize,
        f: impl FnOnce(u64) -> Result<R>,
    ) -> Result<R> {
        let mut held = self.workspace.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes > 0 && held.as_ref().is_none_or(|held| held.len() < bytes) {
            // The old one goes first: both may not fit.
            *held = None;
            // SAFETY: nothing reads it before it is written.
            *held = Some(unsafe { self.device.alloc::<u8>(bytes)? });
        }
        f(held.as_ref().map_or(0, |held| held.device_ptr(&self.stream).0))
    }

    /// Where memory begins.
    pub(super) fn slice_address<T>(&self, slice: &CudaSlice<T>) -> u64 {
        slice.device_ptr(&self.stream).0
    }

    /// Where kernels that sum keep partial sums, and their counters.
    pub(super) fn scratch(&self) -> [u64; 2] {
        [self.scratch.device_ptr(&self.stream).0, self.counters.device_ptr(&self.stream).0]
    }

    /// A grid over the values of a map, one by one.
    pub(super) fn flat(&self, count: usize) -> [u32; 3] {
        let wanted = count.div_ceil(THREADS as usize * 4).max(1);
        [wanted.min(self.blocks as usize * 4) as u32, 1, 1]
    }

    /// A grid over a matrix.
    pub(super) fn tiles(&self, rows: usize, columns: usize) -> Result<Tiles> {
        let tiles = tiles(rows, columns, self.blocks as usize);
        let [across, down, _] = tiles.grid;
        if across as usize > COUNTERS || down as usize * columns > PARTIAL {
            bail!("{rows} x {columns} values are too many columns to be summed");
        }
        Ok(tiles)
    }
}

fn tiles(rows: usize, columns: usize, blocks: usize) -> Tiles {
    let vector = if columns.is_multiple_of(4) { 4 } else { 1 };
    let groups = columns.div_ceil(vector).max(1);
    // Neighbouring threads read neighbouring columns: eight groups, a whole line of the cache. More would leave
    // fewer threads for what the last block adds up.
    let wide = groups.next_power_of_two().min(8);
    let tall = THREADS as usize / wide;
    let across = groups.div_ceil(wide);
    // Several rows per thread, so that what is set up once pays.
    let down = (blocks / across).min(rows.div_ceil(tall * 4)).min(PARTIAL / columns.max(1)).max(1);
    Tiles { vector, grid: [across as u32, down as u32, 1], block: [wide as u32, tall as u32, 1] }
}

/// Memory that is freed stays with the program, or each synchronisation would hand it back to the system
/// and each step map it again.
fn keep_memory(stream: &CudaStream) -> Result<()> {
    if !stream.context().has_async_alloc() {
        return Ok(());
    }
    let mut pool = std::ptr::null_mut();
    let mut threshold = u64::MAX;
    let attribute = driver::CUmemPool_attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD;
    // SAFETY: both pointers outlive the calls; the attribute is a 64-bit number.
    unsafe {
        driver::cuDeviceGetDefaultMemPool(&mut pool, stream.context().cu_device())
            .result()
            .map_err(Error::wrap)?;
        driver::cuMemPoolSetAttribute(pool, attribute, (&raw mut threshold).cast())
            .result()
            .map_err(Error::wrap)
    }
}

/// The kernels' machine code for an architecture such as `sm_90`.
///
/// # Errors
/// When NVRTC is missing or refuses them, with what it says.
fn compile(half: bool, architecture: &str) -> Result<Vec<u8>> {
    let source = CString::new(SOURCES.join("\n")).map_err(Error::wrap)?;
    let program = nvrtc::create_program(&source, Some(c"unit-atlas.cu")).map_err(Error::wrap)?;
    let mut options = vec![format!("--gpu-architecture={architecture}"), "--std=c++17".to_string()];
    if half {
        options.push("-DBF16".to_string());
    }
    // SAFETY: the program was just created; the buffers are as long as NVRTC says they must be.
    unsafe {
        if let Err(error) = nvrtc::compile_program(program, &options) {
            let log = nvrtc::get_program_log(program).map_err(Error::wrap)?;
            let log = CStr::from_ptr(log.as_ptr()).to_string_lossy().into_owned();
            bail!("NVRTC does not compile the kernels for {architecture} ({error:?}):\n{log}");
        }
        let mut size = 0;
        nvrtc_sys::nvrtcGetCUBINSize(program, &mut size).result().map_err(Error::wrap)?;
        let mut code = vec![0u8; size];
        nvrtc_sys::nvrtcGetCUBIN(program, code.as_mut_ptr().cast())
            .result()
            .map_err(Error::wrap)?;
        nvrtc::destroy_program(program).map_err(Error::wrap)?;
        Ok(code)
    }
}

/// Launches a kernel: `launch!(library, half, "name", grid, block, arguments…)`. Pointers are `u64`.
macro_rules! launch {
    ($library:expr, $half:expr, $name:expr, $grid:expr, $block:expr, $($argument:expr),+ $(,)?) => {{
        use candle_core::cuda_backend::cudarc::driver::{LaunchConfig, PushKernelArg};
        let library: &$crate::cuda::library::Library = &$library;
        let function = library.function($half, $name)?;
        let mut builder = library.stream.launch_builder(function);
        $(
            let argument = $argument;
            builder.arg(&argument);
        )+
        let [across, down, deep]: [u32; 3] = $grid;
        let [x, y, z]: [u32; 3] = $block;
        let shape = LaunchConfig {
            grid_dim: (across, down, deep),
            block_dim: (x, y, z),
            shared_mem_bytes: 0,
        };
        // SAFETY: the arguments are those of the kernel, in its order and types, and its pointers are
        // memory of this device that is as large as the sizes beside them say and is freed on the same
        // stream, after this launch.
        unsafe { builder.launch(shape) }.map_err(candle_core::Error::wrap)?;
    }};
}
pub(super) use launch;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_compile_for_every_architecture_that_is_supported() {
        for half in [false, true] {
            for architecture in ["sm_80", "sm_90"] {
                assert!(!compile(half, architecture).unwrap().is_empty());
            }
        }
    }

    #[test]
    fn tiles_cover_a_matrix_and_leave_room_for_its_sums() {
        for rows in [1, 7, 2_048, 415_872, 3_000_000] {
            for columns in [1, 2, 3, 4, 5, 32, 80, 192, 512, 1_000, 2_048, 4_096, 9_216] {
                let Tiles { vector, grid, block } = tiles(rows, columns, 528);
                let [across, down, _] = grid.map(|n| n as usize);
                assert_eq!(block[0] * block[1], THREADS);
                assert!(columns.is_multiple_of(vector));
                assert!(across * block[0] as usize * vector >= columns, "{columns}");
                assert!(down * columns <= PARTIAL && down >= 1 && across <= COUNTERS);
                assert!(down <= rows.div_ceil(block[1] as usize), "{rows} x {columns}");
            }
        }
    }
}
