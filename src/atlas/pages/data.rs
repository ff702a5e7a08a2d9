//! The data page: what the atlas was made from, counted and drawn, a contact sheet to check outlines
//! by eye, what was left out, and the tables to download.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use super::croissant::CROISSANT;
use super::navigation::{Entry, Menu};
use super::page::{Files, Head, Page, Site, html};
use super::parts::MammogramView;
use crate::facts::Atlas;
use crate::facts::paths::{self, Link};
use crate::facts::reporting::Document;
use crate::facts::sheet::sheet;
use crate::{export, text};
use base::{Notice, Split};
use lexicon::Vocabulary;
use record::tally::{self, Title};

/// Notices of each kind that are listed: a page with those of a hundred thousand mammograms would be of megabytes.
const LISTED: usize = 500;

/// The data page.
struct Data;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Data)]
}

impl Page for Data {
    type View = View;
    const TEMPLATE: &'static str = "data.html";

    fn path(&self) -> String {
        paths::DATA.into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::under(Menu::More, 40, "Data")
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new(
            "Data",
            "The mammograms and patches behind this atlas, and tables to download",
        ))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    source: String,
    description: String,
    citation: String,
    licence: Option<String>,
    /// Whether that is an address.
    licence_is_address: bool,
    /// What describes it otherwise.
    reporting: Vec<Link>,
    /// The description for programs.
    croissant: &'static str,
    summary: Vec<String>,
    splits: Vec<SplitRow>,
    groups: Vec<GroupView>,
    vocabulary: Option<VocabularyView>,
    sheet: Vec<MammogramView>,
    /// Whether the split, and the patches, are the source's own.
    given_split: bool,
    given_patches: bool,
    /// Mammograms that there are only patches of.
    imageless: usize,
    /// Notices, of very many the first; and how many there are.
    skipped: Vec<(String, String)>,
    skipped_count: usize,
    remarks: Vec<(String, String)>,
    remarks_count: usize,
    tables: Vec<TableView>,
}

#[derive(Serialize)]
struct SplitRow {
    name: String,
    patients: String,
    mammograms: String,
    patches: String,
    positives: String,
    share: String,
}

/// Counts of one kind, drawn as bars.
#[derive(Serialize)]
struct GroupView {
    title: &'static str,
    rows: Vec<RowView>,
}

#[derive(Serialize)]
struct RowView {
    name: String,
    /// Where a term stands in its lexicon; empty otherwise.
    standing: String,
    counts: [String; 3],
    total: String,
    /// Widths of the three parts of the bar, as percentages of the longest bar.
    widths: [String; 3],
}

/// What the source's keywords became.
#[derive(Serialize)]
struct VocabularyView {
    name: String,
    source: String,
    fields: Vec<FieldView>,
}

#[derive(Serialize)]
struct FieldView {
    field: String,
    words: Vec<WordView>,
}

#[derive(Serialize)]
struct WordView {
    word: String,
    /// What each edition calls it, and whether something is lost on the way.
    fourth: String,
    fourth_lossy: bool,
    fifth: String,
    fifth_standing: String,
    fifth_lossy: bool,
    note: String,
}

#[derive(Serialize)]
struct TableView {
    file: &'static str,
    href: String,
    row: &'static str,
    /// Names with their meaning.
    columns: Vec<[&'static str; 2]>,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let manifest = atlas.inputs.manifest;
    let clean = |value: &str| atlas.told(value);
    let row = |name: &str, kept: &dyn Fn(Split) -> bool| {
        let members: Vec<_> = manifest.mammograms.iter().filter(|m| kept(m.split)).collect();
        let patients: BTreeSet<&str> =
            members.iter().map(|m| m.mammogram.patient.as_str()).collect();
        let patches = manifest.patches.iter().filter(|p| kept(manifest.split(p)));
        let (all, positives) =
            patches.fold((0u64, 0u64), |(all, yes), p| (all + 1, yes + u64::from(p.positive)));
        SplitRow {
            name: name.into(),
            patients: text::count(patients.len() as u64),
            mammograms: text::count(members.len() as u64),
            patches: text::count(all),
            positives: text::count(positives),
            share: if all == 0 {
                "–".into()
            } else {
                text::percent(positives as f64 / all as f64)
            },
        }
    };
    let mut splits: Vec<SplitRow> = [Split::Train, Split::Validation, Split::Test]
        .iter()
        .map(|split| row(&split.to_string(), &|s| s == *split))
        .collect();
    splits.push(row("all", &|_| true));
    let of_kind =
        |skipped: bool| manifest.notices.iter().filter(move |n: &&Notice| n.skipped == skipped);
    let notices = |skipped: bool| -> Vec<(String, String)> {
        let some = of_kind(skipped).take(LISTED);
        some.map(|n| (clean(&n.place), clean(&n.message))).collect()
    };
    View {
        source: manifest.source.name.clone(),
        description: clean(&manifest.source.description),
        citation: clean(&manifest.source.citation),
        licence: manifest.source.licence.as_deref().map(clean),
        licence_is_address: manifest
            .source
            .licence
            .as_ref()
            .is_some_and(|terms| terms.starts_with("https://") && !terms.contains(' ')),
        reporting: vec![
            Link::new("Datasheet", Document::Datasheet.path()),
            Link::new("CLAIM checklist", Document::Claim.path()),
        ],
        croissant: CROISSANT,
        summary: manifest.summary.iter().map(|line| clean(line)).collect(),
        splits,
        groups: groups(atlas),
        vocabulary: vocabulary(atlas),
        sheet: sheet(manifest).into_iter().map(|number| atlas.mammogram(number)).collect(),
        given_split: manifest.given.patients > 0,
        given_patches: manifest.given.patches,
        imageless: manifest.mammograms.iter().filter(|m| m.preview.is_none()).count(),
        skipped: notices(true),
        skipped_count: of_kind(true).count(),
        remarks: notices(false),
        remarks_count: of_kind(false).count(),
        tables: export::all()
            .map(|table| TableView {
                file: table.file,
                href: table.path(),
                row: table.row,
                columns: table.columns.iter().map(|&[name, meaning, _]| [name, meaning]).collect(),
            })
            .collect(),
    }
}

fn groups(atlas: &Atlas) -> Vec<GroupView> {
    let mut groups = Vec::new();
    for tally::Group { title, rows } in tally::tally(atlas.inputs.manifest) {
        let title_words = match title {
            // The table of the splits has it.
            Title::Whole => continue,
            Title::Views => "Mammograms by view",
            Title::Densities => "Mammograms by breast composition",
            Title::Pathologies => "Lesions by pathology",
            Title::Terms => "Lesions by term",
        };
        let longest = rows.iter().map(tally::Row::total).max().unwrap_or(0).max(1) as f64;
        let of_lexicon = |id: &str| atlas.labels.term(id).is_some();
        let row = |row: tally::Row| RowView {
            name: if of_lexicon(&row.name) {
                atlas.labels.name(&row.name)
            } else {
                row.name.clone()
            },
            standing: match title {
                Title::Terms => atlas.labels.standing(&row.name),
                _ => String::new(),
            },
            counts: row.counts.map(text::count),
            total: text::count(row.total()),
            widths: row.counts.map(|n| format!("{:.2}", 100.0 * n as f64 / longest)),
        };
        groups.push(GroupView { title: title_words, rows: rows.into_iter().map(row).collect() });
    }
    groups
}

/// For data sets that have DDSM's keywords.
fn vocabulary(atlas: &Atlas) -> Option<VocabularyView> {
    let kind = atlas.inputs.manifest.source.kind.as_str();
    if !matches!(kind, "ddsm" | "cbis_ddsm") {
        return None;
    }
    let vocabulary = Vocabulary::ddsm();
    let word = |word: &lexicon::Word| WordView {
        word: word.word.clone(),
        fourth: word.bi_rads_4.clone(),
        fourth_lossy: word.lossy.contains(&4),
        fifth: atlas.labels.name(&word.bi_rads_5),
        fifth_standing: atlas.labels.standing(&word.bi_rads_5),
        fifth_lossy: word.lossy.contains(&5),
        note: word.note.clone(),
    };
    let fields = vocabulary.fields.iter().map(|field| FieldView {
        field: field.field.clone(),
        words: field.words.iter().map(word).collect(),
    });
    Some(VocabularyView {
        name: vocabulary.name.clone(),
        source: vocabulary.source.clone(),
        fields: fields.collect(),
    })
}
