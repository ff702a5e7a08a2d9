//! Areas under the ROC curves, as Table 1 of the paper.

use anyhow::Result;

use super::{Ready, source};
use crate::facts::{Atlas, areas};
use crate::text;
use config::figures::Kind;
use figure::{Column, Figure, Row, Table, Words};
use metrics::RESAMPLES;

pub(super) fn ready() -> Ready {
    Ready::new("Table of areas", Kind::Performance)
}

pub(super) fn draw(atlas: &Atlas, width: f64) -> Result<Figure> {
    let rows: Vec<Row> = areas::rows(atlas)
        .iter()
        .map(|row| Row {
            cells: vec![
                row.name.clone(),
                row.auc
                    .as_ref()
                    .map_or("–".into(), |auc| format!("{} ({})", auc.value, auc.interval)),
                row.bootstrap.clone(),
                row.positives.clone(),
                row.negatives.clone(),
                row.published.into(),
            ],
            patches: Vec::new(),
        })
        .collect();
    let known = rows.iter().filter(|row| row.cells[1] != "–");
    let known: Vec<String> =
        known.map(|row| format!("{} {}", row.cells[0], row.cells[1])).collect();
    let comparable = match areas::comparable(atlas) {
        true => "",
        false => " Not comparable: the published areas are of DDSM.",
    };
    let words = Words {
        title: "Areas under the ROC curve".into(),
        caption: format!(
            "Networks and their performance as the area under the ROC curve (AUC) per patch on the {} \
             split, with DeLong\u{2019}s 95% interval and the one of {} draws of whole patients; \
             patches with and without cancer; and the area that Wu et al. (2018) \
             published.{comparable} {}",
            areas::splits(atlas),
            text::count(RESAMPLES),
            source(atlas)
        ),
        alt: format!("Table of areas under the ROC curve: {}.", text::and(&known)),
    };
    let table = Table {
        columns: vec![
            Column::words("Network"),
            Column::numbers("AUC (95% interval)"),
            Column::numbers("By patient"),
            Column::numbers("With cancer"),
            Column::numbers("Without"),
            Column::numbers("Published"),
        ],
        rows,
        patches: String::new(),
    };
    Figure::table(words, width, table)
}
