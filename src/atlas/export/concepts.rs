//! `concepts.csv`.

use anyhow::Result;

use super::cell::{Number, Text, UnitNumber, parts};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::words::category_word;
use catalogue::ConceptMatch;

table! {
    "concepts.csv",
    /// one unit and one concept
    struct Match {
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// term, malignant, benign, breast or background
        concept: Text,
        /// pathology, finding, region or breast
        category: &'static str,
        /// intersection over union, pooled over the annotated patches
        iou: Number<f32>,
        /// the same over the patches that hold some concept of the category
        iou_within: Number<f32>,
        /// area under the ROC curve of the unit's score for patches that hold the concept
        auc: Option<Number<f32>>,
        /// mean IoU when the masks are dealt out anew among the patches
        chance_mean: Option<Number<f32>>,
        /// 95th percentile of the same
        chance_high: Option<Number<f32>>,
        /// probability of the IoU by chance
        p: Option<Number<f32>>,
        /// the same, corrected for the number of concepts
        p_corrected: Option<Number<f32>>,
        /// true when the unit detects it: IoU above the level and, where chance was measured, beyond
        /// chance; never breast and background
        detector: bool,
    }
}

impl Row for Match {
    const OF_READERS: bool = false;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        for entry in atlas.catalogue.units() {
            for ConceptMatch { concept, found, detected } in entry.matches() {
                let (network, layer, unit) = parts(&entry.id);
                let chance = found.chance;
                write(Self {
                    network,
                    layer,
                    unit,
                    concept: Text::from(&concept.id),
                    category: category_word(concept.category),
                    iou: Number(found.iou),
                    iou_within: Number(found.within),
                    auc: found.auc.map(Number),
                    chance_mean: chance.map(|chance| Number(chance.mean)),
                    chance_high: chance.map(|chance| Number(chance.high)),
                    p: chance.map(|chance| Number(chance.p)),
                    p_corrected: chance.map(|chance| Number(chance.adjusted)),
                    detector: detected,
                })?;
            }
        }
        Ok(())
    }
}
