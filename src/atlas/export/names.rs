//! `names.csv`.

use anyhow::Result;

use super::cell::{Number, Text, UnitNumber, parts};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;

table! {
    "names.csv",
    /// one term that a machine finds close to the patches of a unit
    struct Close {
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// the machine, as atlas.yaml calls it
        namer: Text,
        /// place of the term among those of the unit, from 1
        rank: usize,
        /// id of the term
        term: Text,
        /// true for the term that the unit is called
        name: bool,
        /// mean cosine of the unit’s patches with the term minus that of all other patches
        difference: Number<f32>,
        /// soft weighted pointwise mutual information with the term, in nats
        wpmi: Number<f32>,
        /// the score that names, in standard deviations above patches drawn at random; of a term that refines another,
        /// above patches that are as close to that
        standard: Number<f32>,
        /// probability that such patches are as close to any term, or to any that refines the same one
        p_dealt: Number<f32>,
        /// share of the units of untrained networks that are as close to any term; empty without such networks,
        /// and of a term that refines another
        p_untrained: Option<Number<f32>>,
        /// the greater of the two, corrected for the number of units
        p_corrected: Number<f32>,
    }
}

impl Row for Close {
    const OF_READERS: bool = false;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        for names in atlas.inputs.names {
            let Some(layer) = atlas.catalogue.layer(&names.network, &names.layer) else { continue };
            for entry in &layer.units {
                let called = entry.called();
                for (at, close) in entry.machine.iter().enumerate() {
                    let (network, layer, unit) = parts(&entry.id);
                    write(Self {
                        network,
                        layer,
                        unit,
                        namer: Text::from(&names.namer),
                        rank: at + 1,
                        term: Text::from(&close.term),
                        name: called == Some(close),
                        difference: Number(close.difference),
                        wpmi: Number(close.wpmi),
                        standard: Number(close.standard),
                        p_dealt: Number(close.chance),
                        p_untrained: close.untrained.map(Number),
                        p_corrected: Number(close.adjusted),
                    })?;
                }
            }
        }
        Ok(())
    }
}
