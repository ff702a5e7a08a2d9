//! The stages in order, each skipped when what it would make is there and fresh.
//!
//! In: a [`config::Config`]. Out: the artifacts below its output folder, up to the site and the figures. This is
//! the only place that knows the order; a stage knows the artifacts before it and writes its own.

mod explaining;
mod fleet;
mod publishing;
mod study;

use std::fs::TryLockError;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Context, Result, bail};
use candle_core::Device;

pub use self::explaining::Guests;
pub use self::publishing::Published;
pub use self::study::Opinions;
use base::Split;
use base::artifact::{self, Fingerprint, Layout, Stamp};
use base::progress::Progress;
use config::{Config, Start};
use dissection::{Shard, similar};
use network::{Network, device};
use patch::prepare;
use record::training::Evaluation;
use record::{Manifest, Store};

/// A project on its way from mammograms to a site.
pub struct Pipeline<'a> {
    /// The project.
    pub config: &'a Config,
    /// Where its artifacts are.
    pub layout: Layout,
    progress: &'a dyn Progress,
    device: OnceLock<Device>,
}

/// The prepared data set.
pub struct Dataset {
    /// Mammograms and patches.
    pub manifest: Manifest,
    /// Their pixels.
    pub store: Store,
    fingerprint: Fingerprint,
}

/// How much of a dissection to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All that is missing.
    All,
    /// Show a part of the split to the network, for a later merge.
    Shard(Shard),
    /// Put together what shards have left.
    Merge,
}

impl<'a> Pipeline<'a> {
    /// For a project.
    pub fn new(config: &'a Config, progress: &'a dyn Progress) -> Self {
        Self { config, layout: Layout::new(&config.output), progress, device: OnceLock::new() }
    }

    /// Keeps other runs out of the output folder for as long as the guard lives, and clears away what
    /// a killed one left half written.
    ///
    /// # Errors
    /// When another run is at work in it, or it cannot be written.
    pub fn lock(&self) -> Result<std::fs::File> {
        let file = self.lock_file()?;
        self.locked(file.try_lock())?;
        artifact::remove_litter(&self.config.output)?;
        Ok(file)
    }

    /// As [`Pipeline::lock`], for work that mostly reads: where the output folder cannot be written at
    /// all, nobody else can change it either, and there is no lock. What then has to be written after
    /// all fails by itself.
    ///
    /// # Errors
    /// When another run is at work in it.
    pub fn lock_to_read(&self) -> Result<Option<std::fs::File>> {
        use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
        match self.lock() {
            Ok(lock) => Ok(Some(lock)),
            Err(error) => {
                let kind = error.chain().find_map(|cause| {
                    cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind)
                });
                match kind {
                    Some(PermissionDenied | ReadOnlyFilesystem) => Ok(None),
                    _ => Err(error),
                }
            }
        }
    }

    /// Says what kept a lock from being taken.
    fn locked(&self, taken: Result<(), TryLockError>) -> Result<()> {
        let folder = self.config.output.display();
        match taken {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => {
                bail!("another run is at work in {folder}; wait for it")
            }
            Err(TryLockError::Error(error)) => Err(error)
                .with_context(|| format!("{folder} cannot be locked; does its disk allow locks?")),
        }
    }

    fn lock_file(&self) -> Result<std::fs::File> {
        let open = || -> Result<std::fs::File> {
            let folder = self.config.output.join("work");
            fs_err::create_dir_all(&folder)?;
            let path = folder.join("lock");
            // Network file systems lock for sharing only what can be read.
            let file =
                fs_err::OpenOptions::new().create(true).read(true).append(true).open(path)?;
            Ok(file.into_parts().0)
        };
        open().context("the output folder cannot be used")
    }

    /// As [`Pipeline::lock`], but lets others in who share it too: for parts of one work that write
    /// files of their own.
    ///
    /// # Errors
    /// As [`Pipeline::lock`].
    pub fn share(&self) -> Result<std::fs::File> {
        let file = self.lock_file()?;
        self.locked(file.try_lock_shared())?;
        Ok(file)
    }

    /// The data set, prepared when it is missing or stale.
    ///
    /// # Errors
    /// When the source cannot be read or the artifacts not be written.
    pub fn dataset(&self) -> Result<Dataset> {
        let config = self.config;
        let source = source::open(&config.source, config.seed);
        let manifest = prepare::prepare(source.as_ref(), config, &self.layout, self.progress)?;
        let folder = self.layout.dataset();
        let store = Store::open(&self.layout.patches())?;
        Ok(Dataset { manifest, store, fingerprint: Stamp::read(&folder)?.fingerprint() })
    }

    /// What the data set would be, with nothing written.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn rehearse(&self) -> Result<Manifest> {
        let source = source::open(&self.config.source, self.config.seed);
        prepare::rehearse(source.as_ref(), self.config, self.progress)
    }

    /// Whether the data set and a network's training are there and fresh.
    pub fn is_trained(&self, network: &config::Network) -> bool {
        let fresh = || -> Result<bool> {
            let source = source::open(&self.config.source, self.config.seed);
            let dataset = Stamp::read(&self.layout.dataset())?;
            let trained = training::stamp(network, self.config.seed, &dataset.fingerprint())?;
            Ok(prepare::stamp(source.as_ref(), self.config)? == dataset
                && trained.matches(&self.layout.network(&network.name)))
        };
        fresh().unwrap_or(false)
    }

    /// A network's training, done or resumed when it is missing or stale. Returns its stamp.
    ///
    /// # Errors
    /// When it cannot be trained or its files not be written.
    pub fn train(&self, network: &config::Network, dataset: &Dataset) -> Result<Stamp> {
        let stamp = training::stamp(network, self.config.seed, &dataset.fingerprint)?;
        let folder = self.layout.network(&network.name);
        if stamp.matches(&folder) {
            self.progress.say(&format!("{} is fresh", network.name));
            return Ok(stamp);
        }
        let device = self.device()?;
        let job = self.job(network, dataset, device);
        self.progress.say(&format!(
            "{}: {} on {}",
            network.name,
            match (&network.weights, &network.training) {
                (Start::Random, Some(_)) => "training from random weights",
                (Start::Random, None) => "using random weights as they are",
                (Start::Builtin, _) => "fine-tuning the built-in convolutions",
                (Start::File(_), Some(_)) => "fine-tuning the given weights",
                (Start::File(_), None) => "using the given weights as they are",
            },
            device::describe(device),
        ));
        training::train(&job, &folder, &stamp, self.progress)?;
        Ok(stamp)
    }

    /// A trained network's output on a split; the validation split's is kept from training.
    ///
    /// # Errors
    /// When the network is not trained or cannot be run.
    pub fn evaluate(
        &self,
        network: &config::Network,
        dataset: &Dataset,
        split: Split,
    ) -> Result<Evaluation> {
        self.train(network, dataset)?;
        let folder = self.layout.network(&network.name);
        let kept = record::training::read_evaluation(&folder)?;
        if split == kept.split {
            return Ok(kept);
        }
        let device = self.device()?;
        let job = self.job(network, dataset, device);
        let trained = training::load(&job, &folder)?;
        training::evaluate::evaluate(&job, &trained, &folder, split, kept.best_epoch, self.progress)
    }

    /// A network as its training, which is fresh, left it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn trained(&self, network: &config::Network, dataset: &Dataset) -> Result<Network> {
        let device = self.device()?;
        let job = self.job(network, dataset, device);
        training::load(&job, &self.layout.network(&network.name))
    }

    /// Dissects the layers of a network that are missing or stale: those in `only`, or all.
    ///
    /// # Errors
    /// When a layer is not in the project, or something cannot be read, run or written.
    pub fn dissect(
        &self,
        network: &config::Network,
        dataset: &Dataset,
        only: &[String],
        part: Part,
    ) -> Result<()> {
        for layer in only {
            if !network.layers.contains(layer) {
                let known = network.layers.join(", ");
                anyhow::bail!("{} has no layer {layer} to dissect; it has {known}", network.name);
            }
        }
        let trained = self.train(network, dataset)?;
        let folder = self.layout.network(&network.name);
        let weights = record::training::read_evaluation(&folder)?.weights_blake3;
        let wanted = network.layers.iter().filter(|l| only.is_empty() || only.contains(l));
        let mut stale: Vec<(&str, PathBuf, Stamp)> = Vec::new();
        for layer in wanted {
            let folder = self.layout.layer(&network.name, layer);
            let stamp = self.layer_stamp(layer, dataset, &trained, &weights);
            if stamp.matches(&folder) {
                dissection::tidy(&folder)?;
                self.progress.say(&format!("{}/{layer} is fresh", network.name));
            } else {
                stale.push((layer, folder, stamp));
            }
        }
        if stale.is_empty() {
            return match part {
                Part::Shard(_) => Ok(()),
                Part::All | Part::Merge => self.explain(network, dataset, &trained),
            };
        }
        let device = self.device()?;
        let names: Vec<&str> = stale.iter().map(|(name, ..)| *name).collect();
        let on = device::describe(device);
        self.progress.say(&format!("{}: dissecting {} on {on}", network.name, names.join(", ")));
        let loaded = training::load(&self.job(network, dataset, device), &folder)?;
        let job = dissection::Job {
            name: &network.name,
            network: &loaded,
            weights_blake3: &weights,
            manifest: &dataset.manifest,
            store: &dataset.store,
            settings: &self.config.dissection,
        };
        let layers: Vec<_> =
            stale.iter().map(|(name, folder, stamp)| (*name, folder.as_path(), stamp)).collect();
        match part {
            Part::All => dissection::probe(&job, &layers, Shard::ALL, self.progress)?,
            Part::Shard(shard) => {
                dissection::probe(&job, &layers, shard, self.progress)?;
                let Shard { number, of } = shard;
                self.progress.say(&format!("{}: shard {number} of {of} is done", network.name));
                return Ok(());
            }
            Part::Merge => {}
        }
        dissection::merge(&job, &layers, self.progress)?;
        for (layer, ..) in layers {
            self.progress.say(&format!("{}/{layer} dissected", network.name));
        }
        self.explain(network, dataset, &trained)
    }

    /// Compares the units of all dissected layers, unless that is fresh.
    ///
    /// # Errors
    /// When a network is not trained or dissected, or a file cannot be read or written.
    pub fn compare(&self) -> Result<()> {
        let mut layers = Vec::new();
        for network in &self.config.networks {
            for layer in &network.layers {
                let folder = self.layout.layer(&network.name, layer);
                let stamp = Stamp::read(&folder).with_context(|| {
                    format!("{}/{layer} is not dissected; `unit-atlas run` mends it", network.name)
                })?;
                layers.push((network.name.as_str(), layer.as_str(), folder, stamp.fingerprint()));
            }
        }
        let layers: Vec<similar::Dissected> = layers
            .iter()
            .map(|(n, l, folder, mark)| (*n, *l, folder.as_path(), mark.clone()))
            .collect();
        let folder = self.layout.dissection();
        if !similar::stamp(&layers).matches(&folder) {
            similar::compare(&layers, &folder)?;
            self.progress.say("units of all layers compared");
        }
        Ok(())
    }

    /// Where the project is computed, opened at the first use.
    fn device(&self) -> Result<&Device> {
        if let Some(device) = self.device.get() {
            return Ok(device);
        }
        let device = device::open(self.config.device, |line| self.progress.say(line))?;
        Ok(self.device.get_or_init(|| device))
    }

    fn job<'j>(
        &self,
        network: &'j config::Network,
        dataset: &'j Dataset,
        device: &'j Device,
    ) -> training::Job<'j> {
        training::Job {
            network,
            manifest: &dataset.manifest,
            store: &dataset.store,
            device,
            seed: self.config.seed,
        }
    }

    fn layer_stamp(&self, layer: &str, dataset: &Dataset, trained: &Stamp, weights: &str) -> Stamp {
        let settings = &self.config.dissection;
        let trained = trained.fingerprint();
        dissection::stamp(settings, layer, &dataset.fingerprint, &trained, weights)
    }
}
