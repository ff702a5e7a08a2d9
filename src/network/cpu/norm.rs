//! Batch normalisation (Ioffe & Szegedy 2015) fused with what follows it in a residual block: the
//! addition of the shortcut and the ReLU.
//!
//! Memory bounds these loops, so each does all that can be done while a plane is at hand; sums over
//! images run in their order.

use pulp::Arch;
use rayon::prelude::*;

use super::elementwise::rectify;

/// Sum in double precision, in an order that vectorises.
pub(super) fn sum(values: &[f32]) -> f64 {
    Arch::new().dispatch(|| fold([values], |[value]| value))
}

/// Sum of `f` over values side by side: sixteen single-precision partial sums per run of 1024, the
/// runs in double precision.
#[inline(always)]
pub(super) fn fold<const N: usize>(values: [&[f32]; N], f: impl Fn([f32; N]) -> f32) -> f64 {
    const RUN: usize = 1024;
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
            let squares = |plane: &[f32]| {
                Arch::new()
                    .dispatch(|| fold([plane], |[value]| (value - centre) * (value - centre)))
            };
            let squares = planes(channel).map(squares).sum::<f64>();
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

/// `(x - mean) / sqrt(variance + epsilon) * gain + offset`, plus `shortcut`, rectified with `relu`.
pub(crate) fn forward(
    x: &[f32],
    plane: usize,
    channels: Channels<'_>,
    shortcut: Option<&[f32]>,
    relu: bool,
) -> Vec<f32> {
    let affine = affine(channels);
    let mut out = vec![0.0; x.len()];
    if out.is_empty() {
        return out;
    }
    out.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate().for_each(|(i, (out, x))| {
        let [scale, shift] = affine[i % affine.len()];
        let shortcut = shortcut.map(|shortcut| &shortcut[i * plane..][..plane]);
        Arch::new().dispatch(|| match shortcut {
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
        });
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
    let Channels { mean, variance, gain, epsilon, .. } = channels;
    let plane = plane.max(1);
    // Per plane: the sum of the gradient, and of its product with the centred values.
    let planes: Vec<[f64; 2]> = grad
        .par_chunks_mut(plane)
        .zip(x.par_chunks(plane))
        .enumerate()
        .map(|(i, (grad, x))| {
            let y = rectified.map(|y| &y[i * plane..][..plane]);
            let centre = mean[i % mean.len()];
            Arch::new().dispatch(|| {
                if let Some(y) = y {
                    for (grad, y) in grad.iter_mut().zip(y) {
                        if *y <= 0.0 {
                            *grad = 0.0;
                        }
                    }
                }
                [fold([&*grad], |[g]| g), fold([&*grad, x], |[g, x]| g * (x - centre))]
            })
        })
        .collect();
    let shortcut = shortcut.then(|| grad.clone());
    let sums: Vec<[f64; 2]> = (0..mean.len())
        .map(|c| {
            let of = planes.iter().skip(c).step_by(mean.len());
            let [sum, product] = of.fold([0.0; 2], |[a, b], [c, d]| [a + c, b + d]);
            [sum, product / f64::from(variance[c] + epsilon).sqrt()]
        })
        .collect();
    let count = (x.len() / mean.len().max(1)) as f64;
    grad.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate().for_each(|(i, (grad, x))| {
        let c = i % mean.len();
        let inverse = 1.0 / (variance[c] + epsilon).sqrt();
        let (scale, centre) = (gain[c] * inverse, mean[c]);
        // What the moments take back: a constant, and a share of the normalised value.
        let [level, slope] = sums[c].map(|s| (s / count) as f32);
        let slope = slope * inverse;
        Arch::new().dispatch(|| {
            for (grad, x) in grad.iter_mut().zip(x) {
                *grad = scale * (*grad - level - (x - centre) * slope);
            }
        });
    });
    Gradients {
        x: grad,
        gain: sums.iter().map(|s| s[1] as f32).collect(),
        offset: sums.iter().map(|s| s[0] as f32).collect(),
        shortcut,
    }
}
