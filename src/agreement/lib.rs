//! How far raters agree: percent agreement and the coefficients that allow for chance, each with a
//! bootstrap interval over the items.
//!
//! Everything is computed from sums over items (`sums`), so that a bootstrap draw is a weighted sum.
//! Ratings may be missing; an item counts for agreement where at least two raters gave one.
//!
//! Degenerate cases have one rule: where a coefficient's formula divides by zero there is no value, and
//! [`Undefined`] says why. It is never replaced by 0 or 1.

mod coefficient;
mod estimate;
mod published;
mod sets;
mod sums;

#[cfg(test)]
mod tests;

pub use coefficient::Coefficient;
pub use estimate::{Estimate, RESAMPLES, Undefined, estimate, estimate_by};
pub use published::{PUBLISHED, Published};
pub use sets::{SetDistance, set_ratings};

/// What raters said of items: each rating is one of a fixed number of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratings {
    items: Vec<Vec<Rating>>,
    raters: usize,
    values: usize,
    /// Distance of two values, row by row; `None` where values are either the same or not.
    distances: Option<Vec<f64>>,
}

/// One rater's value for one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating {
    /// Number of the rater, from 0.
    pub rater: usize,
    /// Number of the value, from 0.
    pub value: usize,
}

impl Ratings {
    /// Ratings by categories without an order, `values` of them whether or not each was used. Items
    /// hold (rater, value); a rater rates an item once.
    ///
    /// # Panics
    /// When a rater or value is out of range.
    pub fn nominal(
        items: impl IntoIterator<Item = Vec<(usize, usize)>>,
        raters: usize,
        values: usize,
    ) -> Self {
        let items: Vec<Vec<Rating>> = items
            .into_iter()
            .map(|item| item.into_iter().map(|(rater, value)| Rating { rater, value }).collect())
            .collect();
        for rating in items.iter().flatten() {
            assert!(rating.rater < raters && rating.value < values, "a rating out of range");
        }
        Self { items, raters, values, distances: None }
    }

    /// With a distance between values, `values` × `values` row by row, 0 for the same and 1 for the
    /// farthest. It counts for Krippendorff's alpha alone.
    ///
    /// # Panics
    /// When the number of distances is wrong.
    #[must_use]
    pub fn with_distances(self, distances: Vec<f64>) -> Self {
        assert_eq!(distances.len(), self.values * self.values, "one distance per pair of values");
        Self { distances: Some(distances), ..self }
    }

    /// Items that at least two raters rated.
    pub fn pairable(&self) -> usize {
        self.items.iter().filter(|item| item.len() > 1).count()
    }

    /// Raters who rated an item that another rated too.
    pub fn active(&self) -> usize {
        (0..self.raters)
            .filter(|&rater| {
                self.items.iter().any(|i| i.len() > 1 && i.iter().any(|r| r.rater == rater))
            })
            .count()
    }

    /// Share of all ratings that gave this value; none without ratings.
    pub fn share(&self, value: usize) -> Option<f64> {
        let all = self.items.iter().map(Vec::len).sum::<usize>();
        let given = self.items.iter().flatten().filter(|rating| rating.value == value).count();
        (all > 0).then(|| given as f64 / all as f64)
    }

    /// The ratings of two raters alone, as raters 0 and 1.
    #[must_use]
    pub fn pair(&self, a: usize, b: usize) -> Self {
        let of = |item: &Vec<Rating>, rater: usize, number: usize| {
            item.iter().find(|r| r.rater == rater).map(|r| Rating { rater: number, value: r.value })
        };
        let items = self
            .items
            .iter()
            .map(|item| [of(item, a, 0), of(item, b, 1)].into_iter().flatten().collect())
            .collect();
        Self { items, raters: 2, values: self.values, distances: self.distances.clone() }
    }

    fn distance(&self, a: usize, b: usize) -> f64 {
        match &self.distances {
            Some(distances) => distances[a * self.values + b],
            None => f64::from(u8::from(a != b)),
        }
    }
}
