//! The page "Readers and agreement": what was answered, how far readers agree with each other and with
//! themselves, which terms the units cover, and expert labels against the outlines.

use serde::Serialize;

use super::figures::{self, Download};
use super::{Atlas, Link, association_word, unit_link};
use crate::study_tables;
use crate::text;
use agreement::{Coefficient, Estimate, PUBLISHED, Published, RESAMPLES};
use base::UnitId;
use catalogue::Coverage;
use config::figures::Kind;
use study::answer::Association;
use study::automatic::Relation;
use study::report;
use study::statistics::{Agreement, Progress};

/// Units named in a cell before the rest is only counted.
const UNITS: usize = 12;

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
    coverage: Vec<CoverageView>,
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

/// Agreement on several things of a kind.
#[derive(Serialize)]
pub(super) struct ListView {
    pub(super) id: &'static str,
    title: &'static str,
    note: &'static str,
    pub(super) coefficients: Vec<&'static str>,
    shares: bool,
    pub(super) rows: Vec<AgreementRow>,
}

#[derive(Serialize)]
pub(super) struct AgreementRow {
    pub(super) name: String,
    pub(super) units: usize,
    pub(super) readers: usize,
    share: String,
    pub(super) cells: Vec<Cell>,
}

/// A number with its interval, or why there is none.
#[derive(Serialize)]
pub(super) struct Cell {
    pub(super) value: String,
    pub(super) interval: String,
    why: String,
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
struct CoverageView {
    name: String,
    covered: String,
    groups: Vec<CoverageGroup>,
}

#[derive(Serialize)]
struct CoverageGroup {
    category: String,
    rows: Vec<CoverageRow>,
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
    more: usize,
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
        coverage: coverage_views(atlas),
        chance: study.chance,
        both: study.comparison.both,
        relations: Relation::ALL.map(Relation::name),
        automatic: automatic(atlas),
        associations: ASSOCIATIONS.map(association_word),
        pathology: pathology(atlas),
        resamples: RESAMPLES,
        tables: study_tables::TABLES.iter().map(|table| (table.file, table.row)).collect(),
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

/// Every list of the page but the readers with themselves.
pub(super) fn lists(atlas: &Atlas) -> Vec<ListView> {
    let s = &atlas.study.statistics;
    if s.shared == 0 {
        return Vec::new();
    }
    [
        list(
            "questions",
            "On the questions",
            "Several phenomena and association: over the answers that describe something.",
            &s.questions,
        ),
        list(
            "sets",
            "On all terms of a unit at once",
            "Each answer is a set of terms, or of categories; sets that overlap agree in part. Percent \
             agreement counts the same sets only.",
            &s.sets,
        ),
        list(
            "categories",
            "By category",
            "Whether a reader names the category in a unit; a general one (Mass) holds its refinements.",
            &s.categories,
        ),
        list("terms", "By term", "Terms that a reader named at least once.", &s.terms),
    ]
    .into_iter()
    .filter(|list| !list.rows.is_empty())
    .collect()
}

fn list(
    id: &'static str,
    title: &'static str,
    note: &'static str,
    agreements: &[Agreement],
) -> ListView {
    let coefficients: Vec<Coefficient> = Coefficient::ALL
        .into_iter()
        .filter(|c| agreements.iter().any(|agreement| agreement.of(*c).is_some()))
        .collect();
    ListView {
        id,
        title,
        note,
        coefficients: coefficients.iter().map(|c| c.name()).collect(),
        shares: agreements.iter().any(|agreement| agreement.share.is_some()),
        rows: agreements
            .iter()
            .map(|agreement| AgreementRow {
                name: agreement.name.clone(),
                units: agreement.units,
                readers: agreement.readers,
                share: agreement.share.map_or_else(|| "–".into(), text::percent_whole),
                cells: coefficients.iter().map(|c| cell(*c, agreement.of(*c))).collect(),
            })
            .collect(),
    }
}

fn cell(coefficient: Coefficient, estimate: Option<Estimate>) -> Cell {
    let shown = |value: f64| match coefficient {
        Coefficient::Percent => text::percent_whole(value),
        _ => report::round(value),
    };
    let none = || Cell { value: String::new(), interval: String::new(), why: String::new() };
    match estimate {
        Some(Estimate::Value { value, interval }) => Cell {
            value: shown(value),
            interval: interval.map_or_else(String::new, |[low, high]| {
                format!("{} to {}", shown(low), shown(high))
            }),
            ..none()
        },
        Some(Estimate::Undefined(reason)) => Cell { why: reason.to_string(), ..none() },
        None => none(),
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

fn coverage_views(atlas: &Atlas) -> Vec<CoverageView> {
    let rows = atlas.catalogue.coverage();
    let row = |row: &Coverage| CoverageRow {
        name: row.term.term.name.clone(),
        cells: atlas
            .inputs
            .exhibits
            .iter()
            .map(|exhibit| {
                let network = &exhibit.config.name;
                let detecting = row.outlined.then(|| row.detecting_in(network).to_string());
                [row.named_in(network).to_string(), detecting.unwrap_or_else(|| "–".into())]
            })
            .collect(),
        never: !row.is_covered(),
    };
    let lexicons = rows.chunk_by(|a, b| a.term.lexicon.id == b.term.lexicon.id);
    lexicons
        .map(|lexicon| {
            let covered = lexicon.iter().filter(|row| row.is_covered()).count();
            let groups = lexicon.chunk_by(|a, b| a.term.category == b.term.category);
            CoverageView {
                name: lexicon[0].term.lexicon.name.clone(),
                covered: format!("{covered} of {}", lexicon.len()),
                groups: groups
                    .map(|group| CoverageGroup {
                        category: group[0].term.category.to_owned(),
                        rows: group.iter().map(row).collect(),
                    })
                    .collect(),
            }
        })
        .collect()
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
        more: units.len().saturating_sub(UNITS),
    }
}
