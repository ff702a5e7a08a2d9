//! `checkpoint.safetensors`: everything an interrupted training needs to go on as if it had not been.
//!
//! Tensors `model.<name>` (parameters and running statistics) and `momentum.<name>`, of what is trained: what is
//! frozen stands in what the training starts from. The mark
//! `progress` holds [`Reached`] as JSON. Everything random follows from the seed, the epoch and
//! the step, so no generator's state is needed.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use memmap2::Mmap;
use serde::{Deserialize, Serialize};

use base::artifact::{self, Fingerprint};
use network::Network;
use network::sgd::Sgd;
use record::tensors;

const FILE: &str = "checkpoint.safetensors";
/// The mark that says how far training has come.
const PROGRESS: &str = "progress";

/// How far training has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Reached {
    /// Fingerprint of the inputs; a checkpoint of other inputs is not resumed.
    pub inputs: Fingerprint,
    /// Last finished epoch.
    pub epoch: u32,
    /// What is done of the next one.
    pub partial: Partial,
    /// The epoch whose weights are kept.
    pub best: Option<Best>,
    /// Of the history up to here.
    pub history: Fingerprint,
}

/// What is done of an epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Partial {
    /// Steps.
    pub steps: usize,
    /// Sum over the patches of their loss, each times its class's weight.
    #[serde(with = "bits")]
    pub loss: f64,
    /// Sum of those weights.
    #[serde(with = "bits")]
    pub weight: f64,
    /// Patches classified correctly as they were met.
    pub correct: usize,
    /// Wall-clock time.
    pub seconds: f64,
}

/// The best epoch so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    /// From 1.
    pub epoch: u32,
    /// What it was chosen by, higher is better: validation AUC, or minus the validation loss where
    /// the split lacks a class.
    #[serde(with = "bits")]
    pub merit: f64,
    /// Of the file of its weights.
    pub weights: Fingerprint,
}

/// Floats by their bits: as decimal text they could come back with another last digit.
mod bits {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(value: &f64, to: S) -> Result<S::Ok, S::Error> {
        value.to_bits().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        u64::deserialize(from).map(f64::from_bits)
    }
}

/// Writes the weights of a network as safetensors, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn save(path: &Path, state: &BTreeMap<String, Tensor>) -> Result<()> {
    artifact::write_at(path, |temporary| {
        Ok(safetensors::serialize_to_file(state, None, temporary)?)
    })
}

/// Saves the state of training.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(folder: &Path, network: &Network, sgd: &Sgd, reached: &Reached) -> Result<()> {
    // Nothing changes while it is written, so that the processor's own tensors need no copy.
    let mut tensors = BTreeMap::new();
    for ((name, parameter), velocity) in network.trained_parameters().iter().zip(sgd.velocities()) {
        let parameter = parameter.as_detached_tensor();
        tensors.insert(format!("model.{name}"), parameter.to_device(&Device::Cpu)?);
        tensors.insert(format!("momentum.{name}"), velocity.to_device(&Device::Cpu)?);
    }
    for (name, buffer) in network.trained_buffers() {
        tensors.insert(format!("model.{name}"), buffer.to_device(&Device::Cpu)?);
    }
    let marks = HashMap::from([(PROGRESS.to_string(), serde_json::to_string(reached)?)]);
    tensors::write(&folder.join(FILE), &tensors, marks)
}

/// Restores the state of training, if `folder` holds a checkpoint of these inputs.
///
/// # Errors
/// When the checkpoint is of these inputs and yet cannot be read.
pub(super) fn resume(
    folder: &Path,
    inputs: &Fingerprint,
    network: &mut Network,
    sgd: &mut Sgd,
) -> Result<Option<Reached>> {
    let path = folder.join(FILE);
    let Some(map) = map(&path)? else { return Ok(None) };
    let mut resume = || -> Result<Option<Reached>> {
        let (found, progress) = origin(&map)?;
        if found != *inputs {
            return Ok(None);
        }
        tensors::check(&map)?;
        let reached: Reached = serde_json::from_str(&progress)?;
        let mut tensors = candle_core::safetensors::load_buffer(&map, network.device())?;
        let velocities = network
            .trained_parameters()
            .iter()
            .map(|(name, _)| {
                tensors
                    .remove(&format!("momentum.{name}"))
                    .with_context(|| format!("the momentum of {name} is missing"))
            })
            .collect::<Result<_>>()?;
        let mut state = frozen(network)?;
        state.extend(
            tensors
                .into_iter()
                .filter_map(|(name, t)| Some((name.strip_prefix("model.")?.to_string(), t))),
        );
        network.set_state(&state)?;
        sgd.restore(velocities)?;
        Ok(Some(reached))
    };
    resume().with_context(|| {
        format!("cannot resume from {}; remove it to train from the start", path.display())
    })
}

/// What is frozen of a network, as it is.
fn frozen(network: &Network) -> Result<BTreeMap<String, Tensor>> {
    let mut state = network.state()?;
    let (parameters, buffers) = (network.trained_parameters(), network.trained_buffers());
    let trained = parameters.iter().map(|(name, _)| name);
    for name in trained.chain(buffers.iter().map(|(name, _)| name)) {
        state.remove(name);
    }
    Ok(state)
}

/// Removes the checkpoint of a finished training.
///
/// # Errors
/// When it exists and cannot be removed.
pub(super) fn remove(folder: &Path) -> Result<()> {
    match fs_err::remove_file(folder.join(FILE)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}

/// The inputs of the training whose checkpoint lies in `folder`; `None` where there is none.
///
/// # Errors
/// When it cannot be read.
pub(super) fn inputs(folder: &Path) -> Result<Option<Fingerprint>> {
    let path = folder.join(FILE);
    let Some(map) = map(&path)? else { return Ok(None) };
    let origin = origin(&map).with_context(|| format!("{} is damaged", path.display()));
    origin.map(|(inputs, _)| Some(inputs))
}

fn map(path: &Path) -> Result<Option<Mmap>> {
    if !path.exists() {
        return Ok(None);
    }
    let file = fs_err::File::open(path)?;
    Ok(Some(artifact::map(file.file())?))
}

/// The inputs of a checkpoint, which can be relied on in those of any version, and the text of its progress.
fn origin(checkpoint: &[u8]) -> Result<(Fingerprint, String)> {
    #[derive(Deserialize)]
    struct Origin {
        inputs: Fingerprint,
    }
    let progress =
        tensors::mark(checkpoint, PROGRESS)?.context("it says nothing of its progress")?;
    let Origin { inputs } = serde_json::from_str(&progress)?;
    Ok((inputs, progress))
}
