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

/// Parts of timm's ConvNeXts, and torchvision's within a block.
const TIMM_CONVNEXT: [(&str, &str); 5] = [
    ("conv_dw", "block.0"),
    ("norm", "block.2"),
    ("mlp.fc1", "block.3"),
    ("mlp.fc2", "block.5"),
    ("gamma", "layer_scale"),
];
/// A tensor that only timm's ConvNeXts have.
const CONVNEXT: &str = "stages.0.blocks.0.conv_dw.weight";

/// torchvision's name of a tensor of timm's ConvNeXt.
fn of_convnext(name: &str) -> Option<String> {
    if let Some(rest) = name.strip_prefix("stem.") {
        return Some(format!("features.0.{rest}"));
    }
    if let Some(rest) = name.strip_prefix("head.norm.") {
        return Some(format!("classifier.0.{rest}"));
    }
    if let Some(rest) = name.strip_prefix("head.fc.") {
        return Some(format!("classifier.2.{rest}"));
    }
    let (stage, rest) = name.strip_prefix("stages.")?.split_once('.')?;
    let stage: usize = stage.parse().ok().filter(|stage| *stage < 4)?;
    if let Some(rest) = rest.strip_prefix("downsample.") {
        return Some(format!("features.{}.{rest}", 2 * stage));
    }
    let (block, rest) = rest.strip_prefix("blocks.")?.split_once('.')?;
    let of = |(theirs, ours): &(&str, &str)| {
        let end = rest.strip_prefix(theirs).filter(|end| end.is_empty() || end.starts_with('.'))?;
        Some(format!("features.{}.{block}.{ours}{end}", 2 * stage + 1))
    };
    TIMM_CONVNEXT.iter().find_map(of)
}

/// A name of a DenseNet without the dots that torchvision's files have before their numbers
/// (`denselayer1.norm.1`).
fn of_densenet(name: &str) -> Option<String> {
    let (before, rest) = name.split_once("denselayer")?;
    let mut parts = rest.splitn(4, '.');
    let (layer, kind, number, end) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let dotted = matches!(kind, "norm" | "conv") && matches!(number, "1" | "2");
    dotted.then(|| format!("{before}denselayer{layer}.{kind}{number}.{end}"))
}

/// The numbers of the places, in order: older files of CLIP's and SigLIP's towers have them.
fn is_count(name: &str, tensor: &Tensor) -> bool {
    name.ends_with(".position_ids") && !tensor.dtype().is_float()
}

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
    let convnext = tensors.keys().find_map(|name| {
        let prefix = unwrapped(name).strip_suffix(CONVNEXT)?.to_owned();
        (prefix.is_empty() || prefix.ends_with('.')).then_some(prefix)
    });
    let mut out: BTreeMap<String, (String, Tensor)> = BTreeMap::new();
    for (original, mut tensor) in tensors {
        if is_count(&original, &tensor) {
            continue;
        }
        let mut name = unwrapped(&original);
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
        if let Some(prefix) = &convnext
            && let Some(ours) = name.strip_prefix(&**prefix).and_then(of_convnext)
        {
            name = format!("{prefix}{ours}");
            if name.ends_with(".layer_scale") && tensor.dims().len() == 1 {
                tensor = tensor.reshape((tensor.elem_count(), 1, 1))?;
            }
        }
        if let Some(ours) = of_densenet(&name) {
            name = ours;
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

/// A name without wrappers.
fn unwrapped(name: &str) -> String {
    name.split('.').filter(|part| !WRAPPERS.contains(part)).collect::<Vec<_>>().join(".")
}

/// Where in a name some whole parts of it begin.
fn at_start(name: &str, parts: &str) -> Option<usize> {
    let at = name.find(parts)?;
    (at == 0 || name.as_bytes()[at - 1] == b'.').then_some(at)
}
