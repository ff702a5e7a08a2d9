//! `rates.json`: a rate range test of a network, for people and for its page; no stage follows from it. Format 1.

use std::path::Path;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use base::artifact::Sealed;

/// Version of the file and of the computation behind it.
pub const FORMAT: u32 = 1;
/// Its name.
pub const RATES: &str = "rates.json";

/// What a network's loss does while its learning rate grows (Smith 2017, "Cyclical learning rates for training neural
/// networks", section 3.3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RateTest {
    /// Always 1.
    pub format: u32,
    /// The network.
    pub network: String,
    /// Its steps, by rising rate; of a network whose parts have rates of their own, the head's.
    pub steps: Vec<RateStep>,
    /// Whether it ended early, for the loss had grown many times over or was no number any more.
    pub diverged: bool,
    /// The rate at which the smoothed loss falls most steeply; none where it falls nowhere.
    pub suggested: Option<f64>,
}

impl RateTest {
    /// Up to which loss a drawing of it shows what matters: what diverges rises far above the rest.
    pub fn top(&self) -> f64 {
        let smoothed = || self.steps.iter().map(|step| step.smoothed);
        let first = smoothed().next().unwrap_or_default();
        let [least, most] = [smoothed().fold(first, f64::min), smoothed().fold(first, f64::max)];
        most.min(first + 0.5 * (first - least).max(0.1 * first.abs()))
    }
}

/// A step of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RateStep {
    /// The learning rate, above 0.
    pub rate: f64,
    /// The batch's loss before the step.
    pub loss: f64,
    /// The loss without what is the batch's alone, smoothed over its neighbours: the mean over the batches of what the
    /// network's start loses, and by how much this one loses more than its start on the same batches.
    pub smoothed: f64,
    /// How much the smoothed loss changes as the rate grows tenfold.
    pub slope: f64,
}

/// A test, read back.
///
/// # Errors
/// When the file is missing or unreadable.
pub fn read(folder: &Path) -> Result<RateTest> {
    Sealed::open(folder)?.json(RATES)
}
