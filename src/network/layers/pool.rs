//! Pooling.

use std::ops::Range;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};

use super::Window;
use crate::network::cpu;

struct MaxPool(Window);

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max pooling"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (images, channels, rows, columns) = layout.shape().dims4()?;
        let size = [rows, columns];
        let out = cpu::pool::forward(cpu::values(storage, layout)?, size, self.0);
        let [rows, columns] = self.0.output(size);
        Ok((CpuStorage::F32(out), (images, channels, rows, columns).into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, rows, columns) = x.dims4()?;
        cpu::with_values([x, grad], |[values, grad]| {
            cpu::tensor(cpu::pool::gradient(values, grad, [rows, columns], self.0), x.dims())
        })
        .map(Some)
    }
}

/// Whether a window pools maps of this size.
fn check(x: &Tensor, window: Window) -> Result<()> {
    let (_, _, rows, columns) = x.dims4()?;
    let Window { kernel, stride, padding } = window;
    // Otherwise a window could hold nothing but padding.
    if stride == 0 || (0..2).any(|axis| padding[axis] * 2 > kernel[axis]) {
        bail!("padding of a pooling window must be at most half its kernel, found {window:?}");
    }
    if window.output([rows, columns]).contains(&0) {
        bail!("maps of {rows} x {columns} are too small for a pooling window {kernel:?}");
    }
    Ok(())
}

/// Greatest value of every window, padding excluded. The gradient goes to the first greatest value
/// of a window, row by row, as in PyTorch. (Candle's own is wrong or refused; and splitting the
/// gradient on ties would matter, for they are common after a ReLU.)
pub(crate) fn max_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    check(x, window)?;
    if x.device().is_cpu() {
        x.contiguous()?.apply_op1(MaxPool(window))
    } else {
        max_pool_composed(x, window)
    }
}

/// [`max_pool`] for any device: a tournament between shifted views, along the columns and then along
/// the rows. A later view wins only when it is greater, so that the first of equals keeps the
/// gradient.
pub(super) fn max_pool_composed(x: &Tensor, window: Window) -> Result<Tensor> {
    let (_, _, rows, columns) = x.dims4()?;
    let output = window.output([rows, columns]);
    let x = pool_axis(x, 3, window.kernel[1], window.stride, window.padding[1], output[1])?;
    pool_axis(&x, 2, window.kernel[0], window.stride, window.padding[0], output[0])
}

fn pool_axis(
    x: &Tensor,
    axis: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    output: usize,
) -> Result<Tensor> {
    let length = x.dim(axis)?;
    let mut best: Option<Tensor> = None;
    for shift in 0..kernel {
        // Beyond the edge stand copies of the window's nearest value inside: they never win against
        // the value itself, which stands in every window that reaches over the edge.
        let at = (0..output)
            .map(|i| (i * stride + shift).saturating_sub(padding).min(length - 1) as u32)
            .collect::<Vec<_>>();
        let view = x.index_select(&Tensor::from_vec(at, output, x.device())?, axis)?;
        best = Some(match best {
            None => view,
            Some(best) => {
                // NaN wins, and is the only value that differs from itself.
                let wins = (view.gt(&best)? + view.ne(&view)?)?;
                wins.where_cond(&view, &best)?
            }
        });
    }
    best.map_or_else(|| bail!("a pooling window needs a kernel"), Ok)
}

struct AveragePool(Window);

impl CustomOp1 for AveragePool {
    fn name(&self) -> &'static str {
        "average pooling"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (images, channels, rows, columns) = layout.shape().dims4()?;
        let size = [rows, columns];
        let out = cpu::pool::average(cpu::values(storage, layout)?, size, self.0);
        let [rows, columns] = self.0.output(size);
        Ok((CpuStorage::F32(out), (images, channels, rows, columns).into()))
    }

    fn bwd(&self, x: &Tensor, _y: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, rows, columns) = x.dims4()?;
        cpu::with_values([grad], |[grad]| {
            cpu::tensor(cpu::pool::average_gradient(grad, [rows, columns], self.0), x.dims())
        })
        .map(Some)
    }
}

/// Mean of every window, in which padding counts as zeros (PyTorch's `count_include_pad`).
pub(crate) fn average_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    check(x, window)?;
    if x.device().is_cpu() {
        x.contiguous()?.apply_op1(AveragePool(window))
    } else {
        average_pool_composed(x, window)
    }
}

/// [`average_pool`] for any device.
pub(super) fn average_pool_composed(x: &Tensor, window: Window) -> Result<Tensor> {
    let (_, _, rows, columns) = x.dims4()?;
    let output = window.output([rows, columns]);
    means(x, output, |axis, i| {
        let start = i * window.stride;
        let end = (start + window.kernel[axis]).saturating_sub(window.padding[axis]);
        let length = [rows, columns][axis];
        let inside = start.saturating_sub(window.padding[axis])..end.min(length);
        (inside, window.kernel[axis])
    })
}

/// Adaptive average pooling of maps of any size to `edge` x `edge`, as PyTorch defines it: output i
/// averages the inputs from floor(i n / edge) to ceil((i + 1) n / edge).
pub(crate) fn adaptive_average(x: &Tensor, edge: usize) -> Result<Tensor> {
    let (_, _, rows, columns) = x.dims4()?;
    if [rows, columns] == [edge, edge] {
        return Ok(x.clone());
    }
    means(x, [edge; 2], |axis, i| {
        let length = [rows, columns][axis];
        let inside = i * length / edge..((i + 1) * length).div_ceil(edge);
        let count = inside.len();
        (inside, count)
    })
}

/// Averages windows that cover a range of rows and one of columns, by a matrix product per axis:
/// `window` says for an axis and an index of the output which inputs are summed and what they are
/// divided by.
fn means(
    x: &Tensor,
    output: [usize; 2],
    window: impl Fn(usize, usize) -> (Range<usize>, usize),
) -> Result<Tensor> {
    let (images, channels, rows, columns) = x.dims4()?;
    let weights = |axis: usize, length: usize| {
        let count = output[axis];
        let mut weights = vec![0f32; length * count];
        for i in 0..count {
            let (inside, divisor) = window(axis, i);
            for at in inside {
                weights[at * count + i] = 1.0 / divisor as f32;
            }
        }
        Tensor::from_vec(weights, (length, count), x.device())
    };
    let maps = images * channels;
    // The last axis, then the other one brought to the end.
    let x = x.reshape((maps * rows, columns))?.matmul(&weights(1, columns)?)?;
    let x = x.reshape((maps, rows, output[1]))?.transpose(1, 2)?.contiguous()?;
    let x = x.reshape((maps * output[1], rows))?.matmul(&weights(0, rows)?)?;
    x.reshape((images, channels, output[1], output[0]))?.transpose(2, 3)?.contiguous()
}
