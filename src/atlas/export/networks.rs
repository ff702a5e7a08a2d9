//! `networks.csv`.

use anyhow::Result;

use super::cell::{Number, Text};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;

table! {
    "networks.csv",
    /// one network
    struct Network {
        /// name of the network
        network: Text,
        /// number of dissected layers
        layer_count: usize,
        /// number of trainable parameters
        parameters: u64,
        /// area under the ROC curve, per patch; empty when one class is missing
        auc: Option<Number<f64>>,
        /// lower end of its 95% interval (DeLong)
        auc_low: Option<Number<f64>>,
        /// upper end of its 95% interval (DeLong)
        auc_high: Option<Number<f64>>,
        /// evaluated patches with cancer
        positives: u32,
        /// evaluated patches without cancer
        negatives: u32,
        /// BLAKE3 digest of the weights
        weights_blake3: Text,
        /// why the area has no interval
        auc_no_interval: Option<Text>,
    }
}

impl Row for Network {
    const OF_READERS: bool = false;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let row = |exhibit: &crate::inputs::Exhibit| {
            let found = exhibit.evaluation;
            let interval = found.auc.and_then(|auc| auc.spread.interval());
            let why = found.auc.and_then(|auc| auc.spread.reason());
            Self {
                network: Text::from(&exhibit.config.name),
                layer_count: exhibit.layers.len(),
                parameters: found.parameters,
                auc: found.auc.map(|auc| Number(auc.value)),
                auc_low: interval.map(|of| Number(of.low)),
                auc_high: interval.map(|of| Number(of.high)),
                positives: found.positives,
                negatives: found.negatives,
                weights_blake3: Text::from(&found.weights_blake3),
                auc_no_interval: why.map(|why| Text::from(why.to_string())),
            }
        };
        atlas.inputs.exhibits.iter().map(row).try_for_each(write)
    }
}
