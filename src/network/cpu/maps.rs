//! Loops over whole maps: their means, their scaling by a number each, and what goes back.

use pulp::Arch;
use rayon::prelude::*;

use super::norm::{self, fold};

/// The mean of every plane of `x`.
pub(crate) fn means(x: &[f32], plane: usize) -> Vec<f32> {
    x.par_chunks(plane.max(1)).map(|x| (norm::sum(x) / plane as f64) as f32).collect()
}

/// The gradient of [`means`] by `x`.
pub(crate) fn means_gradient(grad: &[f32], plane: usize) -> Vec<f32> {
    let mut out = vec![0.0; grad.len() * plane];
    out.par_chunks_mut(plane.max(1))
        .zip(grad)
        .for_each(|(out, grad)| out.fill(grad / plane as f32));
    out
}

/// What each plane is multiplied by.
#[derive(Clone, Copy)]
pub(crate) enum Factors<'a> {
    /// One number per plane.
    Each(&'a [f32]),
    /// The product of one number per channel and one per image; what is absent is 1.
    Crossed { channels: usize, by_channel: Option<&'a [f32]>, by_image: Option<&'a [f32]> },
}

impl Factors<'_> {
    fn of(self, plane: usize) -> f32 {
        match self {
            Factors::Each(factors) => factors[plane],
            Factors::Crossed { channels, by_channel, by_image } => {
                let channel = by_channel.map_or(1.0, |factors| factors[plane % channels]);
                by_image.map_or(channel, |factors| factors[plane / channels] * channel)
            }
        }
    }
}

/// Every plane of `x` times its factor, plus `shortcut`.
pub(crate) fn scale(
    x: &[f32],
    plane: usize,
    factors: Factors<'_>,
    shortcut: Option<&[f32]>,
) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    let plane = plane.max(1);
    out.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate().for_each(|(i, (out, x))| {
        let factor = factors.of(i);
        let shortcut = shortcut.map(|shortcut| &shortcut[i * plane..][..x.len()]);
        Arch::new().dispatch(|| match shortcut {
            Some(shortcut) => {
                for ((out, x), shortcut) in out.iter_mut().zip(x).zip(shortcut) {
                    *out = x * factor + shortcut;
                }
            }
            None => {
                for (out, x) in out.iter_mut().zip(x) {
                    *out = x * factor;
                }
            }
        });
    });
    out
}

/// The sum of `a` times `b` over each plane: the gradient by a plane's factor.
pub(crate) fn products(a: &[f32], b: &[f32], plane: usize) -> Vec<f64> {
    let plane = plane.max(1);
    let sum = |(a, b): (&[f32], &[f32])| Arch::new().dispatch(|| fold([a, b], |[a, b]| a * b));
    a.par_chunks(plane).zip(b.par_chunks(plane)).map(sum).collect()
}
