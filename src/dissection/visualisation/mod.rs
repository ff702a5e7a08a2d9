//! Synthetic images of units: feature visualisation (Erhan et al. 2009; Olah, Mordvintsev & Schubert,
//! "Feature Visualization", Distill 2017).
//!
//! An image that a unit responds to is searched for by gradient ascent on the image itself. It is a sum of waves
//! whose steps shrink with their frequency (`canvas`; Mordvintsev et al., "Differentiable Image
//! Parameterizations", Distill 2018), which takes the place of what is called decorrelation: neighbouring
//! pixels change together. It is grey, as mammograms are: there is one channel, and no colours to
//! decorrelate. Before each step it is turned, shifted and scaled a little (`motion`). What the
//! network sees is cut from the middle of a larger canvas, so that nothing has to be padded, and its grey
//! levels stay among those of patches.
//!
//! The activation of an image is that of its grey levels as they are published, in whole numbers.
//!
//! Everything is computed on the processor, whatever device the network was trained on: no other keeps
//! gradients by images. An image follows from the network's weights, the unit's name, the seed and the steps.

mod ascent;
mod canvas;
mod motion;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor, safetensors as files};
use rayon::prelude::*;

use self::ascent::Search;
use super::segment;
use super::{Values, tidy, write_table};
use base::artifact::{self, Fingerprint, Stamp};
use base::progress::Progress;
use base::{UnitId, counted, seed};
use config::Dissection;
use network::{Inference, Network, device};
use record::tensors;
use record::visualisation::{FORMAT, IMAGES, Image, PIXELS, Visualisation};

/// What a finished visualisation of a layer is.
pub const OUTPUTS: [&str; 2] = [IMAGES, PIXELS];
/// Images that are searched for at once: each keeps what its network did.
const TOGETHER: usize = 4;
/// Images whose activations are measured at once.
const BATCH: usize = 32;

/// What is visualised.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Name of the network.
    pub name: &'a str,
    /// The network with its kept weights, on the processor.
    pub network: &'a Network,
    /// The layer.
    pub layer: &'a str,
    /// Units, from 1, in order.
    pub units: &'a [u32],
    /// The seed of the project.
    pub seed: u64,
    /// Steps of each search.
    pub steps: u32,
}

/// Everything the images of a layer depend on.
pub fn stamp(settings: &Dissection, seed: u64, dissected: Fingerprint) -> Stamp {
    let Dissection { visualisation, visualisation_steps, .. } = settings;
    Stamp::new(FORMAT)
        .with("dissection", dissected)
        .with("settings", Fingerprint::of(&(visualisation, visualisation_steps, seed)))
        .of_settings(
            "settings",
            &serde_json::json!({
                "dissection": {
                    "visualisation": visualisation,
                    "visualisation_steps": visualisation_steps,
                },
                "seed": seed,
            }),
        )
}

/// Searches for the images that are not there yet, and writes the folder with its stamp. Each image is a file of
/// its own until then, so that a killed search goes on after the last.
///
/// # Errors
/// When the layer is unknown, the network lives on another device or a file cannot be written.
pub fn visualise(job: &Job, folder: &Path, stamp: &Stamp, progress: &dyn Progress) -> Result<()> {
    let Job { name, network, layer, units, seed, steps } = *job;
    let inputs = stamp.fingerprint();
    let path = |unit: u32| segment::path(folder, unit as usize);
    let edge = network.input();
    // What a killed search left. A damaged file, or one of another unit, is no loss: it is made again.
    let mut made: BTreeMap<u32, Option<Vec<u8>>> = units
        .iter()
        .filter_map(|&unit| Some((unit, read_part(&path(unit), edge, &inputs)?)))
        .collect();
    let missing: Vec<u32> = units.iter().copied().filter(|unit| !made.contains_key(unit)).collect();
    let images = |count| counted(count, "synthetic image", "synthetic images");
    progress.say(&format!(
        "{name}/{layer}: searching for {} on the processor{}",
        images(missing.len()),
        if made.is_empty() { String::new() } else { format!("; {} there already", made.len()) },
    ));
    let inference = network.inference();
    let search = Search::new(&inference, layer, steps)?;
    progress.start(&format!("synthetic images of {name}/{layer}"), missing.len() as u64);
    for together in missing.chunks(TOGETHER) {
        let found = together.par_iter().map(|&unit| {
            let mut rng = seed::stream(seed, &stream(&UnitId::new(name, layer, unit)));
            let image = search.image(unit as usize - 1, &mut rng)?;
            write_part(&path(unit), image.as_deref(), edge, &inputs)?;
            progress.advance(1);
            Ok((unit, image))
        });
        made.extend(found.collect::<Result<Vec<_>>>()?);
    }
    progress.finish();
    let mut found = Vec::new();
    let mut silent = Vec::new();
    for (unit, image) in made {
        match image {
            Some(pixels) => found.push((unit, pixels)),
            None => silent.push(unit),
        }
    }
    let mut images = Vec::with_capacity(found.len());
    for batch in found.chunks(BATCH) {
        let pixels: Vec<&[u8]> = batch.iter().map(|(_, pixels)| pixels.as_slice()).collect();
        let scores = scores(&inference, layer, &pixels)?;
        images.extend(batch.iter().zip(scores).map(|((unit, _), scores)| Image {
            unit: *unit,
            activation: scores[*unit as usize - 1],
        }));
    }
    let shape = [images.len(), edge as usize, edge as usize];
    let pixels = found.into_iter().flat_map(|(_, pixels)| pixels).collect::<Vec<u8>>();
    write_table(&folder.join(PIXELS), "pixels", Values::Bytes(&pixels), &shape)?;
    let record = Visualisation {
        format: FORMAT,
        network: name.into(),
        layer: layer.into(),
        edge,
        steps,
        images,
        silent,
    };
    artifact::write_json(&folder.join(IMAGES), &record)?;
    stamp.seal(folder, &OUTPUTS, &device::provenance(network.device()))?;
    tidy(folder)
}

/// Name of the random numbers of a unit's image.
fn stream(unit: &UnitId) -> String {
    format!("visualisation/{unit}")
}

/// The greatest activation of each unit of a layer in each of some images of the network's input.
fn scores(inference: &Inference, layer: &str, images: &[&[u8]]) -> Result<Vec<Vec<f32>>> {
    let network = inference.network();
    let images = network.images(images, network.input())?;
    let maps = inference.maps(&images, &[layer])?.remove(0);
    Ok(maps.flatten_from(2)?.max(2)?.to_vec2()?)
}

/// Writes an image, or that there is none, marked with what it was made from.
fn write_part(path: &Path, image: Option<&[u8]>, edge: u32, inputs: &Fingerprint) -> Result<()> {
    let count = usize::from(image.is_some());
    let shape = (count, edge as usize, edge as usize);
    let pixels = Tensor::from_slice(image.unwrap_or_default(), shape, &Device::Cpu)?;
    let pixels = BTreeMap::from([("pixels".to_string(), pixels)]);
    tensors::write(path, &pixels, segment::mark(path, inputs))
}

/// Reads what [`write_part`] wrote from the same inputs; none where it is not there, or not whole.
fn read_part(path: &Path, edge: u32, inputs: &Fingerprint) -> Option<Option<Vec<u8>>> {
    let read = || -> Result<Option<Vec<u8>>> {
        let bytes = fs_err::read(path)?;
        tensors::check(&bytes)?;
        ensure!(segment::is_of(&bytes, path, inputs)?, "it is another's");
        let tensors = files::load_buffer(&bytes, &Device::Cpu)?;
        let pixels = tensors.get("pixels").context("no pixels in it")?;
        let (count, rows, columns) = pixels.dims3()?;
        ensure!(count < 2 && [rows, columns] == [edge as usize; 2], "it has another shape");
        Ok((count == 1).then(|| pixels.flatten_all()?.to_vec1()).transpose()?)
    };
    read().ok()
}

#[cfg(test)]
mod tests;
