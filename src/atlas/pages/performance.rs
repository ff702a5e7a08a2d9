//! The performance page: all networks beside the paper's Table 1.

use anyhow::Result;
use serde::Serialize;

use super::navigation::{Entry, Menu};
use super::page::{Files, Head, Page, Site, html};
use crate::chart::{self, Chart};
use crate::facts::Atlas;
use crate::facts::areas::{AucView, Row, comparable, curves, rows, splits};
use crate::figures::{self, Download};
use crate::inputs::Exhibit;
use crate::text;
use base::{Split, number};
use config::figures::Kind;
use metrics::{RESAMPLES, Scored, Spread};

/// How well networks do.
struct Performance;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Performance)]
}

impl Page for Performance {
    type View = View;
    const TEMPLATE: &'static str = "performance.html";

    fn path(&self) -> String {
        "performance/index.html".into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::under(Menu::Networks, 15, "Performance")
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new(
            "Performance",
            "How well the networks tell cancer from no cancer, beside the published figures",
        ))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    comparable: bool,
    /// Whether any network tells cancer.
    tells: bool,
    source: String,
    split: String,
    /// Whether the epoch of a network was chosen on the patches that it is evaluated on.
    chosen: bool,
    resamples: String,
    rows: Vec<Row>,
    roc: Option<Chart>,
    /// What is scored and how, a column each.
    columns: Vec<String>,
    levels: Vec<LevelRow>,
    /// Whether a network was trained to score mammograms by their patches.
    pooled: bool,
    /// What labels of mammograms mean for patches.
    by_image: Option<&'static str>,
    /// Whether there are two networks to compare.
    several: bool,
    pairs: Vec<PairRow>,
    downloads: Vec<Download>,
}

#[derive(Serialize)]
struct LevelRow {
    name: String,
    /// In the order of the columns.
    areas: Vec<Option<AucView>>,
}

#[derive(Serialize)]
struct PairRow {
    first: String,
    second: String,
    difference: String,
    /// The interval, or why there is none.
    interval: String,
    p: String,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let about = &atlas.inputs.manifest.source;
    let exhibits = atlas.inputs.exhibits;
    let curves = curves(atlas);
    let places: Vec<_> =
        exhibits.iter().map(|exhibit| exhibit.evaluation.assessment.levels.places()).collect();
    // The patches, which come first, have a table of their own.
    let columns: Vec<usize> = (1..places.first().map_or(0, |all| all.len()))
        .filter(|&at| places.iter().any(|all| all[at].2.is_some()))
        .collect();
    let listed: Vec<String> = curves.iter().map(|(label, _)| label.clone()).collect();
    View {
        comparable: comparable(atlas),
        tells: atlas.is_of_cancer(),
        source: about.name.clone(),
        split: splits(atlas),
        chosen: exhibits.iter().any(|exhibit| {
            let found = exhibit.evaluation;
            found.split == Split::Validation && found.best_epoch().is_some()
        }),
        resamples: text::count(RESAMPLES),
        rows: rows(atlas),
        roc: (!curves.is_empty()).then(|| {
            let alt = format!("ROC curves per patch, with their areas: {}", text::and(&listed));
            Chart::new(&chart::roc(&curves), &alt)
        }),
        columns: columns
            .iter()
            .map(|&at| {
                let (what, score, _) = places[0][at];
                format!("{}{}, {score}", what[..1].to_uppercase(), &what[1..])
            })
            .collect(),
        levels: exhibits
            .iter()
            .zip(&places)
            .map(|(exhibit, all)| LevelRow {
                name: exhibit.config.name.clone(),
                areas: columns.iter().map(|&at| all[at].2?.auc.map(AucView::of)).collect(),
            })
            .collect(),
        pooled: exhibits
            .iter()
            .any(|exhibit| exhibit.evaluation.assessment.levels.mammogram_pooled.is_some()),
        by_image: atlas.labels_of_images(),
        several: exhibits.len() > 1,
        pairs: pairs(atlas),
        downloads: figures::downloads(atlas, |kind| matches!(kind, Kind::Roc | Kind::Performance)),
    }
}

/// DeLong's paired test of every two networks that scored the same patches.
fn pairs(atlas: &Atlas) -> Vec<PairRow> {
    let manifest = atlas.inputs.manifest;
    let cases = |exhibit: &Exhibit| -> Option<Vec<Scored>> {
        let scored = |(patch, probabilities): &(u32, Vec<f32>)| {
            let positive = manifest.patches.get(*patch as usize)?.positive;
            Some(Scored { score: *probabilities.last()?, positive })
        };
        exhibit.evaluation.scores.iter().map(scored).collect()
    };
    let same = |a: &Exhibit, b: &Exhibit| {
        let (a, b) = (&a.evaluation.scores, &b.evaluation.scores);
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0 == b.0)
    };
    let exhibits = atlas.inputs.exhibits;
    let scored: Vec<Option<Vec<Scored>>> = exhibits.iter().map(cases).collect();
    let mut rows = Vec::new();
    for (i, first) in exhibits.iter().enumerate() {
        for (j, second) in exhibits.iter().enumerate().skip(i + 1) {
            let (Some(a), Some(b)) = (&scored[i], &scored[j]) else { continue };
            if !same(first, second) {
                continue;
            }
            let Some(found) = metrics::compare(a, b) else { continue };
            rows.push(PairRow {
                first: first.config.name.clone(),
                second: second.config.name.clone(),
                difference: signed(found.difference),
                interval: match found.spread {
                    Spread::Interval(of) => format!("{} to {}", signed(of.low), signed(of.high)),
                    Spread::None(why) => format!("no interval: {why}"),
                },
                p: match found.p {
                    None => "–".into(),
                    Some(p) if p < 0.001 => "< 0.001".into(),
                    Some(p) => format!("{p:.3}"),
                },
            });
        }
    }
    rows
}

/// A difference with its sign.
fn signed(value: f64) -> String {
    number::written(format_args!("{value:+.3}")).replace('-', "\u{2212}")
}
