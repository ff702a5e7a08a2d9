//! A layer's page: all its units, a few patches each.

use serde::Serialize;

use super::{Atlas, UnitCard, best_concept, methods};
use crate::atlas::{Exhibit, text};
use crate::dissection::record::Layer;

#[derive(Serialize)]
pub(super) struct View {
    network: String,
    layer: String,
    split: String,
    shown: String,
    map: String,
    field: String,
    rule: String,
    detectors: String,
    concepts: Vec<ConceptRow>,
    units: Vec<Row>,
}

#[derive(Serialize)]
struct ConceptRow {
    name: String,
    standing: String,
    patches: String,
    units: usize,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    card: UnitCard,
    /// What the page sorts and filters by.
    sort_score: f32,
    sort_iou: f32,
    words: String,
}

pub(super) fn view(atlas: &Atlas, exhibit: &Exhibit, layer: &Layer) -> View {
    // A page of two thousand units stays light with fewer patches each.
    let patches = match layer.units.len() {
        0..=300 => 5,
        301..=800 => 4,
        _ => 3,
    };
    let units: Vec<Row> = layer
        .units
        .iter()
        .map(|unit| {
            let card = atlas.card(exhibit, layer, unit, patches, 2.0);
            let readers: Vec<&str> =
                atlas.labels.of(&card.name).iter().map(|(r, _)| r.reader.as_str()).collect();
            let terms: Vec<String> = atlas
                .labels
                .phenomena(&card.name)
                .flat_map(|(_, _, p)| p.terms.iter().map(|id| atlas.labels.name(id)))
                .collect();
            let words = [
                card.number.clone(),
                card.label.clone(),
                card.concept.clone(),
                terms.join(" "),
                readers.join(" "),
            ];
            Row {
                words: words.join(" ").to_lowercase(),
                sort_score: unit.score_range[1],
                sort_iou: best_concept(layer, unit).map_or(0.0, |(_, iou)| iou),
                card,
            }
        })
        .collect();
    View {
        network: exhibit.config.name.clone(),
        layer: layer.layer.clone(),
        split: layer.split.to_string(),
        shown: text::count(layer.patches),
        map: format!("{} × {}", layer.map[0], layer.map[1]),
        field: text::coordinate(layer.field.edge),
        rule: methods::threshold_rule(layer.threshold),
        detectors: text::count(units.iter().filter(|u| u.card.detector).count() as u64),
        concepts: layer
            .concepts
            .iter()
            .map(|concept| ConceptRow {
                name: atlas.labels.name(&concept.id),
                standing: atlas.labels.standing(&concept.id),
                patches: text::count(concept.patches),
                units: layer
                    .units
                    .iter()
                    .filter_map(|unit| best_concept(layer, unit))
                    .filter(|(best, iou)| best.id == concept.id && *iou > atlas.detector())
                    .count(),
            })
            .collect(),
        units,
    }
}
