//! The area under the ROC curve, its interval, and the difference between two of them.
//!
//! DeLong, DeLong and Clarke-Pearson (Biometrics 1988), by midranks as Sun and Xu (IEEE Signal
//! Processing Letters 2014). Intervals are normal on the area's own scale and cut to [0, 1]. The
//! variance is estimated from two cases of each class on; where it is zero, as for a perfect separation,
//! there is no interval: it would say that nothing is uncertain.

use serde::{Deserialize, Serialize};

use super::{Scored, Z95};
use crate::distribution::complementary_error;
use crate::{Auc, NoInterval, Spread};

/// Area under the ROC curve, ties counted half, with DeLong's 95% interval; `None` unless both
/// classes occur.
pub fn auc(cases: &[Scored]) -> Option<Auc> {
    placements(cases).map(|placements| placements.auc())
}

/// The areas of two classifiers on the same cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The first area less the second.
    pub difference: f64,
    /// Its 95% interval.
    #[serde(flatten)]
    pub spread: Spread,
    /// Two-sided probability of so great a difference were the areas equal; `None` where the
    /// difference has no variance to hold it against.
    pub p: Option<f64>,
}

/// DeLong's paired test of two classifiers; `a` and `b` are the same cases in the same order. `None`
/// when their truths differ or a class is missing.
pub fn compare(a: &[Scored], b: &[Scored]) -> Option<Comparison> {
    let same = a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.positive == b.positive);
    if !same {
        return None;
    }
    Some(placements(a)?.compare(&placements(b)?))
}

/// Placements of the cases of a list, in its order.
fn placements(cases: &[Scored]) -> Option<Placements> {
    let scores = |positive: bool| -> Vec<f32> {
        cases.iter().filter(|c| c.positive == positive).map(|c| c.score).collect()
    };
    Placements::of(&scores(true), &scores(false))
}

/// DeLong's structural components: where each case lies among those of the other class, ties counted half.
#[derive(Debug, Clone, PartialEq)]
pub struct Placements {
    below: Vec<f64>,
    above: Vec<f64>,
}

impl Placements {
    /// Of the scores of both classes; `None` unless both occur.
    pub fn of<T: Copy + Into<f64>>(positives: &[T], negatives: &[T]) -> Option<Self> {
        let (m, n) = (positives.len(), negatives.len());
        if m == 0 || n == 0 {
            return None;
        }
        let pooled: Vec<T> = positives.iter().chain(negatives).copied().collect();
        let among_all = midranks(&pooled);
        let (among_positives, among_negatives) = (midranks(positives), midranks(negatives));
        Some(Self {
            below: (0..m).map(|i| (among_all[i] - among_positives[i]) / n as f64).collect(),
            above: (0..n)
                .map(|j| 1.0 - (among_all[m + j] - among_negatives[j]) / m as f64)
                .collect(),
        })
    }

    /// Share of the negatives below each positive, in the order of the positives.
    pub fn below(&self) -> &[f64] {
        &self.below
    }

    /// Share of the positives above each negative, in the order of the negatives.
    pub fn above(&self) -> &[f64] {
        &self.above
    }

    /// The area under the ROC curve, with DeLong's 95% interval.
    pub fn auc(&self) -> Auc {
        let value = mean(&self.below);
        let spread = match error(&self.below, &self.above) {
            Ok(error) => {
                Spread::between((value - Z95 * error).max(0.0), (value + Z95 * error).min(1.0))
            }
            Err(reason) => Spread::None(reason),
        };
        Auc { value, spread }
    }

    /// DeLong's paired test against other scores of the same cases in the same order.
    ///
    /// # Panics
    /// When they are not of as many cases.
    pub fn compare(&self, other: &Self) -> Comparison {
        let counts = |of: &Self| (of.below.len(), of.above.len());
        assert_eq!(counts(self), counts(other), "scores of the same cases");
        let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
        // The variance of the difference of the placements holds their covariance.
        let (below, above) = (less(&self.below, &other.below), less(&self.above, &other.above));
        let difference = mean(&below);
        let (spread, p) = match error(&below, &above) {
            Err(reason) => (Spread::None(reason), None),
            // The same order of cases: no evidence of a difference.
            Ok(0.0) => (Spread::None(NoInterval::NoSpread), (difference == 0.0).then_some(1.0)),
            Ok(error) => (
                Spread::between(difference - Z95 * error, difference + Z95 * error),
                Some(complementary_error(difference.abs() / error / std::f64::consts::SQRT_2)),
            ),
        };
        Comparison { difference, spread, p }
    }
}

/// Standard error of the mean placement: from two cases of each class on.
fn error(below: &[f64], above: &[f64]) -> Result<f64, NoInterval> {
    match (below.len(), above.len()) {
        (..2, _) => Err(NoInterval::OnePositive),
        (_, ..2) => Err(NoInterval::OneNegative),
        (m, n) => {
            Ok((sample_variance(below) / m as f64 + sample_variance(above) / n as f64).sqrt())
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Rank of each value from 1; tied values share the mean of their ranks.
pub fn midranks<T: Copy + Into<f64>>(values: &[T]) -> Vec<f64> {
    let values: Vec<f64> = values.iter().map(|&value| value.into()).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = below as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&i| ranks[i] = rank);
        below += tied.len();
    }
    ranks
}

/// Unbiased variance of at least two values.
fn sample_variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_classifier_does_not_differ_from_itself() {
        let cases: Vec<Scored> =
            (0..20).map(|i| Scored { score: (i % 7) as f32, positive: i % 3 == 0 }).collect();
        let same = compare(&cases, &cases).unwrap();
        assert_eq!((same.difference, same.p), (0.0, Some(1.0)));
        assert_eq!(same.spread, Spread::None(NoInterval::NoSpread));
        let perfect: Vec<Scored> =
            cases.iter().map(|c| Scored { score: f32::from(c.positive), ..*c }).collect();
        let inverted: Vec<Scored> = cases.iter().map(|c| Scored { score: -1.0, ..*c }).collect();
        // Half apart, and no variance to hold that against.
        let apart = compare(&perfect, &inverted).unwrap();
        assert_eq!((apart.difference, apart.p), (0.5, None));
        assert_eq!(apart.spread.reason(), Some(NoInterval::NoSpread));
        let two = [perfect[0], perfect[1]];
        assert_eq!(compare(&two, &two).unwrap().spread, Spread::None(NoInterval::OnePositive));
        let other: Vec<Scored> =
            cases.iter().map(|c| Scored { positive: !c.positive, ..*c }).collect();
        assert_eq!(compare(&cases, &other), None);
        assert_eq!(compare(&cases, &cases[1..]), None);
    }
}
