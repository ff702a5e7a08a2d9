//! Convolution by unfolding windows into the columns of a matrix (im2col) and one matrix product.
//!
//! A tile is a run of output rows of one image, or several whole images when their maps are small;
//! its matrix has one row per input channel and window position and one column per output position,
//! and stays in cache between unfolding and product.

use std::ops::Range;

use rayon::prelude::*;

use super::{Matrix, product, with_scratch};
use crate::network::layers::Window;

/// Output positions per tile, about.
const TILE: usize = 512;
/// Rows of the unfolded matrix per task of the weight gradient, about.
const UNFOLDED_ROWS: usize = 576;
/// Tasks of the weight gradient, at least, where the batch is large enough.
const WEIGHT_TASKS: usize = 16;

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
    /// Kernel, stride and padding.
    pub window: Window,
}

/// Part of the output positions.
#[derive(Clone)]
struct Tile {
    images: Range<usize>,
    /// Output rows of each of the images.
    rows: Range<usize>,
}

impl Geometry {
    /// Rows and columns of the output.
    pub(crate) fn output(&self) -> [usize; 2] {
        self.window.output(self.size)
    }

    /// Output positions of an image.
    fn positions(&self) -> usize {
        let [rows, columns] = self.output();
        rows * columns
    }

    /// Values of an input channel of an image.
    fn plane(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// Positions of the kernel.
    fn taps(&self) -> usize {
        self.window.kernel[0] * self.window.kernel[1]
    }

    /// How many whole images share a tile.
    fn group(&self) -> usize {
        TILE.div_ceil(self.positions().max(1)).clamp(1, self.images.max(1))
    }

    /// The tiles that cover `images`, in order.
    fn tiles(&self, images: Range<usize>) -> impl Iterator<Item = Tile> + use<> {
        let [rows, columns] = self.output();
        let group = self.group();
        // Equal tiles rather than full ones and a rest.
        let count = if group > 1 { 1 } else { (rows * columns).div_ceil(TILE).max(1) };
        let step = rows.div_ceil(count).max(1);
        images.clone().step_by(group).flat_map(move |first| {
            let end = (first + group).min(images.end);
            (0..rows)
                .step_by(step)
                .map(move |row| Tile { images: first..end, rows: row..(row + step).min(rows) })
        })
    }

    /// Whether a tile's unfolded matrix is a part of the input as it stands.
    fn pointwise(&self, tile: &Tile) -> bool {
        self.window == Window::POINT && tile.images.len() == 1
    }

    fn columns(&self, tile: &Tile) -> usize {
        tile.images.len() * tile.rows.len() * self.output()[1]
    }

    /// Writes the windows of `channels` under a tile as the columns of a matrix.
    fn unfold(&self, x: &[f32], tile: &Tile, channels: Range<usize>, out: &mut [f32]) {
        let Window { kernel, stride, padding } = self.window;
        let [height, width] = self.size;
        let columns = self.output()[1];
        let mut lines = out.chunks_exact_mut(columns.max(1));
        for channel in channels {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    let span = span(columns, width, kx, stride, padding[1]);
                    for image in tile.images.clone() {
                        let plane =
                            &x[(image * self.channels + channel) * self.plane()..][..self.plane()];
                        for row in tile.rows.clone() {
                            let Some(line) = lines.next() else { return };
                            let y = (row * stride + ky).wrapping_sub(padding[0]);
                            if y >= height || span.is_empty() {
                                line.fill(0.0);
                                continue;
                            }
                            let source = &plane[y * width..][..width];
                            let first = span.start * stride + kx - padding[1];
                            line[..span.start].fill(0.0);
                            line[span.end..].fill(0.0);
                            let line = &mut line[span.clone()];
                            if stride == 1 {
                                line.copy_from_slice(&source[first..first + line.len()]);
                            } else {
                                for (value, source) in
                                    line.iter_mut().zip(source[first..].iter().step_by(stride))
                                {
                                    *value = *source;
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// The adjoint of [`Geometry::unfold`] over all channels: adds every column of a tile's matrix
    /// to its window; `x` begins with image `first`.
    fn fold(&self, columns_of: &[f32], tile: &Tile, first: usize, x: &mut [f32]) {
        let Window { kernel, stride, padding } = self.window;
        let [height, width] = self.size;
        let columns = self.output()[1];
        let mut lines = columns_of.chunks_exact(columns.max(1));
        for channel in 0..self.channels {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    let span = span(columns, width, kx, stride, padding[1]);
                    for image in tile.images.clone() {
                        let at = ((image - first) * self.channels + channel) * self.plane();
                        let plane = &mut x[at..][..self.plane()];
                        for row in tile.rows.clone() {
                            let Some(line) = lines.next() else { return };
                            let y = (row * stride + ky).wrapping_sub(padding[0]);
                            if y >= height || span.is_empty() {
                                continue;
                            }
                            let first = span.start * stride + kx - padding[1];
                            let target = &mut plane[y * width..][..width][first..];
                            for (target, value) in
                                target.iter_mut().step_by(stride).zip(&line[span.clone()])
                            {
                                *target += value;
                            }
                        }
                    }
                }
            }
        }
    }

    /// The output's values under a tile as units x columns: a view of one image, or gathered into
    /// `scratch` from several.
    fn under<'a>(&self, y: &'a [f32], tile: &Tile, scratch: &'a mut [f32]) -> Matrix<'a> {
        let positions = self.positions();
        let columns = self.columns(tile);
        if tile.images.len() == 1 {
            let at =
                tile.images.start * self.units * positions + tile.rows.start * self.output()[1];
            return Matrix::strided(&y[at..], self.units, columns, positions);
        }
        // Several images: always whole ones.
        for (i, image) in tile.images.clone().enumerate() {
            for unit in 0..self.units {
                scratch[unit * columns + i * positions..][..positions]
                    .copy_from_slice(&y[(image * self.units + unit) * positions..][..positions]);
            }
        }
        Matrix::new(scratch, self.units, columns)
    }

    /// Scratch space that [`Geometry::under`] needs for a tile.
    fn gathered(&self, tile: &Tile) -> usize {
        if tile.images.len() == 1 { 0 } else { self.units * self.columns(tile) }
    }
}

/// The output columns whose window position `kx` lies inside a line of `width`.
fn span(columns: usize, width: usize, kx: usize, stride: usize, padding: usize) -> Range<usize> {
    let start = padding.saturating_sub(kx).div_ceil(stride).min(columns);
    let end = match (width + padding).checked_sub(kx + 1) {
        Some(last) => (last / stride + 1).min(columns),
        None => 0,
    };
    start..end.max(start)
}

/// Convolution of `x`, images x channels x rows x columns, with `weight`, units x channels x kernel
/// rows x kernel columns (a correlation, as networks define it), plus `bias` per unit.
pub(crate) fn forward(g: &Geometry, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
    let (positions, depth, group) = (g.positions(), g.channels * g.taps(), g.group());
    let mut out = vec![0.0; g.images * g.units * positions];
    if out.is_empty() {
        return out;
    }
    let weight = Matrix::new(weight, g.units, depth);
    // With few tasks, several threads share a product.
    let parallel = g.images.div_ceil(group) < rayon::current_num_threads();
    out.par_chunks_mut(group * g.units * positions).enumerate().for_each(|(task, out)| {
        let first = task * group;
        for tile in g.tiles(first..(first + group).min(g.images)) {
            let columns = g.columns(&tile);
            let many = tile.images.len() > 1;
            let unfolded = if g.pointwise(&tile) { 0 } else { depth * columns };
            with_scratch(unfolded + g.gathered(&tile), |scratch| {
                let (unfolded, gathered) = scratch.split_at_mut(unfolded);
                let at = tile.rows.start * g.output()[1];
                let factor = if g.pointwise(&tile) {
                    let x = &x[tile.images.start * g.channels * g.plane() + at..];
                    Matrix::strided(x, depth, columns, g.plane())
                } else {
                    g.unfold(x, &tile, 0..g.channels, unfolded);
                    Matrix::new(unfolded, depth, columns)
                };
                let (target, stride) =
                    if many { (gathered, columns) } else { (&mut out[at..], positions) };
                if let Some(bias) = bias {
                    for (line, bias) in target.chunks_mut(stride).zip(bias) {
                        let line_end = columns.min(line.len());
                        line[..line_end].fill(*bias);
                    }
                }
                product(target, stride, weight, factor, bias.is_some(), parallel);
                if many {
                    for (i, out) in out.chunks_exact_mut(g.units * positions).enumerate() {
                        for (unit, line) in out.chunks_exact_mut(positions).enumerate() {
                            let at = unit * columns + i * positions;
                            line.copy_from_slice(
                                &scratch[unfolded_len(g, &tile) + at..][..positions],
                            );
                        }
                    }
                }
            });
        }
    });
    out
}

/// Values of a tile's unfolded matrix that need scratch space.
fn unfolded_len(g: &Geometry, tile: &Tile) -> usize {
    if g.pointwise(tile) { 0 } else { g.channels * g.taps() * g.columns(tile) }
}

/// Gradient by the input, given `grad`, the gradient by the output.
pub(crate) fn input_gradient(g: &Geometry, grad: &[f32], weight: &[f32]) -> Vec<f32> {
    let Window { kernel, stride, padding } = g.window;
    if stride == 1 && padding[0] < kernel[0] && padding[1] < kernel[1] {
        return by_flipped_kernel(g, grad, weight);
    }
    let (depth, group) = (g.channels * g.taps(), g.group());
    let mut out = vec![0.0; g.images * g.channels * g.plane()];
    if out.is_empty() || grad.is_empty() {
        return out;
    }
    let weight = Matrix::new(weight, g.units, depth).transposed();
    let parallel = g.images.div_ceil(group) < rayon::current_num_threads();
    out.par_chunks_mut(group * g.channels * g.plane()).enumerate().for_each(|(task, out)| {
        let first = task * group;
        for tile in g.tiles(first..(first + group).min(g.images)) {
            let columns = g.columns(&tile);
            with_scratch(depth * columns + g.gathered(&tile), |scratch| {
                let (unfolded, gathered) = scratch.split_at_mut(depth * columns);
                let grad = g.under(grad, &tile, gathered);
                product(unfolded, columns, weight, grad, false, parallel);
                g.fold(unfolded, &tile, first, out);
            });
        }
    });
    out
}

/// At stride 1 the input gradient is itself a convolution of the gradient, with the kernel turned by
/// half a turn and channels and units exchanged: nothing is added twice.
fn by_flipped_kernel(g: &Geometry, grad: &[f32], weight: &[f32]) -> Vec<f32> {
    let Window { kernel, padding, .. } = g.window;
    let taps = g.taps();
    let mut flipped = vec![0.0; weight.len()];
    flipped.par_chunks_mut((g.units * taps).max(1)).enumerate().for_each(|(channel, out)| {
        for (unit, out) in out.chunks_exact_mut(taps).enumerate() {
            let taps_of = &weight[(unit * g.channels + channel) * taps..][..taps];
            for (out, tap) in out.iter_mut().zip(taps_of.iter().rev()) {
                *out = *tap;
            }
        }
    });
    let back = Geometry {
        images: g.images,
        channels: g.units,
        size: g.output(),
        units: g.channels,
        window: Window {
            kernel,
            stride: 1,
            padding: [kernel[0] - 1 - padding[0], kernel[1] - 1 - padding[1]],
        },
    };
    forward(&back, grad, &flipped, None)
}

/// Gradient by the weight, given `grad`, the gradient by the output.
pub(crate) fn weight_gradient(g: &Geometry, x: &[f32], grad: &[f32]) -> Vec<f32> {
    let taps = g.taps();
    let depth = g.channels * taps;
    let mut out = vec![0.0; g.units * depth];
    if out.is_empty() || grad.is_empty() {
        return out;
    }
    // A task sums over the images of its lane for the channels of its block. Both divisions follow
    // from the shape alone.
    let block = UNFOLDED_ROWS.div_ceil(taps).clamp(1, g.channels);
    let blocks = g.channels.div_ceil(block);
    let lane = g.images.div_ceil(WEIGHT_TASKS.div_ceil(blocks)).next_multiple_of(g.group());
    let lanes = g.images.div_ceil(lane);
    let parallel = lanes * blocks < rayon::current_num_threads();
    let sums: Vec<Vec<f32>> = (0..lanes * blocks)
        .into_par_iter()
        .map(|task| {
            let (first, channel) = (task / blocks * lane, task % blocks * block);
            let channels = channel..(channel + block).min(g.channels);
            let rows = channels.len() * taps;
            let mut sum = vec![0.0; g.units * rows];
            for (i, tile) in g.tiles(first..(first + lane).min(g.images)).enumerate() {
                let columns = g.columns(&tile);
                let unfolded = if g.pointwise(&tile) { 0 } else { rows * columns };
                with_scratch(unfolded + g.gathered(&tile), |scratch| {
                    let (unfolded, gathered) = scratch.split_at_mut(unfolded);
                    let factor = if g.pointwise(&tile) {
                        let at = (tile.images.start * g.channels + channels.start) * g.plane();
                        let x = &x[at + tile.rows.start * g.output()[1]..];
                        Matrix::strided(x, rows, columns, g.plane())
                    } else {
                        g.unfold(x, &tile, channels.clone(), unfolded);
                        Matrix::new(unfolded, rows, columns)
                    };
                    let grad = g.under(grad, &tile, gathered);
                    product(&mut sum, rows, grad, factor.transposed(), i > 0, parallel);
                });
            }
            sum
        })
        .collect();
    out.par_chunks_mut(depth).enumerate().for_each(|(unit, out)| {
        for sums in sums.chunks_exact(blocks) {
            for (out, sum) in out.chunks_mut(block * taps).zip(sums) {
                let rows = out.len();
                for (out, value) in out.iter_mut().zip(&sum[unit * rows..][..rows]) {
                    *out += value;
                }
            }
        }
    });
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
        *out = planes.map(super::norm::sum).sum::<f64>() as f32;
    });
    out
}
