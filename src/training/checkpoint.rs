//! `checkpoint.safetensors`: everything an interrupted training needs to go on as if it had not been.
//!
//! Tensors `model.<name>` (parameters and running statistics) and `momentum.<name>`; the metadata
//! entry `progress` holds [`Reached`] as JSON.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::sgd::Sgd;
use crate::artifact::{self, Fingerprint};
use crate::network::Network;

const FILE: &str = "checkpoint.safetensors";

/// How far training has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Reached {
    /// Fingerprint of the inputs; a checkpoint of other inputs is not resumed.
    pub inputs: Fingerprint,
    /// Last finished epoch.
    pub epoch: u32,
    /// Epoch whose weights are kept.
    pub best_epoch: u32,
    /// What the epoch was chosen by, higher is better: validation AUC, or minus the validation loss
    /// where the split has one class only.
    pub best: f64,
}

/// Writes named tensors as safetensors, whole or not at all.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn save(
    path: &Path,
    tensors: &BTreeMap<String, Tensor>,
    metadata: Option<HashMap<String, String>>,
) -> Result<()> {
    artifact::write_at(path, |temporary| {
        Ok(safetensors::serialize_to_file(tensors, metadata, temporary)?)
    })
}

/// Saves the state of training.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(folder: &Path, network: &Network, sgd: &Sgd, reached: &Reached) -> Result<()> {
    let mut tensors: BTreeMap<String, Tensor> =
        network.state()?.into_iter().map(|(name, t)| (format!("model.{name}"), t)).collect();
    for ((name, _), velocity) in network.parameters().iter().zip(sgd.velocities()) {
        tensors.insert(format!("momentum.{name}"), velocity.to_device(&Device::Cpu)?);
    }
    let metadata = HashMap::from([("progress".to_string(), serde_json::to_string(reached)?)]);
    save(&folder.join(FILE), &tensors, Some(metadata))
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
    if !path.exists() {
        return Ok(None);
    }
    let mut resume = || -> Result<Option<Reached>> {
        let Some(reached) = read_progress(&path)?.filter(|r| r.inputs == *inputs) else {
            return Ok(None);
        };
        let mut tensors = candle_core::safetensors::load(&path, network.device())?;
        let velocities = network
            .parameters()
            .iter()
            .map(|(name, _)| {
                tensors
                    .remove(&format!("momentum.{name}"))
                    .with_context(|| format!("the momentum of {name} is missing"))
            })
            .collect::<Result<_>>()?;
        let state = tensors
            .into_iter()
            .filter_map(|(name, t)| Some((name.strip_prefix("model.")?.to_string(), t)))
            .collect();
        network.set_state(&state)?;
        sgd.restore(velocities)?;
        Ok(Some(reached))
    };
    resume().with_context(|| {
        format!("cannot resume from {}; remove it to train from the start", path.display())
    })
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

fn read_progress(path: &Path) -> Result<Option<Reached>> {
    let file = fs_err::File::open(path)?;
    // SAFETY: checkpoints are replaced by rename, never written in place.
    let map = unsafe { memmap2::Mmap::map(file.file())? };
    let (_, header) = safetensors::SafeTensors::read_metadata(&map)?;
    let progress = header.metadata().as_ref().and_then(|m| m.get("progress"));
    Ok(progress.map(|text| serde_json::from_str(text)).transpose()?)
}
