//! The coefficients, from sums over items.

use serde::Serialize;

use super::sums::Sums;
use super::{Ratings, Undefined};

/// A measure of agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Coefficient {
    /// Share of the pairs of raters that agree, item by item, averaged over the items.
    Percent,
    /// Cohen's kappa; with more than two raters the mean over their pairs (Light), pairs without a
    /// value left out.
    Cohen,
    /// Fleiss' kappa; where ratings are missing, its generalisation to varying numbers of raters
    /// (Gwet 2014).
    Fleiss,
    /// Krippendorff's alpha, nominal or by the distance of the ratings.
    Alpha,
    /// Gwet's AC1.
    Ac1,
}

impl Coefficient {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Percent, Self::Cohen, Self::Fleiss, Self::Alpha, Self::Ac1];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent agreement",
            Self::Cohen => "Cohen\u{2019}s kappa",
            Self::Fleiss => "Fleiss\u{2019} kappa",
            Self::Alpha => "Krippendorff\u{2019}s alpha",
            Self::Ac1 => "Gwet\u{2019}s AC1",
        }
    }

    /// Its name in tables.
    pub fn id(self) -> &'static str {
        match self {
            Self::Percent => "percent_agreement",
            Self::Cohen => "cohen_kappa",
            Self::Fleiss => "fleiss_kappa",
            Self::Alpha => "krippendorff_alpha",
            Self::Ac1 => "gwet_ac1",
        }
    }

    /// Its value from the sums over the items.
    fn of(self, ratings: &Ratings, sums: &Sums) -> Result<f64, Undefined> {
        if sums.pairable == 0.0 {
            return Err(Undefined::NoPairs);
        }
        let agreed = sums.agreeing / sums.pairable;
        let shares = sums.shares.iter().map(|share| share / sums.rated);
        match self {
            Self::Percent => Ok(agreed),
            Self::Cohen => light(&sums.crossed, ratings),
            Self::Fleiss => corrected(agreed, shares.map(|share| share * share).sum()),
            Self::Ac1 => {
                if ratings.values < 2 {
                    return Err(Undefined::NoVariation);
                }
                let spread: f64 = shares.map(|share| share * (1.0 - share)).sum();
                corrected(agreed, spread / (ratings.values - 1) as f64)
            }
            Self::Alpha => alpha(ratings, sums),
        }
    }
}

/// The values of some coefficients, with the item `i` counted `times(i)` times.
pub(super) fn values<const N: usize>(
    ratings: &Ratings,
    coefficients: [Coefficient; N],
    times: impl Fn(usize) -> f64,
) -> [Result<f64, Undefined>; N] {
    let sums = Sums::of(ratings, coefficients.contains(&Coefficient::Cohen), times);
    coefficients.map(|coefficient| coefficient.of(ratings, &sums))
}

/// Agreement beyond what chance gives, as a share of what it leaves room for.
fn corrected(agreed: f64, chance: f64) -> Result<f64, Undefined> {
    // Sums of shares may miss 1 by rounding.
    if 1.0 - chance < 1e-12 {
        return Err(Undefined::NoVariation);
    }
    Ok((agreed - chance) / (1.0 - chance))
}

fn alpha(ratings: &Ratings, sums: &Sums) -> Result<f64, Undefined> {
    let total: f64 = sums.given.iter().sum();
    let mut expected = 0.0;
    for (a, &often) in sums.given.iter().enumerate().filter(|(_, often)| **often > 0.0) {
        for (b, &other) in sums.given.iter().enumerate().skip(a + 1) {
            expected += 2.0 * often * other * ratings.distance(a, b);
        }
    }
    if expected <= 0.0 {
        return Err(Undefined::NoVariation);
    }
    Ok(1.0 - sums.distances * (total - 1.0) / expected)
}

/// Mean of Cohen's kappa over the pairs of raters that have one; `crossed` holds a table per pair.
fn light(crossed: &[f64], ratings: &Ratings) -> Result<f64, Undefined> {
    let (mut sum, mut pairs) = (0.0, 0);
    let mut undefined = Undefined::NoPairs;
    for table in crossed.chunks_exact((ratings.values * ratings.values).max(1)) {
        match cohen(table, ratings.values) {
            Ok(kappa) => {
                sum += kappa;
                pairs += 1;
            }
            Err(Undefined::NoPairs) => {}
            Err(reason) => undefined = reason,
        }
    }
    if pairs == 0 { Err(undefined) } else { Ok(sum / f64::from(pairs)) }
}

/// Of a table of the values that two raters gave.
fn cohen(table: &[f64], values: usize) -> Result<f64, Undefined> {
    let total: f64 = table.iter().sum();
    if total == 0.0 {
        return Err(Undefined::NoPairs);
    }
    let (mut agreed, mut chance) = (0.0, 0.0);
    for value in 0..values {
        let row: f64 = table[value * values..(value + 1) * values].iter().sum();
        let column: f64 = (0..values).map(|other| table[other * values + value]).sum();
        agreed += table[value * values + value] / total;
        chance += row / total * (column / total);
    }
    corrected(agreed, chance)
}
