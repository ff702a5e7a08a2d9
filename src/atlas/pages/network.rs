//! A network's page: performance, training, weights, layers.

use anyhow::Result;
use serde::Serialize;

use super::assessment;
use super::navigation::{Entry, Menu};
use super::page::{Files, Head, Page, Site, html};
use crate::chart::{self, Chart};
use crate::facts::Atlas;
use crate::facts::areas::{AucView, auc_view};
use crate::facts::paths::{layer_href, network_href};
use crate::facts::words;
use crate::figures::{self, Download};
use crate::inputs::Exhibit;
use crate::text;
use catalogue::{ConceptMatch, Kind, concept_words};
use config::figures::Kind as FigureKind;
use record::rates::RateTest;
use record::training::{Epoch, Origin};

/// A network.
struct Network<'a>(&'a Exhibit<'a>);

pub(super) fn pages<'a>(exhibit: &'a Exhibit<'a>) -> Files<'a> {
    vec![html(Network(exhibit))]
}

impl Page for Network<'_> {
    type View = View;
    const TEMPLATE: &'static str = "network.html";

    fn path(&self) -> String {
        network_href(&self.0.config.name)
    }

    fn entry(&self) -> Option<Entry> {
        Entry::under(Menu::Networks, 10, &self.0.config.name)
    }

    fn view(&self, site: &Site) -> Result<Self::View> {
        Ok(view(site.atlas, self.0))
    }

    fn head(&self, _: &Atlas, _: &Self::View) -> Result<Head> {
        let name = &self.0.config.name;
        let description =
            format!("How well {name} tells cancer from no cancer, and its dissected layers");
        Ok(Head::new(name, description).of(self.0))
    }
}

#[derive(Serialize)]
pub(super) struct View {
    name: String,
    auc: Option<AucView>,
    split: String,
    patches: String,
    positives: String,
    negatives: String,
    /// Whether any output says something of cancer.
    tells: bool,
    parameters: String,
    input: u32,
    weights: String,
    weights_blake3: String,
    device: String,
    /// None of a network that is run here.
    recorded: Option<RecordedView>,
    epochs: usize,
    roc: Option<Chart>,
    assessment: assessment::View,
    /// Whether it was trained to score mammograms by their patches.
    pooled: bool,
    loss: Option<Chart>,
    quality: Option<Chart>,
    /// None where no rate range test was made.
    rates: Option<RatesView>,
    history: Vec<EpochRow>,
    layers: Vec<LayerRow>,
    downloads: Vec<Download>,
}

/// What is to be said of a network that was recorded.
#[derive(Serialize)]
struct RecordedView {
    made: String,
    notes: Vec<String>,
    /// Layers of which it was not recorded what their units contribute.
    without: Option<String>,
}

/// A rate range test.
#[derive(Serialize)]
struct RatesView {
    chart: Chart,
    steps: usize,
    from: String,
    to: String,
    /// None where the loss fell at no rate.
    suggested: Option<String>,
    diverged: bool,
}

impl RatesView {
    fn of(name: &str, test: &RateTest) -> Option<Self> {
        let [from, to] = [test.steps.first()?, test.steps.last()?].map(|step| step.rate);
        let suggested = test.suggested.map(text::significant);
        let told = suggested
            .as_ref()
            .map_or(String::new(), |rate| format!("; it falls most steeply at {rate}"));
        let alt = format!("Smoothed loss of {name} by learning rate{told}");
        Some(Self {
            chart: Chart::new(&chart::rates(test), &alt),
            steps: test.steps.len(),
            from: text::significant(from),
            to: text::significant(to),
            suggested,
            diverged: test.diverged,
        })
    }
}

#[derive(Serialize)]
struct EpochRow {
    epoch: u32,
    kept: bool,
    lr: String,
    loss: String,
    accuracy: String,
    validation_loss: String,
    validation_accuracy: String,
    validation_auc: String,
}

#[derive(Serialize)]
struct LayerRow {
    name: String,
    href: String,
    units: String,
    map: String,
    field: String,
    detectors: String,
    /// Dead and constant units.
    lifeless: usize,
    concepts: String,
    best: String,
}

/// Learning rates of an epoch.
fn rates(epoch: &Epoch) -> String {
    let head = text::significant(epoch.lr);
    match epoch.lr_rest {
        Some(rest) => format!("{head} (head), {}", text::significant(rest)),
        None => head,
    }
}

fn recorded(exhibit: &Exhibit) -> Option<RecordedView> {
    let Origin::Recorded { recorded } = &exhibit.evaluation.origin else { return None };
    let without = exhibit.layers.iter().filter(|layer| layer.influence.is_none());
    let without: Vec<String> = without.map(|layer| layer.layer.clone()).collect();
    Some(RecordedView {
        made: recorded.made.clone(),
        notes: recorded.notes.clone(),
        without: (!without.is_empty()).then(|| text::and(&without)),
    })
}

pub(super) fn view(atlas: &Atlas, exhibit: &Exhibit) -> View {
    let found = exhibit.evaluation;
    let name = exhibit.config.name.clone();
    let history = exhibit.history;
    let curves = (history.len() > 1).then(|| {
        let [loss, quality] = chart::training(exhibit);
        let over = |what: &str| format!("{what} of {name} over {} epochs", history.len());
        (
            Chart::new(&loss, &over("Cross-entropy")),
            Chart::new(&quality, &over("Validation AUC and accuracy")),
        )
    });
    let (loss, quality) = curves.unzip();
    let auc = auc_view(exhibit);
    View {
        roc: auc.as_ref().map(|auc| {
            let curve = (name.clone(), found.assessment.levels.patch.roc.as_slice());
            Chart::new(
                &chart::roc(&[curve]),
                &format!("ROC curve of {name} on the {} split, area {}", found.split, auc.value),
            )
        }),
        auc,
        pooled: found.assessment.levels.mammogram_pooled.is_some(),
        assessment: assessment::view(atlas, exhibit),
        split: found.split.to_string(),
        patches: text::count(found.scores.len() as u64),
        tells: found.tells_cancer(),
        positives: text::count(found.positives),
        negatives: text::count(found.negatives),
        parameters: text::count(found.parameters),
        input: found.input,
        weights: words::weights(exhibit),
        weights_blake3: found.weights_blake3.clone(),
        device: found.device.clone(),
        recorded: recorded(exhibit),
        epochs: history.len(),
        loss,
        quality,
        rates: exhibit.rates.and_then(|test| RatesView::of(&name, test)),
        history: history
            .iter()
            .map(|epoch| EpochRow {
                epoch: epoch.epoch,
                kept: found.best_epoch() == Some(epoch.epoch),
                lr: rates(epoch),
                loss: format!("{:.4}", epoch.loss),
                accuracy: format!("{:.3}", epoch.accuracy),
                validation_loss: format!("{:.4}", epoch.validation_loss),
                validation_accuracy: format!("{:.3}", epoch.validation_accuracy),
                validation_auc: epoch
                    .validation_auc
                    .map_or_else(|| "–".into(), |auc| format!("{auc:.3}")),
            })
            .collect(),
        layers: exhibit
            .layers
            .iter()
            .map(|layer| {
                let known = atlas.catalogue.layer(&layer.network, &layer.layer);
                let detectors = known.map_or(0, |known| known.detectors().count());
                let mut best = None::<ConceptMatch>;
                for found in
                    known.iter().flat_map(|k| &k.units).filter_map(catalogue::Entry::best_match)
                {
                    if found.found.iou > best.map_or(0.0, |best| best.found.iou) {
                        best = Some(found);
                    }
                }
                LayerRow {
                    name: layer.layer.clone(),
                    href: layer_href(&name, &layer.layer),
                    units: text::count(layer.units.len() as u64),
                    map: format!("{} × {}", layer.map[0], layer.map[1]),
                    field: format!(
                        "{}, every {} px",
                        text::field(layer.field.edge, atlas.inputs.store.edge(), |width| {
                            format!("{width} px")
                        }),
                        text::coordinate(layer.field.stride)
                    ),
                    detectors: text::count(detectors as u64),
                    lifeless: known.map_or(0, |k| k.units.len() - k.count(Kind::Live)),
                    concepts: text::count(known.map_or(0, |k| k.detected().len()) as u64),
                    best: best
                        .map(|ConceptMatch { concept, found, .. }| {
                            let words = concept_words(&concept.id, atlas.inputs.lexicons);
                            format!("{words} ({:.3})", found.iou)
                        })
                        .unwrap_or_else(|| "–".into()),
                }
            })
            .collect(),
        downloads: figures::downloads(atlas, |kind| match kind {
            FigureKind::Training { network } => network.as_deref() == Some(&name),
            _ => false,
        }),
        name,
    }
}
