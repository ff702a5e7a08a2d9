//! Training by epoch.

use anyhow::{Context, Result};

use super::source;
use crate::facts::Atlas;
use crate::facts::areas::auc_view;
use crate::inputs::Exhibit;
use crate::{chart, text};
use figure::plot::{Axis, Legend, Lines, Series};
use figure::{Column, Figure, Row, Table, Words};

pub(super) fn training(atlas: &Atlas, network: Option<&str>, width: f64) -> Result<Figure> {
    let exhibits = atlas.inputs.exhibits.iter();
    let trained: Vec<&Exhibit> = exhibits
        .filter(|exhibit| network.is_none_or(|name| exhibit.config.name == name))
        .filter(|exhibit| exhibit.history.len() > 1)
        .collect();
    let first = trained.first().with_context(|| match network {
        Some(name) => format!("{name} was not trained here for more than one epoch"),
        None => "no network was trained here for more than one epoch".into(),
    })?;
    let split = first.evaluation.split;
    let told: Vec<String> = trained
        .iter()
        .map(|exhibit| {
            let kept = exhibit.evaluation.best_epoch;
            let kept = kept.map_or(String::new(), |epoch| format!(", epoch {epoch} was kept"));
            let auc = auc_view(exhibit);
            let auc = auc
                .map_or(String::new(), |auc| format!(", AUC on the {split} split {}", auc.value));
            format!("{}: {} epochs{kept}{auc}", exhibit.config.name, exhibit.history.len())
        })
        .collect();
    let words = Words {
        title: "Training".into(),
        caption: format!(
            "Training by epoch. Left the cross-entropy on the training patches as they were met and \
             on the validation patches, right the validation accuracy and AUC. {}. {}",
            told.join("; "),
            source(atlas)
        ),
        alt: format!("Curves of loss, accuracy and AUC over the epochs. {}.", told.join("; ")),
    };
    let table = Table {
        columns: vec![
            Column::words("Network"),
            Column::numbers("Epoch"),
            Column::numbers("Learning rate"),
            Column::numbers("Training loss"),
            Column::numbers("Training accuracy"),
            Column::numbers("Validation loss"),
            Column::numbers("Validation accuracy"),
            Column::numbers("Validation AUC"),
        ],
        rows: trained
            .iter()
            .flat_map(|exhibit| exhibit.history.iter().map(move |epoch| (exhibit, epoch)))
            .map(|(exhibit, epoch)| Row {
                cells: vec![
                    exhibit.config.name.clone(),
                    epoch.epoch.to_string(),
                    text::significant(epoch.lr),
                    format!("{:.4}", epoch.loss),
                    format!("{:.3}", epoch.accuracy),
                    format!("{:.4}", epoch.validation_loss),
                    format!("{:.3}", epoch.validation_accuracy),
                    epoch.validation_auc.map_or_else(|| "–".into(), |auc| format!("{auc:.3}")),
                ],
                patches: Vec::new(),
            })
            .collect(),
        patches: String::new(),
    };
    Figure::drawn(words, width, Some(table), |canvas, width| {
        let gap = 14.0;
        let half = (width - gap) / 2.0;
        let mut y = 0.0;
        for exhibit in &trained {
            y = canvas.lines([0.0, y], width, 8.0, &exhibit.config.name) + 3.0;
            let [loss, quality] = epochs(exhibit);
            let left = loss.draw(canvas, [0.0, y], half);
            let right = quality.draw(canvas, [half + gap, y], half);
            y += left.max(right) + 4.0;
        }
        Ok(y - 4.0)
    })
}

/// Loss, and accuracy with AUC, over the epochs.
fn epochs(exhibit: &Exhibit) -> [Lines; 2] {
    let points = |value: fn(&record::training::Epoch) -> Option<f64>| {
        let epochs = exhibit.history.iter();
        epochs.filter_map(|e| Some([f64::from(e.epoch), value(e)?])).collect::<Vec<_>>()
    };
    let last = exhibit.history.last().map_or(1, |epoch| epoch.epoch);
    let lines = |label: &str, series: Vec<(&str, Vec<[f64; 2]>)>| {
        let x = [1.0, f64::from(last)];
        let values = series.iter().flat_map(|(_, points)| points).map(|point| point[1]);
        let values = values.filter(|value| value.is_finite());
        let [low, high] =
            values.fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], v| [l.min(v), h.max(v)]);
        let margin = if high > low { 0.06 * (high - low) } else { 0.5 };
        let y = if low <= high { [low - margin, high + margin] } else { [0.0, 1.0] };
        let whole = chart::round_ticks(x, 6.0);
        Lines {
            x: Axis {
                label: "Epoch".into(),
                range: x,
                ticks: whole.into_iter().filter(|(value, _)| value.fract() == 0.0).collect(),
            },
            y: Axis { label: label.into(), range: y, ticks: chart::round_ticks(y, 4.0) },
            series: series
                .into_iter()
                .map(|(label, points)| Series { label: label.into(), points })
                .collect(),
            guide: Vec::new(),
            legend: Legend::Below,
            aspect: 0.65,
        }
    };
    [
        lines(
            "Cross-entropy",
            vec![
                ("training", points(|e| Some(e.loss))),
                ("validation", points(|e| Some(e.validation_loss))),
            ],
        ),
        lines(
            "Validation",
            vec![
                ("AUC", points(|e| e.validation_auc)),
                ("accuracy", points(|e| Some(e.validation_accuracy))),
            ],
        ),
    ]
}
