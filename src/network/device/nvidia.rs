//! NVIDIA's GPUs: opening one, what it is, and its memory.

use anyhow::{Context, Result, anyhow};
use candle_core::cuda_backend::CudaError;
use candle_core::cuda_backend::cudarc::{cublas, driver};
use candle_core::{CudaDevice, DType, Device, Error, Tensor};
use driver::sys::{self, CUmemPool_attribute as Attribute, CUresult};
use driver::{CudaContext, result};

use super::shortage::Room;

/// Opens a GPU by its number and has it compute something, so that what keeps the program from it is told
/// here and not in the midst of work.
///
/// # Errors
/// When there is no such GPU, or its driver does not take the program's kernels.
pub(super) fn open(number: usize) -> Result<Device> {
    let opened = || -> candle_core::Result<Device> {
        // One stream for all threads: with Candle's default each thread has its own, and what one computes may not
        // be done when another copies it.
        let device = Device::new_cuda_with_stream(number)?;
        // The driver refuses kernels only when the first is loaded.
        Tensor::ones(1, DType::F32, &device)?.affine(2.0, 1.0)?.to_vec1::<f32>()?;
        Ok(device)
    };
    let device = opened().map_err(|error| match fault(&error) {
        Some(fault) => anyhow!("{} ({error})", explain(fault, number)),
        None => error.into(),
    })?;
    keep_memory(&device).context("the GPU's memory cannot be managed")?;
    Ok(device)
}

/// How many GPUs the driver finds.
pub(super) fn count() -> usize {
    CudaContext::device_count().map_or(0, |count| count.max(0) as usize)
}

/// What the driver or a library says is wrong.
fn fault(error: &Error) -> Option<CUresult> {
    match error {
        Error::WithBacktrace { inner, .. }
        | Error::Context { inner, .. }
        | Error::WithPath { inner, .. } => fault(inner),
        Error::Cuda(inner) => match inner.downcast_ref::<CudaError>()? {
            CudaError::Cuda(driver) | CudaError::Load { cuda: driver, .. } => Some(driver.0),
            // The library's own memory.
            CudaError::Cublas(status)
                if status.0 == cublas::sys::cublasStatus_t::CUBLAS_STATUS_ALLOC_FAILED =>
            {
                Some(CUresult::CUDA_ERROR_OUT_OF_MEMORY)
            }
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn is_out_of_memory(error: &Error) -> bool {
    fault(error) == Some(CUresult::CUDA_ERROR_OUT_OF_MEMORY)
}

/// What is wrong in words, and what to do.
fn explain(fault: CUresult, number: usize) -> String {
    let built = version(sys::CUDA_VERSION as i32);
    let driver = driver_version()
        .map_or("of an unknown version".into(), |found| format!("for CUDA {}", version(found)));
    match fault {
        CUresult::CUDA_ERROR_NO_DEVICE => {
            "the driver finds no GPU; `nvidia-smi` lists what it finds, and a container must be given the \
             GPUs of its machine"
                .into()
        }
        CUresult::CUDA_ERROR_INVALID_DEVICE => {
            format!("there is no GPU of number {number}: there are {}, counted from 0", count())
        }
        CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => format!(
            "the GPU's driver, {driver}, refuses the program's kernels, which were compiled with CUDA \
             {built}: update the driver, or build with a toolkit that is no newer than it"
        ),
        CUresult::CUDA_ERROR_NO_BINARY_FOR_GPU | CUresult::CUDA_ERROR_INVALID_PTX => {
            "the program's kernels were compiled for newer cards than this one: build with \
             CUDA_COMPUTE_CAP set to its compute capability (`nvidia-smi --query-gpu=compute_cap \
             --format=csv`), such as 75"
                .into()
        }
        CUresult::CUDA_ERROR_SYSTEM_DRIVER_MISMATCH
        | CUresult::CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE
        | CUresult::CUDA_ERROR_STUB_LIBRARY => {
            "the GPU's driver and its library (libcuda.so.1) are of different versions: after an update \
             of the driver the machine must be started again, and a container needs the library of the \
             driver outside it"
                .into()
        }
        CUresult::CUDA_ERROR_OUT_OF_MEMORY => {
            "the GPU's memory is taken, by other programs (`nvidia-smi` lists them)".into()
        }
        _ if driver_version().is_some_and(|found| found / 1000 < sys::CUDA_VERSION as i32 / 1000) => {
            format!(
                "the GPU's driver, {driver}, is too old for this program, which was built with CUDA \
                 {built}: update the driver, or build with a toolkit that is no newer than it"
            )
        }
        _ => "the GPU's driver reports an error".into(),
    }
}

/// `13.0` of 13000.
fn version(number: i32) -> String {
    format!("{}.{}", number / 1000, number % 1000 / 10)
}

/// The newest CUDA that the driver knows.
fn driver_version() -> Option<i32> {
    let mut found = 0;
    // SAFETY: the driver writes one integer; it may be asked before anything else.
    unsafe { sys::cuDriverGetVersion(&raw mut found) }.result().ok()?;
    (found > 0).then_some(found)
}

fn cuda(device: &Device) -> Option<&CudaDevice> {
    match device {
        Device::Cuda(cuda) => Some(cuda),
        _ => None,
    }
}

/// The name of a device's card.
pub(super) fn card(device: &Device) -> Option<String> {
    cuda(device)?.cuda_stream().context().name().ok()
}

/// Versions of the driver and of what computes beside our own kernels.
pub(super) fn versions(device: &Device) -> Vec<String> {
    let Some(cuda) = cuda(device) else { return Vec::new() };
    let mut found = Vec::new();
    // The driver's own number is not part of CUDA.
    if let Ok(text) = fs_err::read_to_string("/sys/module/nvidia/version") {
        found.push(format!("driver {}", text.trim()));
    }
    found.extend(driver_version().map(|number| format!("CUDA {}", version(number))));
    let mut number = 0;
    // SAFETY: the handle is open as long as the device; the library writes one integer.
    let status = unsafe {
        cublas::sys::cublasGetVersion_v2(*cuda.cublas_handle().handle(), &raw mut number)
    };
    if status == cublas::sys::cublasStatus_t::CUBLAS_STATUS_SUCCESS && number > 0 {
        let (major, minor, patch) = (number / 10_000, number / 100 % 100, number % 100);
        found.push(format!("cuBLAS {major}.{minor}.{patch}"));
    }
    found
}

/// Where the memory of a device is handed out from.
fn pool(device: &Device) -> candle_core::Result<Option<sys::CUmemoryPool>> {
    let Some(cuda) = cuda(device) else { return Ok(None) };
    let context = cuda.cuda_stream().context().clone();
    if !context.has_async_alloc() {
        return Ok(None);
    }
    // SAFETY: the context is open, so its device is one.
    let pool = unsafe { result::device::get_mem_pool(context.cu_device()) };
    pool.map(Some).map_err(|error| Error::Cuda(Box::new(CudaError::from(error))))
}

fn get(pool: sys::CUmemoryPool, attribute: Attribute) -> Option<u64> {
    let mut value = 0_u64;
    // SAFETY: the attributes asked for here are 64 bits wide.
    unsafe { result::mem_pool::get_attribute(pool, attribute, (&raw mut value).cast()) }.ok()?;
    Some(value)
}

fn set(pool: sys::CUmemoryPool, attribute: Attribute, mut value: u64) -> Result<()> {
    // SAFETY: the attributes set here are 64 bits wide.
    unsafe { result::mem_pool::set_attribute(pool, attribute, (&raw mut value).cast())? };
    Ok(())
}

/// Lets freed memory stay with the process: by default every synchronisation hands it back to the driver,
/// and the next step maps it again.
fn keep_memory(device: &Device) -> Result<()> {
    match pool(device)? {
        Some(pool) => set(pool, Attribute::CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, u64::MAX),
        None => Ok(()),
    }
}

/// Memory of a device: what is free, with what the process has kept, and all of it.
pub(super) fn room(device: &Device) -> Option<Room> {
    let (free, total) = cuda(device)?.cuda_stream().context().mem_get_info().ok()?;
    let kept = pool(device).ok().flatten().and_then(|pool| {
        let reserved = get(pool, Attribute::CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT)?;
        Some(reserved.saturating_sub(get(pool, Attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT)?))
    });
    Some(Room { free: free as u64 + kept.unwrap_or(0), total: total as u64 })
}

/// Runs something and says how much more memory it took at its peak than was taken before.
pub(super) fn peak<T>(device: &Device, run: impl FnOnce() -> T) -> (T, Option<u64>) {
    let pool = pool(device).ok().flatten();
    let before = pool.and_then(|pool| {
        device.synchronize().ok()?;
        set(pool, Attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH, 0).ok()?;
        get(pool, Attribute::CU_MEMPOOL_ATTR_USED_MEM_CURRENT)
    });
    let result = run();
    let most = pool.and_then(|pool| get(pool, Attribute::CU_MEMPOOL_ATTR_USED_MEM_HIGH));
    (result, before.zip(most).map(|(before, most)| most.saturating_sub(before)))
}
