//! What is known of a unit beyond its dissection: the concept that it matches best, whether it detects it,
//! what to call it.

use super::Atlas;
use record::dissection::{Category, Concept, Layer, Match, Unit};

/// The concept that a unit overlaps best with, and how well. Of equals the first. Breast and background
/// are no names for a unit: whatever responds to tissue overlaps the breast.
pub(crate) fn best_concept<'a>(layer: &'a Layer, unit: &Unit) -> Option<(&'a Concept, f32)> {
    let mut best: Option<(&Concept, f32)> = None;
    for (concept, found) in layer.concepts.iter().zip(&unit.matches) {
        let iou = found.iou;
        if concept.category != Category::Breast && iou > best.map_or(0.0, |(_, iou)| iou) {
            best = Some((concept, iou));
        }
    }
    best
}

/// Corrected p at or below which an agreement is called more than chance.
pub(crate) const LEVEL: f32 = 0.05;

/// Whether chance gives as good an agreement rarely enough; not known where it was not measured.
pub(crate) fn beyond_chance(found: &Match) -> bool {
    found.chance.is_some_and(|chance| chance.adjusted <= LEVEL)
}

/// Whether a unit detects its best concept, and better than chance would.
pub(crate) fn detects(atlas: &Atlas, layer: &Layer, unit: &Unit) -> bool {
    best_concept(layer, unit).is_some_and(|(best, iou)| {
        let mut matches = layer.concepts.iter().zip(&unit.matches);
        let found = matches.find(|(concept, _)| *concept == best);
        iou > atlas.detector() && found.is_some_and(|(_, found)| beyond_chance(found))
    })
}

/// BI-RADS categories of what a unit is called.
pub(crate) fn categories(atlas: &Atlas, layer: &Layer, unit: &Unit, name: &str) -> Vec<String> {
    let best = best_concept(layer, unit);
    match (atlas.study.settled(name), best) {
        (Some(settled), _) if settled.is_birads() => settled.categories.clone(),
        (Some(_), _) => Vec::new(),
        (None, Some((concept, _))) if atlas.call(name, best).1 == "concept" => {
            atlas.labels.categories(std::slice::from_ref(&concept.id))
        }
        (None, _) => {
            let said = atlas.labels.phenomena(name);
            let terms: Vec<String> = said.flat_map(|(_, _, p)| p.terms.clone()).collect();
            atlas.labels.categories(&terms)
        }
    }
}

impl Atlas<'_> {
    /// What to call a unit, and where that comes from.
    pub(crate) fn call(&self, name: &str, best: Option<(&Concept, f32)>) -> (String, &'static str) {
        match (self.names.of(name), best) {
            (Some(name), _) if name.settled => (name.words.clone(), "consensus"),
            (Some(name), _) => (name.words.clone(), "reader"),
            (None, Some((concept, iou))) if iou > self.detector() => {
                (self.labels.name(&concept.id), "concept")
            }
            _ => (String::new(), "none"),
        }
    }
}
