//! Convolution and its gradients: the geometry, and which algorithm computes what.
//!
//! Two algorithms give the same result up to rounding:
//!
//! - [`unfolding`](super::unfolding): windows become the columns of a matrix, one matrix product does the
//!   rest. Works for every window; a 1x1 window of stride 1 needs no unfolding at all.
//! - [`winograd`](super::winograd): for 3x3 and 5x5 windows of stride 1, with 4 and 2.8 times fewer
//!   multiplications. Its rounding is ten times larger: good for inference, not for training.
//!
//! The input's gradient at stride 1 is itself a convolution, with the kernel turned by half a turn and
//! channels and units exchanged.

use rayon::prelude::*;

use super::{elementwise, norm, unfolding, winograd};
use crate::layers::Window;

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

    /// One group of the convolution on its own.
    fn single(&self) -> Geometry {
        Geometry {
            channels: self.channels / self.groups,
            units: self.units / self.groups,
            groups: 1,
            ..*self
        }
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
    /// Whether negative results become 0.
    pub relu: bool,
}

impl Finish<'_> {
    /// Finishes the values of a unit; `at` is the place of the first in the output.
    pub(super) fn apply(&self, values: &mut [f32], unit: usize, at: usize) {
        let bias = self.bias.map_or(0.0, |bias| bias[unit]);
        match self.shortcut {
            Some(shortcut) => {
                elementwise::add(values, bias, &shortcut[at..][..values.len()], self.relu);
            }
            None if self.relu || bias != 0.0 => elementwise::shift(values, bias, self.relu),
            None => {}
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
        let (single, share) = (g.single(), weight.len() / g.groups);
        for group in 0..g.groups {
            let x = Group::of(g, g.channels, g.plane(), group).gather(x);
            let mut y = vec![0.0; out.len() / g.groups];
            let weight = &weight[group * share..][..share];
            unfolding::forward(&single, &x, weight, Finish::default(), &mut y);
            Group::of(g, g.units, g.positions(), group).scatter(&y, &mut out);
        }
        out.par_chunks_mut(g.positions()).enumerate().for_each(|(i, out)| {
            finish.apply(out, i % g.units, i * g.positions());
        });
    }
    out
}

/// Gradient by the input, given `grad`, the gradient by the output.
pub(crate) fn input_gradient(g: &Geometry, grad: &[f32], weight: &[f32]) -> Vec<f32> {
    if let (Some(back), 1) = (g.backward(), g.groups) {
        return forward(&back, grad, &turned(g, weight), None, Finish::default());
    }
    let mut out = vec![0.0; g.images * g.channels * g.plane()];
    if out.is_empty() || grad.is_empty() {
        return out;
    }
    if g.groups == 1 {
        unfolding::input_gradient(g, grad, weight, &mut out);
        return out;
    }
    let (single, share) = (g.single(), weight.len() / g.groups);
    for group in 0..g.groups {
        let grad = Group::of(g, g.units, g.positions(), group).gather(grad);
        let by_x = input_gradient(&single, &grad, &weight[group * share..][..share]);
        Group::of(g, g.channels, g.plane(), group).scatter(&by_x, &mut out);
    }
    out
}

/// Gradient by the weight, given `grad`, the gradient by the output.
pub(crate) fn weight_gradient(g: &Geometry, x: &[f32], grad: &[f32]) -> Vec<f32> {
    if g.groups > 1 {
        let single = g.single();
        let of_group = |group| {
            let x = Group::of(g, g.channels, g.plane(), group).gather(x);
            let grad = Group::of(g, g.units, g.positions(), group).gather(grad);
            weight_gradient(&single, &x, &grad)
        };
        return (0..g.groups).flat_map(of_group).collect();
    }
    let mut out = vec![0.0; g.units * g.channels * g.taps()];
    if out.is_empty() || grad.is_empty() {
        return out;
    }
    unfolding::weight_gradient(g, x, grad, &mut out);
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

/// A weight turned by half a turn, channels x units x kernel rows x kernel columns.
fn turned(g: &Geometry, weight: &[f32]) -> Vec<f32> {
    let taps = g.taps();
    let mut out = vec![0.0; weight.len()];
    out.par_chunks_mut((g.units * taps).max(1)).enumerate().for_each(|(channel, out)| {
        for (unit, out) in out.chunks_exact_mut(taps).enumerate() {
            let taps = weight[(unit * g.channels + channel) * taps..][..taps].iter().rev();
            for (out, tap) in out.iter_mut().zip(taps) {
                *out = *tap;
            }
        }
    });
    out
}

/// The planes of one group among those of all images.
struct Group {
    first: usize,
    len: usize,
    stride: usize,
}

impl Group {
    fn of(g: &Geometry, planes: usize, plane: usize, group: usize) -> Group {
        let len = planes / g.groups * plane;
        Group { first: group * len, len, stride: planes * plane }
    }

    /// A group's planes, those of one image after those of the other.
    fn gather(&self, all: &[f32]) -> Vec<f32> {
        all.chunks_exact(self.stride).flat_map(|i| &i[self.first..][..self.len]).copied().collect()
    }

    fn scatter(&self, own: &[f32], all: &mut [f32]) {
        for (all, own) in all.chunks_exact_mut(self.stride).zip(own.chunks_exact(self.len)) {
            all[self.first..][..self.len].copy_from_slice(own);
        }
    }
}
