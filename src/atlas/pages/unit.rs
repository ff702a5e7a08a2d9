//! A unit's page: its top patches, where they lie, its numbers, what readers say.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    Atlas, Link, MammogramView, PatchView, association_word, best_concept, evidence, methods,
    unit_href,
};
use crate::atlas::chart::Chart;
use crate::atlas::{Exhibit, text};
use crate::dissection::record::{Layer, Unit, unit_name};
use crate::study::answer::{Association, Recognizable};

#[derive(Serialize)]
pub(super) struct View {
    name: String,
    number: String,
    network: String,
    layer: String,
    label: String,
    label_from: &'static str,
    categories: Vec<String>,
    previous: Option<Link>,
    next: Option<Link>,
    patches: Vec<PatchView>,
    mammograms: Vec<MammogramView>,
    /// Whether there is a whole mammogram to show.
    context: bool,
    cancer: usize,
    shown: String,
    split: String,
    max_score: String,
    threshold: String,
    rule: String,
    above: String,
    histogram: Chart,
    concepts: Vec<evidence::ConceptRow>,
    level: String,
    evidence: evidence::View,
    answers: Vec<AnswerView>,
}

#[derive(Serialize)]
struct AnswerView {
    reader: String,
    recognizable: &'static str,
    confidence: Option<u8>,
    remarks: Option<String>,
    phenomena: Vec<PhenomenonView>,
}

#[derive(Serialize)]
struct PhenomenonView {
    description: String,
    terms: Vec<TermView>,
    association: &'static str,
    association_words: &'static str,
}

#[derive(Serialize)]
struct TermView {
    name: String,
    standing: String,
    gloss: String,
}

impl View {
    pub(super) fn title(&self) -> String {
        if self.label.is_empty() {
            self.name.clone()
        } else {
            format!("{}: {}", self.name, self.label)
        }
    }

    pub(super) fn description(&self) -> String {
        format!(
            "The {} mammogram patches that unit {} responds to most",
            self.patches.len(),
            self.name
        )
    }
}

pub(super) fn view(atlas: &Atlas, exhibit: &Exhibit, layer: &Layer, unit: &Unit) -> View {
    let network = &exhibit.config.name;
    let name = unit_name(network, &layer.layer, unit.unit);
    let neighbour = |at: u32| {
        layer.units.get(at as usize).map(|other| {
            Link::new(format!("{:04}", other.unit), unit_href(network, &layer.layer, other.unit))
        })
    };
    let patches: Vec<PatchView> =
        unit.top.iter().enumerate().map(|(at, top)| atlas.patch(&name, at + 1, top)).collect();
    let seen: BTreeSet<u32> = unit
        .shown()
        .map(|top| atlas.inputs.manifest.patches[top.patch as usize].mammogram)
        .collect();
    let best = best_concept(layer, unit);
    let (label, label_from) = atlas.call(&name, best);
    let terms: Vec<String> = match best {
        Some((concept, _)) if label_from == "concept" => vec![concept.id.clone()],
        _ => atlas.labels.phenomena(&name).flat_map(|(_, _, p)| p.terms.clone()).collect(),
    };
    let above = unit.top.iter().filter(|top| !top.overlay.is_empty()).count();
    let mammograms: Vec<MammogramView> =
        seen.iter().map(|&number| atlas.mammogram(number)).collect();
    View {
        number: format!("{:04}", unit.unit),
        network: network.clone(),
        layer: layer.layer.clone(),
        label,
        label_from,
        categories: atlas.labels.categories(&terms),
        previous: unit.unit.checked_sub(2).and_then(neighbour),
        next: neighbour(unit.unit),
        cancer: patches.iter().filter(|p| p.positive).count(),
        patches,
        context: mammograms.iter().any(|m| m.preview.is_some()),
        mammograms,
        shown: text::count(layer.patches),
        split: layer.split.to_string(),
        max_score: text::significant(f64::from(unit.score_range[1])),
        threshold: text::significant(f64::from(unit.threshold)),
        rule: methods::threshold_rule(layer.threshold, layer.anchor),
        above: text::counted(above, "patch", "patches"),
        histogram: Chart::histogram(
            format!(
                "Histogram of the scores of {name} over {} patches, from {} to {}; threshold {}",
                layer.patches,
                text::significant(f64::from(unit.score_range[0])),
                text::significant(f64::from(unit.score_range[1])),
                text::significant(f64::from(unit.threshold)),
            ),
            &unit.histogram,
            unit.score_range,
            (f64::from(unit.threshold), "T"),
        ),
        concepts: evidence::concepts(atlas, layer, unit),
        level: atlas.detector().to_string(),
        evidence: evidence::view(atlas, layer, unit, &name),
        answers: answers(atlas, &name),
        name,
    }
}

fn answers(atlas: &Atlas, name: &str) -> Vec<AnswerView> {
    atlas
        .labels
        .of(name)
        .iter()
        .map(|(reader, answer)| AnswerView {
            reader: reader.reader.clone(),
            recognizable: match answer.recognizable {
                Recognizable::Yes => "sees a recognisable phenomenon",
                Recognizable::No => "sees nothing recognisable",
                Recognizable::Unsure => "is not sure",
            },
            confidence: answer.confidence,
            remarks: answer.remarks.clone(),
            phenomena: answer
                .phenomena
                .iter()
                .map(|phenomenon| PhenomenonView {
                    description: phenomenon.description.clone(),
                    terms: phenomenon
                        .terms
                        .iter()
                        .map(|id| TermView {
                            name: atlas.labels.name(id),
                            standing: atlas.labels.standing(id),
                            gloss: atlas
                                .labels
                                .term(id)
                                .map(|entry| entry.term.gloss.clone())
                                .unwrap_or_default(),
                        })
                        .collect(),
                    association: association_word(phenomenon.association),
                    association_words: association_words(phenomenon.association),
                })
                .collect(),
        })
        .collect()
}

/// An association as a sentence about the finding.
pub(super) fn association_words(association: Association) -> &'static str {
    match association {
        Association::Malignant => "speaks for cancer",
        Association::Benign => "speaks against cancer",
        Association::None => "unrelated to cancer",
        Association::Unsure => "not sure",
    }
}
