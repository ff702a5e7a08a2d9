//! Grouped and depthwise convolution, window position by window position: where a unit sees few channels,
//! a matrix product has nothing to gain, and unfolding would only copy.
//!
//! The channels of one image and group are first laid out with their padding. A line of them holds every
//! `stride`th column of a row, from each of the first `stride` columns on, so that what a position of the
//! window meets along a row of the output is contiguous, whatever the stride. Tiles of a few vectors of the
//! output then stay in registers while channels and positions of the window pass by.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::convolution::{Finish, Geometry};
use super::with_scratch;
use crate::layers::Window;

/// Lines have room for whole vectors of this many values: the longest there are.
const VECTOR: usize = 16;
/// Units computed side by side, where a group has as many.
const UNITS: usize = 4;

/// How the channels of a group are laid out.
struct Layout {
    /// Channels of a group.
    depth: usize,
    /// Units of a group.
    share: usize,
    /// Rows and columns of the output.
    output: [usize; 2],
    /// Values of a line: every `stride`th of a row's.
    line: usize,
    /// Values of a row: `stride` lines.
    pitch: usize,
    /// Rows, padding included, as far as windows reach.
    rows: usize,
    /// Where the value under each of the window's positions lies, from that under the first.
    taps: Vec<usize>,
}

impl Layout {
    fn of(g: &Geometry) -> Layout {
        let Window { kernel, stride, dilation, .. } = g.window;
        let output = g.output();
        let line = output[1].next_multiple_of(VECTOR) + (kernel[1] - 1) * dilation / stride;
        let pitch = line * stride;
        let tap = |ky: usize, kx: usize| {
            let column = kx * dilation;
            ky * dilation * pitch + column % stride * line + column / stride
        };
        let taps = (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| tap(ky, kx)));
        Layout {
            depth: g.channels / g.groups,
            share: g.units / g.groups,
            output,
            line,
            pitch,
            rows: (output[0].max(1) - 1) * stride + g.window.reach()[0],
            taps: taps.collect(),
        }
    }

    /// Values of a channel.
    fn plane(&self) -> usize {
        self.rows * self.pitch
    }

    /// For each row of a channel that has values: where it begins in the channel's plane; and for each of
    /// its lines, where its first value lies in the layout, how many there are, and the column of the first.
    fn lines(&self, g: &Geometry, mut line: impl FnMut(usize, usize, usize, usize)) {
        let Window { stride, padding, .. } = g.window;
        let [height, width] = g.size;
        for row in padding[0]..self.rows.min(height + padding[0]) {
            for phase in 0..stride {
                // Columns phase + stride * i - padding, from the first to the last inside.
                let first = padding[1].saturating_sub(phase).div_ceil(stride);
                let end = (width + padding[1]).saturating_sub(phase).div_ceil(stride);
                let end = end.min(self.line);
                if first < end {
                    line(
                        (row - padding[0]) * width,
                        row * self.pitch + phase * self.line + first,
                        end - first,
                        phase + stride * first - padding[1],
                    );
                }
            }
        }
    }

    /// Lays out the channels of a group of one image.
    fn pad(&self, g: &Geometry, x: &[f32], out: &mut [f32]) {
        out.fill(0.0);
        let stride = g.window.stride;
        for (x, out) in x.chunks_exact(g.plane()).zip(out.chunks_exact_mut(self.plane())) {
            self.lines(g, |row, at, count, column| {
                let x = &x[row..][..g.size[1]][column..];
                let out = &mut out[at..][..count];
                if stride == 1 {
                    out.copy_from_slice(&x[..count]);
                } else {
                    for (out, x) in out.iter_mut().zip(x.iter().step_by(stride)) {
                        *out = *x;
                    }
                }
            });
        }
    }

    /// The way back from [`Layout::pad`].
    fn unpad(&self, g: &Geometry, laid: &[f32], x: &mut [f32]) {
        let stride = g.window.stride;
        for (laid, x) in laid.chunks_exact(self.plane()).zip(x.chunks_exact_mut(g.plane())) {
            self.lines(g, |row, at, count, column| {
                let x = x[row..][..g.size[1]][column..].iter_mut().step_by(stride);
                for (x, laid) in x.zip(&laid[at..][..count]) {
                    *x = *laid;
                }
            });
        }
    }

    /// The channels of a group of one image, among those of all.
    fn channels(&self, g: &Geometry, image: usize, group: usize) -> std::ops::Range<usize> {
        let len = self.depth * g.plane();
        let start = (image * g.groups + group) * len;
        start..start + len
    }

    /// Vectors of `lanes` values that cover a row of the output, and the whole of it.
    fn tiles(&self, lanes: usize) -> [usize; 2] {
        let across = self.output[1].div_ceil(lanes);
        [across, across * self.output[0]]
    }

    /// Where the first values lie that tiles of `lanes` values, `first` and those that follow, meet in a
    /// channel. Beyond the last there is the last.
    fn meet<const T: usize>(&self, stride: usize, lanes: usize, first: usize) -> [usize; T] {
        let [across, count] = self.tiles(lanes);
        std::array::from_fn(|i| {
            let tile = (first + i).min(count - 1);
            tile / across * stride * self.pitch + tile % across * lanes
        })
    }
}

/// A vector of the values from `at` on.
///
/// # Safety
/// As many values as the vector has must lie within the slice.
#[inline(always)]
unsafe fn load<S: Simd>(values: &[f32], at: usize) -> S::f32s {
    debug_assert!(at + S::F32_LANES <= values.len());
    // SAFETY: the caller's; a vector is so many values without padding, and any bits are one.
    unsafe { values.as_ptr().add(at).cast::<S::f32s>().read_unaligned() }
}

/// The convolution, written to `out`.
pub(super) fn forward(
    g: &Geometry,
    x: &[f32],
    weight: &[f32],
    finish: Finish<'_>,
    out: &mut [f32],
) {
    let layout = Layout::of(g);
    let (positions, each) = (g.positions(), layout.depth * layout.taps.len());
    out.par_chunks_mut(layout.share * positions).enumerate().for_each(|(task, out)| {
        let (image, group) = (task / g.groups, task % g.groups);
        with_scratch(layout.depth * layout.plane(), |laid| {
            layout.pad(g, &x[layout.channels(g, image, group)], laid);
            let weight = &weight[group * layout.share * each..][..layout.share * each];
            let stride = g.window.stride;
            Arch::new().dispatch(Sums { layout: &layout, stride, laid, weight, out });
        });
        for (unit, out) in out.chunks_exact_mut(positions).enumerate() {
            let place = (task * layout.share + unit) * positions;
            finish.apply(out, group * layout.share + unit, place);
        }
    });
}

/// The outputs of one group of one image.
struct Sums<'a> {
    layout: &'a Layout,
    stride: usize,
    laid: &'a [f32],
    weight: &'a [f32],
    out: &'a mut [f32],
}

impl WithSimd for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let share = self.layout.share;
        let [_, tiles] = self.layout.tiles(S::F32_LANES);
        let mut unit = 0;
        while unit + UNITS <= share {
            for tile in (0..tiles).step_by(2) {
                self.run::<S, UNITS, 2>(simd, unit, tile);
            }
            unit += UNITS;
        }
        for unit in unit..share {
            if tiles <= 4 {
                self.run::<S, 1, 4>(simd, unit, 0);
                continue;
            }
            for tile in (0..tiles).step_by(8) {
                self.run::<S, 1, 8>(simd, unit, tile);
            }
        }
    }
}

impl Sums<'_> {
    /// Tiles `first` to `first + T` of units `unit` to `unit + U`.
    #[inline(always)]
    fn run<S: Simd, const U: usize, const T: usize>(&mut self, simd: S, unit: usize, first: usize) {
        let Layout { depth, output: [rows, columns], ref taps, .. } = *self.layout;
        let (lanes, plane) = (S::F32_LANES, self.layout.plane());
        let at: [usize; T] = self.layout.meet(self.stride, lanes, first);
        let [tile, tap] = [&at[..], taps].map(|all| all.iter().max().unwrap_or(&0));
        assert!((depth - 1) * plane + tile + tap + lanes <= self.laid.len());
        let each = depth * taps.len();
        let weight: [&[f32]; U] =
            std::array::from_fn(|u| &self.weight[(unit + u) * each..][..each]);
        let mut sums = [[simd.splat_f32s(0.0); T]; U];
        for channel in 0..depth {
            for (i, tap) in taps.iter().enumerate() {
                let from = channel * plane + tap;
                // SAFETY: asserted above for the last channel, tile and position of the window.
                let values: [S::f32s; T] =
                    std::array::from_fn(|t| unsafe { load::<S>(self.laid, from + at[t]) });
                for (weight, sums) in weight.iter().zip(&mut sums) {
                    let weight = simd.splat_f32s(weight[channel * taps.len() + i]);
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum = simd.mul_add_e_f32s(weight, value, *sum);
                    }
                }
            }
        }
        let [across, count] = self.layout.tiles(lanes);
        for (u, sums) in sums.into_iter().enumerate() {
            let out = &mut self.out[(unit + u) * rows * columns..][..rows * columns];
            for (tile, sum) in (first..count).zip(sums) {
                let (row, column) = (tile / across, tile % across * lanes);
                let out = &mut out[row * columns + column..][..lanes.min(columns - column)];
                simd.partial_store_f32s(out, sum);
            }
        }
    }
}

/// The gradient by the input, written to `out`: every output hands its gradient to the values it saw.
pub(super) fn input_gradient(g: &Geometry, grad: &[f32], weight: &[f32], out: &mut [f32]) {
    let layout = Layout::of(g);
    let (positions, taps) = (g.positions(), layout.taps.len());
    out.par_chunks_mut(layout.depth * g.plane()).enumerate().for_each(|(task, out)| {
        let group = task % g.groups;
        let grad = &grad[task * layout.share * positions..][..layout.share * positions];
        with_scratch(layout.depth * layout.plane(), |laid| {
            laid.fill(0.0);
            let weight = &weight[group * layout.share * layout.depth * taps..];
            hand_back(&layout, g.window.stride, grad, weight, laid);
            layout.unpad(g, laid, out);
        });
    });
}

vectorised! {
    /// Adds to the values of a group of one image what its outputs hand to them.
    fn hand_back<'a>(
        layout: &'a Layout,
        stride: usize,
        grad: &'a [f32],
        weight: &'a [f32],
        laid: &'a mut [f32],
    ) {
        let Layout { depth, output: [rows, columns], ref taps, .. } = *layout;
        let weights = weight.chunks_exact(depth * taps.len());
        for (grad, weight) in grad.chunks_exact(rows * columns).zip(weights) {
            let channels = laid.chunks_exact_mut(layout.plane());
            for (laid, weight) in channels.zip(weight.chunks_exact(taps.len())) {
                for (row, grad) in grad.chunks_exact(columns).enumerate() {
                    let row = row * stride * layout.pitch;
                    for (tap, weight) in taps.iter().zip(weight) {
                        for (laid, grad) in laid[row + tap..].iter_mut().zip(grad) {
                            *laid += grad * weight;
                        }
                    }
                }
            }
        }
    }
}

/// The gradient by the weight, written to `out`.
pub(super) fn weight_gradient(g: &Geometry, x: &[f32], grad: &[f32], out: &mut [f32]) {
    let layout = Layout::of(g);
    let each = layout.share * layout.depth * layout.taps.len();
    let [rows, columns] = layout.output;
    let wide = columns.next_multiple_of(VECTOR);
    out.par_chunks_mut(each).enumerate().for_each(|(group, out)| {
        let mut sums = vec![0f64; each];
        let laid = layout.depth * layout.plane();
        with_scratch(laid + layout.share * rows * wide, |scratch| {
            let (laid, lined) = scratch.split_at_mut(laid);
            for image in 0..g.images {
                layout.pad(g, &x[layout.channels(g, image, group)], laid);
                let share = layout.share * g.positions();
                let grad = &grad[(image * g.groups + group) * share..][..share];
                // Zeros behind each row: whole vectors of it add nothing beyond its end.
                for (to, from) in lined.chunks_exact_mut(wide).zip(grad.chunks_exact(columns)) {
                    to[..columns].copy_from_slice(from);
                    to[columns..].fill(0.0);
                }
                let stride = g.window.stride;
                let (layout, sums) = (&layout, &mut sums);
                Arch::new().dispatch(Products { layout, stride, laid, grad: lined, wide, sums });
            }
        });
        for (out, sum) in out.iter_mut().zip(sums) {
            *out = sum as f32;
        }
    });
}

/// Sums of products of one group's gradients with what their outputs saw in one image.
struct Products<'a> {
    layout: &'a Layout,
    stride: usize,
    laid: &'a [f32],
    /// Units x rows x `wide` values.
    grad: &'a [f32],
    wide: usize,
    sums: &'a mut [f64],
}

impl WithSimd for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let Layout { depth, share, ref taps, .. } = *self.layout;
        for channel in 0..depth {
            let mut unit = 0;
            while unit + UNITS <= share {
                for tap in (0..taps.len()).step_by(3) {
                    self.run::<S, UNITS, 3>(simd, unit, channel, tap);
                }
                unit += UNITS;
            }
            for unit in unit..share {
                if taps.len() <= 9 {
                    self.run::<S, 1, 9>(simd, unit, channel, 0);
                    continue;
                }
                for tap in (0..taps.len()).step_by(13) {
                    self.run::<S, 1, 13>(simd, unit, channel, tap);
                }
            }
        }
    }
}

impl Products<'_> {
    /// Adds what units `unit` to `unit + U` give with positions `first` to `first + K` of the window.
    #[inline(always)]
    fn run<S: Simd, const U: usize, const K: usize>(
        &mut self,
        simd: S,
        unit: usize,
        channel: usize,
        first: usize,
    ) {
        let Layout { depth, output: [rows, _], ref taps, pitch, .. } = *self.layout;
        let (lanes, plane) = (S::F32_LANES, self.layout.plane());
        let [across, _] = self.layout.tiles(lanes);
        let laid = &self.laid[channel * plane..][..plane];
        let grad = &self.grad[unit * rows * self.wide..][..U * rows * self.wide];
        let offsets: [usize; K] = std::array::from_fn(|k| taps[(first + k).min(taps.len() - 1)]);
        let most = offsets.iter().max().unwrap_or(&0);
        let (last_row, last) = (rows - 1, (across - 1) * lanes);
        assert!(last_row * self.stride * pitch + last + most + lanes <= laid.len());
        assert!(((U - 1) * rows + last_row) * self.wide + last + lanes <= grad.len());
        let mut sums = [[simd.splat_f32s(0.0); K]; U];
        for row in 0..rows {
            for column in (0..across).map(|block| block * lanes) {
                let from = row * self.stride * pitch + column;
                // SAFETY: asserted above for the last row, column and unit, and the furthest position.
                let (values, grads) = unsafe {
                    let values: [S::f32s; K] =
                        std::array::from_fn(|k| load::<S>(laid, from + offsets[k]));
                    let grads: [S::f32s; U] = std::array::from_fn(|u| {
                        load::<S>(grad, (u * rows + row) * self.wide + column)
                    });
                    (values, grads)
                };
                for (sums, grad) in sums.iter_mut().zip(grads) {
                    for (sum, value) in sums.iter_mut().zip(values) {
                        *sum = simd.mul_add_e_f32s(grad, value, *sum);
                    }
                }
            }
        }
        for (u, sums) in sums.into_iter().enumerate() {
            let to = &mut self.sums[((unit + u) * depth + channel) * taps.len()..][..taps.len()];
            for (to, sum) in to[first..].iter_mut().zip(sums) {
                *to += f64::from(simd.reduce_sum_f32s(sum));
            }
        }
    }
}
