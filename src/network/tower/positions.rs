//! Positions of tokens, resized to a grid of another size.

use candle_core::{Result, Tensor};

/// PyTorch's constant of the cubic kernel (Keys 1981).
const A: f64 = -0.75;

/// Positions on a grid of `from` x `from`, positions x width row by row, on one of `to` x `to`: bicubic and not
/// antialiased, as PyTorch's `interpolate` has it, edges repeated.
///
/// `more` is what is added to `to` for the scale alone: DINOv2 was trained and published with 0.1 there, so that its
/// grid reaches a little less far than the pixels that it is for
/// (`interpolate_pos_encoding` of its `vision_transformer.py`, `interpolate_offset`).
///
/// candle-transformers' DINOv2 takes the nearest position instead, and its others none but their own grid.
pub(super) fn resized(positions: &Tensor, from: usize, to: usize, more: f64) -> Result<Tensor> {
    let (_, width) = positions.dims2()?;
    let scale = from as f64 / (to as f64 + more);
    let weights = Tensor::from_vec(weights(from, to, scale), (to, from), positions.device())?;
    // Along the rows, then, turned, along the columns, and back.
    let rows = weights.matmul(&positions.reshape((from, from * width))?)?;
    let turned = rows.reshape((to, from, width))?.transpose(0, 1)?.contiguous()?;
    let columns = weights.matmul(&turned.reshape((from, to * width))?)?;
    let turned = columns.reshape((to, to, width))?.transpose(0, 1)?.contiguous()?;
    turned.reshape((to * to, width))
}

/// What each of `from` values counts in each of `to`, `to` x `from`; `scale` is the distance of two of the
/// results in distances of the values.
fn weights(from: usize, to: usize, scale: f64) -> Vec<f32> {
    let mut weights = vec![0f32; to * from];
    for (i, row) in weights.chunks_exact_mut(from).enumerate() {
        let centre = scale * (i as f64 + 0.5) - 0.5;
        let first = centre.floor();
        for offset in -1..=2i32 {
            let at = first + f64::from(offset);
            // As often as the kernel reaches over an edge, the value there counts.
            row[at.clamp(0.0, (from - 1) as f64) as usize] += kernel((centre - at).abs()) as f32;
        }
    }
    weights
}

/// The cubic kernel at a distance of 0 to 2.
fn kernel(x: f64) -> f64 {
    match x <= 1.0 {
        true => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
        false => ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A,
    }
}
