//! How many units of each network show a term, by readers and by overlap.

use std::collections::BTreeSet;

use super::Atlas;
use super::units::best_concept;
use base::unit_name;
use lexicon::Entry;
use record::dissection::Category;

/// A term and how many units of each network show it.
pub(crate) struct Coverage<'a> {
    pub(crate) entry: Entry<'a>,
    /// Whether the data set has outlines of it.
    pub(crate) outlined: bool,
    /// In the order of the networks.
    pub(crate) networks: Vec<Counts>,
}

/// Units of one network.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// That experts named a term in.
    pub(crate) labelled: usize,
    /// That detect it.
    pub(crate) detected: usize,
}

impl Coverage<'_> {
    /// Whether no unit shows the term.
    pub(crate) fn is_never(&self) -> bool {
        self.networks.iter().all(|counts| counts.labelled + counts.detected == 0)
    }
}

/// Every term, in the order of the lexicons.
pub(crate) fn coverage<'a>(atlas: &Atlas<'a>) -> Vec<Coverage<'a>> {
    let exhibits = atlas.inputs.exhibits;
    let outlined: BTreeSet<&str> = atlas
        .layers()
        .flat_map(|(_, layer)| &layer.concepts)
        .filter(|concept| concept.category != Category::Breast)
        .map(|concept| concept.id.as_str())
        .collect();
    let mut rows: Vec<Coverage> = atlas
        .inputs
        .lexicons
        .entries()
        .map(|entry| Coverage {
            outlined: outlined.contains(entry.term.id.as_str()),
            networks: vec![Counts::default(); exhibits.len()],
            entry,
        })
        .collect();
    for (at, exhibit) in exhibits.iter().enumerate() {
        for layer in exhibit.layers {
            for unit in &layer.units {
                let name = unit_name(&exhibit.config.name, &layer.layer, unit.unit);
                let named = atlas.study.opinions.get(&name).map(|opinion| &opinion.terms);
                let detected = best_concept(layer, unit)
                    .filter(|(_, iou)| *iou > atlas.detector())
                    .map(|(concept, _)| concept.id.as_str());
                if named.is_none_or(BTreeSet::is_empty) && detected.is_none() {
                    continue;
                }
                for row in &mut rows {
                    let id = &row.entry.term.id;
                    let counts = &mut row.networks[at];
                    counts.labelled += usize::from(named.is_some_and(|terms| terms.contains(id)));
                    counts.detected += usize::from(detected == Some(id.as_str()));
                }
            }
        }
    }
    rows
}
