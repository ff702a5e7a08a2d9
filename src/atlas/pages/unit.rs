//! A unit's page: its top patches, where they lie, its numbers, what readers say.

use anyhow::Result;
use serde::Serialize;

use super::page::{Files, Head, Page, Site, html};
use super::parts::PatchView;
use super::{card, evidence, naming, summary, synthetic};
use crate::chart::{self, Chart};
use crate::facts::Atlas;
use crate::facts::paths::{Link, layer_href, network_href, unit_href};
use crate::facts::words::{association_word, association_words, threshold_rule};
use crate::inputs::Exhibit;
use crate::keys::Keys;
use crate::{heat, preview, script, text};
use base::UnitId;
use base::artifact::Fingerprint;
use catalogue::{Entry, Kind};
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
        unit_href(&UnitId::new(&self.layer.network, &self.layer.layer, self.unit.unit))
    }

    fn key(&self, atlas: &Atlas, keys: &Keys) -> Fingerprint {
        key(atlas, keys, &self.path(), (self.layer, self.unit))
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        view(site.atlas, self.layer, self.unit)
    }

    fn head(&self, atlas: &Atlas, view: &Self::View) -> Result<Head> {
        let (network, layer) = (&self.exhibit.config.name, &self.layer.layer);
        let name = &atlas.entry(self.layer, self.unit).id;
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
        let head = head.below(above, name.digits(), self.path());
        Ok(head.of(self.exhibit))
    }
}

/// What a file that shows one unit is made from: of the readers' answers, those to it.
pub(super) fn key(
    atlas: &Atlas,
    keys: &Keys,
    path: &str,
    (layer, unit): (&Layer, &Unit),
) -> Fingerprint {
    let answers = atlas.labels.of(&atlas.entry(layer, unit).id).iter();
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
    /// Who calls it so: `consensus`, `readers`, `unrecognizable`, `machine`, `automatic` or `none`.
    source: &'static str,
    /// Why it has no patches, where it is dead or constant.
    lifeless: &'static str,
    categories: Vec<String>,
    /// Whether the categories are suggested by readers' words, since they chose no term.
    suggested: bool,
    summary: [summary::Figure; 5],
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
    /// The two groups that the patches fall into; none where they do not.
    groups: Option<GroupsView>,
    shown: String,
    split: String,
    max_score: String,
    threshold: String,
    rule: String,
    above: String,
    histogram: Chart,
    concepts: Vec<evidence::ConceptRow>,
    /// None where no machine looked at the layer.
    machine: Option<naming::UnitView>,
    level: String,
    evidence: evidence::View,
    synthetic: Option<synthetic::View>,
    settled: Option<SettledView>,
    answers: Vec<AnswerView>,
}

/// Top patches, one of each patient, in two groups.
#[derive(Serialize)]
struct GroupsView {
    patients: usize,
    /// Probability by chance: `p = 0.012`.
    p: String,
    of: [GroupView; 2],
}

#[derive(Serialize)]
struct GroupView {
    /// Ranks of its patches, separated by commas.
    ranks: String,
    patches: usize,
    cancer: usize,
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

pub(super) fn view(atlas: &Atlas, layer: &Layer, unit: &Unit) -> Result<View> {
    let network = &layer.network;
    let entry = atlas.entry(layer, unit);
    let name = entry.id.to_string();
    let neighbour = |at: u32| {
        layer.units.get(at as usize).map(|other| {
            let id = &atlas.entry(layer, other).id;
            Link::new(id.digits(), unit_href(id))
        })
    };
    let written_out = unit.top.iter().take(WRITTEN_OUT).enumerate();
    let compact = |tops: &[TopPatch]| atlas.compact_patches(tops, TOLERANCE);
    let drawn = script::Drawn {
        top: compact(unit.top.get(WRITTEN_OUT..).unwrap_or_default()),
        levels: unit.sample.iter().map(|level| compact(&level.patches)).collect(),
        heat: heat::of(atlas.inputs, layer, unit),
    };
    let manifest = atlas.inputs.manifest;
    let of = |top: &TopPatch| &manifest.patches[top.patch as usize];
    let above = unit.top.iter().filter(|top| !top.overlay.is_empty()).count();
    let cancer = unit.top.iter().filter(|top| of(top).positive).count();
    Ok(View {
        number: entry.id.digits(),
        network: network.clone(),
        layer: layer.layer.clone(),
        label: entry.name.to_string(),
        source: entry.name.source().id(),
        lifeless: match entry.kind {
            Kind::Live => "",
            Kind::Dead => "Dead: at no location of any patch is its activation above zero.",
            Kind::Constant => "Constant: its score is the same in all patches.",
        },
        categories: entry.categories.clone(),
        suggested: entry.suggested && !entry.categories.is_empty(),
        previous: unit.unit.checked_sub(2).and_then(neighbour),
        next: neighbour(unit.unit),
        summary: summary::figures(atlas, layer, entry, cancer),
        patches: written_out.map(|(at, top)| atlas.patch(at + 1, top, TOLERANCE)).collect(),
        kept: unit.top.len(),
        heat: drawn.heat.is_some(),
        drawn: script::json(&drawn)?,
        context: unit.shown().any(|top| manifest.member(of(top)).preview.is_some()),
        groups: groups(atlas, entry),
        shown: text::count(layer.patches),
        split: layer.split.to_string(),
        max_score: text::significant(f64::from(unit.score_range[1])),
        threshold: text::significant(f64::from(unit.threshold)),
        rule: threshold_rule(layer.threshold, layer.anchor),
        above: text::counted(above, "patch", "patches"),
        histogram: Chart::new(
            &chart::histogram(
                ["Score of a patch", "Patches"],
                &unit.histogram,
                unit.score_range,
                unit.threshold,
            ),
            &format!(
                "Histogram of the scores of {name} over {} patches, from {} to {}; threshold {}",
                layer.patches,
                text::significant(f64::from(unit.score_range[0])),
                text::significant(f64::from(unit.score_range[1])),
                text::significant(f64::from(unit.threshold)),
            ),
        ),
        concepts: evidence::concepts(atlas, entry),
        machine: naming::of_unit(atlas, entry).filter(|_| entry.kind.is_live()),
        level: atlas.catalogue.detector().to_string(),
        evidence: evidence::view(atlas, layer, entry),
        synthetic: synthetic::view(atlas, entry),
        settled: settled(atlas, entry),
        answers: answers(atlas, entry),
        name,
    })
}

fn groups(atlas: &Atlas, entry: &Entry) -> Option<GroupsView> {
    let found = atlas.inputs.similar.two_kinds(&entry.id)?;
    let top = |place: u32| entry.record.top.get(place as usize);
    let group = |places: &Vec<u32>| {
        let ranks: Vec<String> = places.iter().map(|place| (place + 1).to_string()).collect();
        let patches = places.iter().filter_map(|&place| top(place));
        let cancer =
            patches.filter(|top| atlas.inputs.manifest.patches[top.patch as usize].positive);
        GroupView { ranks: ranks.join(","), patches: places.len(), cancer: cancer.count() }
    };
    Some(GroupsView {
        patients: found.patients(),
        p: match found.adjusted {
            p if p < 0.001 => "p below 0.001".into(),
            p => format!("p = {p:.3}"),
        },
        of: found.of.each_ref().map(group),
    })
}

fn settled(atlas: &Atlas, entry: &Entry) -> Option<SettledView> {
    let settled = atlas.study.consensus.of(&entry.id)?;
    Some(SettledView {
        label: settled.label.clone(),
        categories: entry.figure_4(),
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

fn answers(atlas: &Atlas, entry: &Entry) -> Vec<AnswerView> {
    atlas
        .labels
        .of(&entry.id)
        .iter()
        .map(|(reader, answer)| AnswerView {
            reader: reader.reader.clone(),
            recognizable: match answer.recognizable {
                Recognizable::Yes => "sees something recognisable",
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
                        ("Something recognisable?", &q.q1),
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
