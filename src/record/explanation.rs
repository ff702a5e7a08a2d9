//! What explanation leaves for the pages: `explanation/<network>/explanation.json`. Format 3.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use base::Split;
use base::artifact::Sealed;

/// Version of the file and of the computation behind it.
pub const FORMAT: u32 = 3;
/// Its name in its folder.
pub const FILE: &str = "explanation.json";

/// Why a network scores the mammograms of a split as it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// Always 3.
    pub format: u32,
    /// Network.
    pub network: String,
    /// The dissected layer whose units are held responsible: the last.
    pub layer: String,
    /// BLAKE3 of the weights.
    pub weights_blake3: String,
    /// Split whose mammograms are explained.
    pub split: Split,
    /// Whether the layer is averaged over its locations and weighted into the classes with nothing
    /// between: contributions are then what units add, exactly; elsewhere the first order of it.
    pub exact: bool,
    /// By unit: what it adds to the evidence, the positive contributions of all mammograms summed.
    pub evidence: Vec<f32>,
    /// By unit and class: what it adds to the class's logit, the mean over the deciding patches.
    pub mean: Vec<Vec<f32>>,
    /// Mammograms with patches, in the order of the data set.
    pub mammograms: Vec<Explained>,
}

/// Why one mammogram has its score. A mammogram's score is that of its deciding patch, and that patch
/// is explained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explained {
    /// Its number in the manifest.
    pub mammogram: u32,
    /// Number of the deciding patch: the first with the greatest probability of cancer.
    pub patch: u32,
    /// Probability of cancer of that patch, in [0, 1].
    pub probability: f32,
    /// Logits of the classes in that patch.
    pub logits: Vec<f32>,
    /// Logit of cancer less the mean of the other classes' logits; of two classes the logarithm of
    /// the odds.
    pub margin: f32,
    /// What the units do not add: the margin less all contributions.
    pub rest: f32,
    /// Sum of the positive contributions.
    pub evidence: f32,
    /// Shares of the patch that outlined lesions cover; none where none is outlined in it.
    pub lesions: Option<Covered>,
    /// The units that add most to the margin, most first; none that adds nothing.
    pub units: Vec<Part>,
    /// Every unit that adds to the margin, by its number from 1, with what it adds.
    pub positive: Vec<(u32, f32)>,
}

/// What a unit adds in a patch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// From 1.
    pub unit: u32,
    /// Of the margin.
    pub contribution: f32,
    /// Of each class's logit.
    pub adds: Vec<f32>,
    /// Probability of cancer of the patch with this unit silent, its activations zero. None where more
    /// layers follow than a classifier: there, nothing short of another pass tells.
    pub without: Option<f32>,
    /// The unit's greatest activation in the patch.
    pub score: f32,
    /// Its region in the patch, as dissection draws it; empty when no activation exceeds the threshold.
    pub overlay: String,
    /// Shares of the region that lie in outlined lesions; none without a region, or where no lesion is
    /// outlined in the patch.
    pub inside: Option<Covered>,
}

/// How much of an area outlined lesions cover, by what pathology said of them: shares in [0, 1]. Where a
/// malignant and a benign outline overlap, a place counts for both.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Covered {
    /// By malignant lesions.
    pub malignant: f32,
    /// By benign lesions.
    pub benign: f32,
    /// By lesions of any pathology, unproven ones too.
    pub any: f32,
}

/// An explanation, read back.
///
/// # Errors
/// When the file is missing or unreadable.
pub fn read(folder: &Path) -> Result<Explanation> {
    Sealed::open(folder)?.json(FILE)
}
