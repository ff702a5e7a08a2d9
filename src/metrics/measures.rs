//! What is measured, with how sure it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An area under the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Auc {
    /// Ties count half.
    pub value: f64,
    /// Its 95% interval (DeLong).
    #[serde(flatten)]
    pub spread: Spread,
}

/// A 95% interval, never without width, or why there is none. As JSON `{"low": …, "high": …}` or
/// `{"no_interval": "one_negative"}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub enum Spread {
    /// The interval.
    Interval(Interval),
    /// There is none.
    None(NoInterval),
}

impl Spread {
    /// From its ends; what has no width says nothing, and is none.
    pub fn between(low: f64, high: f64) -> Self {
        match low < high {
            true => Self::Interval(Interval { low, high }),
            false => Self::None(NoInterval::NoSpread),
        }
    }

    /// The interval.
    pub fn interval(&self) -> Option<Interval> {
        match self {
            Self::Interval(interval) => Some(*interval),
            Self::None(_) => None,
        }
    }

    /// Why there is none.
    pub fn reason(&self) -> Option<NoInterval> {
        match self {
            Self::Interval(_) => None,
            Self::None(reason) => Some(*reason),
        }
    }
}

/// Why an area has no interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoInterval {
    /// One positive case, whose chance variation cannot be known.
    OnePositive,
    /// One negative case.
    OneNegative,
    /// All positive cases are one patient's.
    OnePositivePatient,
    /// All negative cases are one patient's.
    OneNegativePatient,
    /// Half or more of the draws of patients hold one class only.
    FewDraws,
    /// Nothing varies: the scores part the classes wholly, or not at all.
    NoSpread,
}

impl fmt::Display for NoInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OnePositive => "only one positive",
            Self::OneNegative => "only one negative",
            Self::OnePositivePatient => "positives of one patient only",
            Self::OneNegativePatient => "negatives of one patient only",
            Self::FewDraws => "too few draws with both classes",
            Self::NoSpread => "no variation in the scores’ order",
        })
    }
}

/// [`Spread`] in files. Older ones hold intervals without width too.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Interval { low: f64, high: f64 },
    None { no_interval: NoInterval },
}

impl From<Written> for Spread {
    fn from(written: Written) -> Self {
        match written {
            Written::Interval { low, high } => Self::between(low, high),
            Written::None { no_interval } => Self::None(no_interval),
        }
    }
}

impl From<Spread> for Written {
    fn from(spread: Spread) -> Self {
        match spread {
            Spread::Interval(Interval { low, high }) => Self::Interval { low, high },
            Spread::None(no_interval) => Self::None { no_interval },
        }
    }
}

/// A 95% interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// A share of counted cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Proportion {
    /// Cases that have it.
    pub count: u32,
    /// Cases in all.
    pub of: u32,
    /// `count / of`; 0 of none.
    pub value: f64,
    /// Lower end of the 95% interval (Wilson).
    pub low: f64,
    /// Upper end of the 95% interval (Wilson).
    pub high: f64,
}

/// What an operating point holds to at least.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fixed {
    /// This share of the negatives is called negative.
    Specificity(f64),
    /// This share of the positives is called positive.
    Sensitivity(f64),
}

/// A threshold that was chosen on the evaluated cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// What it holds to.
    pub fixed: Fixed,
    /// Positive is called what scores this or more; `None` calls nothing positive.
    pub threshold: Option<f32>,
    /// Share of the positives called positive.
    pub sensitivity: Proportion,
    /// Share of the negatives called negative.
    pub specificity: Proportion,
}

/// Probabilities against outcomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Mean squared difference between probability and truth (0 or 1).
    pub brier: f64,
    /// Mean difference, without sign, between the probability and the share of positives in its bin.
    pub expected_error: f64,
    /// Those of ten bins of equal width that hold a patch.
    pub bins: Vec<Bin>,
}

/// Patches of similar probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bin {
    /// Probabilities above this; the first bin holds it.
    pub low: f64,
    /// Probabilities up to this.
    pub high: f64,
    /// Mean probability.
    pub predicted: f64,
    /// Share of positives.
    pub observed: Proportion,
}
