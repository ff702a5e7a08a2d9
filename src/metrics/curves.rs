//! Curves over all thresholds, and what they give at a fixed specificity or sensitivity. A case is
//! called positive when its score reaches the threshold.

use super::{Scored, proportion};
use crate::{Fixed, OperatingPoint};

/// Specificities and sensitivities at which operating points are taken.
const FIXED: [f64; 3] = [0.80, 0.90, 0.95];

/// What a threshold calls positive.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Called {
    /// `None` is above every score: nothing is called positive.
    threshold: Option<f32>,
    hits: u32,
    alarms: u32,
}

/// All cases by descending threshold, from none called positive to all.
struct Sweep {
    steps: Vec<Called>,
    positives: u32,
    negatives: u32,
}

impl Sweep {
    /// `None` unless both classes occur.
    fn of(cases: &[Scored]) -> Option<Self> {
        let mut sorted = cases.to_vec();
        sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
        let mut called = Called { threshold: None, hits: 0, alarms: 0 };
        let mut steps = vec![called];
        for tied in sorted.chunk_by(|a, b| a.score == b.score) {
            called.threshold = Some(tied[0].score);
            called.hits += tied.iter().filter(|c| c.positive).count() as u32;
            called.alarms += tied.iter().filter(|c| !c.positive).count() as u32;
            steps.push(called);
        }
        let (positives, negatives) = (called.hits, called.alarms);
        (positives > 0 && negatives > 0).then_some(Self { steps, positives, negatives })
    }
}

/// ROC curve as (false positive rate, true positive rate) from (0, 0) to (1, 1), one corner per
/// distinct score, corners in the middle of a straight run left out. Empty unless both classes occur.
pub fn roc(cases: &[Scored]) -> Vec<[f64; 2]> {
    let Some(Sweep { steps, positives, negatives }) = Sweep::of(cases) else { return Vec::new() };
    let mut corners: Vec<(u64, u64)> = Vec::new();
    for step in steps {
        let (alarms, hits) = (u64::from(step.alarms), u64::from(step.hits));
        if let [.., a, b] = corners[..]
            // The same direction as the step before: b is not a corner.
            && (b.0 - a.0) * (hits - b.1) == (alarms - b.0) * (b.1 - a.1)
        {
            corners.pop();
        }
        corners.push((alarms, hits));
    }
    let (m, n) = (f64::from(positives), f64::from(negatives));
    corners.into_iter().map(|(alarms, hits)| [alarms as f64 / n, hits as f64 / m]).collect()
}

/// A precision-recall curve.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PrecisionRecall {
    /// (recall, precision) by ascending recall from (0, 1); of thresholds with the same recall the
    /// highest and the lowest. Empty unless both classes occur.
    pub points: Vec<[f64; 2]>,
    /// Mean of the precisions, each weighted by the rise in recall since the threshold before
    /// (scikit-learn's `average_precision_score`); no line is drawn between points.
    pub average: Option<f64>,
}

/// Precision over recall.
pub fn precision_recall(cases: &[Scored]) -> PrecisionRecall {
    let Some(Sweep { steps, positives, .. }) = Sweep::of(cases) else {
        return PrecisionRecall::default();
    };
    let recall = |c: &Called| f64::from(c.hits) / f64::from(positives);
    let precision = |c: &Called| f64::from(c.hits) / f64::from(c.hits + c.alarms);
    let rise = |w: &[Called]| (recall(&w[1]) - recall(&w[0])) * precision(&w[1]);
    let average = Some(steps.windows(2).map(rise).sum());
    let called = &steps[1..];
    let ends = |i: usize| {
        let differs = |j: usize| called.get(j).is_none_or(|other| other.hits != called[i].hits);
        i == 0 || differs(i - 1) || differs(i + 1)
    };
    let kept = (0..called.len()).filter(|&i| ends(i)).map(|i| &called[i]);
    let points = std::iter::once([0.0, 1.0]).chain(kept.map(|c| [recall(c), precision(c)]));
    PrecisionRecall { points: points.collect(), average }
}

/// Area under a ROC curve, as [`roc`] gives it, where at most a share `most` of the negatives, above 0 and at most 1, is
/// called positive, standardised so that chance has 0.5 and a perfect order 1 (McClish, 1989; scikit-learn's `max_fpr`).
/// `None` of an empty curve.
pub fn partial_auc(corners: &[[f64; 2]], most: f64) -> Option<f64> {
    if corners.is_empty() {
        return None;
    }
    let mut area = 0.0;
    for step in corners.windows(2) {
        let [[from, low], [to, high]] = [step[0], step[1]];
        if from >= most {
            break;
        }
        // The part of a slanted run that lies within.
        let part = if to > most { (most - from) / (to - from) } else { 1.0 };
        area += (to - from) * part * (low + 0.5 * part * (high - low));
    }
    let chance = 0.5 * most * most;
    Some(0.5 * (1.0 + (area - chance) / (most - chance)))
}

/// The F1 score of probabilities, each counted as so much of a case that is called positive ("pF1": Yacouby and
/// Axman, 2020; the measure of the RSNA's contest on screening mammography). It depends on how likely positives are, and on
/// calibration. `None` unless both classes occur.
pub fn probabilistic_f1(cases: &[Scored]) -> Option<f64> {
    let sum = |positive: bool| {
        let own = cases.iter().filter(|case| case.positive == positive);
        own.map(|case| f64::from(case.score.clamp(0.0, 1.0))).sum::<f64>()
    };
    let positives = cases.iter().filter(|case| case.positive).count();
    if positives == 0 || positives == cases.len() {
        return None;
    }
    // Twice precision times recall over their sum.
    let (hits, alarms) = (sum(true), sum(false));
    Some(2.0 * hits / (positives as f64 + hits + alarms))
}

/// The greatest sensitivity at a specificity of at least 80%, 90% and 95%, then the greatest
/// specificity at a sensitivity of at least as much. Empty unless both classes occur.
pub fn operating_points(cases: &[Scored]) -> Vec<OperatingPoint> {
    let Some(Sweep { steps, positives, negatives }) = Sweep::of(cases) else { return Vec::new() };
    let sensitivity = |c: &Called| f64::from(c.hits) / f64::from(positives);
    let specificity = |c: &Called| f64::from(negatives - c.alarms) / f64::from(negatives);
    // Of thresholds that do equally well on the side asked for, the one that does best on the other.
    let at = |fixed: Fixed| {
        let best = match fixed {
            Fixed::Specificity(least) => steps
                .iter()
                .filter(|c| specificity(c) >= least)
                .max_by_key(|c| (c.hits, std::cmp::Reverse(c.alarms))),
            Fixed::Sensitivity(least) => steps
                .iter()
                .filter(|c| sensitivity(c) >= least)
                .min_by_key(|c| (c.alarms, std::cmp::Reverse(c.hits))),
        };
        best.map(|best| OperatingPoint {
            fixed,
            threshold: best.threshold,
            sensitivity: proportion(best.hits, positives),
            specificity: proportion(negatives - best.alarms, negatives),
        })
    };
    let fixed = FIXED.map(Fixed::Specificity).into_iter().chain(FIXED.map(Fixed::Sensitivity));
    fixed.filter_map(at).collect()
}
