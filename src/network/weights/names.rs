//! From the names in a file to torchvision's.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use candle_core::Tensor;

/// Modules that wrap others: `DataParallel` (the paper's code wraps only `features` of AlexNet and
/// VGG by it) and compiled modules.
const WRAPPERS: [&str; 2] = ["module", "_orig_mod"];
/// Names that training scripts give to the whole network.
const WHOLE: [&str; 4] = ["model", "backbone", "network", "net"];
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

/// Renames, and reshapes where timm has other shapes.
///
/// # Errors
/// When two tensors get the same name.
pub(super) fn torchvision(tensors: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
    let mut named: Vec<(String, String, Tensor)> = tensors
        .into_iter()
        .map(|(name, tensor)| {
            let parts: Vec<&str> = name.split('.').filter(|p| !WRAPPERS.contains(p)).collect();
            (parts.join("."), name, tensor)
        })
        .collect();
    // One prefix may hide another.
    while let Some(prefix) = common_prefix(&named) {
        for (name, ..) in &mut named {
            *name = name[prefix..].to_string();
        }
    }
    let timm_vgg = named.iter().any(|(name, ..)| name.starts_with("pre_logits.fc1."));
    let mut out: BTreeMap<String, (String, Tensor)> = BTreeMap::new();
    for (mut name, original, mut tensor) in named {
        if let (true, Some((theirs, ours))) =
            (timm_vgg, TIMM_VGG.iter().find(|(theirs, _)| name.starts_with(theirs)))
        {
            name = format!("{ours}{}", &name[theirs.len()..]);
            if tensor.dims().len() == 4 {
                tensor = tensor.flatten_from(1)?;
            }
        }
        if let Some((other, _)) = out.get(&name) {
            bail!("{other} and {original} are both the tensor {name}");
        }
        out.insert(name, (original, tensor));
    }
    Ok(out.into_iter().map(|(name, (_, tensor))| (name, tensor)).collect())
}

/// Length of a prefix of [`WHOLE`] that all names have.
fn common_prefix(named: &[(String, String, Tensor)]) -> Option<usize> {
    let (first, ..) = named.first()?;
    let (segment, _) = first.split_once('.')?;
    let shared = WHOLE.contains(&segment)
        && named.iter().all(|(name, ..)| {
            name.strip_prefix(segment).is_some_and(|rest| rest.starts_with('.') && rest.len() > 1)
        });
    shared.then_some(segment.len() + 1)
}
