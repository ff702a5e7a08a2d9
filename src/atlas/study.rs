//! What the pages and tables of the reader study draw from, computed once per build.

use super::Inputs;
use catalogue::Catalogue;
use study::automatic::Comparison;
use study::consensus::Consensus;
use study::statistics::{Statistics, statistics};
use study::suggest::Matcher;

/// A reader study, evaluated.
pub(super) struct Study<'a> {
    /// Suggests terms for words.
    pub(super) matcher: Matcher<'a>,
    /// Its numbers.
    pub(super) statistics: Statistics,
    /// Units in which concepts and experts can be compared.
    pub(super) comparison: Comparison,
    /// Whether chance was measured at all.
    pub(super) chance: bool,
    /// What the authors settled on.
    pub(super) consensus: &'a Consensus,
}

impl<'a> Study<'a> {
    pub(super) fn new(inputs: &'a Inputs<'a>, catalogue: &Catalogue) -> Self {
        let matcher = Matcher::new(inputs.lexicons);
        Self {
            statistics: statistics(inputs.readers, inputs.lexicons, &matcher, inputs.config.seed),
            comparison: catalogue.comparison(),
            matcher,
            chance: catalogue.layers().iter().any(|layer| layer.record.permutations > 0),
            consensus: inputs.consensus,
        }
    }
}
