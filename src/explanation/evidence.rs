//! What a network says of patches, and what each unit of a layer adds to it: by its gradients where it is run, from
//! the recording where it was recorded.

use anyhow::{Context, Result, ensure};
use candle_core::Tensor;

use super::probability_of_last;
use dissection::{Activations, Job};
use network::Network;
use record::Store;
use record::dissection::Layer;
use recording::Shown;

/// What is known of a batch of patches.
pub(super) struct Evidence<'a> {
    /// Maps of the layer, patch by patch, unit by unit.
    pub maps: Vec<f32>,
    /// Logits of the classes, patch by patch.
    pub logits: Vec<f32>,
    /// By class: what each unit adds to its logit, patch by patch.
    pub adds: Vec<Vec<f32>>,
    /// What each unit adds to the margin, patch by patch.
    pub contributions: Vec<f32>,
    /// Probability of cancer of each patch with each of some of its units silent, by patch; empty where nothing
    /// short of another pass tells.
    pub without: Without<'a>,
}

/// Silences units: some of each patch, both from 0.
type Without<'a> = Box<dyn FnOnce(&[Vec<usize>]) -> Result<Vec<Vec<f32>>> + 'a>;

/// Tells of patches by their numbers.
pub(super) type Look<'a> = Box<dyn Fn(&[u32]) -> Result<Evidence<'a>> + 'a>;

/// What tells of patches by the units of a layer.
pub(super) fn source<'a>(job: &Job<'a>, layer: &'a Layer) -> Look<'a> {
    let store = job.store;
    match job.activations {
        Activations::Run(network) => {
            let inference = network.inference();
            Box::new(move |patches| run(network, &inference, store, layer, patches))
        }
        Activations::Recorded(shown) => Box::new(move |patches| recorded(shown, layer, patches)),
    }
}

fn run<'a>(
    network: &'a Network,
    inference: &network::Inference,
    store: &Store,
    layer: &'a Layer,
    patches: &[u32],
) -> Result<Evidence<'a>> {
    let pixels: Vec<&[u8]> = patches.iter().map(|&n| store.pixels(n)).collect();
    let images = network.images(&pixels, store.edge())?;
    let found = inference.sensitivity(&images, &[&layer.layer])?;
    let classes = found.gradients.len();
    let maps = found.maps[0].clone();
    fits(&maps, layer, patches)?;
    // The margin's gradient by the maps.
    let mut gradient = found.gradients[classes - 1][0].clone();
    for others in &found.gradients[..classes - 1] {
        gradient = (gradient - (&others[0] / (classes - 1) as f64)?)?;
    }
    let summed = |gradient: &Tensor| -> Result<Vec<f32>> {
        values(&(&maps * gradient)?.flatten_from(2)?.sum(2)?)
    };
    let of_class = |gradients: &Vec<Tensor>| summed(&gradients[0]);
    Ok(Evidence {
        contributions: summed(&gradient)?,
        adds: found.gradients.iter().map(of_class).collect::<Result<_>>()?,
        logits: values(&found.logits)?,
        maps: values(&maps)?,
        without: match network.silences(&layer.layer) {
            true => Box::new(move |units| silenced(network, &layer.layer, &maps, units)),
            false => Box::new(|units| Ok(vec![Vec::new(); units.len()])),
        },
    })
}

fn recorded<'a>(shown: &Shown, layer: &Layer, patches: &[u32]) -> Result<Evidence<'a>> {
    let name = &layer.layer;
    let maps = shown.maps(name, patches)?;
    fits(&maps, layer, patches)?;
    let adds = shown
        .contributions(name, patches)?
        .with_context(|| format!("it was not recorded what the units of {name} contribute"))?;
    let adds = adds.iter().map(values).collect::<Result<Vec<_>>>()?;
    let (others, cancer) = adds.split_at(adds.len() - 1);
    let mut contributions = cancer[0].clone();
    for (at, adds) in contributions.iter_mut().enumerate() {
        *adds -= others.iter().map(|other| other[at]).sum::<f32>() / others.len() as f32;
    }
    Ok(Evidence {
        logits: values(&shown.logits(patches)?)?,
        maps: values(&maps)?,
        adds,
        contributions,
        without: Box::new(|units| Ok(vec![Vec::new(); units.len()])),
    })
}

/// Checks that maps are of the size that was dissected.
fn fits(maps: &Tensor, layer: &Layer, patches: &[u32]) -> Result<()> {
    let [rows, columns] = layer.map.map(|n| n as usize);
    ensure!(
        maps.dims() == [patches.len(), layer.units.len(), rows, columns],
        "{} was dissected at another size; run `unit-atlas dissect`",
        layer.layer
    );
    Ok(())
}

fn values(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1::<f32>()?)
}

/// Probability of cancer of patches with each of some of their units silent, by patch: the classifier runs
/// once more for each.
fn silenced(
    network: &Network,
    layer: &str,
    maps: &Tensor,
    units: &[Vec<usize>],
) -> Result<Vec<Vec<f32>>> {
    let pairs: Vec<(usize, usize)> = units
        .iter()
        .enumerate()
        .flat_map(|(at, units)| units.iter().map(move |&unit| (at, unit)))
        .collect();
    if pairs.is_empty() {
        return Ok(vec![Vec::new(); units.len()]);
    }
    let logits = network.silenced_pairs(layer, maps, &pairs)?.to_vec2::<f32>()?;
    let mut probabilities = logits.iter().map(|logits| probability_of_last(logits));
    Ok(units.iter().map(|units| probabilities.by_ref().take(units.len()).collect()).collect())
}
