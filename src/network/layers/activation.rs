//! ReLU and dropout.

use candle_core::{Result, Tensor};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{Engine, mask};
use crate::cpu;

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
