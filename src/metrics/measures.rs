//! What is measured, with how sure it is.

use serde::{Deserialize, Serialize};

/// An area under the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Auc {
    /// Ties count half.
    pub value: f64,
    /// Lower end of the 95% interval (DeLong).
    pub low: f64,
    /// Upper end of the 95% interval (DeLong).
    pub high: f64,
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
