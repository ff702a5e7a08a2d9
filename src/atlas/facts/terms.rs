//! The terms that have a page.

use std::collections::BTreeSet;

use crate::inputs::{Inputs, safe_name};
use crate::labels::Labels;
use catalogue::Catalogue;
use record::dissection::Category;

/// Their ids, in the order of the lexicons. Breast and background name no unit.
pub(super) fn terms(inputs: &Inputs, labels: &Labels, catalogue: &Catalogue) -> Vec<String> {
    let layers = inputs.exhibits.iter().flat_map(|exhibit| exhibit.layers);
    let outlined = layers.flat_map(|layer| &layer.concepts);
    let outlined = outlined.filter(|c| c.category != Category::Breast).map(|c| c.id.as_str());
    let named = catalogue.units().flat_map(|entry| &entry.terms).map(String::as_str);
    let by_machine = catalogue.by_machine().map(|(_, close)| close.term.as_str());
    let named = named.chain(by_machine);
    let chosen = labels.all().flat_map(|(_, _, phenomenon)| &phenomenon.terms);
    // Whatever a reader wrote: only terms of a lexicon have a page.
    let said = named.chain(chosen.map(String::as_str)).filter(|id| labels.term(id).is_some());
    let ids: BTreeSet<(usize, &str)> = outlined
        .chain(said)
        .filter(|id| safe_name("concept", id).is_ok())
        .map(|id| (labels.order(id), id))
        .collect();
    ids.into_iter().map(|(_, id)| id.to_string()).collect()
}
