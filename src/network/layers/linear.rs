//! Fully connected layer.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{in_precision, refuse};
use crate::network::Precision;
use crate::network::cpu::{self, Matrix, product};

struct Linear {
    images: usize,
    inputs: usize,
    outputs: usize,
}

impl CustomOp3 for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let Linear { images, inputs, outputs } = *self;
        let x = Matrix::new(cpu::values(x, x_layout)?, images, inputs);
        let weight = Matrix::new(cpu::values(weight, weight_layout)?, outputs, inputs);
        let mut out = cpu::values(bias, bias_layout)?.repeat(images);
        product(&mut out, outputs, x, weight.transposed(), true, true);
        Ok((CpuStorage::F32(out), (images, outputs).into()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Linear { images, inputs, outputs } = *self;
        cpu::with_values([x, weight, grad], |[x_values, weight_values, grad]| {
            let by_bias = cpu::conv::bias_gradient(grad, outputs, 1);
            let grad = Matrix::new(grad, images, outputs);
            let by_x = || {
                let mut out = vec![0.0; images * inputs];
                let weight = Matrix::new(weight_values, outputs, inputs);
                product(&mut out, inputs, grad, weight, false, true);
                cpu::tensor(out, x.dims())
            };
            let mut by_weight = vec![0.0; outputs * inputs];
            let x_matrix = Matrix::new(x_values, images, inputs);
            product(&mut by_weight, inputs, grad.transposed(), x_matrix, false, true);
            Ok((
                x.track_op().then(by_x).transpose()?,
                Some(cpu::tensor(by_weight, weight.dims())?),
                Some(cpu::tensor(by_bias, bias.dims())?),
            ))
        })
    }
}

/// `x * weightᵀ + bias`: images x inputs, outputs x inputs, outputs.
pub(crate) fn linear(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    precision: Precision,
) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return linear_composed(x, weight, bias, precision);
    }
    refuse(precision)?;
    let ((images, inputs), (outputs, columns)) = (x.dims2()?, weight.dims2()?);
    if columns != inputs || bias.dims() != [outputs] {
        bail!("{:?} and {:?} do not fit {inputs} inputs", weight.dims(), bias.dims());
    }
    let op = Linear { images, inputs, outputs };
    x.contiguous()?.apply_op3(&weight.contiguous()?, &bias.contiguous()?, op)
}

/// [`linear`] for any device.
pub(super) fn linear_composed(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    precision: Precision,
) -> Result<Tensor> {
    let product = |x: &Tensor, weight: &Tensor| x.matmul(&weight.t()?);
    in_precision(x, weight, precision, product)?.broadcast_add(bias)
}
