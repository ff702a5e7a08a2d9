//! What dissection leaves for the pages: `dissection/<network>/<layer>/units.json`. Format 2.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use base::artifact::Sealed;
use base::{Field, Split};
use config::{Anchor, Threshold};

pub use config::SIGNIFICANCE;

/// Version of the files below and of the computation behind them.
pub const FORMAT: u32 = 2;
/// The units, as JSON.
pub const UNITS: &str = "units.json";
/// The activation maps of each unit's top patches: one tensor `maps`, `[units, top, rows, columns]`,
/// in rank order.
pub const MAPS: &str = "maps.safetensors";
/// The score of each unit for each patch of the split, in the order of the manifest: one tensor `scores`,
/// `[units, patches]`.
pub const SCORES: &str = "scores.safetensors";
/// Patches that influence is measured on, at most.
pub const SAMPLE: usize = 256;

/// A dissected layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Layer {
    /// Always 2.
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
    /// Where an activation stands in the patch when its map is upsampled.
    pub anchor: Anchor,
    /// Concepts tried, in the order of [`Unit::matches`].
    pub concepts: Vec<Concept>,
    /// How often the masks were dealt out anew to learn what chance gives.
    pub permutations: u32,
    /// What the units' influence was measured on; `None` where it was not: of a network that was recorded without
    /// what its units contribute.
    pub influence: Option<Basis>,
    /// Units in order; `units[i].unit == i + 1`.
    pub units: Vec<Unit>,
}

/// A term with a pixel mask in the data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Concept {
    /// Term id of a lexicon, `malignant` or `benign` for pathology, `breast` or `background`.
    pub id: String,
    /// What kind of thing it is.
    pub category: Category,
    /// How many of the patches hold some of it.
    pub patches: u32,
}

/// Kinds of concepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A lesion by what pathology said of it.
    Pathology,
    /// A lesion by what was seen of it.
    Finding,
    /// A region that is no lesion, such as a tissue.
    Region,
    /// The breast, or the background around it.
    Breast,
}

/// How a unit and a concept agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// Intersection over union, pooled over the annotated patches.
    pub iou: f32,
    /// The same, pooled over the patches that hold some concept of its category.
    pub within: f32,
    /// Area under the ROC curve of the unit's score for patches that hold the concept; none where
    /// all annotated patches do, or none.
    pub auc: Option<f32>,
    /// What chance gives; none where it was not measured.
    pub chance: Option<Chance>,
}

/// IoU of a unit with a concept whose masks were dealt out anew among the patches.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    /// Mean over the permutations.
    pub mean: f32,
    /// 95th percentile over the permutations.
    pub high: f32,
    /// Share of the permutations, the data themselves counted as one, that reach the unit's IoU.
    pub p: f32,
    /// The same for the most remarkable of all concepts tried: of the greatest standardised IoU.
    pub adjusted: f32,
}

/// One channel of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// From 1, as in the paper.
    pub unit: u32,
    /// Activation threshold T_k.
    pub threshold: f32,
    /// How it agrees with each concept.
    pub matches: Vec<Match>,
    /// Area under the ROC curve of its score for cancer; none where one class is missing.
    pub cancer_auc: Option<f32>,
    /// Counts of its scores over the patches in 24 equal bins between the least and greatest score.
    pub histogram: Vec<u32>,
    /// Least and greatest score.
    pub score_range: [f32; 2],
    /// Its activations at all locations of all patches.
    pub activations: Activations,
    /// Top patches, best first; ties by patch number.
    pub top: Vec<TopPatch>,
    /// Patches drawn at random around some percentiles of its scores, highest first.
    pub sample: Vec<Level>,
    /// How it moves the classes, where that was measured.
    pub influence: Option<Influence>,
}

impl Match {
    /// Whether chance, where it was measured, gives as good an agreement rarely enough: with a corrected
    /// probability of at most [`SIGNIFICANCE`].
    pub fn is_beyond_chance(&self) -> Option<bool> {
        self.chance.map(|chance| chance.adjusted <= SIGNIFICANCE)
    }
}

/// Whether a unit has anything to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It answers to some patches more than to others.
    Live,
    /// No activation at any location of any patch is above zero.
    Dead,
    /// It is active, but all patches have the same score: none is at its top.
    Constant,
}

impl Kind {
    /// Whether it has top patches, a rank by influence and a place in a survey.
    pub fn is_live(self) -> bool {
        self == Self::Live
    }
}

impl Layer {
    /// Rank of each unit by influence, from 1, among the live units of which it was measured; none for the others.
    pub fn ranks(&self) -> Vec<Option<u32>> {
        let live = self.units.iter().filter(|unit| unit.kind().is_live());
        let mut ranked: Vec<(u32, u32)> =
            live.filter_map(|unit| Some((unit.influence.as_ref()?.rank, unit.unit))).collect();
        ranked.sort_unstable();
        let mut ranks = vec![None; self.units.len()];
        for (rank, (_, unit)) in (1..).zip(ranked) {
            ranks[unit as usize - 1] = Some(rank);
        }
        ranks
    }
}

impl Unit {
    /// What kind of unit it is, by its activations and scores.
    pub fn kind(&self) -> Kind {
        match (self.activations.range[1] > 0.0, self.score_range[1] > self.score_range[0]) {
            (false, _) => Kind::Dead,
            (true, false) => Kind::Constant,
            (true, true) => Kind::Live,
        }
    }

    /// Every patch that is shown of it.
    pub fn shown(&self) -> impl Iterator<Item = &TopPatch> {
        self.top.iter().chain(self.sample.iter().flat_map(|level| &level.patches))
    }
}

/// Distribution of a unit's activations over all locations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Activations {
    /// Least and greatest.
    pub range: [f32; 2],
    /// Counts in 24 equal bins between them, resolved to a quarter of a power of two.
    pub histogram: Vec<u32>,
    /// Share above zero.
    pub positive: f32,
}

/// Patches around a percentile of a unit's scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Percentile of the scores.
    pub percentile: f32,
    /// Patches drawn, best first.
    pub patches: Vec<TopPatch>,
}

/// What influence was measured on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Basis {
    /// Patches, all of the split or as many with as without cancer drawn from it.
    pub patches: u32,
    /// Those of them with cancer.
    pub positives: u32,
    /// Classes in the order of [`Influence::gradient`].
    pub classes: Vec<String>,
    /// Whether the layer is averaged over its locations and weighted into the classes, so that
    /// gradient times activation is what the unit adds, exactly.
    pub linear: bool,
    /// Area under the ROC curve of the network on these patches.
    pub auc: Option<f32>,
    /// Whether units were silenced one by one.
    pub ablated: bool,
}

/// How a unit moves the classes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Influence {
    /// Mean over the patches of gradient times activation, summed over the locations, per class.
    pub gradient: Vec<f32>,
    /// Greatest score times the weight of the last layer, per class, where the layer is linear.
    pub weighted: Option<Vec<f32>>,
    /// In how many patches it is among the eight that contribute most to cancer.
    pub top8: u32,
    /// Place among the layer's units by that count, from 1; ties by the gradient for cancer.
    pub rank: u32,
    /// By how much the area under the ROC curve falls when the unit is silenced.
    pub ablation: Option<f32>,
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

/// A dissected layer, read back. Units that are not live have no patches: those that were written are the
/// first of the split, and show nothing.
///
/// # Errors
/// When the file is missing, not what was sealed, or unreadable.
pub fn read(folder: &Path) -> Result<Layer> {
    let mut layer: Layer = Sealed::open(folder)?.json(UNITS)?;
    for unit in layer.units.iter_mut().filter(|unit| !unit.kind().is_live()) {
        unit.top.clear();
        unit.sample.clear();
    }
    Ok(layer)
}

/// How many units a finished folder has; `None` when it is not there or not readable.
pub fn unit_count(folder: &Path) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Count {
        units: Vec<serde::de::IgnoredAny>,
    }
    let sealed = Sealed::open(folder).ok()?;
    // Their maps say so at once; the units themselves are hundreds of megabytes in a large atlas.
    if let Some(units) = crate::maps::units(folder) {
        return Some(units);
    }
    sealed.json::<Count>(UNITS).ok().map(|count| count.units.len() as u32)
}

/// Where the cells of a map lie when it is upsampled: at their fields' centres, or as a plain resize
/// to the patch puts them.
pub fn anchored(anchor: Anchor, field: Field, map: [u32; 2], edge: u32) -> Field {
    match anchor {
        Anchor::ReceptiveField => field,
        Anchor::Pixel => {
            let stride = edge as f32 / map[0].max(1) as f32;
            Field { stride, centre: stride / 2.0, ..field }
        }
    }
}
