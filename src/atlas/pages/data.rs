//! The data page: what the atlas was made from, what was left out, and the tables to download.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Atlas;
use crate::atlas::export::TABLES;
use crate::atlas::text;
use crate::config::Split;
use crate::source::Notice;

/// Notices listed per kind; the rest is counted.
const LISTED: usize = 20;

#[derive(Serialize)]
pub(super) struct View {
    source: String,
    description: String,
    citation: String,
    summary: Vec<String>,
    splits: Vec<SplitRow>,
    findings: Vec<(String, String)>,
    skipped: NoticeList,
    remarks: NoticeList,
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

#[derive(Serialize)]
struct NoticeList {
    count: String,
    listed: Vec<(String, String)>,
    more: usize,
}

#[derive(Serialize)]
struct TableView {
    file: &'static str,
    href: String,
    row: &'static str,
    columns: &'static [(&'static str, &'static str)],
}

pub(super) fn view(atlas: &Atlas) -> View {
    let manifest = atlas.inputs.manifest;
    let folders = atlas.folders();
    let clean = |value: &str| text::without_folders(value, &folders);
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
    let mut findings: BTreeMap<&'static str, u64> = BTreeMap::new();
    for lesion in manifest.mammograms.iter().flat_map(|m| &m.mammogram.lesions) {
        *findings.entry(super::pathology_word(lesion.pathology)).or_default() += 1;
    }
    let notices = |skipped: bool| {
        let list: Vec<&Notice> = manifest.notices.iter().filter(|n| n.skipped == skipped).collect();
        NoticeList {
            count: text::count(list.len() as u64),
            listed: list
                .iter()
                .take(LISTED)
                .map(|n| (clean(&n.place), clean(&n.message)))
                .collect(),
            more: list.len().saturating_sub(LISTED),
        }
    };
    View {
        source: manifest.source.name.clone(),
        description: clean(&manifest.source.description),
        citation: clean(&manifest.source.citation),
        summary: manifest.summary.iter().map(|line| clean(line)).collect(),
        splits,
        findings: findings
            .into_iter()
            .map(|(name, count)| (name.to_string(), text::count(count)))
            .collect(),
        skipped: notices(true),
        remarks: notices(false),
        tables: TABLES
            .iter()
            .map(|table| TableView {
                file: table.file,
                href: format!("data/{}", table.file),
                row: table.row,
                columns: table.columns,
            })
            .collect(),
    }
}
