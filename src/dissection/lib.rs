//! Network Dissection (Bau et al. 2017; the paper's section 2.3): what each unit of a layer responds
//! to.
//!
//! One pass over a split shows every patch to the network once and leaves `segment`s, by groups
//! of patches; `finish` puts them together. A killed pass goes on after its last segment, and the
//! segments of one split may come from several machines.

mod activations;
mod agreement;
mod bits;
mod buckets;
mod concepts;
mod finish;
mod groups;
mod influence;
mod largest;
mod layout;
mod overlay;
mod ranks;
mod region;
mod segment;
pub mod similar;
mod upsample;
pub mod visualisation;
mod watch;

pub use self::activations::Activations;
pub use self::concepts::in_patch;
pub use self::region::Regions;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Result, bail, ensure};
use candle_core::{Device, Tensor};
use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

use self::concepts::Concepts;
use self::influence::Sample;
use self::segment::{GROUP, Segment};
use self::watch::Watch;
use base::Field;
use base::artifact::{self, Fingerprint, Stamp};
use base::progress::Progress;
use config::Dissection;
use record::dissection::{FORMAT, Layer, MAPS, SCORES, UNITS};
use record::{Manifest, Store};

/// Patches per forward pass; a group is a whole number of them.
const BATCH: usize = 32;
/// What a dissection reads.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Name of the network.
    pub name: &'a str,
    /// Where its activations come from.
    pub activations: Activations<'a>,
    /// Digest of its weights, or of what was recorded.
    pub weights_blake3: &'a str,
    /// The prepared data set.
    pub manifest: &'a Manifest,
    /// Its pixels.
    pub store: &'a Store,
    /// How to dissect.
    pub settings: &'a Dissection,
}

/// One of `of` parts of a split, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl Shard {
    /// The whole split.
    pub const ALL: Shard = Shard { number: 1, of: 1 };

    /// Its part of `count` groups.
    fn groups(self, count: usize) -> std::ops::Range<usize> {
        // Wide enough for any product of the two.
        let edge = |number: usize| (count as u128 * number as u128 / self.of as u128) as usize;
        edge(self.number - 1)..edge(self.number)
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (number, of) = text.split_once('/')?;
            Some(Shard { number: number.parse().ok()?, of: of.parse().ok()? })
        };
        match read() {
            Some(shard) if (1..=shard.of).contains(&shard.number) => Ok(shard),
            _ => Err("expected I/N, such as 2/8".into()),
        }
    }
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
        .of_settings("settings", &serde_json::json!({ "dissection": settings }))
}

/// What a finished dissection of a layer is.
pub const OUTPUTS: [&str; 3] = [UNITS, MAPS, SCORES];

/// A layer to dissect: its name, its folder and the stamp of its results.
pub type Target<'a> = (&'a str, &'a Path, &'a Stamp);

/// Shows a part of the split to the network, each patch once for all layers, and leaves the segments
/// that are not there yet.
///
/// # Errors
/// When a layer is unknown, the split has no patch, the device fails, an activation is not finite or
/// a file cannot be written.
pub fn probe(job: &Job, layers: &[Target], shard: Shard, progress: &dyn Progress) -> Result<()> {
    let Job { store, activations, settings, .. } = *job;
    let patches = shown(job)?;
    activations.check(store, settings.split, &patches)?;
    let names: Vec<&str> = layers.iter().map(|(name, ..)| *name).collect();
    let groups = shard.groups(patches.len().div_ceil(GROUP));
    let there = |number: usize| {
        layers.iter().all(|(_, folder, stamp)| {
            Segment::is_there(&segment::path(folder, number), &stamp.fingerprint())
        })
    };
    let size = |number: usize| patches.len().min((number + 1) * GROUP) - number * GROUP;
    let missing: BTreeSet<usize> = groups.clone().filter(|&number| !there(number)).collect();
    let left: usize = missing.iter().map(|&number| size(number)).sum();
    progress.start(&format!("dissecting {} {}", job.name, names.join(", ")), left as u64);
    let last = missing.last().copied().unwrap_or(0);
    let show = activations.maps(store, &names);
    let mut passes: Option<Vec<Pass>> = None;
    for number in groups {
        let group = &patches[number * GROUP..((number + 1) * GROUP).min(patches.len())];
        let paths: Vec<_> = layers.iter().map(|(_, at, _)| segment::path(at, number)).collect();
        if !missing.contains(&number) {
            // Bounds serve the groups after it only.
            if number >= last {
                continue;
            }
            let segments = paths.iter().map(|p| Segment::read(p)).collect::<Result<Vec<_>>>()?;
            let passes = passes.get_or_insert_with(|| {
                let new = |s: &Segment| Pass::new(s.units, s.map, settings, patches.len());
                segments.iter().map(new).collect()
            });
            passes.iter_mut().zip(&segments).for_each(|(pass, segment)| pass.recall(segment));
            continue;
        }
        for batch in group.chunks(BATCH) {
            let maps = show(batch)?;
            if passes.is_none() {
                let new = |maps: &Tensor| -> Result<Pass> {
                    let (_, units, rows, columns) = maps.dims4()?;
                    Ok(Pass::new(units, [rows as u32, columns as u32], settings, patches.len()))
                };
                passes = Some(maps.iter().map(new).collect::<Result<_>>()?);
            }
            for ((pass, maps), name) in passes.iter_mut().flatten().zip(&maps).zip(&names) {
                if let Some(unit) = pass.add(maps)? {
                    bail!(
                        "unit {} of {}/{name} gives no number for a patch: the network's weights \
                         hold values that are not finite, or too large ones",
                        unit + 1,
                        job.name
                    );
                }
            }
            progress.advance(batch.len() as u64);
        }
        for ((pass, path), (_, _, stamp)) in passes.iter_mut().flatten().zip(&paths).zip(layers) {
            watch::close(&mut pass.watches, pass.map).write(path, &stamp.fingerprint())?;
        }
    }
    progress.finish();
    Ok(())
}

/// Which groups of the split nobody has shown to the network yet, of how many.
///
/// # Errors
/// When the split has no patch.
pub fn missing(job: &Job, layers: &[Target]) -> Result<(Vec<usize>, usize)> {
    let count = shown(job)?.len().div_ceil(GROUP);
    let there = |number: &usize| {
        layers.iter().all(|(_, folder, stamp)| {
            Segment::is_there(&segment::path(folder, *number), &stamp.fingerprint())
        })
    };
    Ok(((0..count).filter(|number| !there(number)).collect(), count))
}

/// Puts the segments of all parts of the split together, measures the units' influence, writes each
/// layer's folder with its stamp and removes the segments.
///
/// # Errors
/// When a segment is missing or damaged, the device fails or a file cannot be written.
pub fn merge(job: &Job, layers: &[Target], progress: &dyn Progress) -> Result<()> {
    let Job { manifest, store, activations, settings, .. } = *job;
    let patches = shown(job)?;
    let (gaps, count) = missing(job, layers)?;
    if let Some(first) = gaps.first() {
        bail!(
            "{} of the {count} groups of patches of {} are not dissected yet, the first is number \
             {}; run the shards that are missing, or `unit-atlas dissect` without `--merge`",
            gaps.len(),
            job.name,
            first + 1
        );
    }
    let concepts = Concepts::of(manifest, &patches);
    let shuffles = concepts.shuffles(settings.permutations, manifest.seed);
    let sampled = influence::sample(manifest, &patches);
    let numbers: Vec<u32> = sampled.iter().map(|&at| patches[at as usize]).collect();
    let positive: Vec<bool> =
        numbers.iter().map(|&n| manifest.patches[n as usize].positive).collect();
    let names: Vec<&str> = layers.iter().map(|(name, ..)| *name).collect();
    let contributions = influence::measure(activations, store, &names, &numbers, progress)?;
    progress.start(&format!("regions of {}", job.name), layers.len() as u64);
    for (&(layer, folder, stamp), contributions) in layers.iter().zip(contributions) {
        let edge = store.edge();
        let field = activations.field(layer, edge)?;
        let context = finish::Context {
            manifest,
            settings,
            patches: &patches,
            concepts: &concepts,
            shuffles: &shuffles,
            name: format!("{}/{layer}", job.name),
            field,
            edge,
        };
        let mut finished = finish::finish(&context, folder)?;
        let units = finished.units.len();
        let of_sample: Vec<f32> = finished
            .scores
            .chunks_exact(patches.len())
            .flat_map(|scores| sampled.iter().map(|&at| scores[at as usize]))
            .collect();
        let greatest: Vec<f32> = finished.units.iter().map(|unit| unit.score_range[1]).collect();
        let mut basis = None;
        if let Some(contributions) = contributions {
            let sample = Sample { positive: &positive, scores: &of_sample };
            let (found, influences) =
                contributions.conclude(layer, &sample, &greatest, manifest.classes())?;
            basis = Some(found);
            for (unit, influence) in finished.units.iter_mut().zip(influences) {
                unit.influence = Some(influence);
            }
        }
        let record = Layer {
            format: FORMAT,
            network: job.name.to_string(),
            layer: layer.to_string(),
            weights_blake3: job.weights_blake3.to_string(),
            split: settings.split,
            patches: patches.len() as u32,
            map: finished.map,
            field,
            threshold: settings.threshold,
            anchor: settings.anchor,
            concepts: concepts.list.clone(),
            permutations: settings.permutations,
            influence: basis,
            units: finished.units,
        };
        let [rows, columns] = finished.map.map(|n| n as usize);
        let top = settings.top.min(patches.len());
        let (maps, scores) = (Values::Floats(&finished.maps), Values::Floats(&finished.scores));
        write_table(&folder.join(MAPS), "maps", maps, &[units, top, rows, columns])?;
        write_table(&folder.join(SCORES), "scores", scores, &[units, patches.len()])?;
        artifact::write_json(&folder.join(UNITS), &record)?;
        stamp.seal(folder, &OUTPUTS, &activations.computed_on())?;
        tidy(folder)?;
        progress.advance(1);
    }
    progress.finish();
    Ok(())
}

/// The inputs of a dissection that was begun in a layer's folder and not finished; `None` where there is none.
///
/// # Errors
/// When its segments cannot be read.
pub fn unfinished(folder: &Path) -> Result<Option<Fingerprint>> {
    segment::inputs(folder)
}

/// Removes the segments of a layer that is finished.
///
/// # Errors
/// When a file cannot be removed.
pub fn tidy(folder: &Path) -> Result<()> {
    let parts = segment::folder(folder);
    if parts.is_dir() {
        fs_err::remove_dir_all(parts)?;
    }
    Ok(())
}

/// Numbers of the patches that are shown.
fn shown(job: &Job) -> Result<Vec<u32>> {
    let split = job.settings.split;
    let patches = job.manifest.of_split(split);
    ensure!(!patches.is_empty(), "nothing to dissect: the {split} split has no patch");
    Ok(patches)
}

/// What a tensor holds.
enum Values<'a> {
    Floats(&'a [f32]),
    Bytes(&'a [u8]),
}

/// Writes one tensor from where it lies: a copy of all scores may be gigabytes.
fn write_table(path: &Path, name: &str, values: Values, shape: &[usize]) -> Result<()> {
    let (kind, bytes) = match values {
        Values::Floats(values) => (Dtype::F32, bytemuck::cast_slice(values)),
        Values::Bytes(bytes) => (Dtype::U8, bytes),
    };
    let tensor = TensorView::new(kind, shape.to_vec(), bytes)?;
    artifact::write_at(path, |temporary| {
        Ok(safetensors::serialize_to_file([(name, tensor)], None, temporary)?)
    })
}

/// One layer during the pass.
struct Pass {
    map: [u32; 2],
    watches: Vec<Watch>,
}

impl Pass {
    fn new(units: usize, map: [u32; 2], settings: &Dissection, patches: usize) -> Self {
        let cells = (map[0] * map[1]) as usize;
        let watch = |_| Watch::new(settings.threshold, settings.top, patches, cells);
        Self { map, watches: (0..units).map(watch).collect() }
    }

    /// Takes the maps of a batch: `[patches, units, rows, columns]`. Returns the first unit that had
    /// an activation that is not finite.
    fn add(&mut self, maps: &Tensor) -> Result<Option<usize>> {
        let units = self.watches.len();
        let cells = (self.map[0] * self.map[1]) as usize;
        let values = maps.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?;
        let mut finite = vec![true; units];
        self.watches.par_iter_mut().zip(&mut finite).enumerate().for_each(
            |(unit, (watch, finite))| {
                for patch in values.chunks_exact(units * cells) {
                    *finite &= watch.add(&patch[unit * cells..][..cells]);
                }
            },
        );
        Ok(finite.iter().position(|finite| !finite))
    }

    /// Learns the bounds from a segment that was written before.
    fn recall(&mut self, segment: &Segment) {
        let starts = segment.starts();
        self.watches
            .par_iter_mut()
            .zip(starts)
            .enumerate()
            .for_each(|(unit, (watch, start))| watch.recall(segment, unit, start));
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
#[path = "../../tests/support/planted.rs"]
mod planted;
#[cfg(test)]
mod tests;
