//! What a pair of towers for images and texts calls the units of a layer: `naming/units/<network>/<layer>/names.json`.
//! Format 1.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use base::Split;
use base::artifact::Sealed;
pub use config::Scoring;

use crate::dissection::SIGNIFICANCE;

/// Version of the file and of the computation behind it.
pub const FORMAT: u32 = 1;
/// Its name in the folder of a layer.
pub const FILE: &str = "names.json";
/// Most terms that are kept of a unit.
pub const KEPT: usize = 5;

/// What a namer calls the units of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Names {
    /// Always 1.
    pub format: u32,
    /// Network.
    pub network: String,
    /// Probe point.
    pub layer: String,
    /// Which towers, as `namer.kind` in atlas.yaml calls them.
    pub namer: String,
    /// Split whose patches were looked at.
    pub split: Split,
    /// Ids of the terms that a unit could be called.
    pub terms: Vec<String>,
    /// Patches that stand for a unit, each the one with its best score in a mammogram of its own.
    pub patches: u32,
    /// How often patches were drawn at random to learn what chance gives.
    pub deals: u32,
    /// Live units of untrained networks of the same architecture that every name was compared with; `None` where the
    /// network cannot be run here.
    pub untrained: Option<u32>,
    /// By which score units are named.
    pub scoring: Scoring,
    /// Of each unit, in order; empty of a unit that is not live.
    pub units: Vec<Vec<Candidate>>,
}

/// A term that a unit could be called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Id of the term.
    pub term: String,
    /// Mean cosine of the unit's patches with the term minus that of all other patches.
    pub difference: f32,
    /// Soft weighted pointwise mutual information with the term (Oikarinen and Weng 2023), in nats.
    pub wpmi: f32,
    /// The score that names, in standard deviations above what patches drawn at random give: of a term that refines
    /// another, patches that are as close to that.
    pub standard: f32,
    /// Probability that such patches are as close to any term, or to any that refines the same one, as these to this.
    pub chance: f32,
    /// Share of the units of untrained networks that are as close to any term, each term counted in their own
    /// standard deviations; none where there are none, and of a term that refines another.
    pub untrained: Option<f32>,
    /// The greater of the two, corrected for the number of units: the share of units with as little by chance.
    pub adjusted: f32,
}

impl Candidate {
    /// Whether neither patches drawn at random nor an untrained network give as much.
    pub fn is_beyond_chance(&self) -> bool {
        self.adjusted <= SIGNIFICANCE
    }
}

impl Names {
    /// What the unit with a number from 1 is called: the first of its terms that is beyond chance.
    pub fn of(&self, number: u32) -> Option<&Candidate> {
        self.candidates(number).iter().find(|candidate| candidate.is_beyond_chance())
    }

    /// Terms of the unit with a number from 1, at most [`KEPT`]: what it is called, the general term of that, and the
    /// others by how far they stand out.
    pub fn candidates(&self, number: u32) -> &[Candidate] {
        let at = (number as usize).checked_sub(1);
        at.and_then(|at| self.units.get(at)).map_or(&[], Vec::as_slice)
    }

    /// How many units are called something.
    pub fn named(&self) -> usize {
        (1..=self.units.len() as u32).filter(|number| self.of(*number).is_some()).count()
    }
}

/// Reads the names of a layer.
///
/// # Errors
/// When the file is missing, not what was sealed, or unreadable.
pub fn read(folder: &Path) -> Result<Names> {
    Sealed::open(folder)?.json(FILE)
}
