//! A layer's page: all its units, a few patches each, and a map of them. The page names the units; scripts draw
//! them from `units.js`, as many as come into sight, filtered and sorted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use super::page::{File, Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::{Link, layer_href, network_href, unit_href, units_path};
use crate::facts::words;
use crate::inputs::Exhibit;
use crate::script::{self, LayerUnit, NamedConcept};
use crate::text;
use catalogue::{Entry, Kind, Source, concept_words};
use record::dissection::{Category, Concept, Layer, SIGNIFICANCE, TopPatch, Unit};
use record::similar::{Layout, NEIGHBOURS};

/// Patches of a unit on the page.
const PATCHES: usize = 4;
/// Whose names are, in the order of trust.
const SOURCES: [(Source, &str); 6] = [
    (Source::Consensus, "the authors"),
    (Source::Readers, "readers"),
    (Source::Unrecognizable, "readers, as unrecognizable"),
    (Source::Machine, "a machine"),
    (Source::Automatic, "outlines"),
    (Source::None, "nobody"),
];
/// Detail of their overlays that is left out, in patch pixels.
const TOLERANCE: f32 = 2.0;

/// A layer.
struct LayerPage<'a> {
    exhibit: &'a Exhibit<'a>,
    layer: &'a Layer,
}

/// Data of its page.
struct LayerUnits<'a> {
    exhibit: &'a Exhibit<'a>,
    layer: &'a Layer,
}

pub(super) fn pages<'a>(exhibit: &'a Exhibit<'a>, layer: &'a Layer) -> Files<'a> {
    vec![html(LayerPage { exhibit, layer }), Box::new(LayerUnits { exhibit, layer })]
}

impl Page for LayerPage<'_> {
    type View = View;
    const TEMPLATE: &'static str = "layer.html";

    fn path(&self) -> String {
        layer_href(&self.exhibit.config.name, &self.layer.layer)
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas, self.exhibit, self.layer))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        let network = &self.exhibit.config.name;
        let title = format!("{network}/{}", self.layer.layer);
        let description = format!("The {} units of {title}", self.layer.units.len());
        let above = [Link::new(network, network_href(network))];
        let head = Head::new(title, description).below(above, &self.layer.layer, self.path());
        Ok(head.of(self.exhibit))
    }
}

impl File for LayerUnits<'_> {
    fn path(&self) -> String {
        units_path(&self.exhibit.config.name, &self.layer.layer)
    }

    fn bytes(&self, site: &Site) -> Result<Vec<u8>> {
        script::file(&self.path(), &units(site.atlas, self.layer))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    network: String,
    layer: String,
    split: String,
    shown: String,
    map: String,
    field: String,
    rule: String,
    detectors: String,
    distinct: String,
    /// The intersection over union above which a unit detects a concept.
    detector: String,
    level: String,
    permutations: u32,
    /// Units by kind, where there are any of it.
    dead: usize,
    constant: usize,
    /// Path of the data of its units.
    data: String,
    concepts: Vec<ConceptRow>,
    choices: Choices,
    /// Units whose top patches fall into two groups.
    grouped: usize,
    /// The map of the units; none of a layer of which fewer than three are live.
    layout: Option<LayoutView>,
    units: Vec<NamedUnit>,
}

/// What is told of the map of the units.
#[derive(Serialize)]
struct LayoutView {
    /// Units on it, and units that are left out.
    units: usize,
    left_out: usize,
    /// How faithful it is; none where there are too few units to tell.
    faithful: Option<Faithful>,
}

/// How many of the nearest units of a unit are its nearest on the map.
#[derive(Serialize)]
struct Faithful {
    neighbours: usize,
    kept: String,
    /// What units that are laid anywhere would come to.
    chance: String,
}

/// A unit by its number and label, for those who have no script.
#[derive(Serialize)]
struct NamedUnit {
    link: Link,
    label: String,
}

/// What the units can be filtered by, in the order of the numbers in [`LayerUnit`].
#[derive(Serialize)]
pub(super) struct Choices {
    concepts: Vec<NamedConcept>,
    categories: Vec<String>,
    readers: Vec<String>,
    called: Vec<NamedConcept>,
    /// Whose names there are.
    sources: Vec<SourceChoice>,
}

/// Whose a name is, as [`LayerUnit::from`] says it, and in words.
#[derive(Serialize)]
struct SourceChoice {
    id: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct ConceptRow {
    name: String,
    standing: String,
    patches: String,
    /// Units that detect it.
    units: String,
    best: Vec<BestUnit>,
}

/// A unit that agrees best with a concept.
#[derive(Serialize)]
struct BestUnit {
    link: Link,
    iou: String,
}

/// What readers said of the layer's units, and the concepts that these match best.
pub(super) fn choices(atlas: &Atlas, layer: &Layer) -> Choices {
    let mut concepts: BTreeMap<(usize, &str), &Concept> = BTreeMap::new();
    let mut categories = Vec::new();
    let mut readers: Vec<String> = Vec::new();
    let mut called: BTreeSet<(usize, &str)> = BTreeSet::new();
    let mut sources: Vec<Source> = Vec::new();
    for unit in &layer.units {
        let entry = atlas.entry(layer, unit);
        if let Some(best) = entry.best_match() {
            let concept = best.concept;
            concepts.insert((atlas.labels.order(&concept.id), &concept.id), concept);
        }
        categories.extend(entry.categories.iter().cloned());
        sources.push(entry.name.source());
        if let Some(close) = entry.called() {
            called.insert((atlas.labels.order(&close.term), &close.term));
        }
        for (reader, _) in atlas.labels.of(&entry.id) {
            if !readers.contains(&reader.reader) {
                readers.push(reader.reader.clone());
            }
        }
    }
    readers.sort();
    Choices {
        concepts: concepts
            .values()
            .map(|c| NamedConcept {
                id: c.id.clone(),
                name: concept_words(&c.id, atlas.inputs.lexicons),
            })
            .collect(),
        categories: atlas.labels.ordered_categories(categories),
        readers,
        called: called
            .into_iter()
            .map(|(_, id)| NamedConcept { id: id.to_owned(), name: atlas.labels.name(id) })
            .collect(),
        sources: SOURCES
            .into_iter()
            .filter(|(source, _)| sources.contains(source))
            .map(|(source, name)| SourceChoice { id: source.id(), name })
            .collect(),
    }
}

/// Fewer units make no map.
const LEAST: usize = 3;

/// Where the units of a layer lie, where that makes a map.
fn layout<'a>(atlas: &'a Atlas, layer: &Layer) -> Option<&'a Layout> {
    let name = format!("{}/{}", layer.network, layer.layer);
    atlas.inputs.similar.layouts.get(&name).filter(|layout| layout.placed() >= LEAST)
}

fn layout_view(layout: &Layout) -> LayoutView {
    let units = layout.placed();
    let share = |share: f64| format!("{:.0}%", 100.0 * share);
    LayoutView {
        units,
        left_out: layout.places.len() - units,
        faithful: layout.kept.map(|kept| Faithful {
            neighbours: NEIGHBOURS,
            kept: share(f64::from(kept)),
            chance: share(NEIGHBOURS as f64 / (units - 1) as f64),
        }),
    }
}

/// Whether the top patches of a unit fall into two groups.
fn in_groups(atlas: &Atlas, entry: &Entry) -> bool {
    atlas.inputs.similar.two_kinds(&entry.id).is_some()
}

/// The patches of a unit that the page shows.
fn shown(unit: &Unit) -> &[TopPatch] {
    &unit.top[..unit.top.len().min(PATCHES)]
}

/// The data of the page's script.
pub(super) fn units<'a>(atlas: &'a Atlas, layer: &Layer) -> script::LayerUnits<'a> {
    let Choices { concepts, categories, readers, called, .. } = choices(atlas, layer);
    let manifest = atlas.inputs.manifest;
    let layout = layout(atlas, layer);
    let units = layer.units.iter().enumerate().map(|(at, unit)| {
        let entry = atlas.entry(layer, unit);
        let best = entry.best_match();
        let said = atlas.labels.phenomena(&entry.id);
        let said = said.map(|(_, _, phenomenon)| atlas.labels.words(phenomenon));
        let terms = entry.terms.iter().map(|id| atlas.labels.name(id));
        let words: BTreeSet<String> = terms.chain(said).collect();
        let iou = best.map_or(0.0, |best| best.found.iou);
        LayerUnit {
            label: entry.name.to_string(),
            words: words.into_iter().collect::<Vec<_>>().join(" "),
            from: entry.name.source().id(),
            concept: best.and_then(|best| concepts.iter().position(|c| c.id == best.concept.id)),
            iou: (iou * 1e4).round() / 1e4,
            detects: entry.best_detection().is_some(),
            score: text::significant(f64::from(unit.score_range[1])),
            sort_score: unit.score_range[1],
            cancer: unit.top.iter().filter(|t| manifest.patches[t.patch as usize].positive).count(),
            of: unit.top.len(),
            auc: unit.cancer_auc.map(|auc| (auc * 1e3).round() / 1e3),
            influence: entry.rank,
            categories: entry
                .categories
                .iter()
                .filter_map(|category| categories.iter().position(|c| c == category))
                .collect(),
            readers: atlas
                .labels
                .of(&entry.id)
                .iter()
                .filter_map(|(reader, _)| readers.iter().position(|r| *r == reader.reader))
                .collect(),
            called: entry.called().and_then(|c| called.iter().position(|own| own.id == c.term)),
            shown: shown(unit).len(),
            groups: in_groups(atlas, entry),
            place: layout.and_then(|layout| layout.places.get(at).copied().flatten()),
        }
    });
    let patches = atlas.compact_patches(layer.units.iter().flat_map(shown), TOLERANCE);
    script::LayerUnits {
        edge: atlas.inputs.store.edge(),
        units: units.collect(),
        patches,
        concepts,
        categories,
        readers,
        called,
    }
}

pub(super) fn view(atlas: &Atlas, exhibit: &Exhibit, layer: &Layer) -> View {
    let known = atlas.catalogue.layer(&layer.network, &layer.layer);
    let detecting = |concept: &str| known.map(|k| k.detecting(concept)).unwrap_or_default();
    View {
        network: exhibit.config.name.clone(),
        layer: layer.layer.clone(),
        split: layer.split.to_string(),
        shown: text::count(layer.patches),
        map: format!("{} × {}", layer.map[0], layer.map[1]),
        field: words::seen(layer, atlas.inputs.store.edge()),
        rule: words::threshold_rule(layer.threshold, layer.anchor),
        detectors: text::count(known.map_or(0, |k| k.detectors().count()) as u64),
        distinct: text::count(known.map_or(0, |k| k.detected().len()) as u64),
        detector: atlas.catalogue.detector().to_string(),
        dead: known.map_or(0, |k| k.count(Kind::Dead)),
        constant: known.map_or(0, |k| k.count(Kind::Constant)),
        level: SIGNIFICANCE.to_string(),
        permutations: layer.permutations,
        concepts: (0..layer.concepts.len())
            .map(|at| {
                let concept = &layer.concepts[at];
                // Breast and background name no unit.
                let nameless = concept.category == Category::Breast;
                let own = match nameless {
                    true => "–".into(),
                    false => detecting(&concept.id).len().to_string(),
                };
                let mut ranked: Vec<&Unit> =
                    layer.units.iter().filter(|unit| unit.kind().is_live()).collect();
                ranked.sort_by(|a, b| b.matches[at].iou.total_cmp(&a.matches[at].iou));
                ConceptRow {
                    name: concept_words(&concept.id, atlas.inputs.lexicons),
                    standing: atlas.labels.standing(&concept.id),
                    patches: text::count(concept.patches),
                    units: own,
                    best: ranked
                        .into_iter()
                        .take(3)
                        .filter(|unit| unit.matches[at].iou > 0.0)
                        .map(|unit| BestUnit {
                            link: numbered(atlas.entry(layer, unit)),
                            iou: format!("{:.3}", unit.matches[at].iou),
                        })
                        .collect(),
                }
            })
            .collect(),
        data: units_path(&exhibit.config.name, &layer.layer),
        choices: choices(atlas, layer),
        grouped: layer
            .units
            .iter()
            .filter(|unit| in_groups(atlas, atlas.entry(layer, unit)))
            .count(),
        layout: layout(atlas, layer).map(layout_view),
        units: layer
            .units
            .iter()
            .map(|unit| {
                let entry = atlas.entry(layer, unit);
                NamedUnit { link: numbered(entry), label: entry.name.to_string() }
            })
            .collect(),
    }
}

/// A link to a unit by its number.
fn numbered(entry: &Entry) -> Link {
    Link::new(entry.id.digits(), unit_href(&entry.id))
}
