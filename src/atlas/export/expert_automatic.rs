//! `expert_automatic.csv`.

use anyhow::Result;

use super::cell::{Text, UnitNumber, parts, several};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::words::association_word;
use base::UnitId;

table! {
    "expert_automatic.csv",
    /// one unit that detects a concept beyond chance and has an expert label
    struct Compared {
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// concept that the unit detects with the best IoU, beyond measured chance (corrected p at most
        /// 0.05)
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

fn row(atlas: &Atlas, unit: &UnitId, concept: &str, relation: &'static str) -> Compared {
    let opinion = atlas.catalogue.opinion(unit);
    let (network, layer, number) = parts(unit);
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
