//! The survey: its shell, which a script fills, and the page of its authors, which shows the selection.

use serde::Serialize;

use super::{Atlas, Link, unit_href};
use crate::text;
use study::selection::{Chosen, Reason};

/// Page of the selection.
pub(super) const SELECTION: &str = "selection/index.html";
/// Page of the survey.
pub(super) const SURVEY: &str = "survey/index.html";

/// What the survey's page holds without its script.
#[derive(Serialize)]
pub(super) struct SurveyView {
    study: String,
    blind: bool,
}

pub(super) fn survey(atlas: &Atlas) -> SurveyView {
    let selection = &atlas.survey.selection;
    SurveyView { study: selection.study.clone(), blind: selection.blind }
}

/// The selection, and what to know before sending the survey out.
#[derive(Serialize)]
pub(super) struct SelectionView {
    study: String,
    survey: &'static str,
    units: String,
    patches: u32,
    repeats: String,
    blind: bool,
    /// Whether the survey has pictures of its own.
    renamed: bool,
    lexicon: String,
    contact: Option<String>,
    layers: Vec<LayerView>,
}

/// The chosen units of one layer.
#[derive(Serialize)]
struct LayerView {
    name: String,
    how: String,
    units: Vec<UnitRow>,
}

#[derive(Serialize)]
struct UnitRow {
    link: Link,
    reason: &'static str,
    cancer: String,
    influence: u32,
}

pub(super) fn selection(atlas: &Atlas) -> SelectionView {
    let selection = &atlas.survey.selection;
    let config = &atlas.inputs.config.survey;
    let mut layers: Vec<(String, Vec<&Chosen>)> = Vec::new();
    for chosen in &selection.units {
        let layer = format!("{}/{}", chosen.unit.network(), chosen.unit.layer());
        match layers.iter_mut().find(|(name, _)| *name == layer) {
            Some((_, units)) => units.push(chosen),
            None => layers.push((layer, vec![chosen])),
        }
    }
    let lexicon = atlas.inputs.lexicons.iter().find(|l| l.id == selection.lexicon);
    SelectionView {
        study: selection.study.clone(),
        survey: SURVEY,
        units: text::counted(selection.units.len(), "unit", "units"),
        patches: config.patches,
        repeats: text::percent(config.repeats),
        blind: selection.blind,
        renamed: atlas.survey.renames(),
        lexicon: lexicon.map_or_else(|| selection.lexicon.clone(), |l| l.name.clone()),
        contact: config.contact.clone(),
        layers: layers.into_iter().map(|(name, units)| layer(name, &units)).collect(),
    }
}

fn layer(name: String, units: &[&Chosen]) -> LayerView {
    let count = |reason| units.iter().filter(|unit| unit.reason == reason).count();
    let reasons =
        [Reason::Cancer, Reason::Random, Reason::Influence, Reason::Evidence, Reason::Listed];
    let parts = reasons.map(|reason| match (count(reason), reason) {
        (0, _) => None,
        (n, Reason::Cancer) => Some(format!("{n} whose top patches are mostly cancer")),
        (n, Reason::Random) => Some(format!("{n} drawn at random")),
        (n, Reason::Influence) => Some(format!("{n} by rank of influence")),
        (n, Reason::Evidence) => Some(format!("{n} that carry most of the evidence for cancer")),
        (n, Reason::Listed) => Some(format!("{n} listed by the authors")),
    });
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    LayerView {
        how: text::and(&parts),
        units: units
            .iter()
            .map(|chosen| UnitRow {
                link: Link::new(chosen.unit.digits(), unit_href(&chosen.unit)),
                reason: chosen.reason.words(),
                cancer: format!("{} of {}", chosen.cancer, chosen.shown),
                influence: chosen.influence,
            })
            .collect(),
        name,
    }
}
