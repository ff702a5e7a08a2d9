//! A concept: a term that has outlines in the data set or that a reader used, with its best units in every
//! layer and the readers' words.

use anyhow::Result;
use serde::Serialize;

use super::page::{Files, Head, Page, Searched, Site, html};
use super::parts::UnitCard;
use crate::facts::Atlas;
use crate::facts::paths::{CONCEPTS, Link, concept_href, layer_href, unit_link};
use crate::facts::words::association_words;
use crate::text;
use catalogue::Entry;

/// Units of a layer on a term's page.
const BEST: usize = 6;
/// Units with readers' labels on a term's page.
const LABELLED: usize = 48;

/// A term by its id.
struct Concept<'a>(&'a str);

pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    atlas.terms.iter().map(|id| html(Concept(id))).collect()
}

impl Page for Concept<'_> {
    type View = View;
    const TEMPLATE: &'static str = "concept.html";

    fn path(&self) -> String {
        concept_href(self.0)
    }

    fn searched(&self) -> Option<Searched> {
        Some(Searched::new(self.0, "term"))
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas, self.0))
    }

    fn head(&self, _: &Atlas, view: &Self::View) -> Result<Head> {
        let above = [Link::new("Concepts", CONCEPTS)];
        Ok(Head::new(view.title(), view.description()).below(above, view.title(), self.path()))
    }
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
    /// What it means that lesions are boxes, where they are.
    boxes: Option<String>,
    layers: Vec<LayerView>,
    /// Units that a machine calls so, those that stand out most.
    machine: Vec<CalledUnit>,
    /// The others.
    machine_more: Vec<Link>,
    /// Whether a machine was asked.
    machine_asked: bool,
    labelled: Vec<LabelledUnit>,
    /// The others that people named so.
    more: Vec<Link>,
}

#[derive(Serialize)]
struct LayerView {
    link: Link,
    patches: String,
    detectors: String,
    best: Vec<ScoredUnit>,
    /// The others that detect it.
    more: Vec<Link>,
}

#[derive(Serialize)]
struct ScoredUnit {
    unit: UnitCard,
    iou: String,
    /// Whether the unit detects the term.
    detects: bool,
}

#[derive(Serialize)]
struct CalledUnit {
    unit: UnitCard,
    /// Standard deviations above patches drawn at random.
    standard: String,
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

pub(super) fn view(atlas: &Atlas, id: &str) -> View {
    let entry = atlas.labels.term(id);
    let labelled: Vec<&Entry> = atlas.named(id).collect();
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
        let (best, others) = ranked.split_at(ranked.len().min(BEST));
        layers.push(LayerView {
            link: Link::new(
                format!("{network}/{}", layer.layer),
                layer_href(network, &layer.layer),
            ),
            patches: text::count(layer.concepts[at].patches),
            detectors: text::counted(known.detecting(id).len(), "unit", "units"),
            more: others
                .iter()
                .filter(|entry| entry.detects(id))
                .map(|entry| unit_link(&entry.id))
                .collect(),
            best: best
                .iter()
                .map(|entry| ScoredUnit {
                    unit: atlas.card(entry, 4, 1.5),
                    iou: format!("{:.3}", overlap(entry)),
                    detects: entry.detects(id),
                })
                .collect(),
        });
    }
    let mut called: Vec<_> =
        atlas.catalogue.by_machine().filter(|(_, close)| close.term == id).collect();
    // A stable sort: equals stay in the order of the layers and numbers.
    called.sort_by(|a, b| b.1.standard.total_cmp(&a.1.standard));
    View {
        machine: called
            .iter()
            .take(BEST)
            .map(|(entry, close)| CalledUnit {
                unit: atlas.card(entry, 4, 1.5),
                standard: format!("{:.1}", close.standard),
            })
            .collect(),
        machine_more: called.iter().skip(BEST).map(|(entry, _)| unit_link(&entry.id)).collect(),
        machine_asked: !atlas.inputs.names.is_empty(),
        name: atlas.labels.name(id),
        standing: atlas.labels.standing(id),
        gloss: entry.map(|entry| entry.term.gloss.clone()).unwrap_or_default(),
        synonyms: entry.map(|entry| entry.term.synonyms.join(", ")).unwrap_or_default(),
        lexicon: entry.map(|entry| entry.lexicon.name.clone()).unwrap_or_default(),
        level: atlas.catalogue.detector().to_string(),
        boxes: atlas.boxes_of(id),
        layers,
        more: labelled.iter().skip(LABELLED).map(|entry| unit_link(&entry.id)).collect(),
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
