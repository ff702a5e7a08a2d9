//! Batch normalisation (Ioffe & Szegedy 2015), by the statistics of the batch itself, and by fixed ones
//! where it does not follow a convolution: otherwise it is part of a [`Fixed`](super::Fixed) one.

use candle_core::{Result, Tensor, Var, bail};

use super::activation::relu_composed;
use super::join::Beside;
use super::maps::without_kernel;
use super::{Engine, mask};
use crate::cpu::{self, maps, norm};
use crate::tape::Gradients;

/// What follows the normalisation, one gain and one offset per channel, and what is added to the
/// variance before its root.
#[derive(Clone, Copy)]
pub(crate) struct Affine<'a> {
    pub gain: &'a Tensor,
    pub offset: &'a Tensor,
    pub epsilon: f32,
}

/// Mean and biased variance per channel.
pub(crate) struct Moments {
    pub mean: Tensor,
    pub variance: Tensor,
}

/// Running statistics, and the share of each batch's in them.
#[derive(Clone, Copy)]
pub(crate) struct Running<'a> {
    pub mean: &'a Var,
    pub variance: &'a Var,
    pub share: f64,
}

/// As [`normalise`], and moves the running statistics on.
pub(crate) fn normalise_in_training(
    x: &Tensor,
    affine: Affine<'_>,
    running: Running<'_>,
    shortcut: Option<&Tensor>,
    relu: bool,
    engine: &mut Engine,
) -> Result<Tensor> {
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.normalise(x, affine, running, shortcut, relu);
    }
    let (y, batch) = normalise(x, affine, shortcut, relu, engine)?;
    running.blend(batch, x.elem_count() / affine.gain.elem_count().max(1))?;
    Ok(y)
}

impl Running<'_> {
    /// Moves the statistics on by those of a batch of so many values per channel.
    fn blend(self, batch: Moments, count: usize) -> Result<()> {
        let count = count as f64;
        // The running variance is the unbiased one; a single value has none, and PyTorch refuses it.
        let unbiased = (batch.variance * (count / (count - 1.0).max(1.0)))?;
        let Running { mean, variance, share } = self;
        let blend = |old: &Var, new: Tensor| {
            old.set(&((old.as_detached_tensor() * (1.0 - share))? + (new * share)?)?)
        };
        blend(mean, batch.mean)?;
        blend(variance, unbiased)
    }
}

/// As [`normalise_in_training`] and rectified, of maps side by side.
pub(crate) fn normalise_beside(
    x: &Beside,
    affine: Affine<'_>,
    running: Running<'_>,
    engine: &mut Engine,
) -> Result<Tensor> {
    if !matches!(engine, Engine::Processor(_)) {
        let x = x.joined(engine)?;
        return normalise_in_training(&x, affine, running, None, true, engine);
    }
    let [mean, variance] = x.moments()?;
    let channels = mean.len();
    let moments = Moments {
        mean: cpu::tensor(mean, &[channels])?,
        variance: cpu::tensor(variance, &[channels])?,
    };
    let y = side_by_side(x, affine, &moments, true, engine)?;
    running.blend(moments, y.elem_count() / channels.max(1))?;
    Ok(y)
}

/// As [`normalise_fixed`] and rectified, of maps side by side.
pub(crate) fn normalise_fixed_beside(
    x: &Beside,
    affine: Affine<'_>,
    moments: &Moments,
    engine: &mut Engine,
) -> Result<Tensor> {
    if !matches!(engine, Engine::Processor(_)) {
        return normalise_fixed(&x.joined(engine)?, affine, moments, true, engine);
    }
    side_by_side(x, affine, moments, false, engine)
}

/// Normalises maps side by side by these moments, and rectifies. The way back goes through the moments too
/// where they are the maps' own.
fn side_by_side(
    x: &Beside,
    affine: Affine<'_>,
    moments: &Moments,
    own: bool,
    engine: &mut Engine,
) -> Result<Tensor> {
    let maps = x.tensors();
    let mut channels = Vec::with_capacity(maps.len());
    let mut sizes = [0; 3];
    for map in &maps {
        let (images, count, rows, columns) = map.dims4()?;
        if !channels.is_empty() && sizes != [images, rows, columns] {
            bail!("maps of different sizes are side by side");
        }
        sizes = [images, rows, columns];
        channels.push(count);
    }
    let [images, rows, columns] = sizes;
    let plane = rows * columns;
    let all: usize = channels.iter().sum();
    let Affine { gain, offset, epsilon } = affine;
    let Moments { mean, variance } = moments;
    let parameters = [mean, variance, gain, offset];
    if parameters.iter().any(|values| values.elem_count() != all) {
        bail!("batch normalisation needs one of each parameter for each of {all} channels");
    }
    let out = cpu::with_all(&maps.iter().collect::<Vec<_>>(), |maps| {
        let x = norm::Beside::new(maps, &channels, plane);
        cpu::with_values(parameters, |[mean, variance, gain, offset]| {
            let channels = norm::Channels { mean, variance, gain, offset, epsilon };
            Ok(norm::forward_beside(&x, channels))
        })
    })?;
    let y = cpu::tensor(out, &[images, all, rows, columns])?;
    if let Some(tape) = engine.tape() {
        let parameters = parameters.map(Tensor::clone);
        let [_, _, gain, offset] = parameters.each_ref();
        let inputs: Vec<Tensor> = maps
            .iter()
            .chain(own.then_some([gain, offset]).into_iter().flatten())
            .cloned()
            .collect();
        let result = y.clone();
        tape.record(&inputs.iter().collect::<Vec<_>>(), &y, move |grad, gradients| {
            // What other layers made of a map's gradient is there before: this one's is added in place.
            let mut to: Vec<Option<Vec<f32>>> = maps
                .iter()
                .map(|map| {
                    let sum = |gradients: &mut Gradients| {
                        gradients.lift(map).unwrap_or_else(|| vec![0.0; map.elem_count()])
                    };
                    gradients.wants(map).then(|| sum(gradients))
                })
                .collect();
            let by_parameters = cpu::with_all(&maps.iter().collect::<Vec<_>>(), |values| {
                let x = norm::Beside::new(values, &channels, plane);
                let [mean, variance, gain, offset] = parameters.each_ref();
                cpu::with_values(
                    [&result, mean, variance, gain, offset],
                    |[y, mean, variance, gain, offset]| {
                        let channels = norm::Channels { mean, variance, gain, offset, epsilon };
                        Ok(match own {
                            true => Some(norm::gradients_beside(&x, grad, channels, y, &mut to)),
                            false => {
                                norm::fixed_gradients_beside(&x, grad, channels, y, &mut to);
                                None
                            }
                        })
                    },
                )
            })?;
            let [_, _, gain, offset] = &parameters;
            if let Some([by_gain, by_offset]) = by_parameters {
                gradients.add(gain, by_gain)?;
                gradients.add(offset, by_offset)?;
            }
            for (map, sum) in maps.iter().zip(to) {
                if let Some(sum) = sum {
                    gradients.add(map, sum)?;
                }
            }
            Ok(())
        });
    }
    Ok(y)
}

/// Normalises images x channels x rows x columns per channel, multiplies by the gain, adds the
/// offset and the shortcut, and rectifies with `relu`. Also returns the moments it normalised by. On the
/// processor, and composed.
pub(super) fn normalise(
    x: &Tensor,
    affine: Affine<'_>,
    shortcut: Option<&Tensor>,
    relu: bool,
    engine: &mut Engine,
) -> Result<(Tensor, Moments)> {
    if matches!(engine, Engine::Composed(_)) {
        return normalise_composed(x, affine, shortcut, relu);
    }
    let Affine { gain, offset, epsilon } = affine;
    let (_, channels, rows, columns) = x.dims4()?;
    if shortcut.is_some_and(|shortcut| shortcut.dims() != x.dims()) {
        bail!("a shortcut must have the shape of what it is added to");
    }
    if [gain.elem_count(), offset.elem_count()] != [channels; 2] {
        bail!("batch normalisation needs one of each parameter for each of {channels} channels");
    }
    let plane = rows * columns;
    let (mean, variance) = cpu::with_values([x], |[x]| Ok(norm::moments(x, channels, plane)))?;
    let run = |x: &[f32], shortcut: Option<&[f32]>| {
        cpu::with_values([gain, offset], |[gain, offset]| {
            let channels =
                norm::Channels { mean: &mean, variance: &variance, gain, offset, epsilon };
            Ok(norm::forward(x, plane, channels, shortcut, relu))
        })
    };
    let out = match shortcut {
        Some(shortcut) => cpu::with_values([x, shortcut], |[x, shortcut]| run(x, Some(shortcut))),
        None => cpu::with_values([x], |[x]| run(x, None)),
    }?;
    let y = cpu::tensor(out, x.dims())?;
    let moments = Moments {
        mean: cpu::tensor(mean.clone(), &[channels])?,
        variance: cpu::tensor(variance.clone(), &[channels])?,
    };
    if let Some(tape) = engine.tape() {
        let (x, gain, offset) = (x.clone(), gain.clone(), offset.clone());
        let (shortcut, result) = (shortcut.cloned(), relu.then(|| y.clone()));
        let inputs: Vec<Tensor> =
            [x.clone(), gain.clone(), offset.clone()].into_iter().chain(shortcut.clone()).collect();
        tape.record(&inputs.iter().collect::<Vec<_>>(), &y, move |grad, gradients| {
            let y = result.as_ref().unwrap_or(&x);
            let found = cpu::with_values([&x, y, &gain, &offset], |[x, y, gain, offset]| {
                let channels =
                    norm::Channels { mean: &mean, variance: &variance, gain, offset, epsilon };
                let rectified = result.is_some().then_some(y);
                Ok(norm::gradients(x, grad, plane, channels, rectified, shortcut.is_some()))
            })?;
            gradients.add(&gain, found.gain)?;
            gradients.add(&offset, found.offset)?;
            if let (Some(shortcut), Some(grad)) = (&shortcut, found.shortcut) {
                gradients.add(shortcut, grad)?;
            }
            gradients.add(&x, found.x)
        });
    }
    Ok((y, moments))
}

/// Normalises by fixed moments, and rectifies with `relu`.
pub(crate) fn normalise_fixed(
    x: &Tensor,
    affine: Affine<'_>,
    moments: &Moments,
    relu: bool,
    engine: &mut Engine,
) -> Result<Tensor> {
    without_kernel(engine, "normalisation apart from a convolution")?;
    let Affine { gain, offset, epsilon } = affine;
    let Moments { mean, variance } = moments;
    let (_, channels, rows, columns) = x.dims4()?;
    if [gain, offset, mean, variance].iter().any(|values| values.elem_count() != channels) {
        bail!("batch normalisation needs one of each parameter for each of {channels} channels");
    }
    let scale = (gain / (variance + f64::from(epsilon))?.sqrt()?)?;
    if matches!(engine, Engine::Composed(_)) {
        let spread = |values: &Tensor| values.reshape((1, channels, 1, 1));
        let shift = (offset - (mean * &scale)?)?;
        let y = x.broadcast_mul(&spread(&scale)?)?.broadcast_add(&spread(&shift)?)?;
        return if relu { relu_composed(&y) } else { Ok(y) };
    }
    let plane = rows * columns;
    let all = [x, gain, offset, mean, variance];
    let out = cpu::with_values(all, |[x, gain, offset, mean, variance]| {
        let channels = norm::Channels { mean, variance, gain, offset, epsilon };
        Ok(norm::forward(x, plane, channels, None, relu))
    })?;
    let y = cpu::tensor(out, x.dims())?;
    if let Some(tape) = engine.tape() {
        let (x, result) = (x.clone(), relu.then(|| y.clone()));
        tape.record(&[&x.clone()], &y, move |mut grad, gradients| {
            mask(&mut grad, result.as_ref())?;
            let by_x = cpu::with_values([&scale], |[scale]| {
                let by_channel = Some(scale);
                let factors = maps::Factors::Crossed { channels, by_channel, by_image: None };
                Ok(maps::scale(&grad, plane, factors, None))
            })?;
            gradients.add(&x, by_x)
        });
    }
    Ok(y)
}

/// [`normalise`] for any device.
pub(super) fn normalise_composed(
    x: &Tensor,
    affine: Affine<'_>,
    shortcut: Option<&Tensor>,
    relu: bool,
) -> Result<(Tensor, Moments)> {
    let Affine { gain, offset, epsilon } = affine;
    let channels = x.dim(1)?;
    let spread = |values: &Tensor| values.reshape((1, channels, 1, 1));
    let mean = x.mean_keepdim((0, 2, 3))?;
    let centred = x.broadcast_sub(&mean)?;
    let variance = centred.sqr()?.mean_keepdim((0, 2, 3))?.flatten_all()?;
    let scale = (gain / (&variance + f64::from(epsilon))?.sqrt()?)?;
    let mut y = centred.broadcast_mul(&spread(&scale)?)?.broadcast_add(&spread(offset)?)?;
    if let Some(shortcut) = shortcut {
        y = (y + shortcut)?;
    }
    if relu {
        y = relu_composed(&y)?;
    }
    Ok((y, Moments { mean: mean.flatten_all()?.detach(), variance: variance.detach() }))
}
