//! The BI-RADS table in the form of the paper's Figure 4, and which terms have a unit at all.
//!
//! What the authors settled of a unit stands first, in the order of their file; units that they did not
//! settle follow as readers named them, one row each. Every reader's words stand below.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::{self, Download};
use super::unit::association_words;
use super::{Atlas, Link, UnitCard, unit_link};
use base::UnitId;
use catalogue::{Entry, Source, concept_words};
use config::figures::Kind;
use study::consensus::{NO_CATEGORY, Settled};

/// Patches per row, and units named per term.
const PATCHES: usize = 6;
const UNITS: usize = 6;

#[derive(Serialize)]
pub(super) struct View {
    readers: usize,
    settled: Vec<Row>,
    rows: Vec<Row>,
    measured: Vec<Row>,
    /// The intersection over union above which a unit detects a concept.
    detector: String,
    lexicons: Vec<LexiconView>,
    downloads: Vec<Download>,
}

impl View {
    /// Units of the table in its order: as settled, else as readers named them, else the best
    /// detectors.
    pub(super) fn units(&self) -> Vec<UnitId> {
        let rows = [&self.settled, &self.rows, &self.measured].into_iter().find(|r| !r.is_empty());
        rows.into_iter().flatten().map(|row| row.id.clone()).collect()
    }
}

/// One row of Figure 4: category, annotation, unit, patches.
#[derive(Serialize)]
struct Row {
    #[serde(skip)]
    id: UnitId,
    category: String,
    /// What the unit is called.
    annotation: String,
    association: &'static str,
    /// Whether its category is suggested from the words, since its readers chose no terms.
    suggested: bool,
    note: String,
    /// What each reader said.
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
    let catalogue = &atlas.catalogue;
    let order = |terms: &[String]| terms.iter().map(|id| atlas.labels.order(id)).min();
    let mut rows: Vec<&Entry> =
        catalogue.units().filter(|entry| entry.name.source() == Source::Readers).collect();
    rows.sort_by_key(|entry| order(&entry.terms).unwrap_or(usize::MAX));
    // By concept: the unit that detects it best.
    let mut best: BTreeMap<&str, (f32, &Entry)> = BTreeMap::new();
    for entry in catalogue.units() {
        for found in entry.detections() {
            let slot = best.entry(&found.concept.id).or_insert((found.found.iou, entry));
            if found.found.iou > slot.0 {
                *slot = (found.found.iou, entry);
            }
        }
    }
    let mut measured: Vec<(usize, Row)> = best
        .into_iter()
        .map(|(concept, (iou, entry))| {
            (atlas.labels.order(concept), detector(atlas, concept, iou, entry))
        })
        .collect();
    measured.sort_by_key(|(order, _)| *order);
    View {
        readers: atlas.inputs.readers.len(),
        settled: atlas.study.consensus.units.iter().map(|unit| settled(atlas, unit)).collect(),
        rows: rows.into_iter().map(|entry| named(atlas, entry)).collect(),
        measured: measured.into_iter().map(|(_, row)| row).collect(),
        detector: catalogue.detector().to_string(),
        downloads: Vec::new(),
        lexicons: coverage(atlas),
    }
}

/// A unit as readers named it.
fn named(atlas: &Atlas, entry: &Entry) -> Row {
    Row {
        id: entry.id.clone(),
        category: entry.figure_4(),
        annotation: entry.name.to_string(),
        association: entry.association.map(association_words).unwrap_or_default(),
        suggested: entry.suggested,
        note: String::new(),
        words: words(atlas, &entry.id),
        name: entry.id.to_string(),
        unit: Some(atlas.card(entry, PATCHES, 1.0)),
    }
}

/// A unit as the authors settled it, whether or not the atlas has it.
fn settled(atlas: &Atlas, settled: &Settled) -> Row {
    let unit = atlas.catalogue.get(&settled.unit);
    Row {
        id: settled.unit.clone(),
        category: unit.map_or_else(|| settled.categories.join(", "), Entry::figure_4),
        annotation: unit
            .map_or_else(|| settled.label.trim().to_owned(), |entry| entry.name.to_string()),
        association: settled.association.map(association_words).unwrap_or_default(),
        suggested: false,
        note: settled.note.clone().unwrap_or_default(),
        words: words(atlas, &settled.unit),
        name: settled.unit.to_string(),
        unit: unit.map(|entry| atlas.card(entry, PATCHES, 1.0)),
    }
}

/// The unit that detects a concept best.
fn detector(atlas: &Atlas, concept: &str, iou: f32, entry: &Entry) -> Row {
    let category = atlas.labels.term(concept).filter(|term| term.lexicon.birads);
    Row {
        id: entry.id.clone(),
        category: category.map_or(NO_CATEGORY, |term| term.category).to_owned(),
        annotation: format!("{}, IoU {iou:.3}", concept_words(concept, atlas.inputs.lexicons)),
        association: "",
        suggested: false,
        note: String::new(),
        words: Vec::new(),
        name: entry.id.to_string(),
        unit: Some(atlas.card(entry, PATCHES, 1.0)),
    }
}

/// What each reader said of a unit.
fn words(atlas: &Atlas, unit: &UnitId) -> Vec<Words> {
    let said = atlas.labels.phenomena(unit);
    said.map(|(reader, _, phenomenon)| Words {
        reader: reader.reader.clone(),
        said: match phenomenon.description.trim() {
            "" => atlas.labels.words(phenomenon),
            own => format!("\u{201c}{own}\u{201d}"),
        },
        association: association_words(phenomenon.association),
    })
    .collect()
}

fn coverage(atlas: &Atlas) -> Vec<LexiconView> {
    let mut lexicons: Vec<LexiconView> = Vec::new();
    let links = |units: &[&UnitId]| units.iter().take(UNITS).map(|unit| unit_link(unit)).collect();
    for row in atlas.catalogue.coverage() {
        let term = row.term;
        if lexicons.last().is_none_or(|last| last.id != term.lexicon.id) {
            lexicons.push(LexiconView {
                id: term.lexicon.id.clone(),
                name: term.lexicon.name.clone(),
                source: term.lexicon.source.clone(),
                birads: term.lexicon.birads,
                covered: 0,
                terms: 0,
                groups: Vec::new(),
            });
        }
        // Just pushed, or there before.
        let Some(lexicon) = lexicons.last_mut() else { continue };
        lexicon.terms += 1;
        lexicon.covered += usize::from(row.is_covered());
        let shown = TermRow {
            name: term.term.name.clone(),
            gloss: term.term.gloss.clone(),
            labelled: links(&row.named),
            labelled_more: row.named.len().saturating_sub(UNITS),
            detected: links(&row.detecting),
            detected_more: row.detecting.len().saturating_sub(UNITS),
            measured: row.outlined,
        };
        match lexicon.groups.last_mut() {
            Some(group) if group.category == term.category => group.terms.push(shown),
            _ => lexicon
                .groups
                .push(GroupView { category: term.category.into(), terms: vec![shown] }),
        }
    }
    lexicons
}
