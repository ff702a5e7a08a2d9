//! Training and evaluation of networks, as in the paper's section 2.2.
//!
//! [`train`] is the whole of it: a `session` runs the epochs, then [`mod@evaluate`] judges the weights
//! that it kept. A session draws an epoch's patches (`sampling`), has them read and changed ahead
//! (`loader`, `augment`), takes a step for each batch (`loss`, [`schedule`], [`network::sgd`]), and leaves a
//! [`record`] of each epoch (`history`, `events`) and what it needs to go on after a kill
//! (`checkpoint`).

pub mod assess;
mod augment;
mod checkpoint;
pub mod evaluate;
mod events;
mod history;
mod loader;
mod loss;
mod sampling;
pub mod schedule;
mod session;
mod subgroups;

use std::path::Path;

use anyhow::Result;
use candle_core::Device;

use self::evaluate::evaluate;
use self::session::{Kept, Session};
use base::artifact::{self, Fingerprint, Stamp};
use base::progress::Progress;
use base::{Split, seed};
use config::Start;
use network::{Network, device};
use record::training::{EVALUATION, FORMAT, WEIGHTS};
use record::{Manifest, Store};

/// What a training reads.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The network and its settings.
    pub network: &'a config::Network,
    /// The prepared data set.
    pub manifest: &'a Manifest,
    /// Its pixels.
    pub store: &'a Store,
    /// Where to compute.
    pub device: &'a Device,
    /// The project's seed.
    pub seed: u64,
}

impl Job<'_> {
    /// How many classes the last layer tells apart.
    fn classes(&self) -> usize {
        self.manifest.classes().len()
    }
}

/// Everything the results depend on.
///
/// # Errors
/// When the starting weights cannot be read.
pub fn stamp(network: &config::Network, seed: u64, dataset: &Fingerprint) -> Result<Stamp> {
    let settings = (&network.name, network.input, network.pooling, &network.training, seed);
    let mut stamp = Stamp::new(FORMAT)
        .with("dataset", dataset.clone())
        .with("settings", Fingerprint::of(&settings));
    stamp = match &network.weights {
        Start::Random => stamp,
        Start::Builtin => {
            let trunk = network::builtin::trunk(&network.name)?;
            stamp.with("weights", Fingerprint::of_bytes(trunk))
        }
        Start::File(path) => stamp.with("weights", Fingerprint::of_file(path)?),
    };
    Ok(stamp)
}

/// A network as it is before training: the given weights, or random ones.
fn start(job: &Job) -> Result<Network> {
    let Job { network: settings, device, seed, .. } = job;
    let seed = seed::derive(*seed, &format!("weights/{}", settings.name));
    let mut network = Network::new(&settings.name, job.classes(), settings.input, seed, device)?
        .with_design(settings.design())?;
    match (&settings.weights, &settings.training) {
        // Fine-tuning may bring a last layer for these classes; used as they are, weights must.
        (Start::File(path), Some(_)) => network.load_trunk(path)?,
        (Start::File(path), None) => network.load(path)?,
        (Start::Builtin, _) => network.load_builtin()?,
        (Start::Random, _) => {}
    }
    Ok(network)
}

/// The network with the weights that training kept; `job` is the one it was trained by.
///
/// # Errors
/// When `folder` holds no finished training of it.
pub fn load(job: &Job, folder: &Path) -> Result<Network> {
    let config::Network { name, input, .. } = job.network;
    let mut network = Network::blank(name, job.classes(), *input, job.device)?
        .with_design(job.network.inference_design())?;
    network.load(&folder.join(WEIGHTS))?;
    Ok(network)
}

/// Trains (or resumes) a network, keeps the epoch that is best on the validation split, evaluates it
/// there, and marks `folder` as finished with `stamp`.
///
/// # Errors
/// When a file cannot be read or written, the device fails, or the loss stops being finite.
pub fn train(job: &Job, folder: &Path, stamp: &Stamp, progress: &dyn Progress) -> Result<()> {
    Stamp::clear(folder)?;
    let mut network = start(job)?;
    let (best_epoch, verdict) = match &job.network.training {
        None => {
            checkpoint::save(&folder.join(WEIGHTS), &network.state()?, None)?;
            history::History::default().write(folder)?;
            (None, None)
        }
        Some(settings) => {
            let session = Session::begin(job, settings, &mut network, folder, stamp, progress)?;
            let Kept { epoch, verdict } = session.run()?;
            (Some(epoch), verdict)
        }
    };
    let split = Split::Validation;
    let evaluation = match verdict {
        Some(verdict) => evaluate::conclude(job, &network, folder, split, best_epoch, verdict)?,
        None => evaluate(job, &network, folder, split, best_epoch, progress)?,
    };
    artifact::write_json(&folder.join(EVALUATION), &evaluation)?;
    stamp.write(folder)?;
    checkpoint::remove(folder)
}

/// What computed a network, for its record: the device with its card, driver and libraries, and where there is
/// more than one, the precision that training had.
fn computed_by(job: &Job) -> Result<String> {
    let device = device::provenance(job.device);
    Ok(match &job.network.training {
        Some(settings) if !job.device.is_cpu() => {
            let precision = serde_json::to_string(&settings.precision)?;
            format!("{device}, trained in {}", precision.trim_matches('"'))
        }
        _ => device,
    })
}

#[cfg(test)]
mod tests;
