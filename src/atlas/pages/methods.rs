//! Methods and provenance, in the numbers of this run.

use serde::Serialize;

use super::procedure::{self, Procedure};
use super::{Atlas, AucView, auc_view, network_href};
use crate::{Exhibit, text};
use config::{Anchor, ClassWeights, Schedule, Source, Threshold};
use record::dissection::SAMPLE;
use record::similar::DUPLICATE;

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
    networks: Vec<NetworkRow>,
    procedure: Procedure,
    provenance: Vec<(String, String)>,
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

/// Where a network's weights come from, in words; a file by its name alone.
pub(super) fn weights(exhibit: &Exhibit) -> String {
    let start = match &exhibit.evaluation.pretrained {
        Some(file) => file.rsplit(['/', '\\']).next().unwrap_or_default().to_string(),
        None => "random initialisation".into(),
    };
    match exhibit.evaluation.best_epoch {
        Some(epoch) => format!("{start}, then trained here; epoch {epoch} kept"),
        None => format!("{start}, not trained here"),
    }
}

/// How a unit's threshold was set, in words.
pub(super) fn threshold_rule(threshold: Threshold, anchor: Anchor) -> String {
    let rule = match threshold {
        Threshold::Quantile(q) => format!(
            "T is the activation that the unit exceeds at {} of all locations of all patches",
            text::percent(q)
        ),
        Threshold::FractionOfMax(share) => {
            format!("T is {} of the unit’s best score", text::percent(share))
        }
    };
    let anchor = match anchor {
        Anchor::ReceptiveField => "upsampled from the centres of the receptive fields",
        Anchor::Pixel => "upsampled by a plain resize",
    };
    format!("{rule}; maps are {anchor}")
}

pub(super) fn view(atlas: &Atlas) -> View {
    let config = atlas.inputs.config;
    let manifest = atlas.inputs.manifest;
    let cut = &manifest.patching;
    let folders = atlas.folders();
    let clean = |value: &str| text::without_folders(value, &folders);
    let mut provenance: Vec<(String, String)> =
        atlas.inputs.provenance.iter().map(|(name, value)| (clean(name), clean(value))).collect();
    if let Source::Phantom { patients, height } = &config.source {
        provenance.insert(
            0,
            ("phantoms".into(), format!("{patients} patients, images {height} pixels high")),
        );
    }
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
        seed: (manifest.source.kind != "folder").then(|| manifest.seed.to_string()),
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
        networks: atlas.inputs.exhibits.iter().map(network).collect(),
        procedure: procedure::view(atlas),
        provenance,
    }
}

fn network(exhibit: &Exhibit) -> NetworkRow {
    let found = exhibit.evaluation;
    let training = exhibit.config.training.as_ref().filter(|_| found.best_epoch.is_some());
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
    let yes = |on: bool| if on { "yes".to_string() } else { "no".into() };
    vec![
        ("optimiser", "stochastic gradient descent".into()),
        ("epochs", training.epochs.to_string()),
        ("batch", training.batch.to_string()),
        ("learning rate", training.lr.to_string()),
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
    ]
}

fn intensity(share: f64) -> String {
    if share == 0.0 {
        return "no".into();
    }
    let percent = text::percent(share);
    format!("gain and offset of up to {percent} at random")
}
