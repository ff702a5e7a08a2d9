//! Methods, in the numbers of this run.

use anyhow::Result;
use serde::Serialize;

use super::navigation::{Entry, Menu};
use super::page::{Files, Head, Page, Site, html};
use super::procedure::{self, Procedure};
use crate::facts::Atlas;
use crate::facts::areas::{AucView, auc_view};
use crate::facts::paths::{METHODS, network_href};
use crate::facts::words::{threshold_rule, weights};
use crate::inputs::Exhibit;
use crate::text;
use config::{ClassWeights, Rate, Rates, Schedule, Scoring};
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
    window: String,
    stride: String,
    size: u32,
    min_breast: String,
    min_lesion: String,
    min_patch: String,
    shares: Vec<String>,
    /// Not shown where it is the key of pseudonyms.
    seed: Option<String>,
    given_split: bool,
    given_patches: bool,
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
    let cut = &manifest.patching;
    let clean = |value: &str| atlas.told(value);
    View {
        source: manifest.source.name.clone(),
        source_description: clean(&manifest.source.description),
        citation: clean(&manifest.source.citation),
        window: text::percent(cut.window),
        stride: text::percent(cut.stride),
        size: cut.size,
        min_breast: text::percent(cut.min_breast),
        min_lesion: text::percent(cut.min_lesion),
        min_patch: text::percent(cut.min_patch),
        shares: [manifest.shares.train, manifest.shares.validation, manifest.shares.test]
            .map(text::percent)
            .to_vec(),
        seed: manifest.source.tells_seed().then(|| manifest.seed.to_string()),
        given_split: manifest.given.patients > 0,
        given_patches: manifest.given.patches,
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

fn settings(training: &config::Training) -> Vec<(&'static str, String)> {
    let decay = training.lr_decay_epochs.iter().map(u32::to_string).collect::<Vec<_>>();
    let schedule = match training.schedule {
        Schedule::Cosine => "half a cosine down to zero".to_string(),
        Schedule::Constant if decay.is_empty() => "constant".into(),
        Schedule::Constant => format!("divided by ten at the start of epoch {}", text::and(&decay)),
    };
    let class_weights = match &training.class_weights {
        ClassWeights::None => "none".to_string(),
        ClassWeights::Balanced => "inverse to the class's frequency".into(),
        ClassWeights::Given(weights) => {
            text::and(&weights.iter().map(f64::to_string).collect::<Vec<_>>())
        }
    };
    let stopping = training.early_stopping.map_or("no".into(), |epochs| {
        format!("after {epochs} epochs without a better validation AUC")
    });
    let rate = match training.lr {
        Rate::Same(rate) => rate.to_string(),
        Rate::Parts(Rates { head, rest }) => format!("{head} of the head, {rest} of the rest"),
    };
    let yes = |on: bool| if on { "yes".to_string() } else { "no".into() };
    let part =
        training.freeze.as_ref().map(|layer| ("trained", format!("what comes after {layer}")));
    let all = [
        ("optimiser", "stochastic gradient descent".into()),
        ("epochs", training.epochs.to_string()),
        ("batch", training.batch.to_string()),
        ("learning rate", rate),
        ("schedule", schedule),
        ("warm-up steps", training.warmup.to_string()),
        ("momentum", training.momentum.to_string()),
        ("weight decay", training.weight_decay.to_string()),
        ("flips", yes(training.augment.flips)),
        ("quarter turns", yes(training.augment.rotations)),
        ("brightness", intensity(training.augment.intensity)),
        ("classes balanced", yes(training.balance)),
        ("class weights in the loss", class_weights),
        ("early stopping", stopping),
    ];
    all.into_iter().chain(part).collect()
}

fn intensity(share: f64) -> String {
    if share == 0.0 {
        return "no".into();
    }
    let percent = text::percent(share);
    format!("gain and offset of up to {percent} at random")
}
