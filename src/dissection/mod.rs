//! Network Dissection (Bau et al. 2017; the paper's section 2.3): what each unit of a layer responds
//! to, in one pass over a split.

mod bits;
mod concepts;
mod largest;
mod overlay;
pub mod record;
mod tally;
mod upsample;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use candle_core::{DType, Device, Tensor};
use rayon::prelude::*;

use self::concepts::Concepts;
use self::overlay::Tracer;
use self::record::{Field, Layer, TopPatch, Unit};
use self::tally::Tally;
use self::upsample::Upsampler;
use crate::artifact::{self, Fingerprint, Stamp};
use crate::config::Dissection;
use crate::network::{self, Network};
use crate::patch::{Manifest, Store};
use crate::progress::Progress;

/// Version of the files below and of the computation behind them.
pub const FORMAT: u32 = 1;
const UNITS: &str = "units.json";
/// The activation maps of each unit's top patches: one tensor `maps`, f16, `[units, top, rows,
/// columns]`, in rank order.
const MAPS: &str = "maps.safetensors";
/// Patches per forward pass.
const BATCH: usize = 32;

/// What a dissection reads.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Name of the network.
    pub name: &'a str,
    /// The network with its kept weights.
    pub network: &'a Network,
    /// Digest of those weights.
    pub weights_blake3: &'a str,
    /// The prepared data set.
    pub manifest: &'a Manifest,
    /// Its pixels.
    pub store: &'a Store,
    /// How to dissect.
    pub settings: &'a Dissection,
}

/// Everything the result for one layer depends on.
pub fn stamp(
    settings: &Dissection,
    layer: &str,
    dataset: &Fingerprint,
    training: &Fingerprint,
    weights_blake3: &str,
) -> Stamp {
    Stamp::new(FORMAT)
        .with("dataset", dataset.clone())
        .with("training", training.clone())
        .with("weights", Fingerprint::of(&weights_blake3))
        .with("settings", Fingerprint::of(&(settings, layer)))
}

/// Dissects some layers of a network together, one forward pass per patch, and writes each layer's
/// folder with its stamp.
///
/// # Errors
/// When a layer is unknown, the split has no patch, the device fails or a file cannot be written.
pub fn dissect(job: &Job, layers: &[(&str, &Path, &Stamp)], progress: &dyn Progress) -> Result<()> {
    let Job { manifest, store, network, settings, .. } = *job;
    let patches = manifest.of_split(settings.split);
    if patches.is_empty() {
        bail!("nothing to dissect: the {} split has no patch", settings.split);
    }
    for (_, folder, _) in layers {
        Stamp::clear(folder)?;
    }
    let names: Vec<&str> = layers.iter().map(|(name, ..)| *name).collect();
    progress.start(&format!("dissecting {} {}", job.name, names.join(", ")), patches.len() as u64);
    let concepts = Concepts::of(manifest, &patches);
    let inference = network.inference();
    let mut passes: Vec<Pass> = Vec::new();
    for batch in patches.chunks(BATCH) {
        let pixels: Vec<&[u8]> = batch.iter().map(|&n| store.pixels(n)).collect();
        let images = network::images(&pixels, store.edge(), network.input(), network.device())?;
        let maps = inference.maps(&images, &names)?;
        if passes.is_empty() {
            let new = |maps| Pass::new(maps, settings, patches.len());
            passes = maps.iter().map(new).collect::<Result<_>>()?;
        }
        for (pass, maps) in passes.iter_mut().zip(&maps) {
            pass.add(maps)?;
        }
        progress.advance(batch.len() as u64);
    }
    progress.finish();
    for (&(layer, folder, stamp), pass) in layers.iter().zip(passes) {
        let field = in_patch(network.field(layer)?, network.input(), store.edge());
        let (record, maps) = pass.finish(job, layer, field, &patches, &concepts)?;
        let maps = BTreeMap::from([("maps".to_string(), maps)]);
        artifact::write_at(&folder.join(MAPS), |temporary| {
            Ok(safetensors::serialize_to_file(&maps, None, temporary)?)
        })?;
        artifact::write_json(&folder.join(UNITS), &record)?;
        stamp.write(folder)?;
    }
    Ok(())
}

/// A dissected layer, read back.
///
/// # Errors
/// When the file is missing or unreadable.
pub fn read(folder: &Path) -> Result<Layer> {
    artifact::read_json(&folder.join(UNITS))
}

/// How many units a finished folder has; `None` when it is not there or not readable.
pub fn unit_count(folder: &Path) -> Option<u32> {
    #[derive(serde::Deserialize)]
    struct Count {
        units: Vec<serde::de::IgnoredAny>,
    }
    Stamp::read(folder).ok()?;
    artifact::read_json::<Count>(&folder.join(UNITS)).ok().map(|count| count.units.len() as u32)
}

/// A field in pixels of the network's input, in pixels of the stored patch.
fn in_patch(field: Field, input: u32, edge: u32) -> Field {
    let scale = edge as f32 / input as f32;
    Field { edge: field.edge * scale, stride: field.stride * scale, centre: field.centre * scale }
}

/// One layer during the pass.
struct Pass {
    map: [u32; 2],
    tallies: Vec<Tally>,
}

impl Pass {
    fn new(maps: &Tensor, settings: &Dissection, patches: usize) -> Result<Self> {
        let (_, units, height, width) = maps.dims4()?;
        let tally = |_| Tally::new(settings.threshold, settings.top, patches, height * width);
        Ok(Self { map: [height as u32, width as u32], tallies: (0..units).map(tally).collect() })
    }

    /// Takes the maps of a batch: `[patches, units, rows, columns]`.
    fn add(&mut self, maps: &Tensor) -> Result<()> {
        let units = self.tallies.len();
        let cells = (self.map[0] * self.map[1]) as usize;
        let values = maps.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        self.tallies.par_iter_mut().enumerate().for_each(|(unit, tally)| {
            for patch in values.chunks_exact(units * cells) {
                tally.add(&patch[unit * cells..][..cells]);
            }
        });
        Ok(())
    }

    fn finish(
        self,
        job: &Job,
        layer: &str,
        field: Field,
        patches: &[u32],
        concepts: &Concepts,
    ) -> Result<(Layer, Tensor)> {
        let settings = job.settings;
        let edge = job.store.edge();
        let tracer = Tracer::new(self.map[0], field, edge);
        let pixels = Upsampler::pixels(self.map, field, edge);
        let top = settings.top.min(patches.len());
        let unit = |(i, tally): (usize, &Tally)| -> Result<(Unit, Vec<f32>)> {
            let threshold = tally.threshold();
            let (score_range, histogram) = tally.histogram();
            let mut maps = Vec::new();
            let mut shown = Vec::new();
            for position in tally.ranking(top) {
                let score = tally.scores[position as usize];
                let map = tally.map(position).context("a top patch's map was not kept")?;
                let at = [score.at / self.map[1], score.at % self.map[1]];
                maps.extend_from_slice(map);
                shown.push(TopPatch {
                    patch: patches[position as usize],
                    score: score.value,
                    at,
                    roi: roi(field, at, edge),
                    overlay: tracer.trace(map, threshold),
                });
            }
            let unit = Unit {
                unit: i as u32 + 1,
                threshold,
                ious: tally.ious(threshold, &pixels, concepts),
                histogram,
                score_range,
                top: shown,
            };
            Ok((unit, maps))
        };
        let finished: Vec<(Unit, Vec<f32>)> =
            self.tallies.par_iter().enumerate().map(unit).collect::<Result<_>>()?;
        let (units, maps): (Vec<Unit>, Vec<Vec<f32>>) = finished.into_iter().unzip();
        let [rows, columns] = self.map.map(|n| n as usize);
        let shape = (units.len(), top, rows, columns);
        let maps = Tensor::from_vec(maps.concat(), shape, &Device::Cpu)?.to_dtype(DType::F16)?;
        let record = Layer {
            format: FORMAT,
            network: job.name.to_string(),
            layer: layer.to_string(),
            weights_blake3: job.weights_blake3.to_string(),
            split: settings.split,
            patches: patches.len() as u32,
            map: self.map,
            field,
            threshold: settings.threshold,
            concepts: concepts.list.clone(),
            units,
        };
        Ok((record, maps))
    }
}

/// Receptive field of the activation at a row and column, clipped to the patch: x, y, width, height.
fn roi(field: Field, [row, column]: [u32; 2], edge: u32) -> [f32; 4] {
    let span = |cell: u32| {
        let centre = field.centre + cell as f32 * field.stride;
        let clip = |v: f32| v.clamp(0.0, edge as f32);
        let (low, high) = (clip(centre - field.edge / 2.0), clip(centre + field.edge / 2.0));
        (low, high - low)
    };
    let ((x, width), (y, height)) = (span(column), span(row));
    [x, y, width, height]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roi_is_clipped_to_the_patch() {
        let field = Field { edge: 163.0, stride: 16.0, centre: 17.5 };
        assert_eq!(roi(field, [0, 0], 227), [0.0, 0.0, 99.0, 99.0]);
        assert_eq!(roi(field, [12, 6], 227), [32.0, 128.0, 163.0, 99.0]);
    }

    #[test]
    fn a_field_grows_with_the_patch() {
        let field = Field { edge: 51.0, stride: 8.0, centre: 4.0 };
        let scaled = in_patch(field, 113, 226);
        assert_eq!((scaled.edge, scaled.stride, scaled.centre), (102.0, 16.0, 8.0));
    }
}
