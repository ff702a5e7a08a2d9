//! Methods, in the numbers of this run.

use anyhow::Result;
use serde::Serialize;

use super::navigation::{Entry, Menu};
use super::page::{Files, Head, Page, Site, html};
use super::procedure::{self, Procedure};
use crate::facts::Atlas;
use crate::facts::areas::{AucView, auc_view};
use crate::facts::paths::{METHODS, network_href};
use crate::facts::statements::{cutting, labels, split};
use crate::facts::words::{settings, threshold_rule, weights};
use crate::inputs::Exhibit;
use crate::text;
use config::Scoring;
use record::dissection::SAMPLE;
use record::similar::DUPLICATE;

/// Methods.
struct Methods;

pub(super) fn pages<'a>(_: &'a Atlas<'a>) -> Files<'a> {
    vec![html(Methods)]
}

impl Page for Methods {
    type View = View;
    const TEMPLATE: &'static str = "methods.html";

    fn path(&self) -> String {
        METHODS.into()
    }

    fn entry(&self) -> Option<Entry> {
        Entry::under(Menu::More, 30, "Methods")
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        Ok(Head::new(
            "Methods",
            "How the patches were cut, the networks trained and the units dissected",
        ))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    source: String,
    source_description: String,
    citation: String,
    licence: Option<String>,
    /// How patients were divided.
    division: String,
    /// How patches were cut and labelled, a sentence or two each.
    cutting: String,
    labels: String,
    given_patches: bool,
    size: u32,
    split: String,
    top: usize,
    rule: String,
    detector: f64,
    permutations: u32,
    level: String,
    duplicate: String,
    sample: usize,
    /// What it means that lesions are boxes, where they are.
    boxes: Option<String>,
    /// How a machine names units; none where none does.
    names: Option<NamesView>,
    networks: Vec<NetworkRow>,
    procedure: Procedure,
}

#[derive(Serialize)]
struct NamesView {
    namer: String,
    patches: u32,
    deals: String,
    wpmi: bool,
    untrained: bool,
}

#[derive(Serialize)]
struct NetworkRow {
    name: String,
    href: String,
    parameters: String,
    input: u32,
    layers: String,
    weights: String,
    weights_blake3: String,
    training: Vec<(&'static str, String)>,
    auc: Option<AucView>,
    device: String,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let config = atlas.inputs.config;
    let manifest = atlas.inputs.manifest;
    let clean = |value: &str| atlas.told(value);
    View {
        source: manifest.source.name.clone(),
        source_description: clean(&manifest.source.description),
        citation: clean(&manifest.source.citation),
        licence: manifest.source.licence.as_deref().map(clean),
        division: split(manifest),
        cutting: cutting(manifest),
        labels: labels(manifest),
        given_patches: manifest.given.patches,
        size: manifest.patching.size,
        split: config.dissection.split.to_string(),
        top: config.dissection.top,
        rule: threshold_rule(config.dissection.threshold, config.dissection.anchor),
        detector: config.dissection.detector,
        permutations: config.dissection.permutations,
        level: record::dissection::SIGNIFICANCE.to_string(),
        duplicate: DUPLICATE.to_string(),
        sample: SAMPLE,
        boxes: atlas.boxes(),
        names: atlas.inputs.names.first().map(|names| NamesView {
            namer: names.namer.clone(),
            patches: names.patches,
            deals: text::count(names.deals),
            wpmi: names.scoring == Scoring::SoftWpmi,
            untrained: names.untrained.is_some(),
        }),
        networks: atlas.inputs.exhibits.iter().map(network).collect(),
        procedure: procedure::view(atlas),
    }
}

fn network(exhibit: &Exhibit) -> NetworkRow {
    let found = exhibit.evaluation;
    let training = exhibit.config.training().filter(|_| found.best_epoch().is_some());
    NetworkRow {
        name: exhibit.config.name.clone(),
        href: network_href(&exhibit.config.name),
        parameters: text::count(found.parameters),
        input: found.input,
        layers: text::and(&exhibit.layers.iter().map(|l| l.layer.clone()).collect::<Vec<_>>()),
        weights: weights(exhibit),
        weights_blake3: found.weights_blake3.clone(),
        training: training.map(settings).unwrap_or_default(),
        auc: auc_view(exhibit),
        device: found.device.clone(),
    }
}
