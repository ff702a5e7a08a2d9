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
/// `patients` holds the number of each case's patient, from 0. The same seed gives the same interval.
///
/// Draws that miss a class have no area and are passed over: there is no interval when these are half or
/// more, when the cases of a class are all one patient's, and when the area is the same in all draws.
/// `None` without cases of both classes.
pub fn by_patient(cases: &[Scored], patients: &[u32], seed: u64) -> Option<Spread> {
    let count = patients.iter().max().map_or(0, |most| *most as usize + 1);
    if cases.len() != patients.len() {
        return None;
    }
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
    let draw = |number: u32| {
        let mut stream = seed::stream(seed, &format!("bootstrap/{number}"));
        let mut times = vec![0_u64; count];
        (0..count).for_each(|_| times[stream.random_range(0..count)] += 1);
        // Pairs in the right order, each counted twice so that a tie is one.
        let (mut right, mut negatives, mut positives) = (0_u64, 0_u64, 0_u64);
        for tied in &ties {
            let mut here = [0_u64; 2];
            for &i in *tied {
                here[usize::from(cases[i].positive)] += times[patients[i] as usize];
            }
            right += here[1] * (2 * negatives + here[0]);
            negatives += here[0];
            positives += here[1];
        }
        let pairs = positives * negatives;
        (pairs > 0).then(|| right as f64 / (2 * pairs) as f64)
    };
    let mut areas: Vec<f64> = (0..RESAMPLES).into_par_iter().filter_map(draw).collect();
    if areas.len() <= RESAMPLES as usize / 2 {
        return Some(Spread::None(NoInterval::FewDraws));
    }
    areas.sort_by(f64::total_cmp);
    Some(Spread::between(quantile(&areas, 0.025), quantile(&areas, 0.975)))
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
}
