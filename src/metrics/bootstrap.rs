//! An interval that knows that cases of one patient are alike.
//!
//! DeLong's interval takes cases as independent. Patches overlap, and a patient has several images:
//! here whole patients are drawn with replacement, so that what they share widens the interval.

use std::collections::BTreeSet;

use rand::RngExt;
use rayon::prelude::*;

use super::Scored;
use crate::{NoInterval, Spread};
use base::seed;

/// How often the patients are drawn.
pub const RESAMPLES: u32 = 1000;

/// 95% percentile interval of the area under the ROC curve over [`RESAMPLES`] draws of the patients;
/// `patients` holds the number of each case's patient. The same seed gives the same interval.
///
/// Draws that miss a class have no area and are passed over: there is no interval when these are half or
/// more, when the cases of a class are all one patient's, and when the area is the same in all draws.
/// `None` without cases of both classes.
pub fn by_patient(cases: &[Scored], patients: &[u32], seed: u64) -> Option<Spread> {
    if cases.len() != patients.len() {
        return None;
    }
    let (places, count) = places(patients);
    let of_class = |positive: bool| {
        let of = cases.iter().zip(patients).filter(|(case, _)| case.positive == positive);
        of.map(|(_, patient)| *patient).collect::<BTreeSet<u32>>().len()
    };
    match (of_class(true), of_class(false)) {
        (0, _) | (_, 0) => return None,
        (1, _) => return Some(Spread::None(NoInterval::OnePositivePatient)),
        (_, 1) => return Some(Spread::None(NoInterval::OneNegativePatient)),
        _ => {}
    }
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by(|&a, &b| cases[a].score.total_cmp(&cases[b].score));
    let ties: Vec<&[usize]> = order.chunk_by(|&a, &b| cases[a].score == cases[b].score).collect();
    let area = |times: &[u64]| {
        // Pairs in the right order, each counted twice so that a tie is one.
        let (mut right, mut negatives, mut positives) = (0_u64, 0_u64, 0_u64);
        for tied in &ties {
            let mut here = [0_u64; 2];
            for &i in *tied {
                here[usize::from(cases[i].positive)] += times[places[i]];
            }
            right += here[1] * (2 * negatives + here[0]);
            negatives += here[0];
            positives += here[1];
        }
        let pairs = positives * negatives;
        (pairs > 0).then(|| right as f64 / (2 * pairs) as f64)
    };
    Some(drawn(count, seed, area))
}

/// Places of patients among those that occur, in the order of their numbers, and how many there are: whoever has no
/// case, as a patient of another split, is not drawn.
fn places(patients: &[u32]) -> (Vec<usize>, usize) {
    let mut known = patients.to_vec();
    known.sort_unstable();
    known.dedup();
    let place = |patient: &u32| known.partition_point(|other| other < patient);
    (patients.iter().map(place).collect(), known.len())
}

/// 95% percentile interval of what follows from how often each of `count` patients is drawn.
fn drawn(count: usize, seed: u64, of: impl Fn(&[u64]) -> Option<f64> + Sync) -> Spread {
    let draw = |number: u32| {
        let mut stream = seed::stream(seed, &format!("bootstrap/{number}"));
        let mut times = vec![0_u64; count];
        (0..count).for_each(|_| times[stream.random_range(0..count)] += 1);
        of(&times)
    };
    let mut values: Vec<f64> = (0..RESAMPLES).into_par_iter().filter_map(draw).collect();
    if values.len() <= RESAMPLES as usize / 2 {
        return Spread::None(NoInterval::FewDraws);
    }
    values.sort_by(f64::total_cmp);
    Spread::between(quantile(&values, 0.025), quantile(&values, 0.975))
}

/// A case of a scale: categories in an order, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Called {
    /// The true category.
    pub truth: usize,
    /// The one it was called.
    pub called: usize,
    /// Number of its patient.
    pub patient: u32,
}

/// Cohen's kappa with quadratic weights (Cohen 1968): 1 less the mean squared distance of what cases were called from
/// what they are, as a share of the one that chance gives. With its 95% percentile interval over [`RESAMPLES`] draws of
/// the patients.
///
/// `None` where all cases are of one category and called so: nothing could have disagreed.
pub fn weighted_kappa(cases: &[Called], seed: u64) -> Option<(f64, Spread)> {
    let categories = cases.iter().map(|case| case.truth.max(case.called) + 1).max()?;
    let patients: Vec<u32> = cases.iter().map(|case| case.patient).collect();
    let (places, count) = places(&patients);
    let kappa = |times: &dyn Fn(usize) -> u64| {
        let (mut truths, mut calls) = (vec![0_u64; categories], vec![0_u64; categories]);
        let (mut all, mut off) = (0, 0.0);
        let apart = |a: usize, b: usize| (a.abs_diff(b) as f64).powi(2);
        for (at, case) in cases.iter().enumerate() {
            let times = times(at);
            truths[case.truth] += times;
            calls[case.called] += times;
            all += times;
            off += times as f64 * apart(case.truth, case.called);
        }
        let mut expected = 0.0;
        for (a, &truths) in truths.iter().enumerate() {
            for (b, &calls) in calls.iter().enumerate() {
                expected += truths as f64 * calls as f64 * apart(a, b);
            }
        }
        (expected > 0.0).then(|| 1.0 - off * all as f64 / expected)
    };
    let value = kappa(&|_| 1)?;
    let of = |times: &[u64]| kappa(&|at| times[places[at]]);
    Some((value, drawn(count, seed, of)))
}

/// Quantile of sorted values, linear between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auc;

    /// One case per patient, positives higher by one and a half standard deviations or so.
    fn cases(count: u32) -> (Vec<Scored>, Vec<u32>) {
        let mut rng = seed::stream(3, "cases");
        let mut case = |i: u32| {
            let noise: f32 = (0..4).map(|_| rng.random::<f32>()).sum();
            let positive = i.is_multiple_of(3);
            Scored { score: noise + if positive { 0.8 } else { 0.0 }, positive }
        };
        ((0..count).map(&mut case).collect(), (0..count).collect())
    }

    #[test]
    fn of_independent_cases_it_is_near_delong() {
        let (cases, patients) = cases(300);
        let delong = auc(&cases).unwrap().spread.interval().unwrap();
        let spread = by_patient(&cases, &patients, 5).unwrap();
        let ours = spread.interval().unwrap();
        assert!((ours.low - delong.low).abs() < 0.012, "{ours:?} {delong:?}");
        assert!((ours.high - delong.high).abs() < 0.012, "{ours:?} {delong:?}");
        assert_eq!(by_patient(&cases, &patients, 5), Some(spread));
        assert_ne!(by_patient(&cases, &patients, 6), Some(spread));
    }

    /// Nine copies of every case hold no more than one: DeLong's interval shrinks to a third, the
    /// patients' stays.
    #[test]
    fn copies_within_a_patient_do_not_narrow_it() {
        let (cases, patients) = cases(120);
        let copied: Vec<Scored> = cases.iter().flat_map(|case| [*case; 9]).collect();
        let owners: Vec<u32> = patients.iter().flat_map(|patient| [*patient; 9]).collect();
        assert_eq!(by_patient(&copied, &owners, 5), by_patient(&cases, &patients, 5));
        let sparse: Vec<u32> = patients.iter().map(|patient| 3 * patient + 9).collect();
        assert_eq!(by_patient(&cases, &sparse, 5), by_patient(&cases, &patients, 5));
        let width = |cases: &[Scored]| {
            auc(cases).and_then(|auc| auc.spread.interval()).map(|i| i.high - i.low).unwrap()
        };
        assert!((width(&cases) / width(&copied) - 3.0).abs() < 0.1);
    }

    #[test]
    fn one_class_or_one_patient_with_it_has_none() {
        let negative = Scored { score: 0.5, positive: false };
        assert_eq!(by_patient(&[negative; 4], &[0, 1, 2, 3], 5), None);
        assert_eq!(by_patient(&[], &[], 5), None);
        let scored = |score: f32, positive: bool| Scored { score, positive };
        // Two patients, one of each kind; two of a kind and one of the other.
        let two = [scored(0.9, true), scored(0.1, false)];
        let none = |reason| Some(Spread::None(reason));
        assert_eq!(by_patient(&two, &[0, 1], 5), none(NoInterval::OnePositivePatient));
        let three = [scored(0.9, true), scored(0.4, true), scored(0.5, false)];
        assert_eq!(by_patient(&three, &[0, 1, 2], 5), none(NoInterval::OneNegativePatient));
        assert_eq!(by_patient(&three, &[0, 1, 1], 5), none(NoInterval::OneNegativePatient));
        // Four apart: every draw has the same area.
        let apart = [scored(0.9, true), scored(0.8, true), scored(0.2, false), scored(0.1, false)];
        assert_eq!(by_patient(&apart, &[0, 1, 2, 3], 5), none(NoInterval::NoSpread));
        let quantiles = [0.0, 1.0, 2.0, 3.0];
        assert_eq!(quantile(&quantiles, 0.5), 1.5);
    }

    /// Values of scikit-learn's `cohen_kappa_score(truth, called, weights="quadratic")`.
    #[test]
    fn kappa_weighs_by_the_square_of_the_distance() {
        let cases = |pairs: &[(usize, usize)]| -> Vec<Called> {
            let case = |(patient, &(truth, called)): (u32, &(usize, usize))| Called {
                truth,
                called,
                patient,
            };
            (0..).zip(pairs).map(case).collect()
        };
        let kappa = |pairs: &[(usize, usize)]| weighted_kappa(&cases(pairs), 3);
        let truths = [0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3];
        let calls = [0, 1, 1, 2, 1, 2, 0, 2, 3, 3, 1, 2];
        let pairs: Vec<(usize, usize)> = truths.into_iter().zip(calls).collect();
        let (value, spread) = kappa(&pairs).unwrap();
        assert!((value - 0.576_923_076_923_076_9).abs() < 1e-12, "{value}");
        let interval = spread.interval().unwrap();
        assert!(interval.low < value && value < interval.high);
        assert_eq!(kappa(&[(0, 0), (1, 1), (3, 3)]).unwrap().0, 1.0);
        assert_eq!(kappa(&[(2, 2), (2, 2)]), None);
        assert_eq!(kappa(&[]), None);
        // What is called the same whatever it is agrees as chance would.
        assert_eq!(kappa(&[(0, 1), (1, 1), (2, 1)]).unwrap().0, 0.0);
        // A patient's copies say nothing new.
        let mut copied = cases(&pairs);
        copied.extend(cases(&pairs));
        assert_eq!(weighted_kappa(&copied, 3).unwrap().1, spread);
        // Nor do patients without a case, between those that have one.
        let mut sparse = cases(&pairs);
        sparse.iter_mut().for_each(|case| case.patient = 7 * case.patient + 40);
        assert_eq!(weighted_kappa(&sparse, 3).unwrap().1, spread);
    }
}
