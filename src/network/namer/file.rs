//! A pair in a weight file, whatever a script has wrapped around it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use candle_core::{DType, Tensor};
use rayon::prelude::*;

use super::plan::{Image, Plan, TEXT};
use super::{bert, mammo_clip, open_clip};
use crate::tower::names::TOKENS;
use crate::weights::{Expected, Misfit, Scope, Weights, check_finite, fit, printable};

/// The logarithm of what cosines are multiplied by.
const SCALE: &str = "logit_scale";
/// What belongs to neither tower.
const PROJECTIONS: [&str; 2] = ["visual_projection", "text_projection"];

/// What every text tower has, in one of these two names.
const LANDMARKS: [&str; 2] = [TOKENS, bert::TOKENS];

/// What a file holds of a pair, by Hugging Face's names.
#[derive(Debug)]
pub(super) struct File {
    /// The file's name, for messages.
    pub(super) shown: String,
    /// Of both towers and the projections.
    tensors: BTreeMap<String, Tensor>,
    /// What cosines are multiplied by.
    pub(super) scale: f32,
}

impl File {
    /// Reads the pair of a kind of this name and plan.
    ///
    /// # Errors
    /// When the file cannot be read, or holds no such pair, more than one, or values that are not finite.
    pub(super) fn read(path: &Path, kind: &str, plan: &Plan) -> Result<File> {
        let weights = Weights::read(path)?;
        let shown = path.display().to_string();
        let all = open_clip::translated(weights.tensors())
            .and_then(mammo_clip::translated)
            .with_context(|| format!("{shown} cannot be used"))?;
        let (count, root) = (all.len(), root(&shown, kind, &all)?);
        let scale = all.get(&format!("{root}{SCALE}"));
        let scale = scale.map(|scale| scale_of(&shown, scale)).transpose()?;
        let image = plan.image.prefix();
        let of_pair = |name: &str| {
            let mut prefixes = [image, TEXT].into_iter();
            prefixes.any(|prefix| name.starts_with(prefix))
                || PROJECTIONS.iter().any(|part| is_of(name, part))
        };
        let own = all.into_iter().filter_map(|(name, tensor)| {
            let name = name.strip_prefix(&*root)?;
            of_pair(name).then(|| (name.to_owned(), tensor))
        });
        let tensors: BTreeMap<String, Tensor> = own.collect();
        if !tensors.keys().any(|name| name.starts_with(image)) {
            bail!(
                "{shown} holds a text tower and no image tower; {kind} is a pair of both: use the file with both, not \
                 that of a text tower alone"
            );
        }
        if let Err(misfit) = fits(plan, &tensors)? {
            let misfit = anyhow::Error::new(misfit);
            return Err(match looks(kind, &tensors)? {
                Some(other) => misfit.context(format!(
                    "{shown} holds the weights of {other}, and {kind} is expected: name it so, or use the weights of \
                     {kind}"
                )),
                None => misfit.context(format!(
                    "{shown} holds a pair of an image and a text tower among its {count} tensors that is not {kind}"
                )),
            });
        }
        let bad = tensors.par_iter().find_map_first(|(name, t)| check_finite(name, t).err());
        if let Some(bad) = bad {
            return Err(bad.context(format!("{shown} cannot be used")));
        }
        let scale = scale.with_context(|| {
            format!(
                "{shown} has no {SCALE}, by which cosines become logits: use the whole model's file as it was \
                 published"
            )
        })?;
        Ok(File { shown, tensors, scale })
    }

    /// Its tensors under a prefix, without it.
    pub(super) fn under(&self, prefix: &str) -> BTreeMap<String, Tensor> {
        let stripped = |(name, tensor): (&String, &Tensor)| {
            Some((name.strip_prefix(prefix)?.to_owned(), tensor.clone()))
        };
        self.tensors.iter().filter_map(stripped).collect()
    }

    /// Its tensors of neither tower.
    pub(super) fn joint(&self) -> BTreeMap<String, Tensor> {
        let joint = |name: &&String| PROJECTIONS.iter().any(|part| is_of(name, part));
        let all = self.tensors.iter().filter(|(name, _)| joint(name));
        all.map(|(name, tensor)| (name.clone(), tensor.clone())).collect()
    }
}

/// Whether a tensor belongs to a part.
pub(super) fn is_of(name: &str, part: &str) -> bool {
    name.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'))
}

/// What stands before all names of the pair.
fn root(shown: &str, kind: &str, tensors: &BTreeMap<String, Tensor>) -> Result<String> {
    let before = |name: &String| {
        let tower = LANDMARKS.iter().find_map(|tokens| name.strip_suffix(tokens))?;
        let root = tower.strip_suffix(TEXT)?;
        (root.is_empty() || root.ends_with('.')).then(|| root.to_owned())
    };
    let roots: Vec<String> = tensors.keys().filter_map(before).collect();
    match roots.as_slice() {
        [root] => Ok(root.clone()),
        [] => {
            let some: Vec<String> = tensors.keys().take(3).map(|name| printable(name)).collect();
            let more = if tensors.len() > some.len() { ", …" } else { "" };
            bail!(
                "{shown} holds no text tower, among {} tensors: {}{more}; {kind} is a pair of an image and a text \
                 tower, in Hugging Face's layout, OpenCLIP's or Mammo-CLIP's: use the file with both, not that of an \
                 image tower alone",
                tensors.len(),
                some.join(", ")
            )
        }
        [a, b, ..] => {
            let under = |root: &str| match root.is_empty() {
                true => "without a prefix".to_owned(),
                false => format!("under `{}`", printable(root)),
            };
            bail!(
                "{shown} holds more than one pair of towers, {} and {}: which is meant? Keep the tensors of one of \
                 them, and save them by torch.save",
                under(a),
                under(b)
            )
        }
    }
}

/// What cosines are multiplied by, of its logarithm.
fn scale_of(shown: &str, tensor: &Tensor) -> Result<f32> {
    let values: Vec<f32> = match tensor.elem_count() {
        1 => tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?,
        _ => vec![],
    };
    match values.as_slice() {
        [scale] if scale.exp().is_finite() => Ok(scale.exp()),
        _ => bail!(
            "{shown} cannot be used: {SCALE} has the shape {:?} where one number is expected, at most 88",
            tensor.dims()
        ),
    }
}

/// Whether tensors are a plan's, but for those of MobileCLIP's image tower, which knows its own ([`super::mobile`]).
fn fits(plan: &Plan, tensors: &BTreeMap<String, Tensor>) -> Result<Result<(), Misfit>> {
    let wanted = plan.wanted()?;
    let expected: Vec<Expected> =
        wanted.iter().map(|(name, dims)| Expected { name, dims }).collect();
    let mut others = tensors.clone();
    if matches!(plan.image, Image::Mobile(_)) {
        others.retain(|name, _| !name.starts_with(plan.image.prefix()));
    }
    let found = fit(&expected, &others, Scope::Whole, None);
    Ok(found.map(|_| ()))
}

/// Another kind whose tensors these are.
pub(super) fn looks(
    kind: &str,
    tensors: &BTreeMap<String, Tensor>,
) -> Result<Option<&'static str>> {
    for other in architecture::namer::NAMERS {
        if other.name != kind
            && let Some(plan) = Plan::of(other.name)
            && !matches!(plan.image, Image::Mobile(_))
            && fits(&plan, tensors)?.is_ok()
        {
            return Ok(Some(other.name));
        }
    }
    Ok(None)
}
