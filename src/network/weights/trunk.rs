//! A trunk: what comes before a network's fully connected layers, small enough to pass on.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Result, bail};
use candle_core::{DType, Tensor};

use super::fit::is_connected;
use super::{Located, check_finite, is_auxiliary};
use crate::body::landmarks;
use architecture::Architecture;
use base::artifact;

/// Key of the metadata entry; its value is JSON with `network` and `made_by`.
const METADATA: &str = "trunk";

/// Writes the trunk of `weights` as safetensors: convolutions in half precision, and everything with one
/// value per unit (biases, batch normalisation with its running statistics) in single precision, for
/// variances may be smaller than half precision can tell from zero. [`super::super::Network::load_trunk`] reads it.
/// `made_by` says where the weights come from; it is kept in the file's metadata with the
/// architecture's name.
///
/// # Errors
/// When nothing comes before the fully connected layers, a weight is too large for half precision, or
/// the file cannot be written.
pub fn save_trunk(weights: &Located, made_by: &str, path: &Path) -> Result<()> {
    let heads = landmarks(Architecture::find(weights.network)?.family).heads;
    let tensors = trunk(weights.tensors(), heads)?;
    // One entry: several would be written in any order, and the file differ from run to run.
    let note = serde_json::json!({ "network": weights.network, "made_by": made_by }).to_string();
    let metadata = HashMap::from([(METADATA.to_string(), note)]);
    artifact::write_at(path, |temporary| {
        Ok(safetensors::serialize_to_file(&tensors, Some(metadata), temporary)?)
    })
}

fn trunk(tensors: &BTreeMap<String, Tensor>, heads: &[&str]) -> Result<BTreeMap<String, Tensor>> {
    let layer = |name: &str| name.rsplit_once('.').map_or(name, |(layer, _)| layer).to_string();
    let connected: Vec<String> = tensors
        .iter()
        .filter(|(name, tensor)| is_connected(name, tensor.dims(), heads))
        .map(|(name, _)| layer(name))
        .collect();
    let mut kept = BTreeMap::new();
    for (name, tensor) in tensors {
        // Counters of batches count a training that is over; the auxiliary classifier is a head too.
        if connected.contains(&layer(name)) || is_auxiliary(name) || !tensor.dtype().is_float() {
            continue;
        }
        // One value per unit, whatever the shape: a layer scale may be below what half precision has.
        let one_each = tensor.dims().first() == Some(&tensor.elem_count());
        let dtype = if one_each { DType::F32 } else { DType::F16 };
        let tensor = tensor.to_dtype(dtype)?;
        check_finite(name, &tensor)?;
        kept.insert(name.clone(), tensor);
    }
    if !kept.values().any(|tensor| tensor.dims().len() == 4) {
        bail!("the weights hold no convolution: there is no trunk to write");
    }
    Ok(kept)
}
