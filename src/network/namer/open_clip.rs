//! OpenCLIP's layout of a pair, and OpenAI's, in Hugging Face's names: nothing else knows of it.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use candle_core::Tensor;

use crate::weights::printable;

/// What every pair of this layout has, and none of Hugging Face's, where more stands before it.
const LANDMARK: &str = "token_embedding.weight";
/// Parts outside of the blocks.
const PARTS: [(&str, &str); 9] = [
    ("visual.class_embedding", "vision_model.embeddings.class_embedding"),
    ("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight"),
    ("visual.conv1", "vision_model.embeddings.patch_embedding"),
    // Spelt so in every file of Hugging Face's.
    ("visual.ln_pre", "vision_model.pre_layrnorm"),
    ("visual.ln_post", "vision_model.post_layernorm"),
    ("token_embedding", "text_model.embeddings.token_embedding"),
    ("positional_embedding", "text_model.embeddings.position_embedding.weight"),
    ("ln_final", "text_model.final_layer_norm"),
    ("logit_scale", "logit_scale"),
];
/// Matrices that are multiplied from the other side.
const TURNED: [(&str, &str); 2] =
    [("visual.proj", "visual_projection.weight"), ("text_projection", "text_projection.weight")];
const BLOCKS: [(&str, &str); 2] = [
    ("visual.transformer.resblocks.", "vision_model.encoder.layers."),
    ("transformer.resblocks.", "text_model.encoder.layers."),
];
/// Parts of a block.
const OF_BLOCK: [(&str, &str); 5] = [
    ("ln_1", "layer_norm1"),
    ("attn.out_proj", "self_attn.out_proj"),
    ("ln_2", "layer_norm2"),
    ("mlp.c_fc", "mlp.fc1"),
    ("mlp.c_proj", "mlp.fc2"),
];
/// Query, key and value of a block, one after the other.
const TOGETHER: [(&str, &str); 2] =
    [("attn.in_proj_weight", "weight"), ("attn.in_proj_bias", "bias")];
/// What they are apart.
const APART: [&str; 3] = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
/// What lies around the text tower where it is a module of its own.
const TEXT: &str = "text.";

/// Tensors by Hugging Face's names where they have OpenCLIP's, all others as they are.
///
/// # Errors
/// When a matrix that is to be turned or cut in three is none, or two tensors would have one name.
pub(super) fn translated(tensors: &BTreeMap<String, Tensor>) -> Result<BTreeMap<String, Tensor>> {
    let before = |name: &String| {
        let root = name.strip_suffix(LANDMARK)?;
        let root = root.strip_suffix(TEXT).unwrap_or(root);
        let own = root.is_empty() || (root.ends_with('.') && !root.ends_with("embeddings."));
        own.then(|| root.to_owned())
    };
    let roots: Vec<String> = tensors.keys().filter_map(before).collect();
    let mut out: BTreeMap<String, Tensor> = BTreeMap::new();
    for (name, tensor) in tensors {
        let root = roots.iter().filter(|root| name.starts_with(&***root)).max_by_key(|r| r.len());
        let own = root.map(|root| (root, &name[root.len()..]));
        let found = match own {
            Some((root, own)) => of_pair(own.strip_prefix(TEXT).unwrap_or(own), tensor)?
                .into_iter()
                .map(|(name, tensor)| (format!("{root}{name}"), tensor))
                .collect(),
            None => vec![],
        };
        match found.is_empty() {
            true => add(&mut out, name.clone(), tensor.clone())?,
            false => {
                found.into_iter().try_for_each(|(name, tensor)| add(&mut out, name, tensor))?
            }
        }
    }
    Ok(out)
}

fn add(out: &mut BTreeMap<String, Tensor>, name: String, tensor: Tensor) -> Result<()> {
    if out.contains_key(&name) {
        bail!(
            "two tensors are both {}, in OpenCLIP's layout and in Hugging Face's",
            printable(&name)
        );
    }
    out.insert(name, tensor);
    Ok(())
}

/// What a tensor becomes; nothing where it is none of this layout's.
fn of_pair(name: &str, tensor: &Tensor) -> Result<Vec<(String, Tensor)>> {
    if let Some((_, ours)) = TURNED.iter().find(|(theirs, _)| *theirs == name) {
        if tensor.dims().len() != 2 {
            bail!("{name} has the shape {:?} where a matrix is expected", tensor.dims());
        }
        return Ok(vec![((*ours).to_owned(), tensor.t()?.contiguous()?)]);
    }
    if let Some(name) = renamed(name, &PARTS) {
        return Ok(vec![(name, tensor.clone())]);
    }
    let block = BLOCKS.iter().find_map(|(theirs, ours)| {
        let (number, part) = name.strip_prefix(theirs)?.split_once('.')?;
        Some((format!("{ours}{number}."), part))
    });
    let Some((block, part)) = block else { return Ok(vec![]) };
    if let Some((_, end)) = TOGETHER.iter().find(|(theirs, _)| *theirs == part) {
        let thirds = tensor.dims().first().copied().unwrap_or(0) / 3;
        if thirds * 3 != tensor.dims().first().copied().unwrap_or(0) || thirds == 0 {
            bail!(
                "{name} has the shape {:?} where query, key and value are expected, one after the other",
                tensor.dims()
            );
        }
        let apart = APART.iter().enumerate().map(|(at, part)| {
            let third = tensor.narrow(0, at * thirds, thirds)?.contiguous()?;
            Ok((format!("{block}{part}.{end}"), third))
        });
        return apart.collect();
    }
    Ok(renamed(part, &OF_BLOCK)
        .map(|part| (format!("{block}{part}"), tensor.clone()))
        .into_iter()
        .collect())
}

/// A name whose beginning is in a table, with the other there.
pub(super) fn renamed(name: &str, table: &[(&str, &str)]) -> Option<String> {
    table.iter().find_map(|(theirs, ours)| {
        let rest = name.strip_prefix(theirs)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| format!("{ours}{rest}"))
    })
}
