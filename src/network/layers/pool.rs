//! Pooling.

use std::ops::Range;

use candle_core::{Result, Tensor, bail};

use super::{Engine, Window};
use crate::cpu;
#[cfg(feature = "cuda")]
use crate::cuda::Bins;

/// Whether a window pools maps of this size.
fn check(x: &Tensor, window: Window) -> Result<()> {
    let (_, _, rows, columns) = x.dims4()?;
    let Window { kernel, stride, padding, dilation } = window;
    if dilation != 1 {
        bail!("pooling windows have no gaps, found {window:?}");
    }
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
pub(crate) fn max_pool(x: &Tensor, window: Window, engine: &mut Engine) -> Result<Tensor> {
    check(x, window)?;
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.max_pool(x, window);
    }
    if matches!(engine, Engine::Composed(_)) {
        return max_pool_composed(x, window);
    }
    let y = pooled(x, window, cpu::pool::forward)?;
    if let Some(tape) = engine.tape() {
        let x = x.clone();
        let (_, _, rows, columns) = x.dims4()?;
        tape.record(&[&x.clone()], &y, move |grad, gradients| {
            let by_x = cpu::with_values([&x], |[values]| {
                Ok(cpu::pool::gradient(values, &grad, [rows, columns], window))
            })?;
            gradients.add(&x, by_x)
        });
    }
    Ok(y)
}

/// Applies a loop over the windows of every plane.
fn pooled(
    x: &Tensor,
    window: Window,
    pool: fn(&[f32], [usize; 2], Window) -> Vec<f32>,
) -> Result<Tensor> {
    let (images, channels, rows, columns) = x.dims4()?;
    let out = cpu::with_values([x], |[x]| Ok(pool(x, [rows, columns], window)))?;
    let output = window.output([rows, columns]);
    cpu::tensor(out, &[images, channels, output[0], output[1]])
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

/// Mean of every window, in which padding counts as zeros (PyTorch's `count_include_pad`).
pub(crate) fn average_pool(x: &Tensor, window: Window, engine: &mut Engine) -> Result<Tensor> {
    check(x, window)?;
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.average(x, Bins::Window(window));
    }
    if matches!(engine, Engine::Composed(_)) {
        return average_pool_composed(x, window);
    }
    let y = pooled(x, window, cpu::pool::average)?;
    if let Some(tape) = engine.tape() {
        let x = x.clone();
        let (_, _, rows, columns) = x.dims4()?;
        tape.record(&[&x.clone()], &y, move |grad, gradients| {
            let by_x = cpu::pool::average_gradient(&grad, [rows, columns], window);
            gradients.add(&x, by_x)
        });
    }
    Ok(y)
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
pub(crate) fn adaptive_average(x: &Tensor, edge: usize, engine: &mut Engine) -> Result<Tensor> {
    let (_, _, rows, columns) = x.dims4()?;
    if [rows, columns] == [edge, edge] {
        return Ok(x.clone());
    }
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.average(x, Bins::Adaptive { inner: [rows, columns], output: [edge; 2] });
    }
    engine.apply(x, |x| {
        means(x, [edge; 2], |axis, i| {
            let length = [rows, columns][axis];
            let inside = i * length / edge..((i + 1) * length).div_ceil(edge);
            let count = inside.len();
            (inside, count)
        })
    })
}

/// Mean of each map's top left corner of `edge` rows and columns, or of the whole map: images x
/// channels.
pub(crate) fn global_average(
    x: &Tensor,
    edge: Option<usize>,
    engine: &mut Engine,
) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        let (_, _, rows, columns) = x.dims4()?;
        let inner = edge.map_or([rows, columns], |edge| [edge; 2]);
        let y = engine.average(x, Bins::Adaptive { inner, output: [1; 2] })?;
        return engine.squeeze(&y);
    }
    engine.apply(x, |x| {
        let part = match edge {
            Some(edge) => x.narrow(2, 0, edge)?.narrow(3, 0, edge)?,
            None => x.clone(),
        };
        part.flatten_from(2)?.mean(2)
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
