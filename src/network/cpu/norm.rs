//! Batch normalisation (Ioffe & Szegedy 2015) fused with what follows it in a residual block: the
//! addition of the shortcut and the ReLU.

use rayon::prelude::*;

/// Sum in double precision, in an order that vectorises.
pub(super) fn sum(values: &[f32]) -> f64 {
    fold(values, |value| value)
}

/// Sum of `f` over `values`: sixteen single-precision partial sums per run of 1024, the runs in
/// double precision.
fn fold(values: &[f32], f: impl Fn(f32) -> f32) -> f64 {
    let mut total = 0.0;
    for run in values.chunks(1024) {
        let mut partial = [0f32; 16];
        let (groups, rest) = run.as_chunks::<16>();
        for group in groups {
            for (partial, value) in partial.iter_mut().zip(group) {
                *partial += f(*value);
            }
        }
        for (partial, value) in partial.iter_mut().zip(rest) {
            *partial += f(*value);
        }
        total += partial.iter().map(|&p| f64::from(p)).sum::<f64>();
    }
    total
}

/// Sum of `a * (b - centre)`, likewise.
fn dot(a: &[f32], b: &[f32], centre: f32) -> f64 {
    let mut total = 0.0;
    for (a, b) in a.chunks(1024).zip(b.chunks(1024)) {
        let mut partial = [0f32; 16];
        let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
        for (a, b) in a.iter().zip(b) {
            for ((partial, a), b) in partial.iter_mut().zip(a).zip(b) {
                *partial += a * (b - centre);
            }
        }
        for ((partial, a), b) in partial.iter_mut().zip(a_rest).zip(b_rest) {
            *partial += a * (b - centre);
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
            let squares = planes(channel)
                .map(|plane| fold(plane, |value| (value - centre) * (value - centre)))
                .sum::<f64>();
            // The mean was rounded once; its error is taken out again.
            let off = mean - f64::from(centre);
            (centre, (squares / count as f64 - off * off) as f32)
        })
        .unzip()
}

/// What a channel's normalisation does: `y = x * scale + shift`.
fn affine(
    mean: &[f32],
    variance: &[f32],
    gain: &[f32],
    offset: &[f32],
    epsilon: f32,
) -> Vec<[f32; 2]> {
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

/// `(x - mean) / sqrt(variance + epsilon) * gain + offset`, plus `shortcut`, rectified with `relu`.
pub(crate) fn forward(
    x: &[f32],
    plane: usize,
    channels: Channels<'_>,
    shortcut: Option<&[f32]>,
    relu: bool,
) -> Vec<f32> {
    let Channels { mean, variance, gain, offset, epsilon } = channels;
    let affine = affine(mean, variance, gain, offset, epsilon);
    let mut out = vec![0.0; x.len()];
    if out.is_empty() {
        return out;
    }
    // NaN stays NaN, as in PyTorch.
    let rectify = |value: f32| if relu && value <= 0.0 { 0.0 } else { value };
    out.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate().for_each(|(i, (out, x))| {
        let [scale, shift] = affine[i % affine.len()];
        match shortcut {
            Some(shortcut) => {
                let shortcut = &shortcut[i * plane..][..plane];
                for ((out, x), shortcut) in out.iter_mut().zip(x).zip(shortcut) {
                    *out = rectify(x * scale + shift + shortcut);
                }
            }
            None => {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = rectify(x * scale + shift);
                }
            }
        }
    });
    out
}

/// Gradients of [`forward`].
pub(crate) struct Gradients {
    /// By `x`.
    pub x: Vec<f32>,
    /// By the gains.
    pub gain: Vec<f32>,
    /// By the offsets.
    pub offset: Vec<f32>,
    /// By the shortcut, and what came through the ReLU; `None` without a ReLU, where it is the
    /// gradient of the output itself.
    pub shortcut: Option<Vec<f32>>,
}

/// Gradients of [`forward`], given `grad`, the gradient by its output `y`. With `batch` the moments
/// were those of `x`, and the gradient flows through them too.
pub(crate) fn gradients(
    x: &[f32],
    y: &[f32],
    grad: &[f32],
    plane: usize,
    channels: Channels<'_>,
    relu: bool,
    batch: bool,
) -> Gradients {
    let Channels { mean, variance, gain, epsilon, .. } = channels;
    let shortcut = relu.then(|| rectified(y, grad));
    let grad = shortcut.as_deref().unwrap_or(grad);
    let count = (x.len() / mean.len().max(1)) as f64;
    // Per channel: the sum of the gradient, and of its product with the normalised values.
    let sums: Vec<[f64; 2]> = (0..mean.len())
        .into_par_iter()
        .map(|c| {
            let mut sums = [0.0; 2];
            let planes = x.chunks_exact(plane.max(1)).zip(grad.chunks_exact(plane.max(1)));
            for (x, grad) in planes.skip(c).step_by(mean.len()) {
                sums[0] += sum(grad);
                sums[1] += dot(grad, x, mean[c]);
            }
            sums[1] /= f64::from(variance[c] + epsilon).sqrt();
            sums
        })
        .collect();
    let mut out = vec![0.0; x.len()];
    if !out.is_empty() {
        let pairs = x.par_chunks(plane).zip(grad.par_chunks(plane));
        out.par_chunks_mut(plane).zip(pairs).enumerate().for_each(|(i, (out, (x, grad)))| {
            let c = i % mean.len();
            let inverse = 1.0 / (variance[c] + epsilon).sqrt();
            let scale = gain[c] * inverse;
            // What the moments take back: a constant, and a share of the normalised value.
            let [level, slope] =
                if batch { sums[c].map(|s| (s / count) as f32) } else { [0.0, 0.0] };
            let slope = slope * inverse;
            for ((out, x), grad) in out.iter_mut().zip(x).zip(grad) {
                *out = scale * (grad - level - (x - mean[c]) * slope);
            }
        });
    }
    Gradients {
        x: out,
        gain: sums.iter().map(|s| s[1] as f32).collect(),
        offset: sums.iter().map(|s| s[0] as f32).collect(),
        shortcut,
    }
}

/// Values per task of elementwise loops.
const RUN: usize = 1 << 14;

/// `max(x, 0)`; NaN stays NaN.
pub(crate) fn relu(x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(RUN).zip(x.par_chunks(RUN)).for_each(|(out, x)| {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = if x <= 0.0 { 0.0 } else { x };
        }
    });
    out
}

/// `grad` where the rectified output `y` is positive, else 0.
pub(crate) fn rectified(y: &[f32], grad: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; y.len()];
    out.par_chunks_mut(RUN).zip(y.par_chunks(RUN)).zip(grad.par_chunks(RUN)).for_each(
        |((out, y), grad)| {
            for ((out, &y), &grad) in out.iter_mut().zip(y).zip(grad) {
                *out = if y <= 0.0 { 0.0 } else { grad };
            }
        },
    );
    out
}
