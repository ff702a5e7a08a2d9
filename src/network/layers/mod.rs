//! Differentiable layers that are right on every device.
//!
//! Each layer has two paths: on the processor a custom operation over [`super::cpu`], elsewhere a
//! composition of tensor operations whose gradients Candle gets right. The tests hold one against
//! the other, so that the path of an absent device is checked on the processor.

mod activation;
mod conv;
mod linear;
mod norm;
mod pool;

use candle_core::{DType, Result, Tensor, bail};

use super::Precision;
pub(super) use activation::{dropout, relu};
pub(super) use conv::convolution;
pub(super) use linear::linear;
pub(super) use norm::{Affine, Moments, Statistics, normalise};
pub(super) use pool::{adaptive_average, average_pool, max_pool};

/// What the processor's own loops compute in is single precision.
fn refuse(precision: Precision) -> Result<()> {
    match precision {
        Precision::F32 => Ok(()),
        Precision::Bf16 => bail!("the processor computes in single precision only"),
    }
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
        Precision::F32 => product(a, b),
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
}

impl Window {
    /// One value at a time.
    pub(crate) const POINT: Window = Window::square(1, 1, 0);

    pub(crate) const fn square(kernel: usize, stride: usize, padding: usize) -> Window {
        Window { kernel: [kernel; 2], stride, padding: [padding; 2] }
    }

    /// Rows and columns of the output for an input of `size`; 0 where the kernel does not fit.
    pub(crate) fn output(&self, size: [usize; 2]) -> [usize; 2] {
        std::array::from_fn(|axis| {
            let padded = size[axis] + 2 * self.padding[axis];
            padded.checked_sub(self.kernel[axis]).map_or(0, |room| room / self.stride + 1)
        })
    }
}

#[cfg(test)]
mod tests;
