//! From grey patches to what a network sees.

use anyhow::{Result, bail};
use candle_core::{DType, Device, Tensor};

/// Mean and standard deviation of the ImageNet images per channel, as torchvision's weights expect.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f64; 3] = [0.229, 0.224, 0.225];

/// Stacks grey patches of `edge` x `edge` pixels, row by row, into a network's input, n x 3 x
/// `input` x `input`, on the device: resized as Pillow and torchvision do (bilinear, antialiased,
/// without rounding), scaled to 0 to 1, repeated over three channels and normalised by ImageNet's
/// mean and standard deviation.
///
/// # Errors
/// When a patch has another size.
pub fn images(patches: &[&[u8]], edge: u32, input: u32, device: &Device) -> Result<Tensor> {
    let (count, from, to) = (patches.len(), edge as usize, input as usize);
    if from == 0 || to == 0 {
        bail!("cannot resize patches of {edge} pixels to {input} pixels");
    }
    if let Some(patch) = patches.iter().find(|patch| patch.len() != from * from) {
        bail!("a patch of {edge} x {edge} pixels cannot hold {} values", patch.len());
    }
    // Bytes travel to the device; the arithmetic happens there.
    let bytes = Tensor::from_vec(patches.concat(), (count, from, from), device)?;
    let mut x = bytes.to_dtype(DType::F32)?;
    if from != to && count > 0 {
        let weights = Tensor::from_vec(resize_weights(from, to), (from, to), device)?;
        // Along the columns, then, turned, along the rows.
        x = x.reshape((count * from, from))?.matmul(&weights)?;
        x = x.reshape((count, from, to))?.transpose(1, 2)?.contiguous()?;
        x = x.reshape((count * to, from))?.matmul(&weights)?;
        x = x.reshape((count, to, to))?.transpose(1, 2)?.contiguous()?;
    } else {
        x = x.reshape((count, to, to))?;
    }
    let channels = (0..3)
        .map(|c| x.affine(1.0 / 255.0 / DEVIATION[c], -MEAN[c] / DEVIATION[c]))
        .collect::<candle_core::Result<Vec<Tensor>>>()?;
    Ok(Tensor::stack(&channels, 1)?)
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
