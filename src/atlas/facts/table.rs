//! The units of the BI-RADS table, in the form of the paper's Figure 4: what the authors settled of a unit
//! stands first, in the order of their file; units that they did not settle follow as readers named them,
//! one row each. Every reader's words stand below.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Atlas;
use super::words::association_words;
use base::UnitId;
use catalogue::{Entry, Source, concept_words};
use study::consensus::{NO_CATEGORY, Settled};

/// The table.
pub(crate) struct Table<'t, 'a> {
    /// What the authors settled.
    pub(crate) settled: Vec<Line<'t, 'a>>,
    /// What readers named in other units, in the order of the lexicons.
    pub(crate) named: Vec<Line<'t, 'a>>,
    /// For each concept the unit that detects it best.
    pub(crate) measured: Vec<Line<'t, 'a>>,
}

/// One row: category, annotation, unit.
pub(crate) struct Line<'t, 'a> {
    pub(crate) id: UnitId,
    pub(crate) category: String,
    /// What the unit is called.
    pub(crate) annotation: String,
    pub(crate) association: &'static str,
    /// Whether its category is suggested from the words, since its readers chose no terms.
    pub(crate) suggested: bool,
    pub(crate) note: String,
    /// What each reader said.
    pub(crate) words: Vec<Words>,
    /// The unit; none where the atlas does not have it.
    pub(crate) unit: Option<&'t Entry<'a>>,
}

/// What one reader said.
#[derive(Serialize)]
pub(crate) struct Words {
    reader: String,
    said: String,
    association: &'static str,
}

impl Table<'_, '_> {
    /// Units of the table in its order: as settled, else as readers named them, else the best detectors.
    fn units(&self) -> Vec<UnitId> {
        let rows = [&self.settled, &self.named, &self.measured].into_iter().find(|r| !r.is_empty());
        rows.into_iter().flatten().map(|row| row.id.clone()).collect()
    }
}

impl Atlas<'_> {
    /// The units of the table that the atlas has, each once, in its order.
    pub(crate) fn tabled(&self) -> &[UnitId] {
        self.tabled.get_or_init(|| {
            let mut units: Vec<UnitId> = Vec::new();
            for unit in table(self).units() {
                if self.catalogue.get(&unit).is_some() && !units.contains(&unit) {
                    units.push(unit);
                }
            }
            units
        })
    }
}

/// Sorts out what is known.
pub(crate) fn table<'t, 'a>(atlas: &'t Atlas<'a>) -> Table<'t, 'a> {
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
    let mut measured: Vec<(usize, Line)> = best
        .into_iter()
        .map(|(concept, (iou, entry))| {
            (atlas.labels.order(concept), detector(atlas, concept, iou, entry))
        })
        .collect();
    measured.sort_by_key(|(order, _)| *order);
    Table {
        settled: atlas.study.consensus.units.iter().map(|unit| settled(atlas, unit)).collect(),
        named: rows.into_iter().map(|entry| named(atlas, entry)).collect(),
        measured: measured.into_iter().map(|(_, row)| row).collect(),
    }
}

/// A unit as readers named it.
fn named<'t, 'a>(atlas: &Atlas, entry: &'t Entry<'a>) -> Line<'t, 'a> {
    Line {
        id: entry.id.clone(),
        category: entry.figure_4(),
        annotation: entry.name.to_string(),
        association: entry.association.map(association_words).unwrap_or_default(),
        suggested: entry.suggested,
        note: String::new(),
        words: words(atlas, &entry.id),
        unit: Some(entry),
    }
}

/// A unit as the authors settled it, whether or not the atlas has it.
fn settled<'t, 'a>(atlas: &'t Atlas<'a>, settled: &Settled) -> Line<'t, 'a> {
    let unit = atlas.catalogue.get(&settled.unit);
    Line {
        id: settled.unit.clone(),
        category: unit.map_or_else(|| settled.categories.join(", "), Entry::figure_4),
        annotation: unit
            .map_or_else(|| settled.label.trim().to_owned(), |entry| entry.name.to_string()),
        association: settled.association.map(association_words).unwrap_or_default(),
        suggested: false,
        note: settled.note.clone().unwrap_or_default(),
        words: words(atlas, &settled.unit),
        unit,
    }
}

/// The unit that detects a concept best.
fn detector<'t, 'a>(atlas: &Atlas, concept: &str, iou: f32, entry: &'t Entry<'a>) -> Line<'t, 'a> {
    let category = atlas.labels.term(concept).filter(|term| term.lexicon.birads);
    Line {
        id: entry.id.clone(),
        category: category.map_or(NO_CATEGORY, |term| term.category).to_owned(),
        annotation: format!("{}, IoU {iou:.3}", concept_words(concept, atlas.inputs.lexicons)),
        association: "",
        suggested: false,
        note: String::new(),
        words: Vec::new(),
        unit: Some(entry),
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
