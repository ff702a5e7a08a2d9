//! A convolution without bias and the batch normalisation after it: the unit of construction of
//! ResNet and Inception.

use anyhow::Result;
use candle_core::{Tensor, Var};

use super::layers::{
    Affine, Fixed, Moments, Running, Window, convolution, convolution_fixed, normalise_in_training,
};
use super::parameters::{Parameters, Start};
use super::pass::Pass;

/// Share of the batch's statistics in the running ones.
const MOMENTUM: f64 = 0.1;

/// What a convolution with batch normalisation is made of.
pub(super) struct Plan {
    /// Name of the convolution.
    pub conv: String,
    /// Name of the batch normalisation.
    pub norm: String,
    pub channels: usize,
    pub units: usize,
    pub window: Window,
    /// What the convolution's weight starts from.
    pub start: Start,
    /// Added to the variance.
    pub epsilon: f32,
}

/// Its parameters and running statistics.
#[derive(Debug)]
pub(super) struct Normed {
    weight: Var,
    window: Window,
    gain: Var,
    offset: Var,
    mean: Var,
    variance: Var,
    batches: Var,
    epsilon: f32,
}

impl Normed {
    pub(super) fn new(plan: Plan, parameters: &mut Parameters) -> Result<Normed> {
        let Plan { conv, norm, channels, units, window, start, epsilon } = plan;
        let [rows, columns] = window.kernel;
        let shape = [units, channels, rows, columns];
        Ok(Normed {
            weight: parameters.add(format!("{conv}.weight"), &shape, start)?,
            window,
            gain: parameters.add(format!("{norm}.weight"), &[units], Start::Constant(1.0))?,
            offset: parameters.add(format!("{norm}.bias"), &[units], Start::Constant(0.0))?,
            mean: parameters.add_buffer(format!("{norm}.running_mean"), units, 0.0)?,
            variance: parameters.add_buffer(format!("{norm}.running_var"), units, 1.0)?,
            batches: parameters.add_counter(&norm)?,
            epsilon,
        })
    }

    /// Convolves and normalises, adds the shortcut, and rectifies with `rectify`. In training,
    /// updates the running statistics.
    pub(super) fn run(
        &self,
        x: &Tensor,
        shortcut: Option<&Tensor>,
        rectify: bool,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let fixed = pass.fixed(&self.weight, || {
            let (gain, offset) = (self.gain.as_detached_tensor(), self.offset.as_detached_tensor());
            let affine = Affine { gain: &gain, offset: &offset, epsilon: self.epsilon };
            let running = Moments {
                mean: self.mean.as_detached_tensor(),
                variance: self.variance.as_detached_tensor(),
            };
            Fixed::folded(&self.weight.as_detached_tensor(), affine, &running)
        })?;
        if let Some(fixed) = fixed {
            return convolution_fixed(x, &fixed, self.window, shortcut, rectify, &mut pass.engine);
        }
        let weight = pass.weight(&self.weight);
        let (gain, offset) = (pass.weight(&self.gain), pass.weight(&self.offset));
        let x = convolution(x, &weight, None, self.window, false, &mut pass.engine)?;
        let affine = Affine { gain: &gain, offset: &offset, epsilon: self.epsilon };
        let seen = self.batches.to_scalar::<i64>()?;
        self.batches.set(&Tensor::new(seen + 1, self.batches.device())?)?;
        let running = Running { mean: &self.mean, variance: &self.variance, share: MOMENTUM };
        normalise_in_training(&x, affine, running, shortcut, rectify, &mut pass.engine)
    }
}
