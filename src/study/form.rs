//! A reader's file with the place of everything in it, so that a mistake can be shown where it stands;
//! `answer.rs` describes the keys. Tables and the answers of the paper's server are brought into the
//! same form.

use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer};
use serde_yaml::{Location, Spanned};

use super::about::About;
use super::answer::{Answer, Association, Phenomenon, Questions, ReaderFile, Recognizable};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Form {
    pub(super) schema: Spanned<u32>,
    pub(super) study: Spanned<String>,
    pub(super) reader: Spanned<String>,
    pub(super) lexicon: Spanned<String>,
    #[serde(default)]
    pub(super) about: Option<Spanned<About>>,
    pub(super) answers: Vec<AnswerForm>,
    #[serde(default)]
    pub(super) superseded: Vec<Answer>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerForm {
    pub(super) unit: Spanned<String>,
    pub(super) recognizable: Spanned<Recognizable>,
    #[serde(default)]
    pub(super) phenomena: Vec<PhenomenonForm>,
    #[serde(default)]
    pub(super) confidence: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) remarks: Option<String>,
    #[serde(default)]
    pub(super) answered_at: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) received_at: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) seconds: Option<Spanned<f64>>,
    #[serde(default)]
    pub(super) repeat: bool,
    #[serde(default)]
    pub(super) questions: Option<Questions>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PhenomenonForm {
    pub(super) description: Spanned<String>,
    #[serde(default)]
    pub(super) terms: Vec<Spanned<String>>,
    pub(super) association: Association,
}

impl Form {
    pub(super) fn content<'a>(&self, answers: impl Iterator<Item = &'a AnswerForm>) -> ReaderFile {
        ReaderFile {
            schema: self.schema.value,
            study: self.study.value.clone(),
            reader: self.reader.value.clone(),
            lexicon: self.lexicon.value.clone(),
            about: self.about.as_ref().map(|about| about.value.clone()),
            answers: answers.map(AnswerForm::content).collect(),
            superseded: self.superseded.clone(),
        }
    }
}

impl AnswerForm {
    pub(super) fn content(&self) -> Answer {
        let phenomenon = |p: &PhenomenonForm| Phenomenon {
            description: p.description.value.clone(),
            terms: p.terms.iter().map(|term| term.value.clone()).collect(),
            association: p.association,
        };
        Answer {
            unit: self.unit.value.clone(),
            recognizable: self.recognizable.value,
            phenomena: self.phenomena.iter().map(phenomenon).collect(),
            // Clamped, a value out of range stays out of range.
            confidence: self.confidence.as_ref().map(|v| v.value.clamp(0, 255) as u8),
            remarks: self.remarks.clone(),
            answered_at: self.answered_at.as_ref().map(|v| v.value.clone()),
            received_at: self.received_at.as_ref().map(|v| v.value.clone()),
            seconds: self.seconds.as_ref().map(|v| v.value),
            repeat: self.repeat,
            questions: self.questions.clone(),
        }
    }
}

/// The place of a cell or record.
pub(super) fn place(line: u64, column: u64) -> Location {
    let parts = [("line", line as u32), ("column", column as u32)];
    // A location can only be made by reading it; this form is always whole.
    Location::deserialize(MapDeserializer::<_, Error>::new(parts.into_iter()))
        .unwrap_or(Location::UNKNOWN)
}

/// A value with its place.
pub(super) fn placed<T>(value: T, at: Location) -> Spanned<T> {
    Spanned::new(value, at, at)
}
