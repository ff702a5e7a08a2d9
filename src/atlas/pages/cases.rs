//! The list of the cases by network, how often explanations mention what the source describes, and which
//! units are worth naming next.

use anyhow::Result;
use serde::Serialize;

use super::page::{Entry, Files, Head, Page, Site, html};
use super::parts::UnitCard;
use crate::facts::Atlas;
use crate::facts::cases::{CANCER, Case, cases, next};
use crate::facts::paths::{CASES, Link, case_href, layer_href, network_href};
use crate::facts::words::{percent, truth};
use crate::text;
use base::unit_name;
use catalogue::{Terms, mentions, sentence};
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
        Ok(Head::new("Cases", "Mammograms with what speaks for cancer in them"))
    }
}

/// The list of all cases.
#[derive(Serialize)]
pub(super) struct View {
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

fn view(atlas: &Atlas) -> View {
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
                link: Link::new(&mammogram.id, case_href(&case.explanation.network, &mammogram.id)),
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
    View { networks: atlas.inputs.explanations.iter().map(network).collect() }
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
