//! A unit's page: its top patches, where they lie, its numbers, what readers say.

use anyhow::Result;
use serde::Serialize;

use super::page::{Files, Head, Page, Site, html};
use super::parts::{CompactPatch, PatchView};
use super::{card, evidence};
use crate::chart::Chart;
use crate::facts::Atlas;
use crate::facts::paths::{Link, layer_href, network_href, unit_href};
use crate::facts::units::{best_concept, categories};
use crate::facts::words::{association_word, association_words, threshold_rule};
use crate::heat::Heat;
use crate::inputs::Exhibit;
use crate::keys::Keys;
use crate::{preview, script, text};
use base::artifact::Fingerprint;
use base::unit_name;
use record::dissection::{Layer, TopPatch, Unit};
use study::answer::{Phenomenon, Recognizable};
use study::suggest::Suggestion;

/// Patches that are markup of the page; a script draws the others from data a tenth as long.
const WRITTEN_OUT: usize = 12;
/// Detail of overlays that is left out, in patch pixels.
const TOLERANCE: f32 = 0.4;

/// A unit.
struct UnitPage<'a> {
    exhibit: &'a Exhibit<'a>,
    layer: &'a Layer,
    unit: &'a Unit,
}

pub(super) fn pages<'a>(exhibit: &'a Exhibit<'a>, layer: &'a Layer, unit: &'a Unit) -> Files<'a> {
    vec![html(UnitPage { exhibit, layer, unit })]
}

impl Page for UnitPage<'_> {
    type View = View;
    const TEMPLATE: &'static str = "unit.html";

    fn path(&self) -> String {
        unit_href(&self.exhibit.config.name, &self.layer.layer, self.unit.unit)
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        key(atlas, keys, &self.path(), (self.exhibit, self.layer, self.unit))
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        view(site.atlas, self.exhibit, self.layer, self.unit)
    }

    fn head(&self, atlas: &Atlas, view: &Self::View) -> Result<Head> {
        let (network, layer) = (&self.exhibit.config.name, &self.layer.layer);
        let name = &view.name;
        let answer = atlas.address(&card::path(name, "json"));
        let above = [
            Link::new(network, network_href(network)),
            Link::new(layer, layer_href(network, layer)),
        ];
        let head = Head {
            image: atlas.address(&preview::path(name)),
            image_size: Some(preview::SIZE),
            card: answer.zip(card::element(atlas, name)).map(|(answer, element)| [answer, element]),
            ..Head::new(view.title(), view.description())
        };
        let head = head.below(above, format!("{:04}", self.unit.unit), self.path());
        Ok(head.of(self.exhibit))
    }
}

/// What a file that shows one unit is made from: of the readers' answers, those to it.
pub(super) fn key(
    atlas: &Atlas,
    keys: &Keys,
    path: &str,
    (exhibit, layer, unit): (&Exhibit, &Layer, &Unit),
) -> Fingerprint {
    let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
    let answers = atlas.labels.of(&name).iter();
    let answers: Vec<_> = answers.map(|(reader, answer)| (&reader.reader, answer)).collect();
    keys.apart_from_readers(&(path, answers))
}

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
    /// How many there are in all.
    kept: usize,
    /// The others, and those of each level of the evidence, as JSON.
    drawn: String,
    /// Whether the maps of the patches are among that.
    heat: bool,
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
    settled: Option<SettledView>,
    answers: Vec<AnswerView>,
}

/// What the authors settled on.
#[derive(Serialize)]
struct SettledView {
    label: String,
    categories: String,
    terms: Vec<TermView>,
    association: &'static str,
    note: String,
}

/// What the page's script draws.
#[derive(Serialize)]
struct Drawn<'a> {
    top: Vec<CompactPatch<'a>>,
    levels: Vec<Vec<CompactPatch<'a>>>,
    /// Maps of all top patches, those written out too.
    heat: Option<Heat>,
}

#[derive(Serialize)]
struct AnswerView {
    reader: String,
    recognizable: &'static str,
    confidence: Option<u8>,
    remarks: Option<String>,
    phenomena: Vec<PhenomenonView>,
    /// Questions and answers of the paper's server, where it was those.
    questions: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct PhenomenonView {
    terms: Vec<TermView>,
    /// Terms that the words suggest, where the reader chose none.
    suggested: Vec<TermView>,
    /// The words in pieces, with those that led to a suggestion marked.
    pieces: Vec<Piece>,
    association: &'static str,
    association_words: &'static str,
}

#[derive(Serialize)]
struct Piece {
    text: String,
    marked: bool,
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
        format!("The {} mammogram patches that unit {} responds to most", self.kept, self.name)
    }
}

pub(super) fn view(atlas: &Atlas, exhibit: &Exhibit, layer: &Layer, unit: &Unit) -> Result<View> {
    let network = &exhibit.config.name;
    let name = unit_name(network, &layer.layer, unit.unit);
    let neighbour = |at: u32| {
        layer.units.get(at as usize).map(|other| {
            Link::new(format!("{:04}", other.unit), unit_href(network, &layer.layer, other.unit))
        })
    };
    let written_out = unit.top.iter().take(WRITTEN_OUT).enumerate();
    let compact = |tops: &[TopPatch]| -> Vec<CompactPatch> {
        tops.iter().map(|top| atlas.compact_patch(top, TOLERANCE)).collect()
    };
    let drawn = Drawn {
        top: compact(unit.top.get(WRITTEN_OUT..).unwrap_or_default()),
        levels: unit.sample.iter().map(|level| compact(&level.patches)).collect(),
        heat: Heat::of(atlas.inputs, layer, unit),
    };
    let manifest = atlas.inputs.manifest;
    let of = |top: &TopPatch| &manifest.patches[top.patch as usize];
    let best = best_concept(layer, unit);
    let (label, label_from) = atlas.call(&name, best);
    let above = unit.top.iter().filter(|top| !top.overlay.is_empty()).count();
    Ok(View {
        number: format!("{:04}", unit.unit),
        network: network.clone(),
        layer: layer.layer.clone(),
        label,
        label_from,
        categories: categories(atlas, layer, unit, &name),
        previous: unit.unit.checked_sub(2).and_then(neighbour),
        next: neighbour(unit.unit),
        cancer: unit.top.iter().filter(|top| of(top).positive).count(),
        patches: written_out.map(|(at, top)| atlas.patch(at + 1, top, TOLERANCE)).collect(),
        kept: unit.top.len(),
        heat: drawn.heat.is_some(),
        drawn: script::json(&drawn)?,
        context: unit.shown().any(|top| manifest.member(of(top)).preview.is_some()),
        shown: text::count(layer.patches),
        split: layer.split.to_string(),
        max_score: text::significant(f64::from(unit.score_range[1])),
        threshold: text::significant(f64::from(unit.threshold)),
        rule: threshold_rule(layer.threshold, layer.anchor),
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
        settled: settled(atlas, &name),
        answers: answers(atlas, &name),
        name,
    })
}

fn settled(atlas: &Atlas, name: &str) -> Option<SettledView> {
    let settled = atlas.study.settled(name)?;
    Some(SettledView {
        label: settled.label.clone(),
        categories: settled.categories.join(", "),
        terms: settled.terms.iter().map(|id| term(atlas, id)).collect(),
        association: settled.association.map(association_words).unwrap_or_default(),
        note: settled.note.clone().unwrap_or_default(),
    })
}

fn term(atlas: &Atlas, id: &str) -> TermView {
    let entry = atlas.labels.term(id);
    TermView {
        name: atlas.labels.name(id),
        standing: atlas.labels.standing(id),
        gloss: entry.map(|entry| entry.term.gloss.clone()).unwrap_or_default(),
    }
}

fn phenomenon(atlas: &Atlas, phenomenon: &Phenomenon) -> PhenomenonView {
    let suggestion = match phenomenon.terms.is_empty() {
        true => atlas.study.matcher.suggest(&phenomenon.description),
        false => Suggestion::default(),
    };
    PhenomenonView {
        terms: phenomenon.terms.iter().map(|id| term(atlas, id)).collect(),
        suggested: suggestion.terms.iter().map(|id| term(atlas, id)).collect(),
        pieces: pieces(&phenomenon.description, &suggestion),
        association: association_word(phenomenon.association),
        association_words: association_words(phenomenon.association),
    }
}

/// A text in pieces, those that led to a term marked.
fn pieces(text: &str, suggestion: &Suggestion) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut end = 0;
    let mut add = |text: &str, marked| {
        if !text.is_empty() {
            pieces.push(Piece { text: text.to_owned(), marked });
        }
    };
    for found in &suggestion.matches {
        add(&text[end..found.range.start], false);
        add(&text[found.range.clone()], true);
        end = found.range.end;
    }
    add(&text[end..], false);
    pieces
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
            phenomena: answer.phenomena.iter().map(|p| phenomenon(atlas, p)).collect(),
            questions: answer
                .questions
                .iter()
                .flat_map(|q| {
                    [
                        ("Recognizable phenomena?", &q.q1),
                        ("Associated with breast cancer?", &q.q2),
                        ("A single one, or several?", &q.q3),
                        ("Each, with its association", &q.q4),
                    ]
                })
                .map(|(question, words)| (question, words.clone()))
                .collect(),
        })
        .collect()
}
