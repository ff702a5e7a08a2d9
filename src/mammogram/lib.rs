//! One mammogram: its grey image, which view of which breast it is, and its annotated lesions.
//!
//! Images are grey levels of 8 bits, row by row ([`Grey`]), or the values that their source has, with how these are
//! shown ([`Values`]); places are pixels, x to the right and y down. A lesion
//! is its [`Outline`]; a [`Mask`] is filled where one is needed, at the size it is needed. Also here: where the
//! breast is ([`breast()`]), and resampling ([`resample()`]).

mod about;
mod assessment;
mod breast;
mod contour;
mod grey;
mod outline;
#[cfg(test)]
#[path = "../../tests/support/real_data.rs"]
mod real_data;
mod resample;
mod trace;
mod values;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use base::Split;

pub use about::About;
pub use assessment::Assessment;
pub use breast::{Breast, breast};
pub use contour::around;
pub use contour::contours;
pub use grey::{Grey, Mask};
pub use outline::simplify;
pub use outline::{Outline, rasterise};
pub use resample::resample;
pub use values::{Shape, Values, Window};

/// Which breast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Laterality {
    /// The patient's left breast.
    Left,
    /// The patient's right breast.
    Right,
}

/// Projection of the breast, by the abbreviations of the American College of Radiology, which DICOM has too
/// (PS3.16, CID 4014).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum View {
    /// Craniocaudal.
    Cc,
    /// Mediolateral oblique.
    Mlo,
    /// Mediolateral.
    Ml,
    /// Lateromedial.
    Lm,
    /// Lateromedial oblique.
    Lmo,
    /// Caudocranial, from below.
    Fb,
    /// Superolateral to inferomedial oblique.
    Sio,
    /// Inferomedial to superolateral oblique.
    Iso,
    /// Exaggerated craniocaudal, to either side.
    Xcc,
    /// Exaggerated craniocaudal, laterally.
    Xccl,
    /// Exaggerated craniocaudal, medially.
    Xccm,
    /// Axillary tail.
    At,
    /// Cleavage.
    Cv,
    /// Tangential.
    Tan,
}

/// What makes a view more than its projection: it shows a part of the breast, not the whole of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Modifier {
    /// Spot compression.
    Spot,
    /// Magnification.
    Magnification,
    /// Both.
    SpotMagnification,
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
    /// BI-RADS assessment, when the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assessment: Option<Assessment>,
}

impl Lesion {
    /// Whether the source says where it is.
    pub fn is_placed(&self) -> bool {
        !self.outlines.is_empty()
    }
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
    /// Its projection, when the source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<View>,
    /// What part of the breast it is confined to, when the source says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modifier: Option<Modifier>,
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
    /// Side, projection and modifier in words, as far as they are known: `LEFT CC`, `MLO, magnification`.
    pub fn projection(&self) -> String {
        let side = self.laterality.map(|side| side.to_string());
        let view = self.view.map(|view| view.to_string());
        let words = side.into_iter().chain(view).collect::<Vec<_>>().join(" ");
        let parts =
            [words, self.modifier.map_or_else(String::new, |modifier| modifier.to_string())];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }

    /// Whether it has a malignant lesion that the source does not place.
    pub fn has_placeless_cancer(&self) -> bool {
        let is = |lesion: &Lesion| lesion.pathology == Pathology::Malignant && !lesion.is_placed();
        self.lesions.iter().any(is)
    }

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

impl View {
    /// Every view with its abbreviation.
    pub const ALL: [(&'static str, View); 14] = [
        ("CC", View::Cc),
        ("MLO", View::Mlo),
        ("ML", View::Ml),
        ("LM", View::Lm),
        ("LMO", View::Lmo),
        ("FB", View::Fb),
        ("SIO", View::Sio),
        ("ISO", View::Iso),
        ("XCC", View::Xcc),
        ("XCCL", View::Xccl),
        ("XCCM", View::Xccm),
        ("AT", View::At),
        ("CV", View::Cv),
        ("TAN", View::Tan),
    ];
}

impl std::fmt::Display for View {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = View::ALL.iter().find(|(_, view)| view == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

impl std::fmt::Display for Modifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Modifier::Spot => "spot compression",
            Modifier::Magnification => "magnification",
            Modifier::SpotMagnification => "spot magnification",
        })
    }
}

/// Whether a mammogram's id can be a file name anywhere: up to 200 ASCII letters, digits, `_`, `-` and `.`,
/// the latter neither first nor last, and no name that Windows keeps for a device.
pub fn is_file_name(id: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    let stem = id.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered =
        |kind| stem.strip_prefix(kind).is_some_and(|n| matches!(n.as_bytes(), [b'0'..=b'9']));
    let device = matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || numbered("com")
        || numbered("lpt");
    let dot = id.starts_with('.') || id.ends_with('.');
    !id.is_empty() && id.len() <= 200 && !dot && !device && id.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_file_names_on_every_system() {
        for good in ["a", "A1", "p-1_L.CC", "-dash", "console", "com10", "a.con"] {
            assert!(is_file_name(good), "{good}");
        }
        let long = "x".repeat(201);
        for bad in [
            "", "a b", "../up", ".hidden", "name.", "con", "NUL.1", "lpt1", "a/b", "a:b", "é",
            &long,
        ] {
            assert!(!is_file_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_view_is_shown_as_it_is_written_to_files() {
        for (name, view) in View::ALL {
            assert_eq!(view.to_string(), name);
            assert_eq!(serde_json::to_value(view).unwrap(), name);
        }
    }
}
