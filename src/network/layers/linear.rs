//! Fully connected layer.

use candle_core::{Result, Tensor, bail};

use super::activation::relu_composed;
use super::{Engine, in_precision, mask};
use crate::cpu::{self, Matrix, product};
use architecture::Precision;

/// `x * weightᵀ + bias`: images x inputs, outputs x inputs, outputs; rectified with `relu`.
pub(crate) fn linear(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    relu: bool,
    engine: &mut Engine,
) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.linear(x, weight, bias, relu);
    }
    if let Engine::Composed(precision) = engine {
        let y = linear_composed(x, weight, bias, *precision)?;
        return if relu { relu_composed(&y) } else { Ok(y) };
    }
    let ((images, inputs), (outputs, columns)) = (x.dims2()?, weight.dims2()?);
    if columns != inputs || bias.dims() != [outputs] {
        bail!("{:?} and {:?} do not fit {inputs} inputs", weight.dims(), bias.dims());
    }
    let out = cpu::with_values([x, weight, bias], |[x, weight, bias]| {
        let mut out = bias.repeat(images);
        cpu::dense::forward(x, weight, [images, inputs, outputs], &mut out);
        if relu {
            cpu::elementwise::shift(&mut out, 0.0, true);
        }
        Ok(out)
    })?;
    let y = cpu::tensor(out, &[images, outputs])?;
    if let Some(tape) = engine.tape() {
        let (x, weight, bias) = (x.clone(), weight.clone(), bias.clone());
        let (inputs_of, result) =
            ([x.clone(), weight.clone(), bias.clone()], relu.then(|| y.clone()));
        tape.record(&inputs_of.each_ref(), &y, move |mut grad, gradients| {
            mask(&mut grad, result.as_ref())?;
            if gradients.wants(&bias) {
                gradients.add(&bias, cpu::convolution::bias_gradient(&grad, outputs, 1))?;
            }
            let by_y = Matrix::new(&grad, images, outputs);
            if gradients.wants(&weight) {
                let mut by_weight = vec![0.0; outputs * inputs];
                cpu::with_values([&x], |[x]| {
                    let x = Matrix::new(x, images, inputs);
                    product(&mut by_weight, inputs, by_y.transposed(), x, false, true);
                    Ok(())
                })?;
                gradients.add(&weight, by_weight)?;
            }
            if gradients.wants(&x) {
                let mut by_x = vec![0.0; images * inputs];
                cpu::with_values([&weight], |[weight]| {
                    let weight = Matrix::new(weight, outputs, inputs);
                    product(&mut by_x, inputs, by_y, weight, false, true);
                    Ok(())
                })?;
                gradients.add(&x, by_x)?;
            }
            Ok(())
        });
    }
    Ok(y)
}

/// [`linear`] for any device, without the ReLU.
pub(super) fn linear_composed(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    precision: Precision,
) -> Result<Tensor> {
    let product = |x: &Tensor, weight: &Tensor| x.matmul(&weight.t()?);
    in_precision(x, weight, precision, product)?.broadcast_add(bias)
}
