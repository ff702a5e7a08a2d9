//! The search for an image that a unit responds to: gradient ascent.

use anyhow::Result;
use candle_core::{Device, Tensor};
use rand::RngExt;

use super::canvas::Canvas;
use super::motion::{self, Motion};
use network::Inference;

/// Greatest coefficients that a search begins with: near a flat grey; louder where a unit is silent, which has no
/// slope to climb.
const STARTS: [f32; 5] = [0.02, 0.08, 0.32, 1.28, 5.12];
/// Adam's step, and its memory of gradients and of their squares (Kingma & Ba 2015, algorithm 1).
const STEP: f64 = 0.05;
const MEMORY: [f64; 2] = [0.9, 0.999];
/// Keeps the step finite; far below any gradient.
const LEAST: f64 = 1e-12;

/// Searches for images of a layer's units.
pub(super) struct Search<'a> {
    inference: &'a Inference<'a>,
    layer: &'a str,
    canvas: Canvas,
    /// Of the network's input.
    edge: usize,
    steps: u32,
}

impl<'a> Search<'a> {
    /// In so many steps.
    ///
    /// # Errors
    /// When memory cannot be had.
    pub(super) fn new(inference: &'a Inference<'a>, layer: &'a str, steps: u32) -> Result<Self> {
        let edge = inference.network().input() as usize;
        Ok(Self { inference, layer, canvas: Canvas::new(motion::room(edge))?, edge, steps })
    }

    /// The image of a unit, from 0: grey levels of the network's input, row by row. `None` where the unit is
    /// silent wherever the search begins.
    ///
    /// # Errors
    /// When the network cannot be run.
    pub(super) fn image(&self, unit: usize, rng: &mut impl RngExt) -> Result<Option<Vec<u8>>> {
        let Some(mut at) = self.start(unit, rng)? else { return Ok(None) };
        let mut adam = Adam::new(at.len());
        for _ in 0..self.steps {
            let gradient = self.gradient(unit, &at, Motion::draw(rng, self.edge))?;
            adam.climb(&mut at, &gradient);
        }
        Ok(Some(self.pixels(&at)?))
    }

    /// Coefficients to begin with, from which there is a way up.
    pub(super) fn start(&self, unit: usize, rng: &mut impl RngExt) -> Result<Option<Vec<f32>>> {
        let count = self.canvas.edge().pow(2);
        for most in STARTS {
            let at: Vec<f32> =
                (0..count).map(|_| most * (2.0 * rng.random::<f32>() - 1.0)).collect();
            let gradient = self.gradient(unit, &at, Motion::NONE)?;
            if gradient.iter().any(|slope| *slope != 0.0) {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    /// The gradient of the objective by the coefficients.
    fn gradient(&self, unit: usize, at: &[f32], motion: Motion) -> Result<Vec<f32>> {
        let (size, edge) = (self.canvas.edge(), self.edge);
        let image = self.canvas.image(at)?;
        let seen = motion.seen(&image, size, edge);
        let seen = Tensor::from_vec(seen, (1, edge, edge), &Device::Cpu)?;
        let (_, by_seen) =
            self.inference.gradient_by_grey(&seen, self.layer, |maps| by_maps(maps, unit))?;
        let by_seen = by_seen.flatten_all()?.to_vec1::<f32>()?;
        self.canvas.by_coefficients(&image, &motion.by_canvas(&by_seen, size, edge))
    }

    /// Grey levels of the middle of the canvas, in whole numbers.
    pub(super) fn pixels(&self, at: &[f32]) -> Result<Vec<u8>> {
        let seen = Motion::NONE.seen(&self.canvas.image(at)?, self.canvas.edge(), self.edge);
        Ok(seen.into_iter().map(|grey| grey.round() as u8).collect())
    }
}

/// The gradient of the objective by all maps of an image: of the unit's score, the greatest activation in its map.
///
/// The mean of the map is the usual choice, and the centre the other. Both were tried, on AlexNet and ResNet-18 of
/// the default project. The mean flattens an image in which most of the map lies below zero, as before AlexNet's
/// ReLU; without what is below zero it still left three of 23 units of conv5 below their best patch, on a grey where
/// all of the map is a little above zero. The centre has no slope where a ReLU silences it. The greatest has one
/// wherever the unit answers at all, and is what is said of patches.
fn by_maps(maps: &Tensor, unit: usize) -> Result<Tensor> {
    let values: Vec<f32> = maps.narrow(1, unit, 1)?.flatten_all()?.to_vec1()?;
    let mut by = vec![0.0_f32; maps.elem_count()];
    // The first of equals.
    let greatest = (0..values.len()).rev().max_by(|a, b| values[*a].total_cmp(&values[*b]));
    if let Some(at) = greatest {
        by[unit * values.len() + at] = 1.0;
    }
    Ok(Tensor::from_vec(by, maps.shape(), &Device::Cpu)?)
}

/// Adam (Kingma & Ba 2015), uphill.
struct Adam {
    /// Of each coefficient: the mean of its gradients, and of their squares.
    means: Vec<[f64; 2]>,
    steps: i32,
}

impl Adam {
    fn new(count: usize) -> Self {
        Self { means: vec![[0.0; 2]; count], steps: 0 }
    }

    fn climb(&mut self, at: &mut [f32], gradient: &[f32]) {
        self.steps += 1;
        let [slow, square] = MEMORY.map(|memory| 1.0 - memory.powi(self.steps));
        for ((at, by), means) in at.iter_mut().zip(gradient).zip(&mut self.means) {
            let by = f64::from(*by);
            means[0] = MEMORY[0] * means[0] + (1.0 - MEMORY[0]) * by;
            means[1] = MEMORY[1] * means[1] + (1.0 - MEMORY[1]) * by * by;
            let step = STEP * (means[0] / slow) / ((means[1] / square).sqrt() + LEAST);
            *at += step as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_objective_is_the_first_of_the_greatest() {
        let maps = [9.0, 2.0, 3.0, 4.0, -1.0, 2.0, 2.0, -3.0_f32];
        let maps = Tensor::from_slice(&maps, (1, 2, 2, 2), &Device::Cpu).unwrap();
        let of = |unit| -> Vec<f32> {
            by_maps(&maps, unit).unwrap().flatten_all().unwrap().to_vec1().unwrap()
        };
        assert_eq!(of(0), [1., 0., 0., 0., 0., 0., 0., 0.]);
        assert_eq!(of(1), [0., 0., 0., 0., 0., 1., 0., 0.]);
    }

    #[test]
    fn adam_takes_steps_of_its_length_and_turns_with_the_slope() {
        let mut adam = Adam::new(2);
        let mut at = [0.0, 0.0];
        adam.climb(&mut at, &[3.0, -1e-6]);
        assert!((at[0] - 0.05).abs() < 1e-6 && (at[1] + 0.05).abs() < 1e-4, "{at:?}");
        // PyTorch 2.15: torch.optim.Adam(lr=0.05, eps=1e-12, maximize=True).
        adam.climb(&mut at, &[-1.0, 0.0]);
        assert!((at[0] - 0.070_010_9).abs() < 1e-6, "{at:?}");
        assert!((at[1] + 0.083_502_5).abs() < 1e-5, "{at:?}");
    }
}
