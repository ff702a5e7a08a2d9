//! How well scores tell positives from negatives.

use super::record::Auc;

/// Quantile of the normal distribution that leaves 2.5% on either side.
const Z95: f64 = 1.959_963_984_540_054;

/// A scored case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The higher, the more likely positive.
    pub score: f32,
    /// The truth.
    pub positive: bool,
}

/// Area under the ROC curve, ties counted half, with DeLong's 95% interval; `None` unless both
/// classes occur.
///
/// DeLong, DeLong and Clarke-Pearson (Biometrics 1988), by midranks as Sun and Xu (IEEE Signal
/// Processing Letters 2014). The interval is normal on the AUC's own scale, cut to [0, 1].
pub fn auc(cases: &[Scored]) -> Option<Auc> {
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
    // Share of negatives below each positive, and of positives above each negative.
    let below: Vec<f64> = (0..m).map(|i| (among_all[i] - among_positives[i]) / n as f64).collect();
    let above: Vec<f64> =
        (0..n).map(|j| 1.0 - (among_all[m + j] - among_negatives[j]) / m as f64).collect();
    let value = below.iter().sum::<f64>() / m as f64;
    let variance = sample_variance(&below) / m as f64 + sample_variance(&above) / n as f64;
    let half = Z95 * variance.sqrt();
    Some(Auc { value, low: (value - half).max(0.0), high: (value + half).min(1.0) })
}

/// ROC curve as (false positive rate, true positive rate) from (0, 0) to (1, 1), one corner per
/// distinct score, corners in the middle of a straight run left out. Empty unless both classes occur.
pub fn roc(cases: &[Scored]) -> Vec<[f64; 2]> {
    let total = |positive| cases.iter().filter(|c| c.positive == positive).count();
    let (m, n) = (total(true), total(false));
    if m == 0 || n == 0 {
        return Vec::new();
    }
    let mut sorted = cases.to_vec();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let (mut hits, mut alarms) = (0_u64, 0_u64);
    let mut corners = vec![(0_u64, 0_u64)];
    for tied in sorted.chunk_by(|a, b| a.score == b.score) {
        hits += tied.iter().filter(|c| c.positive).count() as u64;
        alarms += tied.iter().filter(|c| !c.positive).count() as u64;
        if let [.., a, b] = corners[..] {
            // The same direction as the step before: b is not a corner.
            if (b.0 - a.0) * (hits - b.1) == (alarms - b.0) * (b.1 - a.1) {
                corners.pop();
            }
        }
        corners.push((alarms, hits));
    }
    corners.into_iter().map(|(f, t)| [f as f64 / n as f64, t as f64 / m as f64]).collect()
}

/// Rank of each value from 1; tied values share the mean of their ranks.
fn midranks(values: &[f32]) -> Vec<f64> {
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

/// Unbiased variance; zero for fewer than two values.
fn sample_variance(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cases(positives: &[f32], negatives: &[f32]) -> Vec<Scored> {
        let scored = |positive| move |&score: &f32| Scored { score, positive };
        positives.iter().map(scored(true)).chain(negatives.iter().map(scored(false))).collect()
    }

    #[test]
    fn perfect_useless_and_missing() {
        assert_eq!(auc(&cases(&[3.0, 4.0], &[1.0, 2.0])).unwrap().value, 1.0);
        assert_eq!(auc(&cases(&[1.0, 1.0], &[1.0, 1.0, 1.0])).unwrap().value, 0.5);
        assert_eq!(auc(&cases(&[1.0], &[])), None);
        assert!(roc(&cases(&[], &[1.0])).is_empty());
    }

    /// Values from scikit-learn and from DeLong's formula written out pair by pair in numpy:
    /// tests/golden/metrics.py.
    #[test]
    fn agrees_with_scikit_learn_and_delong_on_ties() {
        #[derive(serde::Deserialize)]
        struct Golden {
            positives: Vec<f32>,
            negatives: Vec<f32>,
            auc: f64,
            variance: f64,
            roc: Vec<[f64; 2]>,
        }
        let goldens: Vec<Golden> =
            serde_json::from_str(include_str!("../../tests/golden/metrics.json")).unwrap();
        assert!(goldens.len() >= 4);
        for golden in goldens {
            let cases = cases(&golden.positives, &golden.negatives);
            let ours = auc(&cases).unwrap();
            assert!((ours.value - golden.auc).abs() < 1e-12, "{ours:?} {}", golden.auc);
            let half = Z95 * golden.variance.sqrt();
            assert!((ours.low - (golden.auc - half).max(0.0)).abs() < 1e-9);
            assert!((ours.high - (golden.auc + half).min(1.0)).abs() < 1e-9);
            // scikit-learn keeps every threshold; ours keeps the corners of the same curve.
            let ours = roc(&cases);
            let near = |a: &[f64; 2], b: &[f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-12;
            assert!(ours.iter().all(|a| golden.roc.iter().any(|b| near(a, b))));
            let on_curve = |p: &[f64; 2]| {
                ours.windows(2).any(|w| {
                    let ([ax, ay], [bx, by]) = (w[0], w[1]);
                    let cross = (bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax);
                    cross.abs() < 1e-12 && (ax..=bx).contains(&p[0]) && (ay..=by).contains(&p[1])
                })
            };
            assert!(golden.roc.iter().all(on_curve));
        }
    }

    proptest! {
        /// The area under the drawn curve is the AUC.
        #[test]
        fn the_curve_encloses_the_auc(
            positives in prop::collection::vec(0_u8..9, 1..40),
            negatives in prop::collection::vec(0_u8..9, 1..40),
        ) {
            let float = |v: &[u8]| v.iter().map(|&x| f32::from(x)).collect::<Vec<_>>();
            let cases = cases(&float(&positives), &float(&negatives));
            let curve = roc(&cases);
            let area: f64 =
                curve.windows(2).map(|w| (w[1][0] - w[0][0]) * (w[1][1] + w[0][1]) / 2.0).sum();
            prop_assert!((area - auc(&cases).unwrap().value).abs() < 1e-9);
            prop_assert_eq!(curve[0], [0.0, 0.0]);
            prop_assert_eq!(curve[curve.len() - 1], [1.0, 1.0]);
        }
    }
}
