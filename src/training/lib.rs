//! Training and evaluation of networks, as in the paper's section 2.2.
//!
//! [`train`] is the whole of it: a `session` runs the epochs, then [`mod@evaluate`] judges the weights
//! that it kept. A session draws an epoch's patches (`sampling`), has them read and changed ahead
//! (`loader`, `augment`; of a network that is frozen in part `frozen`), takes a step for each batch (`objective`: the
//! `loss` of patches, or of mammograms by the `pooling` of theirs; [`schedule`], [`network::sgd`]), and leaves a [`record`] of each epoch (`history`, `events`) and what it needs to go
//! on after a kill (`checkpoint`).

pub mod assess;
mod augment;
mod checkpoint;
pub mod evaluate;
mod events;
mod frozen;
mod heads;
mod health;
mod history;
mod loader;
mod loss;
mod objective;
mod pooling;
pub mod rates;
pub mod recorded;
mod sampling;
pub mod schedule;
mod session;
mod subgroups;

use std::path::Path;

use anyhow::{Context, Result};
use candle_core::Device;

pub use self::augment::Change;
use self::evaluate::evaluate;
use self::session::{Kept, Session};
use base::artifact::{self, Fingerprint, Sealed, Stamp};
use base::progress::Progress;
use base::{Split, seed};
use config::Start;
use network::weights::Weights;
use network::{Network, device};
use record::training::{EVALUATION, FORMAT, HISTORY, WEIGHTS};
use record::{Manifest, Store};

/// What a training reads.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The network, which is also its architecture.
    pub name: &'a str,
    /// How it is run.
    pub run: &'a config::Run,
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
    /// How many classes the patches have.
    fn classes(&self) -> usize {
        self.manifest.classes().len()
    }

    /// How many outputs a network has that is trained so: the classes come first.
    fn outputs(&self, settings: &config::Training) -> usize {
        objective::outputs(settings.objective, self.classes())
    }

    /// A network that is trained so, with logits of the classes.
    fn with_classes(&self, network: Network, settings: &config::Training) -> Result<Network> {
        let (outputs, classes) = (self.outputs(settings), self.classes());
        match outputs == classes {
            true => Ok(network),
            false => {
                let meant: Vec<Option<usize>> =
                    (0..outputs).map(|at| (at < classes).then_some(at)).collect();
                network.with_classes(Some(&meant), classes)
            }
        }
    }
}

/// Everything the results depend on.
///
/// # Errors
/// When the starting weights cannot be read.
pub fn stamp(name: &str, run: &config::Run, seed: u64, dataset: &Fingerprint) -> Result<Stamp> {
    let settings = (name, run.input, run.pooling, &run.training, seed);
    let mut stamp = Stamp::new(FORMAT)
        .with("dataset", dataset.clone())
        .with("settings", Fingerprint::of(&settings))
        .of_settings(
            "settings",
            &serde_json::json!({
                "input": run.input,
                "pooling": run.pooling,
                "training": run.training,
                "seed": seed,
            }),
        );
    stamp = match &run.weights {
        Start::Random => stamp,
        Start::Builtin => {
            let trunk = network::builtin::trunk(name)?;
            stamp.with("weights", Fingerprint::of_bytes(trunk))
        }
        Start::File(path) => stamp.with("weights", Fingerprint::of_file(path)?),
    };
    if !run.outputs.is_empty() {
        stamp = stamp.with("outputs", Fingerprint::of(&run.outputs));
    }
    Ok(stamp)
}

/// A network as it is before training: the given weights, or random ones. Says what a user should know
/// of how a file was read.
fn start(job: &Job, progress: &dyn Progress) -> Result<Network> {
    let Job { name, run: settings, device, seed, .. } = job;
    let input = &settings.input;
    let seed = seed::derive(*seed, &format!("weights/{name}"));
    let design = settings.design();
    let outputs =
        settings.training.as_ref().map_or(job.classes(), |training| job.outputs(training));
    let path = match &settings.weights {
        Start::File(path) => path,
        start => {
            let mut network =
                Network::new(name, outputs, *input, seed, device)?.with_design(design)?;
            if *start == Start::Builtin {
                network.load_builtin()?;
            }
            return Ok(network);
        }
    };
    let weights = Weights::read(path)?.locate(name)?;
    // Fine-tuning may bring a last layer for these classes; used as they are, weights must.
    let network = match &settings.training {
        Some(_) => Network::from_trunk(&weights, outputs, *input, seed, design, device)?,
        None => as_it_is(job, Network::of_weights(&weights, *input, device)?)
            .with_context(|| format!("{} cannot be used as it is", path.display()))?
            .with_design(design)?,
    };
    let file = settings.weights.name().unwrap_or_default();
    for remark in weights.remarks() {
        progress.say(&format!("{name}: {file}: {remark}"));
    }
    if network.channels() == 1 {
        progress.say(&format!("{name}: {file} is for grey images, of one channel"));
    }
    let is_cancer = settings.tells_cancer() && weights.outputs() == Some(1);
    if settings.training.is_none() && is_cancer {
        progress
            .say(&format!("{name}: the sigmoid of its one output is the probability of cancer"));
    }
    Ok(network)
}

/// A network as its training begins, with what is frozen of it.
fn trainable(job: &Job, settings: &config::Training, progress: &dyn Progress) -> Result<Network> {
    let network = job.with_classes(start(job, progress)?, settings)?;
    let Some(layer) = &settings.freeze else { return Ok(network) };
    if job.run.weights == Start::Random {
        progress.say(&format!(
            "{}: what is frozen, all up to {layer}, starts at random and stays so; `weights` names a better start",
            job.name
        ));
    }
    network.freeze(layer)
}

/// A network whose weights were not trained here, with the project's classes for its outputs.
fn as_it_is(job: &Job, network: Network) -> Result<Network> {
    let classes = job.classes();
    network.with_classes(job.run.classes_of_outputs(classes).as_deref(), classes)
}

/// The network with the weights that training kept; `job` is the one it was trained by.
///
/// # Errors
/// When `folder` holds no finished training of it.
pub fn load(job: &Job, folder: &Path) -> Result<Network> {
    let Job { name, run, .. } = *job;
    let network =
        Network::open(name, run.input, &Sealed::open(folder)?.path(WEIGHTS)?, job.device)?
            .with_design(run.inference_design())?;
    match &run.training {
        Some(settings) => job.with_classes(network, settings),
        None => as_it_is(job, network)
            .with_context(|| format!("the weights of {name} cannot be used as they are")),
    }
}

/// Trains (or resumes) a network, keeps the epoch that is best on the validation split, evaluates it
/// there, and marks `folder` as finished with `stamp`.
///
/// # Errors
/// When a file cannot be read or written, the device fails, or the loss stops being finite.
pub fn train(job: &Job, folder: &Path, stamp: &Stamp, progress: &dyn Progress) -> Result<()> {
    let (network, best_epoch, verdict) = match &job.run.training {
        None => {
            let network = start(job, progress)?;
            checkpoint::save(&folder.join(WEIGHTS), &network.state()?)?;
            history::History::default().write(folder)?;
            (network, None, None)
        }
        Some(settings) => {
            let mut network = trainable(job, settings, progress)?;
            let session = Session::begin(job, settings, &mut network, folder, stamp, progress)?;
            // A run that is killed goes on with what was kept; one that ends with an error may not be asked for again.
            let Kept { epoch, verdict } = session.run().inspect_err(|_| {
                let _ = frozen::remove(folder);
            })?;
            (network, Some(epoch), verdict)
        }
    };
    let split = Split::Validation;
    let evaluation = match verdict {
        Some(verdict) => evaluate::conclude(job, &network, folder, split, best_epoch, verdict)?,
        None => evaluate(job, &network, folder, split, best_epoch, progress)?,
    };
    artifact::write_json(&folder.join(EVALUATION), &evaluation)?;
    stamp.seal(folder, &OUTPUTS, &evaluation.device)?;
    tidy(folder)
}

/// What a finished training is: TensorBoard's event files are for looking at alone.
pub const OUTPUTS: [&str; 3] = [WEIGHTS, HISTORY, EVALUATION];

/// The inputs of a training that was begun in `folder` and not finished; `None` where there is none.
///
/// # Errors
/// When its checkpoint cannot be read; [`Damaged`](base::artifact::Damaged) where a finished training has lost
/// its stamp.
pub fn unfinished(folder: &Path) -> Result<Option<Fingerprint>> {
    let begun = checkpoint::inputs(folder)?;
    // The checkpoint goes after the stamp is written.
    if begun.is_none() && folder.join(EVALUATION).exists() {
        Sealed::found(folder)?;
    }
    Ok(begun)
}

/// Removes the checkpoint, and what was kept of a frozen part, from the folder of a finished training: a run may have
/// been killed between its stamp and that.
///
/// # Errors
/// When something of it exists and cannot be removed.
pub fn tidy(folder: &Path) -> Result<()> {
    frozen::remove(folder)?;
    checkpoint::remove(folder)
}

/// What computed a network, for its record: the device with its card, driver and libraries, and where there is
/// more than one, the precision that training had.
fn computed_by(job: &Job) -> Result<String> {
    let device = device::provenance(job.device);
    Ok(match &job.run.training {
        Some(settings) if !job.device.is_cpu() => {
            let precision = serde_json::to_string(&settings.precision)?;
            format!("{device}, trained in {}", precision.trim_matches('"'))
        }
        _ => device,
    })
}

#[cfg(test)]
mod tests;
