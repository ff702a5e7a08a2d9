//! Convolution by unfolding windows into the columns of a matrix (im2col) and one matrix product.
//!
//! A tile is a run of output rows of one image, or several whole images when their maps are small;
//! its matrix has one row per input channel and window position and one column per output position,
//! and stays in cache between unfolding and product.

use std::ops::Range;

use rayon::prelude::*;

use super::convolution::{Finish, Geometry};
use super::{Matrix, product, with_scratch};
use crate::layers::Window;

/// Output positions per tile, about.
const TILE: usize = 512;
/// Tasks that a batch is divided into, at least, where it has as many images.
const TASKS: usize = 4;
/// Rows of the unfolded matrix per task of the weight gradient, about.
const UNFOLDED_ROWS: usize = 576;
/// Tasks of the weight gradient, at least, where the batch is large enough.
const WEIGHT_TASKS: usize = 16;

/// Part of the output positions.
#[derive(Clone)]
struct Tile {
    images: Range<usize>,
    /// Output rows of each of the images.
    rows: Range<usize>,
}

impl Geometry {
    /// How many whole images share a tile.
    fn group(&self) -> usize {
        let most = self.images.div_ceil(TASKS).max(1);
        TILE.div_ceil(self.positions().max(1)).clamp(1, most)
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
        let Window { kernel, stride, padding, .. } = self.window;
        (kernel, stride, padding) == ([1; 2], 1, [0; 2]) && tile.images.len() == 1
    }

    fn columns(&self, tile: &Tile) -> usize {
        tile.images.len() * tile.rows.len() * self.output()[1]
    }

    /// For every row of a tile's matrix, in order: where in its channel the values of each image and
    /// output row lie. `line` gets the channel, the image, the first value of the input row (or none,
    /// in the padding) and the output columns that lie inside.
    fn lines(
        &self,
        tile: &Tile,
        channels: Range<usize>,
        mut line: impl FnMut(usize, usize, Option<usize>, Range<usize>),
    ) {
        let Window { kernel, stride, padding, dilation } = self.window;
        let [height, width] = self.size;
        let columns = self.output()[1];
        for channel in channels {
            for ky in 0..kernel[0] {
                for kx in 0..kernel[1] {
                    let span = span(columns, width, kx * dilation, stride, padding[1]);
                    for image in tile.images.clone() {
                        for row in tile.rows.clone() {
                            let y = (row * stride + ky * dilation).wrapping_sub(padding[0]);
                            let first = (y < height && !span.is_empty()).then(|| {
                                y * width + span.start * stride + kx * dilation - padding[1]
                            });
                            line(channel, image, first, span.clone());
                        }
                    }
                }
            }
        }
    }

    /// Writes the windows of `channels` under a tile as the columns of a matrix.
    fn unfold(&self, x: &[f32], tile: &Tile, channels: Range<usize>, out: &mut [f32]) {
        let (stride, plane) = (self.window.stride, self.plane());
        let mut lines = out.chunks_exact_mut(self.output()[1].max(1));
        self.lines(tile, channels, |channel, image, first, span| {
            let Some(line) = lines.next() else { return };
            let Some(first) = first else { return line.fill(0.0) };
            line[..span.start].fill(0.0);
            line[span.end..].fill(0.0);
            let line = &mut line[span];
            let source = &x[(image * self.channels + channel) * plane..][..plane][first..];
            if stride == 1 {
                line.copy_from_slice(&source[..line.len()]);
            } else {
                for (value, source) in line.iter_mut().zip(source.iter().step_by(stride)) {
                    *value = *source;
                }
            }
        });
    }

    /// The adjoint of [`Geometry::unfold`] over all channels: adds every column of a tile's matrix
    /// to its window; `x` begins with image `start`.
    fn fold(&self, columns_of: &[f32], tile: &Tile, start: usize, x: &mut [f32]) {
        let (stride, plane) = (self.window.stride, self.plane());
        let mut lines = columns_of.chunks_exact(self.output()[1].max(1));
        self.lines(tile, 0..self.channels, |channel, image, first, span| {
            let (Some(line), Some(first)) = (lines.next(), first) else { return };
            let at = ((image - start) * self.channels + channel) * plane;
            let target = x[at..][..plane][first..].iter_mut().step_by(stride);
            for (target, value) in target.zip(&line[span]) {
                *target += value;
            }
        });
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

    /// Scratch space for the output's values under a tile, where they are not contiguous.
    fn gathered(&self, tile: &Tile) -> usize {
        if tile.images.len() == 1 { 0 } else { self.units * self.columns(tile) }
    }

    /// Scratch space for `rows` of a tile's unfolded matrix.
    fn unfolded(&self, tile: &Tile, rows: usize) -> usize {
        if self.pointwise(tile) { 0 } else { rows * self.columns(tile) }
    }

    /// A tile's matrix over `channels`: a view of the input, or unfolded into `scratch`.
    fn over<'a>(
        &self,
        x: &'a [f32],
        tile: &Tile,
        channels: Range<usize>,
        scratch: &'a mut [f32],
    ) -> Matrix<'a> {
        let (rows, columns) = (channels.len() * self.taps(), self.columns(tile));
        if self.pointwise(tile) {
            let at = (tile.images.start * self.channels + channels.start) * self.plane();
            let x = &x[at + tile.rows.start * self.output()[1]..];
            return Matrix::strided(x, rows, columns, self.plane());
        }
        self.unfold(x, tile, channels, scratch);
        Matrix::new(scratch, rows, columns)
    }
}

/// The output columns whose window position, `offset` columns from its first, lies inside a line of
/// `width`.
fn span(
    columns: usize,
    width: usize,
    offset: usize,
    stride: usize,
    padding: usize,
) -> Range<usize> {
    let start = padding.saturating_sub(offset).div_ceil(stride).min(columns);
    let end = match (width + padding).checked_sub(offset + 1) {
        Some(last) => (last / stride + 1).min(columns),
        None => 0,
    };
    start..end.max(start)
}

/// The convolution, written to `out`.
pub(super) fn forward(
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    finish: Finish<'_>,
    out: &mut [f32],
) {
    let (positions, depth, group) = (g.positions(), g.channels * g.taps(), g.group());
    let weight = Matrix::new(weight, g.units, depth);
    // With few tasks, several threads share a product.
    let parallel = g.images.div_ceil(group) < rayon::current_num_threads();
    out.par_chunks_mut(group * g.units * positions).enumerate().for_each(|(task, out)| {
        let first = task * group;
        for tile in g.tiles(first..(first + group).min(g.images)) {
            let columns = g.columns(&tile);
            let unfolded = g.unfolded(&tile, depth);
            with_scratch(unfolded + g.gathered(&tile), |scratch| {
                let (unfolded, gathered) = scratch.split_at_mut(unfolded);
                let factor = g.over(x, &tile, 0..g.channels, unfolded);
                if tile.images.len() == 1 {
                    let at = tile.rows.start * g.output()[1];
                    product(&mut out[at..], positions, weight, factor, false, parallel);
                    for (unit, line) in out[at..].chunks_mut(positions).enumerate() {
                        let place = (first * g.units + unit) * positions + at;
                        finish.apply(&mut line[..columns], unit, place);
                    }
                    return;
                }
                product(gathered, columns, weight, factor, false, parallel);
                for (i, line) in out.chunks_exact_mut(positions).enumerate() {
                    let (image, unit) = (i / g.units, i % g.units);
                    let from = unit * columns + image * positions;
                    line.copy_from_slice(&gathered[from..][..positions]);
                    finish.apply(line, unit, (first * g.units + i) * positions);
                }
            });
        }
    });
}

/// The gradient by the input, added to `out`.
pub(super) fn input_gradient(g: &Geometry, grad: &[f32], weight: &[f32], out: &mut [f32]) {
    let (depth, group) = (g.channels * g.taps(), g.group());
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
}

/// The gradient by the weight, added to `out`.
pub(super) fn weight_gradient(g: &Geometry, x: &[f32], grad: &[f32], out: &mut [f32]) {
    let taps = g.taps();
    let depth = g.channels * taps;
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
                let unfolded = g.unfolded(&tile, rows);
                with_scratch(unfolded + g.gathered(&tile), |scratch| {
                    let (unfolded, gathered) = scratch.split_at_mut(unfolded);
                    let factor = g.over(x, &tile, channels.clone(), unfolded);
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
}
