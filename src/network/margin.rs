//! Zeros around maps before a convolution, where they need not be as many on all sides.

use candle_core::Tensor;

use super::layers::{Engine, Window};

/// How many zeros lie around a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Margin {
    /// On every side.
    even: usize,
    /// After the last row and the last column, beyond those.
    more: usize,
}

impl Margin {
    /// PyTorch's: half of the kernel's edge on every side.
    pub(super) const fn half(kernel: usize) -> Margin {
        Margin { even: kernel / 2, more: 0 }
    }

    /// TensorFlow's ("same"), of square maps of `edge` values: no more than the output of `edge / stride` values,
    /// rounded up, needs, and an odd one at the end.
    pub(super) const fn same(kernel: usize, stride: usize, edge: usize) -> Margin {
        let reached = (edge.div_ceil(stride).saturating_sub(1)) * stride + kernel;
        let all = reached.saturating_sub(edge);
        Margin { even: all / 2, more: all % 2 }
    }

    /// The window of a convolution with it. What lies beyond the even part is added by [`Margin::widened`].
    pub(super) const fn window(self, kernel: usize, stride: usize) -> Window {
        Window::square(kernel, stride, self.even)
    }

    /// A map with the zeros that the window does not have.
    pub(super) fn widened(self, x: &Tensor, engine: &mut Engine) -> candle_core::Result<Tensor> {
        if self.more == 0 {
            return Ok(x.clone());
        }
        let x = engine.plain(x)?;
        engine.apply(&x, |x| x.pad_with_zeros(2, 0, self.more)?.pad_with_zeros(3, 0, self.more))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the equation of lukemelas' `Conv2dStaticSamePadding`, for the sizes within EfficientNet-B5.
    #[test]
    fn tensorflows_are_as_large_as_the_output_needs() {
        let sizes = [(3, 2, 456), (3, 1, 228), (5, 2, 114), (3, 2, 57), (5, 2, 29), (5, 1, 15)];
        let margins = [(0, 1), (1, 0), (1, 1), (1, 0), (2, 0), (2, 0)];
        for ((kernel, stride, edge), (even, more)) in sizes.into_iter().zip(margins) {
            let margin = Margin::same(kernel, stride, edge);
            assert_eq!(margin, Margin { even, more }, "{kernel} {stride} {edge}");
            let out = margin.window(kernel, stride).output([edge + more; 2]);
            assert_eq!(out, [edge.div_ceil(stride); 2]);
        }
        assert_eq!(Margin::same(1, 2, 8), Margin { even: 0, more: 0 });
        assert_eq!(Margin::half(5), Margin { even: 2, more: 0 });
    }
}
