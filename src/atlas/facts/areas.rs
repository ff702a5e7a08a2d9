//! Areas under the ROC curve as pages and figures print them, beside the paper's.

use serde::Serialize;

use super::Atlas;
use super::paths::{Link, network_href};
use crate::inputs::Exhibit;
use crate::text;
use metrics::{Auc, Spread};
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

/// `0.812 (0.744–0.880)`, in parts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct AucView {
    pub(crate) value: String,
    /// The interval, or why there is none.
    pub(crate) interval: String,
    /// The same as a phrase.
    pub(crate) phrase: String,
}

impl AucView {
    pub(crate) fn of(auc: Auc) -> Self {
        let phrase = match auc.spread {
            Spread::Interval(of) => {
                format!("95% interval {:.3} to {:.3} (DeLong)", of.low, of.high)
            }
            Spread::None(why) => format!("no 95% interval (DeLong): {why}"),
        };
        Self { value: format!("{:.3}", auc.value), interval: spread(auc.spread), phrase }
    }
}

/// Of an exhibit's patches.
pub(crate) fn auc_view(exhibit: &Exhibit) -> Option<AucView> {
    exhibit.evaluation.auc.map(AucView::of)
}

#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// `None` is a network of the paper that this atlas does not have.
    pub(crate) link: Option<Link>,
    pub(crate) published: &'static str,
    pub(crate) auc: Option<AucView>,
    pub(crate) bootstrap: String,
    pub(crate) positives: String,
    pub(crate) negatives: String,
}

fn row(name: &str, exhibit: Option<&Exhibit>) -> Row {
    let found = exhibit.map(|exhibit| exhibit.evaluation).filter(|found| found.tells_cancer());
    let told = |tell: fn(&Evaluation) -> String| found.map_or_else(|| "–".into(), tell);
    Row {
        name: name.into(),
        link: exhibit.map(|_| Link::new(name, network_href(name))),
        published: published(name).unwrap_or("–"),
        auc: exhibit.and_then(auc_view),
        bootstrap: told(|e| interval(e.assessment.levels.patch.bootstrap)),
        positives: told(|e| text::count(e.positives)),
        negatives: told(|e| text::count(e.negatives)),
    }
}

fn published(name: &str) -> Option<&'static str> {
    PUBLISHED.iter().find(|(of, _)| *of == name).map(|(_, auc)| *auc)
}

/// ROC curves per patch, by network and area.
pub(crate) fn curves<'a>(atlas: &Atlas<'a>) -> Vec<(String, &'a [[f64; 2]])> {
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
pub(crate) fn splits(atlas: &Atlas) -> String {
    let exhibits = atlas.inputs.exhibits.iter();
    let mut splits: Vec<String> =
        exhibits.map(|exhibit| exhibit.evaluation.split.to_string()).collect();
    splits.dedup();
    text::and(&splits)
}

/// An interval as the tables print it, or why there is none; a dash where there is no area either.
pub(crate) fn interval(of: Option<Spread>) -> String {
    of.map_or_else(|| "–".into(), spread)
}

fn spread(of: Spread) -> String {
    match of {
        Spread::Interval(of) => format!("{:.3}–{:.3}", of.low, of.high),
        Spread::None(why) => format!("no interval: {why}"),
    }
}

/// A row per network: those of the paper, then the others.
pub(crate) fn rows(atlas: &Atlas) -> Vec<Row> {
    let exhibits = atlas.inputs.exhibits;
    let known = |name: &str| exhibits.iter().find(|exhibit| exhibit.config.name == name);
    let others = exhibits.iter().filter(|e| published(&e.config.name).is_none());
    PUBLISHED
        .iter()
        .map(|(name, _)| row(name, known(name)))
        .chain(others.map(|exhibit| row(&exhibit.config.name, Some(exhibit))))
        .collect()
}

/// Whether the images are the paper's, so that its areas can be held against these.
pub(crate) fn comparable(atlas: &Atlas) -> bool {
    let about = &atlas.inputs.manifest.source;
    !about.phantom && SOURCES_OF_THE_PAPER.contains(&about.kind.as_str())
}
