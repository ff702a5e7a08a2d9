//! From grey patches, or colour images, to what a network sees.

use anyhow::{Result, bail};
use candle_core::{DType, Device, Tensor};

/// What red, green and blue are normalised by, of values from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Colours {
    pub(crate) mean: [f64; 3],
    pub(crate) deviation: [f64; 3],
}

impl Colours {
    /// Mean and standard deviation of the ImageNet images, as torchvision's weights expect.
    pub(crate) const IMAGENET: Colours =
        Colours { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] };
    /// From -1 to 1.
    pub(crate) const HALF: Colours = Colours { mean: [0.5; 3], deviation: [0.5; 3] };

    /// As one channel of all three: their mean and their mean deviation, of ImageNet's 0.449 and 0.226.
    pub(crate) fn grey(self) -> Normal {
        let mean = |of: [f64; 3]| of.iter().sum::<f64>() / 3.0;
        Normal::Grey { mean: mean(self.mean), deviation: mean(self.deviation) }
    }
}

/// How grey images become a network's input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Normal {
    /// Repeated over three channels, each normalised by its own mean and deviation.
    Colour(Colours),
    /// One channel with this mean and deviation of values from 0 to 1.
    Grey { mean: f64, deviation: f64 },
}

/// Grey images of `from` width and height, row by row, as inputs of `to`, n x channels x height x width.
pub(crate) fn grey(
    images: &[&[u8]],
    from: [u32; 2],
    to: [u32; 2],
    normal: Normal,
    device: &Device,
) -> Result<Tensor> {
    as_inputs(&resized(images, 1, from, to, device)?, normal)
}

/// Grey images of values 0 to 255, n x height x width, as inputs, n x channels x height x width.
pub(crate) fn as_inputs(grey: &Tensor, normal: Normal) -> Result<Tensor> {
    match normal {
        Normal::Colour(colours) => normalised(&[grey, grey, grey], colours),
        Normal::Grey { mean, deviation } => {
            Ok(grey.affine(1.0 / 255.0 / deviation, -mean / deviation)?.unsqueeze(1)?)
        }
    }
}

/// The gradient by the grey images of [`as_inputs`], given that by the inputs.
pub(crate) fn by_grey(by_inputs: &Tensor, normal: Normal) -> Result<Tensor> {
    let channel = |c: usize, deviation: f64| {
        by_inputs.narrow(1, c, 1)?.squeeze(1)?.affine(1.0 / 255.0 / deviation, 0.0)
    };
    match normal {
        Normal::Colour(Colours { deviation, .. }) => {
            let [red, green, blue] = [0, 1, 2].map(|c| channel(c, deviation[c]));
            Ok(((red? + green?)? + blue?)?)
        }
        Normal::Grey { deviation, .. } => Ok(channel(0, deviation)?),
    }
}

/// Stacks grey patches of `edge` x `edge` pixels, row by row, into a network's input, n x 3 x
/// `input` x `input`, on the device: resized as Pillow and torchvision do (bilinear, antialiased,
/// without rounding), scaled to 0 to 1, repeated over three channels and normalised by ImageNet's
/// mean and standard deviation.
///
/// # Errors
/// When a patch has another size.
pub fn images(patches: &[&[u8]], edge: u32, input: u32, device: &Device) -> Result<Tensor> {
    grey(patches, [edge; 2], [input; 2], Normal::Colour(Colours::IMAGENET), device)
}

/// Colour images as inputs, n x 3 x `input` x `input`, resized and normalised: red, green and blue of a pixel follow
/// each other.
///
/// # Errors
/// When an image has another size.
pub(crate) fn colour(
    pixels: &[&[u8]],
    edge: u32,
    input: u32,
    colours: Colours,
    device: &Device,
) -> Result<Tensor> {
    let planes: Vec<Vec<u8>> = pixels
        .iter()
        .map(|pixels| {
            (0..3).flat_map(|c| pixels.iter().skip(c).step_by(3).copied()).collect::<Vec<u8>>()
        })
        .collect();
    let planes: Vec<&[u8]> = planes.iter().map(Vec::as_slice).collect();
    let x = resized(&planes, 3, [edge; 2], [input; 2], device)?;
    let (all, to) = (planes.len(), input as usize);
    let x = x.reshape((all, 3, to, to))?;
    let channel = |c| x.narrow(1, c, 1)?.squeeze(1);
    normalised(&[&channel(0)?, &channel(1)?, &channel(2)?], colours)
}

/// Red, green and blue, each n x rows x columns of values 0 to 255, normalised and stacked.
fn normalised(channels: &[&Tensor; 3], colours: Colours) -> Result<Tensor> {
    let Colours { mean, deviation } = colours;
    let channels = (0..3)
        .map(|c| channels[c].affine(1.0 / 255.0 / deviation[c], -mean[c] / deviation[c]))
        .collect::<candle_core::Result<Vec<Tensor>>>()?;
    Ok(Tensor::stack(&channels, 1)?)
}

/// Images of `planes` planes one after the other, resized, (n * planes) x height x width, values 0 to 255.
/// Sizes are width and height.
fn resized(
    images: &[&[u8]],
    planes: usize,
    from: [u32; 2],
    to: [u32; 2],
    device: &Device,
) -> Result<Tensor> {
    let count = images.len() * planes;
    let [[width, height], [columns, rows]] = [from, to].map(|size| size.map(|side| side as usize));
    if [width, height, columns, rows].contains(&0) {
        bail!("cannot resize {width} x {height} pixels to {columns} x {rows}");
    }
    if let Some(image) = images.iter().find(|image| image.len() != planes * width * height) {
        bail!("an image of {width} x {height} pixels cannot hold {} values", image.len());
    }
    // Bytes travel to the device; the arithmetic happens there.
    let bytes = Tensor::from_vec(images.concat(), (count, height, width), device)?;
    let mut x = bytes.to_dtype(DType::F32)?;
    if count > 0 && from != to {
        // Along the columns, then, turned, along the rows.
        x = resized_rows(&x, columns)?.transpose(1, 2)?.contiguous()?;
        x = resized_rows(&x, rows)?.transpose(1, 2)?.contiguous()?;
    }
    Ok(x.reshape((count, rows, columns))?)
}

/// Each row of n x rows x columns resized to a length.
fn resized_rows(x: &Tensor, to: usize) -> Result<Tensor> {
    let (count, rows, from) = x.dims3()?;
    if from == to {
        return Ok(x.clone());
    }
    let weights = Tensor::from_vec(resize_weights(from, to), (from, to), x.device())?;
    Ok(x.reshape((count * rows, from))?.matmul(&weights)?.reshape((count, rows, to))?)
}

/// Weights of an antialiased bilinear resize along one axis, `from` x `to`: a triangle around each
/// output's centre, as wide as the reduction, cut at the edges and normalised (Pillow's
/// `ImagingResample`).
fn resize_weights(from: usize, to: usize) -> Vec<f32> {
    let scale = from as f64 / to as f64;
    let support = scale.max(1.0);
    let mut weights = vec![0f32; from * to];
    for i in 0..to {
        let centre = (i as f64 + 0.5) * scale;
        let start = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let triangle = |at: usize| (1.0 - ((at as f64 - centre + 0.5) / support).abs()).max(0.0);
        let total: f64 = (start..end).map(triangle).sum();
        for at in start..end {
            weights[at * to + i] = (triangle(at) / total) as f32;
        }
    }
    weights
}
