//! `labels.csv`.

use anyhow::Result;

use super::cell::{Text, UnitNumber, parts, several};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::words::association_word;

table! {
    "labels.csv",
    /// one pattern that one reader saw in one unit
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
        for entry in atlas.catalogue.units() {
            for (reader, answer, phenomenon) in atlas.labels.phenomena(&entry.id) {
                let (network, layer, unit) = parts(&entry.id);
                write(Self {
                    reader: Text::from(&reader.reader),
                    network,
                    layer,
                    unit,
                    phenomenon: Text::from(&phenomenon.description),
                    terms: Text::from(several(&phenomenon.terms)),
                    association: association_word(phenomenon.association),
                    confidence: answer.confidence,
                })?;
            }
        }
        Ok(())
    }
}
