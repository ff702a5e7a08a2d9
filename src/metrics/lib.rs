//! How well scores tell positives from negatives: ROC curves, areas under them with DeLong's intervals and
//! bootstraps over patients, precision and recall, operating points, calibration; the distributions of their tests, and
//! the correction for how many there are.
//!
//! In: cases with a score and the truth ([`Scored`]). Out: values in [0, 1] with 95% intervals ([`Spread`]: never
//! one without width), `None` where one class is missing. Pure: no files, and random draws only from a given seed.

mod auc;
mod bootstrap;
mod calibration;
mod chance;
mod curves;
pub mod distribution;
mod measures;

pub use auc::midranks;
pub use auc::{Comparison, Placements, auc, compare};
pub use bootstrap::{Called, RESAMPLES, by_patient, weighted_kappa};
pub use calibration::calibration;
pub use chance::{Chance, adjusted};
pub use curves::{
    PrecisionRecall, operating_points, partial_auc, precision_recall, probabilistic_f1, roc,
};
pub use distribution::below_normal;

pub use measures::{
    Auc, Bin, Calibration, Fixed, Interval, NoInterval, OperatingPoint, Proportion, Spread,
};

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

/// `count` of `of` with Wilson's 95% interval; of none, it is 0 with the interval [0, 1].
pub fn proportion(count: u32, of: u32) -> Proportion {
    if of == 0 {
        return Proportion { count, of, value: 0.0, low: 0.0, high: 1.0 };
    }
    let n = f64::from(of);
    let value = f64::from(count) / n;
    let scale = 1.0 + Z95 * Z95 / n;
    let centre = (value + Z95 * Z95 / (2.0 * n)) / scale;
    let half = Z95 / scale * (value * (1.0 - value) / n + Z95 * Z95 / (4.0 * n * n)).sqrt();
    // Exact at the ends, where rounding would leave a trace.
    let low = if count == 0 { 0.0 } else { centre - half };
    let high = if count == of { 1.0 } else { centre + half };
    Proportion { count, of, value, low, high }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fixed;
    use proptest::prelude::*;

    fn cases(positives: &[f32], negatives: &[f32]) -> Vec<Scored> {
        let scored = |positive| move |&score: &f32| Scored { score, positive };
        positives.iter().map(scored(true)).chain(negatives.iter().map(scored(false))).collect()
    }

    #[test]
    fn no_interval_is_without_width() {
        let spread = |positives: &[f32], negatives: &[f32]| {
            let auc = auc(&cases(positives, negatives)).unwrap();
            (auc.spread.reason(), serde_json::to_value(auc).unwrap())
        };
        let (reason, json) = spread(&[3.0], &[1.0, 2.0]);
        assert_eq!(reason, Some(NoInterval::OnePositive));
        assert_eq!(json, serde_json::json!({ "value": 1.0, "no_interval": "one_positive" }));
        assert_eq!(spread(&[3.0, 1.0], &[2.0]).0, Some(NoInterval::OneNegative));
        assert_eq!(spread(&[3.0, 4.0], &[1.0, 2.0]).0, Some(NoInterval::NoSpread));
        assert_eq!(spread(&[1.0, 1.0], &[1.0, 1.0]).0, Some(NoInterval::NoSpread));
        let (reason, json) = spread(&[3.0, 1.0], &[2.0, 0.0]);
        assert_eq!(reason, None);
        assert_eq!(serde_json::from_value::<Auc>(json).unwrap().value, 0.75);
        // As files of before have it.
        let old: Auc = serde_json::from_str(r#"{"value":1.0,"low":1.0,"high":1.0}"#).unwrap();
        assert_eq!(old.spread, Spread::None(NoInterval::NoSpread));
    }

    #[test]
    fn perfect_useless_and_missing() {
        assert_eq!(auc(&cases(&[3.0, 4.0], &[1.0, 2.0])).unwrap().value, 1.0);
        assert_eq!(auc(&cases(&[1.0, 1.0], &[1.0, 1.0, 1.0])).unwrap().value, 0.5);
        assert_eq!(auc(&cases(&[1.0], &[])), None);
        assert!(roc(&cases(&[], &[1.0])).is_empty());
        assert_eq!(precision_recall(&cases(&[1.0], &[])), PrecisionRecall::default());
        assert!(operating_points(&cases(&[], &[1.0])).is_empty());
        assert_eq!(calibration(&[]), None);
        // Nothing can be called positive without calling every negative so.
        let backwards = operating_points(&cases(&[0.1], &[0.9]));
        assert_eq!((backwards[0].threshold, backwards[0].sensitivity.value), (None, 0.0));
        assert_eq!((backwards[3].threshold, backwards[3].specificity.value), (Some(0.1), 0.0));
    }

    /// Values of tests/golden/metrics.py.
    #[derive(serde::Deserialize)]
    struct Golden {
        positives: Vec<f32>,
        negatives: Vec<f32>,
        auc: f64,
        variance: f64,
        /// Most false alarms, area.
        partial_auc: Vec<[f64; 2]>,
        probabilistic_f1: f64,
        roc: Vec<[f64; 2]>,
        precision_recall: Vec<[f64; 2]>,
        average_precision: f64,
        /// Target, threshold, hits, true negatives.
        at_specificity: Vec<(f64, Option<f32>, u32, u32)>,
        at_sensitivity: Vec<(f64, Option<f32>, u32, u32)>,
        /// Wilson's interval of the first operating point's sensitivity.
        wilson: [f64; 2],
        calibration: Option<GoldenCalibration>,
        /// Another classifier of the same cases.
        other: GoldenOther,
    }

    #[derive(serde::Deserialize)]
    struct GoldenCalibration {
        brier: f64,
        expected_error: f64,
        /// Mean probability and share of positives of each bin that holds a case.
        bins: Vec<[f64; 2]>,
    }

    #[derive(serde::Deserialize)]
    struct GoldenOther {
        positives: Vec<f32>,
        negatives: Vec<f32>,
        difference: f64,
        variance: f64,
        p: f64,
    }

    fn near(ours: f64, theirs: f64) {
        assert!((ours - theirs).abs() < 1e-10, "{ours} {theirs}");
    }

    /// Values from scikit-learn, scipy and DeLong's formula written out pair by pair in numpy.
    #[test]
    fn agrees_with_scikit_learn_and_delong_on_ties() {
        let goldens: Vec<Golden> =
            serde_json::from_str(include_str!("../../tests/golden/metrics.json")).unwrap();
        assert!(goldens.len() >= 6 && goldens.iter().any(|g| g.calibration.is_some()));
        for golden in goldens {
            let cases_of_ours = cases(&golden.positives, &golden.negatives);
            let ours = auc(&cases_of_ours).unwrap();
            near(ours.value, golden.auc);
            let half = Z95 * golden.variance.sqrt();
            let few = golden.positives.len().min(golden.negatives.len()) < 2;
            match ours.spread.interval() {
                Some(interval) => {
                    near(interval.low, (golden.auc - half).max(0.0));
                    near(interval.high, (golden.auc + half).min(1.0));
                }
                None => assert!(few || golden.variance == 0.0, "{:?}", ours.spread),
            }

            for [most, area] in golden.partial_auc {
                near(partial_auc(&roc(&cases_of_ours), most).unwrap(), area);
            }
            near(partial_auc(&roc(&cases_of_ours), 1.0).unwrap(), golden.auc);
            near(probabilistic_f1(&cases_of_ours).unwrap(), golden.probabilistic_f1);

            // scikit-learn keeps every threshold; ours keeps the corners of the same curve.
            let ours = roc(&cases_of_ours);
            let close = |a: &[f64; 2], b: &[f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]) < 1e-12;
            assert!(ours.iter().all(|a| golden.roc.iter().any(|b| close(a, b))));
            let on_curve = |p: &[f64; 2]| {
                ours.windows(2).any(|w| {
                    let ([ax, ay], [bx, by]) = (w[0], w[1]);
                    let cross = (bx - ax) * (p[1] - ay) - (by - ay) * (p[0] - ax);
                    let within = |v: f64, from: f64, to: f64| v > from - 1e-12 && v < to + 1e-12;
                    cross.abs() < 1e-12 && within(p[0], ax, bx) && within(p[1], ay, by)
                })
            };
            assert!(golden.roc.iter().all(on_curve));

            let ours = precision_recall(&cases_of_ours);
            near(ours.average.unwrap(), golden.average_precision);
            assert_eq!(ours.points.len(), golden.precision_recall.len());
            for (ours, theirs) in ours.points.iter().zip(&golden.precision_recall) {
                near(ours[0], theirs[0]);
                near(ours[1], theirs[1]);
            }

            let ours = operating_points(&cases_of_ours);
            let specificity = golden.at_specificity.iter().map(|g| (Fixed::Specificity(g.0), g));
            let sensitivity = golden.at_sensitivity.iter().map(|g| (Fixed::Sensitivity(g.0), g));
            assert_eq!(ours.len(), 6);
            for (ours, (fixed, theirs)) in ours.iter().zip(specificity.chain(sensitivity)) {
                let counts = (ours.sensitivity.count, ours.specificity.count);
                assert_eq!((ours.fixed, ours.threshold), (fixed, theirs.1));
                assert_eq!(counts, (theirs.2, theirs.3), "{fixed:?}");
            }
            near(ours[0].sensitivity.low, golden.wilson[0]);
            near(ours[0].sensitivity.high, golden.wilson[1]);

            if let Some(theirs) = golden.calibration {
                let ours = calibration(&cases_of_ours).unwrap();
                near(ours.brier, theirs.brier);
                near(ours.expected_error, theirs.expected_error);
                assert_eq!(ours.bins.len(), theirs.bins.len());
                for (ours, theirs) in ours.bins.iter().zip(&theirs.bins) {
                    near(ours.predicted, theirs[0]);
                    near(ours.observed.value, theirs[1]);
                }
            }

            let other = golden.other;
            let others = cases(&other.positives, &other.negatives);
            let ours = compare(&cases_of_ours, &others).unwrap();
            near(ours.difference, other.difference);
            match ours.spread.interval() {
                Some(interval) => {
                    near(interval.high - interval.low, 2.0 * Z95 * other.variance.sqrt());
                    near(ours.p.unwrap(), other.p);
                }
                None => assert!(few || other.variance == 0.0, "{:?}", ours.spread),
            }
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
