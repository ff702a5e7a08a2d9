//! Scores that are fully crossed: every reader scored every case in both conditions.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// More readers are not analysed: the covariances of all pairs of their areas are computed.
pub const MAX_READERS: usize = 200;

/// How many of the cases that a reader did not score are named.
const NAMED: usize = 5;

/// One score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rating {
    /// Number of the reader, from 0.
    pub reader: usize,
    /// Number of the case, from 0.
    pub case: usize,
    /// The condition, 0 or 1.
    pub condition: usize,
    /// The higher, the more likely positive; finite.
    pub score: f64,
}

/// Scores of every reader for every case in both conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Crossed {
    /// By condition, reader and case.
    scores: [Vec<Vec<f64>>; 2],
    /// By case.
    positive: Vec<bool>,
}

/// What a reader did not score, of the cases that are left out for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lacking {
    /// The reader.
    pub reader: usize,
    /// The condition, 0 or 1.
    pub condition: usize,
    /// Cases without a score.
    pub count: usize,
    /// The first of them.
    pub cases: Vec<usize>,
}

/// Why scores cannot be analysed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// Too many readers.
    Readers(usize),
    /// Fewer than two positive, or two negative, cases are complete.
    Cases {
        /// Complete cases that are positive.
        positive: usize,
        /// Complete cases that are negative.
        negative: usize,
    },
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Readers(count) => {
                write!(f, "{count} readers; up to {MAX_READERS} can be analysed together")
            }
            Self::Cases { positive, negative } => write!(
                f,
                "of the cases that every reader scored in both conditions {positive} are positive and \
                 {negative} negative; two of each are the least that can be analysed"
            ),
        }
    }
}

impl std::error::Error for Unusable {}

/// The cases that all of some readers scored in both conditions, and what is lacking for the others. `truth` says
/// of each case whether it is positive; a reader scores a case once in a condition.
///
/// # Errors
/// When there are too many readers, or too few cases of either kind are left.
///
/// # Panics
/// When a number is out of range, or a score comes twice.
pub fn cross(
    readers: usize,
    truth: &[bool],
    ratings: impl IntoIterator<Item = Rating>,
) -> Result<(Crossed, Vec<Lacking>), Unusable> {
    if readers > MAX_READERS {
        return Err(Unusable::Readers(readers));
    }
    let mut by_case: Vec<BTreeMap<(usize, usize), f64>> = vec![BTreeMap::new(); truth.len()];
    for Rating { reader, case, condition, score } in ratings {
        assert!(reader < readers && condition < 2, "a rating out of range");
        assert!(by_case[case].insert((condition, reader), score).is_none(), "a score comes twice");
    }
    let mut crossed =
        Crossed { scores: [(); 2].map(|()| vec![Vec::new(); readers]), positive: Vec::new() };
    let mut lacking: BTreeMap<(usize, usize), Lacking> = BTreeMap::new();
    for (case, scores) in by_case.iter().enumerate() {
        if scores.len() == 2 * readers {
            crossed.positive.push(truth[case]);
            for (&(condition, reader), &score) in scores {
                crossed.scores[condition][reader].push(score);
            }
            continue;
        }
        let cells = (0..readers).flat_map(|reader| [(0, reader), (1, reader)]);
        for (condition, reader) in cells.filter(|cell| !scores.contains_key(cell)) {
            let none = Lacking { reader, condition, count: 0, cases: Vec::new() };
            let of = lacking.entry((reader, condition)).or_insert(none);
            of.count += 1;
            if of.cases.len() < NAMED {
                of.cases.push(case);
            }
        }
    }
    let positive = crossed.positives();
    let negative = crossed.cases() - positive;
    if readers == 0 || positive < 2 || negative < 2 {
        return Err(Unusable::Cases { positive, negative });
    }
    Ok((crossed, lacking.into_values().collect()))
}

impl Crossed {
    /// Readers.
    pub fn readers(&self) -> usize {
        self.scores[0].len()
    }

    /// Cases.
    pub fn cases(&self) -> usize {
        self.positive.len()
    }

    /// Positive cases.
    pub fn positives(&self) -> usize {
        self.positive.iter().filter(|positive| **positive).count()
    }

    /// A reader's scores of the positive and of the negative cases in a condition.
    pub(crate) fn split(&self, condition: usize, reader: usize) -> [Vec<f64>; 2] {
        [true, false].map(|class| {
            let scores = self.scores[condition][reader].iter().zip(&self.positive);
            scores.filter(|(_, positive)| **positive == class).map(|(score, _)| *score).collect()
        })
    }

    /// All readers' scores in a condition, by reader and case.
    pub(crate) fn of(&self, condition: usize) -> &[Vec<f64>] {
        &self.scores[condition]
    }
}
