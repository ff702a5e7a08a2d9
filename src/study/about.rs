//! What readers say of themselves before the first unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::time;
use base::artifact::Fingerprint;

/// What a reader agreed to and said of themselves, as far as the study asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// When, by the clock of the reader's device, as RFC 3339.
    pub given_at: String,
    /// The text that the reader agreed to, `survey.consent`: the first 32 hexadecimal digits of its BLAKE3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[0-9a-f]{32}$"))]
    pub consent: Option<String>,
    /// Years of reading mammograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 80))]
    pub years: Option<u32>,
    /// Kind of work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subspecialty: Option<Subspecialty>,
    /// Mammograms read in a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000))]
    pub mammograms_per_year: Option<u32>,
}

/// A reader's kind of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subspecialty {
    /// Mostly or only breast imaging.
    BreastImaging,
    /// Radiology in general.
    GeneralRadiology,
    /// In training as a radiologist.
    InTraining,
    /// None of these.
    Other,
}

impl Subspecialty {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::BreastImaging => "breast imaging",
            Self::GeneralRadiology => "general radiology",
            Self::InTraining => "in training",
            Self::Other => "other",
        }
    }
}

impl About {
    /// What is wrong with it; none where it holds.
    pub(super) fn mistake(&self) -> Option<String> {
        if time::nanoseconds(&self.given_at).is_none() {
            return Some(format!(
                "`given_at` is `{}`; expected a time such as 2026-11-20T10:12:00Z (RFC 3339)",
                self.given_at
            ));
        }
        let unreadable = |text: &&String| Fingerprint::parse(text).is_none();
        if let Some(consent) = self.consent.as_ref().filter(unreadable) {
            return Some(format!("`consent` is `{consent}`; expected 32 hexadecimal digits"));
        }
        let over = |key: &str, value: Option<u32>, most: u32| {
            let value = value.filter(|value| *value > most)?;
            Some(format!("`{key}` is {value}; expected a whole number from 0 to {most}"))
        };
        over("years", self.years, 80)
            .or_else(|| over("mammograms_per_year", self.mammograms_per_year, 100_000))
    }

    /// The later of two; where neither is, this one.
    #[must_use]
    pub fn or_later(self, other: Option<Self>) -> Self {
        let moment = |about: &Self| time::nanoseconds(&about.given_at);
        other.filter(|other| moment(other) > moment(&self)).unwrap_or(self)
    }
}
