//! The BI-RADS table in the form of the paper's Figure 4, and which terms have a unit at all.

use anyhow::Result;
use serde::Serialize;

use super::navigation::Entry;
use super::page::{Files, Head, Page, Site, html};
use super::parts::UnitCard;
use crate::facts::Atlas;
use crate::facts::coverage::{self, LexiconView};
use crate::facts::paths::{Link, concept_href, unit_link};
use crate::facts::table::{Line, Words, table};
use crate::figures::{self, Download};
use base::UnitId;
use config::figures::Kind;

/// Patches per row, and units named per term.
const PATCHES: usize = 6;
const UNITS: usize = 6;

/// The BI-RADS table.
struct Birads;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Birads)]
}

impl Page for Birads {
    type View = View;
    const TEMPLATE: &'static str = "birads.html";

    fn path(&self) -> String {
        "birads/index.html".into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::new(20, "BI-RADS table")
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new(
            "BI-RADS table",
            "Units of the networks by the BI-RADS category of what they show",
        ))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    readers: usize,
    settled: Vec<Row>,
    rows: Vec<Row>,
    measured: Vec<Row>,
    /// The intersection over union above which a unit detects a concept.
    detector: String,
    /// Whether a machine was asked.
    machine: bool,
    lexicons: Vec<LexiconView<TermRow>>,
    downloads: Vec<Download>,
}

/// One row of Figure 4: category, annotation, unit, patches.
#[derive(Serialize)]
struct Row {
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
struct TermRow {
    name: String,
    gloss: String,
    /// Its page, which names all units; for terms that have one.
    href: String,
    labelled: Vec<Link>,
    labelled_more: usize,
    detected: Vec<Link>,
    detected_more: usize,
    called: Vec<Link>,
    called_more: usize,
    /// Whether the data set has masks of it, so that a detector could have been found.
    measured: bool,
}

fn view(atlas: &Atlas) -> View {
    let table = table(atlas);
    let rows = |lines: Vec<Line>| lines.into_iter().map(|line| Row::new(atlas, line)).collect();
    View {
        readers: atlas.inputs.readers.len(),
        settled: rows(table.settled),
        rows: rows(table.named),
        measured: rows(table.measured),
        detector: atlas.catalogue.detector().to_string(),
        downloads: figures::downloads(atlas, |kind| matches!(kind, Kind::Table { .. })),
        machine: !atlas.inputs.names.is_empty(),
        lexicons: lexicons(atlas),
    }
}

impl Row {
    fn new(atlas: &Atlas, line: Line) -> Self {
        let Line { id, category, annotation, association, suggested, note, words, unit } = line;
        Self {
            name: id.to_string(),
            category,
            annotation,
            association,
            suggested,
            note,
            words,
            unit: unit.map(|entry| atlas.card(entry, PATCHES, 1.0)),
        }
    }
}

fn lexicons(atlas: &Atlas) -> Vec<LexiconView<TermRow>> {
    let links = |units: &[&UnitId]| units.iter().take(UNITS).map(|unit| unit_link(unit)).collect();
    coverage::lexicons(atlas, |row| TermRow {
        name: row.term.term.name.clone(),
        href: concept_href(&row.term.term.id),
        gloss: row.term.term.gloss.clone(),
        labelled: links(&row.named),
        labelled_more: row.named.len().saturating_sub(UNITS),
        detected: links(&row.detecting),
        detected_more: row.detecting.len().saturating_sub(UNITS),
        called: links(&row.called),
        called_more: row.called.len().saturating_sub(UNITS),
        measured: row.outlined,
    })
}
