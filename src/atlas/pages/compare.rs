//! Units side by side: the page, which a script fills with those that a reader asks for, and what it loads of each
//! unit: its numbers, its first patches, and what it makes of the first patches of all others.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use serde::Serialize;

use super::navigation::{Entry, Menu};
use super::page::{File, Files, Head, Page, Site, html};
use super::unit;
use crate::facts::Atlas;
use crate::facts::paths::{Link, layer_href};
use crate::keys::Keys;
use crate::script::{self, ComparedUnit};
use base::artifact::Fingerprint;
use base::{Split, UnitId};
use catalogue::concept_words;
use record::dissection::{Layer, TopPatch, Unit};

/// Patches of a unit that are compared.
const PATCHES: usize = 6;
/// Detail of their overlays that is left out, in patch pixels.
const TOLERANCE: f32 = 1.0;

/// The page.
struct Compare;

/// Data of a unit for it.
struct Data<'a> {
    layer: &'a Layer,
    unit: &'a Unit,
    compared: Arc<OnceLock<Compared>>,
}

/// Of each split, the patches that are compared, found when the first unit asks for them.
type Compared = BTreeMap<Split, Patches>;

/// The patches of a split that are among the first of any unit, in their order.
struct Patches {
    /// Their numbers in the manifest.
    numbers: Vec<u32>,
    /// The place of each among all patches of the split.
    at: Vec<usize>,
    /// Patches of the split.
    all: usize,
}

pub(super) fn files<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    let compared = Arc::new(OnceLock::new());
    let mut files: Files = vec![html(Compare)];
    for (_, layer) in atlas.layers() {
        for unit in &layer.units {
            files.push(Box::new(Data { layer, unit, compared: Arc::clone(&compared) }));
        }
    }
    files
}

impl Page for Compare {
    type View = View;
    const TEMPLATE: &'static str = "compare.html";

    fn path(&self) -> String {
        "compare/index.html".into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::under(Menu::More, 28, "Compare units")
    }

    fn view(&self, site: &Site) -> Result<View> {
        let layers = site.atlas.layers().map(|(exhibit, layer)| {
            let network = &exhibit.config.name;
            Link::new(format!("{network}/{}", layer.layer), layer_href(network, &layer.layer))
        });
        Ok(View { layers: layers.collect() })
    }

    fn head(&self, _: &Atlas, _: &View) -> Result<Head> {
        Ok(Head::new("Compare units", "Units of any network side by side, over the same patches"))
    }
}

/// What the page holds without its script.
#[derive(Serialize)]
pub(super) struct View {
    layers: Vec<Link>,
}

impl Data<'_> {
    fn id(&self) -> UnitId {
        UnitId::new(&self.layer.network, &self.layer.layer, self.unit.unit)
    }
}

impl File for Data<'_> {
    fn path(&self) -> String {
        format!("networks/{}/compare.js", self.id())
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        unit::key(atlas, keys, &self.path(), (self.layer, self.unit))
    }

    fn bytes(&self, site: &Site) -> Result<Vec<u8>> {
        let compared = self.compared.get_or_init(|| compared(site.atlas));
        script::file(&self.path(), &self.unit_data(site.atlas, compared.get(&self.layer.split)))
    }
}

/// The first patches of a unit.
fn first(unit: &Unit) -> &[TopPatch] {
    &unit.top[..unit.top.len().min(PATCHES)]
}

fn compared(atlas: &Atlas) -> Compared {
    let mut shown: BTreeMap<Split, BTreeSet<u32>> = BTreeMap::new();
    for (_, layer) in atlas.layers() {
        let numbers = layer.units.iter().flat_map(first).map(|top| top.patch);
        shown.entry(layer.split).or_default().extend(numbers);
    }
    let manifest = atlas.inputs.manifest;
    let patches = |(split, numbers): (Split, BTreeSet<u32>)| {
        let all = manifest.of_split(split);
        let places = numbers.iter().filter_map(|number| all.binary_search(number).ok());
        let at: Vec<usize> = places.collect();
        let numbers = at.iter().map(|&at| all[at]).collect();
        (split, Patches { numbers, at, all: all.len() })
    };
    shown.into_iter().map(patches).collect()
}

impl Data<'_> {
    fn unit_data<'b>(&self, atlas: &'b Atlas, patches: Option<&Patches>) -> ComparedUnit<'b> {
        let (layer, unit) = (self.layer, self.unit);
        let entry = atlas.entry(layer, unit);
        let best = entry.best_detection().or_else(|| entry.best_match());
        let manifest = atlas.inputs.manifest;
        let positive = |top: &&TopPatch| manifest.patches[top.patch as usize].positive;
        let place = |top: &TopPatch| patches?.numbers.binary_search(&top.patch).ok();
        let known = atlas.catalogue.layer(&layer.network, &layer.layer);
        ComparedUnit {
            // Who says so stands beside it.
            label: entry.name.in_sentence().unwrap_or_else(|| entry.name.to_string()),
            from: entry.name.source().id(),
            concept: best
                .map(|best| concept_words(&best.concept.id, atlas.inputs.lexicons))
                .unwrap_or_default(),
            iou: best.map_or(0.0, |best| (best.found.iou * 1e4).round() / 1e4),
            detects: best.is_some_and(|best| best.detected),
            auc: unit.cancer_auc.map(|auc| (auc * 1e3).round() / 1e3),
            influence: entry.rank,
            ranked: known
                .map_or(0, |known| known.units.iter().filter(|entry| entry.rank.is_some()).count()),
            cancer: unit.top.iter().filter(positive).count(),
            of: unit.top.len(),
            split: layer.split.to_string(),
            top: atlas.compact_patches(first(unit), TOLERANCE),
            places: first(unit).iter().filter_map(place).collect(),
            shares: patches.map(|patches| self.shares(atlas, patches)).unwrap_or_default(),
        }
    }

    fn shares(&self, atlas: &Atlas, patches: &Patches) -> String {
        let name = format!("{}/{}", self.layer.network, self.layer.layer);
        let scores = atlas.inputs.scores.of(&name, self.unit.unit);
        let scores = scores.filter(|scores| scores.len() == patches.all);
        scores.map(|scores| shares(&scores, &patches.at)).unwrap_or_default()
    }
}

/// For some places among scores, the share of all that are at least as high.
fn shares(scores: &[f32], at: &[usize]) -> String {
    let mut falling = scores.to_vec();
    falling.sort_unstable_by(|a, b| b.total_cmp(a));
    let share = |&at: &usize| {
        let as_high = falling.partition_point(|score| *score >= scores[at]);
        as_high as f64 / scores.len() as f64
    };
    script::shares(at.iter().map(share))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_patch_is_in_the_least_share_and_equals_share_theirs() {
        let scores = [0.0, 3.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0];
        let of = |shares: [f64; 4]| script::shares(shares);
        assert_eq!(super::shares(&scores, &[1, 5, 3, 0]), of([0.125, 0.25, 0.375, 1.0]));
    }
}
