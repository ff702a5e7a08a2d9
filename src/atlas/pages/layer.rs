//! A layer's page: all its units, a few patches each.

use serde::Serialize;

use super::{Atlas, Link, UnitCard, best_concept, evidence, methods, unit_href};
use crate::atlas::{Exhibit, text};
use crate::dissection::record::{Category, Layer, Unit};

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
    distinct: String,
    beyond: String,
    level: String,
    permutations: u32,
    concepts: Vec<ConceptRow>,
    units: Vec<Row>,
}

#[derive(Serialize)]
struct ConceptRow {
    name: String,
    standing: String,
    patches: String,
    units: String,
    beyond: String,
    best: Vec<BestUnit>,
}

/// A unit that agrees best with a concept.
#[derive(Serialize)]
struct BestUnit {
    link: Link,
    iou: String,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    card: UnitCard,
    /// What the page sorts and filters by.
    sort_score: f32,
    sort_iou: f32,
    /// Place by influence.
    rank: u32,
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
                rank: unit.influence.rank,
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
        rule: methods::threshold_rule(layer.threshold, layer.anchor),
        detectors: text::count(units.iter().filter(|u| u.card.detector).count() as u64),
        distinct: text::count(
            layer
                .units
                .iter()
                .filter_map(|unit| best_concept(layer, unit))
                .filter(|(_, iou)| *iou > atlas.detector())
                .map(|(concept, _)| &concept.id)
                .collect::<std::collections::BTreeSet<_>>()
                .len() as u64,
        ),
        beyond: text::count(
            layer.units.iter().filter(|unit| detects(atlas, layer, unit)).count() as u64
        ),
        level: evidence::LEVEL.to_string(),
        permutations: layer.permutations,
        concepts: (0..layer.concepts.len())
            .map(|at| {
                let concept = &layer.concepts[at];
                let own: Vec<&Unit> = layer
                    .units
                    .iter()
                    .filter(|unit| {
                        best_concept(layer, unit)
                            .is_some_and(|(best, iou)| *best == *concept && iou > atlas.detector())
                    })
                    .collect();
                // They name no unit.
                let nameless = concept.category == Category::Breast;
                let count = |count: usize| if nameless { "–".into() } else { count.to_string() };
                let mut ranked: Vec<&Unit> = layer.units.iter().collect();
                ranked.sort_by(|a, b| b.matches[at].iou.total_cmp(&a.matches[at].iou));
                ConceptRow {
                    name: atlas.labels.name(&concept.id),
                    standing: atlas.labels.standing(&concept.id),
                    patches: text::count(concept.patches),
                    units: count(own.len()),
                    beyond: count(
                        own.iter().filter(|u| evidence::beyond_chance(&u.matches[at])).count(),
                    ),
                    best: ranked
                        .into_iter()
                        .take(3)
                        .filter(|unit| unit.matches[at].iou > 0.0)
                        .map(|unit| BestUnit {
                            link: Link::new(
                                format!("{:04}", unit.unit),
                                unit_href(&exhibit.config.name, &layer.layer, unit.unit),
                            ),
                            iou: format!("{:.3}", unit.matches[at].iou),
                        })
                        .collect(),
                }
            })
            .collect(),
        units,
    }
}

/// Whether a unit detects its best concept, and better than chance would.
pub(super) fn detects(atlas: &Atlas, layer: &Layer, unit: &Unit) -> bool {
    best_concept(layer, unit).is_some_and(|(best, iou)| {
        let mut matches = layer.concepts.iter().zip(&unit.matches);
        let found = matches.find(|(concept, _)| *concept == best);
        iou > atlas.detector() && found.is_some_and(|(_, found)| evidence::beyond_chance(found))
    })
}
