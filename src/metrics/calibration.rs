//! Whether a probability of 70% is right in 70% of the cases.

use super::{Scored, proportion};
use crate::{Bin, Calibration};

/// Bins of equal width.
const BINS: usize = 10;

/// Brier score, reliability and expected calibration error of probabilities; `None` without a case.
///
/// The edge between two bins belongs to the lower one, as in scikit-learn's `calibration_curve`.
pub fn calibration(cases: &[Scored]) -> Option<Calibration> {
    if cases.is_empty() {
        return None;
    }
    let mut bins = [(0.0_f64, 0_u32, 0_u32); BINS];
    let mut squares = 0.0;
    for case in cases {
        let probability = f64::from(case.score);
        squares += (probability - f64::from(u8::from(case.positive))).powi(2);
        let bin = (1..BINS).take_while(|&i| probability > i as f64 / BINS as f64).count();
        let (sum, count, positives) = &mut bins[bin];
        *sum += probability;
        *count += 1;
        *positives += u32::from(case.positive);
    }
    let total = cases.len() as f64;
    let bins: Vec<Bin> = bins
        .iter()
        .enumerate()
        .filter(|(_, (_, count, _))| *count > 0)
        .map(|(i, &(sum, count, positives))| Bin {
            low: i as f64 / BINS as f64,
            high: (i + 1) as f64 / BINS as f64,
            predicted: sum / f64::from(count),
            observed: proportion(positives, count),
        })
        .collect();
    let gap =
        |bin: &Bin| (bin.predicted - bin.observed.value).abs() * f64::from(bin.observed.of) / total;
    let expected_error = bins.iter().map(gap).sum();
    Some(Calibration { brier: squares / total, expected_error, bins })
}
