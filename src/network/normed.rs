//! Batch normalisation, alone and after a convolution without bias: the unit of construction of most
//! networks.

use anyhow::Result;
use candle_core::{Tensor, Var};

use super::layers::{
    Activation, Affine, Beside, Engine, Fixed, Moments, Running, Window, activate, convolution,
    convolution_fixed, normalise_beside, normalise_fixed, normalise_fixed_beside,
    normalise_in_training,
};
use super::parameters::{Parameters, Start};
use super::pass::Pass;

/// The constants of a batch normalisation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Constants {
    /// Added to the variance.
    pub epsilon: f32,
    /// Share of the batch's statistics in the running ones (PyTorch's momentum).
    pub share: f64,
}

impl Constants {
    /// PyTorch's.
    pub(super) const DEFAULT: Constants = Constants { epsilon: 1e-5, share: 0.1 };
}

/// A batch normalisation's parameters and running statistics.
#[derive(Debug)]
pub(super) struct Norm {
    gain: Var,
    offset: Var,
    mean: Var,
    variance: Var,
    batches: Var,
    constants: Constants,
}

impl Norm {
    pub(super) fn new(
        name: &str,
        units: usize,
        constants: Constants,
        parameters: &mut Parameters,
    ) -> Result<Norm> {
        let [one, zero] = [1.0, 0.0].map(Start::Constant);
        let [gain, offset] = parameters.add_layer(name, &[units], one, zero)?;
        Ok(Norm {
            gain,
            offset,
            mean: parameters.add_buffer(format!("{name}.running_mean"), units, 0.0)?,
            variance: parameters.add_buffer(format!("{name}.running_var"), units, 1.0)?,
            batches: parameters.add_counter(name)?,
            constants,
        })
    }

    /// Calls `f` with what inference normalises by.
    fn fixed<R>(&self, f: impl FnOnce(Affine<'_>, &Moments) -> R) -> R {
        let (gain, offset) = (self.gain.as_detached_tensor(), self.offset.as_detached_tensor());
        let affine = Affine { gain: &gain, offset: &offset, epsilon: self.constants.epsilon };
        let moments = Moments {
            mean: self.mean.as_detached_tensor(),
            variance: self.variance.as_detached_tensor(),
        };
        f(affine, &moments)
    }

    /// Normalises by the batch's statistics and updates the running ones, adds the shortcut, and rectifies
    /// with `relu`.
    fn train(
        &self,
        x: &Tensor,
        shortcut: Option<&Tensor>,
        relu: bool,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        self.counted(pass, |affine, running, engine| {
            normalise_in_training(x, affine, running, shortcut, relu, engine)
        })
    }

    /// Counts a batch and calls `f` with what training normalises it by.
    fn counted(
        &self,
        pass: &mut Pass<'_>,
        f: impl FnOnce(Affine<'_>, Running<'_>, &mut Engine) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let Constants { epsilon, share } = self.constants;
        let share = pass.share.unwrap_or(share);
        let (gain, offset) = (pass.weight(&self.gain), pass.weight(&self.offset));
        let affine = Affine { gain: &gain, offset: &offset, epsilon };
        let seen = self.batches.to_scalar::<i64>()?;
        self.batches.set(&Tensor::new(seen + 1, self.batches.device())?)?;
        let running = Running { mean: &self.mean, variance: &self.variance, share };
        f(affine, running, &mut pass.engine)
    }

    /// Normalises and rectifies, where no convolution precedes.
    pub(super) fn rectified(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        if pass.trains() {
            return self.train(x, None, true, pass);
        }
        self.fixed(|affine, moments| normalise_fixed(x, affine, moments, true, &mut pass.engine))
    }

    /// [`Norm::rectified`] of maps side by side.
    pub(super) fn rectified_beside(
        &self,
        x: &Beside,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        if pass.trains() {
            return self.counted(pass, |affine, running, engine| {
                normalise_beside(x, affine, running, engine)
            });
        }
        self.fixed(|affine, moments| normalise_fixed_beside(x, affine, moments, &mut pass.engine))
    }
}

/// What a convolution with batch normalisation is made of.
pub(super) struct Plan {
    /// Name of the convolution.
    pub conv: String,
    /// Name of the batch normalisation.
    pub norm: String,
    pub channels: usize,
    pub units: usize,
    pub window: Window,
    /// Channels and units are divided into as many groups.
    pub groups: usize,
    /// What the convolution's weight starts from.
    pub start: Start,
    pub constants: Constants,
}

/// Its parameters and running statistics.
#[derive(Debug)]
pub(super) struct Normed {
    weight: Var,
    window: Window,
    norm: Norm,
}

impl Normed {
    pub(super) fn new(plan: Plan, parameters: &mut Parameters) -> Result<Normed> {
        let Plan { conv, norm, channels, units, window, groups, start, constants } = plan;
        let [rows, columns] = window.kernel;
        let shape = [units, channels / groups, rows, columns];
        Ok(Normed {
            weight: parameters.add(format!("{conv}.weight"), &shape, start)?,
            window,
            norm: Norm::new(&norm, units, constants, parameters)?,
        })
    }

    /// Convolves and normalises, adds the shortcut, and applies the activation. In training, updates the
    /// running statistics.
    pub(super) fn run(
        &self,
        x: &Tensor,
        shortcut: Option<&Tensor>,
        activation: Activation,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let fixed = pass.fixed(&self.weight, || {
            let weight = self.weight.as_detached_tensor();
            self.norm.fixed(|affine, moments| Fixed::folded(&weight, affine, moments))
        })?;
        if let Some(fixed) = fixed {
            let engine = &mut pass.engine;
            return convolution_fixed(x, &fixed, self.window, shortcut, activation, engine);
        }
        let weight = pass.weight(&self.weight);
        let x = convolution(x, &weight, None, self.window, false, &mut pass.engine)?;
        let relu = activation == Activation::Relu;
        let y = self.norm.train(&x, shortcut, relu, pass)?;
        if relu { Ok(y) } else { activate(&y, activation, &mut pass.engine) }
    }
}
