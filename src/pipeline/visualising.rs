//! Synthetic images of units.

use anyhow::{Context, Result};
use candle_core::Device;

use super::settling::{Found, Stage};
use super::{Dataset, Pipeline};
use base::artifact::{Fingerprint, Sealed, Stamp};
use config::Visualised;
use dissection::visualisation;

impl Pipeline<'_> {
    /// Whether the project asks for synthetic images.
    pub(super) fn visualises(&self) -> bool {
        self.config.dissection.visualisation != Visualised::None
    }

    /// What the synthetic images of a layer with this dissection are made from.
    pub(super) fn visualisation_stamp(&self, dissected: Fingerprint) -> Stamp {
        visualisation::stamp(&self.config.dissection, self.config.seed, dissected)
    }

    /// Makes the synthetic images that the project asks for of a network's layers, those in `only`, or all; goes
    /// on with what was begun, and leaves what is fresh. The layers are dissected.
    ///
    /// # Errors
    /// When the network cannot be run, or a file not be read or written.
    pub fn visualise(
        &self,
        network: &config::Network,
        dataset: &Dataset,
        only: &[String],
    ) -> Result<()> {
        if !self.visualises() {
            return Ok(());
        }
        if network.recorded().is_some() {
            self.progress.say(&format!(
                "{} has no synthetic images: it was recorded elsewhere and cannot be run here",
                network.name
            ));
            return Ok(());
        }
        let settings = &self.config.dissection;
        let mut loaded = None;
        for layer in network.layers.iter().filter(|l| only.is_empty() || only.contains(l)) {
            let name = format!("{}/{layer}", network.name);
            let dissected = self.layout.layer(&network.name, layer);
            let stamp = self.visualisation_stamp(Sealed::open(&dissected)?.stamp().fingerprint());
            let folder = self.layout.visualisation(&network.name, layer);
            let stage = Stage {
                name: &format!("synthetic images of {name}"),
                folder: &folder,
                stamp: &stamp,
                half: dissection::unfinished(&folder)?,
                remade: true,
            };
            if self.settle(&stage)? == Found::Fresh {
                dissection::tidy(&folder)?;
                continue;
            }
            let units = record::visualisation::visualised(
                &record::dissection::read(&dissected)?,
                settings.visualisation,
            );
            if loaded.is_none() {
                let job = self.job(network, dataset, &Device::Cpu)?;
                loaded = Some(training::load(&job, &self.layout.network(&network.name))?);
            }
            let job = visualisation::Job {
                name: &network.name,
                network: loaded.as_ref().context("no network")?,
                layer,
                units: &units,
                seed: self.config.seed,
                steps: settings.visualisation_steps,
            };
            visualisation::visualise(&job, &folder, &stamp, self.progress)?;
        }
        Ok(())
    }
}
