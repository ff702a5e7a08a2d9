//! Convolution and its gradients: the geometry, and which algorithm computes what.
//!
//! Three algorithms give the same result up to rounding:
//!
//! - [`unfolding`](super::unfolding): windows become the columns of a matrix, one matrix product does the
//!   rest. Works for every window; a 1x1 window of stride 1 needs no unfolding at all.
//! - [`winograd`](super::winograd): for 3x3 and 5x5 windows of stride 1, with 4 and 2.8 times fewer
//!   multiplications. Its rounding is ten times larger: good for inference, not for training.
//! - [`direct`](super::direct): for channels in groups, down to one channel each.
//!
//! The input's gradient at stride 1 is itself a convolution, with the kernel turned by half a turn and
//! channels and units exchanged.

use rayon::prelude::*;

use super::{activation, direct, elementwise, norm, unfolding, winograd};
use crate::layers::{Activation, Window};

/// Sizes of one convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Geometry {
    /// Images.
    pub images: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Rows and columns of the input.
    pub size: [usize; 2],
    /// Channels of the output.
    pub units: usize,
    /// Kernel, stride, padding and dilation.
    pub window: Window,
    /// Channels and units are divided into as many groups; a unit sees the channels of its own.
    pub groups: usize,
}

impl Geometry {
    /// Rows and columns of the output.
    pub(crate) fn output(&self) -> [usize; 2] {
        self.window.output(self.size)
    }

    /// Output positions of an image.
    pub(crate) fn positions(&self) -> usize {
        let [rows, columns] = self.output();
        rows * columns
    }

    /// Values of an input channel of an image.
    pub(crate) fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Positions of the kernel.
    pub(crate) fn taps(&self) -> usize {
        self.window.kernel[0] * self.window.kernel[1]
    }

    /// The convolution whose forward pass is this one's gradient by the input, if there is one.
    fn backward(&self) -> Option<Geometry> {
        let Window { kernel, stride, padding, dilation } = self.window;
        let left: [Option<usize>; 2] =
            std::array::from_fn(|axis| ((kernel[axis] - 1) * dilation).checked_sub(padding[axis]));
        match (stride, left) {
            (1, [Some(rows), Some(columns)]) => Some(Geometry {
                channels: self.units,
                size: self.output(),
                units: self.channels,
                window: Window { padding: [rows, columns], ..self.window },
                ..*self
            }),
            _ => None,
        }
    }
}

/// A weight in the form that `g` is computed fastest with, where that is another than its own. Made
/// once, it serves any number of passes over any number of images.
pub(crate) fn transformed(g: &Geometry, weight: &[f32]) -> Option<winograd::Kernel> {
    winograd::wins(g).then(|| winograd::Kernel::new(g, weight))
}

/// What is done to the sums of products before they are stored.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Finish<'a> {
    /// Added, one per unit.
    pub bias: Option<&'a [f32]>,
    /// Added, of the output's shape.
    pub shortcut: Option<&'a [f32]>,
    /// What becomes of the sum.
    pub activation: Activation,
}

impl Finish<'_> {
    /// Finishes the values of a unit; `at` is the place of the first in the output.
    pub(super) fn apply(&self, values: &mut [f32], unit: usize, at: usize) {
        let bias = self.bias.map_or(0.0, |bias| bias[unit]);
        let relu = self.activation == Activation::Relu;
        match self.shortcut {
            Some(shortcut) => {
                elementwise::add(values, bias, &shortcut[at..][..values.len()], relu);
            }
            None if relu || bias != 0.0 => elementwise::shift(values, bias, relu),
            None => {}
        }
        if !relu {
            activation::apply(values, self.activation);
        }
    }
}

/// Convolution of `x`, images x channels x rows x columns, with a weight of units x (channels / groups)
/// x kernel rows x kernel columns (a correlation, as networks define it), which may have been
/// [`transformed`].
pub(crate) fn forward(
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    transformed: Option<&winograd::Kernel>,
    finish: Finish<'_>,
) -> Vec<f32> {
    let mut out = vec![0.0; g.images * g.units * g.positions()];
    if out.is_empty() {
        return out;
    }
    if let Some(kernel) = transformed {
        winograd::forward(g, x, kernel, finish, &mut out);
    } else if g.groups == 1 {
        unfolding::forward(g, x, weight, finish, &mut out);
    } else {
        direct::forward(g, x, weight, finish, &mut out);
    }
    out
}

/// Gradient by the input, given `grad`, the gradient by the output.
pub(crate) fn input_gradient(g: &Geometry, grad: &[f32], weight: &[f32]) -> Vec<f32> {
    if let Some(back) = g.backward() {
        return forward(&back, grad, &turned(g, weight), None, Finish::default());
    }
    let mut out = vec![0.0; g.images * g.channels * g.plane()];
    if out.is_empty() || grad.is_empty() {
        return out;
    }
    match g.groups {
        1 => unfolding::input_gradient(g, grad, weight, &mut out),
        _ => direct::input_gradient(g, grad, weight, &mut out),
    }
    out
}

/// Gradient by the weight, given `grad`, the gradient by the output.
pub(crate) fn weight_gradient(g: &Geometry, x: &[f32], grad: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; g.units * (g.channels / g.groups) * g.taps()];
    if out.is_empty() || grad.is_empty() {
        return out;
    }
    match g.groups {
        1 => unfolding::weight_gradient(g, x, grad, &mut out),
        _ => direct::weight_gradient(g, x, grad, &mut out),
    }
    out
}

/// Sums over images and positions, one per unit: the gradient by a bias.
pub(crate) fn bias_gradient(grad: &[f32], units: usize, positions: usize) -> Vec<f32> {
    let mut out = vec![0.0; units];
    if positions == 0 {
        return out;
    }
    out.par_iter_mut().enumerate().for_each(|(unit, out)| {
        let planes = grad.chunks_exact(positions).skip(unit).step_by(units);
        *out = planes.map(norm::sum).sum::<f64>() as f32;
    });
    out
}

/// A weight turned by half a turn, channels x (units / groups) x kernel rows x kernel columns: of every
/// channel what its group's units have for it.
fn turned(g: &Geometry, weight: &[f32]) -> Vec<f32> {
    let taps = g.taps();
    let (depth, share) = (g.channels / g.groups, g.units / g.groups);
    let mut out = vec![0.0; weight.len()];
    out.par_chunks_mut((share * taps).max(1)).enumerate().for_each(|(channel, out)| {
        let (group, channel) = (channel / depth, channel % depth);
        for (unit, out) in out.chunks_exact_mut(taps).enumerate() {
            let at = ((group * share + unit) * depth + channel) * taps;
            for (out, tap) in out.iter_mut().zip(weight[at..][..taps].iter().rev()) {
                *out = *tap;
            }
        }
    });
    out
}
