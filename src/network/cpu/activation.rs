//! Activations and their derivatives, value by value.
//!
//! The exponential and the error function are polynomials of our own (least squares over Chebyshev nodes,
//! within 1e-7 of the true values), for those of the C library are one call per value and would take longer
//! than the convolutions around them.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::layers::Activation;

/// Values per task.
const RUN: usize = 1 << 14;

/// A function over values in place, compiled for the vectors at hand together with the function: what is
/// passed must be inlined, or its values are computed one by one.
struct Each<'a, F> {
    values: &'a mut [f32],
    f: F,
}

impl<F: Fn(f32) -> f32> WithSimd for Each<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for value in self.values {
            *value = (self.f)(*value);
        }
    }
}

/// A gradient times a function of what it is taken at, likewise.
struct Back<'a, F> {
    grad: &'a mut [f32],
    x: &'a [f32],
    slope: F,
}

impl<F: Fn(f32) -> f32> WithSimd for Back<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for (grad, &x) in self.grad.iter_mut().zip(self.x) {
            *grad *= (self.slope)(x);
        }
    }
}

/// `values` after the activation, in place; on this thread.
pub(super) fn apply(values: &mut [f32], activation: Activation) {
    let arch = Arch::new();
    match activation {
        Activation::Identity => {}
        Activation::Relu => arch.dispatch(Each { values, f: relu }),
        Activation::Silu => arch.dispatch(Each { values, f: silu }),
        Activation::Sigmoid => arch.dispatch(Each { values, f: sigmoid }),
        Activation::Hardswish => arch.dispatch(Each { values, f: hard_swish }),
        Activation::Hardsigmoid => arch.dispatch(Each { values, f: hard_sigmoid }),
        Activation::Gelu => arch.dispatch(Each { values, f: gelu }),
    }
}

/// `x` after the activation.
pub(crate) fn forward(x: &[f32], activation: Activation) -> Vec<f32> {
    let mut out = x.to_vec();
    out.par_chunks_mut(RUN).for_each(|out| apply(out, activation));
    out
}

/// Takes a gradient by the activation's output back to its input `x`, in place.
pub(crate) fn gradient(grad: &mut [f32], x: &[f32], activation: Activation) {
    let arch = Arch::new();
    grad.par_chunks_mut(RUN).zip(x.par_chunks(RUN)).for_each(|(grad, x)| match activation {
        Activation::Identity => {}
        Activation::Relu => arch.dispatch(Back { grad, x, slope: relu_slope }),
        Activation::Silu => arch.dispatch(Back { grad, x, slope: silu_slope }),
        Activation::Sigmoid => arch.dispatch(Back { grad, x, slope: sigmoid_slope }),
        Activation::Hardswish => arch.dispatch(Back { grad, x, slope: hard_swish_slope }),
        Activation::Hardsigmoid => arch.dispatch(Back { grad, x, slope: hard_sigmoid_slope }),
        Activation::Gelu => arch.dispatch(Back { grad, x, slope: gelu_slope }),
    });
}

#[inline(always)]
fn relu(x: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { x }
}

#[inline(always)]
fn relu_slope(x: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { 1.0 }
}

#[inline(always)]
fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

#[inline(always)]
fn silu_slope(x: f32) -> f32 {
    let share = sigmoid(x);
    share * (1.0 + x * (1.0 - share))
}

#[inline(always)]
fn sigmoid_slope(x: f32) -> f32 {
    let share = sigmoid(x);
    share * (1.0 - share)
}

#[inline(always)]
fn hard_swish(x: f32) -> f32 {
    x * hard_sigmoid(x)
}

#[inline(always)]
fn hard_swish_slope(x: f32) -> f32 {
    let inner = if x < 3.0 { x * (1.0 / 3.0) + 0.5 } else { 1.0 };
    if x <= -3.0 { 0.0 } else { inner }
}

#[inline(always)]
fn hard_sigmoid_slope(x: f32) -> f32 {
    if x > -3.0 && x < 3.0 { 1.0 / 6.0 } else { 0.0 }
}

#[inline(always)]
fn gelu(x: f32) -> f32 {
    x * normal(x)
}

#[inline(always)]
fn gelu_slope(x: f32) -> f32 {
    normal(x) + x * bell(x)
}

/// `1 / (1 + exp(-x))`.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `x + 3` of 6, from 0 to 1.
#[inline(always)]
fn hard_sigmoid(x: f32) -> f32 {
    let share = (x + 3.0) * (1.0 / 6.0);
    // Comparisons, not `clamp`: NaN stays NaN either way, and these are one instruction each.
    let share = if share < 0.0 { 0.0 } else { share };
    if share > 1.0 { 1.0 } else { share }
}

/// The normal distribution function.
#[inline(always)]
fn normal(x: f32) -> f32 {
    0.5 + 0.5 * erf(x * std::f32::consts::FRAC_1_SQRT_2)
}

/// The normal density.
#[inline(always)]
fn bell(x: f32) -> f32 {
    const PEAK: f32 = 0.398_942_3;
    PEAK * exp(-0.5 * x * x)
}

/// A polynomial by Horner's rule, coefficients from the constant on.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[N - 1];
    for i in (0..N - 1).rev() {
        sum = sum * x + coefficients[i];
    }
    sum
}

/// The exponential, within 1e-7 of its value; beyond the range of single precision, its ends. NaN stays
/// NaN.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Added to a small number, it leaves the nearest whole one in the last bits.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2, in two parts whose first has few bits: a multiple of it is exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    let x = if x > 88.0 { 88.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let power = rounded - ROUND;
    let r = x - power * LN_2[0] - power * LN_2[1];
    let rest = polynomial(r, [0.5, 0.166_665_76, 0.041_666_463, 0.008_363_182, 0.001_393_365_8]);
    let scale = f32::from_bits(rounded.to_bits().wrapping_shl(23).wrapping_add(127 << 23));
    (1.0 + (r + r * r * rest)) * scale
}

/// The error function, within 1e-7 of its value.
#[inline(always)]
pub(super) fn erf(x: f32) -> f32 {
    let size = x.abs();
    // Up to 1 a polynomial of the square; from there on the logarithm of what is left to 1.
    let square = x * x;
    let near = polynomial(
        square,
        [
            0.128_379_17,
            -0.376_126_26,
            0.112_835_97,
            -0.026_854_329,
            0.005_189_312,
            -0.000_801_885_5,
            7.882_497_4e-5,
        ],
    );
    let near = x + x * near;
    let far = if size > 4.0 { 4.0 } else { size };
    let far = polynomial(
        far,
        [
            0.000_244_663_33,
            1.127_476_7,
            0.637_511_2,
            0.103_648_35,
            -0.022_093_108,
            0.003_010_361_2,
            -0.000_192_663_73,
        ],
    );
    let far = 1.0 - exp(-far);
    let far = if x < 0.0 { -far } else { far };
    if size > 1.0 { far } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponential_and_error_function_are_within_single_precision() {
        for i in -8700..=8800 {
            let x = i as f32 / 100.0 + 0.003_1;
            let exact = f64::from(x.clamp(-87.0, 88.0)).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "exp {x}");
        }
        // Abramowitz & Stegun 1964, table 7.1.
        let table: [(f32, f64); 11] = [
            (0.0, 0.0),
            (0.1, 0.112_462_916),
            (0.5, 0.520_499_878),
            (0.9, 0.796_908_212),
            (1.0, 0.842_700_793),
            (1.1, 0.880_205_070),
            (1.5, 0.966_105_146),
            (2.0, 0.995_322_265),
            (3.0, 0.999_977_910),
            (4.5, 1.0),
            (30.0, 1.0),
        ];
        for (x, exact) in table {
            assert!((f64::from(erf(x)) - exact).abs() < 2e-7, "erf {x}: {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
        // The two halves meet.
        let (below, above) = (erf(1.0), erf(1.0f32.next_up()));
        assert!((above - below).abs() < 3e-7, "{below} {above}");
        assert!(exp(f32::NAN).is_nan() && erf(f32::NAN).is_nan());
        assert!(exp(f32::INFINITY).is_finite() && exp(f32::NEG_INFINITY) >= 0.0);
    }

    #[test]
    fn derivatives_are_differences() {
        for activation in Activation::ALL {
            for i in -60..60 {
                // Between the kinks.
                let x = i as f32 / 10.0 + 0.037;
                let mut grad = [1.0];
                gradient(&mut grad, &[x], activation);
                let [ahead, behind] = [x + 0.01, x - 0.01].map(|x| {
                    let mut y = [x];
                    apply(&mut y, activation);
                    f64::from(y[0])
                });
                let slope = (ahead - behind) / 0.02;
                assert!((slope - f64::from(grad[0])).abs() < 1e-3, "{activation:?} {x}: {slope}");
            }
        }
    }
}
