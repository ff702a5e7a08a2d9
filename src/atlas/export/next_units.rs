//! `next_units.csv`.

use anyhow::Result;

use super::cell::{Number, Text, UnitNumber, parts};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;

table! {
    "next_units.csv",
    /// one live unit that nobody was asked to name and that carries evidence, most first
    struct NextUnit {
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// share of the network's evidence that it carries
        evidence_share: Number<f32>,
    }
}

impl Row for NextUnit {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        for of in atlas.inputs.explanations {
            for (entry, share) in atlas.catalogue.next(of) {
                let (network, layer, unit) = parts(&entry.id);
                write(Self { network, layer, unit, evidence_share: Number(share) })?;
            }
        }
        Ok(())
    }
}
