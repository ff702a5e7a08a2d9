//! The area under the ROC curve, its interval, and the difference between two of them.
//!
//! DeLong, DeLong and Clarke-Pearson (Biometrics 1988), by midranks as Sun and Xu (IEEE Signal
//! Processing Letters 2014). Intervals are normal on the area's own scale and cut to [0, 1]. The
//! variance is estimated from two cases of each class on; where it is zero, as for a perfect separation,
//! there is no interval: it would say that nothing is uncertain.

use serde::{Deserialize, Serialize};

use super::{Scored, Z95};
use crate::{Auc, NoInterval, Spread};

/// Area under the ROC curve, ties counted half, with DeLong's 95% interval; `None` unless both
/// classes occur.
pub fn auc(cases: &[Scored]) -> Option<Auc> {
    let Placements { below, above } = Placements::of(cases)?;
    let value = mean(&below);
    let spread = match error(&below, &above) {
        Ok(error) => {
            Spread::between((value - Z95 * error).max(0.0), (value + Z95 * error).min(1.0))
        }
        Err(reason) => Spread::None(reason),
    };
    Some(Auc { value, spread })
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
    let (a, b) = (Placements::of(a)?, Placements::of(b)?);
    let less = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<f64>>();
    // The variance of the difference of the placements holds their covariance.
    let (below, above) = (less(&a.below, &b.below), less(&a.above, &b.above));
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
    Some(Comparison { difference, spread, p })
}

/// DeLong's structural components.
struct Placements {
    /// Share of the negatives below each positive.
    below: Vec<f64>,
    /// Share of the positives above each negative.
    above: Vec<f64>,
}

impl Placements {
    fn of(cases: &[Scored]) -> Option<Self> {
        let scores = |positive: bool| -> Vec<f32> {
            cases.iter().filter(|c| c.positive == positive).map(|c| c.score).collect()
        };
        let (positives, negatives) = (scores(true), scores(false));
        let (m, n) = (positives.len(), negatives.len());
        if m == 0 || n == 0 {
            return None;
        }
        let pooled: Vec<f32> = positives.iter().chain(&negatives).copied().collect();
        let among_all = midranks(&pooled);
        let (among_positives, among_negatives) = (midranks(&positives), midranks(&negatives));
        Some(Self {
            below: (0..m).map(|i| (among_all[i] - among_positives[i]) / n as f64).collect(),
            above: (0..n)
                .map(|j| 1.0 - (among_all[m + j] - among_negatives[j]) / m as f64)
                .collect(),
        })
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
pub fn midranks(values: &[f32]) -> Vec<f64> {
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

/// Probability of a value below `z` of a standard normal variable.
pub fn below_normal(z: f64) -> f64 {
    let tail = complementary_error(z.abs() / std::f64::consts::SQRT_2) / 2.0;
    if z < 0.0 { tail } else { 1.0 - tail }
}

/// erfc(x) for x of at least 0: the series of erf below 2, Laplace's continued fraction above.
fn complementary_error(x: f64) -> f64 {
    let scale = (-x * x).exp() / std::f64::consts::PI.sqrt();
    if x < 2.0 {
        let (mut term, mut sum) = (x, x);
        let mut n = 0.0;
        while term > sum * 1e-17 {
            n += 1.0;
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
        }
        1.0 - 2.0 * scale * sum
    } else {
        scale / (1..=60).rev().fold(x, |below, k| x + f64::from(k) / 2.0 / below)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_function_agrees_with_its_tables() {
        // scipy.special.erfc
        for (x, expected) in [
            (0.0, 1.0),
            (0.5, 0.479_500_122_186_953_5),
            (1.0, 0.157_299_207_050_285_1),
            (1.999_999, 0.004_677_755_648_073_952),
            (2.0, 0.004_677_734_981_047_265),
            (3.5, 7.430_983_723_414_128e-7),
            (6.0, 2.151_973_671_249_891e-17),
        ] {
            let ours = complementary_error(x);
            assert!((ours - expected).abs() < 1e-12 * expected.max(1e-3), "{x}: {ours}");
            assert!((ours / expected - 1.0).abs() < 1e-11, "{x}: {ours}");
        }
    }

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
