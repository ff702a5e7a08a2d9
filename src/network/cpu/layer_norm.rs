//! Normalisation of every position of a map over its channels (Ba, Kiros & Hinton 2016).
//!
//! Maps lie channel by channel, so that a position's values are far apart: sums run over blocks of
//! neighbouring positions, channel after channel.

use pulp::Arch;
use rayon::prelude::*;

use super::norm::fold;

/// Positions whose sums are taken side by side.
const BLOCK: usize = 64;
/// Channels that are summed before the sum joins the others: rounding grows with the length of a sum.
const RUN: usize = 32;

/// Sizes of maps: images x channels x positions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub channels: usize,
    pub positions: usize,
}

impl Sizes {
    /// For every block of positions of every image: two sums over the channels at each, of what `of` makes
    /// of a channel's values there, given the channel, the place of the block in the maps and among
    /// positions, and how many there are.
    fn sums(
        self,
        images: usize,
        of: impl Fn(usize, usize, usize, &mut [[f32; BLOCK]; 2]) + Sync,
    ) -> Vec<[f32; 2]> {
        let Sizes { channels, positions } = self;
        let blocks = positions.div_ceil(BLOCK);
        let sums = (0..images * blocks).into_par_iter().flat_map_iter(|task| {
            let (image, first) = (task / blocks, task % blocks * BLOCK);
            let mut sums = [[0f32; BLOCK]; 2];
            for run in (0..channels).step_by(RUN) {
                let mut partial = [[0f32; BLOCK]; 2];
                for channel in run..(run + RUN).min(channels) {
                    let at = (image * channels + channel) * positions + first;
                    of(channel, at, image * positions + first, &mut partial);
                }
                for (sums, partial) in sums.iter_mut().zip(&partial) {
                    for (sum, partial) in sums.iter_mut().zip(partial) {
                        *sum += partial;
                    }
                }
            }
            let count = BLOCK.min(positions - first);
            (0..count).map(move |i| [sums[0][i], sums[1][i]])
        });
        sums.collect()
    }

    /// How many positions of a block there are, from the place of its first among those of all images.
    fn count(self, position: usize) -> usize {
        BLOCK.min(self.positions - position % self.positions)
    }
}

/// Mean and inverse deviation of every position of every image.
pub(crate) fn moments(x: &[f32], sizes: Sizes, epsilon: f32) -> Vec<[f32; 2]> {
    let Sizes { channels, positions } = sizes;
    let images = x.len() / (channels * positions).max(1);
    let share = 1.0 / channels as f32;
    let means = sizes.sums(images, |_, at, position, [sums, _]| {
        let x = &x[at..][..sizes.count(position)];
        Arch::new().dispatch(|| {
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum += x;
            }
        });
    });
    let squares = sizes.sums(images, |_, at, position, [sums, _]| {
        let count = sizes.count(position);
        let (x, means) = (&x[at..][..count], &means[position..][..count]);
        Arch::new().dispatch(|| {
            for ((sum, x), [mean, _]) in sums.iter_mut().zip(x).zip(means) {
                let centred = x - mean * share;
                *sum += centred * centred;
            }
        });
    });
    let moment = |([sum, _], [squares, _]): (&[f32; 2], &[f32; 2])| {
        [sum * share, 1.0 / (squares * share + epsilon).sqrt()]
    };
    means.iter().zip(&squares).map(moment).collect()
}

/// `(x - mean) * inverse deviation * gain + offset`.
pub(crate) fn forward(
    x: &[f32],
    sizes: Sizes,
    moments: &[[f32; 2]],
    gain: &[f32],
    offset: &[f32],
) -> Vec<f32> {
    let Sizes { channels, positions } = sizes;
    let mut out = vec![0.0; x.len()];
    let plane = positions.max(1);
    out.par_chunks_mut(plane).zip(x.par_chunks(plane)).enumerate().for_each(|(i, (out, x))| {
        let (gain, offset) = (gain[i % channels], offset[i % channels]);
        let moments = &moments[i / channels * positions..][..positions];
        Arch::new().dispatch(|| {
            for ((out, x), [mean, inverse]) in out.iter_mut().zip(x).zip(moments) {
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
    moments: &[[f32; 2]],
    gain: &[f32],
) -> Gradients {
    let Sizes { channels, positions } = sizes;
    let images = x.len() / (channels * positions).max(1);
    let share = 1.0 / channels as f32;
    // Of every position: what the mean takes back, and what the deviation does.
    let taken = sizes.sums(images, |channel, at, position, [levels, slopes]| {
        let count = sizes.count(position);
        let (x, grad) = (&x[at..][..count], &grad[at..][..count]);
        let moments = &moments[position..][..count];
        let gain = gain[channel];
        Arch::new().dispatch(|| {
            let sums = levels.iter_mut().zip(slopes.iter_mut());
            for (((level, slope), (x, grad)), [mean, inverse]) in
                sums.zip(x.iter().zip(grad)).zip(moments)
            {
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
            let (moments, taken) = (&moments[image..][..positions], &taken[image..][..positions]);
            with_normalised(x, moments, |normalised| {
                Arch::new().dispatch(|| {
                    let sums = [
                        fold([&*grad, normalised], |[grad, x]| grad * x),
                        fold([&*grad], |[grad]| grad),
                    ];
                    for (((grad, x), [_, inverse]), [level, slope]) in
                        grad.iter_mut().zip(normalised).zip(moments).zip(taken)
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

/// Calls `f` with the normalised values of a plane, without gain and offset.
fn with_normalised<R>(x: &[f32], moments: &[[f32; 2]], f: impl FnOnce(&[f32]) -> R) -> R {
    super::with_scratch(x.len(), |out| {
        Arch::new().dispatch(|| {
            for ((out, x), [mean, inverse]) in out.iter_mut().zip(x).zip(moments) {
                *out = (x - mean) * inverse;
            }
        });
        f(out)
    })
}
