//! Rate range tests: which learning rate a network takes.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use super::{Dataset, Pipeline};
use base::artifact::{self, Stamp};
use config::{Network, Origin};
use network::device;
use record::rates::{RATES, RateTest};

/// What the tests are called in the stamp of a site.
pub(super) const ENTRY: &str = "rates";

impl Pipeline<'_> {
    /// Tests which learning rates a network takes, over so many steps, and keeps that for its page. What was trained
    /// stays as it is.
    ///
    /// # Errors
    /// When the network is not trained here or cannot be, or a file not be read or written.
    pub fn find_rate(
        &self,
        network: &Network,
        dataset: &Dataset,
        steps: usize,
    ) -> Result<RateTest> {
        let stamp = self.rates_stamp(network, dataset)?.with_context(|| {
            format!("{} was recorded elsewhere: there is no rate to find", network.name)
        })?;
        let device = self.device()?;
        let job = self.job(network, dataset, device)?;
        let test = training::rates::find(&job, steps, self.progress)?;
        let folder = self.layout.rates(&network.name);
        Stamp::clear(&folder)?;
        artifact::write_json(&folder.join(RATES), &test)?;
        stamp.seal(&folder, &[RATES], &device::provenance(device))?;
        Ok(test)
    }

    /// What a network's test follows from; none of a recorded network.
    fn rates_stamp(&self, network: &Network, dataset: &Dataset) -> Result<Option<Stamp>> {
        match &network.origin {
            Origin::Run(run) => {
                training::rates::stamp(&network.name, run, self.config.seed, &dataset.content)
                    .map(Some)
            }
            Origin::Recorded(_) => Ok(None),
        }
    }

    /// The tests there are of networks as they are trained now, by name.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(super) fn rate_tests(&self, dataset: &Dataset) -> Result<BTreeMap<String, RateTest>> {
        let mut tests = BTreeMap::new();
        for network in self.config.networks.iter().filter(|network| network.training().is_some()) {
            let folder = self.layout.rates(&network.name);
            if !folder.exists() {
                continue;
            }
            let stamp = self.rates_stamp(network, dataset)?;
            if stamp.is_some_and(|stamp| stamp.matches(&folder)) {
                tests.insert(network.name.clone(), record::rates::read(&folder)?);
            }
        }
        Ok(tests)
    }
}
