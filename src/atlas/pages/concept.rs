//! Concepts: a page per term that has outlines in the data set or that a reader used, with its best
//! units in every layer and the readers' words; and the list of them.

use std::collections::BTreeSet;

use serde::Serialize;

use super::figures::{self, Download};
use super::unit::association_words;
use super::{Atlas, Link, UnitCard, layer_href};
use crate::{safe_name, text};
use catalogue::Entry;
use config::figures::Kind;
use record::dissection::Category;

/// Units of a layer on a term's page.
const BEST: usize = 6;
/// Units with readers' labels on a term's page.
const LABELLED: usize = 48;

/// The list of all terms.
#[derive(Serialize)]
pub(super) struct ListView {
    layers: Vec<Link>,
    terms: Vec<TermRow>,
    downloads: Vec<Download>,
}

#[derive(Serialize)]
struct TermRow {
    link: Link,
    standing: String,
    /// Patches that hold it; empty where it is not outlined.
    patches: String,
    /// Units of each layer that detect it; empty where it is not outlined.
    detectors: Vec<String>,
    /// Units that a reader used it for.
    labelled: String,
}

/// One term.
#[derive(Serialize)]
pub(super) struct View {
    name: String,
    standing: String,
    gloss: String,
    synonyms: String,
    lexicon: String,
    level: String,
    layers: Vec<LayerView>,
    labelled: Vec<LabelledUnit>,
    /// How many more there are.
    more: usize,
}

#[derive(Serialize)]
struct LayerView {
    link: Link,
    patches: String,
    detectors: String,
    best: Vec<ScoredUnit>,
}

#[derive(Serialize)]
struct ScoredUnit {
    unit: UnitCard,
    iou: String,
    /// Whether the unit detects the term.
    detects: bool,
}

#[derive(Serialize)]
struct LabelledUnit {
    unit: UnitCard,
    said: Vec<Said>,
}

#[derive(Serialize)]
struct Said {
    reader: String,
    description: String,
    association: &'static str,
}

impl View {
    pub(super) fn title(&self) -> String {
        self.name.clone()
    }

    pub(super) fn description(&self) -> String {
        format!("{}: the units that respond to it most, and what readers say", self.name)
    }
}

/// A term's page.
pub(super) fn href(id: &str) -> String {
    format!("concepts/{id}/index.html")
}

/// Ids of the terms that have a page, in the order of the lexicons. Breast and background name no unit.
pub(super) fn terms(atlas: &Atlas) -> Vec<String> {
    let outlined = atlas.layers().flat_map(|(_, layer)| &layer.concepts);
    let outlined = outlined.filter(|c| c.category != Category::Breast).map(|c| c.id.as_str());
    let named = atlas.catalogue.units().flat_map(|entry| &entry.terms).map(String::as_str);
    let chosen = atlas.labels.all().flat_map(|(_, _, phenomenon)| &phenomenon.terms);
    // Whatever a reader wrote: only terms of a lexicon have a page.
    let said = named.chain(chosen.map(String::as_str));
    let said = said.filter(|id| atlas.labels.term(id).is_some());
    let ids: BTreeSet<(usize, &str)> = outlined
        .chain(said)
        .filter(|id| safe_name("concept", id).is_ok())
        .map(|id| (atlas.labels.order(id), id))
        .collect();
    ids.into_iter().map(|(_, id)| id.to_string()).collect()
}

/// Units that people named a term in.
fn named<'c, 'a>(atlas: &'c Atlas<'a>, term: &str) -> impl Iterator<Item = &'c Entry<'a>> {
    let has = move |entry: &&Entry| entry.terms.iter().any(|own| own == term);
    atlas.catalogue.units().filter(|entry| entry.name.is_by_people()).filter(has)
}

pub(super) fn list(atlas: &Atlas, terms: &[String]) -> ListView {
    let layers: Vec<_> = atlas.layers().collect();
    let row = |id: &String| {
        let outlined =
            layers.iter().find_map(|(_, layer)| layer.concepts.iter().find(|c| c.id == *id));
        let detectors = layers.iter().map(|(_, layer)| {
            match atlas.catalogue.layer(&layer.network, &layer.layer) {
                Some(known) if known.outlines(id) => text::count(known.detecting(id).len() as u64),
                _ => String::new(),
            }
        });
        let units = named(atlas, id).count();
        TermRow {
            link: Link::new(atlas.labels.name(id), href(id)),
            standing: atlas.labels.standing(id),
            patches: outlined.map_or_else(String::new, |c| text::count(c.patches)),
            detectors: detectors.collect(),
            labelled: if units == 0 { String::new() } else { text::count(units as u64) },
        }
    };
    ListView {
        layers: layers
            .iter()
            .map(|(exhibit, layer)| {
                let network = &exhibit.config.name;
                Link::new(format!("{network}/{}", layer.layer), layer_href(network, &layer.layer))
            })
            .collect(),
        terms: terms.iter().map(row).collect(),
        downloads: figures::downloads(atlas, |kind| matches!(kind, Kind::Concepts)),
    }
}

pub(super) fn view(atlas: &Atlas, id: &str) -> View {
    let entry = atlas.labels.term(id);
    let labelled: Vec<&Entry> = named(atlas, id).collect();
    let mut layers = Vec::new();
    for (exhibit, layer) in atlas.layers() {
        let network = &exhibit.config.name;
        let Some(at) = layer.concepts.iter().position(|concept| concept.id == id) else {
            continue;
        };
        let Some(known) = atlas.catalogue.layer(&layer.network, &layer.layer) else { continue };
        let overlap = |entry: &Entry| entry.record.matches[at].iou;
        let overlapping = |entry: &&Entry| entry.kind.is_live() && overlap(entry) > 0.0;
        let mut ranked: Vec<&Entry> = known.units.iter().filter(overlapping).collect();
        // A stable sort: equals stay in the order of their numbers.
        ranked.sort_by(|a, b| overlap(b).total_cmp(&overlap(a)));
        layers.push(LayerView {
            link: Link::new(
                format!("{network}/{}", layer.layer),
                layer_href(network, &layer.layer),
            ),
            patches: text::count(layer.concepts[at].patches),
            detectors: text::counted(known.detecting(id).len(), "unit", "units"),
            best: ranked
                .into_iter()
                .take(BEST)
                .map(|entry| ScoredUnit {
                    unit: atlas.card(entry, 4, 1.5),
                    iou: format!("{:.3}", overlap(entry)),
                    detects: entry.detects(id),
                })
                .collect(),
        });
    }
    View {
        name: atlas.labels.name(id),
        standing: atlas.labels.standing(id),
        gloss: entry.map(|entry| entry.term.gloss.clone()).unwrap_or_default(),
        synonyms: entry.map(|entry| entry.term.synonyms.join(", ")).unwrap_or_default(),
        lexicon: entry.map(|entry| entry.lexicon.name.clone()).unwrap_or_default(),
        level: atlas.catalogue.detector().to_string(),
        layers,
        more: labelled.len().saturating_sub(LABELLED),
        labelled: labelled
            .into_iter()
            .take(LABELLED)
            .map(|entry| LabelledUnit {
                unit: atlas.card(entry, 4, 1.5),
                said: atlas
                    .labels
                    .phenomena(&entry.id)
                    .map(|(reader, _, phenomenon)| Said {
                        reader: reader.reader.clone(),
                        description: atlas.labels.words(phenomenon),
                        association: association_words(phenomenon.association),
                    })
                    .collect(),
            })
            .collect(),
    }
}
