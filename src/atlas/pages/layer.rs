//! A layer's page: all its units, a few patches each. The page names the units; a script draws them from
//! `units.js`, as many as come into sight, filtered and sorted.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Atlas, Link, best_concept, evidence, methods, unit_href, units_path};
use crate::script::{LayerUnit, LayerUnits, NamedConcept};
use crate::{Exhibit, text};
use base::unit_name;
use record::dissection::{Category, Concept, Layer, TopPatch, Unit};

/// Patches of a unit on the page.
const PATCHES: usize = 4;
/// Detail of their overlays that is left out, in patch pixels.
const TOLERANCE: f32 = 2.0;

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
    beyond: String,
    level: String,
    permutations: u32,
    /// Path of the data of its units.
    data: String,
    concepts: Vec<ConceptRow>,
    choices: Choices,
    units: Vec<NamedUnit>,
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
}

#[derive(Serialize)]
struct ConceptRow {
    name: String,
    standing: String,
    patches: String,
    units: String,
    beyond: String,
    best: Vec<BestUnit>,
}

/// A unit that agrees best with a concept.
#[derive(Serialize)]
struct BestUnit {
    link: Link,
    iou: String,
}

/// What readers said of the layer's units, and the concepts that these match best.
pub(super) fn choices(atlas: &Atlas, exhibit: &Exhibit, layer: &Layer) -> Choices {
    let mut concepts: BTreeMap<(usize, &str), &Concept> = BTreeMap::new();
    let mut categories = Vec::new();
    let mut readers: Vec<String> = Vec::new();
    for unit in &layer.units {
        let best = best_concept(layer, unit).map(|(concept, _)| concept);
        if let Some(concept) = best {
            concepts.insert((atlas.labels.order(&concept.id), &concept.id), concept);
        }
        let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
        categories.extend(unit_categories(atlas, layer, unit, &name));
        for (reader, _) in atlas.labels.of(&name) {
            if !readers.contains(&reader.reader) {
                readers.push(reader.reader.clone());
            }
        }
    }
    readers.sort();
    Choices {
        concepts: concepts
            .values()
            .map(|c| NamedConcept { id: c.id.clone(), name: atlas.labels.name(&c.id) })
            .collect(),
        categories: atlas.labels.ordered_categories(categories),
        readers,
    }
}

/// BI-RADS categories of what readers said of a unit, else of the concept that it detects.
fn unit_categories(atlas: &Atlas, layer: &Layer, unit: &Unit, name: &str) -> Vec<String> {
    let said: Vec<String> =
        atlas.labels.phenomena(name).flat_map(|(_, _, p)| p.terms.iter().cloned()).collect();
    match best_concept(layer, unit) {
        Some((concept, iou)) if said.is_empty() && iou > atlas.detector() => {
            atlas.labels.categories(std::slice::from_ref(&concept.id))
        }
        _ => atlas.labels.categories(&said),
    }
}

/// The patches of a unit that the page shows.
fn shown(unit: &Unit) -> &[TopPatch] {
    &unit.top[..unit.top.len().min(PATCHES)]
}

/// The data of the page's script.
pub(super) fn units<'a>(atlas: &'a Atlas, exhibit: &Exhibit, layer: &Layer) -> LayerUnits<'a> {
    let Choices { concepts, categories, readers } = choices(atlas, exhibit, layer);
    let manifest = atlas.inputs.manifest;
    let units = layer.units.iter().map(|unit| {
        let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
        let best = best_concept(layer, unit);
        let (label, from) = atlas.call(&name, best);
        let said = atlas.labels.phenomena(&name).flat_map(|(_, _, p)| &p.terms);
        let words: BTreeSet<String> = said.map(|id| atlas.labels.name(id)).collect();
        let iou = best.map_or(0.0, |(_, iou)| iou);
        LayerUnit {
            label,
            words: words.into_iter().collect::<Vec<_>>().join(" "),
            from,
            concept: best.and_then(|(best, _)| concepts.iter().position(|c| c.id == best.id)),
            iou: (iou * 1e4).round() / 1e4,
            detects: iou > atlas.detector(),
            beyond_chance: detects(atlas, layer, unit),
            score: text::significant(f64::from(unit.score_range[1])),
            sort_score: unit.score_range[1],
            cancer: unit.top.iter().filter(|t| manifest.patches[t.patch as usize].positive).count(),
            of: unit.top.len(),
            auc: unit.cancer_auc.map(|auc| (auc * 1e3).round() / 1e3),
            influence: unit.influence.rank,
            categories: unit_categories(atlas, layer, unit, &name)
                .iter()
                .filter_map(|category| categories.iter().position(|c| c == category))
                .collect(),
            readers: atlas
                .labels
                .of(&name)
                .iter()
                .filter_map(|(reader, _)| readers.iter().position(|r| *r == reader.reader))
                .collect(),
            shown: shown(unit).len(),
        }
    });
    let patches = atlas.compact_patches(layer.units.iter().flat_map(shown), TOLERANCE);
    LayerUnits { units: units.collect(), patches, concepts, categories, readers }
}

pub(super) fn view(atlas: &Atlas, exhibit: &Exhibit, layer: &Layer) -> View {
    let best = || layer.units.iter().filter_map(|unit| best_concept(layer, unit));
    let detecting = || best().filter(|(_, iou)| *iou > atlas.detector());
    View {
        network: exhibit.config.name.clone(),
        layer: layer.layer.clone(),
        split: layer.split.to_string(),
        shown: text::count(layer.patches),
        map: format!("{} × {}", layer.map[0], layer.map[1]),
        field: text::coordinate(layer.field.edge),
        rule: methods::threshold_rule(layer.threshold, layer.anchor),
        detectors: text::count(detecting().count() as u64),
        distinct: text::count(
            detecting().map(|(concept, _)| &concept.id).collect::<BTreeSet<_>>().len() as u64,
        ),
        beyond: text::count(
            layer.units.iter().filter(|unit| detects(atlas, layer, unit)).count() as u64
        ),
        level: evidence::LEVEL.to_string(),
        permutations: layer.permutations,
        concepts: (0..layer.concepts.len())
            .map(|at| {
                let concept = &layer.concepts[at];
                let own: Vec<&Unit> = layer
                    .units
                    .iter()
                    .filter(|unit| {
                        best_concept(layer, unit)
                            .is_some_and(|(best, iou)| *best == *concept && iou > atlas.detector())
                    })
                    .collect();
                // They name no unit.
                let nameless = concept.category == Category::Breast;
                let count = |count: usize| if nameless { "–".into() } else { count.to_string() };
                let mut ranked: Vec<&Unit> = layer.units.iter().collect();
                ranked.sort_by(|a, b| b.matches[at].iou.total_cmp(&a.matches[at].iou));
                ConceptRow {
                    name: atlas.labels.name(&concept.id),
                    standing: atlas.labels.standing(&concept.id),
                    patches: text::count(concept.patches),
                    units: count(own.len()),
                    beyond: count(
                        own.iter().filter(|u| evidence::beyond_chance(&u.matches[at])).count(),
                    ),
                    best: ranked
                        .into_iter()
                        .take(3)
                        .filter(|unit| unit.matches[at].iou > 0.0)
                        .map(|unit| BestUnit {
                            link: Link::new(
                                format!("{:04}", unit.unit),
                                unit_href(&exhibit.config.name, &layer.layer, unit.unit),
                            ),
                            iou: format!("{:.3}", unit.matches[at].iou),
                        })
                        .collect(),
                }
            })
            .collect(),
        data: units_path(&exhibit.config.name, &layer.layer),
        choices: choices(atlas, exhibit, layer),
        units: layer
            .units
            .iter()
            .map(|unit| {
                let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
                let href = unit_href(&exhibit.config.name, &layer.layer, unit.unit);
                NamedUnit {
                    link: Link::new(format!("{:04}", unit.unit), href),
                    label: atlas.call(&name, best_concept(layer, unit)).0,
                }
            })
            .collect(),
    }
}

/// Whether a unit detects its best concept, and better than chance would.
pub(super) fn detects(atlas: &Atlas, layer: &Layer, unit: &Unit) -> bool {
    best_concept(layer, unit).is_some_and(|(best, iou)| {
        let mut matches = layer.concepts.iter().zip(&unit.matches);
        let found = matches.find(|(concept, _)| *concept == best);
        iou > atlas.detector() && found.is_some_and(|(_, found)| evidence::beyond_chance(found))
    })
}
