//! Why networks score mammograms as they do: those of the data set, and guests.

use anyhow::{Context, Result, bail};

use super::settling::{Found, Stage};
use super::{Dataset, Part, Pipeline, run_of};
use architecture::Architecture;
use base::artifact::Stamp;
use config::Origin;
use dissection::Activations;
use patch::prepare;
use record::explanation::Explanation;
use record::training::PatchScores;
use record::{Manifest, Store};

/// Mammograms that are not in the data set, cut as its are.
pub struct Guests {
    /// Mammograms and patches.
    pub manifest: Manifest,
    /// Their pixels.
    pub store: Store,
}

impl Pipeline<'_> {
    /// Explains the mammograms' scores by the units of a network's last layer, unless that is fresh or
    /// the layer is not dissected yet. `trained` is the stamp of the training.
    pub(super) fn explain(
        &self,
        network: &config::Network,
        dataset: &Dataset,
        trained: &Stamp,
    ) -> Result<()> {
        let Some(layer) = self.explaining(network)? else { return Ok(()) };
        let (layer_folder, network_folder) =
            (self.layout.layer(&network.name, &layer), self.layout.network(&network.name));
        let evaluation = record::training::read_evaluation(&network_folder)?;
        let dissected = self.layer_stamp(&layer, dataset, trained, &evaluation.weights_blake3);
        let (folder, stamp) =
            (self.layout.explanation(&network.name), explanation::stamp(dissected.fingerprint()));
        if !dissected.matches(&layer_folder) {
            return Ok(());
        }
        let name = format!("the explanation of {}", network.name);
        let stage = Stage { name: &name, folder: &folder, stamp: &stamp, half: None, remade: true };
        if self.settle(&stage)? == Found::Fresh {
            return Ok(());
        }
        let layer = record::dissection::read(&layer_folder)?;
        self.with_activations(network, dataset, |activations| {
            let job = dissection::Job {
                name: &network.name,
                activations,
                weights_blake3: &evaluation.weights_blake3,
                manifest: &dataset.manifest,
                store: dataset.store()?,
                settings: &self.config.dissection,
            };
            explanation::explain(&job, &layer, &evaluation, &folder, &stamp, self.progress)
        })
    }

    /// Cuts mammograms that are not in the data set as its are cut, in memory.
    ///
    /// # Errors
    /// When none can be used.
    pub fn guests(&self, files: &source::Files) -> Result<Guests> {
        let (manifest, store) = prepare::in_memory(files, self.config, self.progress)?;
        Ok(Guests { manifest, store })
    }

    /// Why a network scores guests as it does, by the units of its last layer, which is dissected when it
    /// is missing or stale; and its scores of their patches.
    ///
    /// # Errors
    /// When the network cannot be trained, dissected or run: one that was recorded cannot.
    pub fn explain_guests(
        &self,
        network: &config::Network,
        dataset: &Dataset,
        guests: &Guests,
    ) -> Result<(Explanation, PatchScores)> {
        run_of(network)?;
        self.dissect(network, dataset, &[], Part::All)?;
        let layer = self
            .explaining(network)?
            .with_context(|| format!("{} has no layer that explains its scores", network.name))?;
        let folder = self.layout.network(&network.name);
        let evaluation = record::training::read_evaluation(&folder)?;
        let loaded = self.trained(network, dataset)?;
        let Guests { manifest, store } = guests;
        let job = dissection::Job {
            name: &network.name,
            activations: Activations::Run(&loaded),
            weights_blake3: &evaluation.weights_blake3,
            manifest,
            store,
            settings: &self.config.dissection,
        };
        let layer = record::dissection::read(&self.layout.layer(&network.name, &layer))?;
        let patches: Vec<u32> = (0..store.len()).collect();
        let verdict = training::evaluate::judge(&loaded, manifest, store, &patches, |_| ())?;
        let scores: Vec<_> = patches.into_iter().zip(verdict.probabilities).collect();
        let scored = (evaluation.split, scores.as_slice());
        Ok((explanation::explanation(&job, &layer, scored, self.progress)?, scores))
    }

    /// Why a network scores the mammograms of the validation split as it does, explained when that is
    /// missing or stale.
    ///
    /// # Errors
    /// When the network cannot be trained or dissected, was recorded without what its units contribute, or a file
    /// cannot be read or written.
    pub fn explanation(&self, network: &config::Network, dataset: &Dataset) -> Result<Explanation> {
        if let Some(why) = self.cannot_explain(network, false)? {
            bail!("{why}");
        }
        self.dissect(network, dataset, &[], Part::All)?;
        record::explanation::read(&self.layout.explanation(&network.name))
    }

    /// The layer that explains a network's scores: the last of those to dissect; none where it says nothing of
    /// cancer.
    pub(super) fn explaining(&self, network: &config::Network) -> Result<Option<String>> {
        if let Origin::Recorded(recorded) = &network.origin {
            return self.explaining_recorded(network, recorded);
        }
        if network.run().is_some_and(|run| !run.tells_cancer()) {
            return Ok(None);
        }
        let architecture = Architecture::find(&network.name)?;
        Ok(network.layers.iter().max_by_key(|layer| architecture.place(layer)).cloned())
    }
}
