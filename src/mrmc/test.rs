//! Tests and intervals from components.

use std::fmt;

use metrics::distribution::{KNOWN, t_quantile, t_tails};
use serde::Serialize;

use crate::Components;

/// What the result of a test holds for: whatever the study drew at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Other readers and other cases: both are drawn.
    ReadersAndCases,
    /// These readers, other cases.
    Cases,
    /// Other readers, these cases.
    Readers,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::ReadersAndCases, Self::Cases, Self::Readers];
}

/// A test of the difference of two mean areas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Test {
    /// Standard error of the difference.
    pub error: f64,
    /// The mean square of the conditions over its error term: the square of the difference over its standard error.
    pub f: f64,
    /// Degrees of freedom of the error term; `None` where it counts as known, and the distribution is normal (F is
    /// chi-square with one degree then).
    pub degrees: Option<f64>,
    /// Two-sided probability of so great a difference were there none.
    pub p: f64,
    /// The difference's 95% interval.
    pub interval: [f64; 2],
}

/// Why a difference has no test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTest {
    /// One reader says nothing of how readers differ.
    OneReader,
    /// There is no variance to hold the difference against.
    NoVariation,
}

impl fmt::Display for NoTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OneReader => "only one reader",
            Self::NoVariation => "no variance to test against",
        })
    }
}

/// The mean area of one condition, by that condition's scores alone, for other readers and other cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom; `None` where the distribution is normal.
    pub degrees: Option<f64>,
    /// Its 95% interval, cut to [0, 1].
    pub interval: [f64; 2],
}

/// A variance of areas that rounding may leave of none: areas are shares of pairs of cases, with far greater steps.
const NOTHING: f64 = 1e-24;

/// The difference `difference` with an error variance of `variance`.
pub(crate) fn test(difference: f64, variance: f64, degrees: f64) -> Result<Test, NoTest> {
    if variance.is_nan() || variance <= NOTHING {
        return Err(NoTest::NoVariation);
    }
    let error = variance.sqrt();
    let half = t_quantile(0.05, degrees) * error;
    Ok(Test {
        error,
        f: (difference / error).powi(2),
        degrees: (degrees <= KNOWN).then_some(degrees),
        p: t_tails(difference / error, degrees),
        interval: [difference - half, difference + half],
    })
}

impl Components {
    /// Obuchowski and Rockette's test of the difference between the conditions, with Hillis's degrees of freedom.
    ///
    /// # Errors
    /// Says why there is none.
    pub fn test(&self, scope: Scope) -> Result<Test, NoTest> {
        let readers = self.readers as f64;
        if self.readers < 2 && scope != Scope::Cases {
            return Err(NoTest::OneReader);
        }
        // What cases add that readers share: a negative estimate of it counts as none.
        let shared = readers * (self.cov2 - self.cov3).max(0.0);
        let (term, degrees) = match scope {
            Scope::ReadersAndCases => (
                self.ms_tr + shared,
                (readers - 1.0) * ((self.ms_tr + shared) / self.ms_tr).powi(2),
            ),
            // This is the variance of the difference itself, by the covariances of all areas: never below 0, and
            // what Dorfman, Berbaum and Metz take. So nothing is cut off here.
            Scope::Cases => (
                self.variance - self.cov1 + (readers - 1.0) * (self.cov2 - self.cov3),
                f64::INFINITY,
            ),
            Scope::Readers => (self.ms_tr, readers - 1.0),
        };
        test(self.difference(), 2.0 / readers * term, degrees)
    }

    /// The mean area of a condition.
    ///
    /// # Errors
    /// Says why there is no interval.
    pub fn mean(&self, condition: usize) -> Result<Mean, NoTest> {
        if self.readers < 2 {
            return Err(NoTest::OneReader);
        }
        let readers = self.readers as f64;
        let of = self.single[condition];
        let term = of.ms_r + readers * of.cov2.max(0.0);
        let degrees = (readers - 1.0) * (term / of.ms_r).powi(2);
        let value = self.means[condition];
        let Test { error, degrees, interval, .. } = test(value, term / readers, degrees)?;
        Ok(Mean { value, error, degrees, interval: [interval[0].max(0.0), interval[1].min(1.0)] })
    }
}
