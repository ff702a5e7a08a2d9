//! Layers of a weight and a bias.

use anyhow::Result;
use candle_core::{Tensor, Var};

use super::layers::{
    Activation, Branch, Fixed, Window, activate, convolution, convolution_fixed, linear, residual,
};
use super::parameters::{Parameters, Start};
use super::pass::Pass;

/// A convolution without batch normalisation.
#[derive(Debug)]
pub(super) struct Convolution {
    weight: Var,
    bias: Option<Var>,
    window: Window,
}

impl Convolution {
    /// With a bias that starts at zero. `shape` is that of the weight, units first; a matrix is a fully
    /// connected layer at every position.
    pub(super) fn new(
        name: &str,
        shape: &[usize],
        window: Window,
        start: Start,
        parameters: &mut Parameters,
    ) -> Result<Convolution> {
        let [weight, bias] = parameters.add_layer(name, shape, start, Start::Constant(0.0))?;
        Ok(Convolution { weight, bias: Some(bias), window })
    }

    /// Without a bias.
    pub(super) fn bare(
        name: &str,
        [channels, units]: [usize; 2],
        window: Window,
        start: Start,
        parameters: &mut Parameters,
    ) -> Result<Convolution> {
        let [rows, columns] = window.kernel;
        let shape = [units, channels, rows, columns];
        let weight = parameters.add(format!("{name}.weight"), &shape, start)?;
        Ok(Convolution { weight, bias: None, window })
    }

    /// Weight and bias as they are.
    fn detached(&self) -> candle_core::Result<[Tensor; 2]> {
        let weight = self.weight.as_detached_tensor();
        let bias = match &self.bias {
            Some(bias) => bias.as_detached_tensor(),
            None => Tensor::zeros(weight.dim(0)?, weight.dtype(), weight.device())?,
        };
        Ok([weight, bias])
    }

    fn train(&self, x: &Tensor, relu: bool, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let weight = pass.weight(&self.weight);
        let bias = self.bias.as_ref().map(|bias| pass.weight(bias));
        convolution(x, &weight, bias.as_ref(), self.window, relu, &mut pass.engine)
    }

    /// Convolves and applies the activation.
    pub(super) fn run(
        &self,
        x: &Tensor,
        activation: Activation,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let fixed = pass.fixed(&self.weight, || {
            let [weight, bias] = self.detached()?;
            Ok(Fixed::new(weight, bias))
        })?;
        if let Some(fixed) = fixed {
            let engine = &mut pass.engine;
            return convolution_fixed(x, &fixed, self.window, None, activation, engine);
        }
        let relu = activation == Activation::Relu;
        let y = self.train(x, relu, pass)?;
        if relu { Ok(y) } else { activate(&y, activation, &mut pass.engine) }
    }

    /// Convolves, multiplies each unit by its scale and each image by its row's factor, and adds the
    /// shortcut: the end of a residual branch.
    pub(super) fn run_scaled(
        &self,
        x: &Tensor,
        scale: &Var,
        rows: Option<&[f32]>,
        shortcut: &Tensor,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let fixed = pass.fixed(&self.weight, || {
            let ([weight, bias], scale) = (self.detached()?, scale.flatten_all()?);
            Fixed::scaled(&weight, &(bias * &scale)?, &scale)
        })?;
        if let Some(fixed) = fixed {
            let (shortcut, engine) = (Some(shortcut), &mut pass.engine);
            let activation = Activation::Identity;
            return convolution_fixed(x, &fixed, self.window, shortcut, activation, engine);
        }
        let branch = self.train(x, false, pass)?;
        let scale = pass.weight(scale);
        let factors = Branch { scale: Some(&scale), rows };
        residual(&branch, factors, shortcut, &mut pass.engine)
    }
}

/// A fully connected layer.
#[derive(Debug)]
pub(super) struct Dense([Var; 2]);

impl Dense {
    pub(super) fn new(
        name: &str,
        [inputs, outputs]: [usize; 2],
        weight: Start,
        bias: Start,
        parameters: &mut Parameters,
    ) -> Result<Dense> {
        parameters.add_layer(name, &[outputs, inputs], weight, bias).map(Dense)
    }

    /// Images x inputs to images x outputs.
    pub(super) fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let [weight, bias] = self.0.each_ref().map(|var| pass.weight(var));
        linear(x, &weight, &bias, false, &mut pass.engine)
    }
}
