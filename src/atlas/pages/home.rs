//! The home page: what the atlas is, its networks at a glance, its most telling units.

use serde::Serialize;

use super::{Atlas, AucView, Link, UnitCard, auc_view, layer_href, network_href};
use crate::text;

/// Units shown, and at most how many of them for one concept.
const TELLING: usize = 12;
const PER_CONCEPT: usize = 3;

#[derive(Serialize)]
pub(super) struct View {
    mammograms: String,
    patients: String,
    patches: String,
    units: String,
    labelled: String,
    networks: Vec<NetworkRow>,
    telling: Vec<UnitCard>,
    labelled_units: Vec<UnitCard>,
    /// The IoU above which a unit is a detector.
    detector: String,
}

#[derive(Serialize)]
struct NetworkRow {
    name: String,
    href: String,
    auc: Option<AucView>,
    split: String,
    weights: &'static str,
    layers: Vec<Link>,
    units: String,
    detectors: String,
}

pub(super) fn view(atlas: &Atlas) -> View {
    let manifest = atlas.inputs.manifest;
    let patients: std::collections::BTreeSet<&str> =
        manifest.mammograms.iter().map(|m| m.mammogram.patient.as_str()).collect();
    let networks = atlas
        .inputs
        .exhibits
        .iter()
        .map(|exhibit| {
            let layers = || {
                let all = atlas.catalogue.layers().iter();
                all.filter(|layer| layer.record.network == exhibit.config.name)
            };
            NetworkRow {
                name: exhibit.config.name.clone(),
                href: network_href(&exhibit.config.name),
                auc: auc_view(exhibit),
                split: exhibit.evaluation.split.to_string(),
                weights: match (&exhibit.evaluation.pretrained, exhibit.evaluation.best_epoch) {
                    (Some(_), Some(_)) => "fine-tuned",
                    (Some(_), None) => "pretrained",
                    (None, Some(_)) => "trained from random weights",
                    (None, None) => "random, not trained",
                },
                layers: exhibit
                    .layers
                    .iter()
                    .map(|layer| {
                        Link::new(&layer.layer, layer_href(&exhibit.config.name, &layer.layer))
                    })
                    .collect(),
                units: text::count(layers().map(|layer| layer.units.len() as u64).sum::<u64>()),
                detectors: text::count(
                    layers().map(|layer| layer.detectors().count() as u64).sum::<u64>(),
                ),
            }
        })
        .collect();
    let labelled: Vec<_> =
        atlas.catalogue.units().filter(|entry| entry.name.is_by_people()).collect();
    View {
        detector: atlas.catalogue.detector().to_string(),
        mammograms: text::count(manifest.mammograms.len() as u64),
        patients: text::count(patients.len() as u64),
        patches: text::count(manifest.patches.len() as u64),
        units: text::count(atlas.layers().map(|(_, l)| l.units.len() as u64).sum::<u64>()),
        labelled: text::counted(labelled.len(), "unit", "units"),
        networks,
        telling: telling(atlas),
        labelled_units: labelled
            .iter()
            .take(TELLING)
            .map(|entry| atlas.card(entry, 3, 1.5))
            .collect(),
    }
}

/// Units that detect a concept with the best IoU of all networks, a few per concept.
fn telling(atlas: &Atlas) -> Vec<UnitCard> {
    let found = atlas.catalogue.units();
    let mut ranked: Vec<_> =
        found.filter_map(|entry| Some((entry, entry.best_detection()?))).collect();
    // A stable sort: equals stay in the order of their pages.
    ranked.sort_by(|a, b| b.1.found.iou.total_cmp(&a.1.found.iou));
    let mut shown = std::collections::BTreeMap::<&str, usize>::new();
    ranked
        .into_iter()
        .filter(|(_, best)| {
            let count = shown.entry(&best.concept.id).or_default();
            *count += 1;
            *count <= PER_CONCEPT
        })
        .take(TELLING)
        .map(|(entry, _)| atlas.card(entry, 3, 1.5))
        .collect()
}
