//! Convolution.

use candle_core::{Result, Tensor, bail};

use super::activation::relu_composed;
use super::{Activation, Engine, Window, composed, mask};
use crate::cpu::convolution::{Finish, Geometry};
use crate::cpu::{self, convolution as loops};

/// Geometry of a convolution of `x` by `weight`, units x channels of a group x kernel rows x kernel
/// columns, or units x channels for a kernel of one position. There are as many groups as the weight's
/// channels go into those of `x`.
///
/// # Errors
/// When they do not fit.
pub(super) fn geometry(x: &Tensor, weight: &Tensor, window: Window) -> Result<Geometry> {
    let (images, channels, rows, columns) = x.dims4()?;
    let (units, depth, kernel) = match *weight.dims() {
        [units, depth, rows, columns] => (units, depth, [rows, columns]),
        [units, depth] => (units, depth, [1; 2]),
        _ => bail!("a kernel of shape {:?}", weight.dims()),
    };
    let groups = channels.checked_div(depth).unwrap_or(0).max(1);
    if depth * groups != channels || !units.is_multiple_of(groups) || kernel != window.kernel {
        bail!(
            "a kernel of shape {:?} does not fit {channels} channels and {window:?}",
            weight.dims()
        );
    }
    Ok(Geometry { images, channels, size: [rows, columns], units, window, groups })
}

/// Convolves images x channels x rows x columns with a weight as [`geometry`] has it (a correlation, as
/// networks define it), adds a bias per unit and rectifies with `relu`.
pub(crate) fn convolution(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    window: Window,
    relu: bool,
    engine: &mut Engine,
) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.convolution(x, weight, bias, geometry(x, weight, window)?, relu);
    }
    if let Engine::Composed(precision) = engine {
        let y = composed::convolution(x, weight, bias, window, *precision)?;
        return if relu { relu_composed(&y) } else { Ok(y) };
    }
    let g = geometry(x, weight, window)?;
    if bias.is_some_and(|bias| bias.dims() != [g.units]) {
        bail!("a bias must hold one value per unit");
    }
    let bias = match bias {
        Some(bias) => bias.clone(),
        None => Tensor::zeros(g.units, candle_core::DType::F32, x.device())?,
    };
    let out = cpu::with_values([x, weight, &bias], |[x, weight, bias]| {
        // Never Winograd's way in training: its rounding turns ReLUs and maxima of a deep network that
        // are close, and batch normalisation's gradients amplify it. (VGG-16's first gradient was off by
        // 4e-4 of its greatest value, ResNet-18's by 2e-3; by unfolding both are within 1e-4.)
        let activation = if relu { Activation::Relu } else { Activation::Identity };
        let finish = Finish { bias: Some(bias), shortcut: None, activation };
        Ok(loops::forward(&g, x, weight, None, finish))
    })?;
    let [rows, columns] = g.output();
    let y = cpu::tensor(out, &[g.images, g.units, rows, columns])?;
    if let Some(tape) = engine.tape() {
        let (x, weight, result) = (x.clone(), weight.clone(), relu.then(|| y.clone()));
        let inputs = [x.clone(), weight.clone(), bias.clone()];
        tape.record(&inputs.each_ref(), &y, move |mut grad, gradients| {
            mask(&mut grad, result.as_ref())?;
            if gradients.wants(&bias) {
                let by_bias = loops::bias_gradient(&grad, g.units, rows * columns);
                gradients.add(&bias, by_bias)?;
            }
            if gradients.wants(&weight) {
                let by_weight =
                    cpu::with_values([&x], |[x]| Ok(loops::weight_gradient(&g, x, &grad)))?;
                gradients.add(&weight, by_weight)?;
            }
            if gradients.wants(&x) {
                let by_x =
                    cpu::with_values([&weight], |[w]| Ok(loops::input_gradient(&g, &grad, w)))?;
                gradients.add(&x, by_x)?;
            }
            Ok(())
        });
    }
    Ok(y)
}
