//! Batch normalisation (Ioffe & Szegedy 2015).

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor, bail};

use super::activation::relu_composed;
use crate::network::cpu::{self, norm::Channels};

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

/// What to normalise by.
pub(crate) enum Statistics<'a> {
    /// The moments of the batch itself.
    Batch,
    /// These, as constants.
    Fixed(&'a Moments),
}

struct Normalise {
    mean: Vec<f32>,
    variance: Vec<f32>,
    epsilon: f32,
    relu: bool,
    /// Whether the moments are those of the argument.
    batch: bool,
    plane: usize,
}

impl Normalise {
    fn channels<'a>(&'a self, affine: &'a [f32]) -> Channels<'a> {
        let (gain, offset) = affine.split_at(self.mean.len());
        let epsilon = self.epsilon;
        Channels { mean: &self.mean, variance: &self.variance, gain, offset, epsilon }
    }

    /// Gradients by `x`, the affine parameters and the shortcut.
    fn gradients(
        &self,
        x: &Tensor,
        affine: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Tensor, Tensor, Tensor)> {
        cpu::with_values([x, affine, y, grad], |[x_values, affine_values, y, grad_values]| {
            let channels = self.channels(affine_values);
            let gradients = cpu::norm::gradients(
                x_values,
                y,
                grad_values,
                self.plane,
                channels,
                self.relu,
                self.batch,
            );
            let mut by_affine = gradients.gain;
            by_affine.extend(gradients.offset);
            let by_shortcut = match gradients.shortcut {
                Some(values) => cpu::tensor(values, x.dims())?,
                None => grad.clone(),
            };
            Ok((
                cpu::tensor(gradients.x, x.dims())?,
                cpu::tensor(by_affine, affine.dims())?,
                by_shortcut,
            ))
        })
    }
}

impl CustomOp2 for Normalise {
    fn name(&self) -> &'static str {
        "batch normalisation"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        affine: &CpuStorage,
        affine_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let channels = self.channels(cpu::values(affine, affine_layout)?);
        let x = cpu::values(x, x_layout)?;
        let out = cpu::norm::forward(x, self.plane, channels, None, self.relu);
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        affine: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (by_x, by_affine, _) = self.gradients(x, affine, y, grad)?;
        Ok((Some(by_x), Some(by_affine)))
    }
}

impl CustomOp3 for Normalise {
    fn name(&self) -> &'static str {
        "batch normalisation with shortcut"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        affine: &CpuStorage,
        affine_layout: &Layout,
        shortcut: &CpuStorage,
        shortcut_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let channels = self.channels(cpu::values(affine, affine_layout)?);
        let shortcut = cpu::values(shortcut, shortcut_layout)?;
        let x = cpu::values(x, x_layout)?;
        let out = cpu::norm::forward(x, self.plane, channels, Some(shortcut), self.relu);
        Ok((CpuStorage::F32(out), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        affine: &Tensor,
        _shortcut: &Tensor,
        y: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (by_x, by_affine, by_shortcut) = self.gradients(x, affine, y, grad)?;
        Ok((Some(by_x), Some(by_affine), Some(by_shortcut)))
    }
}

/// Normalises images x channels x rows x columns per channel, multiplies by the gain, adds the
/// offset and the shortcut, and rectifies with `relu`. Also returns the moments it normalised by.
pub(crate) fn normalise(
    x: &Tensor,
    affine: Affine<'_>,
    statistics: Statistics<'_>,
    shortcut: Option<&Tensor>,
    relu: bool,
) -> Result<(Tensor, Moments)> {
    if !x.device().is_cpu() {
        return normalise_composed(x, affine, statistics, shortcut, relu);
    }
    let Affine { gain, offset, epsilon } = affine;
    let (_, channels, rows, columns) = x.dims4()?;
    if shortcut.is_some_and(|shortcut| shortcut.dims() != x.dims()) {
        bail!("a shortcut must have the shape of what it is added to");
    }
    let x = x.contiguous()?;
    let plane = rows * columns;
    let batch = matches!(statistics, Statistics::Batch);
    let (mean, variance) = match statistics {
        Statistics::Batch => {
            cpu::with_values([&x], |[x]| Ok(cpu::norm::moments(x, channels, plane)))?
        }
        Statistics::Fixed(Moments { mean, variance }) => {
            cpu::with_values([mean, variance], |[mean, variance]| {
                Ok((mean.to_vec(), variance.to_vec()))
            })?
        }
    };
    if [mean.len(), variance.len(), gain.elem_count(), offset.elem_count()] != [channels; 4] {
        bail!("batch normalisation needs one of each parameter for each of {channels} channels");
    }
    let moments = Moments {
        mean: cpu::tensor(mean.clone(), &[channels])?,
        variance: cpu::tensor(variance.clone(), &[channels])?,
    };
    let affine = Tensor::stack(&[gain, offset], 0)?;
    let op = Normalise { mean, variance, epsilon, relu, batch, plane };
    let y = match shortcut {
        Some(shortcut) => x.apply_op3(&affine, &shortcut.contiguous()?, op)?,
        None => x.apply_op2(&affine, op)?,
    };
    Ok((y, moments))
}

/// [`normalise`] for any device.
pub(super) fn normalise_composed(
    x: &Tensor,
    affine: Affine<'_>,
    statistics: Statistics<'_>,
    shortcut: Option<&Tensor>,
    relu: bool,
) -> Result<(Tensor, Moments)> {
    let Affine { gain, offset, epsilon } = affine;
    let channels = x.dim(1)?;
    let spread = |values: &Tensor| values.reshape((1, channels, 1, 1));
    let (centred, moments) = match statistics {
        Statistics::Batch => {
            let mean = x.mean_keepdim((0, 2, 3))?;
            let centred = x.broadcast_sub(&mean)?;
            let variance = centred.sqr()?.mean_keepdim((0, 2, 3))?;
            (centred, Moments { mean: mean.flatten_all()?, variance: variance.flatten_all()? })
        }
        Statistics::Fixed(Moments { mean, variance }) => {
            let moments = Moments { mean: mean.detach(), variance: variance.detach() };
            (x.broadcast_sub(&spread(&moments.mean)?)?, moments)
        }
    };
    let scale = (gain / (&moments.variance + f64::from(epsilon))?.sqrt()?)?;
    let mut y = centred.broadcast_mul(&spread(&scale)?)?.broadcast_add(&spread(offset)?)?;
    if let Some(shortcut) = shortcut {
        y = (y + shortcut)?;
    }
    if relu {
        y = relu_composed(&y)?;
    }
    let moments = Moments { mean: moments.mean.detach(), variance: moments.variance.detach() };
    Ok((y, moments))
}
