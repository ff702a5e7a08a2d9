//! Weight files: safetensors, and PyTorch's in both forms, under the names torchvision gives.
//!
//! A file is told by its content, not by its name. What is read is data: nothing in a file is
//! executed, and a file can ask for no more memory than a multiple of its own size.

mod blueprint;
mod fit;
mod guess;
mod located;
mod names;
mod pickle;
pub mod published;
mod torch;
mod trunk;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use candle_core::safetensors::Load;
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::cpu;
use base::input;
pub(super) use blueprint::Blueprint;
pub(super) use fit::{Expected, Misfit, Scope, fit};
pub use located::Located;
use names::is_auxiliary;
pub use trunk::save_trunk;

/// Ending of the buffer that counts the batches seen; old checkpoints lack it.
const COUNTER: &str = "num_batches_tracked";

/// What a file holds by name, whatever network that is. A key of a dictionary within another stands
/// before the names below it: `state_dict.fc.weight`.
#[derive(Debug)]
pub struct Weights {
    /// The file's name, for messages.
    shown: String,
    tensors: BTreeMap<String, Tensor>,
    /// Objects of a class where a tensor might be: what each is.
    objects: BTreeMap<String, String>,
}

impl Weights {
    /// Reads every tensor of a `.safetensors` file, or of the dictionaries in a file of `torch.save`.
    /// The wrappers of `DataParallel` and of compiled modules are left out of the names, timm's VGG is
    /// renamed; [`crate::Network`] finds a network among them.
    ///
    /// # Errors
    /// When the file is missing, truncated, of another kind, or holds no tensor.
    pub fn read(path: &Path) -> Result<Weights> {
        let shown = path.display().to_string();
        let contents = read(path).with_context(|| format!("cannot read weights from {shown}"))?;
        Weights::of_contents(shown, contents)
    }

    fn of_contents(shown: String, Contents { tensors, objects }: Contents) -> Result<Weights> {
        let tensors = names::plain(tensors).with_context(|| format!("{shown} cannot be used"))?;
        if tensors.is_empty() {
            match objects.first_key_value() {
                Some((name, what)) => bail!(
                    "{shown} holds no tensor; {} is {what}, and nothing in the file was executed",
                    printable(name)
                ),
                None => bail!("{shown} holds no tensor"),
            }
        }
        Ok(Weights { shown, tensors, objects })
    }

    /// Reads the bytes of a safetensors file with torchvision's names.
    pub(super) fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
        Ok(read_safetensors(bytes)?.tensors)
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.tensors
    }

    /// Finds the network of an architecture in the file.
    ///
    /// # Errors
    /// When there is no such architecture, the file holds the network more than once, an object where
    /// a tensor of it should be, or values of it that are not finite.
    pub fn locate(self, network: &str) -> Result<Located> {
        self.of(&super::Network::blueprint(network)?)
    }
}

/// What a file holds.
#[derive(Debug, Default)]
struct Contents {
    tensors: BTreeMap<String, Tensor>,
    objects: BTreeMap<String, String>,
}

/// The layer that a tensor belongs to.
fn layer(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(layer, _)| layer)
}

fn read(path: &Path) -> Result<Contents> {
    let (file, met) = input::open(path)?;
    if met.len() == 0 {
        bail!("the file is empty");
    }
    let map = base::artifact::map(&file)?;
    contents(&map, path.extension().is_some_and(|extension| extension == "safetensors"))
}

/// Reads a file by its bytes; `named` says whether its name is that of a safetensors file.
fn contents(bytes: &[u8], named: bool) -> Result<Contents> {
    if bytes.starts_with(b"PK\x03\x04") {
        return torch::read_zip(bytes);
    }
    if torch::is_legacy(bytes) {
        return torch::read_legacy(bytes);
    }
    // The length of a JSON header comes first, of which any byte may look like anything.
    if bytes.get(8) == Some(&b'{') {
        return read_safetensors(bytes);
    }
    if let Some(other) = other_kind(bytes) {
        bail!("{other}");
    }
    if named {
        return read_safetensors(bytes);
    }
    bail!(
        "it is neither a .safetensors file nor one of PyTorch's torch.save: the download may have \
         failed, or this is another file"
    )
}

/// What is often found in place of weights.
fn other_kind(bytes: &[u8]) -> Option<&'static str> {
    let start = &bytes[..bytes.len().min(512)];
    let text = start.trim_ascii_start().to_ascii_lowercase();
    Some(if text.starts_with(b"version https://git-lfs") {
        "it is a Git LFS pointer, a note of where the weights are, not the weights: fetch them with \
         `git lfs pull`, or download the file itself"
    } else if [&b"<!doctype"[..], b"<html", b"<?xml"].iter().any(|tag| text.starts_with(tag)) {
        "it is a web page, not weights: the download was answered with a page (a login, or an \
         error); download the file itself"
    } else if start.starts_with(b"\x89HDF") {
        "it is an HDF5 file, as Keras writes them: weights of PyTorch are needed"
    } else if start.starts_with(b"\x1f\x8b") {
        "it is compressed by gzip: unpack it first"
    } else if bytes.get(257..262) == Some(b"ustar") {
        "it is a tar archive: unpack it, or, if PyTorch before 0.2 wrote it, load and save it again \
         with a newer one"
    } else if matches!(start, [0x80, 2..=5, ..]) {
        "it is a pickle, but not one of torch.save: load it where it was made, and save \
         `model.state_dict()` by torch.save"
    } else {
        return None;
    })
}

fn read_safetensors(bytes: &[u8]) -> Result<Contents> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| match error {
        SafeTensorError::HeaderTooSmall
        | SafeTensorError::InvalidHeaderLength
        | SafeTensorError::MetadataIncompleteBuffer => anyhow::anyhow!(
            "the safetensors file is truncated or damaged: it is not as long as its header says (was \
             the download complete?)"
        ),
        error => anyhow::Error::new(error).context("it is not a safetensors file, or damaged"),
    })?;
    let (mut tensors, mut objects) = (BTreeMap::new(), BTreeMap::new());
    for (name, view) in file.iter() {
        // Truth values are bytes, as in PyTorch's own files.
        let loaded = match view.dtype() {
            Dtype::BOOL => {
                Tensor::from_raw_buffer(view.data(), DType::U8, view.shape(), &Device::Cpu)
            }
            _ => view.load(&Device::Cpu),
        };
        match loaded {
            Ok(tensor) => drop(tensors.insert(name.to_string(), tensor)),
            // Quantised values may lie beside a network.
            Err(_) => {
                drop(objects.insert(name.to_string(), format!("a tensor of {}", view.dtype())))
            }
        }
    }
    Ok(Contents { tensors, objects })
}

/// Refuses values that are not a number or not finite, also as single precision.
pub(crate) fn check_finite(name: &str, tensor: &Tensor) -> Result<()> {
    if !tensor.dtype().is_float() {
        return Ok(());
    }
    let single = tensor.to_dtype(DType::F32)?;
    let bad = cpu::with_values([&single], |[values]| {
        Ok(values.par_iter().filter(|value| !value.is_finite()).count())
    })?;
    if bad > 0 {
        bail!(
            "the tensor {} holds {bad} values of {} that are not finite (NaN or infinite): the \
             training it comes from broke down; use an earlier checkpoint",
            printable(name),
            tensor.elem_count()
        );
    }
    Ok(())
}

pub(crate) use pickle::printable;

#[cfg(test)]
pub(super) mod fuzz;
#[cfg(test)]
mod located_tests;
#[cfg(test)]
mod tests;
