//! Which architecture tensors look like, for messages.

use std::collections::{BTreeMap, BTreeSet};

use architecture::ARCHITECTURES;
use candle_core::Tensor;

use super::blueprint::first;
use super::layer;
use crate::Network;
use crate::body::landmarks;

/// Blocks per layer, whether they are bottlenecks, name.
const RESNETS: [([usize; 4], bool, &str); 7] = [
    ([1, 1, 1, 1], false, "resnet10"),
    ([2, 2, 2, 2], false, "resnet18"),
    ([3, 4, 6, 3], false, "resnet34"),
    ([3, 4, 6, 3], true, "resnet50"),
    ([3, 4, 23, 3], true, "resnet101"),
    ([3, 8, 36, 3], true, "resnet152"),
    ([3, 24, 36, 3], true, "resnet200"),
];
/// Convolutions, name.
const VGGS: [(usize, &str); 4] = [(8, "vgg11"), (10, "vgg13"), (13, "vgg16"), (16, "vgg19")];
/// Beginnings of names that only one family of networks has: for its members that cannot be built here.
const FAMILIES: [(&str, &str); 8] = [
    ("features.denseblock1.", "a DenseNet"),
    ("features.conv0.", "a DenseNet"),
    ("inception3a.", "GoogLeNet"),
    ("patch_embed.", "a vision transformer"),
    ("conv_proj.", "a vision transformer"),
    ("conv_stem.", "an EfficientNet or MobileNet under timm's names"),
    ("features.0.0.", "a MobileNet, EfficientNet or ConvNeXt"),
    ("stem.0.", "a ConvNeXt or RegNet"),
];

/// The architecture whose tensors these are, all of them and no other, but for the last layer.
fn exact(tensors: &BTreeMap<String, Tensor>) -> Option<&'static str> {
    let stem = |name: &str| tensors.contains_key(&format!("{name}.weight"));
    let candidates = ARCHITECTURES.iter().filter(|a| stem(landmarks(a.family).stem));
    let fits = |name: &str| {
        let Ok(blueprint) = Network::blueprint(name) else { return false };
        let fits = |wanted: &str| {
            let dims = tensors.get(wanted).map(Tensor::dims);
            let expected = blueprint.dims(wanted);
            match layer(wanted) == blueprint.stem {
                true => dims.and_then(<[usize]>::first) == expected.and_then(<[usize]>::first),
                false => dims == expected,
            }
        };
        let known: BTreeSet<&str> = blueprint.tensors.iter().map(|(n, _)| n.as_str()).collect();
        let end = |name: &str| blueprint.heads.iter().any(|head| first(head) == first(name));
        let all_known = || tensors.keys().all(|name| end(name) || known.contains(&**name));
        blueprint.needed().all(fits) && all_known()
    };
    candidates.map(|a| a.name).find(|name| fits(name))
}

/// The name of the architecture, or of its family.
pub(super) fn guess(tensors: &BTreeMap<String, Tensor>) -> Option<String> {
    let has = |start: &str| tensors.keys().any(|name| name.starts_with(start));
    if has("Mixed_5b.") && has("Mixed_7c.") {
        return Some("inception_v3".into());
    }
    if let Some(name) = exact(tensors) {
        return Some(name.into());
    }
    if let Some((_, family)) = FAMILIES.iter().find(|(start, _)| has(start)) {
        return Some((*family).into());
    }
    if has("layer1.0.conv1.") {
        let blocks = |layer: usize| {
            (0..).take_while(|block| has(&format!("layer{layer}.{block}.conv1."))).count()
        };
        let blocks = [blocks(1), blocks(2), blocks(3), blocks(4)];
        let bottleneck = has("layer1.0.conv3.");
        let known = RESNETS.iter().find(|(b, deep, _)| *b == blocks && *deep == bottleneck);
        let width = tensors.get("layer1.0.conv1.weight").and_then(|t| t.dims().first().copied());
        let squeezed = if has("layer1.0.se.") { " with squeeze and excitation" } else { "" };
        return Some(match known {
            Some((.., name)) if width == Some(64) => format!("{name}{squeezed}"),
            Some((.., name)) => format!("a variant of {name} of another width{squeezed}"),
            None => format!("a ResNet with {blocks:?} blocks{squeezed}"),
        });
    }
    let first = tensors.get("features.0.weight")?;
    let convolutions = tensors
        .iter()
        .filter(|(name, tensor)| name.starts_with("features.") && tensor.dims().len() == 4)
        .count();
    match first.dims() {
        [64, 3, 11, 11] if convolutions == 5 => Some("alexnet".into()),
        [64, 3, 3, 3] => {
            let (_, name) = VGGS.iter().find(|(count, _)| *count == convolutions)?;
            let normalised = has("features.1.running_mean");
            Some(format!("{name}{}", if normalised { " with batch normalisation" } else { "" }))
        }
        _ => None,
    }
}
