//! Mammo-CLIP (Ghosh et al. 2024): an EfficientNet and a BERT taught on screening mammograms and their reports.
//!
//! Its files have the names of lukemelas' EfficientNet and of Hugging Face's BERT. Here they get those of our
//! EfficientNet, which are torchvision's but that blocks are counted through, and nothing else knows of the others.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use candle_core::Tensor;

use super::open_clip::renamed;
use super::plan::TEXT;
use crate::efficientnet;
use crate::input::Colours;
use crate::inverted;
use crate::weights::printable;

/// What names of the image tower begin with.
pub(super) const PREFIX: &str = "vision_model.";
/// What mammograms of values from 0 to 1 are normalised by (`mean` and `std` of its settings).
pub(super) const COLOURS: Colours =
    Colours { mean: [0.308_927_9; 3], deviation: [0.250_535_554_083_351_54; 3] };

/// An image tower.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How many times as wide and as deep as EfficientNet-B0.
    pub(super) scale: [f64; 2],
    /// Edge in pixels of the images that its paddings were computed for: those of ImageNet, whatever it is shown since.
    pub(super) edge: usize,
}

impl Plan {
    pub(super) const B2: Plan = Plan { scale: [1.1, 1.2], edge: 260 };
    pub(super) const B5: Plan = Plan { scale: [1.6, 2.2], edge: 456 };

    /// The network, whose last layer projects what it sees into the space of both towers.
    pub(super) fn network(self) -> inverted::Plan {
        let mut plan = efficientnet::as_in_tensorflow(self.scale, self.edge);
        for (number, block) in plan.bottlenecks.iter_mut().enumerate() {
            block.name = format!("blocks.{number}");
        }
        plan
    }
}

/// What every file of this layout has.
const LANDMARK: &str = "text_encoder.text_encoder.embeddings.word_embeddings.weight";
const TEXT_TOWER: &str = "text_encoder.text_encoder.";
/// The layer of BERT's that no embedding follows from.
const POOLER: &str = "pooler.";
/// Parts outside of the blocks.
const PARTS: [(&str, &str); 6] = [
    ("image_encoder._conv_stem", "vision_model.features.0.0"),
    ("image_encoder._bn0", "vision_model.features.0.1"),
    ("image_encoder._conv_head", "vision_model.features.8.0"),
    ("image_encoder._bn1", "vision_model.features.8.1"),
    ("image_projection.projection", "vision_model.classifier.1"),
    ("text_projection.projection", "text_projection"),
];
const BLOCKS: &str = "image_encoder._blocks.";
/// What makes a block wider at its start; the first blocks have none.
const EXPANSION: &str = "._expand_conv.weight";
/// Parts of a block: of the expansion, which ours counts where it is there,
const EXPANDING: [(&str, &str); 2] = [("_expand_conv", "0"), ("_bn0", "1")];
/// and of what follows it, in order.
const FOLLOWING: [[(&str, &str); 2]; 3] = [
    [("_depthwise_conv", "0"), ("_bn1", "1")],
    [("_se_reduce", "fc1"), ("_se_expand", "fc2")],
    [("_project_conv", "0"), ("_bn2", "1")],
];

/// Tensors by our names where they have Mammo-CLIP's, all others as they are.
///
/// # Errors
/// When two tensors would have one name.
pub(super) fn translated(tensors: BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
    let before = |name: &String| {
        let root = name.strip_suffix(LANDMARK)?;
        (root.is_empty() || root.ends_with('.')).then(|| root.to_owned())
    };
    let roots: Vec<String> = tensors.keys().filter_map(before).collect();
    let ours = |name: &str| {
        let root =
            roots.iter().filter(|root| name.starts_with(&***root)).max_by_key(|r| r.len())?;
        let expands =
            |block: &str| tensors.contains_key(&format!("{root}{BLOCKS}{block}{EXPANSION}"));
        Some(format!("{root}{}", of_pair(&name[root.len()..], expands)?))
    };
    let mut out = BTreeMap::new();
    for (name, tensor) in &tensors {
        let name = ours(name).unwrap_or_else(|| name.clone());
        if out.contains_key(&name) {
            bail!("two tensors are both {}, by Mammo-CLIP's names and by others", printable(&name));
        }
        out.insert(name, tensor.clone());
    }
    Ok(out)
}

/// What a tensor of this layout is called here; `expands` says whether a block has an expansion.
fn of_pair(name: &str, expands: impl Fn(&str) -> bool) -> Option<String> {
    if let Some(rest) = name.strip_prefix(TEXT_TOWER) {
        return (!rest.starts_with(POOLER)).then(|| format!("{TEXT}{rest}"));
    }
    let Some((block, part)) = name.strip_prefix(BLOCKS).and_then(|rest| rest.split_once('.'))
    else {
        return renamed(name, &PARTS);
    };
    let first = expands(block).then_some(EXPANDING);
    let mut places = first.into_iter().chain(FOLLOWING).enumerate();
    places.find_map(|(place, parts)| {
        let part = renamed(part, &parts)?;
        Some(format!("{PREFIX}blocks.{block}.block.{place}.{part}"))
    })
}
