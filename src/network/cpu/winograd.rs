//! Winograd's minimal filtering (Winograd 1980; Lavin & Gray 2016, arXiv:1509.09308).
//!
//! A tile of m x m outputs of a convolution with an r x r kernel g follows from the d, 6 x 6 inputs
//! under it (6 = m + r - 1), as
//!
//! ```text
//! Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
//! ```
//!
//! with 36 products instead of m² r². Summed over channels, each of the 36 places is a matrix product
//! of its own: units x channels times channels x tiles. F(4, 3) and F(2, 5) share the six points 0, 1,
//! -1, 2, -2 and infinity at which polynomials are multiplied, and so Bᵀ; see
//! [`transform`](super::transform) for the matrices.
//!
//! Tiles are worked on in blocks, whose transformed values stay in cache: inputs and outputs of a block
//! are channels x 36 x tiles and 36 x units x tiles, so that every step divides among threads into
//! slices.

use std::ops::Range;

use rayon::prelude::*;

use super::convolution::{Finish, Geometry};
use super::transform::{self, POINTS, Strip};
use super::{Matrix, product, with_scratch};

/// Places of a transformed tile.
const PLACES: usize = POINTS * POINTS;
/// Bytes of transformed inputs and outputs in a block, about: a share of the last cache.
const BLOCK: usize = 16 << 20;
/// Tiles per block: fewer would read the transformed kernel too often, more would not be faster.
const TILES: Range<usize> = 128..1024;
/// Rows of a matrix product per task, at most.
const ROWS: usize = 256;
/// How much dearer a transformed tile's product is than one of the plain kernel: what the transforms
/// cost.
const TRANSFORMS: f64 = 1.4;
/// Channels and units below which transforms cost more than products.
const NARROW: usize = 16;

/// Whether a convolution is faster this way. Does not depend on the number of images.
pub(super) fn wins(g: &Geometry) -> bool {
    let window = g.window;
    let [kernel, other] = window.kernel;
    if kernel != other
        || !matches!(kernel, 3 | 5)
        || (window.stride, window.dilation, g.groups) != (1, 1, 1)
        || g.channels < NARROW
        || g.units < NARROW
    {
        return false;
    }
    let products = PLACES * Grid::of(g).tiles();
    (products as f64) * TRANSFORMS < (g.taps() * g.positions()) as f64
}

/// How an image's outputs divide into tiles.
#[derive(Debug, Clone, Copy)]
struct Grid {
    /// Outputs per tile and axis.
    edge: usize,
    rows: usize,
    columns: usize,
}

impl Grid {
    fn of(g: &Geometry) -> Grid {
        let edge = POINTS + 1 - g.window.kernel[0];
        let [rows, columns] = g.output().map(|n| n.div_ceil(edge));
        Grid { edge, rows, columns }
    }

    fn tiles(&self) -> usize {
        self.rows * self.columns
    }

    /// Rows of tiles per block, counted over all images; follows from the shape alone.
    fn block(&self, g: &Geometry) -> usize {
        let tile = PLACES * (g.channels + g.units) * size_of::<f32>();
        (BLOCK / tile).clamp(TILES.start, TILES.end).div_ceil(self.columns)
    }

    /// The rows of tiles of all images, block by block.
    fn blocks(self, g: &Geometry) -> impl Iterator<Item = Block> {
        let (all, step) = (g.images * self.rows, self.block(g));
        (0..all)
            .step_by(step)
            .map(move |first| Block { grid: self, rows: first..(first + step).min(all) })
    }
}

/// A run of tile rows, counted over all images.
#[derive(Debug, Clone)]
struct Block {
    grid: Grid,
    rows: Range<usize>,
}

impl Block {
    fn tiles(&self) -> usize {
        self.rows.len() * self.grid.columns
    }

    /// The images that have rows in the block.
    fn images(&self) -> Range<usize> {
        self.rows.start / self.grid.rows..self.rows.end.div_ceil(self.grid.rows)
    }

    /// Rows of an image in the block, and the place of their first tile among the block's.
    fn part(&self, image: usize) -> (Range<usize>, usize) {
        let first = image * self.grid.rows;
        let start = self.rows.start.max(first);
        let end = self.rows.end.min(first + self.grid.rows);
        (start - first..end - first, (start - self.rows.start) * self.grid.columns)
    }

    /// Transforms the tiles of every image's `planes` of `size`, which start `padding` before the plane,
    /// into planes x 36 x tiles.
    fn transform(
        &self,
        planes: usize,
        size: [usize; 2],
        padding: [usize; 2],
        values: &[f32],
        out: &mut [f32],
    ) {
        let (plane, tiles) = (size[0] * size[1], self.tiles());
        out.par_chunks_mut(PLACES * tiles).enumerate().for_each(|(channel, out)| {
            for image in self.images() {
                let (rows, at) = self.part(image);
                let strip = Strip {
                    plane: &values[(image * planes + channel) * plane..][..plane],
                    size,
                    padding,
                    edge: self.grid.edge,
                    columns: self.grid.columns,
                    tiles,
                };
                strip.transform(rows, at, out);
            }
        });
    }
}

/// A kernel in Winograd's domain: units x 36 x channels.
#[derive(Debug)]
pub(crate) struct Kernel(Vec<f32>);

impl Kernel {
    /// Transforms a weight of units x channels x kernel rows x kernel columns.
    pub(super) fn new(g: &Geometry, weight: &[f32]) -> Kernel {
        let mut out = vec![0.0; g.units * PLACES * g.channels];
        out.par_chunks_mut(PLACES * g.channels)
            .zip(weight.par_chunks(g.channels * g.taps()))
            .for_each(|(out, weight)| {
                transform::kernel(weight, g.window.kernel[0], g.channels, out)
            });
        Kernel(out)
    }
}

/// The largest divisor of `units` that is at most [`ROWS`].
fn rows_per_task(units: usize) -> usize {
    (1..=units.min(ROWS)).rev().find(|rows| units.is_multiple_of(*rows)).unwrap_or(1)
}

/// The convolution, written to `out`.
pub(super) fn forward(
    g: &Geometry,
    x: &[f32],
    kernel: &Kernel,
    finish: Finish<'_>,
    out: &mut [f32],
) {
    let grid = Grid::of(g);
    let rows = rows_per_task(g.units);
    for block in grid.blocks(g) {
        let tiles = block.tiles();
        with_scratch(PLACES * tiles * (g.channels + g.units), |scratch| {
            let (inputs, sums) = scratch.split_at_mut(PLACES * tiles * g.channels);
            block.transform(g.channels, g.size, g.window.padding, x, inputs);
            sums.par_chunks_mut(rows * tiles).enumerate().for_each(|(task, sums)| {
                let (place, unit) = (task / (g.units / rows), task % (g.units / rows) * rows);
                let kernel = &kernel.0[(unit * PLACES + place) * g.channels..];
                let kernel = Matrix::strided(kernel, rows, g.channels, PLACES * g.channels);
                let inputs =
                    Matrix::strided(&inputs[place * tiles..], g.channels, tiles, PLACES * tiles);
                product(sums, tiles, kernel, inputs, false, false);
            });
            let images = block.images();
            let out = &mut out
                [images.start * g.units * g.positions()..images.end * g.units * g.positions()];
            out.par_chunks_mut(g.positions()).enumerate().for_each(|(i, out)| {
                let (image, unit) = (images.start + i / g.units, i % g.units);
                let (rows, at) = block.part(image);
                let lines = transform::output(
                    sums,
                    (g.units, unit, tiles),
                    (grid.edge, grid.columns),
                    (rows, at),
                    g.output(),
                    out,
                );
                let place = (image * g.units + unit) * g.positions();
                finish.apply(&mut out[lines.clone()], unit, place + lines.start);
            });
        });
    }
}
