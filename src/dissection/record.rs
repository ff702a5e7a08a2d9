//! What dissection leaves for the pages: `dissection/<network>/<layer>/units.json`. Format 1.

use serde::{Deserialize, Serialize};

use crate::config::{Split, Threshold};

/// A dissected layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Always 1.
    pub format: u32,
    /// Network.
    pub network: String,
    /// Probe point.
    pub layer: String,
    /// BLAKE3 of the weights that were dissected.
    pub weights_blake3: String,
    /// Split whose patches were shown.
    pub split: Split,
    /// How many patches were shown.
    pub patches: u32,
    /// Rows and columns of an activation map.
    pub map: [u32; 2],
    /// Where a unit looks.
    pub field: Field,
    /// Rule of the thresholds.
    pub threshold: Threshold,
    /// Concepts tried, in the order of [`Unit::ious`].
    pub concepts: Vec<Concept>,
    /// Units in order; `units[i].unit == i + 1`.
    pub units: Vec<Unit>,
}

/// Receptive field of a layer, in pixels of the stored patch: the field of the unit at row 0,
/// column 0 is centred on `centre`; a step in the map moves it by `stride`. Fields may reach over
/// the patch's edge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Edge of the field.
    pub edge: f32,
    /// Distance between neighbouring fields.
    pub stride: f32,
    /// Centre of the first field, the same in x and y.
    pub centre: f32,
}

/// A term with a pixel mask in the data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concept {
    /// Lexicon term id, or `malignant` / `benign` for pathology.
    pub id: String,
    /// How many of the patches hold some of it.
    pub patches: u32,
}

/// One channel of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// From 1, as in the paper.
    pub unit: u32,
    /// Activation threshold T_k.
    pub threshold: f32,
    /// Intersection over union with each concept, pooled over the patches.
    pub ious: Vec<f32>,
    /// Counts of its scores over the patches in 24 equal bins between the least and greatest score.
    pub histogram: Vec<u32>,
    /// Least and greatest score.
    pub score_range: [f32; 2],
    /// Top patches, best first; ties by patch number.
    pub top: Vec<TopPatch>,
}

/// A patch a unit responds to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopPatch {
    /// Patch number in the manifest.
    pub patch: u32,
    /// The unit's greatest activation in the patch.
    pub score: f32,
    /// Row and column of that maximum in the map.
    pub at: [u32; 2],
    /// Receptive field of that maximum clipped to the patch: x, y, width, height in patch pixels.
    pub roi: [f32; 4],
    /// Region where the upsampled map exceeds the threshold: SVG path data in patch pixels, closed
    /// rings to be filled by the even-odd rule; empty when nothing exceeds it.
    pub overlay: String,
}

/// Name of a unit in labels and links: `vgg16/conv5_3/0063`.
pub fn unit_name(network: &str, layer: &str, unit: u32) -> String {
    format!("{network}/{layer}/{unit:04}")
}
