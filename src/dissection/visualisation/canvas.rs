//! Grey images as sums of waves.
//!
//! The waves are those of Fourier in their real form, as Hartley has them: cas(2πkx/n) cas(2πly/n) with cas = cos + sin.
//! Their matrix is symmetric and its own inverse, so the same two products lead from coefficients to pixels
//! and from gradients by pixels to those by coefficients.

use anyhow::Result;
use candle_core::{Device, Tensor};

/// How the weights of waves fall with their frequency f: f^-1.5, as the amplitudes of mammograms do, whose power
/// falls as about f^-3 (Burgess, Jacobson & Judy 2001). Olah et al. (2017) take f^-1, as photographs have it.
const DECAY: f64 = 1.5;
/// Root mean square of the weights: how fast contrast can grow.
const CONTRAST: f64 = 1.3;

/// A square of pixels, and the waves that it is a sum of.
#[derive(Debug)]
pub(super) struct Canvas {
    edge: usize,
    /// Waves of one axis, edge x edge, orthonormal and symmetric.
    waves: Tensor,
    /// Of each pair of waves, edge x edge.
    weights: Tensor,
}

impl Canvas {
    /// Of so many rows and columns.
    pub(super) fn new(edge: usize) -> Result<Self> {
        let n = edge as f64;
        let turn = std::f64::consts::TAU / n;
        let waves = (0..edge * edge).map(|at| {
            // The remainder first: it is exact, and the angle small.
            let (sin, cos) = (turn * ((at / edge) * (at % edge) % edge) as f64).sin_cos();
            ((cos + sin) / n.sqrt()) as f32
        });
        let frequency = |k: usize| k.min(edge - k) as f64 / n;
        let weights: Vec<f64> = (0..edge * edge)
            .map(|at| frequency(at / edge).hypot(frequency(at % edge)).max(1.0 / n).powf(-DECAY))
            .collect();
        let power = weights.iter().map(|weight| weight * weight).sum::<f64>() / (n * n);
        let scale = CONTRAST / power.sqrt();
        let weights: Vec<f32> = weights.into_iter().map(|weight| (weight * scale) as f32).collect();
        let square = |values: Vec<f32>| Tensor::from_vec(values, (edge, edge), &Device::Cpu);
        Ok(Self { edge, waves: square(waves.collect())?, weights: square(weights)? })
    }

    /// Rows, and columns.
    pub(super) fn edge(&self) -> usize {
        self.edge
    }

    /// Grey levels from 0 to 255, row by row, of a coefficient for each pair of waves.
    pub(super) fn image(&self, coefficients: &[f32]) -> Result<Vec<f32>> {
        let summed = self.summed(&(self.square(coefficients)? * &self.weights)?)?;
        Ok(summed.into_iter().map(|value| 255.0 / (1.0 + (-value).exp())).collect())
    }

    /// The gradient by the coefficients of an image, given that by its grey levels.
    pub(super) fn by_coefficients(&self, image: &[f32], by_image: &[f32]) -> Result<Vec<f32>> {
        let by_sum: Vec<f32> =
            image.iter().zip(by_image).map(|(grey, by)| by * grey * (1.0 - grey / 255.0)).collect();
        let by_weighted = self.summed(&self.square(&by_sum)?)?;
        Ok((self.square(&by_weighted)? * &self.weights)?.flatten_all()?.to_vec1()?)
    }

    fn square(&self, values: &[f32]) -> Result<Tensor> {
        Ok(Tensor::from_slice(values, (self.edge, self.edge), &Device::Cpu)?)
    }

    /// The sum of waves, each as strong as `of` says.
    fn summed(&self, of: &Tensor) -> Result<Vec<f32>> {
        let summed = self.waves.matmul(of)?.matmul(&self.waves)?;
        Ok(summed.flatten_all()?.to_vec1()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(count: usize, step: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * step) % 23) as f32 / 11.0 - 1.0).collect()
    }

    #[test]
    fn waves_are_their_own_inverse_and_weights_fall_with_frequency() {
        for edge in [6, 9] {
            let canvas = Canvas::new(edge).unwrap();
            let of = some(edge * edge, 7);
            let there = canvas.summed(&canvas.square(&of).unwrap()).unwrap();
            let back = canvas.summed(&canvas.square(&there).unwrap()).unwrap();
            assert!(of.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-5));
            let weights = canvas.weights.to_vec2::<f32>().unwrap();
            assert!(weights[0][1] > weights[1][1] && weights[1][1] > weights[2][1]);
            // A wave and its mirror are one frequency.
            assert_eq!(weights[1][2], weights[edge - 1][edge - 2]);
            // f^-1.5
            assert!((weights[0][1] / weights[0][2] - 2_f32.powf(1.5)).abs() < 1e-4);
            let power: f32 = weights.iter().flatten().map(|w| w * w).sum();
            assert!((power / (edge * edge) as f32 - 1.3 * 1.3).abs() < 1e-3);
        }
    }

    #[test]
    fn gradients_by_coefficients_are_differences() {
        let canvas = Canvas::new(7).unwrap();
        let (at, by) = (some(49, 5), some(49, 3));
        let image = canvas.image(&at).unwrap();
        assert!(image.iter().all(|grey| (0.0..=255.0).contains(grey)));
        let found = canvas.by_coefficients(&image, &by).unwrap();
        let value = |at: &[f32]| -> f64 {
            let image = canvas.image(at).unwrap();
            image.iter().zip(&by).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        for which in [0, 1, 8, 24, 48] {
            let nudged = |step: f32| {
                let mut nudged = at.clone();
                nudged[which] += step;
                value(&nudged)
            };
            let slope = (nudged(0.01) - nudged(-0.01)) / 0.02;
            let expected = f64::from(found[which]);
            assert!((slope - expected).abs() < 0.01 * expected.abs().max(1.0), "{which}: {slope}");
        }
    }
}
