//! Weight files: safetensors, and PyTorch's in both forms, under the names torchvision gives.
//!
//! A file is told by its content, not by its name. What is read is data: nothing in a file is
//! executed, and a file can ask for no more memory than a multiple of its own size.

mod fit;
mod guess;
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
use safetensors::{SafeTensorError, SafeTensors};

use super::cpu;
pub(super) use fit::{Expected, Scope, fit};
use names::is_auxiliary;
pub use trunk::save_trunk;

/// Tensors of a network by torchvision's names, every value finite.
#[derive(Debug)]
pub struct Weights(BTreeMap<String, Tensor>);

impl Weights {
    /// Reads every tensor of a `.safetensors` file, or of a state dictionary saved by `torch.save`
    /// (bare, or under a usual key such as `state_dict`), and gives them torchvision's names: the
    /// wrappers of `DataParallel` and of compiled modules are left out, timm's VGG is renamed.
    ///
    /// # Errors
    /// When the file is missing, truncated, of another kind, holds no tensor, an object where a
    /// tensor should be, or values that are not finite.
    pub fn read(path: &Path) -> Result<Weights> {
        let shown = path.display();
        let tensors = read(path).with_context(|| format!("cannot read weights from {shown}"))?;
        let weights =
            names::torchvision(tensors).with_context(|| format!("{shown} cannot be used"))?;
        if weights.is_empty() {
            bail!("{shown} holds no tensor");
        }
        for (name, tensor) in &weights {
            check_finite(name, tensor).with_context(|| format!("{shown} cannot be used"))?;
        }
        Ok(Weights(weights))
    }

    /// Reads the bytes of a safetensors file with torchvision's names.
    pub(super) fn parse(bytes: &[u8]) -> Result<Weights> {
        Ok(Weights(read_safetensors(bytes)?))
    }

    /// The tensors by name.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.0
    }

    /// How many classes the last layer tells apart. `None` when the file holds no last layer.
    pub fn classes(&self) -> Option<usize> {
        // torchvision's names: `fc`, or the last of `classifier`.
        let heads = self.0.iter().filter(|(name, tensor)| {
            tensor.dims().len() == 2
                && (*name == "fc.weight"
                    || name.starts_with("classifier.") && name.ends_with(".weight"))
        });
        let index = |name: &str| name.split('.').nth(1).and_then(|i| i.parse::<u32>().ok());
        let (name, head) = heads.max_by_key(|(name, _)| index(name))?;
        // AlexNet and VGG without their last layer end with the one before it.
        let whole = name == "fc.weight" || index(name) == Some(6);
        whole.then(|| head.dims()[0])
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let file = fs_err::File::open(path)?;
    if file.metadata()?.is_dir() {
        bail!("it is a folder");
    }
    if file.metadata()?.len() == 0 {
        bail!("the file is empty");
    }
    // SAFETY: weight files are replaced by renaming, never written in place, by everything here; a
    // file that another program truncates meanwhile stops the process, as it would any reader.
    let map = unsafe { memmap2::Mmap::map(file.file()) }?;
    let bytes: &[u8] = &map;
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
    if path.extension().is_some_and(|extension| extension == "safetensors") {
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

fn read_safetensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| match error {
        SafeTensorError::HeaderTooSmall
        | SafeTensorError::InvalidHeaderLength
        | SafeTensorError::MetadataIncompleteBuffer => anyhow::anyhow!(
            "the safetensors file is truncated or damaged: it is not as long as its header says (was \
             the download complete?)"
        ),
        error => anyhow::Error::new(error).context("it is not a safetensors file, or damaged"),
    })?;
    file.iter()
        .map(|(name, view)| {
            let tensor = view.load(&Device::Cpu);
            let tensor =
                tensor.with_context(|| format!("the tensor {} cannot be read", printable(name)))?;
            Ok((name.to_string(), tensor))
        })
        .collect()
}

/// Refuses values that are not a number or not finite, also as single precision.
fn check_finite(name: &str, tensor: &Tensor) -> Result<()> {
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

use pickle::printable;

#[cfg(test)]
mod tests;
