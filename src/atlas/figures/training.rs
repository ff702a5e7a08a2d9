//! Training by epoch.

use anyhow::{Context, Result};

use super::{Ready, source};
use crate::facts::Atlas;
use crate::facts::areas::auc_view;
use crate::inputs::Exhibit;
use crate::{chart, text};
use config::figures::Kind;
use figure::plot::{Legend, Plot};
use figure::{Column, Figure, Row, Table, Words};

/// One of each network that was trained for more than an epoch.
pub(super) fn ready(atlas: &Atlas) -> impl Iterator<Item = Ready> {
    let trained = atlas.inputs.exhibits.iter().filter(|exhibit| exhibit.history.len() > 1);
    trained.map(|exhibit| {
        Ready::new("Training", Kind::Training { network: Some(exhibit.config.name.clone()) })
    })
}

pub(super) fn draw(atlas: &Atlas, network: Option<&str>, width: f64) -> Result<Figure> {
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
            let kept = exhibit.evaluation.best_epoch();
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
            "Training by epoch. Left the cross-entropy on what was trained on as it was met and on the \
             validation split, right the validation accuracy and AUC. {}. {}",
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
            let [loss, quality] = chart::training(exhibit).map(|plot| Plot {
                legend: Legend::Below,
                aspect: 0.65,
                ..plot
            });
            let left = loss.draw(canvas, [0.0, y], half);
            let right = quality.draw(canvas, [half + gap, y], half);
            y += left.max(right) + 4.0;
        }
        Ok(y - 4.0)
    })
}
