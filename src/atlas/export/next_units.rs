//! `next_units.csv`.

use anyhow::Result;

use super::cell::{Number, Text, UnitNumber};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::cases::next;

table! {
    "next_units.csv",
    /// one unit without a name that carries evidence, most first
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
            for (unit, share) in next(atlas, of) {
                write(Self {
                    network: Text::from(&of.network),
                    layer: Text::from(&of.layer),
                    unit: UnitNumber(unit),
                    evidence_share: Number(share),
                })?;
            }
        }
        Ok(())
    }
}
