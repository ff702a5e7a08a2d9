//! `units.csv`.

use anyhow::Result;

use super::cell::{Number, Text, UnitNumber, parts, several};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::synthetic;
use catalogue::Kind;
use record::Synthetic;

table! {
    "units.csv",
    /// one unit of a dissected layer
    struct Unit {
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// greatest score over the patches
        max_score: Number<f32>,
        /// activation threshold T
        threshold: Number<f32>,
        /// best match: the concept with the highest IoU, whatever that is, breast and background
        /// aside; empty without any
        concept: Option<Text>,
        /// that IoU
        iou: Option<Number<f32>>,
        /// rank by its influence on the cancer score among the live units of the layer; empty where it
        /// is not live, or influence was not measured
        influence_rank: Option<u32>,
        /// what it is called; empty where it has no name
        labels: Text,
        /// BI-RADS categories of its terms, separated by semicolons
        categories: Text,
        /// probability of so good an agreement by chance, corrected for all concepts
        p_corrected: Option<Number<f32>>,
        /// area under the ROC curve of its score for cancer
        cancer_auc: Option<Number<f32>>,
        /// share of its activations above zero
        positive_share: Number<f32>,
        /// mean gradient times activation for cancer
        gradient_cancer: Option<Number<f32>>,
        /// best score times its weight for cancer, where that is exact
        weighted_cancer: Option<Number<f32>>,
        /// patches in which it is among the eight that contribute most to cancer
        top8: Option<u32>,
        /// fall of the area under the ROC curve when it is silenced
        ablation: Option<Number<f32>>,
        /// live, dead or constant
        kind: &'static str,
        /// consensus, readers, unrecognizable (to readers), machine, automatic or none
        named_by: &'static str,
        /// ids of the terms of what it is called, separated by semicolons
        terms: Text,
        /// ids of the concepts that it detects, separated by semicolons
        detects: Text,
        /// greatest activation in its synthetic image; empty where it has none
        synthetic_activation: Option<Number<f32>>,
        /// probability that its top patches, one of each patient, are of one kind and not of two,
        /// corrected for the units of the layer; empty where they are of fewer than six patients
        groups_p: Option<Number<f32>>,
    }
}

impl Row for Unit {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let groups = &atlas.inputs.similar.groups;
        atlas.catalogue.units().try_for_each(|entry| {
            let (network, layer, number) = parts(&entry.id);
            let (unit, best) = (entry.record, entry.best_match());
            let influence = unit.influence.as_ref();
            let gradient = influence.and_then(|influence| influence.gradient.last());
            let weighted = influence.and_then(|influence| influence.weighted.as_ref());
            write(Self {
                network,
                layer,
                unit: number,
                max_score: Number(unit.score_range[1]),
                threshold: Number(unit.threshold),
                concept: best.map(|best| Text::from(&best.concept.id)),
                iou: best.map(|best| Number(best.found.iou)),
                influence_rank: entry.rank,
                labels: Text::from(entry.name.to_string()),
                categories: Text::from(several(&entry.categories)),
                p_corrected: best.and_then(|best| Some(Number(best.found.chance?.adjusted))),
                cancer_auc: unit.cancer_auc.map(Number),
                positive_share: Number(unit.activations.positive),
                gradient_cancer: gradient.copied().map(Number),
                weighted_cancer: weighted.and_then(|w| w.last().copied()).map(Number),
                top8: influence.map(|influence| influence.top8),
                ablation: influence.and_then(|influence| influence.ablation).map(Number),
                kind: match entry.kind {
                    Kind::Live => "live",
                    Kind::Dead => "dead",
                    Kind::Constant => "constant",
                },
                named_by: entry.name.source().id(),
                terms: Text::from(several(&entry.terms)),
                detects: Text::from(several(entry.detections().map(|found| &found.concept.id))),
                synthetic_activation: match synthetic::of(atlas.inputs, &entry.id) {
                    Some(Synthetic::Image { activation, .. }) => Some(Number(activation)),
                    Some(Synthetic::Silent) | None => None,
                },
                groups_p: groups.get(&entry.id).map(|groups| Number(groups.adjusted)),
            })
        })
    }
}
