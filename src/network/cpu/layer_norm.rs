//! Normalisation of every position of a map over its channels (Ba, Kiros & Hinton 2016).
//!
//! Maps lie channel by channel, so that a position's values are far apart: sums run over blocks of
//! neighbouring positions, channel after channel.

use pulp::Arch;
use rayon::prelude::*;

use super::norm::fold;

/// Positions whose sums are taken side by side.
const BLOCK: usize = 128;
/// Channels that are summed before the sum joins the others: rounding grows with the length of a sum.
const RUN: usize = 32;

/// Sizes of maps: images x channels x positions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub channels: usize,
    pub positions: usize,
}

/// Mean and inverse deviation of every position of every image.
pub(crate) struct Moments {
    mean: Vec<f32>,
    inverse: Vec<f32>,
}

/// A block of positions in one channel.
#[derive(Clone, Copy)]
struct Place {
    channel: usize,
    /// Its first value among those of the maps.
    value: usize,
    /// Its first position among those of all images.
    position: usize,
    /// How many positions it has.
    count: usize,
}

impl Place {
    /// Its values of maps.
    fn of(self, maps: &[f32]) -> &[f32] {
        &maps[self.value..][..self.count]
    }

    /// What there is of its positions.
    fn at(self, positions: &[f32]) -> &[f32] {
        &positions[self.position..][..self.count]
    }
}

impl Sizes {
    /// Two sums over the channels at every position of every image, of what `add` adds for a place.
    fn sums(
        self,
        images: usize,
        add: impl Fn(Place, &mut [[f32; BLOCK]; 2]) + Sync,
    ) -> [Vec<f32>; 2] {
        let Sizes { channels, positions } = self;
        let blocks = positions.div_ceil(BLOCK);
        let block = |task: usize| {
            let (image, first) = (task / blocks, task % blocks * BLOCK);
            let count = BLOCK.min(positions - first);
            let mut sums = [[0f32; BLOCK]; 2];
            for run in (0..channels).step_by(RUN) {
                let mut partial = [[0f32; BLOCK]; 2];
                for channel in run..(run + RUN).min(channels) {
                    let value = (image * channels + channel) * positions + first;
                    let position = image * positions + first;
                    add(Place { channel, value, position, count }, &mut partial);
                }
                for (sums, partial) in sums.iter_mut().zip(&partial) {
                    for (sum, partial) in sums.iter_mut().zip(partial) {
                        *sum += partial;
                    }
                }
            }
            (sums, count)
        };
        let all: Vec<_> = (0..images * blocks).into_par_iter().map(block).collect();
        [0, 1].map(|which| {
            all.iter().flat_map(|(sums, count)| &sums[which][..*count]).copied().collect()
        })
    }
}

/// The moments of `x`.
pub(crate) fn moments(x: &[f32], sizes: Sizes, epsilon: f32) -> Moments {
    let Sizes { channels, positions } = sizes;
    let images = x.len() / (channels * positions).max(1);
    let share = 1.0 / channels as f32;
    let [mut mean, _] = sizes.sums(images, |place, [sums, _]| {
        let x = place.of(x);
        Arch::new().dispatch(|| {
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum += x;
            }
        });
    });
    for mean in &mut mean {
        *mean *= share;
    }
    let [mut inverse, _] = sizes.sums(images, |place, [sums, _]| {
        let (x, mean) = (place.of(x), place.at(&mean));
        Arch::new().dispatch(|| {
            for ((sum, x), mean) in sums.iter_mut().zip(x).zip(mean) {
                let centred = x - mean;
                *sum += centred * centred;
            }
        });
    });
    for inverse in &mut inverse {
        *inverse = 1.0 / (*inverse * share + epsilon).sqrt();
    }
    Moments { mean, inverse }
}

/// `(x - mean) * inverse deviation * gain + offset`.
pub(crate) fn forward(
    x: &[f32],
    sizes: Sizes,
    moments: &Moments,
    gain: &[f32],
    offset: &[f32],
) -> Vec<f32> {
    let Sizes { channels, positions } = sizes;
    let mut out = vec![0.0; x.len()];
    let plane = positions.max(1);
    out.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate().for_each(|(i, (out, x))| {
        let (gain, offset) = (gain[i % channels], offset[i % channels]);
        let image = i / channels * positions;
        let [mean, inverse] =
            [&moments.mean, &moments.inverse].map(|all| &all[image..][..positions]);
        Arch::new().dispatch(|| {
            for (((out, x), mean), inverse) in out.iter_mut().zip(x).zip(mean).zip(inverse) {
                *out = (x - mean) * inverse * gain + offset;
            }
        });
    });
    out
}

/// Gradients of [`forward`].
pub(crate) struct Gradients {
    /// By `x`.
    pub x: Vec<f32>,
    /// By the gains.
    pub gain: Vec<f32>,
    /// By the offsets.
    pub offset: Vec<f32>,
}

/// Gradients of [`forward`] by the moments of `x` itself, through which the gradient flows too, given
/// `grad`, the gradient by its output, whose memory becomes the gradient by `x`.
pub(crate) fn gradients(
    x: &[f32],
    mut grad: Vec<f32>,
    sizes: Sizes,
    moments: &Moments,
    gain: &[f32],
) -> Gradients {
    let Sizes { channels, positions } = sizes;
    let images = x.len() / (channels * positions).max(1);
    let share = 1.0 / channels as f32;
    // Of every position: what the mean takes back, and what the deviation does.
    let [level, slope] = sizes.sums(images, |place, [levels, slopes]| {
        let (x, grad) = (place.of(x), place.of(&grad));
        let (mean, inverse) = (place.at(&moments.mean), place.at(&moments.inverse));
        let gain = gain[place.channel];
        Arch::new().dispatch(|| {
            let sums = levels.iter_mut().zip(slopes.iter_mut());
            let values = x.iter().zip(grad).zip(mean.iter().zip(inverse));
            for ((level, slope), ((x, grad), (mean, inverse))) in sums.zip(values) {
                let grad = grad * gain;
                *level += grad;
                *slope += grad * ((x - mean) * inverse);
            }
        });
    });
    let plane = positions.max(1);
    let by_plane: Vec<[f64; 2]> = grad
        .par_chunks_mut(plane)
        .zip(x.par_chunks(plane))
        .enumerate()
        .map(|(i, (grad, x))| {
            let gain = gain[i % channels];
            let image = i / channels * positions;
            let all = [&moments.mean, &moments.inverse, &level, &slope];
            let [mean, inverse, level, slope] = all.map(|all| &all[image..][..positions]);
            super::with_scratch(x.len(), |normalised| {
                Arch::new().dispatch(|| {
                    for (((to, x), mean), inverse) in
                        normalised.iter_mut().zip(x).zip(mean).zip(inverse)
                    {
                        *to = (x - mean) * inverse;
                    }
                    let normalised = &*normalised;
                    let sums = [
                        fold([&*grad, normalised], |[grad, x]| grad * x),
                        fold([&*grad], |[grad]| grad),
                    ];
                    let taken = inverse.iter().zip(level.iter().zip(slope));
                    for ((grad, x), (inverse, (level, slope))) in
                        grad.iter_mut().zip(normalised).zip(taken)
                    {
                        *grad = inverse * (*grad * gain - (level + x * slope) * share);
                    }
                    sums
                })
            })
        })
        .collect();
    let of_channel = |channel: usize, which: usize| {
        let planes = by_plane.iter().skip(channel).step_by(channels);
        planes.map(|sums| sums[which]).sum::<f64>() as f32
    };
    Gradients {
        gain: (0..channels).map(|channel| of_channel(channel, 0)).collect(),
        offset: (0..channels).map(|channel| of_channel(channel, 1)).collect(),
        x: grad,
    }
}
