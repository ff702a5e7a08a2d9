//! The BI-RADS table in the form of the paper's Figure 4, and which terms have a unit at all.
//!
//! What the authors settled of a unit stands first, in the order of their file and with every reader's
//! words beside it; units that they did not settle follow in the readers' own words.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{self, Download};
use super::unit::association_words;
use super::{Atlas, Link, UnitCard, best_concept};
use crate::{Exhibit, text};
use base::unit_name;
use config::figures::Kind;
use record::dissection::{Category, Layer, Unit};
use study::answer::Phenomenon;
use study::consensus::NO_CATEGORY;

/// Patches per row, and units named per term.
const PATCHES: usize = 6;
const UNITS: usize = 6;

#[derive(Serialize)]
pub(super) struct View {
    readers: usize,
    settled: Vec<Row>,
    rows: Vec<Row>,
    measured: Vec<Row>,
    lexicons: Vec<LexiconView>,
    downloads: Vec<Download>,
}

impl View {
    /// Units of the table in its order: as settled, else in the readers' words, else the best
    /// detectors.
    pub(super) fn names(&self) -> Vec<String> {
        let rows = [&self.settled, &self.rows, &self.measured].into_iter().find(|r| !r.is_empty());
        rows.into_iter().flatten().map(|row| row.name.clone()).collect()
    }
}

/// One row of Figure 4: category, annotation, unit, patches.
#[derive(Serialize)]
struct Row {
    category: String,
    annotation: String,
    /// Who says so: readers, or the IoU.
    by: String,
    association: &'static str,
    /// Whether the category is suggested from the words, since the reader chose no terms.
    suggested: bool,
    note: String,
    /// What each reader said, where the annotation is the authors'.
    words: Vec<Words>,
    name: String,
    /// The unit; none where the atlas does not have it.
    unit: Option<UnitCard>,
}

#[derive(Serialize)]
struct Words {
    reader: String,
    said: String,
    association: &'static str,
}

#[derive(Serialize)]
struct LexiconView {
    id: String,
    name: String,
    source: String,
    birads: bool,
    covered: usize,
    terms: usize,
    groups: Vec<GroupView>,
}

#[derive(Serialize)]
struct GroupView {
    category: String,
    terms: Vec<TermRow>,
}

#[derive(Serialize)]
struct TermRow {
    name: String,
    gloss: String,
    labelled: Vec<Link>,
    labelled_more: usize,
    detected: Vec<Link>,
    detected_more: usize,
    /// Whether the data set has masks of it, so that a detector could have been found.
    measured: bool,
}

/// The table with the figure of it, which itself asks for the table.
pub(super) fn page(atlas: &Atlas) -> View {
    let downloads = figures::downloads(atlas, |kind| matches!(kind, Kind::Table { .. }));
    View { downloads, ..view(atlas) }
}

pub(super) fn view(atlas: &Atlas) -> View {
    let units = || {
        atlas
            .layers()
            .flat_map(|(exhibit, layer)| layer.units.iter().map(move |unit| (exhibit, layer, unit)))
    };
    // By term: units that readers gave it to, and units that detect it, best first.
    let mut labelled: BTreeMap<&str, Vec<Link>> = BTreeMap::new();
    let mut detected: BTreeMap<&str, Vec<(f32, Link, UnitCard)>> = BTreeMap::new();
    let mut measured: BTreeMap<&str, bool> = BTreeMap::new();
    let mut rows: Vec<(usize, Row)> = Vec::new();
    let mut known: BTreeMap<String, (&Exhibit, &Layer, &Unit)> = BTreeMap::new();
    for (exhibit, layer, unit) in units() {
        let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
        let settled = atlas.study.settled(&name);
        if settled.is_some() {
            known.insert(name.clone(), (exhibit, layer, unit));
        }
        let link =
            || Link::new(&name, super::unit_href(&exhibit.config.name, &layer.layer, unit.unit));
        // The same words and terms of several readers are one row.
        let mut said: Vec<(&Phenomenon, Vec<String>)> = Vec::new();
        for term in settled.iter().flat_map(|settled| &settled.terms) {
            labelled.entry(term).or_default().push(link());
        }
        for (reader, _, phenomenon) in atlas.labels.phenomena(&name).filter(|_| settled.is_none()) {
            let same = said.iter_mut().find(|(known, _)| {
                known.description.trim().eq_ignore_ascii_case(phenomenon.description.trim())
                    && known.terms == phenomenon.terms
                    && known.association == phenomenon.association
            });
            match same {
                Some((_, readers)) => readers.push(reader.reader.clone()),
                None => said.push((phenomenon, vec![reader.reader.clone()])),
            }
            for term in &phenomenon.terms {
                let links = labelled.entry(term).or_default();
                if links.last().is_none_or(|last| last.title != name) {
                    links.push(link());
                }
            }
        }
        for (phenomenon, readers) in said {
            let order = phenomenon
                .terms
                .iter()
                .map(|id| atlas.labels.order(id))
                .min()
                .unwrap_or(usize::MAX);
            let (category, suggested) = coded(atlas, phenomenon);
            let row = Row {
                category,
                suggested,
                annotation: atlas.labels.words(phenomenon),
                by: text::and(&readers),
                association: association_words(phenomenon.association),
                note: String::new(),
                words: Vec::new(),
                name: name.clone(),
                unit: Some(atlas.card(exhibit, layer, unit, PATCHES, 1.0)),
            };
            rows.push((order, row));
        }
        for concept in layer.concepts.iter().filter(|c| c.category != Category::Breast) {
            measured.insert(&concept.id, true);
        }
        if let Some((concept, iou)) = best_concept(layer, unit)
            && iou > atlas.detector()
        {
            let card = atlas.card(exhibit, layer, unit, PATCHES, 1.0);
            detected.entry(&concept.id).or_default().push((iou, link(), card));
        }
    }
    rows.sort_by_key(|(order, _)| *order);
    for units in detected.values_mut() {
        units.sort_by(|a, b| b.0.total_cmp(&a.0));
    }
    let mut best: Vec<(usize, Row)> = detected
        .iter()
        .map(|(id, units)| {
            let (iou, _, card) = &units[0];
            let row = Row {
                category: category(atlas, &[(*id).to_string()]),
                annotation: atlas.labels.name(id),
                by: format!("{iou:.3}"),
                association: "",
                suggested: false,
                note: String::new(),
                words: Vec::new(),
                name: card.name.clone(),
                unit: Some(card.clone()),
            };
            (atlas.labels.order(id), row)
        })
        .collect();
    best.sort_by_key(|(order, _)| *order);
    View {
        readers: atlas.inputs.readers.len(),
        settled: settled(atlas, &known),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        measured: best.into_iter().map(|(_, row)| row).collect(),
        downloads: Vec::new(),
        lexicons: coverage(atlas, &labelled, &detected, &measured),
    }
}

/// What the authors settled, in the order of their file.
fn settled(atlas: &Atlas, known: &BTreeMap<String, (&Exhibit, &Layer, &Unit)>) -> Vec<Row> {
    let units = atlas.study.consensus().units.iter();
    units
        .map(|settled| Row {
            category: settled.categories.join(", "),
            suggested: false,
            annotation: settled.label.clone(),
            by: String::new(),
            association: settled.association.map(association_words).unwrap_or_default(),
            note: settled.note.clone().unwrap_or_default(),
            words: atlas
                .labels
                .phenomena(&settled.unit)
                .map(|(reader, _, phenomenon)| Words {
                    reader: reader.reader.clone(),
                    said: match phenomenon.description.trim() {
                        "" => atlas.labels.words(phenomenon),
                        own => format!("\u{201c}{own}\u{201d}"),
                    },
                    association: association_words(phenomenon.association),
                })
                .collect(),
            name: settled.unit.clone(),
            unit: known
                .get(&settled.unit)
                .map(|(exhibit, layer, unit)| atlas.card(exhibit, layer, unit, PATCHES, 1.0)),
        })
        .collect()
}

/// The category of a phenomenon, and whether it is suggested from the words.
fn coded(atlas: &Atlas, phenomenon: &Phenomenon) -> (String, bool) {
    if !phenomenon.terms.is_empty() {
        return (category(atlas, &phenomenon.terms), false);
    }
    let suggestion = atlas.study.matcher.suggest(&phenomenon.description);
    match suggestion.categories.is_empty() {
        true => ("not coded".into(), false),
        false => (suggestion.categories.join(", "), true),
    }
}

/// Categories of the paper's first column: anatomy has none, and is a dash.
fn category(atlas: &Atlas, terms: &[String]) -> String {
    let categories = atlas.labels.categories(terms);
    if categories.is_empty() { NO_CATEGORY.into() } else { categories.join(", ") }
}

fn coverage(
    atlas: &Atlas,
    labelled: &BTreeMap<&str, Vec<Link>>,
    detected: &BTreeMap<&str, Vec<(f32, Link, UnitCard)>>,
    measured: &BTreeMap<&str, bool>,
) -> Vec<LexiconView> {
    let mut lexicons: Vec<LexiconView> = Vec::new();
    for entry in atlas.inputs.lexicons.entries() {
        let id = entry.term.id.as_str();
        let said = labelled.get(id).map_or(&[][..], Vec::as_slice);
        let found = detected.get(id).map_or(&[][..], Vec::as_slice);
        let row = TermRow {
            name: entry.term.name.clone(),
            gloss: entry.term.gloss.clone(),
            labelled: said.iter().take(UNITS).cloned().collect(),
            labelled_more: said.len().saturating_sub(UNITS),
            detected: found.iter().take(UNITS).map(|(_, link, _)| link.clone()).collect(),
            detected_more: found.len().saturating_sub(UNITS),
            measured: measured.contains_key(id),
        };
        if lexicons.last().is_none_or(|last| last.id != entry.lexicon.id) {
            lexicons.push(LexiconView {
                id: entry.lexicon.id.clone(),
                name: entry.lexicon.name.clone(),
                source: entry.lexicon.source.clone(),
                birads: entry.lexicon.birads,
                covered: 0,
                terms: 0,
                groups: Vec::new(),
            });
        }
        // Just pushed, or there before.
        let Some(lexicon) = lexicons.last_mut() else { continue };
        lexicon.terms += 1;
        lexicon.covered += usize::from(!said.is_empty() || !found.is_empty());
        match lexicon.groups.last_mut() {
            Some(group) if group.category == entry.category => group.terms.push(row),
            _ => {
                lexicon.groups.push(GroupView { category: entry.category.into(), terms: vec![row] })
            }
        }
    }
    lexicons
}
