//! `coverage.csv`.

use anyhow::Result;

use super::cell::Text;
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::coverage::coverage;

table! {
    "coverage.csv",
    /// one term and one network
    struct Covered {
        /// id of the lexicon
        lexicon: Text,
        /// category of the term
        category: Text,
        /// id of the term
        term: Text,
        /// name of the network
        network: Text,
        /// units that the consensus, or where there is none at least half of their readers, named it in
        labelled: usize,
        /// units whose best IoU is with it and above the level; empty where not outlined
        detected: Option<usize>,
    }
}

impl Row for Covered {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        for row in coverage(atlas) {
            for (exhibit, counts) in atlas.inputs.exhibits.iter().zip(&row.networks) {
                write(Self {
                    lexicon: Text::from(&row.entry.lexicon.id),
                    category: Text::from(row.entry.category),
                    term: Text::from(&row.entry.term.id),
                    network: Text::from(&exhibit.config.name),
                    labelled: counts.labelled,
                    detected: row.outlined.then_some(counts.detected),
                })?;
            }
        }
        Ok(())
    }
}
