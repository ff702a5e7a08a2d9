//! What a unit's page shows beside its top patches: agreement with concepts against chance, patches
//! over the whole range of scores, activations, influence, similar units.

use serde::Serialize;

use crate::chart::{self, Chart};
use crate::facts::Atlas;
use crate::facts::paths::{Link, unit_link};
use crate::text;
use base::number;
use catalogue::{ConceptMatch, Entry};
use record::dissection::{Chance, Layer};
use record::similar::{DUPLICATE, Like};

/// One concept of a unit.
#[derive(Serialize)]
pub(super) struct ConceptRow {
    name: String,
    standing: String,
    iou: String,
    /// Share of the bar to fill, as a percentage of the widest.
    width: String,
    detector: bool,
    within: String,
    /// Mean and 95th percentile by chance.
    chance: Option<[String; 2]>,
    p: String,
    auc: String,
}

/// Concepts by IoU, best first; those that never overlap are left out.
pub(super) fn concepts(atlas: &Atlas, entry: &Entry) -> Vec<ConceptRow> {
    let mut ranked: Vec<_> = entry.matches().filter(|found| found.found.iou > 0.0).collect();
    ranked.sort_by(|a, b| b.found.iou.total_cmp(&a.found.iou));
    // Bars of weak units stay short: the scale reaches at least five times the detector's IoU.
    let widest = ranked.first().map_or(0.0, |best| best.found.iou);
    let widest = widest.max(5.0 * atlas.catalogue.detector());
    let shown = |chance: &Chance| [chance.mean, chance.high].map(|iou| format!("{iou:.3}"));
    ranked
        .into_iter()
        .take(12)
        .map(|ConceptMatch { concept, found, detected }| ConceptRow {
            name: atlas.labels.name(&concept.id),
            standing: atlas.labels.standing(&concept.id),
            iou: format!("{:.3}", found.iou),
            width: format!("{:.1}", 100.0 * found.iou / widest),
            detector: detected,
            within: format!("{:.3}", found.within),
            chance: found.chance.as_ref().map(shown),
            p: found.chance.map_or_else(|| "–".into(), |chance| format!("{:.3}", chance.adjusted)),
            auc: found.auc.map_or_else(|| "–".into(), |auc| format!("{auc:.3}")),
        })
        .collect()
}

#[derive(Serialize)]
pub(super) struct View {
    /// Percentiles of which patches are shown; a script draws these.
    levels: Vec<String>,
    activations: Chart,
    positive: String,
    permutations: u32,
    /// None where it was not measured.
    influence: Option<InfluenceView>,
    /// Whether the network says anything of cancer.
    tells: bool,
    elsewhere: Vec<LikeView>,
    duplicates: Vec<LikeView>,
    duplicate: String,
}

#[derive(Serialize)]
struct InfluenceView {
    classes: Vec<ClassRow>,
    linear: bool,
    patches: String,
    positives: String,
    top8: String,
    ablation: String,
    auc: String,
}

#[derive(Serialize)]
struct ClassRow {
    name: String,
    gradient: String,
    weighted: String,
}

#[derive(Serialize)]
struct LikeView {
    link: Link,
    correlation: String,
}

pub(super) fn view(atlas: &Atlas, layer: &Layer, entry: &Entry) -> View {
    let (unit, name) = (entry.record, &entry.id);
    let levels = unit.sample.iter();
    let levels = levels.map(|level| format!("{:.0}th percentile", 100.0 * level.percentile));
    let likes = |likes: &[Like]| {
        likes
            .iter()
            .map(|like| LikeView {
                link: unit_link(&like.unit),
                correlation: number::written(format_args!("{:.2}", like.correlation)),
            })
            .collect()
    };
    let found = atlas.inputs.similar.units.get(name);
    let [low, high] = unit.activations.range;
    View {
        levels: levels.collect(),
        activations: Chart::new(
            &chart::histogram(
                ["Activation at a location", "Locations"],
                &unit.activations.histogram,
                unit.activations.range,
                unit.threshold,
            ),
            &format!(
                "Histogram of the activations of {name} at all locations, from {} to {}; threshold {}",
                text::significant(f64::from(low)),
                text::significant(f64::from(high)),
                text::significant(f64::from(unit.threshold)),
            ),
        ),
        positive: text::percent(f64::from(unit.activations.positive)),
        permutations: layer.permutations,
        influence: influence(layer, entry),
        tells: atlas.tells_cancer(&layer.network),
        elsewhere: found.map(|found| likes(&found.elsewhere)).unwrap_or_default(),
        duplicates: found.map(|found| likes(&found.duplicates)).unwrap_or_default(),
        duplicate: DUPLICATE.to_string(),
    }
}

fn influence(layer: &Layer, entry: &Entry) -> Option<InfluenceView> {
    let basis = layer.influence.as_ref()?;
    let own = entry.record.influence.as_ref()?;
    let signed = |value: f32| text::significant(f64::from(value));
    Some(InfluenceView {
        classes: basis
            .classes
            .iter()
            .zip(&own.gradient)
            .enumerate()
            .map(|(class, (name, &gradient))| ClassRow {
                name: name.clone(),
                gradient: signed(gradient),
                weighted: own
                    .weighted
                    .as_ref()
                    .and_then(|weighted| weighted.get(class))
                    .map_or_else(String::new, |&weighted| signed(weighted)),
            })
            .collect(),
        linear: basis.linear,
        patches: text::count(basis.patches),
        positives: text::count(basis.positives),
        top8: text::count(own.top8),
        ablation: own.ablation.map_or_else(String::new, |fall| {
            number::written(format_args!("{fall:+.4}")).replace('-', "\u{2212}")
        }),
        auc: basis.auc.map_or_else(String::new, |auc| format!("{auc:.3}")),
    })
}
