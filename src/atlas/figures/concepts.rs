//! Detectors per layer and category.

use anyhow::{Result, ensure};

use super::{Ready, capital, source};
use crate::facts::Atlas;
use crate::facts::words::category_word;
use crate::text;
use catalogue::Entry;
use config::figures::Kind;
use figure::plot::Bars;
use figure::{Column, Figure, Row, Table, Words};
use record::dissection::Category;

/// Kinds of concepts that a unit may detect.
const CATEGORIES: [Category; 3] = [Category::Pathology, Category::Finding, Category::Region];

pub(super) fn ready(atlas: &Atlas) -> Option<Ready> {
    let dissected = atlas.layers().next().is_some();
    dissected.then(|| Ready::new("Detectors per layer and category", Kind::Concepts))
}

pub(super) fn draw(atlas: &Atlas, width: f64) -> Result<Figure> {
    let mut table = Table {
        columns: vec![Column::words("Layer"), Column::numbers("Units")],
        ..Table::default()
    };
    for category in CATEGORIES {
        table.columns.push(Column::numbers(&capital(category_word(category))));
    }
    for title in ["Detectors", "Concepts", "Dead or constant"] {
        table.columns.push(Column::numbers(title));
    }
    let mut groups = Vec::new();
    for layer in atlas.catalogue.layers() {
        let counts = CATEGORIES.map(|category| {
            let detects =
                |entry: &&Entry| entry.detections().any(|found| found.concept.category == category);
            layer.units.iter().filter(detects).count() as u64
        });
        let detectors = layer.detectors().count();
        let name = format!("{}/{}", layer.record.network, layer.record.layer);
        let mut cells = vec![name.clone(), text::count(layer.units.len() as u64)];
        cells.extend(counts.map(text::count));
        let lifeless = layer.units.len() - layer.count(catalogue::Kind::Live);
        let last = [detectors, layer.detected().len(), lifeless];
        cells.extend(last.map(|count| text::count(count as u64)));
        table.rows.push(Row { cells, patches: Vec::new() });
        let bars = CATEGORIES.map(category_word).map(String::from).into_iter().zip(counts);
        groups
            .push((format!("{name}: {detectors} of {} units", layer.units.len()), bars.collect()));
    }
    ensure!(!groups.is_empty(), "no layer is dissected");
    let words = Words {
        title: "Detectors per layer and category".into(),
        caption: format!(
            "Units that detect a concept: their regions overlap its outlines by an intersection over union \
             above {} and, where chance was measured, beyond chance; by the category of the concept. A unit \
             may detect several. {}",
            atlas.catalogue.detector(),
            source(atlas)
        ),
        alt: format!(
            "Bars of the number of detectors. {}.",
            groups
                .iter()
                .map(|(name, bars): &(String, Vec<(String, u64)>)| {
                    let bars: Vec<String> = bars.iter().map(|(c, n)| format!("{c} {n}")).collect();
                    format!("{name} ({})", bars.join(", "))
                })
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    let bars = Bars { groups, label: "Units".into() };
    Figure::drawn(words, width, Some(table), |canvas, width| Ok(bars.draw(canvas, width)))
}
