//! Intraclass correlations of scores: how much of their variance is that of the cases.

use metrics::distribution::f_quantile;
use serde::Serialize;

/// A correlation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Correlation {
    /// Its value, at most 1.
    pub value: f64,
    /// Its 95% interval; `None` where the readers do not differ in anything but their means.
    pub interval: Option<[f64; 2]>,
}

/// How far readers' scores of the same cases agree (Shrout and Fleiss 1979).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Icc {
    /// ICC(2,1): one score of any reader; readers who score higher than others disagree.
    pub agreement: Correlation,
    /// ICC(3,1): one score of one of these readers; whose scores are higher throughout may still agree.
    pub consistency: Correlation,
}

/// Correlations of scores by reader and case. `None` of fewer than two readers or cases, or where all scores are
/// the same.
///
/// # Panics
/// When readers have different numbers of scores.
pub fn icc(scores: &[Vec<f64>]) -> Option<Icc> {
    let (readers, cases) = (scores.len(), scores.first()?.len());
    assert!(scores.iter().all(|of| of.len() == cases), "a score of each reader for each case");
    if readers < 2 || cases < 2 {
        return None;
    }
    let (k, n) = (readers as f64, cases as f64);
    // Correlations know no unit; squares of very large scores would be infinite.
    let greatest = scores.iter().flatten().fold(0.0_f64, |most, score| most.max(score.abs()));
    let unit = if greatest > 0.0 { greatest } else { 1.0 };
    let scores: Vec<Vec<f64>> =
        scores.iter().map(|of| of.iter().map(|score| score / unit).collect()).collect();
    let by_reader: Vec<f64> = scores.iter().map(|of| of.iter().sum::<f64>() / n).collect();
    let by_case: Vec<f64> =
        (0..cases).map(|case| scores.iter().map(|of| of[case]).sum::<f64>() / k).collect();
    let all = by_reader.iter().sum::<f64>() / k;
    let squares = |means: &[f64]| means.iter().map(|mean| (mean - all).powi(2)).sum::<f64>();
    let between = k * squares(&by_case) / (n - 1.0);
    let of_readers = n * squares(&by_reader) / (k - 1.0);
    let mut rest = 0.0;
    for (of, reader) in scores.iter().zip(&by_reader) {
        for (score, case) in of.iter().zip(&by_case) {
            rest += (score - reader - case + all).powi(2);
        }
    }
    let error = rest / ((n - 1.0) * (k - 1.0));
    // Rounding leaves a trace of nothing.
    let least = 1e-24;
    if between <= least && of_readers <= least && error <= least {
        return None;
    }
    let value = |spread: f64| (between - error) / spread;
    let agreement = value(between + (k - 1.0) * error + k * (of_readers - error) / n);
    let consistency = value(between + (k - 1.0) * error);
    let varies = error > least && between > least;
    Some(Icc {
        agreement: Correlation {
            value: agreement,
            interval: varies.then(|| agreed(k, n, [between, of_readers, error], agreement)),
        },
        consistency: Correlation {
            value: consistency,
            interval: varies.then(|| {
                let (first, second) = (n - 1.0, (n - 1.0) * (k - 1.0));
                let ends = [
                    between / error / f_quantile(0.025, first, second),
                    between / error * f_quantile(0.025, second, first),
                ];
                ends.map(|f| (f - 1.0) / (f + k - 1.0))
            }),
        },
    })
}

/// The interval of ICC(2,1), by Satterthwaite's approximation (Fleiss and Shrout, Psychometrika 1978).
fn agreed(k: f64, n: f64, [between, of_readers, error]: [f64; 3], value: f64) -> [f64; 2] {
    let ratio = of_readers / error;
    let a = k * value * ratio;
    let b = n * (1.0 + (k - 1.0) * value) - k * value;
    let degrees = (k - 1.0) * (n - 1.0) * (a + b).powi(2) / ((n - 1.0) * a * a + b * b);
    let others = k * of_readers + (k * n - k - n) * error;
    let low = f_quantile(0.025, n - 1.0, degrees);
    let high = f_quantile(0.025, degrees, n - 1.0);
    [
        n * (between - low * error) / (low * others + n * between),
        n * (high * between - error) / (others + n * high * between),
    ]
}
