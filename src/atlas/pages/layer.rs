//! A layer's page: all its units, a few patches each. The page names the units; a script draws them from
//! `units.js`, as many as come into sight, filtered and sorted.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;

use super::page::{File, Files, Head, Page, Site, html};
use super::parts::CompactPatch;
use crate::facts::Atlas;
use crate::facts::paths::{Link, layer_href, network_href, unit_href, units_path};
use crate::facts::units::{self, best_concept, beyond_chance, detects};
use crate::facts::words;
use crate::inputs::Exhibit;
use crate::{script, text};
use base::unit_name;
use record::dissection::{Category, Concept, Layer, Unit};

/// Patches of a unit on the page.
const PATCHES: usize = 4;
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
        script::file(&self.path(), &units(site.atlas, self.exhibit, self.layer))
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

/// What the units can be filtered by, as (value, words), in the order of [`UnitData`]'s numbers.
#[derive(Serialize)]
pub(super) struct Choices {
    concepts: Vec<(String, String)>,
    categories: Vec<String>,
    readers: Vec<String>,
}

/// `units.js`.
#[derive(Serialize)]
pub(super) struct LayerData<'a> {
    /// Ids and names of the units' best concepts.
    concepts: Vec<(String, String)>,
    categories: Vec<String>,
    readers: Vec<String>,
    /// Unit 1 first.
    units: Vec<UnitData<'a>>,
}

/// One unit for the script.
#[derive(Serialize)]
struct UnitData<'a> {
    label: String,
    /// Readers' terms in words, to search by.
    #[serde(skip_serializing_if = "String::is_empty")]
    words: String,
    /// 3: settled by the authors, 2: named by readers, 1: by its concept, 0: not named.
    from: u8,
    /// Its best concept among `concepts`.
    concept: Option<usize>,
    iou: f32,
    /// 2: a detector beyond chance, 1: a detector, 0: neither.
    detector: u8,
    score: String,
    sort_score: f32,
    /// Top patches with cancer, of so many.
    cancer: usize,
    of: usize,
    /// Area under the ROC curve for cancer.
    auc: Option<f32>,
    influence: u32,
    categories: Vec<usize>,
    readers: Vec<usize>,
    patches: Vec<CompactPatch<'a>>,
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
        concepts: concepts.values().map(|c| (c.id.clone(), atlas.labels.name(&c.id))).collect(),
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

/// The data of the page's script.
pub(super) fn units<'a>(atlas: &'a Atlas, exhibit: &Exhibit, layer: &Layer) -> LayerData<'a> {
    let Choices { concepts, categories, readers } = choices(atlas, exhibit, layer);
    let manifest = atlas.inputs.manifest;
    let units = layer.units.iter().map(|unit| {
        let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
        let best = best_concept(layer, unit);
        let (label, from) = atlas.call(&name, best);
        let said = atlas.labels.phenomena(&name).flat_map(|(_, _, p)| &p.terms);
        let words: BTreeSet<String> = said.map(|id| atlas.labels.name(id)).collect();
        let iou = best.map_or(0.0, |(_, iou)| iou);
        UnitData {
            label,
            words: words.into_iter().collect::<Vec<_>>().join(" "),
            from: match from {
                "consensus" => 3,
                "reader" => 2,
                "concept" => 1,
                _ => 0,
            },
            concept: best.and_then(|(best, _)| concepts.iter().position(|(id, _)| *id == best.id)),
            iou: (iou * 1e4).round() / 1e4,
            detector: match iou > atlas.detector() {
                true if detects(atlas, layer, unit) => 2,
                true => 1,
                false => 0,
            },
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
            patches: unit
                .top
                .iter()
                .take(PATCHES)
                .map(|top| atlas.compact_patch(top, TOLERANCE))
                .collect(),
        }
    });
    LayerData { units: units.collect(), concepts, categories, readers }
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
        rule: words::threshold_rule(layer.threshold, layer.anchor),
        detectors: text::count(detecting().count() as u64),
        distinct: text::count(
            detecting().map(|(concept, _)| &concept.id).collect::<BTreeSet<_>>().len() as u64,
        ),
        beyond: text::count(
            layer.units.iter().filter(|unit| detects(atlas, layer, unit)).count() as u64
        ),
        level: units::LEVEL.to_string(),
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
                    beyond: count(own.iter().filter(|u| beyond_chance(&u.matches[at])).count()),
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
