//! One mammogram: its grey image, which view of which breast it is, and its annotated lesions.
//!
//! Images are grey levels of 8 bits, row by row ([`Grey`]); places are pixels, x to the right and y down. A lesion
//! is its [`Outline`]; a [`Mask`] is filled where one is needed, at the size it is needed. Also here: where the
//! breast is ([`breast()`]), and resampling ([`resample()`]).

mod about;
mod breast;
mod contour;
mod grey;
mod outline;
#[cfg(test)]
#[path = "../../tests/support/real_data.rs"]
mod real_data;
mod resample;
mod trace;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use base::Split;

pub use about::About;
pub use breast::{Breast, breast};
pub use contour::around;
pub use contour::contours;
pub use grey::{Grey, Mask};
pub use outline::simplify;
pub use outline::{Outline, rasterise};
pub use resample::resample;

/// Which breast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Laterality {
    /// The patient's left breast.
    Left,
    /// The patient's right breast.
    Right,
}

/// Projection of the breast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum View {
    /// Craniocaudal.
    Cc,
    /// Mediolateral oblique.
    Mlo,
}

/// What pathology (or long follow-up) said of a lesion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pathology {
    /// Cancer.
    Malignant,
    /// Not cancer.
    Benign,
    /// The source does not say.
    Unproven,
}

/// An annotated abnormality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lesion {
    /// Malignant or benign.
    pub pathology: Pathology,
    /// Lexicon terms of the finding, as term ids such as `mass`, `margin-spiculated` (see
    /// `content/lexicons/`), most general first.
    pub terms: Vec<String>,
    /// The source's own words for the finding, verbatim (mini-MIAS: `SPIC`).
    pub source_words: String,
    /// Boundary in image pixels (x right, y down); their union is the lesion. Empty when the source
    /// gives no position: such a lesion is counted and shown, and labels no patch.
    pub outlines: Vec<Outline>,
    /// How hard it is to see, from 1 (subtle) to 5 (obvious), when the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subtlety: Option<u8>,
    /// BI-RADS assessment, from 0 (incomplete) to 5 (highly suggestive of malignancy), when the
    /// source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<u8>,
}

/// What is known of one image besides its pixels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mammogram {
    /// Unique within the source, safe as a file name: ASCII letters, digits, `_`, `.` and `-`.
    pub id: String,
    /// Pseudonymous patient; all images of one patient share a split.
    pub patient: String,
    /// Left or right breast, when the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub laterality: Option<Laterality>,
    /// CC or MLO, when the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Edge of a pixel in micrometres, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micron: Option<f64>,
    /// Lexicon term of the breast composition (`composition-a` to `composition-d`), when it maps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub density: Option<String>,
    /// Further facts of the source shown with the mammogram, such as `tissue: G`. Never patient data.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, String>,
    /// Annotated abnormalities.
    pub lesions: Vec<Lesion>,
    /// The part that the source's own split puts it in; `None` where the source has no split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Split>,
    /// Named regions that are no lesions, such as tissues. A mammogram without any is not annotated
    /// for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
}

impl Mammogram {
    /// Whether it has a malignant lesion, outlined or not.
    pub fn has_cancer(&self) -> bool {
        self.lesions.iter().any(|lesion| lesion.pathology == Pathology::Malignant)
    }
}

/// A named region that is no lesion: a tissue, the pectoral muscle, an artefact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// Lexicon term, such as `fatty-tissue`.
    pub term: String,
    /// Its boundary in image pixels, holes as rings of their own: filled by the even-odd rule.
    pub rings: Vec<Vec<[f32; 2]>>,
}

impl std::fmt::Display for Laterality {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Laterality::Left => "LEFT",
            Laterality::Right => "RIGHT",
        })
    }
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            View::Cc => "CC",
            View::Mlo => "MLO",
        })
    }
}
