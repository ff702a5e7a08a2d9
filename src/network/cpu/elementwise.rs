//! Loops over values one by one. What bounds them is memory, so each does all that can be done to a
//! value while it is at hand.

use pulp::Arch;
use rayon::prelude::*;

/// Values per task.
const RUN: usize = 1 << 14;

/// What is left of a value after a ReLU. NaN stays NaN, as in PyTorch.
#[inline(always)]
pub(super) fn rectify(value: f32, relu: bool) -> f32 {
    if relu && value <= 0.0 { 0.0 } else { value }
}

/// `values + bias`, rectified with `relu`; on this thread.
pub(crate) fn shift(values: &mut [f32], bias: f32, relu: bool) {
    Arch::new().dispatch(|| {
        for value in &mut *values {
            *value = rectify(*value + bias, relu);
        }
    });
}

/// `values + bias + others`, rectified with `relu`; on this thread.
pub(super) fn add(values: &mut [f32], bias: f32, others: &[f32], relu: bool) {
    Arch::new().dispatch(|| {
        for (value, other) in values.iter_mut().zip(others) {
            *value = rectify(*value + bias + other, relu);
        }
    });
}

/// Adds `others` to `values`.
pub(crate) fn accumulate(values: &mut [f32], others: &[f32]) {
    values.par_chunks_mut(RUN).zip(others.par_chunks(RUN)).for_each(|(values, others)| {
        accumulate_run(values, others);
    });
}

vectorised! {
    fn accumulate_run<'a>(values: &'a mut [f32], others: &'a [f32]) {
        for (value, other) in values.iter_mut().zip(others) {
            *value += other;
        }
    }
}

/// `max(x, 0)`.
pub(crate) fn relu(x: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; x.len()];
    out.par_chunks_mut(RUN).zip(x.par_chunks(RUN)).for_each(|(out, x)| {
        for (out, &x) in out.iter_mut().zip(x) {
            *out = rectify(x, true);
        }
    });
    out
}

/// Sets the gradient to 0 where the rectified output `y` is not positive.
pub(crate) fn mask(grad: &mut [f32], y: &[f32]) {
    grad.par_chunks_mut(RUN).zip(y.par_chunks(RUN)).for_each(|(grad, y)| {
        masked(grad, y);
    });
}

vectorised! {
    fn masked<'a>(grad: &'a mut [f32], y: &'a [f32]) {
        mask_run(grad, y);
    }
}

/// [`mask`] of a few values, for loops that do more to them.
#[inline(always)]
pub(super) fn mask_run(grad: &mut [f32], y: &[f32]) {
    // By way of other memory: in place it would become a store that depends on a value, which is slow where
    // there is one for vectors at all.
    let mut kept = [0.0; 256];
    for (grad, y) in grad.chunks_mut(kept.len()).zip(y.chunks(kept.len())) {
        let kept = &mut kept[..grad.len()];
        for ((kept, &grad), &y) in kept.iter_mut().zip(&*grad).zip(y) {
            *kept = if y <= 0.0 { 0.0 } else { grad };
        }
        grad.copy_from_slice(kept);
    }
}
