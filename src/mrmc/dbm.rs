//! Dorfman, Berbaum and Metz: an analysis of variance of pseudovalues, in which each case stands for itself.

use metrics::Placements;
use serde::Serialize;

use crate::test::test;
use crate::{NoTest, Scope, Test};

/// Mean squares of the pseudovalues: conditions (T), readers (R), cases (C) and their interactions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeanSquares {
    /// Conditions.
    pub t: f64,
    /// Readers; like all with R 0 of one reader.
    pub r: f64,
    /// Cases.
    pub c: f64,
    /// Conditions by readers.
    pub tr: f64,
    /// Conditions by cases.
    pub tc: f64,
    /// Readers by cases.
    pub rc: f64,
    /// Conditions by readers by cases.
    pub trc: f64,
}

/// The analysis of pseudovalues.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Dbm {
    readers: usize,
    cases: usize,
    difference: f64,
    /// Mean squares.
    pub mean_squares: MeanSquares,
}

impl Dbm {
    /// From the placements of the cases, by condition and reader.
    pub(crate) fn of(placements: &[Vec<Placements>; 2]) -> Self {
        let values: [Vec<Vec<f64>>; 2] =
            [0, 1].map(|t| placements[t].iter().map(pseudovalues).collect());
        let (readers, cases) = (values[0].len(), values[0][0].len());
        let (r, c) = (readers as f64, cases as f64);
        let mean = |values: &mut dyn Iterator<Item = f64>, count: f64| values.sum::<f64>() / count;
        let by_tr: [Vec<f64>; 2] =
            [0, 1].map(|t| values[t].iter().map(|of| mean(&mut of.iter().copied(), c)).collect());
        let by_tc: [Vec<f64>; 2] = [0, 1]
            .map(|t| (0..cases).map(|k| mean(&mut values[t].iter().map(|of| of[k]), r)).collect());
        let by_t = [0, 1].map(|t| mean(&mut by_tr[t].iter().copied(), r));
        let by_r: Vec<f64> =
            (0..readers).map(|j| f64::midpoint(by_tr[0][j], by_tr[1][j])).collect();
        let by_c: Vec<f64> = (0..cases).map(|k| f64::midpoint(by_tc[0][k], by_tc[1][k])).collect();
        let all = f64::midpoint(by_t[0], by_t[1]);
        let square = |value: f64| value * value;
        let mut sums = MeanSquares { t: 0.0, r: 0.0, c: 0.0, tr: 0.0, tc: 0.0, rc: 0.0, trc: 0.0 };
        sums.r = 2.0 * c * by_r.iter().map(|mean| square(mean - all)).sum::<f64>();
        sums.c = 2.0 * r * by_c.iter().map(|mean| square(mean - all)).sum::<f64>();
        for t in 0..2 {
            sums.t += r * c * square(by_t[t] - all);
            for j in 0..readers {
                sums.tr += c * square(by_tr[t][j] - by_t[t] - by_r[j] + all);
            }
            for k in 0..cases {
                sums.tc += r * square(by_tc[t][k] - by_t[t] - by_c[k] + all);
            }
        }
        for j in 0..readers {
            for k in 0..cases {
                let by_rc = f64::midpoint(values[0][j][k], values[1][j][k]);
                sums.rc += 2.0 * square(by_rc - by_r[j] - by_c[k] + all);
                for t in 0..2 {
                    let singles = by_t[t] + by_r[j] + by_c[k];
                    let pairs = by_tr[t][j] + by_tc[t][k] + by_rc;
                    sums.trc += square(values[t][j][k] - pairs + singles - all);
                }
            }
        }
        // Sums over one reader are 0 themselves.
        let (of_r, of_c) = ((r - 1.0).max(1.0), c - 1.0);
        let mean_squares = MeanSquares {
            t: sums.t,
            r: sums.r / of_r,
            c: sums.c / of_c,
            tr: sums.tr / of_r,
            tc: sums.tc / of_c,
            rc: sums.rc / (of_r * of_c),
            trc: sums.trc / (of_r * of_c),
        };
        Self { readers, cases, difference: by_t[1] - by_t[0], mean_squares }
    }

    /// The test of the difference between the conditions, with the degrees of freedom of Hillis.
    ///
    /// # Errors
    /// Says why there is none.
    pub fn test(&self, scope: Scope) -> Result<Test, NoTest> {
        if self.readers < 2 && scope != Scope::Cases {
            return Err(NoTest::OneReader);
        }
        let MeanSquares { tr, tc, trc, .. } = self.mean_squares;
        let (readers, cases) = (self.readers as f64, self.cases as f64);
        let (term, degrees) = match scope {
            Scope::ReadersAndCases => {
                let term = tr + (tc - trc).max(0.0);
                (term, (readers - 1.0) * (term / tr).powi(2))
            }
            Scope::Cases => (tc, cases - 1.0),
            Scope::Readers => (tr, readers - 1.0),
        };
        test(self.difference, 2.0 / (readers * cases) * term, degrees)
    }
}

/// What each case stands for: the area times the number of cases, less the area without it times the number of
/// cases that are left. First the positive cases, then the negative ones.
fn pseudovalues(placements: &Placements) -> Vec<f64> {
    let (below, above) = (placements.below(), placements.above());
    let (m, n) = (below.len() as f64, above.len() as f64);
    let area = below.iter().sum::<f64>() / m;
    let without = |placement: f64, class: f64| (class * area - placement) / (class - 1.0);
    let value = |without: f64| (m + n) * area - (m + n - 1.0) * without;
    let of = |values: &[f64], class: f64| -> Vec<f64> {
        values.iter().map(|placement| value(without(*placement, class))).collect()
    };
    [of(below, m), of(above, n)].concat()
}
