//! Convolutions whose weights stay as they are: those of inference.

use std::sync::{Arc, OnceLock};

use candle_core::{Result, Tensor};

use super::activation::{activate, relu_composed};
use super::conv::geometry;
use super::{Activation, Affine, Engine, Moments, Window, composed, mask};
use crate::cpu::convolution::Finish;
use crate::cpu::{self, convolution as loops, winograd};

/// Weight and bias, with the batch normalisation that follows folded into them.
#[derive(Debug)]
pub(crate) struct Fixed {
    weight: Tensor,
    bias: Tensor,
    /// The weight as the processor's loops want it, made at the first use.
    transformed: OnceLock<Option<winograd::Kernel>>,
    /// The weight as CUDA's kernels want it.
    #[cfg(feature = "cuda")]
    last: OnceLock<Tensor>,
}

impl Fixed {
    /// A convolution without batch normalisation.
    pub(crate) fn new(weight: Tensor, bias: Tensor) -> Fixed {
        Fixed {
            weight,
            bias,
            transformed: OnceLock::new(),
            #[cfg(feature = "cuda")]
            last: OnceLock::new(),
        }
    }

    /// A convolution without bias, and the batch normalisation after it by these moments: it scales
    /// and shifts each unit, and so do another weight and a bias.
    pub(crate) fn folded(weight: &Tensor, affine: Affine<'_>, moments: &Moments) -> Result<Fixed> {
        #[cfg(feature = "cuda")]
        if weight.device().is_cuda() {
            let [weight, bias] = crate::cuda::folded(weight, affine, moments)?;
            return Ok(Fixed::new(weight, bias));
        }
        let Affine { gain, offset, epsilon } = affine;
        let scale = (gain / (&moments.variance + f64::from(epsilon))?.sqrt()?)?;
        let bias = (offset - (&moments.mean * &scale)?)?;
        Fixed::scaled(weight, &bias, &scale)
    }

    /// A convolution whose units are each multiplied by a number, but not the bias given.
    pub(crate) fn scaled(weight: &Tensor, bias: &Tensor, scale: &Tensor) -> Result<Fixed> {
        let mut spread = vec![1; weight.rank()];
        spread[0] = scale.elem_count();
        Ok(Fixed::new(weight.broadcast_mul(&scale.reshape(spread)?)?, bias.clone()))
    }
}

/// Convolves, adds the bias and the shortcut, and applies the activation.
pub(crate) fn convolution_fixed(
    x: &Tensor,
    fixed: &Arc<Fixed>,
    window: Window,
    shortcut: Option<&Tensor>,
    activation: Activation,
    engine: &mut Engine,
) -> Result<Tensor> {
    // What is recorded keeps the sums themselves where the way back needs them.
    let apart = match engine {
        Engine::Processor(None) => false,
        _ => !activation.is_told_by_output(),
    };
    if apart {
        let sums = convolution_fixed(x, fixed, window, shortcut, Activation::Identity, engine)?;
        return activate(&sums, activation, engine);
    }
    let relu = activation.rectifies();
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        let g = geometry(x, &fixed.weight, window)?;
        let weight = match fixed.last.get() {
            Some(weight) => weight,
            None => {
                let weight = engine.fixed_weight(&fixed.weight)?;
                fixed.last.get_or_init(|| weight)
            }
        };
        return engine.convolution_fixed(x, [weight, &fixed.bias], g, shortcut, relu);
    }
    if let Engine::Composed(precision) = engine {
        let y = composed::convolution(x, &fixed.weight, Some(&fixed.bias), window, *precision)?;
        let y = match shortcut {
            Some(shortcut) => (y + shortcut)?,
            None => y,
        };
        return if relu { relu_composed(&y) } else { Ok(y) };
    }
    let g = geometry(x, &fixed.weight, window)?;
    let [rows, columns] = g.output();
    let dims = [g.images, g.units, rows, columns];
    if shortcut.is_some_and(|shortcut| shortcut.dims() != dims) {
        candle_core::bail!("a shortcut must have the shape of what it is added to");
    }
    let run = |x: &[f32], shortcut: Option<&[f32]>| {
        cpu::with_values([&fixed.weight, &fixed.bias], |[weight, bias]| {
            let transformed = fixed.transformed.get_or_init(|| loops::transformed(&g, weight));
            let finish = Finish { bias: Some(bias), shortcut, activation };
            Ok(loops::forward(&g, x, weight, transformed.as_ref(), finish))
        })
    };
    let out = match shortcut {
        Some(shortcut) => cpu::with_values([x, shortcut], |[x, shortcut]| run(x, Some(shortcut))),
        None => cpu::with_values([x], |[x]| run(x, None)),
    }?;
    let y = cpu::tensor(out, &dims)?;
    if let Some(tape) = engine.tape() {
        let (x, result) = (x.clone(), relu.then(|| y.clone()));
        let shortcut = shortcut.cloned();
        let fixed = Arc::clone(fixed);
        let inputs: Vec<Tensor> = [x.clone()].into_iter().chain(shortcut.clone()).collect();
        tape.record(&inputs.iter().collect::<Vec<_>>(), &y, move |mut grad, gradients| {
            mask(&mut grad, result.as_ref())?;
            if gradients.wants(&x) {
                let by_x = cpu::with_values([&fixed.weight], |[weight]| {
                    Ok(loops::input_gradient(&g, &grad, weight))
                })?;
                gradients.add(&x, by_x)?;
            }
            match &shortcut {
                Some(shortcut) => gradients.add(shortcut, grad),
                None => Ok(()),
            }
        });
    }
    Ok(y)
}
