//! What the pages and tables of the reader study draw from, computed once per build.

use std::collections::BTreeMap;

use super::inputs::Inputs;
use base::unit_name;
use study::automatic::{self, Comparison};
use study::consensus::{Consensus, Settled};
use study::expert::{Opinion, opinions};
use study::statistics::{Statistics, statistics};
use study::suggest::Matcher;

/// A reader study, evaluated.
pub(super) struct Study<'a> {
    /// Suggests terms for words.
    pub(super) matcher: Matcher<'a>,
    /// Its numbers.
    pub(super) statistics: Statistics,
    /// What the experts together say of each unit.
    pub(super) opinions: BTreeMap<String, Opinion>,
    /// Units in which concepts and experts can be compared.
    pub(super) comparison: Comparison,
    /// Whether chance was measured at all.
    pub(super) chance: bool,
    consensus: &'a Consensus,
}

impl<'a> Study<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>) -> Self {
        let matcher = Matcher::new(inputs.lexicons);
        let opinions = opinions(inputs.readers, inputs.consensus, &matcher);
        let units = inputs.exhibits.iter().flat_map(|exhibit| {
            exhibit.layers.iter().flat_map(move |layer| {
                layer.units.iter().map(move |unit| {
                    let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
                    (name, automatic::concepts(layer, unit))
                })
            })
        });
        let comparison = automatic::compare(units, &opinions, inputs.lexicons);
        Self {
            statistics: statistics(inputs.readers, inputs.lexicons, &matcher, inputs.config.seed),
            comparison,
            opinions,
            matcher,
            chance: inputs.exhibits.iter().any(|e| e.layers.iter().any(|l| l.permutations > 0)),
            consensus: inputs.consensus,
        }
    }

    /// What the authors settled of a unit.
    pub(super) fn settled(&self, unit: &str) -> Option<&'a Settled> {
        self.consensus.of(unit)
    }

    /// Everything that the authors settled.
    pub(super) fn consensus(&self) -> &'a Consensus {
        self.consensus
    }
}
