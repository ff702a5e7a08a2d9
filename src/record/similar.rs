//! Which units of all networks respond to the same patches, a layout of each layer by that, and whether a unit's
//! top patches fall into groups: `dissection/similar.json`. Format 3.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use base::UnitId;
use base::artifact::Sealed;

use crate::dissection::SIGNIFICANCE;

/// Version of the file and of the computation behind it.
pub const FORMAT: u32 = 3;
/// Its name in the folder of all dissections.
pub const FILE: &str = "similar.json";
/// Units of a layer whose scores correlate more than this are near-duplicates.
pub const DUPLICATE: f32 = 0.95;
/// Nearest units of each unit that a layout is held to.
pub const NEIGHBOURS: usize = 10;

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
    /// Always 3.
    pub format: u32,
    /// By name of the unit; units that are like none are left out.
    pub units: BTreeMap<UnitId, Likes>,
    /// By name of the layer, `<network>/<layer>`.
    pub layouts: BTreeMap<String, Layout>,
    /// By name of the unit; units whose top patches are of too few patients are left out.
    pub groups: BTreeMap<UnitId, Groups>,
}

/// The patches that a unit responds to most, one of each patient, cut in two where they differ most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Groups {
    /// Probability that patches of one kind, cut so, differ as much.
    pub p: f32,
    /// The same, corrected for the units of the layer: the share of all units with as little by chance.
    pub adjusted: f32,
    /// Places of the patches in `Unit::top`, from 0, in order; the group of the unit's best patch first.
    pub of: [Vec<u32>; 2],
}

impl Groups {
    /// How many patches were looked at, each of another patient.
    pub fn patients(&self) -> usize {
        self.of.iter().map(Vec::len).sum()
    }
}

/// Units of a layer in the plane: those that respond to the same patches lie near each other.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    /// Of each unit in order, x (to the right; units reach furthest along it) and y (down) in [-1, 1]; none
    /// where it is not live.
    pub places: Vec<Option<[f32; 2]>>,
    /// Share of the [`NEIGHBOURS`] most similar units of a unit that are its nearest in the plane, averaged
    /// over the units; none where there are too few units to tell.
    pub kept: Option<f32>,
}

impl Similar {
    /// The two kinds that the top patches of a unit fall into; none where that is no more than chance gives.
    pub fn two_kinds(&self, unit: &UnitId) -> Option<&Groups> {
        self.groups.get(unit).filter(|groups| groups.adjusted <= SIGNIFICANCE)
    }
}

impl Layout {
    /// How many units have a place.
    pub fn placed(&self) -> usize {
        self.places.iter().flatten().count()
    }
}

/// Reads the comparison.
///
/// # Errors
/// When it is missing or not readable.
pub fn read(folder: &Path) -> Result<Similar> {
    Sealed::open(folder)?.json(FILE)
}
