//! Gradient descent of all parameters in one launch.

use candle_core::cuda_backend::cudarc::driver::DeviceRepr;
use candle_core::{DType, Result, Tensor, bail};

use super::library::{Library, THREADS, launch};
use super::map::{address, is_last};

/// Values that a block moves, as `kernels/sgd.cu` has it.
const CHUNK: usize = 4096;

/// What a step of gradient descent with momentum and weight decay depends on, beside the gradients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Descent {
    /// Share of the velocity that is left after a step.
    pub momentum: f32,
    /// Share of a parameter that is added to its gradient.
    pub weight_decay: f32,
    /// Learning rate.
    pub rate: f32,
}

/// A parameter of `kernels/sgd.cu`.
#[derive(Clone, Copy)]
#[repr(C)]
struct Parameter {
    value: u64,
    velocity: u64,
    gradient: u64,
    count: i64,
    chunk: i32,
    depth: i32,
    taps: i32,
    half: i32,
}

// SAFETY: numbers without padding, as the kernel has them.
unsafe impl DeviceRepr for Parameter {}

/// One step: velocity ← momentum · velocity + (gradient + decay · value), value ← value − rate · velocity,
/// in place, for parameters on a CUDA device with their velocities and gradients.
///
/// # Errors
/// When tensors of a group differ in shape, are not in single precision (a gradient may be in bfloat16), or
/// the device fails.
pub(crate) fn descend(groups: &[[&Tensor; 3]], descent: Descent) -> Result<()> {
    let Some([first, ..]) = groups.first() else { return Ok(()) };
    let library = Library::of(first.device().as_cuda_device()?)?;
    let mut parameters = Vec::with_capacity(groups.len());
    let mut chunks = 0usize;
    for [value, velocity, gradient] in groups {
        let dims = value.dims();
        if velocity.dims() != dims || gradient.dims() != dims {
            bail!("a parameter of shape {dims:?} has a gradient of {:?}", gradient.dims());
        }
        let plain = |tensor: &Tensor| tensor.dtype() == DType::F32 && tensor.is_contiguous();
        if !plain(value) || !plain(velocity) {
            bail!("parameters are descended in single precision, and contiguous");
        }
        let [depth, taps] = match *dims {
            [_, channels, rows, columns] if is_last(gradient) => [channels, rows * columns],
            _ if gradient.is_contiguous() => [1, 1],
            _ => bail!("a gradient of shape {dims:?} lies with gaps"),
        };
        parameters.push(Parameter {
            value: address(value)?,
            velocity: address(velocity)?,
            gradient: address(gradient)?,
            count: value.elem_count() as i64,
            chunk: i32::try_from(chunks).map_err(candle_core::Error::wrap)?,
            depth: depth as i32,
            taps: taps as i32,
            half: i32::from(gradient.dtype() == DType::BF16),
        });
        chunks += value.elem_count().div_ceil(CHUNK);
    }
    let table = library.device.clone_htod(parameters.as_slice())?;
    let Descent { momentum, weight_decay, rate } = descent;
    let (count, grid) = (parameters.len() as i32, [chunks as u32, 1, 1]);
    let table = library.slice_address(&table);
    launch!(
        library,
        false,
        "descend",
        grid,
        [THREADS, 1, 1],
        table,
        count,
        momentum,
        weight_decay,
        rate
    );
    Ok(())
}
