//! Whether tensors are those of a network: all of them, or a message that lists what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use candle_core::Tensor;

use super::guess::guess;
use super::is_auxiliary;
use super::pickle::printable;

/// Ending of the buffer that counts the batches seen; old checkpoints lack it.
const COUNTER: &str = "num_batches_tracked";
/// Problems that a message lists; the rest is counted.
const SHOWN: usize = 12;

/// How much of a network the tensors must bring.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'a> {
    /// Everything, to be used as it is.
    Whole,
    /// What comes before the last layers, the network's `heads`, which may be absent or have another
    /// shape. All fully connected layers may be absent together: a trunk.
    Trunk {
        /// The last layers' names.
        heads: &'a [&'a str],
    },
}

/// A tensor that a network expects.
pub(crate) struct Expected<'a> {
    pub(crate) name: &'a str,
    pub(crate) dims: &'a [usize],
}

/// Pairs each expected tensor with the one to take: `None` where the network keeps its own. Of the
/// part named `optional` all tensors may be absent together.
///
/// # Errors
/// When a tensor is missing, unknown or of another shape; lists them, and says what the file looks
/// like.
pub(crate) fn fit<'t>(
    network: &str,
    expected: &[Expected],
    tensors: &'t BTreeMap<String, Tensor>,
    scope: Scope,
    optional: Option<&str>,
) -> Result<Vec<Option<&'t Tensor>>> {
    // Fully connected layers are those with a matrix; a convolution has four dimensions.
    let connected: Vec<&str> = expected
        .iter()
        .filter(|e| e.dims.len() == 2 && !is_auxiliary(e.name))
        .map(|e| layer(e.name))
        .collect();
    let is_connected = |name: &str| connected.contains(&layer(name));
    let bare = !expected.iter().any(|e| is_connected(e.name) && tensors.contains_key(e.name));
    let may_differ = |name: &str| match scope {
        Scope::Whole => false,
        Scope::Trunk { heads } => {
            heads.contains(&layer(name)) || (bare && (is_connected(name) || is_auxiliary(name)))
        }
    };
    let of_part =
        |name: &str, part: &str| name.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'));
    let absent = optional.filter(|part| !tensors.keys().any(|name| of_part(name, part)));
    let may_lack =
        |name: &str| name.ends_with(COUNTER) || absent.is_some_and(|part| of_part(name, part));

    let mut problems = Vec::new();
    let mut taken: Vec<Option<&Tensor>> = Vec::with_capacity(expected.len());
    for Expected { name, dims } in expected {
        let found = tensors.get(*name);
        let fits = found.filter(|tensor| tensor.dims() == *dims);
        taken.push(fits);
        if fits.is_some() || may_differ(name) {
            continue;
        }
        match found {
            Some(tensor) => problems.push(format!(
                "{name} has the shape {:?} where {dims:?} is expected",
                tensor.dims()
            )),
            None if may_lack(name) => {}
            None => problems.push(format!("{name} is missing")),
        }
    }
    let known: BTreeSet<&str> = expected.iter().map(|e| e.name).collect();
    let unknown = tensors.keys().filter(|name| !known.contains(name.as_str()));
    problems.extend(unknown.map(|name| format!("{} is unknown", printable(name))));

    if !problems.is_empty() {
        let advice = advice(network, expected, tensors, &taken, scope);
        let rest = problems.len().saturating_sub(SHOWN);
        problems.truncate(SHOWN);
        let more = if rest > 0 { format!("\n  and {rest} more") } else { String::new() };
        bail!("the tensors are not those of {network}{advice}:\n  {}{more}", problems.join("\n  "));
    }
    // A layer that may differ is taken whole or not at all.
    let incomplete: BTreeSet<&str> = expected
        .iter()
        .zip(&taken)
        .filter(|(e, tensor)| tensor.is_none() && may_differ(e.name))
        .map(|(e, _)| layer(e.name))
        .collect();
    let keep: Vec<bool> = expected.iter().map(|e| !incomplete.contains(layer(e.name))).collect();
    Ok(taken.into_iter().zip(keep).map(|(tensor, keep)| tensor.filter(|_| keep)).collect())
}

/// The layer that a tensor belongs to.
fn layer(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(layer, _)| layer)
}

/// What is probably the matter, as the end of a sentence.
fn advice(
    network: &str,
    expected: &[Expected],
    tensors: &BTreeMap<String, Tensor>,
    taken: &[Option<&Tensor>],
    scope: Scope,
) -> String {
    if tensors.keys().any(|name| name.starts_with("momentum.")) {
        return "; this is a checkpoint of an unfinished training: use the weights.safetensors \
                beside it"
            .into();
    }
    if let Some(looks) = guess(tensors).filter(|looks| looks != network) {
        return format!("; this looks like {looks}");
    }
    if matches!(scope, Scope::Trunk { .. }) {
        return String::new();
    }
    // The last matrix is the last layer's.
    let head =
        expected.iter().zip(taken).rfind(|(e, _)| e.dims.len() == 2 && !is_auxiliary(e.name));
    if let Some((head, None)) = head
        && let Some(found) = tensors.get(head.name).and_then(|tensor| tensor.dims().first())
    {
        let imagenet = if *found == 1000 { " (ImageNet's)" } else { "" };
        return format!(
            "; the file tells {found} classes{imagenet} apart and this network {}: `training: false` \
             uses weights as they are, with their last layer; fine-tuning (`training: {{ … }}`) puts \
             a new one in its place",
            head.dims[0]
        );
    }
    if tensors.values().all(|tensor| tensor.dims().len() != 2) {
        return "; the file is a trunk, without fully connected layers: it is a start for training, \
                and cannot be used as it is"
            .into();
    }
    String::new()
}
