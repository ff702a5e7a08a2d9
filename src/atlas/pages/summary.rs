//! What is known of a unit in five figures, each with what it means: the answer, before its evidence.

use serde::Serialize;

use crate::facts::Atlas;
use crate::text;
use catalogue::{Entry, Kind, concept_words};
use record::dissection::Layer;

/// A figure of the summary.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Figure {
    /// The figure itself; a dash where there is none.
    value: String,
    name: String,
    /// What it is held against.
    meaning: String,
}

impl Figure {
    fn new(value: impl Into<String>, name: &str, meaning: impl Into<String>) -> Self {
        Self { value: value.into(), name: name.into(), meaning: meaning.into() }
    }
}

/// Best concept, discrimination of cancer, influence, readers, patches with cancer.
pub(super) fn figures(atlas: &Atlas, layer: &Layer, entry: &Entry, cancer: usize) -> [Figure; 5] {
    [
        concept(atlas, entry),
        discrimination(entry),
        influence(atlas, layer, entry),
        readers(atlas, entry),
        with_cancer(layer, entry, cancer),
    ]
}

fn concept(atlas: &Atlas, entry: &Entry) -> Figure {
    let Some(best) = entry.best_detection().or_else(|| entry.best_match()) else {
        return Figure::new("–", "best concept", "meets no outlined concept");
    };
    let words = concept_words(&best.concept.id, atlas.inputs.lexicons);
    let value = format!("{:.3}", best.found.iou);
    let detector = atlas.catalogue.detector();
    let chance = best.found.chance.as_ref();
    let meaning = match (best.detected, chance) {
        (true, Some(chance)) => format!("detects it; chance gives {:.3}", chance.mean),
        (true, None) => format!("detects it: above {detector}"),
        (false, Some(chance)) if best.found.iou > detector => {
            format!("its best match, but not beyond chance ({:.3})", chance.mean)
        }
        (false, _) => format!("its best match, but at most {detector}: no detection"),
    };
    Figure::new(value, &format!("IoU with {words}"), meaning)
}

fn discrimination(entry: &Entry) -> Figure {
    let meaning = "0.5 is chance, 1 tells all";
    match entry.record.cancer_auc {
        Some(auc) => Figure::new(format!("{auc:.3}"), "AUC for cancer", meaning),
        None => Figure::new("–", "AUC for cancer", "patches of one class only"),
    }
}

fn influence(atlas: &Atlas, layer: &Layer, entry: &Entry) -> Figure {
    let live = atlas.catalogue.layer(&layer.network, &layer.layer);
    let live = live.map_or(0, |layer| layer.count(Kind::Live));
    let name = "rank by influence on cancer";
    let Some(rank) = entry.rank else {
        let why = match layer.influence {
            Some(_) => "it is not live",
            None if !atlas.tells_cancer(&layer.network) => "the network says nothing of cancer",
            None => "it was not recorded",
        };
        return Figure::new("–", name, why);
    };
    let least = f64::from(rank) / live.max(1) as f64;
    let meaning = if least <= 0.1 {
        "among the tenth that moves the score most"
    } else if least <= 0.5 {
        "in the upper half of the layer"
    } else {
        "in the lower half of the layer"
    };
    Figure::new(format!("{} of {}", text::count(rank), text::count(live)), name, meaning)
}

fn readers(atlas: &Atlas, entry: &Entry) -> Figure {
    let answers = atlas.labels.of(&entry.id);
    let seen = answers.iter().filter(|(_, answer)| !answer.phenomena.is_empty()).count();
    match answers.len() {
        0 => Figure::new("0", "readers", "nobody has answered it yet"),
        all => Figure::new(
            format!("{seen} of {all}"),
            if all == 1 { "reader" } else { "readers" },
            if seen == 1 { "names something in it" } else { "name something in it" },
        ),
    }
}

fn with_cancer(layer: &Layer, entry: &Entry, cancer: usize) -> Figure {
    let name = "top patches with cancer";
    let kept = entry.record.top.len();
    if kept == 0 {
        return Figure::new("–", name, "it has none");
    }
    // Where influence was measured on all patches, it knows how many have cancer.
    let all = layer.influence.as_ref().filter(|basis| basis.patches == layer.patches);
    let meaning = match all.filter(|basis| basis.patches > 0) {
        Some(basis) => {
            let share = f64::from(basis.positives) / f64::from(basis.patches);
            format!("against {} of all patches", text::percent_whole(share))
        }
        None => format!("{} of them", text::percent_whole(cancer as f64 / kept as f64)),
    };
    Figure::new(format!("{cancer} of {kept}"), name, meaning)
}
