//! BI-RADS assessment categories.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A BI-RADS assessment category (ACR BI-RADS Atlas, 5th edition). Written as its number, or as a text where
/// category 4 is divided: `3`, `"4A"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub enum Assessment {
    /// 0: incomplete.
    Incomplete,
    /// 1: negative.
    Negative,
    /// 2: benign.
    Benign,
    /// 3: probably benign.
    ProbablyBenign,
    /// 4: suspicious, not divided further.
    Suspicious,
    /// 4A: low suspicion.
    LowSuspicion,
    /// 4B: moderate suspicion.
    ModerateSuspicion,
    /// 4C: high suspicion.
    HighSuspicion,
    /// 5: highly suggestive of malignancy.
    HighlySuggestive,
    /// 6: proven by biopsy.
    Proven,
}

/// As files have it.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Number(u8),
    Word(String),
}

impl Assessment {
    /// Every category with its name.
    pub const ALL: [(&'static str, Assessment); 10] = [
        ("0", Assessment::Incomplete),
        ("1", Assessment::Negative),
        ("2", Assessment::Benign),
        ("3", Assessment::ProbablyBenign),
        ("4", Assessment::Suspicious),
        ("4A", Assessment::LowSuspicion),
        ("4B", Assessment::ModerateSuspicion),
        ("4C", Assessment::HighSuspicion),
        ("5", Assessment::HighlySuggestive),
        ("6", Assessment::Proven),
    ];

    /// The category of a name such as `4A`.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, category)| *category)
    }

    /// Whether it calls for a biopsy, or rests on one: 4 and above.
    pub fn is_suspicious(self) -> bool {
        self >= Self::Suspicious
    }
}

impl fmt::Display for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.iter().find(|(_, category)| category == self).map(|(name, _)| *name);
        f.write_str(name.unwrap_or_default())
    }
}

impl From<Assessment> for Written {
    fn from(assessment: Assessment) -> Self {
        let name = assessment.to_string();
        name.parse().map_or(Self::Word(name), Self::Number)
    }
}

impl TryFrom<Written> for Assessment {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let name = match written {
            Written::Number(number) => number.to_string(),
            Written::Word(word) => word,
        };
        Self::of(&name)
            .ok_or_else(|| format!("`{name}` is no BI-RADS assessment, 0 to 6 or 4A to 4C"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_is_a_number_or_a_part_of_four() {
        let written: Vec<String> =
            Assessment::ALL.map(|(_, category)| serde_json::to_string(&category).unwrap()).into();
        assert_eq!(written, ["0", "1", "2", "3", "4", "\"4A\"", "\"4B\"", "\"4C\"", "5", "6"]);
        for (text, (_, category)) in written.iter().zip(Assessment::ALL) {
            assert_eq!(serde_json::from_str::<Assessment>(text).unwrap(), category);
        }
        assert!(serde_json::from_str::<Assessment>("7").is_err());
        assert!(Assessment::Proven.is_suspicious() && !Assessment::ProbablyBenign.is_suspicious());
    }
}
