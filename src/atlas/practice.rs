//! Units to practise on before a survey: something is known of them, and nobody is asked about them.

use std::collections::BTreeSet;

use super::script::Known;
use base::UnitId;
use catalogue::{Catalogue, Entry, Source, concept_words};
use config::Config;
use record::dissection::{Category, Layer, Unit};
use study::code::Coder;
use study::selection::Selection;

/// A unit to practise on.
pub(super) struct Practised<'a> {
    /// What the survey calls it.
    pub(super) code: String,
    pub(super) id: UnitId,
    pub(super) unit: &'a Unit,
    /// What a reader is told after an answer.
    pub(super) known: Known,
}

/// Of the layers that readers are asked about, the live units that detect a finding or a region best, one for each
/// of these, without those that are asked about.
pub(super) fn practice<'a>(
    config: &Config,
    catalogue: &Catalogue<'a>,
    selection: &Selection,
) -> Vec<Practised<'a>> {
    let asked: BTreeSet<&UnitId> = selection.units.iter().map(|chosen| &chosen.unit).collect();
    let is_asked = |layer: &Layer| {
        let of = |id: &&UnitId| id.network() == layer.network && id.layer() == layer.layer;
        asked.iter().any(of)
    };
    let layers = catalogue.layers().iter().filter(|layer| is_asked(layer.record));
    let units = layers.flat_map(|layer| layer.units.iter().map(move |unit| (layer.record, unit)));
    let mut candidates: Vec<(f32, &str, &Layer, &Entry)> = units
        .filter(|(_, entry)| !asked.contains(&entry.id))
        .filter_map(|(layer, entry)| {
            let seen =
                |category: &Category| matches!(category, Category::Finding | Category::Region);
            let found = entry.detections().filter(|found| seen(&found.concept.category));
            let best = found.max_by(|a, b| a.found.iou.total_cmp(&b.found.iou))?;
            Some((best.found.iou, best.concept.id.as_str(), layer, entry))
        })
        .collect();
    // A stable sort: equals stay in the order of the layers and numbers.
    candidates.sort_by(|a, b| b.0.total_cmp(&a.0));
    let coder = Coder::new(config.seed, &config.survey.study);
    let mut concepts = BTreeSet::new();
    candidates
        .into_iter()
        .filter_map(|(_, concept, layer, entry)| {
            let by = match entry.name.source() {
                Source::Consensus => "consensus",
                Source::Readers => "readers",
                // Where readers recognised nothing, the next unit of the same stands in.
                Source::Unrecognizable => return None,
                Source::Machine | Source::Automatic | Source::None => "outlines",
            };
            let (words, terms) = match by {
                "outlines" => {
                    (concept_words(concept, catalogue.lexicons()), vec![concept.to_owned()])
                }
                _ => (entry.name.in_sentence()?, entry.terms.clone()),
            };
            concepts.insert(concept).then(|| Practised {
                code: coder.unit(&entry.id, &layer.weights_blake3),
                id: entry.id.clone(),
                unit: entry.record,
                known: Known { words, by, terms },
            })
        })
        .take(config.survey.practice as usize)
        .collect()
}
