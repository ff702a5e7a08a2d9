//! A mammogram's page: the whole image with every patch and outline, and the units that have one of its
//! patches at their top.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use serde::Serialize;

use super::page::{File, Files, Head, Page, Site, html};
use super::parts::MammogramView;
use crate::facts::Atlas;
use crate::facts::paths::{self, Link, mammogram_href, unit_link, window_id};
use crate::keys::Keys;
use crate::{images, script, text};
use base::UnitId;
use base::artifact::Fingerprint;

/// Units named beside a patch.
const NAMED: usize = 10;
/// Units that the page lists beside these, of all patches together: what a small project has thousands of would be
/// slow on a phone.
const LISTED: usize = 2500;
/// Units named for the whole image.
const BEST: usize = 24;

/// Units that have a patch at their top, by patch number: layer in the order of the pages, unit, and
/// rank from 1; best rank first.
type Ranks = Vec<Vec<(u32, u32, u32)>>;

/// A mammogram of which a page shows a patch.
struct Mammogram<'a> {
    number: u32,
    id: &'a str,
    found: Arc<Found>,
}

/// Data of it for pages that show it beside its patches, and for the viewer.
struct Outlines<'a> {
    number: u32,
    id: &'a str,
    found: Arc<Found>,
}

/// What they are.
#[derive(Serialize)]
struct OutlinesView<'a> {
    #[serde(flatten)]
    mammogram: MammogramView,
    /// Ids of the patient's other mammograms, of those that pages show whole; without one, not at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    views: Vec<&'a str>,
}

/// What is looked up once for all mammograms, when the first page asks for it.
#[derive(Default)]
struct Found {
    ranks: OnceLock<Ranks>,
    said: OnceLock<Said>,
    patients: OnceLock<Patients>,
}

pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    let found = Arc::new(Found::default());
    let mut files = Files::new();
    for &number in &atlas.shown.mammograms {
        let id = &atlas.inputs.manifest.mammograms[number as usize].mammogram.id;
        files.push(html(Mammogram { number, id, found: Arc::clone(&found) }));
        files.push(Box::new(Outlines { number, id, found: Arc::clone(&found) }));
    }
    files
}

impl Page for Mammogram<'_> {
    type View = View;
    const TEMPLATE: &'static str = "mammogram.html";

    fn path(&self) -> String {
        mammogram_href(self.id)
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        let said = self.found.said.get_or_init(|| said(atlas));
        keys.apart_from_readers(&(self.path(), said.get(&self.number)))
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        let ranks = self.found.ranks.get_or_init(|| ranks(site.atlas));
        Ok(view(site.atlas, self.number, ranks))
    }

    fn head(&self, _: &Atlas, view: &Self::View) -> Result<Head> {
        let above = [Link::new("Data", paths::DATA)];
        Ok(Head::new(view.title(), view.description()).below(above, view.title(), self.path()))
    }
}

impl File for Outlines<'_> {
    fn path(&self) -> String {
        format!("mammograms/{}/outlines.js", self.id)
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        keys.apart_from_readers(&(self.path(), self.views(atlas)))
    }

    fn bytes(&self, site: &Site) -> Result<Vec<u8>> {
        let mammogram = site.atlas.mammogram(self.number);
        script::file(&self.path(), &OutlinesView { mammogram, views: self.views(site.atlas) })
    }
}

impl Outlines<'_> {
    fn views<'t>(&self, atlas: &'t Atlas) -> Vec<&'t str> {
        let members = &atlas.inputs.manifest.mammograms;
        let patients = self.found.patients.get_or_init(|| patients(atlas));
        let own = patients.get(&members[self.number as usize].mammogram.patient);
        let others = own.into_iter().flatten().filter(|&&other| other != self.number);
        others.map(|&other| members[other as usize].mammogram.id.as_str()).collect()
    }
}

#[derive(Serialize)]
pub(super) struct View {
    mammogram: MammogramView,
    split: String,
    /// Every patch that was cut.
    windows: Vec<WindowView>,
    /// Those that a unit shows, in the order of the image.
    patches: Vec<ShownPatch>,
    cancer: usize,
    /// Units with a patch of this image at a high rank.
    best: Vec<Ranked>,
}

#[derive(Serialize)]
struct WindowView {
    id: String,
    x: u32,
    y: u32,
    edge: u32,
    positive: bool,
    shown: bool,
}

#[derive(Serialize)]
struct ShownPatch {
    id: String,
    src: String,
    positive: bool,
    units: Vec<Ranked>,
    /// The next of them.
    more: Vec<Ranked>,
    /// How many there are beyond the first.
    beyond: String,
    /// How many of them are not listed; none where all are.
    rest: Option<String>,
}

/// A unit, and the best rank that a patch has with it.
#[derive(Serialize)]
struct Ranked {
    link: Link,
    label: String,
    rank: u32,
}

impl View {
    pub(super) fn title(&self) -> String {
        self.mammogram.id.clone()
    }

    pub(super) fn description(&self) -> String {
        format!("{}: its patches, and the units that respond to them most", self.mammogram.alt)
    }
}

fn view(atlas: &Atlas, number: u32, ranks: &Ranks) -> View {
    let manifest = atlas.inputs.manifest;
    // Patches stand in the order of their mammograms.
    let first = manifest.patches.partition_point(|patch| patch.mammogram < number);
    let own = manifest.patches[first..].iter().take_while(|patch| patch.mammogram == number);
    let own: Vec<_> = (first as u32..).zip(own).collect();
    let layers: Vec<_> = atlas.layers().collect();
    let named = |&(layer, unit, rank): &(u32, u32, u32)| {
        let (_, layer) = layers[layer as usize];
        let entry = atlas.entry(layer, &layer.units[unit as usize - 1]);
        Ranked { label: entry.name.to_string(), link: unit_link(&entry.id), rank }
    };
    let mut best: Vec<(u32, u32, u32)> =
        own.iter().flat_map(|(n, _)| ranks[*n as usize].iter().copied()).collect();
    // The best rank of each unit, then the best of those.
    best.sort_unstable();
    best.dedup_by_key(|&mut (layer, unit, _)| (layer, unit));
    best.sort_by_key(|&(_, _, rank)| rank);
    let shown: Vec<_> = own.iter().filter(|(n, _)| atlas.shown.patches.contains(n)).collect();
    let listed = NAMED + LISTED / shown.len().max(1);
    View {
        mammogram: atlas.mammogram(number),
        split: manifest.mammograms[number as usize].split.to_string(),
        cancer: own.iter().filter(|(_, patch)| patch.positive).count(),
        windows: own
            .iter()
            .map(|(n, patch)| WindowView {
                id: window_id(patch),
                x: patch.x,
                y: patch.y,
                edge: patch.edge,
                positive: patch.positive,
                shown: atlas.shown.patches.contains(n),
            })
            .collect(),
        patches: shown
            .iter()
            .map(|(n, patch)| {
                let ranks = &ranks[*n as usize];
                ShownPatch {
                    id: window_id(patch),
                    src: images::patch_path(atlas.inputs, patch),
                    positive: patch.positive,
                    units: ranks.iter().take(NAMED).map(named).collect(),
                    more: ranks.iter().take(listed).skip(NAMED).map(named).collect(),
                    beyond: text::count(ranks.len().saturating_sub(NAMED)),
                    rest: (ranks.len() > listed).then(|| text::count(ranks.len() - listed)),
                }
            })
            .collect(),
        best: best.iter().take(BEST).map(named).collect(),
    }
}

/// What readers call the units that have a patch of a mammogram at their top, by mammogram.
type Said = BTreeMap<u32, Vec<(UnitId, String)>>;

/// Mammograms that pages show whole, by patient.
type Patients = BTreeMap<String, Vec<u32>>;

fn patients(atlas: &Atlas) -> Patients {
    let mut patients = Patients::new();
    for &number in &atlas.shown.mammograms {
        let member = &atlas.inputs.manifest.mammograms[number as usize];
        if member.preview.is_some() {
            patients.entry(member.mammogram.patient.clone()).or_default().push(number);
        }
    }
    patients
}

/// What readers said that mammograms' pages show.
fn said(atlas: &Atlas) -> Said {
    let mut said = Said::new();
    for entry in atlas.catalogue.units() {
        if atlas.labels.of(&entry.id).is_empty() {
            continue;
        }
        let top = entry.record.top.iter();
        let patches = top.map(|top| &atlas.inputs.manifest.patches[top.patch as usize]);
        let mammograms: BTreeSet<u32> = patches.map(|patch| patch.mammogram).collect();
        for mammogram in mammograms {
            said.entry(mammogram).or_default().push((entry.id.clone(), entry.name.to_string()));
        }
    }
    said
}

fn ranks(atlas: &Atlas) -> Ranks {
    let mut ranks: Ranks = vec![Vec::new(); atlas.inputs.manifest.patches.len()];
    for (at, (_, layer)) in (0..).zip(atlas.layers()) {
        for unit in &layer.units {
            for (rank, top) in (1..).zip(&unit.top) {
                ranks[top.patch as usize].push((at, unit.unit, rank));
            }
        }
    }
    for units in &mut ranks {
        units.sort_by_key(|&(layer, unit, rank)| (rank, layer, unit));
    }
    ranks
}
