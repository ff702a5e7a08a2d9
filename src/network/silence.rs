//! The classifier of a [`chain`](super::chain) with one unit of the last convolution silent at a time.
//!
//! A silent unit changes what its few inputs add to the first hidden layer, so only what follows is
//! computed again. On the processor that is one product per image, of all units at once, over those
//! values of the first hidden layer that the ReLU leaves above zero for any of them: the others add
//! nothing to the second.

use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

use super::cpu::{self, Matrix, elementwise, product};
use super::layers::{Engine, linear, relu};
use architecture::Precision;

/// Images whose first hidden layers without each unit are held at a time.
const BLOCK: usize = 16;

/// What the classifier makes of some maps.
#[derive(Debug)]
pub(super) struct Silence {
    /// Images x units x locations that the classifier sees.
    pub(super) pooled: Tensor,
    /// Weights and biases of its three layers.
    pub(super) classifier: [(Tensor, Tensor); 3],
}

impl Silence {
    /// Logits, units x images x classes.
    pub(super) fn logits(&self) -> Result<Tensor> {
        let [(weight, bias), ..] = &self.classifier;
        let mut engine = Engine::of(self.pooled.device(), Precision::F32)?;
        let hidden = linear(&self.pooled.flatten_from(1)?, weight, bias, false, &mut engine)?;
        match self.pooled.device() {
            Device::Cpu => self.by_image(&hidden),
            _ => self.by_unit(&hidden),
        }
    }

    /// Logits of pairs of an image and the one unit of it that is silent: pairs x classes.
    pub(super) fn of_pairs(&self, pairs: &[(usize, usize)]) -> Result<Tensor> {
        let (_, units, inputs) = self.pooled.dims3()?;
        let images: Vec<u32> = pairs.iter().map(|&(image, _)| image as u32).collect();
        let device = self.pooled.device();
        let mut kept = vec![1.0_f32; pairs.len() * units];
        for (row, &(_, unit)) in pairs.iter().enumerate() {
            kept[row * units + unit] = 0.0;
        }
        let kept = Tensor::from_vec(kept, (pairs.len(), units, 1), device)?;
        let images = Tensor::from_vec(images, pairs.len(), device)?;
        let left = self.pooled.index_select(&images, 0)?.broadcast_mul(&kept)?;
        let [(first, bias), layers @ ..] = &self.classifier;
        let mut engine = Engine::of(device, Precision::F32)?;
        let flat = left.reshape((pairs.len(), units * inputs))?;
        let mut x = linear(&flat, first, bias, false, &mut engine)?;
        for (weight, bias) in layers {
            x = linear(&relu(&x, &mut engine)?, weight, bias, false, &mut engine)?;
        }
        Ok(x)
    }

    /// One pass of all images per unit.
    fn by_unit(&self, hidden: &Tensor) -> Result<Tensor> {
        let [(first, _), layers @ ..] = &self.classifier;
        let (_, units, inputs) = self.pooled.dims3()?;
        let mut engine = Engine::of(self.pooled.device(), Precision::F32)?;
        let mut without = |unit: usize| -> Result<Tensor> {
            let weight = first.narrow(1, unit * inputs, inputs)?.contiguous()?;
            let own = self.pooled.narrow(1, unit, 1)?.squeeze(1)?.contiguous()?;
            let mut x = (hidden - own.matmul(&weight.t()?)?)?;
            for (weight, bias) in layers {
                x = linear(&relu(&x, &mut engine)?, weight, bias, false, &mut engine)?;
            }
            Ok(x)
        };
        Tensor::stack(&(0..units).map(&mut without).collect::<Result<Vec<_>>>()?, 0)
    }

    /// One product of all units per image.
    fn by_image(&self, hidden: &Tensor) -> Result<Tensor> {
        let (images, units, inputs) = self.pooled.dims3()?;
        let [(first, _), (second, second_bias), (last, last_bias)] = &self.classifier;
        let ([width, next], classes) = ([first.dim(0)?, second.dim(0)?], last.dim(0)?);
        let all = [&self.pooled, hidden, first, second, second_bias, last, last_bias];
        cpu::with_values(all, |[pooled, hidden, first, second, second_bias, last, last_bias]| {
            let held = BLOCK.min(images);
            let mut logits = last_bias.repeat(units * images);
            let [mut x, mut weight] = [vec![0.0; units * width], vec![0.0; next * width]];
            let mut without = vec![0.0; units * held * width];
            for (block, hidden) in hidden.chunks(BLOCK * width).enumerate() {
                let count = hidden.len() / width;
                let pooled = &pooled[block * BLOCK * units * inputs..];
                without.par_chunks_mut(held * width).enumerate().for_each(|(unit, without)| {
                    let own =
                        Matrix::strided(&pooled[unit * inputs..], count, inputs, units * inputs);
                    let weight =
                        Matrix::strided(&first[unit * inputs..], width, inputs, units * inputs);
                    product(without, width, own, weight.transposed(), false, false);
                    for (less, hidden) in without.iter_mut().zip(hidden) {
                        *less = (hidden - *less).max(0.0);
                    }
                });
                for image in 0..count {
                    let row = |unit: usize| &without[(unit * held + image) * width..][..width];
                    let alive: Vec<u32> = (0..width as u32)
                        .into_par_iter()
                        .filter(|&at| (0..units).any(|unit| row(unit)[at as usize] > 0.0))
                        .collect();
                    let x = gather(&mut x, units, &alive, row);
                    let row = |output: usize| &second[output * width..][..width];
                    let weight = gather(&mut weight, next, &alive, row);
                    let mut y = second_bias.repeat(units);
                    product(&mut y, next, x, weight.transposed(), true, true);
                    elementwise::shift(&mut y, 0.0, true);
                    let y = Matrix::new(&y, units, next);
                    let last = Matrix::new(last, classes, next);
                    let at = (block * BLOCK + image) * classes;
                    product(&mut logits[at..], images * classes, y, last.transposed(), true, true);
                }
            }
            cpu::tensor(logits, &[units, images, classes])
        })
    }
}

/// The columns `of` so many rows, next to each other in `space`.
fn gather<'s, 'r>(
    space: &'s mut [f32],
    rows: usize,
    of: &[u32],
    row: impl Fn(usize) -> &'r [f32] + Sync,
) -> Matrix<'s> {
    let space = &mut space[..rows * of.len()];
    // No column, no rows to divide into.
    space.par_chunks_mut(of.len().max(1)).enumerate().for_each(|(number, to)| {
        let row = row(number);
        for (to, &at) in to.iter_mut().zip(of) {
            *to = row[at as usize];
        }
    });
    Matrix::new(space, rows, of.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values in [-1, 1) that look random.
    fn values(seed: u32, dims: &[usize]) -> Tensor {
        let count = dims.iter().product::<usize>() as u32;
        let value = |i: u32| {
            let mixed = (i + 1).wrapping_mul(2_654_435_761).wrapping_add(seed * 40_503);
            (mixed ^ (mixed >> 15)).wrapping_mul(739_982_445) as f32 / 2f32.powi(31) - 1.0
        };
        Tensor::from_vec((0..count).map(value).collect::<Vec<_>>(), dims, &Device::Cpu).unwrap()
    }

    #[test]
    fn by_image_and_by_unit_agree() {
        for images in [1, 16, 37] {
            let (units, inputs) = (5, 4);
            let widths = [units * inputs, 33, 21, 3];
            let affine = |i: usize| {
                let weight = values(i as u32, &[widths[i + 1], widths[i]]);
                (weight, values(9 + i as u32, &[widths[i + 1]]))
            };
            let pooled = values(7, &[images, units, inputs]).relu().unwrap();
            let silence = Silence { pooled, classifier: [affine(0), affine(1), affine(2)] };
            let [(weight, bias), ..] = &silence.classifier;
            let flat = silence.pooled.flatten_from(1).unwrap();
            let hidden = flat.matmul(&weight.t().unwrap()).unwrap().broadcast_add(bias).unwrap();
            let by_image = silence.by_image(&hidden).unwrap();
            let by_unit = silence.by_unit(&hidden).unwrap();
            assert_eq!(by_image.dims(), [units, images, 3]);
            let [a, b] =
                [by_image, by_unit].map(|t| t.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-4), "{images}");
            assert!(a.iter().any(|a| a.abs() > 0.1));
            let pairs = [(0, 4), (images - 1, 2), (0, 0)];
            let few = silence.of_pairs(&pairs).unwrap().to_vec2::<f32>().unwrap();
            for (few, (image, unit)) in few.iter().zip(pairs) {
                let all = &b[(unit * images + image) * 3..][..3];
                assert!(few.iter().zip(all).all(|(a, b)| (a - b).abs() < 1e-4), "{images}");
            }
        }
    }
}
