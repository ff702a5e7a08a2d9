//! Activations and dropout.

use candle_core::{Result, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::maps::without_kernel;
use super::{Engine, mask};
use crate::cpu;

/// What becomes of a layer's sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Activation {
    /// They stay.
    #[default]
    Identity,
    /// `max(x, 0)`, with gradient 0 at 0 as in PyTorch.
    Relu,
    /// `x sigmoid(x)` (Elfwing, Uchibe & Doya 2018; "swish").
    Silu,
    /// `x` times [`Activation::Hardsigmoid`] of it (Howard et al. 2019, section 5.2).
    Hardswish,
    /// `x` times the normal distribution function of it (Hendrycks & Gimpel 2016), by the error function.
    Gelu,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `(x + 3) / 6`, cut to 0 and 1.
    Hardsigmoid,
}

impl Activation {
    /// All but the identity.
    #[cfg(test)]
    pub(crate) const ALL: [Activation; 6] = [
        Activation::Relu,
        Activation::Silu,
        Activation::Hardswish,
        Activation::Gelu,
        Activation::Sigmoid,
        Activation::Hardsigmoid,
    ];

    /// Whether the way back needs no more than the output, so that the layer before can apply it in place
    /// even where it records.
    pub(super) fn is_told_by_output(self) -> bool {
        matches!(self, Activation::Identity | Activation::Relu)
    }

    /// Whether it is [`Activation::Relu`].
    pub(super) fn rectifies(self) -> bool {
        self == Activation::Relu
    }
}

/// Applies an activation.
pub(crate) fn activate(x: &Tensor, activation: Activation, engine: &mut Engine) -> Result<Tensor> {
    match activation {
        Activation::Identity => return Ok(x.clone()),
        Activation::Relu => return relu(x, engine),
        _ => {}
    }
    without_kernel(engine, "this activation")?;
    if matches!(engine, Engine::Composed(_)) {
        return activate_composed(x, activation);
    }
    let run = |x: &[f32]| Ok(cpu::activation::forward(x, activation));
    let y = cpu::tensor(cpu::with_values([x], |[x]| run(x))?, x.dims())?;
    if let Some(tape) = engine.tape() {
        let x = x.clone();
        tape.record(&[&x.clone()], &y, move |mut grad, gradients| {
            cpu::with_values([&x], |[x]| {
                cpu::activation::gradient(&mut grad, x, activation);
                Ok(())
            })?;
            gradients.add(&x, grad)
        });
    }
    Ok(y)
}

/// [`activate`] for any device.
pub(super) fn activate_composed(x: &Tensor, activation: Activation) -> Result<Tensor> {
    let hard = |x: &Tensor| x.affine(1.0 / 6.0, 0.5)?.clamp(0f32, 1f32);
    match activation {
        Activation::Identity => Ok(x.clone()),
        Activation::Relu => relu_composed(x),
        Activation::Silu => x.silu(),
        Activation::Hardswish => x * hard(x)?,
        Activation::Gelu => x.gelu_erf(),
        // By the hyperbolic tangent, which overflows nowhere on the way back either.
        Activation::Sigmoid => x.affine(0.5, 0.0)?.tanh()?.affine(0.5, 0.5),
        Activation::Hardsigmoid => hard(x),
    }
}

/// `max(x, 0)`, with gradient 0 at 0 as in PyTorch (Candle's own has 1).
pub(crate) fn relu(x: &Tensor, engine: &mut Engine) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.relu(x);
    }
    if matches!(engine, Engine::Composed(_)) {
        return relu_composed(x);
    }
    let y = cpu::tensor(cpu::with_values([x], |[x]| Ok(cpu::elementwise::relu(x)))?, x.dims())?;
    if let Some(tape) = engine.tape() {
        let (x, result) = (x.clone(), y.clone());
        tape.record(&[&x.clone()], &y, move |mut grad, gradients| {
            mask(&mut grad, Some(&result))?;
            gradients.add(&x, grad)
        });
    }
    Ok(y)
}

/// [`relu`] for any device.
pub(super) fn relu_composed(x: &Tensor) -> Result<Tensor> {
    let zeros = x.zeros_like()?;
    x.le(&zeros)?.where_cond(&zeros, x)
}

/// Sets each value to zero with probability one half and doubles the others.
pub(crate) fn dropout(x: &Tensor, rng: &mut ChaCha8Rng, engine: &mut Engine) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.dropout(x, rng.next_u64());
    }
    let mut mask = Vec::with_capacity(x.elem_count());
    while mask.len() < x.elem_count() {
        let bits = rng.next_u32();
        let take = (x.elem_count() - mask.len()).min(32);
        mask.extend((0..take).map(|i| if bits >> i & 1 == 1 { 2f32 } else { 0.0 }));
    }
    let mask = Tensor::from_vec(mask, x.dims(), x.device())?;
    engine.apply(x, |x| x.mul(&mask))
}

/// Sets each value to zero with probability `share`, and divides the others by that of staying.
pub(crate) fn dropout_of(
    x: &Tensor,
    share: f32,
    rng: &mut ChaCha8Rng,
    engine: &mut Engine,
) -> Result<Tensor> {
    without_kernel(engine, "dropout of another share than one half")?;
    let mask = Tensor::from_vec(survivors(x.elem_count(), share, rng), x.dims(), x.device())?;
    engine.apply(x, |x| x.mul(&mask))
}

/// So many factors, each 0 with probability `share` and otherwise one over that of staying.
pub(crate) fn survivors(count: usize, share: f32, rng: &mut ChaCha8Rng) -> Vec<f32> {
    // 24 random bits: values of an f32 from 0 below 1 that are evenly spaced.
    let draw = |_| (rng.next_u32() >> 8) as f32 / (1u32 << 24) as f32;
    let factor = |drawn: f32| if drawn < share { 0.0 } else { 1.0 / (1.0 - share) };
    (0..count).map(draw).map(factor).collect()
}
