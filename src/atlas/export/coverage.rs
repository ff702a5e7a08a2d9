//! `coverage.csv`.

use anyhow::Result;

use super::cell::Text;
use super::row::{Row, Sink, table};
use crate::facts::Atlas;

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
        /// units that detect it; empty where it is not outlined
        detected: Option<usize>,
        /// units that a machine calls so; empty where none was asked
        called: Option<usize>,
    }
}

impl Row for Covered {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let asked = !atlas.inputs.names.is_empty();
        for row in atlas.catalogue.coverage() {
            for exhibit in atlas.inputs.exhibits {
                let network = &exhibit.config.name;
                write(Self {
                    lexicon: Text::from(&row.term.lexicon.id),
                    category: Text::from(row.term.category),
                    term: Text::from(&row.term.term.id),
                    network: Text::from(network),
                    labelled: row.named_in(network),
                    detected: row.outlined.then(|| row.detecting_in(network)),
                    called: asked.then(|| row.called_in(network)),
                })?;
            }
        }
        Ok(())
    }
}
