//! Convolution on any device: forward Candle's own, gradients composed of its tensor operations.
//!
//! Candle's own gradients run through a kernel that adds one product at a time, many times slower than
//! the device's matrix products. Here the input's gradient is a convolution again, of the output's
//! gradient with zeros between its values where the stride skips some and with the kernel turned by half
//! a turn; the weight's is a matrix product with the unfolded input.

use std::sync::Mutex;

use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp2, Layout, MetalStorage, Result, Shape, Storage, Tensor, bail,
};

use super::{Window, in_precision};
use architecture::Precision;

/// Values of the unfolded input that are made at once for the weight's gradient, about.
const UNFOLDED: usize = 1 << 26;
/// Values of an unfolded input at most: Candle's kernel for GPUs counts them in 32 bits, and beyond that
/// its results are wrong without a word.
const COUNTED: usize = 1 << 31;

/// [`convolution`](super::convolution) for any device.
pub(super) fn convolution(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    window: Window,
    precision: Precision,
) -> Result<Tensor> {
    convolution_by_parts(x, weight, bias, window, precision, COUNTED)
}

/// [`convolution`] that never unfolds more than `most` values at once.
fn convolution_by_parts(
    x: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    window: Window,
    precision: Precision,
    most: usize,
) -> Result<Tensor> {
    // A fully connected layer at every position is a kernel of one.
    let weight = match *weight.dims() {
        [units, depth] => &weight.reshape((units, depth, 1, 1))?,
        _ => weight,
    };
    let (channels, depth) = (x.dim(1)?, weight.dim(1)?);
    if depth != channels {
        let y = match depth {
            1 => depthwise(x, weight, window)?,
            _ => in_groups(x, weight, window, precision, most)?,
        };
        return match bias {
            Some(bias) => y.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?),
            None => Ok(y),
        };
    }
    let y = forward(&x.detach(), &weight.detach(), window, precision, most)?;
    let y = if x.track_op() || weight.track_op() {
        let gradients = Gradients { window, precision, most, forward: Mutex::new(Some(y)) };
        x.contiguous()?.apply_op2(weight, gradients)?
    } else {
        y
    };
    match bias {
        Some(bias) => y.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?),
        None => Ok(y),
    }
}

/// Each group on its own, one after the other.
fn in_groups(
    x: &Tensor,
    weight: &Tensor,
    window: Window,
    precision: Precision,
    most: usize,
) -> Result<Tensor> {
    let depth = weight.dim(1)?;
    let groups = x.dim(1)? / depth;
    let share = weight.dim(0)? / groups;
    let group = |group: usize| {
        let x = x.narrow(1, group * depth, depth)?;
        let weight = weight.narrow(0, group * share, share)?.contiguous()?;
        convolution_by_parts(&x, &weight, None, window, precision, most)
    };
    Tensor::cat(&(0..groups).map(group).collect::<Result<Vec<_>>>()?, 1)
}

/// Every channel by windows of its own: a sum over the window's positions of shifted views, each times its
/// weights. A few operations over all channels at once, where groups would be as many as there are channels.
fn depthwise(x: &Tensor, weight: &Tensor, window: Window) -> Result<Tensor> {
    let Window { kernel, stride, padding, dilation } = window;
    let (images, channels, rows, columns) = x.dims4()?;
    let [out_rows, out_columns] = window.output([rows, columns]);
    let units = weight.dim(0)?;
    if [out_rows, out_columns].contains(&0) {
        bail!("maps of {rows} x {columns} are too small for {window:?}");
    }
    // Every unit's own channel, with room for whole steps.
    let mut x = padded(x, padding)?;
    let (height, width) = (rows + 2 * padding[0], columns + 2 * padding[1]);
    if units > channels {
        let share = units / channels;
        x = x.unsqueeze(2)?.broadcast_as((images, channels, share, height, width))?;
        x = x.reshape((images, units, height, width))?;
    }
    let x = x.pad_with_zeros(2, 0, stride - 1)?.pad_with_zeros(3, 0, stride - 1)?;
    let mut sum: Option<Tensor> = None;
    for (ky, kx) in (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| (ky, kx))) {
        let mut view = x.narrow(2, ky * dilation, out_rows * stride)?;
        view = view.narrow(3, kx * dilation, out_columns * stride)?;
        if stride > 1 {
            view = view
                .reshape((images, units, out_rows, stride, out_columns, stride))?
                .narrow(3, 0, 1)?
                .narrow(5, 0, 1)?
                .reshape((images, units, out_rows, out_columns))?;
        }
        let weight = weight.narrow(2, ky, 1)?.narrow(3, kx, 1)?.reshape((1, units, 1, 1))?;
        let product = view.broadcast_mul(&weight)?;
        sum = Some(match sum {
            None => product,
            Some(sum) => (sum + product)?,
        });
    }
    sum.ok_or_else(|| candle_core::Error::msg("a window without positions"))
}

/// Candle pads both axes alike; where they differ the input is padded before.
fn forward(
    x: &Tensor,
    weight: &Tensor,
    window: Window,
    precision: Precision,
    most: usize,
) -> Result<Tensor> {
    let (_, _, rows, columns) = x.dims4()?;
    if window.output([rows, columns]).contains(&0) {
        bail!("maps of {rows} x {columns} are too small for {window:?}");
    }
    let (x, window) = match window.padding {
        [rows, columns] if rows == columns => (x.clone(), window),
        padding => (padded(x, padding)?, Window { padding: [0; 2], ..window }),
    };
    in_precision(&x.contiguous()?, weight, precision, |x, weight| by_parts(x, weight, window, most))
}

/// Candle's convolution; of some images at a time, or of some rows of one, where all would unfold to more
/// than `most` values. What is padded is padded alike on both axes.
fn by_parts(x: &Tensor, weight: &Tensor, window: Window, most: usize) -> Result<Tensor> {
    let Window { kernel, stride, padding, dilation } = window;
    let (images, channels, rows, columns) = x.dims4()?;
    let [out_rows, out_columns] = window.output([rows, columns]);
    let row = channels * kernel[0] * kernel[1] * out_columns;
    if images * out_rows * row <= most {
        return x.conv2d(weight, padding[0], stride, dilation, 1);
    }
    let together = most / (out_rows * row);
    if together > 0 {
        let part = |first: usize| {
            let part = x.narrow(0, first, together.min(images - first))?;
            part.conv2d(weight, padding[0], stride, dilation, 1)
        };
        let parts = (0..images).step_by(together).map(part).collect::<Result<Vec<_>>>()?;
        return Tensor::cat(&parts, 0);
    }
    let together = (most / row).max(1);
    let bands = (0..images).map(|image| {
        // Zeros first: a band has neighbours above and below.
        let image = padded(&x.narrow(0, image, 1)?, padding)?;
        let band = |first: usize| {
            let count = together.min(out_rows - first);
            let rows = (count - 1) * stride + window.reach()[0];
            let band = image.narrow(2, first * stride, rows)?.contiguous()?;
            band.conv2d(weight, 0, stride, dilation, 1)
        };
        let bands = (0..out_rows).step_by(together).map(band).collect::<Result<Vec<_>>>()?;
        Tensor::cat(&bands, 2)
    });
    Tensor::cat(&bands.collect::<Result<Vec<_>>>()?, 0)
}

/// Zeros around the rows and columns.
fn padded(x: &Tensor, [above, beside]: [usize; 2]) -> Result<Tensor> {
    x.pad_with_zeros(2, above, above)?.pad_with_zeros(3, beside, beside)
}

/// Gives the result of a convolution its gradients by input and weight.
struct Gradients {
    window: Window,
    precision: Precision,
    /// Values to unfold at once, at most.
    most: usize,
    /// The result, which was computed before; handed on in the forward pass.
    forward: Mutex<Option<Tensor>>,
}

impl Gradients {
    /// The result in the storage of its device.
    fn result<S: BackendStorage>(&self, of: impl Fn(&Storage) -> Option<&S>) -> Result<(S, Shape)> {
        let taken = self.forward.lock().map(|mut held| held.take());
        let Ok(Some(y)) = taken else { bail!("a convolution's result was asked for twice") };
        let (storage, layout) = y.storage_and_layout();
        match of(&storage) {
            Some(storage) if layout.is_contiguous() && layout.start_offset() == 0 => {
                Ok((storage.try_clone(layout)?, layout.shape().clone()))
            }
            _ => bail!("a convolution's result lies on another device, or not as it should"),
        }
    }

    /// By the input, of `size` rows and columns.
    fn by_input(&self, grad: &Tensor, weight: &Tensor, size: [usize; 2]) -> Result<Tensor> {
        let Window { stride, padding, .. } = self.window;
        let mut spread = grad.clone();
        if stride > 1 {
            let (images, units, rows, columns) = grad.dims4()?;
            spread = grad
                .reshape((images, units, rows, 1, columns, 1))?
                .pad_with_zeros(3, 0, stride - 1)?
                .pad_with_zeros(5, 0, stride - 1)?
                .reshape((images, units, rows * stride, columns * stride))?;
        }
        let reach = self.window.reach();
        for axis in 0..2 {
            // Every input value under a window, as far as there are values of the output.
            let (before, wanted) = (reach[axis] - 1, size[axis] + reach[axis] - 1);
            let (dim, mut first) = (axis + 2, padding[axis]);
            if let Some(zeros) = before.checked_sub(padding[axis]) {
                spread = spread.pad_with_zeros(dim, zeros, 0)?;
                first = 0;
            } else {
                first -= before;
            }
            let missing = (first + wanted).saturating_sub(spread.dim(dim)?);
            spread = spread.pad_with_zeros(dim, 0, missing)?.narrow(dim, first, wanted)?;
        }
        let turned = weight.transpose(0, 1)?.contiguous()?.flip(&[2, 3])?.contiguous()?;
        let window = Window { stride: 1, padding: [0; 2], ..self.window };
        in_precision(&spread.contiguous()?, &turned, self.precision, |spread, turned| {
            by_parts(spread, turned, window, self.most)
        })
    }

    /// By the weight: the sum of what some images at a time give where all have more than `most` values.
    fn by_weight(&self, grad: &Tensor, x: &Tensor) -> Result<Tensor> {
        let (images, _, rows, columns) = grad.dims4()?;
        let each = x.dim(1)? * rows * columns;
        let together = (self.most / each.max(1)).clamp(1, images.max(1));
        if together == images {
            return self.by_weight_at_once(grad, x);
        }
        let mut sum: Option<Tensor> = None;
        for first in (0..images).step_by(together) {
            let count = together.min(images - first);
            let part = self
                .by_weight_at_once(&grad.narrow(0, first, count)?, &x.narrow(0, first, count)?)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => (sum + part)?,
            });
        }
        sum.ok_or_else(|| candle_core::Error::msg("a convolution of no images"))
    }

    fn by_weight_at_once(&self, grad: &Tensor, x: &Tensor) -> Result<Tensor> {
        let Window { kernel, stride, padding, dilation } = self.window;
        let (images, units, rows, columns) = grad.dims4()?;
        let (channels, positions) = (x.dim(1)?, images * rows * columns);
        let grad = grad.transpose(0, 1)?.reshape((units, positions))?;
        // Channels x images x rows x columns, so that a shifted view is a row per channel; with room for
        // whole steps.
        let x = padded(x, padding)?.transpose(0, 1)?;
        let x =
            x.pad_with_zeros(2, 0, stride - 1)?.pad_with_zeros(3, 0, stride - 1)?.contiguous()?;
        let taps: Vec<[usize; 2]> =
            (0..kernel[0]).flat_map(|ky| (0..kernel[1]).map(move |kx| [ky, kx])).collect();
        let together = (UNFOLDED / (channels * positions).max(1)).clamp(1, taps.len());
        let mut products = Vec::new();
        for taps in taps.chunks(together) {
            let shifted = taps.iter().map(|[ky, kx]| {
                let mut view = x.narrow(2, ky * dilation, rows * stride)?;
                view = view.narrow(3, kx * dilation, columns * stride)?;
                if stride > 1 {
                    view = view
                        .reshape((channels, images, rows, stride, columns, stride))?
                        .narrow(3, 0, 1)?
                        .narrow(5, 0, 1)?;
                }
                view.reshape((channels, positions))
            });
            let unfolded = Tensor::cat(&shifted.collect::<Result<Vec<_>>>()?, 0)?;
            products.push(in_precision(&grad, &unfolded, self.precision, |grad, unfolded| {
                grad.matmul(&unfolded.t()?)
            })?);
        }
        let all = Tensor::cat(&products, 1)?.reshape((units, taps.len(), channels))?;
        all.transpose(1, 2)?.reshape((units, channels, kernel[0], kernel[1]))
    }
}

impl CustomOp2 for Gradients {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        _: &CpuStorage,
        _: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        self.result(|storage| match storage {
            Storage::Cpu(storage) => Some(storage),
            _ => None,
        })
    }

    fn cuda_fwd(
        &self,
        _: &CudaStorage,
        _: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        self.result(|storage| match storage {
            Storage::Cuda(storage) => Some(storage),
            _ => None,
        })
    }

    fn metal_fwd(
        &self,
        _: &MetalStorage,
        _: &Layout,
        _: &MetalStorage,
        _: &Layout,
    ) -> Result<(MetalStorage, Shape)> {
        self.result(|storage| match storage {
            Storage::Metal(storage) => Some(storage),
            _ => None,
        })
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (_, _, rows, columns) = x.dims4()?;
        // Detached, or every step of the gradients would be recorded too.
        let grad = grad.detach().contiguous()?;
        let by_input = || self.by_input(&grad, &weight.detach(), [rows, columns]);
        let by_weight = || self.by_weight(&grad, &x.detach());
        Ok((
            x.track_op().then(by_input).transpose()?,
            weight.track_op().then(by_weight).transpose()?,
        ))
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Var;

    use super::*;
    use crate::tests::values;

    /// Output and gradients of a convolution that unfolds `most` values at once.
    fn run(window: Window, most: usize) -> [Tensor; 3] {
        let x = Var::from_tensor(&values(1, &[5, 3, 19, 14])).unwrap();
        let weight = Var::from_tensor(&values(2, &[4, 3, window.kernel[0], window.kernel[1]]));
        let weight = weight.unwrap();
        let y = convolution_by_parts(&x, &weight, None, window, Precision::F32, most).unwrap();
        let store = (&y * values(3, y.dims())).unwrap().sum_all().unwrap().backward().unwrap();
        [y, store.get(&x).unwrap().clone(), store.get(&weight).unwrap().clone()]
    }

    #[test]
    fn parts_are_the_whole() {
        let dilated = Window { kernel: [3, 3], stride: 1, padding: [2, 2], dilation: 2 };
        let oblong = Window { kernel: [1, 5], stride: 1, padding: [0, 2], dilation: 1 };
        for window in [Window::square(3, 1, 1), Window::square(5, 2, 2), dilated, oblong] {
            let whole = run(window, usize::MAX);
            // Two images at a time, one, three rows or so, a row.
            let image = 3 * window.kernel[0] * window.kernel[1] * 19 * 14;
            for most in [2 * image, image, image / 6, 1] {
                for (part, whole) in run(window, most).iter().zip(&whole) {
                    assert_eq!(part.dims(), whole.dims());
                    let off = (part - whole).unwrap().abs().unwrap().max_all().unwrap();
                    let off = off.to_scalar::<f32>().unwrap();
                    let scale = whole.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
                    assert!(off <= 1e-5 * scale, "{window:?} by {most}: {off:e} of {scale:e}");
                }
            }
        }
    }
}
