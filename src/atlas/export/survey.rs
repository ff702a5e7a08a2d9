//! `survey.csv`.

use anyhow::Result;

use super::cell::{Text, UnitNumber, parts};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;

table! {
    "survey.csv",
    /// one unit that readers are asked about
    struct Chosen {
        /// identifier of the study
        study: Text,
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// why it was chosen: mostly cancer, random, influence, evidence or listed
        reason: &'static str,
        /// how many of the patches shown hold cancer
        cancer_patches: u32,
        /// how many patches are shown
        patches: u32,
        /// rank of the unit by its influence on the cancer score; empty where that was not measured
        influence_rank: Option<u32>,
    }
}

impl Row for Chosen {
    const OF_READERS: bool = false;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let selection = &atlas.survey.selection;
        selection.units.iter().try_for_each(|chosen| {
            let (network, layer, unit) = parts(&chosen.unit);
            write(Self {
                study: Text::from(&selection.study),
                network,
                layer,
                unit,
                reason: chosen.reason.words(),
                cancer_patches: chosen.cancer,
                patches: chosen.shown,
                influence_rank: chosen.influence,
            })
        })
    }
}
