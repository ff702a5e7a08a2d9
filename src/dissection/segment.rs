//! What the pass leaves of one group of patches and one layer: a file of its own, so that a killed
//! pass goes on after the last one, and parts of a split can be passed by different machines.
//!
//! A segment holds every score, the activations that can still exceed a threshold with their
//! neighbours, the maps that can still rank among the top, and counts. What it drops is below bounds
//! that only rise, so the result does not depend on who wrote which segment.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor, safetensors as files};

use super::buckets::BUCKETS;
use base::artifact::{self, Fingerprint};
use record::tensors;

/// Patches of a segment; the last may have fewer.
pub(super) const GROUP: usize = 128;
/// Name of the fingerprint among a segment's metadata.
const STAMP: &str = "stamp";

/// Name of the file's own number among them: a file in another's place is not that one.
const NUMBER: &str = "number";

/// What a file of a group says of itself: what it was made from, and which of its folder it is.
pub(super) fn mark(path: &Path, stamp: &Fingerprint) -> HashMap<String, String> {
    let own = [(STAMP, stamp.to_string()), (NUMBER, number(path))];
    HashMap::from(own.map(|(name, value)| (name.to_string(), value)))
}

/// Whether a file says that it was made from the same, and for the place where it lies.
pub(super) fn is_of(bytes: &[u8], path: &Path, stamp: &Fingerprint) -> Result<bool> {
    let made_from = tensors::mark(bytes, STAMP)?;
    // Earlier versions did not say which.
    let stands = tensors::mark(bytes, NUMBER)?.is_none_or(|found| found == number(path));
    Ok(stands && made_from.is_some_and(|found| found == stamp.as_str()))
}

fn number(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Folder of a layer's segments.
pub(super) fn folder(layer: &Path) -> PathBuf {
    layer.join("parts")
}

/// Of the inputs of the segments in a layer's folder, by the first that there is; `None` where there is none.
pub(super) fn inputs(layer: &Path) -> Result<Option<Fingerprint>> {
    let parts = folder(layer);
    if !parts.is_dir() {
        return Ok(None);
    }
    for entry in fs_err::read_dir(parts)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "safetensors") {
            let bytes = fs_err::read(&path)?;
            // A damaged one says nothing, and is made again.
            if let Ok(Some(stamp)) = tensors::mark(&bytes, STAMP) {
                return Ok(Fingerprint::parse(&stamp));
            }
        }
    }
    Ok(None)
}

/// Path of a segment below a layer's folder.
pub(super) fn path(layer: &Path, number: usize) -> PathBuf {
    folder(layer).join(format!("{number:05}.safetensors"))
}

/// One group of patches at one layer. Tables by unit and patch are unit by unit.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Segment {
    pub units: usize,
    /// Patches of the group.
    pub patches: usize,
    /// Rows and columns of a map.
    pub map: [u32; 2],
    /// Greatest activation by unit and patch, and the index of its first place in the map.
    pub scores: Vec<f32>,
    pub at: Vec<u32>,
    /// How many activations are kept by unit and patch, their places in the map and their values.
    pub counts: Vec<u32>,
    pub places: Vec<u32>,
    pub values: Vec<f32>,
    /// Whole maps: unit, patch of the group, values.
    pub map_units: Vec<u32>,
    pub map_patches: Vec<u32>,
    pub maps: Vec<f32>,
    /// Counts of all activations, by unit.
    pub buckets: Vec<u32>,
    /// Activations above zero and the least one, by unit.
    pub positive: Vec<u32>,
    pub least: Vec<f32>,
    /// By unit: no activation that exceeds this was dropped.
    pub bounds: Vec<f32>,
}

impl Segment {
    /// Activations of a map.
    pub(super) fn cells(&self) -> usize {
        (self.map[0] * self.map[1]) as usize
    }

    /// Scores of a unit, patch by patch.
    pub(super) fn scores_of(&self, unit: usize) -> &[f32] {
        &self.scores[unit * self.patches..][..self.patches]
    }

    /// Calls `f` with the kept places and values of each patch of a unit; `start` is where the unit's
    /// begin, as [`Segment::starts`] says.
    pub(super) fn kept(&self, unit: usize, start: usize, mut f: impl FnMut(usize, &[u32], &[f32])) {
        let mut from = start;
        for patch in 0..self.patches {
            let count = self.counts[unit * self.patches + patch] as usize;
            f(patch, &self.places[from..][..count], &self.values[from..][..count]);
            from += count;
        }
    }

    /// Where the kept activations of each unit begin.
    pub(super) fn starts(&self) -> Vec<usize> {
        let mut at = 0;
        (0..self.units)
            .map(|unit| {
                let start = at;
                let counts = &self.counts[unit * self.patches..][..self.patches];
                at += counts.iter().map(|&count| count as usize).sum::<usize>();
                start
            })
            .collect()
    }

    /// Writes the segment, marked with what it was made from.
    pub(super) fn write(&self, path: &Path, stamp: &Fingerprint) -> Result<()> {
        let shape = [self.units as u32, self.patches as u32, self.map[0], self.map[1]];
        let floats = |values: &[f32]| Tensor::new(values, &Device::Cpu);
        let whole = |values: &[u32]| Tensor::new(values, &Device::Cpu);
        let tensors = BTreeMap::from(
            [
                ("shape", whole(&shape)?),
                ("scores", floats(&self.scores)?),
                ("at", whole(&self.at)?),
                ("counts", whole(&self.counts)?),
                ("places", whole(&self.places)?),
                ("values", floats(&self.values)?),
                ("map_units", whole(&self.map_units)?),
                ("map_patches", whole(&self.map_patches)?),
                ("maps", floats(&self.maps)?),
                ("buckets", whole(&self.buckets)?),
                ("positive", whole(&self.positive)?),
                ("least", floats(&self.least)?),
                ("bounds", floats(&self.bounds)?),
            ]
            .map(|(name, tensor)| (name.to_string(), tensor)),
        );
        tensors::write(path, &tensors, mark(path, stamp))
    }

    /// Whether there is a segment that was made from the same.
    pub(super) fn is_there(path: &Path, stamp: &Fingerprint) -> bool {
        let read = || -> Result<bool> {
            let file = std::fs::File::open(path)?;
            let bytes = artifact::map(&file)?;
            // Opening it also checks that no byte is missing.
            safetensors::SafeTensors::deserialize(&bytes)?;
            is_of(&bytes, path, stamp)
        };
        read().unwrap_or(false)
    }

    /// Reads a segment.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> {
            let bytes = fs_err::read(path)?;
            tensors::check(&bytes)?;
            let tensors = files::load_buffer(&bytes, &Device::Cpu)?;
            let tensor = |name: &str| tensors.get(name).with_context(|| format!("no {name} in it"));
            let floats = |name: &str| Ok::<_, anyhow::Error>(tensor(name)?.to_vec1::<f32>()?);
            let whole = |name: &str| Ok::<_, anyhow::Error>(tensor(name)?.to_vec1::<u32>()?);
            let shape = whole("shape")?;
            ensure!(shape.len() == 4, "a shape has four numbers");
            let segment = Self {
                units: shape[0] as usize,
                patches: shape[1] as usize,
                map: [shape[2], shape[3]],
                scores: floats("scores")?,
                at: whole("at")?,
                counts: whole("counts")?,
                places: whole("places")?,
                values: floats("values")?,
                map_units: whole("map_units")?,
                map_patches: whole("map_patches")?,
                maps: floats("maps")?,
                buckets: whole("buckets")?,
                positive: whole("positive")?,
                least: floats("least")?,
                bounds: floats("bounds")?,
            };
            let each = segment.units * segment.patches;
            let kept = segment.counts.iter().map(|&count| u64::from(count)).sum::<u64>();
            let whole_maps = segment.map_units.len();
            let cells = segment.cells();
            ensure!(
                [segment.scores.len(), segment.at.len(), segment.counts.len()] == [each; 3]
                    && [segment.positive.len(), segment.least.len(), segment.bounds.len()]
                        == [segment.units; 3]
                    && segment.buckets.len() == segment.units * BUCKETS
                    && [segment.places.len() as u64, segment.values.len() as u64] == [kept; 2]
                    && segment.map_patches.len() == whole_maps
                    && segment.maps.len() == whole_maps * cells
                    && segment.places.iter().all(|&place| (place as usize) < cells)
                    && segment.map_units.iter().all(|&unit| (unit as usize) < segment.units)
                    && segment.map_patches.iter().all(|&at| (at as usize) < segment.patches),
                "its tables do not fit together"
            );
            Ok(segment)
        };
        read().with_context(|| format!("{} is damaged; remove it and run again", path.display()))
    }
}
