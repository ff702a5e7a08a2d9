//! The units of the BI-RADS table, in the form of the paper's Figure 4: what the authors settled of a unit
//! stands first, in the order of their file and with every reader's words beside it; units that they did
//! not settle follow in the readers' own words.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Atlas;
use super::paths::{Link, unit_href};
use super::units::best_concept;
use super::words::association_words;
use crate::inputs::Exhibit;
use crate::text;
use base::unit_name;
use record::dissection::{Category, Layer, Unit};
use study::answer::Phenomenon;
use study::consensus::NO_CATEGORY;

/// A unit with its layer and network.
pub(crate) type Place<'a> = (&'a Exhibit<'a>, &'a Layer, &'a Unit);

/// The table, and the units of each term.
pub(crate) struct Table<'a> {
    /// What the authors settled.
    pub(crate) settled: Vec<Line<'a>>,
    /// What readers said of other units, in the order of the lexicons.
    pub(crate) said: Vec<Line<'a>>,
    /// The best detector of each concept.
    pub(crate) measured: Vec<Line<'a>>,
    /// Units that a term was given to.
    pub(crate) labelled: BTreeMap<&'a str, Vec<Link>>,
    /// Units that detect a concept, best first, with their IoU.
    pub(crate) detected: BTreeMap<&'a str, Vec<(f32, Link, Place<'a>)>>,
    /// Concepts that the data set has masks of, so that a detector could have been found.
    pub(crate) outlined: BTreeSet<&'a str>,
}

/// One row: category, annotation, unit.
pub(crate) struct Line<'a> {
    pub(crate) category: String,
    pub(crate) annotation: String,
    /// Who says so: readers, or the IoU.
    pub(crate) by: String,
    pub(crate) association: &'static str,
    /// Whether the category is suggested from the words, since the reader chose no terms.
    pub(crate) suggested: bool,
    pub(crate) note: String,
    /// What each reader said, where the annotation is the authors'.
    pub(crate) words: Vec<Words>,
    pub(crate) name: String,
    /// The unit; none where the atlas does not have it.
    pub(crate) unit: Option<Place<'a>>,
}

/// What one reader said.
#[derive(Serialize)]
pub(crate) struct Words {
    reader: String,
    said: String,
    association: &'static str,
}

impl Table<'_> {
    /// Units of the table in its order: as settled, else in the readers' words, else the best
    /// detectors.
    fn names(&self) -> Vec<String> {
        let rows = [&self.settled, &self.said, &self.measured].into_iter().find(|r| !r.is_empty());
        rows.into_iter().flatten().map(|row| row.name.clone()).collect()
    }
}

impl Atlas<'_> {
    /// The units of the table that the atlas has, each once, in its order.
    pub(crate) fn tabled(&self) -> &[String] {
        self.tabled.get_or_init(|| {
            let mut names: Vec<String> = Vec::new();
            for name in table(self).names() {
                if self.labels.has_unit(&name) && !names.contains(&name) {
                    names.push(name);
                }
            }
            names
        })
    }
}

/// Sorts out what is known.
pub(crate) fn table<'a>(atlas: &Atlas<'a>) -> Table<'a> {
    let units = || {
        atlas
            .layers()
            .flat_map(|(exhibit, layer)| layer.units.iter().map(move |unit| (exhibit, layer, unit)))
    };
    // By term: units that readers gave it to, and units that detect it, best first.
    let mut labelled: BTreeMap<&str, Vec<Link>> = BTreeMap::new();
    let mut detected: BTreeMap<&str, Vec<(f32, Link, Place)>> = BTreeMap::new();
    let mut outlined: BTreeSet<&str> = BTreeSet::new();
    let mut rows: Vec<(usize, Line)> = Vec::new();
    let mut known: BTreeMap<String, Place> = BTreeMap::new();
    for (exhibit, layer, unit) in units() {
        let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
        let settled = atlas.study.settled(&name);
        if settled.is_some() {
            known.insert(name.clone(), (exhibit, layer, unit));
        }
        let link = || Link::new(&name, unit_href(&exhibit.config.name, &layer.layer, unit.unit));
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
            let row = Line {
                category,
                suggested,
                annotation: atlas.labels.words(phenomenon),
                by: text::and(&readers),
                association: association_words(phenomenon.association),
                note: String::new(),
                words: Vec::new(),
                name: name.clone(),
                unit: Some((exhibit, layer, unit)),
            };
            rows.push((order, row));
        }
        for concept in layer.concepts.iter().filter(|c| c.category != Category::Breast) {
            outlined.insert(&concept.id);
        }
        if let Some((concept, iou)) = best_concept(layer, unit)
            && iou > atlas.detector()
        {
            let place = (exhibit, layer, unit);
            detected.entry(&concept.id).or_default().push((iou, link(), place));
        }
    }
    rows.sort_by_key(|(order, _)| *order);
    for units in detected.values_mut() {
        units.sort_by(|a, b| b.0.total_cmp(&a.0));
    }
    let mut best: Vec<(usize, Line)> = detected
        .iter()
        .map(|(id, units)| {
            let (iou, link, place) = &units[0];
            let row = Line {
                category: category(atlas, &[(*id).to_string()]),
                annotation: atlas.labels.name(id),
                by: format!("{iou:.3}"),
                association: "",
                suggested: false,
                note: String::new(),
                words: Vec::new(),
                name: link.title.clone(),
                unit: Some(*place),
            };
            (atlas.labels.order(id), row)
        })
        .collect();
    best.sort_by_key(|(order, _)| *order);
    Table {
        settled: settled(atlas, &known),
        said: rows.into_iter().map(|(_, row)| row).collect(),
        measured: best.into_iter().map(|(_, row)| row).collect(),
        labelled,
        detected,
        outlined,
    }
}

/// What the authors settled, in the order of their file.
fn settled<'a>(atlas: &Atlas<'a>, known: &BTreeMap<String, Place<'a>>) -> Vec<Line<'a>> {
    let units = atlas.study.consensus().units.iter();
    units
        .map(|settled| Line {
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
            unit: known.get(&settled.unit).copied(),
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
