//! Cases: mammograms with what speaks for cancer in them, the list of them by network, how often
//! explanations mention what the source describes, and which units are worth naming next.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use serde::Serialize;

use super::{Atlas, Link, UnitCard, layer_href, network_href, parts, unit_href};
use crate::text;
use base::{seed, unit_name};
use catalogue::naming::Names;
use catalogue::{Terms, carried, mentions, sentence};
use record::dissection::TopPatch;
use record::explanation::{Explained, Explanation, Part};
use record::{Manifest, Patch};

/// From this probability on, a mammogram counts as scored as cancer.
const CANCER: f32 = 0.5;
/// Units of an explanation whose terms it is said to mention.
const MENTIONED: usize = 5;
/// Units told of as worth naming next, per network.
const NEXT: usize = 6;

/// A mammogram with a page, and why.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    explanation: &'a Explanation,
    pub(crate) explained: &'a Explained,
    /// `found`, `false alarm`, `missed`, `random`, `listed`.
    kind: &'static str,
}

/// Every case, by network and kind.
pub(crate) fn cases<'a>(inputs: &crate::Inputs<'a>) -> Vec<Case<'a>> {
    inputs.explanations.iter().flat_map(|explanation| of_network(inputs, explanation)).collect()
}

fn of_network<'a>(inputs: &crate::Inputs<'a>, explanation: &'a Explanation) -> Vec<Case<'a>> {
    let (manifest, wanted) = (inputs.manifest, &inputs.config.cases);
    let mammogram =
        |explained: &Explained| &manifest.mammograms[explained.mammogram as usize].mammogram;
    let mut falling: Vec<&Explained> = explanation.mammograms.iter().collect();
    // A stable sort: equals stay in the order of the data set.
    falling.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let mut cases: Vec<Case> = Vec::new();
    let mut take = |chosen: &mut dyn Iterator<Item = &'a Explained>, most: usize, kind| {
        for explained in chosen.take(most) {
            if !cases.iter().any(|case| case.explained.mammogram == explained.mammogram) {
                cases.push(Case { explanation, explained, kind });
            }
        }
    };
    let is = |cancer: bool, high: bool| {
        move |explained: &&'a Explained| {
            mammogram(explained).has_cancer() == cancer && (explained.probability >= CANCER) == high
        }
    };
    let all = || falling.iter().copied();
    take(&mut all().filter(is(true, true)), wanted.found as usize, "found");
    take(&mut all().filter(is(false, true)), wanted.false_alarms as usize, "false alarm");
    take(&mut all().rev().filter(is(true, false)), wanted.missed as usize, "missed");
    let listed = |explained: &&Explained| wanted.list.contains(&mammogram(explained).id);
    take(&mut all().filter(listed), usize::MAX, "listed");
    let mut others: Vec<&Explained> = explanation.mammograms.iter().collect();
    others.shuffle(&mut seed::stream(
        inputs.config.seed,
        &format!("atlas/cases/{}", explanation.network),
    ));
    let taken: BTreeSet<u32> = cases.iter().map(|case| case.explained.mammogram).collect();
    others.retain(|explained| !taken.contains(&explained.mammogram));
    let random = others.into_iter().take(wanted.random as usize);
    cases.extend(random.map(|explained| Case { explanation, explained, kind: "random" }));
    cases
}

/// A case's page.
pub(super) fn href(atlas: &Atlas, case: &Case) -> String {
    let number = case.explained.mammogram as usize;
    let id = &atlas.inputs.manifest.mammograms[number].mammogram.id;
    format!("cases/{}/{id}/index.html", case.explanation.network)
}

/// The list of all cases.
#[derive(Serialize)]
pub(super) struct ListView {
    networks: Vec<NetworkView>,
}

#[derive(Serialize)]
struct NetworkView {
    network: Link,
    layer: Link,
    exact: bool,
    split: String,
    mammograms: String,
    /// Share of the evidence in all mammograms that units with a name carry; empty without any.
    named_share: String,
    /// How many units have a name.
    named: String,
    kinds: Vec<KindView>,
    places: Vec<PlaceRow>,
    terms: Vec<TermRow>,
    next: Vec<NextUnit>,
}

#[derive(Serialize)]
struct KindView {
    title: &'static str,
    cases: Vec<CaseRow>,
}

#[derive(Serialize)]
struct CaseRow {
    link: Link,
    truth: &'static str,
    probability: String,
    sentence: String,
}

/// Where a unit looks that speaks for a cancer that is found.
#[derive(Serialize)]
struct PlaceRow {
    /// Which unit of each explanation.
    unit: &'static str,
    /// Explanations in which it has a region and the deciding patch a lesion.
    cases: usize,
    /// Mean share of the region that lies in a lesion.
    inside: String,
    /// Mean share of the patch that lesions cover: what a region anywhere would have.
    chance: String,
    /// Explanations in which the former is the greater.
    above: usize,
}

#[derive(Serialize)]
struct TermRow {
    name: String,
    with: u64,
    mentioned: u64,
    both: u64,
    expected: String,
    p: String,
}

#[derive(Serialize)]
struct NextUnit {
    unit: UnitCard,
    share: String,
}

/// One case.
#[derive(Serialize)]
pub(super) struct View {
    pub(super) id: String,
    network: Link,
    layer: Link,
    exact: bool,
    /// Why it has a page.
    kind: &'static str,
    /// Whether it has cancer; empty where nobody says.
    truth: &'static str,
    mammogram: parts::MammogramView,
    probability: String,
    sentence: String,
    /// The margin with its parts.
    margin: String,
    evidence: String,
    against: String,
    windows: Vec<WindowView>,
    deciding: WindowView,
    /// Share of the deciding patch that lesions cover.
    lesion: String,
    units: Vec<PartView>,
    /// Share of the evidence that the units shown carry.
    shown_share: String,
}

/// What a case's page is made of, in the atlas or by itself.
pub(super) struct Scene<'a> {
    pub(super) explanation: &'a Explanation,
    pub(super) explained: &'a Explained,
    /// Probabilities of the classes of patches, its own among them.
    pub(super) scores: &'a [(u32, Vec<f32>)],
    pub(super) manifest: &'a Manifest,
    pub(super) names: &'a Names,
    pub(super) kind: &'static str,
    pub(super) truth: &'static str,
}

#[derive(Clone, Serialize)]
struct WindowView {
    x: u32,
    y: u32,
    edge: u32,
    /// Of cancer, in hundredths.
    percent: u32,
}

#[derive(Serialize)]
struct PartView {
    link: Link,
    label: String,
    contribution: String,
    /// Of the evidence, in hundredths.
    percent: String,
    patch: parts::PatchView,
    inside: String,
}

impl View {
    pub(super) fn title(&self) -> String {
        format!("{} by {}", self.id, self.network.title)
    }

    pub(super) fn description(&self) -> String {
        self.sentence.clone()
    }
}

fn percent(share: f32) -> String {
    // A sum of nothing is minus zero.
    format!("{:.0}%", 100.0 * share + 0.0)
}

pub(super) fn truth(cancer: bool) -> &'static str {
    if cancer { "cancer" } else { "no cancer" }
}

pub(super) fn list(atlas: &Atlas) -> ListView {
    let all = cases(atlas.inputs);
    let network = |explanation: &Explanation| {
        let named = atlas.names.of_layer(&explanation.network, &explanation.layer);
        let evidence: f32 = explanation.evidence.iter().sum();
        let of_named: Vec<f32> = (1..)
            .zip(&explanation.evidence)
            .filter(|(unit, _)| named(*unit).is_some())
            .map(|(_, evidence)| *evidence)
            .collect();
        let row = |case: &Case| {
            let number = case.explained.mammogram as usize;
            let mammogram = &atlas.inputs.manifest.mammograms[number].mammogram;
            CaseRow {
                link: Link::new(&mammogram.id, href(atlas, case)),
                truth: truth(mammogram.has_cancer()),
                probability: format!("{:.2}", case.explained.probability),
                sentence: sentence(case.explained, &named),
            }
        };
        let kinds = [
            ("found", "Cancers it is surest of"),
            ("false alarm", "False alarms"),
            ("missed", "Missed cancers"),
            ("listed", "Listed"),
            ("random", "At random from the others"),
        ]
        .map(|(kind, title)| KindView {
            title,
            cases: all
                .iter()
                .filter(|case| case.explanation.network == explanation.network && case.kind == kind)
                .map(row)
                .collect(),
        });
        NetworkView {
            network: Link::new(&explanation.network, network_href(&explanation.network)),
            layer: Link::new(
                format!("{}/{}", explanation.network, explanation.layer),
                layer_href(&explanation.network, &explanation.layer),
            ),
            exact: explanation.exact,
            split: explanation.split.to_string(),
            mammograms: text::count(explanation.mammograms.len() as u64),
            named_share: match (&of_named[..], evidence > 0.0) {
                ([], _) => String::new(),
                (of_named, true) => percent(of_named.iter().sum::<f32>() / evidence),
                (_, false) => percent(0.0),
            },
            named: text::counted(of_named.len(), "unit", "units"),
            kinds: kinds.into_iter().filter(|kind| !kind.cases.is_empty()).collect(),
            places: places(atlas, explanation),
            terms: terms(atlas, explanation),
            next: next(atlas, explanation)
                .into_iter()
                .take(NEXT)
                .filter_map(|(unit, share)| {
                    let (exhibit, layer) = atlas.layers().find(|(exhibit, layer)| {
                        exhibit.config.name == explanation.network
                            && layer.layer == explanation.layer
                    })?;
                    let unit = layer.units.get(unit as usize - 1)?;
                    Some(NextUnit {
                        unit: atlas.card(exhibit, layer, unit, 4, 1.5),
                        share: percent(share),
                    })
                })
                .collect(),
        }
    };
    ListView { networks: atlas.inputs.explanations.iter().map(network).collect() }
}

/// Of the cancers that a network finds, how much of the region of the unit that speaks most lies in a
/// lesion, and of the first that has a name; none where none has a region.
fn places(atlas: &Atlas, explanation: &Explanation) -> Vec<PlaceRow> {
    let named = atlas.names.of_layer(&explanation.network, &explanation.layer);
    let members = &atlas.inputs.manifest.mammograms;
    let found = || {
        explanation.mammograms.iter().filter(|explained| {
            explained.probability >= CANCER
                && members[explained.mammogram as usize].mammogram.has_cancer()
        })
    };
    let row = |unit: &'static str, speaks: &dyn Fn(&Part) -> bool| {
        let shares: Vec<[f32; 2]> = found()
            .filter_map(|explained| {
                let part = explained.units.iter().find(|part| speaks(part))?;
                Some([part.inside?, explained.lesion?])
            })
            .collect();
        let mean = |at: usize| {
            percent(shares.iter().map(|share| share[at]).sum::<f32>() / shares.len() as f32)
        };
        (!shares.is_empty()).then(|| PlaceRow {
            unit,
            cases: shares.len(),
            inside: mean(0),
            chance: mean(1),
            above: shares.iter().filter(|[inside, chance]| inside > chance).count(),
        })
    };
    let any = row("that speaks most", &|_| true);
    let first = row("with a name that speaks most", &|part| named(part.unit).is_some());
    any.into_iter().chain(first).collect()
}

/// Units without a name with their share of the evidence, most first.
pub(crate) fn next(atlas: &Atlas, explanation: &Explanation) -> Vec<(u32, f32)> {
    let all: f32 = explanation.evidence.iter().sum();
    let named = atlas.names.of_layer(&explanation.network, &explanation.layer);
    let mut units: Vec<(u32, f32)> = (1..)
        .zip(&explanation.evidence)
        .filter(|(unit, evidence)| **evidence > 0.0 && named(*unit).is_none())
        .map(|(unit, evidence)| (unit, evidence / all))
        .collect();
    units.sort_by(|a, b| b.1.total_cmp(&a.1));
    units
}

/// Terms that a lesion is described by or an explanation mentions.
fn terms(atlas: &Atlas, explanation: &Explanation) -> Vec<TermRow> {
    let members = &atlas.inputs.manifest.mammograms;
    let mammograms: Vec<Terms> = explanation
        .mammograms
        .iter()
        .map(|explained| {
            let lesions = &members[explained.mammogram as usize].mammogram.lesions;
            let described = lesions.iter().flat_map(|lesion| &lesion.terms).map(String::as_str);
            let units = explained.units.iter().take(MENTIONED);
            let mentioned = units.filter_map(|part| {
                let name = unit_name(&explanation.network, &explanation.layer, part.unit);
                atlas.names.of(&name)
            });
            let mentioned = mentioned.flat_map(|name| &name.terms).map(String::as_str);
            Terms { lesions: described.collect(), mentioned: mentioned.collect() }
        })
        .collect();
    let mut ids: Vec<&str> =
        mammograms.iter().flat_map(|terms| &terms.mentioned).copied().collect();
    ids.sort_by_key(|id| (atlas.labels.order(id), *id));
    ids.dedup();
    ids.into_iter()
        .map(|id| {
            let found = mentions(id, &mammograms);
            TermRow {
                name: atlas.labels.name(id),
                with: found.with,
                mentioned: found.mentioned,
                both: found.both,
                expected: format!("{:.1}", found.expected()),
                p: if found.with == 0 { "–".into() } else { format!("{:.3}", found.p) },
            }
        })
        .collect()
}

pub(super) fn view(atlas: &Atlas, case: &Case) -> View {
    let Case { explanation, explained, kind } = *case;
    let manifest = atlas.inputs.manifest;
    let mammogram = &manifest.mammograms[explained.mammogram as usize].mammogram;
    let scene = Scene {
        explanation,
        explained,
        scores: atlas.scores(&explanation.network),
        manifest,
        names: &atlas.names,
        kind,
        truth: truth(mammogram.has_cancer()),
    };
    scene.view(atlas.mammogram(explained.mammogram), Link::new, |rank, part| {
        let top = TopPatch {
            patch: explained.patch,
            score: part.score,
            at: [0, 0],
            roi: [0.0; 4],
            overlay: part.overlay.clone(),
        };
        atlas.patch(rank, &top, 0.3)
    })
}

impl Scene<'_> {
    /// With the mammogram and the patch of a rank and unit as they are to be drawn, and links of a title
    /// to a page of the atlas.
    pub(super) fn view(
        &self,
        mammogram: parts::MammogramView,
        link: impl Fn(String, String) -> Link,
        patch: impl Fn(usize, &Part) -> parts::PatchView,
    ) -> View {
        let Scene { explanation, explained, scores, manifest, names, kind, truth } = *self;
        let Explanation { network, layer, .. } = explanation;
        let named = names.of_layer(network, layer);
        let window = |(patch, probability): (&Patch, f32)| {
            let percent = (100.0 * probability).round() as u32;
            WindowView { x: patch.x, y: patch.y, edge: patch.edge, percent }
        };
        let windows = manifest.scored(scores, explained.mammogram).map(window).collect();
        let deciding = &manifest.patches[explained.patch as usize];
        let share =
            |part: f32| if explained.evidence > 0.0 { part / explained.evidence } else { 0.0 };
        let part_view = |(rank, part): (usize, &Part)| PartView {
            link: link(unit_name(network, layer, part.unit), unit_href(network, layer, part.unit)),
            label: named(part.unit).unwrap_or_default().to_string(),
            contribution: text::signed(part.contribution),
            percent: percent(share(part.contribution)),
            patch: patch(rank, part),
            inside: part.inside.map(percent).unwrap_or_default(),
        };
        View {
            id: mammogram.id.clone(),
            network: link(network.clone(), network_href(network)),
            layer: link(format!("{network}/{layer}"), layer_href(network, layer)),
            exact: explanation.exact,
            kind,
            truth,
            mammogram,
            probability: format!("{:.2}", explained.probability),
            sentence: sentence(explained, &named),
            margin: text::signed(explained.margin),
            evidence: text::signed(explained.evidence),
            against: text::signed(explained.margin - explained.rest - explained.evidence),
            windows,
            deciding: window((deciding, explained.probability)),
            lesion: explained.lesion.map(percent).unwrap_or_default(),
            shown_share: percent(share(explained.units.iter().map(|p| p.contribution).sum())),
            units: (1..).zip(&explained.units).map(part_view).collect(),
        }
    }
}

/// Share of a mammogram's evidence that named units carry.
pub(crate) fn named_share(atlas: &Atlas, of: &Explanation, explained: &Explained) -> f32 {
    carried(explained, atlas.names.of_layer(&of.network, &of.layer))
}
