//! Weight files: safetensors and PyTorch's zip form.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor, pickle, safetensors};

/// Keys under which training scripts keep the state dictionary.
const NESTED: [&str; 2] = ["state_dict", "model"];

/// Reads every tensor of a `.safetensors` file, or of a state dictionary saved by `torch.save`.
///
/// # Errors
/// When the file is missing, damaged, of another kind, or holds no tensor.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let shown = path.display();
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if extension == "safetensors" {
        return Ok(safetensors::load(path, &Device::Cpu)
            .with_context(|| format!("cannot read weights from {shown}"))?
            .into_iter()
            .collect());
    }
    let mut start = [0; 4];
    let mut file = fs_err::File::open(path)?;
    if std::io::Read::read_exact(&mut file, &mut start).is_err() || &start != b"PK\x03\x04" {
        bail!(
            "{shown} is neither a .safetensors file nor a PyTorch file in zip form; files of \
             PyTorch before 1.6 must be loaded and saved again with a newer one"
        );
    }
    let read = |key: Option<&str>| {
        pickle::read_all_with_key(path, key)
            .with_context(|| format!("cannot read weights from {shown}"))
    };
    let mut tensors = read(None)?;
    for key in NESTED {
        if !tensors.is_empty() {
            break;
        }
        tensors = read(Some(key)).unwrap_or_default();
    }
    if tensors.is_empty() {
        bail!("{shown} holds no state dictionary");
    }
    // `DataParallel` puts a prefix before every name.
    Ok(tensors
        .into_iter()
        .map(|(name, tensor)| match name.strip_prefix("module.") {
            Some(rest) => (rest.to_string(), tensor),
            None => (name, tensor),
        })
        .collect())
}
