//! Convolution.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::{Window, in_precision, refuse};
use crate::network::Precision;
use crate::network::cpu::{self, conv::Geometry};

struct Convolution(Geometry);

impl Convolution {
    fn forward(&self, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> (CpuStorage, Shape) {
        let [rows, columns] = self.0.output();
        let out = cpu::conv::forward(&self.0, x, weight, bias);
        (CpuStorage::F32(out), (self.0.images, self.0.units, rows, columns).into())
    }

    /// Gradients by input (unless it has no use for one) and weight.
    fn gradients(
        &self,
        x: &Tensor,
        weight: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        cpu::with_values([x, weight, grad], |[x_values, weight_values, grad]| {
            let by_x =
                || cpu::tensor(cpu::conv::input_gradient(&self.0, grad, weight_values), x.dims());
            let by_weight =
                || cpu::tensor(cpu::conv::weight_gradient(&self.0, x_values, grad), weight.dims());
            Ok((
                x.track_op().then(by_x).transpose()?,
                weight.track_op().then(by_weight).transpose()?,
            ))
        })
    }
}

impl CustomOp2 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (x, weight) = (cpu::values(x, x_layout)?, cpu::values(weight, weight_layout)?);
        Ok(self.forward(x, weight, None))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        self.gradients(x, weight, grad)
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "convolution with bias"
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
        let (x, weight) = (cpu::values(x, x_layout)?, cpu::values(weight, weight_layout)?);
        Ok(self.forward(x, weight, Some(cpu::values(bias, bias_layout)?)))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (by_x, by_weight) = self.gradients(x, weight, grad)?;
        let by_bias = cpu::with_values([grad], |[grad]| {
            let [rows, columns] = self.0.output();
            cpu::tensor(cpu::conv::bias_gradient(grad, self.0.units, rows * columns), bias.dims())
        })?;
        Ok((by_x, by_weight, Some(by_bias)))
    }
}

/// Convolves images x channels x rows x columns with units x channels x kernel rows x kernel
/// columns (a correlation, as networks define it) and adds a bias per unit.
pub(crate) fn convolution(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    window: Window,
    precision: Precision,
) -> Result<Tensor> {
    if !x.device().is_cpu() {
        return convolution_composed(x, weight, bias, window, precision);
    }
    refuse(precision)?;
    let (images, channels, rows, columns) = x.dims4()?;
    let (units, depth, kernel_rows, kernel_columns) = weight.dims4()?;
    if depth != channels || [kernel_rows, kernel_columns] != window.kernel {
        bail!(
            "a kernel of shape {:?} does not fit {channels} channels and {window:?}",
            weight.dims()
        );
    }
    if bias.is_some_and(|bias| bias.dims() != [units]) {
        bail!("a bias must hold one value per unit");
    }
    let op = Convolution(Geometry { images, channels, size: [rows, columns], units, window });
    let (x, weight) = (x.contiguous()?, weight.contiguous()?);
    match bias {
        Some(bias) => x.apply_op3(&weight, &bias.contiguous()?, op),
        None => x.apply_op2(&weight, op),
    }
}

/// [`convolution`] for any device: Candle's own.
///
/// Candle pads both axes alike, and its gradient by the input leaves out as many rows as columns.
/// Where either does not hold, the input is padded before, and what no window reaches is cut off:
/// then nothing is padded and nothing left out.
pub(super) fn convolution_composed(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    window: Window,
    precision: Precision,
) -> Result<Tensor> {
    let Window { kernel, stride, padding } = window;
    let (_, _, rows, columns) = x.dims4()?;
    let output = window.output([rows, columns]);
    if output.contains(&0) {
        bail!("maps of {rows} x {columns} are too small for a kernel {kernel:?}");
    }
    let reached = |axis: usize| (output[axis] - 1) * stride + kernel[axis];
    let left_out = |axis: usize, length: usize| length + 2 * padding[axis] - reached(axis);
    let y = if padding[0] == padding[1] && left_out(0, rows) == left_out(1, columns) {
        in_precision(x, weight, precision, |x, weight| x.conv2d(weight, padding[0], stride, 1, 1))?
    } else {
        let [above, beside] = padding;
        let x = x.pad_with_zeros(2, above, above)?.pad_with_zeros(3, beside, beside)?;
        let x = x.narrow(2, 0, reached(0))?.narrow(3, 0, reached(1))?.contiguous()?;
        in_precision(&x, weight, precision, |x, weight| x.conv2d(weight, 0, stride, 1, 1))?
    };
    match bias {
        Some(bias) => y.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?),
        None => Ok(y),
    }
}
