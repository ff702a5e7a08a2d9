//! Values with their intervals.

use std::fmt;

use rand::RngExt;
use rayon::prelude::*;
use serde::Serialize;

use super::Ratings;
use super::coefficient::{self, Coefficient};
use base::seed;

/// How often the items are drawn.
pub const RESAMPLES: u32 = 2000;

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undefined {
    /// No item has two ratings.
    NoPairs,
    /// All ratings are the same: chance alone would agree wholly.
    NoVariation,
}

impl fmt::Display for Undefined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPairs => "no unit answered by two",
            Self::NoVariation => "all answers the same",
        })
    }
}

/// A coefficient's value, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimate {
    /// The value, with its 95% interval where the items give one.
    Value {
        /// The value.
        value: f64,
        /// Lower and upper end.
        interval: Option<[f64; 2]>,
    },
    /// There is none.
    Undefined(Undefined),
}

impl Estimate {
    /// The value.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Value { value, .. } => Some(*value),
            Self::Undefined(_) => None,
        }
    }

    /// The interval.
    pub fn interval(&self) -> Option<[f64; 2]> {
        match self {
            Self::Value { interval, .. } => *interval,
            Self::Undefined(_) => None,
        }
    }
}

/// The coefficients of some ratings, each with the percentile interval over [`RESAMPLES`] draws of the
/// items with replacement. The same seed gives the same intervals; the draws are the same for all
/// coefficients.
///
/// Draws in which a coefficient has no value are passed over; when these are half or more, or there are
/// fewer than two items with two ratings, the value has no interval; nor where it is the same in all
/// draws, as when readers agree on everything: an interval without width would say that nothing is
/// uncertain.
pub fn estimate<const N: usize>(
    ratings: &Ratings,
    coefficients: [Coefficient; N],
    seed: u64,
) -> [Estimate; N] {
    estimate_by(ratings, coefficients, seed, RESAMPLES)
}

/// As [`estimate`], by another number of draws: fewer are enough for what is averaged over many ratings.
pub fn estimate_by<const N: usize>(
    ratings: &Ratings,
    coefficients: [Coefficient; N],
    seed: u64,
    resamples: u32,
) -> [Estimate; N] {
    let values = coefficient::values(ratings, coefficients, |_| 1.0);
    let count = ratings.items.len();
    let wanted = ratings.pairable() > 1 && values.iter().any(Result::is_ok);
    let draws: Vec<[Option<f64>; N]> = (0..if wanted { resamples } else { 0 })
        .into_par_iter()
        .map(|number| {
            let mut stream = seed::stream(seed, &format!("agreement/{number}"));
            let mut times = vec![0.0_f64; count];
            (0..count).for_each(|_| times[stream.random_range(0..count)] += 1.0);
            coefficient::values(ratings, coefficients, |item| times[item]).map(Result::ok)
        })
        .collect();
    let mut at = 0;
    values.map(|value| {
        let drawn = draws.iter().filter_map(|draw| draw[at]).collect();
        at += 1;
        match value {
            Ok(value) => Estimate::Value { value, interval: interval(drawn, resamples) },
            Err(reason) => Estimate::Undefined(reason),
        }
    })
}

fn interval(mut drawn: Vec<f64>, resamples: u32) -> Option<[f64; 2]> {
    if drawn.len() <= resamples as usize / 2 {
        return None;
    }
    drawn.sort_by(f64::total_cmp);
    let ends = [quantile(&drawn, 0.025), quantile(&drawn, 0.975)];
    (ends[0] < ends[1]).then_some(ends)
}

/// Quantile of sorted values, linear between neighbours.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let at = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    below + (above - below) * at.fract()
}
