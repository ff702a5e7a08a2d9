//! Differentiable layers that are right on every device.
//!
//! Each layer has three paths, and an [`Engine`] says which: on the processor our own loops of
//! [`super::cpu`], recorded on a [`Tape`] where gradients are wanted; on CUDA the kernels of
//! `super::cuda`, with a tape too; elsewhere a composition of tensor operations whose gradients Candle
//! gets right. The tests hold one against the other: the composition on the processor, and the kernels
//! wherever there is a card.

mod activation;
mod composed;
mod conv;
mod fixed;
mod join;
mod layer_norm;
mod linear;
mod maps;
mod norm;
mod pool;

use candle_core::{DType, Device, Result, Tensor};

use super::cpu;
#[cfg(feature = "cuda")]
use super::cuda;
use super::tape::Tape;
pub(super) use activation::{Activation, activate, dropout, dropout_of, relu, survivors};
use architecture::Precision;
pub(super) use conv::convolution;
pub(super) use fixed::{Fixed, convolution_fixed};
pub(super) use join::{Beside, concatenate, flatten};
pub(super) use layer_norm::layer_norm;
pub(super) use linear::linear;
pub(super) use maps::{Branch, gated, residual, squeeze};
pub(super) use norm::{
    Affine, Moments, Running, normalise_beside, normalise_fixed, normalise_fixed_beside,
    normalise_in_training,
};
pub(super) use pool::{adaptive_average, average_pool, global_average, max_pool};

/// How layers are computed.
#[derive(Debug)]
pub(crate) enum Engine {
    /// By our own loops, in single precision, recorded where there is a tape.
    Processor(Option<Tape>),
    /// By kernels of our own and cuDNN, on an NVIDIA card.
    #[cfg(feature = "cuda")]
    Cuda(Box<cuda::Engine>),
    /// By Candle's operations and its own record of them; convolutions and matrix products in this
    /// precision.
    Composed(Precision),
}

impl Engine {
    /// The one for a device, without a record of what is done.
    ///
    /// # Errors
    /// When the device lacks what its engine needs.
    pub(crate) fn of(device: &Device, precision: Precision) -> Result<Engine> {
        Ok(match device {
            Device::Cpu => Engine::Processor(None),
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => Engine::Cuda(Box::new(cuda::Engine::new(device, precision)?)),
            _ => Engine::Composed(precision),
        })
    }

    /// The same with a tape. Candle's operations need none: they record themselves.
    pub(crate) fn recording(self) -> Engine {
        match self {
            Engine::Processor(_) => Engine::Processor(Some(Tape::default())),
            #[cfg(feature = "cuda")]
            Engine::Cuda(engine) => Engine::Cuda(Box::new(engine.recording())),
            composed @ Engine::Composed(_) => composed,
        }
    }

    /// The tape, if the processor records.
    pub(crate) fn tape(&mut self) -> Option<&mut Tape> {
        match self {
            Engine::Processor(tape) => tape.as_mut(),
            _ => None,
        }
    }

    /// Asks a tape for the gradient by `tensor`.
    pub(crate) fn watch(&mut self, tensor: &Tensor) {
        match self {
            Engine::Processor(tape) => {
                if let Some(tape) = tape {
                    tape.watch(tensor);
                }
            }
            #[cfg(feature = "cuda")]
            Engine::Cuda(engine) => engine.watch(tensor),
            Engine::Composed(_) => {}
        }
    }

    /// A map as it is outside: single precision, contiguous on devices that keep it otherwise.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn plain(&self, map: &Tensor) -> Result<Tensor> {
        match self {
            #[cfg(feature = "cuda")]
            Engine::Cuda(engine) => engine.plain(map),
            _ => Ok(map.clone()),
        }
    }

    /// Applies a function of tensor operations, which is also differentiated by them: for layers whose
    /// share of the time is too small for loops of their own.
    pub(crate) fn apply(
        &mut self,
        x: &Tensor,
        f: impl Fn(&Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        match self.tape() {
            Some(tape) => tape.record_graph(x, f),
            None => f(x),
        }
    }
}

/// Takes a gradient back through a ReLU, given what it made of its input; without one nothing changes.
fn mask(grad: &mut [f32], rectified: Option<&Tensor>) -> Result<()> {
    let Some(y) = rectified else { return Ok(()) };
    cpu::with_values([y], |[y]| {
        cpu::elementwise::mask(grad, y);
        Ok(())
    })
}

/// Applies a product of `a` and `b` in the precision asked for; arguments, result and gradients are
/// in single precision.
fn in_precision(
    a: &Tensor,
    b: &Tensor,
    precision: Precision,
    product: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    match precision {
        // Only CUDA has TF32, and an engine of its own.
        Precision::F32 | Precision::Tf32 => product(a, b),
        Precision::Bf16 => {
            product(&a.to_dtype(DType::BF16)?, &b.to_dtype(DType::BF16)?)?.to_dtype(DType::F32)
        }
    }
}

/// A sliding window: kernel rows and columns, step, zero padding of rows and columns on each side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    pub kernel: [usize; 2],
    pub stride: usize,
    pub padding: [usize; 2],
    /// From one of the kernel's positions to the next, in values of the input.
    pub dilation: usize,
}

impl Window {
    /// One value at a time.
    pub(crate) const POINT: Window = Window::square(1, 1, 0);

    pub(crate) const fn square(kernel: usize, stride: usize, padding: usize) -> Window {
        Window { kernel: [kernel; 2], stride, padding: [padding; 2], dilation: 1 }
    }

    /// Rows and columns of the output for an input of `size`; 0 where the kernel does not fit.
    pub(crate) fn output(&self, size: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|axis| {
            let padded = size[axis] + 2 * self.padding[axis];
            padded.checked_sub(self.reach()[axis]).map_or(0, |room| room / self.stride + 1)
        })
    }

    /// Rows and columns from the kernel's first position to its last.
    pub(crate) fn reach(&self) -> [usize; 2] {
        self.kernel.map(|kernel| (kernel - 1) * self.dilation + 1)
    }
}

#[cfg(test)]
pub(crate) mod tests;
