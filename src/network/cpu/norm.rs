//! Batch normalisation (Ioffe & Szegedy 2015) fused with what follows it in a residual block: the
//! addition of the shortcut and the ReLU.
//!
//! Memory bounds these loops, so each does all that can be done while a plane is at hand; sums over
//! images run in their order.

use rayon::prelude::*;

use super::elementwise::{self, rectify};

vectorised! {
    /// Sum in double precision, in an order that vectorises.
    pub(super) fn sum<'a>(values: &'a [f32]) -> f64 {
        fold([values], |[value]| value)
    }
}

vectorised! {
    /// Sum of the squares of distances from `centre`.
    fn squares<'a>(values: &'a [f32], centre: f32) -> f64 {
        fold([values], |[value]| (value - centre) * (value - centre))
    }
}

/// Values whose sum is of single precision.
const RUN: usize = 1024;

/// Sum of `f` over values side by side: sixteen single-precision partial sums per run, the runs in double
/// precision.
#[inline(always)]
pub(super) fn fold<const N: usize>(values: [&[f32]; N], f: impl Fn([f32; N]) -> f32) -> f64 {
    let length = values.iter().map(|values| values.len()).min().unwrap_or(0);
    let mut total = 0.0;
    for start in (0..length).step_by(RUN) {
        let runs = values.map(|values| &values[start..length.min(start + RUN)]);
        let groups = runs.map(|run| run.as_chunks::<16>());
        let mut partial = [0f32; 16];
        for i in 0..runs[0].len() / 16 {
            let group = groups.map(|(groups, _)| &groups[i]);
            for (lane, partial) in partial.iter_mut().enumerate() {
                *partial += f(group.map(|group| group[lane]));
            }
        }
        for i in 0..runs[0].len() % 16 {
            partial[i] += f(groups.map(|(_, rest)| rest[i]));
        }
        total += partial.iter().map(|&p| f64::from(p)).sum::<f64>();
    }
    total
}

/// Mean and biased variance of each channel over images and positions.
pub(crate) fn moments(x: &[f32], channels: usize, plane: usize) -> (Vec<f32>, Vec<f32>) {
    let count = x.len() / channels.max(1);
    let planes = |channel| x.chunks_exact(plane.max(1)).skip(channel).step_by(channels);
    (0..channels)
        .into_par_iter()
        .map(|channel| {
            let mean = planes(channel).map(sum).sum::<f64>() / count as f64;
            let centre = mean as f32;
            let squares = planes(channel).map(|plane| squares(plane, centre)).sum::<f64>();
            // The mean was rounded once; its error is taken out again.
            let off = mean - f64::from(centre);
            (centre, (squares / count as f64 - off * off) as f32)
        })
        .unzip()
}

/// What a channel's normalisation does: `y = x * scale + shift`.
fn affine(channels: Channels<'_>) -> Vec<[f32; 2]> {
    let Channels { mean, variance, gain, offset, epsilon } = channels;
    (0..mean.len())
        .map(|c| {
            let scale = gain[c] / (variance[c] + epsilon).sqrt();
            [scale, offset[c] - mean[c] * scale]
        })
        .collect()
}

/// Means, variances (biased), gains and offsets, one of each per channel.
#[derive(Clone, Copy)]
pub(crate) struct Channels<'a> {
    pub mean: &'a [f32],
    pub variance: &'a [f32],
    pub gain: &'a [f32],
    pub offset: &'a [f32],
    pub epsilon: f32,
}

/// Maps side by side that were not put together: of every image the channels of each in turn.
pub(crate) struct Beside<'a> {
    maps: &'a [&'a [f32]],
    /// How many channels each has.
    channels: &'a [usize],
    /// Of every channel: its map, its place among that map's channels, and how many those are.
    places: Vec<[usize; 3]>,
    /// Values of a channel of an image.
    plane: usize,
}

impl<'a> Beside<'a> {
    /// Maps of so many channels each.
    pub(crate) fn new(maps: &'a [&'a [f32]], channels: &'a [usize], plane: usize) -> Beside<'a> {
        let places = channels.iter().enumerate();
        let places = places.flat_map(|(map, &count)| (0..count).map(move |at| [map, at, count]));
        Beside { maps, channels, places: places.collect(), plane }
    }

    /// Values of all of them.
    fn len(&self) -> usize {
        self.maps.iter().map(|map| map.len()).sum()
    }

    /// The planes of all images, counted through.
    fn plane(&self, i: usize) -> &'a [f32] {
        let (image, channel) = (i / self.places.len(), i % self.places.len());
        let [map, at, count] = self.places[channel];
        &self.maps[map][(image * count + at) * self.plane..][..self.plane]
    }
}

/// `(x - mean) / sqrt(variance + epsilon) * gain + offset`, plus `shortcut`, rectified with `relu`.
pub(crate) fn forward(
    x: &[f32],
    plane: usize,
    channels: Channels<'_>,
    shortcut: Option<&[f32]>,
    relu: bool,
) -> Vec<f32> {
    let at = |i: usize| &x[i * plane..][..plane];
    normalised(x.len(), at, plane, channels, shortcut, relu)
}

/// [`forward`] of maps side by side, rectified.
pub(crate) fn forward_beside(x: &Beside<'_>, channels: Channels<'_>) -> Vec<f32> {
    normalised(x.len(), |i| x.plane(i), x.plane, channels, None, true)
}

/// [`forward`] of `len` values whose planes are `x`.
fn normalised<'a>(
    len: usize,
    x: impl Fn(usize) -> &'a [f32] + Sync,
    plane: usize,
    channels: Channels<'_>,
    shortcut: Option<&[f32]>,
    relu: bool,
) -> Vec<f32> {
    let affine = affine(channels);
    let mut out = vec![0.0; len];
    if out.is_empty() {
        return out;
    }
    out.par_chunks_mut(plane).enumerate().for_each(|(i, out)| {
        let shortcut = shortcut.map(|shortcut| &shortcut[i * plane..][..plane]);
        normalise(out, x(i), shortcut, affine[i % affine.len()], relu);
    });
    out
}

vectorised! {
    fn normalise<'a>(
        out: &'a mut [f32],
        x: &'a [f32],
        shortcut: Option<&'a [f32]>,
        affine: [f32; 2],
        relu: bool,
    ) {
        let [scale, shift] = affine;
        match shortcut {
            Some(shortcut) => {
                for ((out, x), shortcut) in out.iter_mut().zip(x).zip(shortcut) {
                    *out = rectify(x * scale + shift + shortcut, relu);
                }
            }
            None => {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = rectify(x * scale + shift, relu);
                }
            }
        }
    }
}

/// Gradients of [`forward`].
pub(crate) struct Gradients {
    /// By `x`.
    pub x: Vec<f32>,
    /// By the gains.
    pub gain: Vec<f32>,
    /// By the offsets.
    pub offset: Vec<f32>,
    /// By the shortcut, if there is one.
    pub shortcut: Option<Vec<f32>>,
}

/// Gradients of [`forward`] by the moments of `x` itself, through which the gradient flows too, given
/// `grad`, the gradient by its output, whose memory becomes the gradient by `x`. `rectified` is the
/// output, if it was rectified; the gradient by a shortcut is found if there was one.
pub(crate) fn gradients(
    x: &[f32],
    mut grad: Vec<f32>,
    plane: usize,
    channels: Channels<'_>,
    rectified: Option<&[f32]>,
    shortcut: bool,
) -> Gradients {
    let plane = plane.max(1);
    let at = |i: usize| &x[i * plane..][..plane];
    let sums = sums(&mut grad, at, plane, channels, rectified);
    let shortcut = shortcut.then(|| grad.clone());
    let returns = returns(&sums, x.len(), channels);
    grad.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate().for_each(|(i, (grad, x))| {
        turn(grad, x, returns[i % returns.len()]);
    });
    Gradients {
        x: grad,
        gain: sums.iter().map(|s| s[1] as f32).collect(),
        offset: sums.iter().map(|s| s[0] as f32).collect(),
        shortcut,
    }
}

/// Takes `grad` back through a ReLU, if `rectified` is its output, and finds for every channel the sum of it
/// and the sum of its product with the normalised values.
fn sums<'a>(
    grad: &mut [f32],
    x: impl Fn(usize) -> &'a [f32] + Sync,
    plane: usize,
    channels: Channels<'_>,
    rectified: Option<&[f32]>,
) -> Vec<[f64; 2]> {
    let Channels { mean, variance, epsilon, .. } = channels;
    // Per plane: the sum of the gradient, and of its product with the centred values.
    let planes: Vec<[f64; 2]> = grad
        .par_chunks_mut(plane)
        .enumerate()
        .map(|(i, grad)| {
            let y = rectified.map(|y| &y[i * plane..][..plane]);
            plane_sums(grad, x(i), y, mean[i % mean.len()])
        })
        .collect();
    (0..mean.len())
        .map(|c| {
            let of = planes.iter().skip(c).step_by(mean.len());
            let [sum, product] = of.fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
            [sum, product / f64::from(variance[c] + epsilon).sqrt()]
        })
        .collect()
}

vectorised! {
    /// The sums of a plane, run by run, so that each is read from memory once.
    fn plane_sums<'a>(
        grad: &'a mut [f32],
        x: &'a [f32],
        y: Option<&'a [f32]>,
        centre: f32,
    ) -> [f64; 2] {
        let mut sums = [0.0; 2];
        for (i, (grad, x)) in grad.chunks_mut(RUN).zip(x.chunks(RUN)).enumerate() {
            if let Some(y) = y {
                elementwise::mask_run(grad, &y[i * RUN..]);
            }
            sums[0] += fold([&*grad], |[g]| g);
            sums[1] += fold([&*grad, x], |[g, x]| g * (x - centre));
        }
        sums
    }
}

/// How a channel's gradient by its normalised values becomes that by the values themselves.
#[derive(Clone, Copy)]
struct Return {
    scale: f32,
    centre: f32,
    /// What the moments take back: a constant, and a share of the centred value.
    level: f32,
    slope: f32,
}

impl Return {
    /// The gradient by a value `x`.
    #[inline(always)]
    fn of(self, grad: f32, x: f32) -> f32 {
        self.scale * (grad - self.level - (x - self.centre) * self.slope)
    }
}

vectorised! {
    /// Makes the gradient by the values `x` of that by the normalised ones.
    fn turn<'a>(grad: &'a mut [f32], x: &'a [f32], back: Return) {
        for (grad, x) in grad.iter_mut().zip(x) {
            *grad = back.of(*grad, *x);
        }
    }
}

vectorised! {
    /// Adds the gradient by the values `x` to `to`.
    fn add<'a>(to: &'a mut [f32], grad: &'a [f32], x: &'a [f32], back: Return) {
        for ((to, grad), x) in to.iter_mut().zip(grad).zip(x) {
            *to += back.of(*grad, *x);
        }
    }
}

/// Of every channel, by its [`sums`] over `len` values of all.
fn returns(sums: &[[f64; 2]], len: usize, channels: Channels<'_>) -> Vec<Return> {
    let Channels { mean, variance, gain, epsilon, .. } = channels;
    let count = (len / mean.len().max(1)) as f64;
    let of = |(c, sums): (usize, &[f64; 2])| {
        let inverse = 1.0 / (variance[c] + epsilon).sqrt();
        let [level, slope] = sums.map(|s| (s / count) as f32);
        Return { scale: gain[c] * inverse, centre: mean[c], level, slope: slope * inverse }
    };
    sums.iter().enumerate().map(of).collect()
}

/// Gradients of [`forward_beside`] by the moments of the maps themselves. Those by the maps are added to
/// `to`, one of each map's length; where there is none, that map's is not wanted.
pub(crate) fn gradients_beside(
    x: &Beside<'_>,
    mut grad: Vec<f32>,
    channels: Channels<'_>,
    rectified: &[f32],
    to: &mut [Option<Vec<f32>>],
) -> [Vec<f32>; 2] {
    if x.plane > 0 {
        let sums = sums(&mut grad, |i| x.plane(i), x.plane, channels, Some(rectified));
        let returns = returns(&sums, x.len(), channels);
        hand_out(x, &grad, to, &returns);
        return [1, 0].map(|of| sums.iter().map(|s| s[of] as f32).collect());
    }
    [vec![0.0; channels.mean.len()], vec![0.0; channels.mean.len()]]
}

/// The gradients of [`forward_beside`] by the maps alone, where the moments are given.
pub(crate) fn fixed_gradients_beside(
    x: &Beside<'_>,
    mut grad: Vec<f32>,
    channels: Channels<'_>,
    rectified: &[f32],
    to: &mut [Option<Vec<f32>>],
) {
    elementwise::mask(&mut grad, rectified);
    let of = |(scale, &centre): ([f32; 2], &f32)| Return {
        scale: scale[0],
        centre,
        level: 0.0,
        slope: 0.0,
    };
    let returns: Vec<Return> = affine(channels).into_iter().zip(channels.mean).map(of).collect();
    hand_out(x, &grad, to, &returns);
}

/// Adds to the gradient of every map what its channels make of the gradient by the normalised values.
fn hand_out(x: &Beside<'_>, grad: &[f32], to: &mut [Option<Vec<f32>>], returns: &[Return]) {
    let plane = x.plane.max(1);
    let all = x.places.len();
    let mut first = 0;
    for ((to, map), count) in to.iter_mut().zip(x.maps).zip(x.channels) {
        if let Some(to) = to {
            let planes = to.par_chunks_mut(plane).zip(map.par_chunks(plane)).enumerate();
            planes.for_each(|(i, (to, x))| {
                let channel = first + i % count;
                let grad = &grad[(i / count * all + channel) * plane..][..plane];
                add(to, grad, x, returns[channel]);
            });
        }
        first += count;
    }
}
