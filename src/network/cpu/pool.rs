//! Pooling and its gradients.

use std::ops::Range;

use rayon::prelude::*;

use crate::layers::Window;

/// Index in a plane of the first greatest value of the window of output `row`, `column`, scanned row
/// by row; a NaN counts as greatest, as in PyTorch.
fn first_greatest(
    plane: &[f32],
    size: [usize; 2],
    window: Window,
    row: usize,
    column: usize,
) -> usize {
    let range = |at: usize, axis: usize| {
        let start = at * window.stride;
        let end = (start + window.kernel[axis]).saturating_sub(window.padding[axis]);
        start.saturating_sub(window.padding[axis])..end.min(size[axis])
    };
    let columns = range(column, 1);
    let rows = range(row, 0);
    let mut best = rows.start * size[1] + columns.start;
    let mut greatest = f32::NEG_INFINITY;
    for y in rows {
        for x in columns.clone() {
            let value = plane[y * size[1] + x];
            if value > greatest || value.is_nan() {
                (greatest, best) = (value, y * size[1] + x);
            }
        }
    }
    best
}

/// Greatest value of every window of every plane of `x`; each plane has `size` rows and columns.
pub(crate) fn forward(x: &[f32], size: [usize; 2], window: Window) -> Vec<f32> {
    let plane = size[0] * size[1];
    let [rows, columns] = window.output(size);
    let mut out = vec![0.0; x.len() / plane.max(1) * rows * columns];
    if out.is_empty() {
        return out;
    }
    let padding = window.padding[1];
    out.par_chunks_mut(rows * columns).zip(x.par_chunks(plane)).for_each(|(out, plane)| {
        // The greatest of the rows under a row of the output, with the padding on either side.
        let mut greatest = vec![f32::NEG_INFINITY; size[1] + 2 * padding];
        for (row, line) in out.chunks_exact_mut(columns).enumerate() {
            let inner = &mut greatest[padding..][..size[1]];
            inner.fill(f32::NEG_INFINITY);
            for y in rows_under(row, size[0], window) {
                for (best, value) in inner.iter_mut().zip(&plane[y * size[1]..]) {
                    *best = greater(*best, *value);
                }
            }
            for (column, out) in line.iter_mut().enumerate() {
                let under = &greatest[column * window.stride..][..window.kernel[1]];
                *out = under.iter().copied().fold(f32::NEG_INFINITY, greater);
            }
        }
    });
    out
}

/// The greater of two values; NaN is greatest.
fn greater(best: f32, value: f32) -> f32 {
    if value > best || value.is_nan() { value } else { best }
}

/// Gradient by `x`: every window hands its gradient to its first greatest value.
pub(crate) fn gradient(x: &[f32], grad: &[f32], size: [usize; 2], window: Window) -> Vec<f32> {
    let plane = size[0] * size[1];
    let [rows, columns] = window.output(size);
    let mut out = vec![0.0; x.len()];
    if out.is_empty() || grad.is_empty() {
        return out;
    }
    out.par_chunks_mut(plane)
        .zip(x.par_chunks(plane))
        .zip(grad.par_chunks(rows * columns))
        .for_each(|((out, plane), grad)| {
            for (row, line) in grad.chunks_exact(columns).enumerate() {
                for (column, grad) in line.iter().enumerate() {
                    out[first_greatest(plane, size, window, row, column)] += grad;
                }
            }
        });
    out
}

/// Input rows under row `row` of the output.
fn rows_under(row: usize, height: usize, window: Window) -> Range<usize> {
    let start = row * window.stride;
    let end = (start + window.kernel[0]).saturating_sub(window.padding[0]).min(height);
    start.saturating_sub(window.padding[0]).min(end)..end
}

/// Mean of every window of every plane of `x`, padding counted as zeros; each plane has `size` rows
/// and columns.
pub(crate) fn average(x: &[f32], size: [usize; 2], window: Window) -> Vec<f32> {
    let plane = size[0] * size[1];
    let [rows, columns] = window.output(size);
    let mut out = vec![0.0; x.len() / plane.max(1) * rows * columns];
    if out.is_empty() {
        return out;
    }
    let ([high, wide], padding) = (window.kernel, window.padding[1]);
    let share = 1.0 / (high * wide) as f32;
    out.par_chunks_mut(rows * columns).zip(x.par_chunks(plane)).for_each(|(out, plane)| {
        // The sum of the rows under a row of the output, with the padding on either side.
        let mut sums = vec![0f32; size[1] + 2 * padding];
        for (row, line) in out.chunks_exact_mut(columns).enumerate() {
            let inner = &mut sums[padding..][..size[1]];
            inner.fill(0.0);
            for y in rows_under(row, size[0], window) {
                for (sum, value) in inner.iter_mut().zip(&plane[y * size[1]..]) {
                    *sum += value;
                }
            }
            for (column, out) in line.iter_mut().enumerate() {
                *out = sums[column * window.stride..][..wide].iter().sum::<f32>() * share;
            }
        }
    });
    out
}

/// Gradient of [`average`]: every window hands each of its values an equal share.
pub(crate) fn average_gradient(grad: &[f32], size: [usize; 2], window: Window) -> Vec<f32> {
    let plane = size[0] * size[1];
    let [rows, columns] = window.output(size);
    let mut out = vec![0.0; grad.len() / (rows * columns).max(1) * plane];
    if out.is_empty() {
        return out;
    }
    let ([high, wide], padding) = (window.kernel, window.padding[1]);
    let share = 1.0 / (high * wide) as f32;
    out.par_chunks_mut(plane).zip(grad.par_chunks(rows * columns)).for_each(|(out, grad)| {
        let mut sums = vec![0f32; size[1] + 2 * padding];
        for (row, line) in grad.chunks_exact(columns).enumerate() {
            sums.fill(0.0);
            for (column, grad) in line.iter().enumerate() {
                for sum in &mut sums[column * window.stride..][..wide] {
                    *sum += grad * share;
                }
            }
            for y in rows_under(row, size[0], window) {
                for (out, sum) in out[y * size[1]..].iter_mut().zip(&sums[padding..][..size[1]]) {
                    *out += sum;
                }
            }
        }
    });
    out
}
