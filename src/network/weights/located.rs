//! Where in a file a network lies, whatever a script has wrapped around it.
//!
//! Scripts keep a network under names of their own (`encoder.`, `model.backbone.`, a key of a
//! checkpoint, a place in a `Sequential`), twice (an average beside the weights), with a loss beside it,
//! and with a last layer of another name. One rule finds it: the names that the architecture wants are
//! looked for behind every beginning under which the file has a first convolution, and the beginning
//! under which most of them are found is the network's. What is left aside is said.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use architecture::Architecture;
use candle_core::Tensor;
use rayon::prelude::*;

use super::blueprint::{Blueprint, first};
use super::fit::{Misfit, Scope};
use super::guess::guess;
use super::pickle::printable;
use super::{Weights, check_finite, is_auxiliary, layer};

/// Beginnings that are tried.
const TRIED: usize = 32;
/// Words in the names of averages and followers of a network that is in the file too.
const AVERAGES: [&str; 8] =
    ["ema", "swa", "average", "averaged", "avg", "teacher", "target", "momentum"];
/// Beginnings of names of what only training uses.
const LOSSES: [&str; 4] = ["criterion", "loss", "metric", "objective"];
/// Names of the tensors of a layer; what has another name (a count, a weight of a loss, a queue) is a
/// buffer that some script keeps.
const OF_LAYERS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];

/// The network that a file holds, by torchvision's names.
#[derive(Debug)]
pub struct Located {
    /// Name of the architecture that was looked for.
    pub(crate) network: &'static str,
    shown: String,
    tensors: BTreeMap<String, Tensor>,
    /// Layers beside the network.
    foreign: Vec<String>,
    /// What the file holds, in words.
    has: String,
    remarks: Vec<String>,
    channels: Option<usize>,
    outputs: Option<usize>,
}

/// A way from a file's names to torchvision's.
#[derive(Debug)]
struct Way {
    prefix: String,
    /// Numbers in a `Sequential` and the network's parts that they are; without, the names are the
    /// network's own.
    children: Option<BTreeMap<u32, String>>,
    /// Needed names that are there.
    found: usize,
}

impl Way {
    /// torchvision's name, where the tensor lies on this way.
    fn name(&self, name: &str) -> Option<String> {
        let rest = name.strip_prefix(&self.prefix)?;
        let Some(children) = &self.children else { return Some(rest.to_owned()) };
        let (number, rest) = rest.split_once('.')?;
        Some(format!("{}.{rest}", children.get(&number.parse().ok()?)?))
    }

    fn is_average(&self) -> bool {
        let lower = self.prefix.to_lowercase();
        lower.split(['.', '_']).any(|word| AVERAGES.contains(&word)) || lower.contains("encoder_k.")
    }

    /// How a message shows it.
    fn shown(&self) -> String {
        match self.prefix.is_empty() {
            true => "without a prefix".to_owned(),
            false => format!("under `{}`", printable(&self.prefix)),
        }
    }
}

impl Weights {
    /// Finds a network in the file.
    ///
    /// # Errors
    /// When the file holds it more than once, an object where a tensor should be, or values that are
    /// not finite.
    pub(crate) fn of(self, blueprint: &Blueprint) -> Result<Located> {
        let Weights { shown, tensors, objects } = self;
        if tensors.keys().any(|name| name.starts_with("momentum.")) {
            bail!(
                "{shown} is a checkpoint of an unfinished training: use the weights.safetensors \
                 beside it"
            );
        }
        let ways = ways(blueprint, &tensors);
        let most = ways.iter().map(|way| way.found).max().unwrap_or(0);
        let (equal, others): (Vec<Way>, Vec<Way>) =
            ways.into_iter().partition(|way| way.found == most);
        let (averages, mut plain): (Vec<Way>, Vec<Way>) =
            equal.into_iter().partition(Way::is_average);
        let mut twins = Vec::new();
        match (plain.len(), averages.len()) {
            (0, _) => plain = averages,
            _ => twins = averages,
        }
        if let [a, b, ..] = plain.as_slice() {
            bail!(
                "{shown} holds {} more than once, {} and {}: which is meant? Keep the tensors of \
                 one of them, and save them by torch.save",
                blueprint.network,
                a.shown(),
                b.shown()
            );
        }
        let way = plain.pop().unwrap_or(Way { prefix: String::new(), children: None, found: 0 });
        // Less complete copies are averages too, where they are called so.
        twins.extend(others.into_iter().filter(Way::is_average));
        let found = way.found * 2 > blueprint.needed().count();
        Search { blueprint, way, twins, found }.located(shown, tensors, &objects)
    }
}

/// The ways to a network that a file's first convolutions suggest.
fn ways(blueprint: &Blueprint, tensors: &BTreeMap<String, Tensor>) -> Vec<Way> {
    let stem = format!("{}.weight", blueprint.stem);
    let wanted = blueprint.dims(&stem).unwrap_or_default();
    let alike = |dims: &[usize]| {
        dims.len() == wanted.len() && dims[0] == wanted[0] && dims[2..] == wanted[2..]
    };
    let inner = &stem[first(&stem).len()..];
    let mut tried: BTreeSet<(String, bool)> = BTreeSet::new();
    for (name, _) in tensors.iter().filter(|(_, t)| t.dims().len() > 2 && alike(t.dims())) {
        let before = |end: &str| {
            let start = name.strip_suffix(end)?;
            (start.is_empty() || start.ends_with('.')).then(|| start.to_owned())
        };
        if let Some(prefix) = before(&stem) {
            tried.insert((prefix, false));
        }
        if let Some(place) = name.strip_suffix(inner) {
            let number = place.rsplit('.').next().unwrap_or(place);
            if number.parse::<u32>().is_ok() {
                tried.insert((place[..place.len() - number.len()].to_owned(), true));
            }
        }
        if tried.len() >= TRIED {
            break;
        }
    }
    let needed: Vec<&str> = blueprint.needed().collect();
    let way = |(prefix, numbered): (String, bool)| {
        let children = match numbered {
            true => Some(children(blueprint, tensors, &prefix)?),
            false => None,
        };
        let mut way = Way { prefix, children, found: 0 };
        let names: BTreeSet<String> =
            below(tensors, &way.prefix).flat_map(|n| way.name(n)).collect();
        way.found = needed.iter().filter(|name| names.contains(**name)).count();
        Some(way)
    };
    tried.into_iter().filter_map(way).filter(|way| way.found > 0).collect()
}

/// Names with a beginning.
fn below<'t>(
    tensors: &'t BTreeMap<String, Tensor>,
    prefix: &str,
) -> impl Iterator<Item = &'t String> {
    let prefix = prefix.to_owned();
    let names = tensors.range(prefix.clone()..).map(|(name, _)| name);
    names.take_while(move |name| name.starts_with(&prefix))
}

/// What the numbers in a `Sequential` are: a network's parts keep their order there, and those without
/// tensors have no number. The last part may be absent, and the optional one.
fn children(
    blueprint: &Blueprint,
    tensors: &BTreeMap<String, Tensor>,
    prefix: &str,
) -> Option<BTreeMap<u32, String>> {
    let numbers: BTreeSet<u32> = below(tensors, prefix)
        .filter_map(|name| first(&name[prefix.len()..]).parse().ok())
        .collect();
    let all = blueprint.children();
    let whole: Vec<&str> =
        all.iter().copied().filter(|child| blueprint.optional != Some(*child)).collect();
    let choices = [&all[..], &whole[..], &all[..all.len() - 1], &whole[..whole.len() - 1]];
    let children = choices.into_iter().find(|choice| choice.len() == numbers.len())?;
    Some(numbers.into_iter().zip(children.iter().map(|&child| child.to_owned())).collect())
}

struct Search<'b> {
    blueprint: &'b Blueprint,
    way: Way,
    twins: Vec<Way>,
    /// Whether the network is there at all.
    found: bool,
}

impl Search<'_> {
    fn located(
        &self,
        shown: String,
        all: BTreeMap<String, Tensor>,
        objects: &BTreeMap<String, String>,
    ) -> Result<Located> {
        let children: BTreeSet<&str> = self.blueprint.children().into_iter().collect();
        let own_name =
            |name: &str| self.way.name(name).filter(|name| children.contains(first(name)));
        for (name, what) in objects {
            if own_name(name).is_some() {
                bail!(
                    "{shown}: {} is {what} where a tensor is expected; nothing in the file was \
                     executed",
                    printable(name)
                );
            }
        }
        let looks = looks(&all, self.found.then_some(self.way.prefix.as_str()));
        let (mut tensors, mut beside) = (BTreeMap::new(), BTreeMap::new());
        let count = all.len();
        let listed = listed(&all);
        for (name, tensor) in all {
            match own_name(&name) {
                Some(own) => tensors.insert(own, tensor),
                None => beside.insert(name, tensor),
            };
        }
        let mut remarks = Vec::new();
        let copied = |name: &str| self.twins.iter().any(|twin| name.starts_with(&twin.prefix));
        beside.retain(|name, _| !copied(name));
        for twin in &self.twins {
            remarks.push(format!(
                "the copy of the network {} (an average of weights, by its name) is not used",
                twin.shown()
            ));
        }
        if self.found {
            remarks.extend(self.take_head(&mut tensors, &mut beside));
        }
        let network = self.blueprint.network;
        let registers = |name: &&String| name.ends_with("register_tokens");
        if let Some(name) = beside.keys().find(registers)
            && Architecture::find(network).is_ok_and(|known| !known.is_trained_whole())
        {
            bail!(
                "{shown} has register tokens ({}), which take part in every block and which {network} has not; use \
                 the weights without registers",
                printable(name)
            );
        }
        let (foreign, kept) = sorted(beside);
        if !kept.is_empty() {
            remarks.push(format!(
                "not part of the network, and not used: {}",
                some(&kept.iter().map(|name| printable(name)).collect::<Vec<_>>())
            ));
        }
        let tensor = |layer: &str| tensors.get(&format!("{layer}.weight"));
        let channels = tensor(self.blueprint.stem).and_then(|t| t.dims().get(1).copied());
        let head = self.blueprint.heads.first().and_then(|head| tensor(head));
        let outputs = head.filter(|t| t.dims().len() == 2).map(|t| t.dims()[0]);
        let has = match (&looks, self.found) {
            (None, false) => format!("{count} tensors: {listed}"),
            (None, true) => self.described(network, channels, outputs),
            (Some(looks), _) => self.described(looks, channels, outputs),
        };
        let bad = tensors.par_iter().find_map_first(|(name, t)| check_finite(name, t).err());
        if let Some(bad) = bad {
            return Err(bad.context(format!("{shown} cannot be used")));
        }
        Ok(Located { network, shown, tensors, foreign, has, remarks, channels, outputs })
    }

    /// The one linear layer that takes the network's features and has another name than its last layer
    /// is its last layer.
    fn take_head(
        &self,
        tensors: &mut BTreeMap<String, Tensor>,
        beside: &mut BTreeMap<String, Tensor>,
    ) -> Option<String> {
        let head = *self.blueprint.heads.first()?;
        let (weight, bias) = (format!("{head}.weight"), format!("{head}.bias"));
        if !self.blueprint.adopts || tensors.contains_key(&weight) {
            return None;
        }
        let features = *self.blueprint.dims(&weight)?.get(1)?;
        let known: BTreeSet<&str> =
            self.blueprint.tensors.iter().map(|(name, _)| name.as_str()).collect();
        let left = tensors
            .iter()
            .filter(|(name, _)| !known.contains(name.as_str()) && !is_auxiliary(name))
            .chain(beside.iter().filter(|(name, _)| !is_of_loss(name)))
            .filter(|(name, t)| is_of_layer(name) && t.dtype().is_float());
        // Batch normalisation in a head has four tensors without a matrix among them: each counts.
        let layers: BTreeSet<&str> = left.clone().map(|(name, _)| layer(name)).collect();
        let [only] = layers.into_iter().collect::<Vec<_>>()[..] else { return None };
        let only = only.to_owned();
        let named = |end: &str| format!("{only}.{end}");
        let mut taken: BTreeMap<String, Tensor> =
            left.map(|(name, tensor)| (name.clone(), tensor.clone())).collect();
        if taken.len() != 2 {
            return None;
        }
        let (found, shift) = (taken.remove(&named("weight"))?, taken.remove(&named("bias"))?);
        let &[outputs, inputs] = found.dims() else { return None };
        if inputs != features || shift.dims() != [outputs] {
            return None;
        }
        for name in [named("weight"), named("bias")] {
            tensors.remove(&name);
            beside.remove(&name);
        }
        tensors.insert(weight, found);
        tensors.insert(bias, shift);
        Some(format!("the last layer is {}", printable(&only)))
    }

    /// `a resnet18 under `model.`, for one grey channel, with 3 outputs`.
    fn described(&self, what: &str, channels: Option<usize>, outputs: Option<usize>) -> String {
        let mut words = what.to_owned();
        if self.found && !self.way.prefix.is_empty() {
            words += &format!(" {}", self.way.shown());
        }
        match channels {
            Some(1) => words += " for grey images",
            Some(3) | None => {}
            Some(count) => words += &format!(" for images of {count} channels"),
        }
        match outputs {
            Some(1) => words += " with 1 output",
            Some(1000) => words += " with 1000 outputs (ImageNet's classes)",
            Some(count) => words += &format!(" with {count} outputs"),
            None if self.found => words += " without its last layer",
            None => {}
        }
        words
    }
}

/// Layers, and buffers with what only losses and metrics have.
fn sorted(beside: BTreeMap<String, Tensor>) -> (Vec<String>, Vec<String>) {
    let foreign = |name: &str| is_of_layer(name) && !is_of_loss(name);
    beside.into_keys().partition(|name| foreign(name))
}

fn is_of_layer(name: &str) -> bool {
    OF_LAYERS.contains(&name.rsplit('.').next().unwrap_or(name)) && name.contains('.')
}

fn is_of_loss(name: &str) -> bool {
    name.split('.').any(|part| {
        let part = part.to_lowercase();
        part.split('_').any(|word| LOSSES.iter().any(|loss| word.starts_with(loss)))
    })
}

/// Which architecture tensors look like, under whatever beginning.
fn looks(tensors: &BTreeMap<String, Tensor>, prefix: Option<&str>) -> Option<String> {
    let under = |prefix: &str| -> BTreeMap<String, Tensor> {
        below(tensors, prefix)
            .map(|name| (name[prefix.len()..].to_owned(), tensors[name].clone()))
            .collect()
    };
    if let Some(prefix) = prefix {
        return guess(&under(prefix));
    }
    // Beginnings that most names have, from the shortest on.
    let mut prefix = String::new();
    loop {
        if let Some(looks) = guess(&under(&prefix)) {
            return Some(looks);
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for name in below(tensors, &prefix) {
            *counts.entry(first(&name[prefix.len()..])).or_default() += 1;
        }
        let (most, count) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        if count * 2 < tensors.len() {
            return None;
        }
        prefix = format!("{prefix}{most}.");
    }
}

/// The first few tensors with their shapes.
fn listed(tensors: &BTreeMap<String, Tensor>) -> String {
    let shown = |(name, t): (&String, &Tensor)| format!("{} {:?}", printable(name), t.dims());
    let first: Vec<String> = tensors.iter().take(4).map(shown).collect();
    first.join(", ") + if tensors.len() > first.len() { ", …" } else { "" }
}

fn some(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        rest => format!("{shown} and {rest} more"),
    }
}

impl Located {
    /// The tensors by torchvision's names.
    pub fn tensors(&self) -> &BTreeMap<String, Tensor> {
        &self.tensors
    }

    /// Channels that the first convolution takes; `None` when it is not there.
    pub fn channels(&self) -> Option<usize> {
        self.channels
    }

    /// How many outputs the last layer has. `None` when the file holds no last layer.
    pub fn outputs(&self) -> Option<usize> {
        self.outputs
    }

    /// What a user should know of how the file was read, a sentence each, without its name.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The file's name, for messages.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Layers that lie beside the network and would be left out.
    pub(crate) fn foreign(&self, scope: Scope<'_>) -> Result<(), Misfit> {
        let problems = self.foreign.iter().map(|name| format!("{} is unknown", printable(name)));
        match scope {
            Scope::Whole if !self.foreign.is_empty() => Err(Misfit(problems.collect())),
            _ => Ok(()),
        }
    }

    /// What the file has and what is expected instead.
    pub(crate) fn mismatch(&self, outputs: usize, channels: usize, scope: Scope<'_>) -> String {
        let mut words = format!("{} holds {}", self.shown, self.has);
        words += &format!(", and {}", self.network);
        if channels == 1 {
            words += " for grey images";
        }
        if matches!(scope, Scope::Trunk { .. }) {
            return words + " is expected";
        }
        words += &match outputs {
            1 => " with 1 output is expected".to_owned(),
            count => format!(" with {count} outputs is expected"),
        };
        if !self.has.starts_with(self.network) {
            return words;
        }
        words += match self.outputs {
            None => {
                "; without a last layer it is a trunk: a start for training, that cannot be used as \
                 it is"
            }
            Some(found) if found != outputs => {
                "; `training: false` uses a last layer as it is, and `outputs` says what its outputs \
                 stand for; fine-tuning (`training: { … }`) puts a new one in its place"
            }
            Some(_) => "",
        };
        words
    }
}
