//! The list of the cases by network, where the networks looked, how often explanations mention what the source describes, and which
//! units are worth naming next.

use anyhow::Result;
use serde::Serialize;

use super::navigation::Entry;
use super::page::{Files, Head, Page, Site, html};
use super::parts::UnitCard;
use crate::facts::Atlas;
use crate::facts::paths::{
    CASES, Link, READING, case_href, layer_href, mammogram_href, network_href,
};
use crate::facts::words::percent;
use crate::text;
use catalogue::{
    Case, Group, Name, Place, Pointing, Rate, Reason, Regions, Terms, mentions, pointing, regions,
    sentence, unplaced,
};
use record::explanation::{Explanation, Part};

/// Units of an explanation whose terms it is said to mention.
const MENTIONED: usize = 5;

/// Units told of as worth naming next, per network.
const NEXT: usize = 6;

/// The list of all cases.
struct Cases;

pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    match atlas.inputs.explanations {
        [] => Vec::new(),
        _ => vec![html(Cases)],
    }
}

impl Page for Cases {
    type View = View;
    const TEMPLATE: &'static str = "cases.html";

    fn path(&self) -> String {
        CASES.into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::new(17, "Cases")
    }

    fn view(&self, site: &Site) -> Result<View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &View) -> Result<Head> {
        Ok(Head::new("Cases", "Mammograms with the evidence for cancer in them"))
    }
}

/// Why cases are shown, as the heading of a list of them.
fn heading(reason: Reason) -> &'static str {
    match reason {
        Reason::HighCancer => "Cancers with the highest scores",
        Reason::FalseAlarm => "False alarms",
        Reason::Missed => "Missed cancers",
        Reason::Listed => "Listed",
        Reason::Random => "At random from the others",
    }
}

/// The list of all cases.
#[derive(Serialize)]
pub(super) struct View {
    networks: Vec<NetworkView>,
    /// What readers score.
    read: Option<ReadView>,
}

/// The mammograms that are put to readers.
#[derive(Serialize)]
struct ReadView {
    /// The page on which they score them.
    page: &'static str,
    network: Link,
    cancer: usize,
    none: usize,
    /// In the order of the data set.
    mammograms: Vec<ReadRow>,
}

#[derive(Serialize)]
struct ReadRow {
    id: String,
    /// Its page, where it has one.
    href: Option<String>,
    truth: &'static str,
    probability: String,
}

#[derive(Serialize)]
struct NetworkView {
    network: Link,
    layer: Link,
    exact: bool,
    split: String,
    mammograms: String,
    /// Units that people named, and the share of the evidence in all mammograms that they carry; empty
    /// without any.
    named: String,
    named_share: String,
    /// The same of units that a machine named.
    machine: String,
    machine_share: String,
    /// The same of units with an automatic name.
    automatic: String,
    automatic_share: String,
    kinds: Vec<KindView>,
    pointing: Vec<PointingView>,
    /// Whether the network was trained to score mammograms otherwise.
    pooled: bool,
    /// Cancers scored as cancer of which the source does not say where they are.
    unplaced: usize,
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
    /// How the score stands to the truth, and where the network looked.
    verdict: &'static str,
    probability: String,
    sentence: String,
}

/// Where the deciding patches of some mammograms lie.
#[derive(Serialize)]
struct PointingView {
    title: &'static str,
    mammograms: usize,
    rows: Vec<RateRow>,
}

#[derive(Serialize)]
struct RateRow {
    place: &'static str,
    count: usize,
    share: String,
    expected: String,
    p: String,
}

/// Where a unit looks that contributes to a cancer with a high score.
#[derive(Serialize)]
struct PlaceRow {
    /// Which unit of each explanation.
    unit: &'static str,
    /// Explanations in which it has a region and the deciding patch a lesion.
    cases: usize,
    /// Mean share of the region that lies in a malignant lesion, and in a benign one.
    malignant: String,
    benign: String,
    /// Mean share of the patch that each covers: what a region anywhere would have.
    malignant_chance: String,
    benign_chance: String,
    /// Explanations in which the malignant lesion covers more of the region than of the patch.
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

fn view(atlas: &Atlas) -> View {
    let all = atlas.cases();
    let network = |explanation: &Explanation| {
        let layer = atlas.catalogue.explaining(explanation);
        let named = |unit| layer.and_then(|layer| layer.name(unit));
        let evidence: f32 = explanation.evidence.iter().sum();
        let of = |wanted: &dyn Fn(&Name) -> bool| {
            let units = (1..).zip(&explanation.evidence);
            let theirs: Vec<f32> = units
                .filter(|(unit, _)| named(*unit).is_some_and(wanted))
                .map(|(_, evidence)| *evidence)
                .collect();
            match (&theirs[..], evidence > 0.0) {
                ([], _) => [String::new(), String::new()],
                (theirs, carries) => {
                    let share = if carries { theirs.iter().sum::<f32>() / evidence } else { 0.0 };
                    [text::counted(theirs.len(), "unit", "units"), percent(share)]
                }
            }
        };
        let [by_people, by_people_share] = of(&Name::is_by_people);
        let [machine, machine_share] = of(&|name| matches!(name, Name::Machine { .. }));
        let [automatic, automatic_share] = of(&|name| matches!(name, Name::Automatic { .. }));
        let row = |case: &Case| {
            let number = case.explained.mammogram as usize;
            let mammogram = &atlas.inputs.manifest.mammograms[number].mammogram;
            CaseRow {
                link: Link::new(&mammogram.id, case_href(&explanation.network, &mammogram.id)),
                verdict: case.verdict.words(),
                probability: format!("{:.2}", case.explained.probability),
                sentence: sentence(case.explained, named, Some(case.verdict)),
            }
        };
        let kinds = Reason::ALL.map(|reason| KindView {
            title: heading(reason),
            cases: all
                .iter()
                .filter(|case| {
                    case.explanation.network == explanation.network && case.reason == reason
                })
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
            named: by_people,
            named_share: by_people_share,
            machine,
            machine_share,
            automatic,
            automatic_share,
            kinds: kinds.into_iter().filter(|kind| !kind.cases.is_empty()).collect(),
            pointing: pointing(explanation, atlas.inputs.manifest).iter().map(looked).collect(),
            pooled: atlas.inputs.exhibits.iter().any(|exhibit| {
                exhibit.config.name == explanation.network
                    && exhibit.evaluation.assessment.levels.mammogram_pooled.is_some()
            }),
            unplaced: unplaced(explanation, atlas.inputs.manifest),
            places: places(atlas, explanation),
            terms: terms(atlas, explanation),
            next: atlas
                .catalogue
                .next(explanation)
                .into_iter()
                .take(NEXT)
                .map(|(entry, share)| NextUnit {
                    unit: atlas.card(entry, 4, 1.5),
                    share: percent(share),
                })
                .collect(),
        }
    };
    View { networks: atlas.inputs.explanations.iter().map(network).collect(), read: read(atlas) }
}

/// The mammograms that readers score, where there are any.
fn read(atlas: &Atlas) -> Option<ReadView> {
    let drawn = atlas.reading.drawn()?;
    let [cancer, none] = drawn.found();
    let mut cases: Vec<_> = drawn.cases.iter().collect();
    // Their own order would tell which code is whose.
    cases.sort_by_key(|case| case.explained.mammogram);
    let row = |case: &study::cases::Case| {
        let number = case.explained.mammogram;
        let id = &atlas.inputs.manifest.mammograms[number as usize].mammogram.id;
        ReadRow {
            href: atlas.shown.mammograms.contains(&number).then(|| mammogram_href(id)),
            id: id.clone(),
            truth: if case.cancer { "cancer" } else { "no cancer" },
            probability: format!("{:.2}", case.explained.probability),
        }
    };
    let network = &drawn.explanation.network;
    Some(ReadView {
        page: READING,
        network: Link::new(network, network_href(network)),
        cancer,
        none,
        mammograms: cases.into_iter().map(row).collect(),
    })
}

fn looked(pointing: &Pointing) -> PointingView {
    let row = |rate: &Rate| RateRow {
        place: rate.place.words(),
        count: rate.count,
        share: percent(rate.count as f32 / pointing.mammograms as f32),
        expected: format!("{:.1}", rate.expected),
        p: format!("{:.3}", rate.p),
    };
    // No malignant lesion is there to look at.
    let possible = |rate: &&Rate| rate.place != Place::Malignant || rate.expected > 0.0;
    PointingView {
        title: match pointing.group {
            Group::HighCancers => "Cancers scored as cancer",
            Group::FalseAlarms => "False alarms",
        },
        mammograms: pointing.mammograms,
        rows: pointing.rates.iter().filter(possible).map(row).collect(),
    }
}

/// Of the cancers that a network scores as cancer, how much of the region of the unit that contributes most
/// lies in lesions, and of the first that has a name; none where none has a region.
fn places(atlas: &Atlas, explanation: &Explanation) -> Vec<PlaceRow> {
    let layer = atlas.catalogue.explaining(explanation);
    let named = |part: &Part| layer.is_some_and(|layer| layer.name(part.unit).is_some());
    let row = |unit: &'static str, found: Regions| PlaceRow {
        unit,
        cases: found.mammograms,
        malignant: percent(found.inside.malignant),
        benign: percent(found.inside.benign),
        malignant_chance: percent(found.chance.malignant),
        benign_chance: percent(found.chance.benign),
        above: found.above,
    };
    let manifest = atlas.inputs.manifest;
    let any = regions(explanation, manifest, |_| true);
    let first = regions(explanation, manifest, named);
    let any = any.map(|found| row("that contributes most", found));
    any.into_iter()
        .chain(first.map(|found| row("with a name that contributes most", found)))
        .collect()
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
            let layer = atlas.catalogue.explaining(explanation);
            let mentioned = units.filter_map(|part| layer?.units.get(part.unit as usize - 1));
            // What the outlines name is no finding about the outlines.
            let mentioned = mentioned.filter(|entry| entry.name.is_by_people());
            let mentioned = mentioned.flat_map(|entry| &entry.terms).map(String::as_str);
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
