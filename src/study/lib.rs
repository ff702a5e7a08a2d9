//! The reader study: what experts say the units show, and how far they agree (the paper's section 2.4).
//!
//! In: readers' files in every form ([`reading`]), lexicons, and what was dissected. Out: checked and merged
//! answers ([`labels`], [`import`]), which units a survey asks about ([`selection`]), one opinion per unit
//! ([`expert`], [`consensus`]), and the numbers of the study ([`statistics`], [`report`], [`automatic`]). Before a
//! study, how large it must be ([`plan`]), and its questions for REDCap ([`redcap`]); during it, how far it is
//! ([`standing`]). Of readers who score mammograms: which ones ([`cases`]), and whether they do better with
//! explanations ([`scores`]).

pub mod about;
pub mod answer;
pub mod automatic;
pub mod cases;
pub mod code;
pub mod consensus;
pub mod expert;
mod form;
pub mod import;
pub mod labels;
pub mod plan;
mod questions;
pub mod reading;
pub mod redcap;
pub mod report;
pub mod scores;
pub mod selection;
mod sheet;
pub mod standing;
pub mod statistics;
pub mod suggest;
mod table;
pub mod time;

#[cfg(test)]
#[path = "../../tests/support/lexicons.rs"]
mod lexicons;

pub use answer::schema;

#[cfg(test)]
#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
#[cfg(test)]
mod fuzz_target;

/// What of readers' files is fuzzed.
#[cfg(test)]
fn fuzz_targets() -> Vec<fuzz::Target> {
    fuzz_target::targets()
}
