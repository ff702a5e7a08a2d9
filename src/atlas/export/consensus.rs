//! `consensus.csv`.

use anyhow::Result;

use super::cell::{Text, UnitNumber, parts, several};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::words::association_word;

table! {
    "consensus.csv",
    /// one unit that the authors settled
    struct Settled {
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// what the unit shows, in the authors' words
        label: Text,
        /// ids of lexicon terms, separated by semicolons
        terms: Text,
        /// categories separated by semicolons; - where BI-RADS has none
        categories: Text,
        /// malignant, benign, none or unsure; may be empty
        association: Option<&'static str>,
        /// remark of the authors
        note: Option<Text>,
        /// true when the atlas has the unit
        in_atlas: bool,
    }
}

impl Row for Settled {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        atlas.study.consensus.units.iter().try_for_each(|settled| {
            let (network, layer, unit) = parts(&settled.unit);
            write(Self {
                network,
                layer,
                unit,
                label: Text::from(&settled.label),
                terms: Text::from(several(&settled.terms)),
                categories: Text::from(several(&settled.categories)),
                association: settled.association.map(association_word),
                note: settled.note.as_ref().map(Text::from),
                in_atlas: atlas.catalogue.get(&settled.unit).is_some(),
            })
        })
    }
}
