//! The page of the survey's authors: which units readers are asked about, and how they were chosen.

use anyhow::Result;
use serde::Serialize;

use super::navigation::{Entry, Menu};
use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::{Link, SURVEY, unit_href};
use crate::text;
use catalogue::Kind;
use study::selection::{Chosen, Reason};

/// The selection.
struct Selection;

/// Where anything is asked.
pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    if atlas.survey.is_empty() { Vec::new() } else { vec![html(Selection)] }
}

impl Page for Selection {
    type View = View;
    const TEMPLATE: &'static str = "selection.html";

    fn path(&self) -> String {
        "selection/index.html".into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::under(Menu::More, 26, "Survey")
    }

    fn view(&self, site: &Site) -> Result<View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &View) -> Result<Head> {
        Ok(Head::new("Survey", "The units that readers are asked about, and how they were chosen"))
    }
}

/// The selection, and what to know before sending the survey out.
#[derive(Serialize)]
pub(super) struct View {
    study: String,
    survey: &'static str,
    units: String,
    patches: u32,
    repeats: String,
    blind: bool,
    lexicon: String,
    contact: Option<String>,
    /// Units to practise on, with what they are called.
    practice: Vec<PracticeView>,
    /// Whether there is a text to agree to.
    consent: bool,
    layers: Vec<LayerView>,
}

/// A unit to practise on.
#[derive(Serialize)]
struct PracticeView {
    link: Link,
    /// What it is called.
    words: String,
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
    /// Its rank, of how many.
    influence: String,
}

fn view(atlas: &Atlas) -> View {
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
    View {
        study: selection.study.clone(),
        survey: SURVEY,
        units: text::counted(selection.units.len(), "unit", "units"),
        patches: config.patches,
        repeats: text::percent(config.repeats),
        blind: selection.blind,
        lexicon: lexicon.map_or_else(|| selection.lexicon.clone(), |l| l.name.clone()),
        contact: config.contact.clone(),
        practice: atlas
            .survey
            .practice
            .iter()
            .map(|one| PracticeView {
                link: Link::new(one.id.to_string(), unit_href(&one.id)),
                words: one.known.words.clone(),
            })
            .collect(),
        consent: atlas.survey.consent.is_some(),
        layers: layers.into_iter().map(|(name, units)| layer(atlas, name, &units)).collect(),
    }
}

fn layer(atlas: &Atlas, name: String, units: &[&Chosen]) -> LayerView {
    let first = units.first().map(|chosen| &chosen.unit);
    let entries = first.and_then(|unit| atlas.catalogue.layer(unit.network(), unit.layer()));
    let live = entries.map_or(0, |layer| layer.count(Kind::Live));
    let count = |reason| units.iter().filter(|unit| unit.reason == reason).count();
    let reasons = [
        Reason::Cancer,
        Reason::Random,
        Reason::Influence,
        Reason::Evidence,
        Reason::Disagreement,
        Reason::Listed,
    ];
    let parts = reasons.map(|reason| match (count(reason), reason) {
        (0, _) => None,
        (n, Reason::Cancer) => Some(format!("{n} whose top patches are mostly cancer")),
        (n, Reason::Random) => Some(format!("{n} drawn at random")),
        (n, Reason::Influence) => Some(format!("{n} by rank of influence")),
        (n, Reason::Evidence) => Some(format!("{n} that carry most of the evidence for cancer")),
        (n, Reason::Disagreement) => {
            Some(format!("{n} that a machine calls other than the outlines do that they detect"))
        }
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
                influence: chosen
                    .influence
                    .map_or_else(|| "–".into(), |rank| format!("{rank} of {live}")),
            })
            .collect(),
        name,
    }
}
