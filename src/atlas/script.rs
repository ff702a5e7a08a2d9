//! Data for scripts: files of JavaScript that put one value into `window.unitAtlasData`, under their
//! own path below the root of the site. A page opened from a disk may load a script, and nothing else.
//!
//! What such a value may be is described here and nowhere else in Rust: named structs, whose names the
//! scripts of `themes/default/assets` read. `tests/scripts/formats.json` holds one of each; a test here
//! writes it, the scripts' own tests read it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::tiles::Tiles;
use lexicon::Lexicon;
use record::Patch;

/// Patches, a column of values for each of their properties: a name stands once, not with every patch.
/// `patch.js` makes one object per patch of them.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Patches<'a> {
    /// Ids of their mammograms.
    #[serde(borrow)]
    mammogram: Vec<Cow<'a, str>>,
    /// Left, top and edge in the mammogram's pixels.
    x: Vec<u32>,
    y: Vec<u32>,
    edge: Vec<u32>,
    /// The unit's score, in words.
    score: Vec<String>,
    /// Whether the patch shows cancer.
    cancer: Vec<bool>,
    /// Path data in patch pixels; empty where nothing exceeds the threshold.
    overlay: Vec<String>,
}

impl<'a> Patches<'a> {
    /// Adds a patch of the mammogram `id`, as a unit with this score and overlay sees it.
    pub(super) fn push(&mut self, id: &'a str, patch: &Patch, score: String, overlay: String) {
        self.mammogram.push(id.into());
        self.x.push(patch.x);
        self.y.push(patch.y);
        self.edge.push(patch.edge);
        self.score.push(score);
        self.cancer.push(patch.positive);
        self.overlay.push(overlay);
    }

    /// Mammogram, left, top and edge of each.
    pub(super) fn windows(&self) -> impl Iterator<Item = (&str, [u32; 3])> {
        let places = self.x.iter().zip(&self.y).zip(&self.edge);
        let mammograms = self.mammogram.iter().map(Cow::as_ref);
        mammograms.zip(places.map(|((x, y), edge)| [*x, *y, *edge]))
    }
}

/// What the scripts of a unit's page draw: within the page, for `patches.js` and `heat.js`.
#[derive(Serialize, Deserialize)]
pub(super) struct Drawn<'a> {
    /// The top patches that are not markup.
    #[serde(borrow)]
    pub(super) top: Patches<'a>,
    /// Those of each level of the evidence.
    pub(super) levels: Vec<Patches<'a>>,
    /// Maps of all top patches, those written out too; none where they are not at hand.
    pub(super) heat: Option<Heat>,
}

/// The maps of a unit's top patches.
#[derive(Serialize, Deserialize)]
pub(super) struct Heat {
    /// Cells of a map.
    pub(super) rows: u32,
    pub(super) columns: u32,
    /// Where the centre of the first cell lies, and the distance of the next, in patch pixels.
    pub(super) centre: f32,
    pub(super) stride: f32,
    /// Edge of a patch.
    pub(super) edge: u32,
    /// By rank: a character per cell, row by row, of the alphabet of base 64 from none to the most.
    pub(super) maps: Vec<String>,
}

/// `networks/<network>/<layer>/units.js`, for `layer.js`. Lists are named once; units give places in them.
#[derive(Serialize)]
pub(super) struct LayerUnits<'a> {
    /// Edge of a patch, in pixels: overlays are drawn in them.
    pub(super) edge: u32,
    /// The units' best matches.
    pub(super) concepts: Vec<NamedConcept>,
    pub(super) categories: Vec<String>,
    pub(super) readers: Vec<String>,
    /// What a machine calls units; empty where none was asked.
    pub(super) called: Vec<NamedConcept>,
    /// Unit 1 first.
    pub(super) units: Vec<LayerUnit>,
    /// The patches that they show, unit by unit.
    pub(super) patches: Patches<'a>,
}

/// A concept with its name in words.
#[derive(Serialize)]
pub(super) struct NamedConcept {
    pub(super) id: String,
    pub(super) name: String,
}

/// One unit of a layer.
#[derive(Serialize)]
pub(super) struct LayerUnit {
    pub(super) label: String,
    /// Where that comes from: `consensus`, `readers`, `unrecognizable` (to readers), `machine`, `automatic` or `none`.
    pub(super) from: &'static str,
    /// Its terms and what readers wrote, to search by.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) words: String,
    /// Its best match among `concepts`, and their IoU.
    pub(super) concept: Option<usize>,
    pub(super) iou: f32,
    /// Whether it detects a concept, that or another.
    pub(super) detects: bool,
    /// Its best score in words and, to sort by, in full.
    pub(super) score: String,
    pub(super) sort_score: f32,
    /// Top patches with cancer, of so many.
    pub(super) cancer: usize,
    pub(super) of: usize,
    /// Area under the ROC curve for cancer.
    pub(super) auc: Option<f32>,
    /// Its rank by influence among the live units, from 1; none where it is not live.
    pub(super) influence: Option<u32>,
    /// Places in the lists of the layer.
    pub(super) categories: Vec<usize>,
    pub(super) readers: Vec<usize>,
    /// The term that a machine calls it, among those of the layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) called: Option<usize>,
    /// How many patches of the list are its own.
    pub(super) shown: usize,
    /// Whether its top patches fall into two groups.
    pub(super) groups: bool,
    /// Where it lies on the map of the layer's units, x and y in [-1, 1]; none where it is not on it.
    pub(super) place: Option<[f32; 2]>,
}

/// `networks/<network>/<layer>/<unit>/compare.js`, for `compare.js`.
#[derive(Serialize)]
pub(super) struct ComparedUnit<'a> {
    pub(super) label: String,
    /// Where that comes from, as in [`LayerUnit`].
    pub(super) from: &'static str,
    /// Its best match in words, empty where it has none; their IoU, and whether it detects it.
    pub(super) concept: String,
    pub(super) iou: f32,
    pub(super) detects: bool,
    /// Area under the ROC curve for cancer.
    pub(super) auc: Option<f32>,
    /// Its rank by influence among so many live units of its layer; among none where that was not measured.
    pub(super) influence: Option<u32>,
    pub(super) ranked: usize,
    /// Top patches with cancer, of so many.
    pub(super) cancer: usize,
    pub(super) of: usize,
    /// The split whose patches it was shown.
    pub(super) split: String,
    /// Its first patches, and the place of each in `shares`.
    pub(super) top: Patches<'a>,
    pub(super) places: Vec<usize>,
    /// Of each patch of the split that is among the first of any unit: the share of all its patches that score at
    /// least as high, by [`shares`]; empty where the scores are not at hand.
    pub(super) shares: String,
}

/// The alphabet of base 64: a letter per level from 0.
pub(super) const BASE_64: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Shares in (0, 1], two letters each, rounded up to the next of 4,096 levels.
pub(super) fn shares(shares: impl IntoIterator<Item = f64>) -> String {
    let levels = BASE_64.len() * BASE_64.len();
    let letters = shares.into_iter().flat_map(|share| {
        // Within bounds whatever the share: casts saturate.
        let level = ((share * levels as f64).ceil() as usize).clamp(1, levels) - 1;
        [level / BASE_64.len(), level % BASE_64.len()].map(|at| char::from(BASE_64[at]))
    });
    letters.collect()
}

/// `data/search.js`, for `search.js`.
#[derive(Serialize)]
pub(super) struct SearchIndex<'a> {
    pub(super) pages: Vec<SearchEntry>,
    pub(super) terms: Vec<SearchEntry>,
    pub(super) layers: Vec<SearchLayer>,
    pub(super) mammograms: Vec<SearchMammogram>,
    /// None where no machine names units.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) close: Option<CloseUnits<'a>>,
}

/// Units by what a machine finds them close to.
#[derive(Serialize)]
pub(super) struct CloseUnits<'a> {
    /// The terms that it knows.
    pub(super) groups: Vec<TermGroup<'a>>,
    /// By term: place of the layer, number, and standard deviations above chance, the closest first.
    pub(super) units: BTreeMap<&'a str, Vec<(usize, u32, f32)>>,
}

/// A page or a term.
#[derive(Serialize)]
pub(super) struct SearchEntry {
    pub(super) title: String,
    /// What it is, in words beside the title.
    pub(super) note: String,
    /// Path of the page.
    pub(super) href: String,
    /// Further words to find it by.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) more: String,
    /// What it says at length, in a sentence or in pages of them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) prose: String,
}

/// A layer with so many units. Labels and further words go by the unit's number; those without any are
/// left out.
#[derive(Serialize)]
pub(super) struct SearchLayer {
    /// `network/layer`.
    pub(super) name: String,
    pub(super) units: usize,
    pub(super) labels: BTreeMap<u32, String>,
    pub(super) words: BTreeMap<u32, String>,
}

#[derive(Serialize)]
pub(super) struct SearchMammogram {
    pub(super) id: String,
    /// Which breast and view, where known.
    pub(super) view: String,
}

/// `survey/data.js`: what a survey asks.
#[derive(Serialize)]
pub(super) struct Study<'a> {
    pub(super) study: &'a str,
    /// Id of the lexicon that the terms come from.
    pub(super) lexicon: &'a str,
    pub(super) blind: bool,
    /// Share of the units shown twice.
    pub(super) repeats: f64,
    /// Where files are sent.
    pub(super) contact: Option<&'a str>,
    /// Digest of the text that readers must agree to, which the page holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consent: Option<&'a str>,
    /// What readers are asked about themselves.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) background: &'a [config::Background],
    pub(super) groups: Vec<TermGroup<'a>>,
    /// In the order of their codes.
    pub(super) units: Vec<AskedUnit<'a>>,
    /// Those to practise on, in the order in which they come.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) practice: Vec<PractisedUnit<'a>>,
}

/// A unit to practise on, with what a reader is told after an answer.
#[derive(Serialize)]
pub(super) struct PractisedUnit<'a> {
    #[serde(flatten)]
    pub(super) unit: AskedUnit<'a>,
    pub(super) known: &'a Known,
}

/// What is known of a unit.
#[derive(Serialize)]
pub(super) struct Known {
    /// What it is called.
    pub(super) words: String,
    /// Who says so: `consensus`, `readers` or `outlines`.
    pub(super) by: &'static str,
    /// Ids of terms.
    pub(super) terms: Vec<String>,
}

/// Terms under one heading.
#[derive(Serialize)]
pub(super) struct TermGroup<'a> {
    pub(super) category: &'a str,
    pub(super) terms: Vec<OfferedTerm<'a>>,
}

impl<'a> TermGroup<'a> {
    /// The groups of a lexicon; those that are no category go by its name.
    pub(super) fn all_of(lexicon: &'a Lexicon) -> impl Iterator<Item = Self> {
        lexicon.groups.iter().map(|group| Self {
            category: match group.category.as_str() {
                "-" => &lexicon.name,
                category => category,
            },
            terms: group
                .terms
                .iter()
                .map(|term| OfferedTerm {
                    id: &term.id,
                    name: &term.name,
                    gloss: &term.gloss,
                    synonyms: &term.synonyms,
                })
                .collect(),
        })
    }
}

#[derive(Serialize)]
pub(super) struct OfferedTerm<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) gloss: &'a str,
    pub(super) synonyms: &'a [String],
}

/// A unit that readers are asked about, with a few patches.
#[derive(Serialize)]
pub(super) struct AskedUnit<'a> {
    pub(super) code: &'a str,
    /// Only where the survey is not blind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    pub(super) patches: Vec<AskedPatch>,
}

/// A patch as a survey shows it.
#[derive(Serialize)]
pub(super) struct AskedPatch {
    /// Path of its picture.
    pub(super) src: String,
    /// Path data in patch pixels.
    pub(super) overlay: String,
    /// Whether it shows cancer; only where the survey is not blind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) positive: Option<bool>,
}

/// `survey/units/<code>.js`: all patches of a unit.
#[derive(Serialize)]
pub(super) struct UnitPatches {
    pub(super) patches: Vec<PlacedPatch>,
    pub(super) mammograms: Vec<Whole>,
}

/// A patch with its place in a mammogram.
#[derive(Serialize)]
pub(super) struct PlacedPatch {
    #[serde(flatten)]
    pub(super) patch: AskedPatch,
    /// Place in the list of mammograms.
    pub(super) mammogram: usize,
    /// Left, top and edge in the mammogram's pixels.
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) edge: u32,
    /// The unit's score in words; only where the survey is not blind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) score: Option<String>,
}

/// A whole mammogram.
#[derive(Serialize)]
pub(super) struct Whole {
    /// Path of its picture; none where there are only patches.
    pub(super) src: Option<String>,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Edge of a pixel in micrometres, on the detector or the film, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) micron: Option<f64>,
    /// The same picture finer; none where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tiles: Option<Tiles>,
}

/// `survey/cases/data.js`: the mammograms that readers score.
#[derive(Serialize)]
pub(super) struct Scored<'a> {
    pub(super) study: &'a str,
    /// Where files are sent.
    pub(super) contact: Option<&'a str>,
    /// In the order of their codes.
    pub(super) cases: Vec<ScoredCase<'a>>,
}

/// A mammogram that readers score.
#[derive(Serialize)]
pub(super) struct ScoredCase<'a> {
    pub(super) code: &'a str,
    /// The mammogram, then its patient's others.
    pub(super) views: Vec<CaseView>,
}

/// A mammogram of a case.
#[derive(Serialize)]
pub(super) struct CaseView {
    /// Side and projection in words, where they are known.
    pub(super) view: String,
    /// Path of its picture.
    pub(super) src: String,
    /// Width and height of the picture, and of the mammogram.
    pub(super) pixels: [u32; 2],
    pub(super) size: [u32; 2],
    /// Edge of a pixel of the mammogram in micrometres, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) micron: Option<f64>,
    /// The same picture finer; none where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tiles: Option<Tiles>,
}

/// `survey/cases/explained/<code>.js`: why a mammogram has its score.
#[derive(Serialize)]
pub(super) struct ExplainedCase {
    /// In a few sentences.
    pub(super) words: String,
    /// Path of the picture of the patch that decided, and its edge in pixels.
    pub(super) src: String,
    pub(super) pixels: u32,
    /// Left, top and edge of that patch in the mammogram's pixels.
    pub(super) x: u32,
    pub(super) y: u32,
    pub(super) edge: u32,
    /// The units that add most to the evidence for cancer, most first.
    pub(super) units: Vec<ExplainedUnit>,
}

/// A unit in a case's explanation.
#[derive(Serialize)]
pub(super) struct ExplainedUnit {
    /// What it is called; empty where it has no name.
    pub(super) name: String,
    /// Where that comes from, as in [`LayerUnit`].
    pub(super) from: &'static str,
    /// Of the evidence, in words.
    pub(super) share: String,
    /// Its region in the patch that decided, as path data in patch pixels.
    pub(super) overlay: String,
    /// Some of its top patches.
    pub(super) examples: Vec<AskedPatch>,
}

/// `<tiles>/about.js` of a mammogram whose tiles hold the values of its source, for `viewer-depth.js`.
#[derive(Serialize)]
pub(super) struct Greys {
    /// The value of code 0, and from one code's value to the next.
    pub(super) first: f64,
    pub(super) step: f64,
    /// The greatest code but for padding.
    pub(super) greatest: u16,
    /// The code that is always black.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) padding: Option<u16>,
    /// Centre and width of what the source proposes to look at, the first to begin with.
    pub(super) windows: Vec<[f64; 2]>,
    /// `linear`, `linear_exact` or `sigmoid`, as DICOM has them, or `curve`.
    pub(super) function: &'static str,
    /// Brightness over a window, a byte for each place, in base 64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) curve: Option<String>,
    /// Whether the least value is white.
    pub(super) inverted: bool,
}

/// What the score of a case is made of: within its page, for `decision.js`.
#[derive(Serialize)]
pub(super) struct Decision<'a> {
    /// Of the classes, cancer last.
    pub(super) logits: &'a [f32],
    /// In the order in which the page lists them.
    pub(super) units: Vec<DecisionUnit<'a>>,
}

/// What a unit adds to the logit of every class.
#[derive(Serialize)]
pub(super) struct DecisionUnit<'a> {
    pub(super) adds: &'a [f32],
    /// On average over the deciding patches of the split.
    pub(super) mean: &'a [f32],
}

/// The file `path` with this value.
pub(super) fn file(path: &str, value: &impl Serialize) -> Result<Vec<u8>> {
    let (path, value) = (json(path)?, json(value)?);
    let file = format!("(window.unitAtlasData=window.unitAtlasData||{{}})[{path}]={value};\n");
    Ok(file.into_bytes())
}

/// JSON that may stand within a script element too: no markup can end it.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let text = serde_json::to_string(value)?;
    // Within JSON these stand only in texts.
    Ok(text.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

/// One of every format, as the scripts' own tests read them.
#[cfg(test)]
pub(super) fn tested() -> serde_json::Value {
    serde_json::from_str(include_str!("../../tests/scripts/formats.json")).unwrap()
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
