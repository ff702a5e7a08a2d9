//! Which units of all networks respond to the same patches: `dissection/similar.json`. Format 1.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use base::UnitId;
use base::artifact::Sealed;

/// Version of the file and of the computation behind it.
pub const FORMAT: u32 = 1;
/// Its name in the folder of all dissections.
pub const FILE: &str = "similar.json";
/// Units of a layer whose scores correlate more than this are near-duplicates.
pub const DUPLICATE: f32 = 0.95;

/// A unit that is like another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Like {
    /// The other.
    pub unit: UnitId,
    /// Correlation of the ranks.
    pub correlation: f32,
}

/// What is like one unit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Likes {
    /// The most similar units of all other layers, best first.
    pub elsewhere: Vec<Like>,
    /// The near-duplicates of its own layer, best first, at most as many.
    pub duplicates: Vec<Like>,
}

/// The similar units of every unit, by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Similar {
    /// Always 1.
    pub format: u32,
    /// By name of the unit; units that are like none are left out.
    pub units: BTreeMap<UnitId, Likes>,
}

/// Reads the comparison.
///
/// # Errors
/// When it is missing or not readable.
pub fn read(folder: &Path) -> Result<Similar> {
    Sealed::open(folder)?.json(FILE)
}
