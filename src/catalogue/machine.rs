//! Whether a machine calls units what outlines or readers say of them, beside what would be right without looking.

use std::collections::{BTreeMap, BTreeSet};

use agreement::{Coefficient, Estimate, Ratings, estimate};

use super::entry::{Catalogue, Entry, LayerEntries};
use base::UnitId;
use record::dissection::Category;

/// Terms of a unit that are looked at beside the first.
const FIRST: usize = 5;

/// A unit that a machine and others name.
struct Both<'e, 'a> {
    entry: &'e Entry<'a>,
    /// The term that the machine calls it.
    called: &'e str,
    /// Those of the others.
    terms: BTreeSet<&'e str>,
}

/// What a machine's names are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// What units detect beyond measured chance.
    Outlines,
    /// What people named in them.
    People,
}

/// How the names of a machine agree with others', over the units that have both.
#[derive(Debug, Clone, PartialEq)]
pub struct Hits {
    /// Units that have both.
    pub units: u32,
    /// Those whose name is one of the other's terms.
    pub first: u32,
    /// Those of whose five closest terms one is.
    pub five: u32,
    /// Those whose name is of the category of one of the other's terms.
    pub category: u32,
    /// The one term that would be right most often for all of them alike, and in how many units it would be.
    pub constant: Option<(String, u32)>,
    /// Units in which the name would be one of the other's terms if the names were dealt anew among them, on average.
    pub dealt: f64,
    /// Agreement on the category, beyond what chance gives: Cohen's kappa, with an interval over the units.
    pub kappa: Estimate,
}

impl Catalogue<'_> {
    /// How a machine's names of some layers agree with what outlines or people say; none where no unit has both.
    pub fn hits<'l>(
        &self,
        layers: impl IntoIterator<Item = &'l LayerEntries<'l>>,
        reference: Reference,
        seed: u64,
    ) -> Option<Hits> {
        let units = layers.into_iter().flat_map(|layer| &layer.units);
        let both: Vec<Both> = units
            .filter_map(|entry| {
                let called = entry.called()?;
                let terms = self.reference(entry, reference);
                (!terms.is_empty()).then_some(Both { entry, called: &called.term, terms })
            })
            .collect();
        if both.is_empty() {
            return None;
        }
        let count =
            |right: &dyn Fn(&Both) -> bool| both.iter().filter(|unit| right(unit)).count() as u32;
        let mut times: BTreeMap<&str, u32> = BTreeMap::new();
        both.iter()
            .flat_map(|unit| &unit.terms)
            .for_each(|term| *times.entry(term).or_default() += 1);
        // Of equals the first by its id.
        let constant = times.iter().rev().max_by_key(|(_, times)| **times);
        let dealt: u32 =
            both.iter().map(|own| count(&|other| other.terms.contains(own.called))).sum();
        Some(Hits {
            units: both.len() as u32,
            first: count(&|unit| unit.terms.contains(unit.called)),
            five: count(&|unit| {
                let close = unit.entry.machine.iter().take(FIRST);
                close.map(|close| close.term.as_str()).any(|term| unit.terms.contains(term))
            }),
            category: count(&|unit| {
                let own = self.family(unit.called);
                own.is_some() && unit.terms.iter().any(|term| self.family(term) == own)
            }),
            constant: constant.map(|(term, times)| ((*term).to_owned(), *times)),
            dealt: f64::from(dealt) / both.len() as f64,
            kappa: self.kappa(&both, seed),
        })
    }

    /// The category of a term without its refinement.
    fn family(&self, term: &str) -> Option<&str> {
        self.lexicons().term(term).map(|entry| entry.family())
    }

    /// How far a machine and outlines part on a unit: by how many standard deviations the machine's name stands out,
    /// times the intersection over union of what the unit detects best. None where they do not part: one of them
    /// names nothing, or both name the same category. What people say makes no difference, so that a survey stays as
    /// it is while they answer.
    pub fn parted(&self, unit: &UnitId) -> Option<f32> {
        let entry = self.get(unit)?;
        let called = entry.called()?;
        let others = self.reference(entry, Reference::Outlines);
        let own = self.family(&called.term);
        let apart = !others.is_empty() && others.iter().all(|term| self.family(term) != own);
        let best = entry.best_detection()?;
        apart.then_some(called.standard * best.found.iou)
    }

    /// Terms that outlines or people give a unit.
    fn reference<'e>(&self, entry: &'e Entry<'_>, reference: Reference) -> BTreeSet<&'e str> {
        match reference {
            Reference::People if entry.name.is_by_people() => {
                entry.terms.iter().map(String::as_str).collect()
            }
            Reference::People => BTreeSet::new(),
            Reference::Outlines => entry
                .detections()
                .filter(|found| found.found.chance.is_some())
                .filter(|found| {
                    matches!(found.concept.category, Category::Finding | Category::Region)
                })
                .map(|found| found.concept.id.as_str())
                .filter(|id| self.lexicons().term(id).is_some())
                .collect(),
        }
    }

    /// Agreement on categories: of a unit the other's is that of the name where it has that, else its first.
    fn kappa(&self, both: &[Both], seed: u64) -> Estimate {
        let families: BTreeSet<&str> =
            self.lexicons().entries().map(|entry| entry.family()).collect();
        let number = |term: &str| families.iter().position(|own| self.family(term) == Some(own));
        let items = both.iter().filter_map(|unit| {
            let own = number(unit.called)?;
            let others: Vec<usize> = unit.terms.iter().filter_map(|term| number(term)).collect();
            let other = if others.contains(&own) { own } else { *others.first()? };
            Some(vec![(0, own), (1, other)])
        });
        let ratings = Ratings::nominal(items, 2, families.len());
        let [kappa] = estimate(&ratings, [Coefficient::Cohen], seed);
        kappa
    }
}
