//! Whether tensors are those of a network: all of them, or a list of what is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use candle_core::Tensor;

use super::blueprint::first;
use super::pickle::printable;
use super::{COUNTER, is_auxiliary, layer};

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

/// What is wrong with tensors, one line each.
#[derive(Debug)]
pub(crate) struct Misfit(pub(crate) Vec<String>);

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = &self.0[..self.0.len().min(SHOWN)];
        write!(f, "the tensors differ:\n  {}", shown.join("\n  "))?;
        match self.0.len() - shown.len() {
            0 => Ok(()),
            rest => write!(f, "\n  and {rest} more"),
        }
    }
}

impl std::error::Error for Misfit {}

/// Whether a tensor is the matrix of a fully connected layer of a network with these last layers: of the
/// part that has them, for within a trunk there are such layers at every position of a map.
pub(super) fn is_connected(name: &str, dims: &[usize], heads: &[&str]) -> bool {
    dims.len() == 2 && heads.iter().any(|head| first(head) == first(name))
}

/// Pairs each expected tensor with the one to take: `None` where the network keeps its own. Of the
/// part named `optional` all tensors may be absent together.
///
/// # Errors
/// When a tensor is missing, unknown or of another shape.
pub(crate) fn fit<'t>(
    expected: &[Expected],
    tensors: &'t BTreeMap<String, Tensor>,
    scope: Scope,
    optional: Option<&str>,
) -> Result<Vec<Option<&'t Tensor>>, Misfit> {
    let heads: &[&str] = match scope {
        Scope::Whole => &[],
        Scope::Trunk { heads } => heads,
    };
    let connected: Vec<&str> = expected
        .iter()
        .filter(|e| is_connected(e.name, e.dims, heads) && !is_auxiliary(e.name))
        .map(|e| layer(e.name))
        .collect();
    let of_connected = |name: &str| connected.contains(&layer(name));
    let bare = !expected.iter().any(|e| of_connected(e.name) && tensors.contains_key(e.name));
    let of_part =
        |name: &str, part: &str| name.strip_prefix(part).is_some_and(|rest| rest.starts_with('.'));
    let may_differ = |name: &str| match scope {
        Scope::Whole => false,
        Scope::Trunk { heads } => {
            heads.contains(&layer(name)) || (bare && (of_connected(name) || is_auxiliary(name)))
        }
    };
    // Where a last layer is replaced, so is whatever a file has in its place: more layers, say.
    let replaced = |name: &str| match scope {
        Scope::Whole => false,
        Scope::Trunk { heads } => {
            heads.iter().any(|head| of_part(name, head) || (bare && of_part(name, first(head))))
        }
    };
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
    let unknown =
        tensors.keys().filter(|name| !known.contains(name.as_str()) && !replaced(name.as_str()));
    problems.extend(unknown.map(|name| format!("{} is unknown", printable(name))));
    if !problems.is_empty() {
        return Err(Misfit(problems));
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
