//! The page "Readers and agreement": what was answered, how far readers agree with each other and with
//! themselves, which terms the units cover, and expert labels against the outlines.

use anyhow::Result;
use serde::Serialize;

use super::navigation::Entry;
use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::coefficients::{Cell, ListView, cell, list, lists};
use crate::facts::coverage::{self, LexiconView};
use crate::facts::paths::{Link, unit_link};
use crate::facts::words::association_word;
use crate::figures::{self, Download};
use crate::{export, text};
use agreement::{Coefficient, PUBLISHED, Published, RESAMPLES};
use base::UnitId;
use catalogue::Coverage;
use config::figures::Kind;
use study::answer::Association;
use study::automatic::Relation;
use study::report;
use study::statistics::Progress;

/// Units named in a cell before the rest is only counted.
const UNITS: usize = 12;

/// Readers and agreement.
struct Agreement;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Agreement)]
}

impl Page for Agreement {
    type View = View;
    const TEMPLATE: &'static str = "agreement.html";

    fn path(&self) -> String {
        "agreement/index.html".into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::new(25, "Readers")
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new(
            "Readers and agreement",
            "What readers said of the units, and how far they agree",
        ))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    readers: usize,
    units: usize,
    shared: usize,
    phenomena: usize,
    suggested: usize,
    settled: usize,
    paragraph: String,
    progress: Vec<ProgressRow>,
    timed: bool,
    lists: Vec<ListView>,
    pairs: Vec<PairRow>,
    repeats: Vec<RepeatView>,
    published: Vec<Published>,
    networks: Vec<String>,
    coverage: Vec<LexiconView<CoverageRow>>,
    chance: bool,
    both: usize,
    relations: [&'static str; 5],
    automatic: Vec<CellsRow>,
    associations: [&'static str; 4],
    pathology: Vec<CellsRow>,
    resamples: u32,
    tables: Vec<(&'static str, &'static str)>,
    downloads: Vec<Download>,
}

#[derive(Serialize)]
struct ProgressRow {
    reader: String,
    network: String,
    total: bool,
    answered: usize,
    recognizable: String,
    unrecognizable: String,
    unsure: String,
    single: String,
    entangled: String,
    malignant: String,
    repeated: usize,
    seconds: String,
}

#[derive(Serialize)]
struct PairRow {
    readers: String,
    question: String,
    units: usize,
    kappa: Cell,
}

#[derive(Serialize)]
struct RepeatView {
    reader: String,
    units: usize,
    list: ListView,
}

#[derive(Serialize)]
struct CoverageRow {
    name: String,
    /// Per network: units that experts named it in, and units that detect it.
    cells: Vec<[String; 2]>,
    never: bool,
}

/// A row of a table whose cells are units.
#[derive(Serialize)]
struct CellsRow {
    name: String,
    standing: String,
    cells: Vec<UnitsCell>,
}

#[derive(Serialize)]
struct UnitsCell {
    count: usize,
    units: Vec<Link>,
    more: Vec<Link>,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let study = &atlas.study;
    let s = &study.statistics;
    View {
        readers: s.readers.len(),
        units: s.units,
        shared: s.shared,
        phenomena: s.phenomena,
        suggested: s.suggested,
        settled: study.consensus.units.len(),
        paragraph: report::paragraph(s, Some(&study.comparison), &atlas.lexicon_name()),
        progress: s.progress.iter().map(progress).collect(),
        timed: s.progress.iter().any(|row| row.seconds.is_some()),
        lists: lists(atlas),
        pairs: pairs(atlas),
        repeats: s
            .repeats
            .iter()
            .map(|repeats| RepeatView {
                reader: repeats.reader.clone().unwrap_or_else(|| "all readers".into()),
                units: repeats.units,
                list: list("repeats", "", "", &repeats.agreement),
            })
            .collect(),
        published: PUBLISHED.to_vec(),
        networks: atlas.inputs.exhibits.iter().map(|e| e.config.name.clone()).collect(),
        coverage: covered(atlas),
        chance: study.chance,
        both: study.comparison.both,
        relations: Relation::ALL.map(Relation::name),
        automatic: automatic(atlas),
        associations: ASSOCIATIONS.map(association_word),
        pathology: pathology(atlas),
        resamples: RESAMPLES,
        tables: export::OF_STUDY.iter().map(|table| (table.file, table.row)).collect(),
        downloads: figures::downloads(atlas, |kind| matches!(kind, Kind::Agreement)),
    }
}

const ASSOCIATIONS: [Association; 4] =
    [Association::Malignant, Association::Benign, Association::Unsure, Association::None];

fn progress(row: &Progress) -> ProgressRow {
    let of = |part: usize, whole: usize| match whole {
        0 => "–".to_owned(),
        _ => format!("{part} ({})", text::percent_whole(part as f64 / whole as f64)),
    };
    ProgressRow {
        reader: row.reader.clone().unwrap_or_else(|| "all readers".into()),
        network: row.network.clone().unwrap_or_else(|| "all".into()),
        total: row.network.is_none(),
        answered: row.answered,
        recognizable: of(row.recognizable, row.answered),
        unrecognizable: of(row.unrecognizable, row.answered),
        unsure: of(row.unsure, row.answered),
        single: of(row.single, row.described),
        entangled: of(row.entangled, row.described),
        malignant: of(row.malignant, row.described),
        repeated: row.repeated,
        seconds: row.seconds.map_or_else(|| "–".into(), |s| format!("{s:.0}")),
    }
}

fn pairs(atlas: &Atlas) -> Vec<PairRow> {
    let s = &atlas.study.statistics;
    if s.readers.len() < 3 {
        return Vec::new();
    }
    s.questions
        .iter()
        .chain(&s.categories)
        .flat_map(|agreement| {
            agreement.pairs.iter().map(|pair| PairRow {
                readers: text::and(&pair.readers),
                question: agreement.name.clone(),
                units: pair.units,
                kappa: cell(Coefficient::Cohen, Some(pair.kappa)),
            })
        })
        .collect()
}

fn covered(atlas: &Atlas) -> Vec<LexiconView<CoverageRow>> {
    let cell = |row: &Coverage, network: &str| {
        let detecting = row.outlined.then(|| row.detecting_in(network).to_string());
        [row.named_in(network).to_string(), detecting.unwrap_or_else(|| "–".into())]
    };
    let exhibits = atlas.inputs.exhibits;
    coverage::lexicons(atlas, |row| CoverageRow {
        name: row.term.term.name.clone(),
        cells: exhibits.iter().map(|exhibit| cell(row, &exhibit.config.name)).collect(),
        never: !row.is_covered(),
    })
}

fn automatic(atlas: &Atlas) -> Vec<CellsRow> {
    let mut rows: Vec<(usize, CellsRow)> = atlas
        .study
        .comparison
        .terms
        .iter()
        .map(|(concept, cells)| {
            let units = |relation: Relation| units(cells.get(&relation));
            let row = CellsRow {
                name: atlas.labels.name(concept),
                standing: atlas.labels.standing(concept),
                cells: Relation::ALL.map(units).into(),
            };
            (atlas.labels.order(concept), row)
        })
        .collect();
    rows.sort_by_key(|(order, _)| *order);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn pathology(atlas: &Atlas) -> Vec<CellsRow> {
    let rows = atlas.study.comparison.pathology.iter();
    rows.map(|(concept, cells)| CellsRow {
        name: atlas.labels.name(concept),
        standing: String::new(),
        cells: ASSOCIATIONS.map(|association| units(cells.get(&association))).into(),
    })
    .collect()
}

fn units(units: Option<&Vec<UnitId>>) -> UnitsCell {
    let units = units.map_or(&[][..], Vec::as_slice);
    UnitsCell {
        count: units.len(),
        units: units.iter().take(UNITS).map(unit_link).collect(),
        more: units.iter().skip(UNITS).map(unit_link).collect(),
    }
}
