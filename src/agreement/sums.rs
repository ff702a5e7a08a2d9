//! What every coefficient is computed from: sums over items, each item as often as it was drawn.

use super::Ratings;

/// Sums over the items.
pub(super) struct Sums {
    /// Items with a rating at all.
    pub(super) rated: f64,
    /// Items with two or more.
    pub(super) pairable: f64,
    /// Over pairable items, the share of the pairs of raters that agree.
    pub(super) agreeing: f64,
    /// Per value, over rated items, the share of the item's ratings that gave it.
    pub(super) shares: Vec<f64>,
    /// Per value, how often it was given in pairable items.
    pub(super) given: Vec<f64>,
    /// Over pairable items, the mean distance of a rating from the others of its item, summed over the
    /// ratings.
    pub(super) distances: f64,
    /// Per pair of raters, (0, 1), (0, 2), … (1, 2), …, a table of how often they gave each pair of
    /// values to one item; empty unless asked for.
    pub(super) crossed: Vec<f64>,
}

impl Sums {
    /// Sums with the item `i` counted `times(i)` times.
    pub(super) fn of(ratings: &Ratings, cross: bool, times: impl Fn(usize) -> f64) -> Self {
        let (raters, values) = (ratings.raters, ratings.values);
        let pairs = if cross { raters * raters.saturating_sub(1) / 2 } else { 0 };
        let mut sums = Self {
            rated: 0.0,
            pairable: 0.0,
            agreeing: 0.0,
            shares: vec![0.0; ratings.values],
            given: vec![0.0; ratings.values],
            distances: 0.0,
            crossed: vec![0.0; pairs * values * values],
        };
        for (number, item) in ratings.items.iter().enumerate() {
            let weight = times(number);
            if weight == 0.0 || item.is_empty() {
                continue;
            }
            let count = item.len() as f64;
            sums.rated += weight;
            for rating in item {
                sums.shares[rating.value] += weight / count;
            }
            if item.len() < 2 {
                continue;
            }
            sums.pairable += weight;
            let (mut same, mut apart) = (0.0, 0.0);
            for (at, a) in item.iter().enumerate() {
                sums.given[a.value] += weight;
                for b in &item[at + 1..] {
                    same += f64::from(u8::from(a.value == b.value));
                    apart += ratings.distance(a.value, b.value);
                    if cross {
                        let (first, second) = if a.rater < b.rater { (a, b) } else { (b, a) };
                        let before = first.rater * (2 * raters - first.rater - 1) / 2;
                        let pair = before + second.rater - first.rater - 1;
                        let at = (pair * values + first.value) * values + second.value;
                        sums.crossed[at] += weight;
                    }
                }
            }
            sums.agreeing += weight * same / (count * (count - 1.0) / 2.0);
            sums.distances += weight * 2.0 * apart / (count - 1.0);
        }
        sums
    }
}
