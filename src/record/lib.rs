//! What the stages leave on disk, as types that are written by the stage that makes them and read by all
//! that follow: the data set ([`Manifest`], [`Store`]), [`training`], [`dissection`] with its [`Maps`],
//! [`Scores`] and [`similar`] units, [`naming`], [`visualisation`], and [`explanation`]; [`rates`], which none of them follows from; and [`provenance`], where any of it
//! comes from.
//!
//! Pages, studies and figures know the stages by these alone: nothing here computes with tensors or reads a
//! data set in its original layout.

pub mod dissection;
pub mod explanation;
pub mod manifest;
mod maps;
pub mod naming;
pub mod previews;
pub mod provenance;
pub mod rates;
mod scores;
pub mod similar;
pub mod store;
pub mod tally;
pub mod tensors;
pub mod training;
pub mod visualisation;
mod whole;

pub use manifest::{Fractions, Given, Held, Manifest, Member, Patch, Share};
pub use maps::Maps;
pub use previews::Previews;
pub use scores::{LayerScores, Scores};
pub use store::Store;
pub use visualisation::{Synthetic, Visualisations};
pub use whole::{Difference, WholeMap};

/// What of the records is fuzzed.
#[cfg(test)]
fn fuzz_targets() -> Vec<fuzz::Target> {
    vec![tensors::fuzz_target()]
}

#[cfg(test)]
#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
