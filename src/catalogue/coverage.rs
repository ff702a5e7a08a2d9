//! Which terms of the lexicons have a unit.

use std::collections::BTreeMap;

use base::UnitId;
use lexicon::Entry as Term;

use super::Catalogue;

/// A term with the units that show it.
#[derive(Debug)]
pub struct Coverage<'c> {
    /// The term.
    pub term: Term<'c>,
    /// Whether the data set outlines it, so that a unit could detect it.
    pub outlined: bool,
    /// Units whose terms, as people named them, hold it; in the order of the units.
    pub named: Vec<&'c UnitId>,
    /// Units that detect it, best first.
    pub detecting: Vec<&'c UnitId>,
    /// Units that a machine calls so, those first that stand out most.
    pub called: Vec<&'c UnitId>,
}

impl Coverage<'_> {
    /// Whether some unit shows it, by what people or outlines say.
    pub fn is_covered(&self) -> bool {
        !self.named.is_empty() || !self.detecting.is_empty()
    }

    /// Units of a network that people named it in.
    pub fn named_in(&self, network: &str) -> usize {
        self.named.iter().filter(|unit| unit.network() == network).count()
    }

    /// Units of a network that detect it.
    pub fn detecting_in(&self, network: &str) -> usize {
        self.detecting.iter().filter(|unit| unit.network() == network).count()
    }

    /// Units of a network that a machine calls so.
    pub fn called_in(&self, network: &str) -> usize {
        self.called.iter().filter(|unit| unit.network() == network).count()
    }
}

impl Catalogue<'_> {
    /// Every term, in the order of the lexicons.
    pub fn coverage<'c>(&'c self) -> Vec<Coverage<'c>> {
        let mut named: BTreeMap<&str, Vec<&UnitId>> = BTreeMap::new();
        let mut detecting: BTreeMap<&str, Vec<(f32, &UnitId)>> = BTreeMap::new();
        for entry in self.units() {
            for term in entry.terms.iter().filter(|_| entry.name.is_by_people()) {
                named.entry(term).or_default().push(&entry.id);
            }
            for found in entry.detections() {
                let units = detecting.entry(&found.concept.id).or_default();
                units.push((found.found.iou, &entry.id));
            }
        }
        let mut called: BTreeMap<&str, Vec<(f32, &UnitId)>> = BTreeMap::new();
        for (entry, close) in self.by_machine() {
            called.entry(&close.term).or_default().push((close.standard, &entry.id));
        }
        for units in detecting.values_mut().chain(called.values_mut()) {
            // A stable sort: equals stay in the order of the units.
            units.sort_by(|a, b| b.0.total_cmp(&a.0));
        }
        let term = |term: Term<'_>| term.term.id.clone();
        self.lexicons()
            .entries()
            .map(|entry| {
                let id = term(entry);
                let best = |units: &BTreeMap<&str, Vec<(f32, &'c UnitId)>>| {
                    let units = units.get(id.as_str()).map_or(&[][..], Vec::as_slice);
                    units.iter().map(|(_, unit)| *unit).collect()
                };
                Coverage {
                    outlined: self.layers().iter().any(|layer| layer.outlines(&id)),
                    named: named.get(id.as_str()).cloned().unwrap_or_default(),
                    detecting: best(&detecting),
                    called: best(&called),
                    term: entry,
                }
            })
            .collect()
    }
}
