//! `labels.csv`.

use anyhow::Result;

use super::cell::{Text, UnitNumber};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::words::association_word;
use base::unit_name;

table! {
    "labels.csv",
    /// one phenomenon that one reader saw in one unit
    struct Label {
        /// pseudonym of the reader
        reader: Text,
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// the reader's words
        phenomenon: Text,
        /// ids of the lexicon terms the reader chose, separated by semicolons
        terms: Text,
        /// malignant, benign, none or unsure
        association: &'static str,
        /// 1, guessing, to 5, certain; may be empty
        confidence: Option<u8>,
    }
}

impl Row for Label {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        for (exhibit, layer) in atlas.layers() {
            for unit in &layer.units {
                let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
                for (reader, answer, phenomenon) in atlas.labels.phenomena(&name) {
                    write(Self {
                        reader: Text::from(&reader.reader),
                        network: Text::from(&exhibit.config.name),
                        layer: Text::from(&layer.layer),
                        unit: UnitNumber(unit.unit),
                        phenomenon: Text::from(&phenomenon.description),
                        terms: Text::from(phenomenon.terms.join("; ")),
                        association: association_word(phenomenon.association),
                        confidence: answer.confidence,
                    })?;
                }
            }
        }
        Ok(())
    }
}
