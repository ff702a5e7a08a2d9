//! The small linear maps of [`winograd`](super::winograd), vectorised over neighbouring tiles.
//!
//! A polynomial of degree below six is known from its values at the points 0, 1, -1, 2, -2 and its
//! leading coefficient (the value "at infinity"). `G` takes a kernel of r taps to those values, `A` m
//! outputs, and `Bᵀ` is what interpolation leaves for the inputs:
//!
//! ```text
//!      ⎡4  0 -5  0 1 0⎤        ⎡ 1/4   0     0  ⎤        ⎡1  0 0  0⎤
//!      ⎢0 -4 -4  1 1 0⎥        ⎢-1/6 -1/6  -1/6 ⎥        ⎢1  1 1  1⎥
//! Bᵀ = ⎢0  4 -4 -1 1 0⎥    G = ⎢-1/6  1/6  -1/6 ⎥    A = ⎢1 -1 1 -1⎥
//!      ⎢0 -2 -1  2 1 0⎥        ⎢1/24  1/12  1/6 ⎥        ⎢1  2 4  8⎥
//!      ⎢0  2 -1 -2 1 0⎥        ⎢1/24 -1/12  1/6 ⎥        ⎢1 -2 4 -8⎥
//!      ⎣0  4  0 -5 0 1⎦        ⎣ 0     0     1  ⎦        ⎣0  0 0  1⎦
//! ```
//!
//! (for r = 3, m = 4; for r = 5, m = 2 the columns of G and A follow on, or stop, alike.)

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};

use super::with_scratch;

/// Points at which polynomials are multiplied, and inputs under a tile along an axis.
pub(super) const POINTS: usize = 6;
/// The finite ones, with what interpolation divides by: the product of a point's distances to the
/// others.
const FINITE: [(f32, f32); POINTS - 1] =
    [(0.0, 4.0), (1.0, -6.0), (-1.0, -6.0), (2.0, 24.0), (-2.0, 24.0)];

/// A plane whose tiles are transformed row of tiles by row of tiles.
pub(super) struct Strip<'a> {
    pub plane: &'a [f32],
    /// Rows and columns of the plane.
    pub size: [usize; 2],
    /// How far the first tile begins before the plane.
    pub padding: [usize; 2],
    /// From one tile to the next: m.
    pub edge: usize,
    /// Tiles in a row.
    pub columns: usize,
    /// From one place to the next in what is written.
    pub tiles: usize,
}

impl Strip<'_> {
    /// Transforms the tile rows `rows`; place p of tile t goes to `out[p * tiles + at + t]`.
    pub(super) fn transform(&self, rows: Range<usize>, at: usize, out: &mut [f32]) {
        let Strip { edge, columns, .. } = *self;
        // Values of a plane's row, dealt out: those that begin the tiles, those after them, and so on up
        // to `edge`; a tile's later values are the first of the next tile. So neighbouring tiles' values
        // are neighbours.
        let width = columns + (POINTS - 1) / edge;
        with_scratch(POINTS * edge * width, |dealt| {
            let mut next = rows.start * edge;
            for (i, row) in rows.enumerate() {
                // Tiles overlap: some rows are there already.
                let (first, end) = (row * edge, row * edge + POINTS);
                for y in next.max(first)..end {
                    let slot = &mut dealt[y % POINTS * edge * width..][..edge * width];
                    self.deal(y, width, slot);
                }
                next = end;
                let lines: [&[f32]; POINTS] = std::array::from_fn(|i| {
                    &dealt[(first + i) % POINTS * edge * width..][..edge * width]
                });
                let at = at + i * columns;
                let tiles = Tiles { lines, edge, width, columns, stride: self.tiles, at, out };
                Arch::new().dispatch(tiles);
            }
        });
    }

    /// Deals out row `y` of the padded plane.
    fn deal(&self, y: usize, width: usize, out: &mut [f32]) {
        let Strip { size: [rows, columns], padding: [above, before], edge, .. } = *self;
        let y = y.wrapping_sub(above);
        if y >= rows {
            return out.fill(0.0);
        }
        let line = &self.plane[y * columns..][..columns];
        for (i, out) in out.chunks_exact_mut(width).enumerate() {
            // Tiles whose value i lies inside the line.
            let start = before.saturating_sub(i).div_ceil(edge).min(width);
            let end = ((columns + before).saturating_sub(i)).div_ceil(edge).clamp(start, width);
            out[..start].fill(0.0);
            out[end..].fill(0.0);
            if start < end {
                let line = line[start * edge + i - before..].iter().step_by(edge);
                for (out, value) in out[start..end].iter_mut().zip(line) {
                    *out = *value;
                }
            }
        }
    }
}

/// One row of tiles, dealt out.
struct Tiles<'a> {
    lines: [&'a [f32]; POINTS],
    edge: usize,
    width: usize,
    columns: usize,
    stride: usize,
    at: usize,
    out: &'a mut [f32],
}

impl WithSimd for Tiles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.edge {
            4 => self.run::<S, 4>(simd),
            _ => self.run::<S, 2>(simd),
        }
    }
}

impl Tiles<'_> {
    /// `Bᵀ d B` of every tile, along the columns and then along the rows.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "rows and columns of one square")]
    fn run<S: Simd, const EDGE: usize>(self, simd: S) {
        let zero = simd.splat_f32s(0.0);
        for first in (0..self.columns).step_by(S::F32_LANES) {
            let count = S::F32_LANES.min(self.columns - first);
            let mut half = [[zero; POINTS]; POINTS];
            for column in 0..POINTS {
                let at = column % EDGE * self.width + column / EDGE + first;
                let mut values = [zero; POINTS];
                for row in 0..POINTS {
                    values[row] = load(simd, &self.lines[row][at..][..count]);
                }
                let mapped = input(simd, values);
                for row in 0..POINTS {
                    half[row][column] = mapped[row];
                }
            }
            for (row, half) in half.into_iter().enumerate() {
                let mapped = input(simd, half);
                for (column, value) in mapped.into_iter().enumerate() {
                    let at = (row * POINTS + column) * self.stride + self.at + first;
                    store(simd, &mut self.out[at..][..count], value);
                }
            }
        }
    }
}

/// As many values as a vector has lanes, or fewer and zeros.
#[inline(always)]
fn load<S: Simd>(simd: S, values: &[f32]) -> S::f32s {
    match S::as_simd_f32s(values) {
        ([whole, ..], _) => *whole,
        _ => simd.partial_load_f32s(values),
    }
}

/// As many of a vector's lanes as there is room for.
#[inline(always)]
fn store<S: Simd>(simd: S, out: &mut [f32], values: S::f32s) {
    if out.len() == S::F32_LANES {
        S::as_mut_simd_f32s(out).0[0] = values;
    } else {
        simd.partial_store_f32s(out, values);
    }
}

// What follows are functions and not closures, for only functions can be compiled into their callers
// always, and so with the instructions that those detected.

/// `factor * x + y`.
#[inline(always)]
fn plus<S: Simd>(simd: S, factor: f32, x: S::f32s, y: S::f32s) -> S::f32s {
    simd.mul_add_e_f32s(simd.splat_f32s(factor), x, y)
}

/// `Bᵀ x`.
#[inline(always)]
fn input<S: Simd>(simd: S, x: [S::f32s; POINTS]) -> [S::f32s; POINTS] {
    let (even, odd) = (plus(simd, -4.0, x[2], x[4]), plus(simd, -4.0, x[1], x[3]));
    let (far_even, far_odd) = (simd.sub_f32s(x[4], x[2]), simd.sub_f32s(x[3], x[1]));
    [
        plus(simd, 4.0, x[0], plus(simd, -5.0, x[2], x[4])),
        simd.add_f32s(even, odd),
        simd.sub_f32s(even, odd),
        plus(simd, 2.0, far_odd, far_even),
        plus(simd, -2.0, far_odd, far_even),
        plus(simd, 4.0, x[1], plus(simd, -5.0, x[3], x[5])),
    ]
}

/// `Aᵀ x`.
#[inline(always)]
fn gather<S: Simd, const N: usize>(simd: S, x: [S::f32s; POINTS]) -> [S::f32s; N] {
    let (sum, difference) = (simd.add_f32s(x[1], x[2]), simd.sub_f32s(x[1], x[2]));
    let (far_sum, far_difference) = (simd.add_f32s(x[3], x[4]), simd.sub_f32s(x[3], x[4]));
    let mut y = [simd.splat_f32s(0.0); N];
    for (power, y) in y.iter_mut().enumerate() {
        let (near, far) =
            if power % 2 == 0 { (sum, far_sum) } else { (difference, far_difference) };
        *y = plus(simd, (1 << power) as f32, far, near);
    }
    y[0] = simd.add_f32s(y[0], x[0]);
    y[N - 1] = simd.add_f32s(y[N - 1], x[5]);
    y
}

/// Outputs of a unit: `Aᵀ m A` for the tiles of `rows`, whose products begin at `at` in every place of
/// `sums`, 36 x units x tiles. Written to the unit's plane of `size`; returns the part of the plane
/// that is now written.
pub(super) fn output(
    sums: &[f32],
    (units, unit, tiles): (usize, usize, usize),
    (edge, columns): (usize, usize),
    (rows, at): (Range<usize>, usize),
    size: [usize; 2],
    plane: &mut [f32],
) -> Range<usize> {
    let written = rows.start * edge * size[1]..(rows.end * edge).min(size[0]) * size[1];
    for (i, row) in rows.enumerate() {
        let lines = &mut plane[row * edge * size[1]..];
        let sums: [&[f32]; POINTS * POINTS] = std::array::from_fn(|place| {
            &sums[(place * units + unit) * tiles + at + i * columns..][..columns]
        });
        Arch::new().dispatch(Outputs { sums, edge, width: size[1], lines });
    }
    written
}

/// One row of tiles of outputs.
struct Outputs<'a> {
    sums: [&'a [f32]; POINTS * POINTS],
    edge: usize,
    /// Values in a row of the plane.
    width: usize,
    /// The plane from the tiles' first row on; may end before the last.
    lines: &'a mut [f32],
}

impl WithSimd for Outputs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.edge {
            4 => self.run::<S, 4>(simd),
            _ => self.run::<S, 2>(simd),
        }
    }
}

impl Outputs<'_> {
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "rows and columns of one square")]
    fn run<S: Simd, const EDGE: usize>(self, simd: S) {
        /// Lanes of the widest vectors.
        const MOST: usize = 16;
        let zero = simd.splat_f32s(0.0);
        let columns = self.sums[0].len();
        for first in (0..columns).step_by(S::F32_LANES) {
            let count = S::F32_LANES.min(columns - first);
            let mut half = [[zero; POINTS]; EDGE];
            for column in 0..POINTS {
                let mut values = [zero; POINTS];
                for row in 0..POINTS {
                    values[row] = load(simd, &self.sums[row * POINTS + column][first..][..count]);
                }
                let gathered = gather::<S, EDGE>(simd, values);
                for row in 0..EDGE {
                    half[row][column] = gathered[row];
                }
            }
            for (line, half) in self.lines.chunks_mut(self.width).zip(half) {
                let mut dealt = [[0f32; MOST]; EDGE];
                let gathered = gather::<S, EDGE>(simd, half);
                for i in 0..EDGE {
                    store(simd, &mut dealt[i][..S::F32_LANES], gathered[i]);
                }
                let (tiles, rest) = line[first * EDGE..].as_chunks_mut::<EDGE>();
                for (tile, out) in tiles.iter_mut().take(count).enumerate() {
                    *out = std::array::from_fn(|i| dealt[i][tile]);
                }
                // A last tile may reach over the edge.
                if tiles.len() < count {
                    for (out, dealt) in rest.iter_mut().zip(&dealt) {
                        *out = dealt[tiles.len()];
                    }
                }
            }
        }
    }
}

/// Row `point` of G, as far as a kernel of `taps` needs it.
fn row_of_g(point: usize, taps: usize) -> [f32; 5] {
    std::array::from_fn(|power| match FINITE.get(point) {
        Some((point, divisor)) => point.powi(power as i32) / divisor,
        None => f32::from(power + 1 == taps),
    })
}

/// `G g Gᵀ` of a unit's kernels of `edge` x `edge` taps, one per channel, to 36 x channels.
pub(super) fn kernel(weight: &[f32], edge: usize, channels: usize, out: &mut [f32]) {
    let taps = edge * edge;
    with_scratch((taps + POINTS * edge) * channels, |scratch| {
        let (dealt, half) = scratch.split_at_mut(taps * channels);
        for (tap, line) in dealt.chunks_exact_mut(channels).enumerate() {
            for (out, value) in line.iter_mut().zip(weight[tap..].iter().step_by(taps)) {
                *out = *value;
            }
        }
        for (i, out) in half.chunks_exact_mut(channels).enumerate() {
            let (point, column) = (i / edge, i % edge);
            let lines = |row| &dealt[(row * edge + column) * channels..][..channels];
            combine(&row_of_g(point, edge)[..edge], lines, out);
        }
        for (place, out) in out.chunks_exact_mut(channels).enumerate() {
            let (row, point) = (place / POINTS, place % POINTS);
            let lines = |column| &half[(row * edge + column) * channels..][..channels];
            combine(&row_of_g(point, edge)[..edge], lines, out);
        }
    });
}

/// The sum of lines times their factors.
fn combine<'a>(factors: &[f32], lines: impl Fn(usize) -> &'a [f32], out: &mut [f32]) {
    out.fill(0.0);
    for (i, factor) in factors.iter().enumerate().filter(|(_, factor)| **factor != 0.0) {
        for (out, value) in out.iter_mut().zip(lines(i)) {
            *out += factor * value;
        }
    }
}
