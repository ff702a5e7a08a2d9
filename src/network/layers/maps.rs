//! Layers over whole maps: their means, gates, and the end of a residual branch.

use candle_core::{Result, Tensor, bail};

use super::Engine;
use crate::cpu::{self, maps};

/// The mean of every map, images x channels x 1 x 1.
pub(crate) fn squeeze(x: &Tensor, engine: &mut Engine) -> Result<Tensor> {
    without_kernel(engine, "the mean of a map")?;
    if matches!(engine, Engine::Composed(_)) {
        return x.mean_keepdim((2, 3));
    }
    let (images, channels, rows, columns) = x.dims4()?;
    let plane = rows * columns;
    let means = cpu::with_values([x], |[x]| Ok(maps::means(x, plane)))?;
    let y = cpu::tensor(means, &[images, channels, 1, 1])?;
    if let Some(tape) = engine.tape() {
        let x = x.clone();
        tape.record(&[&x.clone()], &y, move |grad, gradients| {
            gradients.add(&x, maps::means_gradient(&grad, plane))
        });
    }
    Ok(y)
}

/// Every map times its gate, one number per image and channel.
pub(crate) fn gated(x: &Tensor, gates: &Tensor, engine: &mut Engine) -> Result<Tensor> {
    without_kernel(engine, "gates")?;
    let (images, channels, rows, columns) = x.dims4()?;
    if gates.dims() != [images, channels, 1, 1] {
        bail!("gates of shape {:?} for {images} images of {channels} channels", gates.dims());
    }
    if matches!(engine, Engine::Composed(_)) {
        return x.broadcast_mul(gates);
    }
    let plane = rows * columns;
    let run = |x: &[f32], gates: &[f32]| maps::scale(x, plane, maps::Factors::Each(gates), None);
    let out = cpu::with_values([x, gates], |[x, gates]| Ok(run(x, gates)))?;
    let y = cpu::tensor(out, x.dims())?;
    if let Some(tape) = engine.tape() {
        let (x, gates) = (x.clone(), gates.clone());
        tape.record(&[&x.clone(), &gates.clone()], &y, move |grad, gradients| {
            if gradients.wants(&gates) {
                let sums = cpu::with_values([&x], |[x]| Ok(maps::products(&grad, x, plane)))?;
                gradients.add(&gates, sums.into_iter().map(|sum| sum as f32).collect())?;
            }
            let by_x = cpu::with_values([&gates], |[gates]| {
                Ok(maps::scale(&grad, plane, maps::Factors::Each(gates), None))
            })?;
            gradients.add(&x, by_x)
        });
    }
    Ok(y)
}

/// What a residual branch is multiplied by before its input is added.
#[derive(Clone, Copy)]
pub(crate) struct Branch<'a> {
    /// One factor per channel, a parameter of any shape (layer scale; Touvron et al. 2021).
    pub scale: Option<&'a Tensor>,
    /// One factor per image (stochastic depth; Huang et al. 2016).
    pub rows: Option<&'a [f32]>,
}

/// The branch times its factors, plus the shortcut.
pub(crate) fn residual(
    branch: &Tensor,
    factors: Branch<'_>,
    shortcut: &Tensor,
    engine: &mut Engine,
) -> Result<Tensor> {
    without_kernel(engine, "a scaled residual branch")?;
    let (images, channels, rows, columns) = branch.dims4()?;
    let Branch { scale, rows: by_image } = factors;
    if shortcut.dims() != branch.dims()
        || scale.is_some_and(|scale| scale.elem_count() != channels)
        || by_image.is_some_and(|rows| rows.len() != images)
    {
        bail!("the factors or the shortcut do not fit a branch of shape {:?}", branch.dims());
    }
    if matches!(engine, Engine::Composed(_)) {
        let mut y = branch.clone();
        if let Some(scale) = scale {
            y = y.broadcast_mul(&scale.reshape((1, channels, 1, 1))?)?;
        }
        if let Some(rows) = by_image {
            let rows = Tensor::from_slice(rows, (images, 1, 1, 1), branch.device())?;
            y = y.broadcast_mul(&rows)?;
        }
        return y + shortcut;
    }
    let plane = rows * columns;
    // Without a layer scale: as with one of ones, and none is differentiated.
    let ones = match scale {
        Some(scale) => scale.clone(),
        None => Tensor::ones(channels, candle_core::DType::F32, branch.device())?,
    };
    let by_image: Option<Vec<f32>> = by_image.map(<[f32]>::to_vec);
    let out = cpu::with_values([branch, &ones, shortcut], |[branch, scale, shortcut]| {
        let (by_channel, by_image) = (Some(scale), by_image.as_deref());
        let factors = maps::Factors::Crossed { channels, by_channel, by_image };
        Ok(maps::scale(branch, plane, factors, Some(shortcut)))
    })?;
    let y = cpu::tensor(out, branch.dims())?;
    if let Some(tape) = engine.tape() {
        let (branch, shortcut) = (branch.clone(), shortcut.clone());
        let inputs = [branch.clone(), ones.clone(), shortcut.clone()];
        tape.record(&inputs.each_ref(), &y, move |grad, gradients| {
            if gradients.wants(&ones) {
                let sums = cpu::with_values([&branch], |[x]| Ok(maps::products(&grad, x, plane)))?;
                let mut by_scale = vec![0f64; channels];
                for (i, sum) in sums.into_iter().enumerate() {
                    let row = by_image.as_ref().map_or(1.0, |rows| rows[i / channels]);
                    by_scale[i % channels] += sum * f64::from(row);
                }
                gradients.add(&ones, by_scale.into_iter().map(|sum| sum as f32).collect())?;
            }
            let by_branch = cpu::with_values([&ones], |[scale]| {
                let by_image = by_image.as_deref();
                let by_channel = Some(scale);
                let factors = maps::Factors::Crossed { channels, by_channel, by_image };
                Ok(maps::scale(&grad, plane, factors, None))
            })?;
            gradients.add(&branch, by_branch)?;
            gradients.add(&shortcut, grad)
        });
    }
    Ok(y)
}

/// Refuses an engine whose kernels lack a layer: networks that have it are composed there.
pub(super) fn without_kernel(engine: &Engine, what: &str) -> Result<()> {
    if !matches!(engine, Engine::Processor(_) | Engine::Composed(_)) {
        bail!("there is no kernel for {what}");
    }
    Ok(())
}
