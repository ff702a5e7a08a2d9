//! The performance page: all networks beside the paper's Table 1.

use serde::Serialize;

use super::figures::{self, Download};
use super::{Atlas, AucView, Link, assessment, auc_view, network_href};
use crate::chart::Chart;
use crate::{Exhibit, text};
use base::Split;
use config::figures::Kind;
use metrics::{RESAMPLES, Scored};
use record::training::Evaluation;

/// Wu et al. 2018, Table 1: area under the ROC curve per patch on their validation patients of DDSM.
const PUBLISHED: [(&str, &str); 4] = [
    ("alexnet", "0.8632"),
    ("vgg16", "0.8929"),
    ("inception_v3", "0.8805"),
    ("resnet152", "0.8757"),
];

/// Kinds of source whose images are the paper's.
const SOURCES_OF_THE_PAPER: [&str; 2] = ["ddsm", "ddsm_release"];

#[derive(Serialize)]
pub(super) struct View {
    pub(super) comparable: bool,
    source: String,
    pub(super) split: String,
    /// Whether the epoch of a network was chosen on the patches that it is evaluated on.
    chosen: bool,
    pub(super) resamples: String,
    pub(super) rows: Vec<Row>,
    roc: Option<Chart>,
    levels: Vec<LevelRow>,
    /// Whether there are two networks to compare.
    several: bool,
    pairs: Vec<PairRow>,
    downloads: Vec<Download>,
}

#[derive(Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    /// `None` is a network of the paper that this atlas does not have.
    link: Option<Link>,
    pub(super) published: &'static str,
    pub(super) auc: Option<AucView>,
    pub(super) bootstrap: String,
    pub(super) positives: String,
    pub(super) negatives: String,
}

#[derive(Serialize)]
struct LevelRow {
    name: String,
    /// Per mammogram, then per patient, by the greatest and the mean probability.
    areas: Vec<Option<AucView>>,
}

#[derive(Serialize)]
struct PairRow {
    first: String,
    second: String,
    difference: String,
    low: String,
    high: String,
    p: String,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let about = &atlas.inputs.manifest.source;
    let exhibits = atlas.inputs.exhibits;
    let known = |name: &str| exhibits.iter().find(|exhibit| exhibit.config.name == name);
    let others = exhibits.iter().filter(|e| published(&e.config.name).is_none());
    let rows = PUBLISHED
        .iter()
        .map(|(name, _)| row(name, known(name)))
        .chain(others.map(|exhibit| row(&exhibit.config.name, Some(exhibit))))
        .collect();
    let curves = curves(atlas);
    let listed: Vec<String> = curves.iter().map(|(label, _)| label.clone()).collect();
    View {
        comparable: !about.phantom && SOURCES_OF_THE_PAPER.contains(&about.kind.as_str()),
        source: about.name.clone(),
        split: splits(atlas),
        chosen: exhibits.iter().any(|exhibit| {
            let found = exhibit.evaluation;
            found.split == Split::Validation && found.best_epoch.is_some()
        }),
        resamples: text::count(RESAMPLES),
        rows,
        roc: (!curves.is_empty()).then(|| {
            let alt = format!("ROC curves per patch, with their areas: {}", text::and(&listed));
            Chart::rocs(alt, &curves)
        }),
        levels: exhibits
            .iter()
            .map(|exhibit| LevelRow {
                name: exhibit.config.name.clone(),
                areas: exhibit.evaluation.assessment.levels.each()[1..]
                    .iter()
                    .map(|(_, _, level)| level.auc.map(AucView::of))
                    .collect(),
            })
            .collect(),
        several: exhibits.len() > 1,
        pairs: pairs(atlas),
        downloads: figures::downloads(atlas, |kind| matches!(kind, Kind::Roc | Kind::Performance)),
    }
}

/// ROC curves per patch, by network and area.
pub(super) fn curves<'a>(atlas: &Atlas<'a>) -> Vec<(String, &'a [[f64; 2]])> {
    let exhibits: &'a [Exhibit<'a>] = atlas.inputs.exhibits;
    exhibits
        .iter()
        .filter_map(|exhibit| {
            let auc = exhibit.evaluation.auc?;
            let curve = exhibit.evaluation.assessment.levels.patch.roc.as_slice();
            Some((format!("{} {:.3}", exhibit.config.name, auc.value), curve))
        })
        .collect()
}

/// The splits that networks were evaluated on, in words.
pub(super) fn splits(atlas: &Atlas) -> String {
    let exhibits = atlas.inputs.exhibits.iter();
    let mut splits: Vec<String> =
        exhibits.map(|exhibit| exhibit.evaluation.split.to_string()).collect();
    splits.dedup();
    text::and(&splits)
}

fn published(name: &str) -> Option<&'static str> {
    PUBLISHED.iter().find(|(of, _)| *of == name).map(|(_, auc)| *auc)
}

fn row(name: &str, exhibit: Option<&Exhibit>) -> Row {
    let found = exhibit.map(|exhibit| exhibit.evaluation);
    let told = |tell: fn(&Evaluation) -> String| found.map_or_else(|| "–".into(), tell);
    Row {
        name: name.into(),
        link: exhibit.map(|_| Link::new(name, network_href(name))),
        published: published(name).unwrap_or("–"),
        auc: exhibit.and_then(auc_view),
        bootstrap: told(|e| assessment::interval(e.assessment.levels.patch.bootstrap)),
        positives: told(|e| text::count(e.positives)),
        negatives: told(|e| text::count(e.negatives)),
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
                low: signed(found.low),
                high: signed(found.high),
                p: if found.p < 0.001 { "< 0.001".into() } else { format!("{:.3}", found.p) },
            });
        }
    }
    rows
}

/// A difference with its sign.
fn signed(value: f64) -> String {
    let shown = format!("{value:+.3}");
    if shown.ends_with("0.000") { "0.000".into() } else { shown.replace('-', "\u{2212}") }
}
