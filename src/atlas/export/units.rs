//! `units.csv`.

use anyhow::Result;

use super::cell::{Number, Text, UnitNumber};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::units::best_concept;
use base::unit_name;

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
        /// concept with the best IoU, breast and background aside; empty without any
        concept: Option<Text>,
        /// that IoU
        iou: Option<Number<f32>>,
        /// rank of the unit by its influence on the cancer score
        influence_rank: u32,
        /// what readers called it, separated by semicolons
        labels: Text,
        /// BI-RADS categories of those labels, separated by semicolons
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
        /// patches in which it is among the eight that speak most for cancer
        top8: u32,
        /// fall of the area under the ROC curve when it is silenced
        ablation: Option<Number<f32>>,
    }
}

impl Row for Unit {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        for (exhibit, layer) in atlas.layers() {
            for unit in &layer.units {
                let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
                let best = best_concept(layer, unit);
                let (mut said, mut terms) = (Vec::<String>::new(), Vec::new());
                for (_, _, phenomenon) in atlas.labels.phenomena(&name) {
                    let words = match phenomenon.description.is_empty() {
                        true => atlas.labels.words(phenomenon),
                        false => phenomenon.description.clone(),
                    };
                    if !said.contains(&words) {
                        said.push(words);
                    }
                    terms.extend(phenomenon.terms.iter().cloned());
                }
                let influence = &unit.influence;
                write(Self {
                    network: Text::from(&exhibit.config.name),
                    layer: Text::from(&layer.layer),
                    unit: UnitNumber(unit.unit),
                    max_score: Number(unit.score_range[1]),
                    threshold: Number(unit.threshold),
                    concept: best.map(|(concept, _)| Text::from(&concept.id)),
                    iou: best.map(|(_, iou)| Number(iou)),
                    influence_rank: influence.rank,
                    labels: Text::from(said.join("; ")),
                    categories: Text::from(atlas.labels.categories(&terms).join("; ")),
                    p_corrected: best.and_then(|(concept, _)| {
                        let at = layer.concepts.iter().position(|c| c == concept)?;
                        Some(Number(unit.matches[at].chance?.adjusted))
                    }),
                    cancer_auc: unit.cancer_auc.map(Number),
                    positive_share: Number(unit.activations.positive),
                    gradient_cancer: influence.gradient.last().copied().map(Number),
                    weighted_cancer: influence
                        .weighted
                        .as_ref()
                        .and_then(|weighted| weighted.last().copied())
                        .map(Number),
                    top8: influence.top8,
                    ablation: influence.ablation.map(Number),
                })?;
            }
        }
        Ok(())
    }
}
