//! What every other part stands on: the store of artifacts, the files that come with the program, named
//! random streams, progress, notices, the parts of a split, receptive fields, numbers as text, files that are
//! handed in, text of any encoding, YAML with places and carets, counts with their nouns, and cells that no
//! spreadsheet runs.
//!
//! Nothing here knows mammograms, networks or readers.

pub mod artifact;
mod columns;
mod counted;
mod device;
mod field;
pub mod input;
pub mod memory;
mod notice;
pub mod number;
pub mod progress;
pub mod seed;
pub mod shipped;
mod split;
pub mod spreadsheet;
pub mod text;
mod unit;
pub mod yaml;

pub use columns::{Columns, Side};
pub use counted::counted;
pub use device::Device;
pub use field::Field;
pub use notice::Notice;
pub use split::Split;
pub use unit::{NotAUnit, UnitId, digits};

/// What of the artifacts is fuzzed.
#[cfg(test)]
fn fuzz_targets() -> Vec<fuzz::Target> {
    artifact::fuzz_target::targets()
}

#[cfg(test)]
#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
