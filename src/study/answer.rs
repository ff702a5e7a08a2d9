//! One reader's file of answers, `content/labels/<reader>.yaml` (schema 1).

use serde::{Deserialize, Serialize};

/// A reader's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReaderFile {
    /// Always 1.
    pub schema: u32,
    /// Identifier of the study.
    pub study: String,
    /// Pseudonym of the reader.
    pub reader: String,
    /// Lexicon the terms come from; anatomy terms are always allowed.
    pub lexicon: String,
    /// Answers, one per unit, and one more per repeated unit.
    pub answers: Vec<Answer>,
}

/// What one reader said of one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// `network/layer/0063`.
    pub unit: String,
    /// Whether the reader was shown the unit a second time and this is what was said then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
    /// Do the patches show a recognisable phenomenon?
    pub recognizable: Recognizable,
    /// The phenomena seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phenomena: Vec<Phenomenon>,
    /// From 1, guessing, to 5, certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<u8>,
    /// Anything else, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remarks: Option<String>,
    /// When, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<String>,
    /// Active seconds spent on the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// Answer to the paper's first survey question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recognizable {
    /// A phenomenon can be named.
    Yes,
    /// Nothing recognisable.
    No,
    /// The reader cannot say.
    Unsure,
}

/// A phenomenon a reader sees in a unit's patches: a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phenomenon {
    /// The reader's words, verbatim.
    pub description: String,
    /// Lexicon term ids the reader chose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terms: Vec<String>,
    /// Association with breast cancer.
    pub association: Association,
}

/// How a phenomenon relates to breast cancer, to the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Association {
    /// Speaks for cancer.
    Malignant,
    /// Speaks against it.
    Benign,
    /// Unrelated.
    None,
    /// The reader cannot say.
    Unsure,
}
