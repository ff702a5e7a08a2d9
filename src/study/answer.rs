//! One reader's file of answers, `content/labels/<reader>.yaml` (schema 1).

use base::UnitId;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};

use super::about::About;
use super::time;

/// A reader's file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReaderFile {
    /// Always 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema: u32,
    /// Identifier of the study.
    pub study: String,
    /// Pseudonym of the reader.
    pub reader: String,
    /// Lexicon the terms come from; anatomy terms are always allowed.
    pub lexicon: String,
    /// What the reader said of themselves, where the study asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// Answers: one per unit, and one more where the unit was shown again.
    pub answers: Vec<Answer>,
    /// Answers that later ones took the place of, in the order of their units and times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<Answer>,
}

/// JSON Schema (draft 7, which editors read) of readers' files.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft07().into_generator();
    let mut schema = generator.into_root_schema_for::<ReaderFile>().to_value();
    schema["title"] = "A reader's file of unit-atlas".into();
    schema
}

/// What one reader said of one unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// Name of the unit, `network/layer/0063`; in the answers to a blind survey its code.
    #[schemars(regex(pattern = "^([^/]+/[^/]+/[0-9]{4,}|u-[2-9bcdfghjkmnpqrstvwxyz]{12})$"))]
    pub unit: String,
    /// Whether the reader was shown the unit a second time and this is what was said then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
    /// Do the patches show something recognisable?
    pub recognizable: Recognizable,
    /// The patterns seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phenomena: Vec<Phenomenon>,
    /// From 1, guessing, to 5, certain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 5))]
    pub confidence: Option<u8>,
    /// Anything else, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remarks: Option<String>,
    /// When, by the clock of the reader's device, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<String>,
    /// When it came to a server that collects answers, by that server's clock, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<String>,
    /// Active seconds spent on the unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub seconds: Option<f64>,
    /// The reader's words where the questions were those of the paper's server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub questions: Option<Questions>,
}

/// Answers to the four questions of the survey that the paper's code serves, verbatim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// Do these images show recognizable phenomena?
    pub q1: String,
    /// If the images show recognizable phenomena, are they associated with breast cancer?
    pub q2: String,
    /// Is there a single unique phenomenon, or are there multiple?
    pub q3: String,
    /// Please describe each of the phenomena you see. For each please indicate its association with
    /// breast cancer.
    pub q4: String,
}

impl Answer {
    /// The unit; none where it is a code, or no name of a unit at all.
    pub fn unit(&self) -> Option<UnitId> {
        self.unit.parse().ok()
    }

    /// The moment, in nanoseconds since 1970, that decides which of two answers of a reader to a unit stands,
    /// the later one: when a server received it or, where none did, when the reader's device says it was
    /// given. An answer without either is before all others.
    pub fn moment(&self) -> Option<i128> {
        self.received().or_else(|| self.answered_at.as_deref().and_then(time::nanoseconds))
    }

    /// When a server received it, in nanoseconds since 1970.
    pub fn received(&self) -> Option<i128> {
        self.received_at.as_deref().and_then(time::nanoseconds)
    }

    /// Whether both are the same answer, of which one may not know yet that a server has received it.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        let unreceived = |answer: &Self| Self { received_at: None, ..answer.clone() };
        self.unit == other.unit && unreceived(self) == unreceived(other)
    }

    /// Whether the reader sees several patterns in one unit; none where nothing is described.
    pub fn is_entangled(&self) -> Option<bool> {
        let several = self.questions.as_ref().is_some_and(Questions::several);
        (!self.phenomena.is_empty()).then_some(several || self.phenomena.len() > 1)
    }

    /// The association of the unit as a whole: that of its patterns which weighs most, malignant
    /// before benign before unsure before none. None where nothing is described.
    pub fn association(&self) -> Option<Association> {
        self.phenomena.iter().map(|phenomenon| phenomenon.association).min()
    }
}

/// Answer to the paper's first survey question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recognizable {
    /// A pattern can be named.
    Yes,
    /// Nothing recognisable.
    No,
    /// The reader cannot say.
    Unsure,
}

/// A pattern that a reader sees in a unit's patches, named after its key in label files: a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
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

impl Phenomenon {
    /// In words: the reader's own or, without any, the names of the terms chosen.
    pub fn words(&self, name: impl Fn(&str) -> String) -> String {
        let own = self.description.trim();
        if !own.is_empty() {
            return own.to_string();
        }
        self.terms.iter().map(|id| name(id)).collect::<Vec<_>>().join(", ")
    }
}

/// How a pattern relates to breast cancer, to the reader.
///
/// In the order of their weight where a unit shows several patterns.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Association {
    /// Associated with cancer.
    Malignant,
    /// Associated with benign findings.
    Benign,
    /// The reader cannot say.
    Unsure,
    /// Unrelated.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_files_are_valid_by_the_schema() {
        let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
        compiler.add_resource("labels.json", schema()).unwrap();
        let compiled = compiler.compile("labels.json", &mut schemas).unwrap();
        let readme = include_str!("../../README.md");
        let example =
            readme.split("   schema: 1\n").nth(1).and_then(|rest| rest.split("```").next());
        let lines = example.unwrap().lines().map(|line| line.get(3..).unwrap_or_default());
        let text = format!("schema: 1\n{}\n", lines.collect::<Vec<_>>().join("\n"));
        let file: ReaderFile = serde_yaml::from_str(&text).unwrap();
        let whole = |change: &dyn Fn(&mut Answer)| {
            let mut file = file.clone();
            change(&mut file.answers[0]);
            schemas.validate(&serde_json::to_value(&file).unwrap(), compiled).is_ok()
        };
        assert!(whole(&|_| {}));
        assert!(whole(&|answer| {
            answer.confidence = Some(5);
            answer.seconds = Some(12.5);
            answer.repeat = true;
            answer.remarks = Some("none".to_owned());
            answer.received_at = Some("2026-11-20T10:12:00.123Z".to_owned());
        }));
        assert!(!whole(&|answer| answer.confidence = Some(6)));
        assert!(!whole(&|answer| answer.seconds = Some(-1.0)));
        assert!(whole(&|answer| answer.unit = "u-23456789bcdf".to_owned()));
        assert!(!whole(&|answer| answer.unit = "alexnet/conv5".to_owned()));
        assert!(!whole(&|answer| answer.unit = "u-23456789bcda".to_owned()));
        let mut unknown = serde_json::to_value(&file).unwrap();
        unknown["answers"][0]["phenomenon"] = "x".into();
        assert!(schemas.validate(&unknown, compiled).is_err());
    }
}
