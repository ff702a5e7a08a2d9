//! The product behind a fully connected layer.
//!
//! With few images the weight, read once, is what takes time, so it is read as it lies in memory and
//! used for all images at once; with many, the usual matrix product is faster.

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::{Matrix, product};

/// Images up to which the weight is the larger part of the work.
const FEW: usize = 16;
/// Images that one run over a weight's rows serves.
const LANES: usize = 4;
/// Outputs that one run computes.
const ROWS: usize = 3;
/// Outputs per task.
const TASK: usize = 48;
/// Inputs per run, so that those of all images stay in the first cache.
const RUN: usize = 1024;

/// `x * weightᵀ`, images x inputs times outputs x inputs, added to `out`, images x outputs.
pub(crate) fn forward(
    x: &[f32],
    weight: &[f32],
    [images, inputs, outputs]: [usize; 3],
    out: &mut [f32],
) {
    if images > FEW || inputs < RUN {
        let x = Matrix::new(x, images, inputs);
        let weight = Matrix::new(weight, outputs, inputs);
        return product(out, outputs, x, weight.transposed(), true, true);
    }
    let sums: Vec<Vec<f32>> = weight
        .par_chunks(TASK * inputs)
        .map(|weight| {
            let mut sums = vec![0f32; weight.len() / inputs * images];
            Arch::new().dispatch(Task { x, weight, images, inputs, sums: &mut sums });
            sums
        })
        .collect();
    for (task, sums) in sums.iter().enumerate() {
        for (row, sums) in sums.chunks_exact(images).enumerate() {
            for (image, sum) in sums.iter().enumerate() {
                out[image * outputs + task * TASK + row] += sum;
            }
        }
    }
}

/// Some outputs of all images: `sums`, outputs x images.
struct Task<'a> {
    x: &'a [f32],
    weight: &'a [f32],
    images: usize,
    inputs: usize,
    sums: &'a mut [f32],
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Task { x, weight, images, inputs, sums } = self;
        let rows = weight.len() / inputs;
        for start in (0..inputs).step_by(RUN) {
            let range = start..(start + RUN).min(inputs);
            let x = |image: usize| &x[image * inputs..][range.clone()];
            let weight = |row: usize| &weight[row * inputs..][range.clone()];
            for row in (0..rows).step_by(ROWS) {
                for image in (0..images).step_by(LANES) {
                    if row + ROWS <= rows && image + LANES <= images {
                        let weights = std::array::from_fn(|i| weight(row + i));
                        let images_of = std::array::from_fn(|i| x(image + i));
                        let found = dots::<S, ROWS, LANES>(simd, weights, images_of);
                        for (i, found) in found.iter().enumerate() {
                            for (j, found) in found.iter().enumerate() {
                                sums[(row + i) * images + image + j] += found;
                            }
                        }
                        continue;
                    }
                    for row in row..(row + ROWS).min(rows) {
                        for image in image..(image + LANES).min(images) {
                            let [[found]] = dots::<S, 1, 1>(simd, [weight(row)], [x(image)]);
                            sums[row * images + image] += found;
                        }
                    }
                }
            }
        }
    }
}

/// Scalar products of every `a` with every `b`, all of one length.
#[inline(always)]
fn dots<S: Simd, const A: usize, const B: usize>(
    simd: S,
    a: [&[f32]; A],
    b: [&[f32]; B],
) -> [[f32; B]; A] {
    let (a, b) = (a.map(S::as_simd_f32s), b.map(S::as_simd_f32s));
    let mut sums = [[simd.splat_f32s(0.0); B]; A];
    for k in 0..a[0].0.len() {
        for j in 0..B {
            let b = b[j].0[k];
            for i in 0..A {
                sums[i][j] = simd.mul_add_e_f32s(a[i].0[k], b, sums[i][j]);
            }
        }
    }
    let mut out = [[0.0; B]; A];
    for i in 0..A {
        for j in 0..B {
            let rest: f32 = a[i].1.iter().zip(b[j].1).map(|(a, b)| a * b).sum();
            out[i][j] = simd.reduce_sum_f32s(sums[i][j]) + rest;
        }
    }
    out
}
