//! Names in a file, without what is known to change nothing.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use candle_core::Tensor;

use super::pickle::printable;

/// Modules that wrap others, at any depth: `DataParallel` (the paper's code wraps only `features` of
/// AlexNet and VGG by it) and averages and compiled modules.
const WRAPPERS: [&str; 2] = ["module", "_orig_mod"];
/// timm's VGG keeps its fully connected layers as convolutions, under other names.
const TIMM_VGG: [(&str, &str); 3] = [
    ("pre_logits.fc1.", "classifier.0."),
    ("pre_logits.fc2.", "classifier.3."),
    ("head.fc.", "classifier.6."),
];

/// Whether a tensor belongs to the auxiliary classifier of Inception-v3, which only training uses.
pub(crate) fn is_auxiliary(name: &str) -> bool {
    name.starts_with("AuxLogits.")
}

/// Names without wrappers, and torchvision's where timm has others; what lies around a network is
/// still there.
///
/// # Errors
/// When two tensors get the same name.
pub(super) fn plain(tensors: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
    let timm_vgg = tensors.keys().any(|name| at_start(name, TIMM_VGG[0].0).is_some());
    let mut out: BTreeMap<String, (String, Tensor)> = BTreeMap::new();
    for (original, mut tensor) in tensors {
        let parts: Vec<&str> = original.split('.').filter(|p| !WRAPPERS.contains(p)).collect();
        let mut name = parts.join(".");
        if timm_vgg
            && let Some((at, theirs, ours)) = TIMM_VGG
                .iter()
                .find_map(|(theirs, ours)| Some((at_start(&name, theirs)?, theirs, ours)))
        {
            name = format!("{}{ours}{}", &name[..at], &name[at + theirs.len()..]);
            if tensor.dims().len() == 4 {
                tensor = tensor.flatten_from(1)?;
            }
        }
        if let Some((other, _)) = out.get(&name) {
            bail!(
                "{} and {} are both the tensor {}",
                printable(other),
                printable(&original),
                printable(&name)
            );
        }
        out.insert(name, (original, tensor));
    }
    Ok(out.into_iter().map(|(name, (_, tensor))| (name, tensor)).collect())
}

/// Where in a name some whole parts of it begin.
fn at_start(name: &str, parts: &str) -> Option<usize> {
    let at = name.find(parts)?;
    (at == 0 || name.as_bytes()[at - 1] == b'.').then_some(at)
}
