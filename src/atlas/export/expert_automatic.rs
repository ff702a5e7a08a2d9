//! `expert_automatic.csv`.

use anyhow::Result;

use super::cell::{Text, parts, several};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::words::association_word;

table! {
    "expert_automatic.csv",
    /// one unit with a concept beyond chance and an expert label
    struct Compared {
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: Text,
        /// concept with the best IoU among those beyond chance (corrected p < 0.05)
        concept: Text,
        /// how the expert label stands to it; for malignant and benign the association
        relation: &'static str,
        /// terms of the expert label, separated by semicolons
        expert_terms: Text,
        /// true when the label is the consensus, not the readers'
        settled: bool,
    }
}

impl Row for Compared {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let comparison = &atlas.study.comparison;
        for (concept, cells) in &comparison.terms {
            for (relation, units) in cells {
                let mut rows = units.iter().map(|unit| row(atlas, unit, concept, relation.name()));
                rows.try_for_each(&mut *write)?;
            }
        }
        for (concept, cells) in &comparison.pathology {
            for (association, units) in cells {
                let relation = association_word(*association);
                let mut rows = units.iter().map(|unit| row(atlas, unit, concept, relation));
                rows.try_for_each(&mut *write)?;
            }
        }
        Ok(())
    }
}

fn row(atlas: &Atlas, unit: &str, concept: &str, relation: &'static str) -> Compared {
    let opinion = atlas.study.opinions.get(unit);
    let [network, layer, number] = parts(unit);
    Compared {
        network,
        layer,
        unit: number,
        concept: Text::from(concept),
        relation,
        expert_terms: Text::from(several(opinion.iter().flat_map(|opinion| &opinion.terms))),
        settled: opinion.is_some_and(|opinion| opinion.settled),
    }
}
