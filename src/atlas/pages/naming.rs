//! What a machine calls units: the section of a unit's page, and the page that holds its names against what outlines
//! and readers say, and against chance.

use anyhow::Result;
use serde::Serialize;

use super::navigation;
use super::page::{Files, Head, Page, Site, html};
use crate::facts::Atlas;
use crate::facts::paths::{Link, concept_href, layer_href, unit_href};
use crate::text;
use agreement::Estimate;
use architecture::namer::{BUILTIN, TAUGHT};
use base::number;
use catalogue::{Entry, Hits, LayerEntries, Reference};
use config::Scoring;
use metrics::proportion;
use record::naming::Names;

/// Terms listed, those that most units are called.
const TERMS: usize = 12;
/// Units named of each.
const UNITS: usize = 3;

/// What a machine finds in one unit.
#[derive(Serialize)]
pub(super) struct UnitView {
    machine: Machine,
    /// Mammograms of which a patch stands for the unit.
    patches: u32,
    rows: Vec<TermRow>,
    /// Whether any term is beyond chance.
    named: bool,
}

#[derive(Serialize)]
struct TermRow {
    name: String,
    standing: String,
    difference: String,
    standard: String,
    chance: String,
    untrained: String,
    adjusted: String,
    beyond: bool,
}

/// The machine, and how it names.
#[derive(Serialize)]
struct Machine {
    name: String,
    /// Whether it was taught on a data set's own annotations.
    taught: bool,
    /// Whether that was phantoms, and it comes with the program.
    builtin: bool,
    deals: String,
    /// Whether soft WPMI names, and not the difference.
    wpmi: bool,
}

impl Machine {
    fn of(names: &Names) -> Self {
        let builtin = names.namer == BUILTIN;
        Self {
            name: names.namer.clone(),
            taught: builtin || names.namer == TAUGHT,
            builtin,
            deals: text::count(names.deals),
            wpmi: names.scoring == Scoring::SoftWpmi,
        }
    }
}

/// What a machine finds in a unit; none where none looked at its layer.
pub(super) fn of_unit(atlas: &Atlas, entry: &Entry) -> Option<UnitView> {
    let names = atlas.names(entry.id.network(), entry.id.layer())?;
    let rows = entry.machine.iter().map(|close| TermRow {
        name: atlas.labels.name(&close.term),
        standing: atlas.labels.standing(&close.term),
        difference: number::written(format_args!("{:+.3}", close.difference)),
        standard: number::written(format_args!("{:.1}", close.standard)),
        chance: format!("{:.3}", close.chance),
        untrained: close.untrained.map_or_else(|| "–".into(), |share| format!("{share:.3}")),
        adjusted: format!("{:.3}", close.adjusted),
        beyond: close.is_beyond_chance(),
    });
    let rows: Vec<TermRow> = rows.collect();
    Some(UnitView {
        machine: Machine::of(names),
        patches: names.patches,
        named: rows.iter().any(|row| row.beyond),
        rows,
    })
}

/// The page of the machine's names.
struct Naming;

pub(super) fn pages<'a>(atlas: &'a Atlas<'a>) -> Files<'a> {
    match atlas.inputs.names {
        [] => Files::new(),
        _ => vec![html(Naming)],
    }
}

impl Page for Naming {
    type View = View;
    const TEMPLATE: &'static str = "naming.html";

    fn path(&self) -> String {
        "naming/index.html".into()
    }

    fn entry(&self) -> Option<navigation::Entry> {
        navigation::Entry::new(24, "Names by machine")
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new(
            "Names by machine",
            "What a machine that compares images with words calls the units, against chance, outlines and readers",
        ))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    machine: Machine,
    terms: usize,
    layers: Vec<LayerRow>,
    /// Against outlines and people, where any unit has both.
    against: Vec<AgainstView>,
    called: Vec<CalledRow>,
    /// How many terms more units are called.
    more: usize,
}

#[derive(Serialize)]
struct LayerRow {
    link: Link,
    live: String,
    named: String,
    share: String,
    patches: u32,
    untrained: String,
}

#[derive(Serialize)]
struct AgainstView {
    /// `outlines` or `people`.
    whom: &'static str,
    rows: Vec<HitsRow>,
}

#[derive(Serialize)]
struct HitsRow {
    layer: String,
    units: u32,
    /// Shares with their intervals.
    first: String,
    five: String,
    category: String,
    /// What one name for all would give, and which.
    constant: String,
    constant_name: String,
    /// What the names dealt anew would give.
    dealt: String,
    kappa: String,
}

#[derive(Serialize)]
struct CalledRow {
    link: Option<Link>,
    name: String,
    standing: String,
    units: usize,
    some: Vec<Link>,
}

fn view(atlas: &Atlas) -> View {
    let names = atlas.inputs.names;
    let first = &names[0];
    let of = |names: &Names| atlas.catalogue.layer(&names.network, &names.layer);
    let layers: Vec<&LayerEntries> = names.iter().filter_map(of).collect();
    let row = |names: &Names| {
        let live = names.units.iter().filter(|candidates| !candidates.is_empty()).count() as u32;
        let named = names.named() as u32;
        LayerRow {
            link: Link::new(
                format!("{}/{}", names.network, names.layer),
                layer_href(&names.network, &names.layer),
            ),
            live: text::count(live),
            named: text::count(named),
            share: share(named, live),
            patches: names.patches,
            untrained: names.untrained.map_or_else(|| "none".into(), text::count),
        }
    };
    let against = [(Reference::Outlines, "outlines"), (Reference::People, "people")];
    let mut called: std::collections::BTreeMap<&str, Vec<&Entry>> = Default::default();
    for (entry, close) in atlas.catalogue.by_machine() {
        called.entry(&close.term).or_default().push(entry);
    }
    let mut called: Vec<_> = called.into_iter().collect();
    // A stable sort: equals stay in the order of their ids.
    called.sort_by_key(|(_, units)| std::cmp::Reverse(units.len()));
    let more = called.len().saturating_sub(TERMS);
    View {
        machine: Machine::of(first),
        terms: first.terms.len(),
        layers: names.iter().map(row).collect(),
        against: against
            .into_iter()
            .filter_map(|(reference, whom)| {
                let rows = hits(atlas, &layers, reference);
                (!rows.is_empty()).then_some(AgainstView { whom, rows })
            })
            .collect(),
        called: called
            .into_iter()
            .take(TERMS)
            .map(|(term, units)| CalledRow {
                link: atlas
                    .catalogue
                    .layers()
                    .iter()
                    .any(|layer| layer.outlines(term))
                    .then(|| Link::new(atlas.labels.name(term), concept_href(term))),
                name: atlas.labels.name(term),
                standing: atlas.labels.standing(term),
                some: strongest(&units),
                units: units.len(),
            })
            .collect(),
        more,
    }
}

/// The units that stand out most by their own term.
fn strongest(units: &[&Entry]) -> Vec<Link> {
    let mut units = units.to_vec();
    let standard = |entry: &&Entry| entry.called().map_or(0.0, |close| close.standard);
    units.sort_by(|a, b| standard(b).total_cmp(&standard(a)));
    let link = |entry: &&Entry| Link::new(entry.id.to_string(), unit_href(&entry.id));
    units.iter().take(UNITS).map(link).collect()
}

/// A row for each layer, and one for all where there are several.
fn hits(atlas: &Atlas, layers: &[&LayerEntries], reference: Reference) -> Vec<HitsRow> {
    let seed = atlas.inputs.config.seed;
    let found = |layers: &[&LayerEntries], name: String| {
        let hits = atlas.catalogue.hits(layers.iter().copied(), reference, seed)?;
        Some(hits_row(atlas, name, &hits))
    };
    let each = layers.iter().filter_map(|layer| {
        found(&[*layer], format!("{}/{}", layer.record.network, layer.record.layer))
    });
    let mut rows: Vec<HitsRow> = each.collect();
    if rows.len() > 1 {
        rows.extend(found(layers, "All".into()));
    }
    rows
}

fn hits_row(atlas: &Atlas, layer: String, hits: &Hits) -> HitsRow {
    let of = |count: u32| share(count, hits.units);
    let constant = hits.constant.as_ref();
    HitsRow {
        layer,
        units: hits.units,
        first: of(hits.first),
        five: of(hits.five),
        category: of(hits.category),
        constant: constant.map_or_else(|| "–".into(), |(_, times)| of(*times)),
        constant_name: constant.map(|(term, _)| atlas.labels.name(term)).unwrap_or_default(),
        dealt: text::percent(hits.dealt / f64::from(hits.units)),
        kappa: match hits.kappa {
            Estimate::Value { value, interval: Some([low, high]) } => {
                number::written(format_args!("{value:.2} ({low:.2} to {high:.2})"))
            }
            Estimate::Value { value, interval: None } => {
                number::written(format_args!("{value:.2}"))
            }
            Estimate::Undefined(_) => "–".into(),
        },
    }
}

/// `41% (33% to 50%)`, by Wilson's interval.
fn share(count: u32, of: u32) -> String {
    let found = proportion(count, of);
    let percent = |value: f64| format!("{:.0}%", 100.0 * value);
    match of {
        0 => "–".into(),
        _ => {
            format!("{} ({} to {})", percent(found.value), percent(found.low), percent(found.high))
        }
    }
}
