//! Ratings that are sets, such as the terms that a reader gave a unit.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Ratings;

/// How far two sets are apart, from 0 to 1. Two empty sets are the same; an empty one is as far as can
/// be from any other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SetDistance {
    /// One less the size of the intersection over that of the union.
    Jaccard,
    /// Passonneau 2006: Jaccard's similarity times 1 for the same sets, 2/3 where one holds the other,
    /// 1/3 where they overlap, 0 where they do not; taken from 1.
    Masi,
}

impl SetDistance {
    /// The distance of two sets.
    pub fn between<T: Ord>(self, a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
        if a == b {
            return 0.0;
        }
        let shared = a.intersection(b).count();
        let similarity = shared as f64 / (a.len() + b.len() - shared) as f64;
        let monotonicity = match self {
            Self::Jaccard => 1.0,
            Self::Masi if shared == 0 => 0.0,
            Self::Masi if shared == a.len() || shared == b.len() => 2.0 / 3.0,
            Self::Masi => 1.0 / 3.0,
        };
        1.0 - similarity * monotonicity
    }

    /// Its name in tables.
    pub fn id(self) -> &'static str {
        match self {
            Self::Jaccard => "jaccard",
            Self::Masi => "masi",
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jaccard => "Jaccard distance",
            Self::Masi => "MASI distance",
        }
    }
}

/// Ratings from items of (rater, set).
pub fn set_ratings<T: Ord + Clone>(
    items: &[Vec<(usize, BTreeSet<T>)>],
    raters: usize,
    distance: SetDistance,
) -> Ratings {
    let distinct: BTreeSet<&BTreeSet<T>> = items.iter().flatten().map(|(_, set)| set).collect();
    let distinct: Vec<&BTreeSet<T>> = distinct.into_iter().collect();
    let number = |set: &BTreeSet<T>| distinct.binary_search(&set).unwrap_or_default();
    let numbered = items
        .iter()
        .map(|item| item.iter().map(|(rater, set)| (*rater, number(set))).collect::<Vec<_>>());
    let ratings = Ratings::nominal(numbered, raters, distinct.len());
    let distances =
        distinct.iter().flat_map(|a| distinct.iter().map(|b| distance.between(a, b))).collect();
    ratings.with_distances(distances)
}
