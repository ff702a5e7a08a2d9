//! The BI-RADS table in the form of the paper's Figure 4, and which terms have a unit at all.

use anyhow::Result;
use serde::Serialize;

use super::page::{Entry, Files, Head, Page, Site, html};
use super::parts::UnitCard;
use crate::facts::Atlas;
use crate::facts::paths::Link;
use crate::facts::table::{Line, Table, Words, table};
use crate::figures::{self, Download};
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
    lexicons: Vec<LexiconView>,
    downloads: Vec<Download>,
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

fn view(atlas: &Atlas) -> View {
    let table = table(atlas);
    let lexicons = coverage(atlas, &table);
    let rows = |lines: Vec<Line>| lines.into_iter().map(|line| Row::new(atlas, line)).collect();
    View {
        readers: atlas.inputs.readers.len(),
        settled: rows(table.settled),
        rows: rows(table.said),
        measured: rows(table.measured),
        downloads: figures::downloads(atlas, |kind| matches!(kind, Kind::Table { .. })),
        lexicons,
    }
}

impl Row {
    fn new(atlas: &Atlas, line: Line) -> Self {
        let Line { category, annotation, by, association, suggested, note, words, name, unit } =
            line;
        let card = |(exhibit, layer, unit)| atlas.card(exhibit, layer, unit, PATCHES, 1.0);
        let unit = unit.map(card);
        Self { category, annotation, by, association, suggested, note, words, name, unit }
    }
}

fn coverage(atlas: &Atlas, table: &Table) -> Vec<LexiconView> {
    let mut lexicons: Vec<LexiconView> = Vec::new();
    for entry in atlas.inputs.lexicons.entries() {
        let id = entry.term.id.as_str();
        let said = table.labelled.get(id).map_or(&[][..], Vec::as_slice);
        let found = table.detected.get(id).map_or(&[][..], Vec::as_slice);
        let row = TermRow {
            name: entry.term.name.clone(),
            gloss: entry.term.gloss.clone(),
            labelled: said.iter().take(UNITS).cloned().collect(),
            labelled_more: said.len().saturating_sub(UNITS),
            detected: found.iter().take(UNITS).map(|(_, link, _)| link.clone()).collect(),
            detected_more: found.len().saturating_sub(UNITS),
            measured: table.outlined.contains(id),
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
