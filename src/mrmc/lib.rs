//! Multi-reader multi-case (MRMC) analysis: do readers tell positive from negative cases better in one condition
//! than in another, such as with explanations than without?
//!
//! In: every reader's score of every case in both conditions, and the truth of each case ([`Crossed`]). Out
//! ([`Analysis`]): the empirical area under each reader's ROC curve, the mean difference between the conditions
//! with its interval and test, and how far the readers' scores agree. Pure: no files, no randomness.
//!
//! A difference is tested three times, by what its result is to hold for ([`Scope`]): other readers and other
//! cases, other cases read by the same readers, other readers of the same cases. Methods: Obuchowski and Rockette
//! (Communications in Statistics 1995) with the degrees of freedom of Hillis (Statistics in Medicine 2007) and his
//! marginal means (Statistics in Medicine 2014), covariances by DeLong (Biometrics 1988) or the jackknife; Dorfman,
//! Berbaum and Metz (Investigative Radiology 1992) by pseudovalues, as Hillis, Berbaum and Metz revised it
//! (Academic Radiology 2008); intraclass correlations by Shrout and Fleiss (Psychological Bulletin 1979).

mod analysis;
mod components;
mod crossed;
mod dbm;
mod icc;
mod test;

#[cfg(test)]
mod published;
#[cfg(test)]
mod tests;

pub use analysis::{Analysis, Reader, analyse};
pub use components::{Components, Covariances};
pub use crossed::{Crossed, Lacking, MAX_READERS, Rating, Unusable, cross};
pub use dbm::{Dbm, MeanSquares};
pub use icc::{Correlation, Icc, icc};
pub use test::{Mean, NoTest, Scope, Test};
