//! Normalisation of every position over its channels (Ba, Kiros & Hinton 2016).

use candle_core::{Result, Tensor, bail};

use super::maps::without_kernel;
use super::{Affine, Engine};
use crate::cpu::{self, layer_norm as loops};

/// Normalises images x channels x rows x columns at each position over the channels, multiplies by the
/// gain and adds the offset, one of each per channel: torchvision's `LayerNorm2d`, and PyTorch's
/// `LayerNorm` over the last of channels-last dimensions.
pub(crate) fn layer_norm(x: &Tensor, affine: Affine<'_>, engine: &mut Engine) -> Result<Tensor> {
    without_kernel(engine, "layer normalisation")?;
    let Affine { gain, offset, epsilon } = affine;
    let (_, channels, rows, columns) = x.dims4()?;
    if [gain.elem_count(), offset.elem_count()] != [channels; 2] {
        bail!("layer normalisation needs one of each parameter for each of {channels} channels");
    }
    if matches!(engine, Engine::Composed(_)) {
        let spread = |values: &Tensor| values.reshape((1, channels, 1, 1));
        let centred = x.broadcast_sub(&x.mean_keepdim(1)?)?;
        let variance = centred.sqr()?.mean_keepdim(1)?;
        let y = centred.broadcast_div(&(variance + f64::from(epsilon))?.sqrt()?)?;
        return y.broadcast_mul(&spread(gain)?)?.broadcast_add(&spread(offset)?);
    }
    let sizes = loops::Sizes { channels, positions: rows * columns };
    let (out, moments) = cpu::with_values([x, gain, offset], |[x, gain, offset]| {
        let moments = loops::moments(x, sizes, epsilon);
        Ok((loops::forward(x, sizes, &moments, gain, offset), moments))
    })?;
    let y = cpu::tensor(out, x.dims())?;
    if let Some(tape) = engine.tape() {
        let inputs = [x.clone(), gain.clone(), offset.clone()];
        tape.record(&inputs.clone().each_ref(), &y, move |grad, gradients| {
            let [x, gain, offset] = &inputs;
            let found = cpu::with_values([x, gain], |[x, gain]| {
                Ok(loops::gradients(x, grad, sizes, &moments, gain))
            })?;
            gradients.add(gain, found.gain)?;
            gradients.add(offset, found.offset)?;
            gradients.add(x, found.x)
        });
    }
    Ok(y)
}
