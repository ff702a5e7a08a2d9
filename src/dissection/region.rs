//! Regions of a dissected layer's units in patches that dissection kept none of.

use super::overlay::Tracer;
use super::upsample::Upsampler;
use record::dissection::Layer;

/// Draws where a unit's upsampled map exceeds its threshold, as [`record::dissection`] has it.
pub struct Regions {
    tracer: Tracer,
    pixels: Upsampler,
}

impl Regions {
    /// Of a layer, in patches of `edge` pixels.
    pub fn of(layer: &Layer, edge: u32) -> Self {
        let anchor = record::dissection::anchored(layer.anchor, layer.field, layer.map, edge);
        let tracer = Tracer::new(layer.map[0], anchor, edge);
        Self { tracer, pixels: Upsampler::pixels(layer.map, anchor, edge) }
    }

    /// SVG path data in patch pixels, as [`TopPatch::overlay`](record::dissection::TopPatch::overlay).
    pub fn path(&self, map: &[f32], threshold: f32) -> String {
        self.tracer.trace(map, threshold)
    }

    /// Whether each pixel belongs to it, row by row.
    pub fn mask(&self, map: &[f32], threshold: f32) -> Vec<bool> {
        let edge = self.pixels.len();
        let mut row = vec![0.0; edge];
        let mut mask = Vec::with_capacity(edge * edge);
        for y in 0..edge {
            self.pixels.row(map, y, &mut row);
            mask.extend(row.iter().map(|&value| value > threshold));
        }
        mask
    }
}
