//! Automatic against expert labels: whether the concept that a unit detects, by intersection over union and
//! beyond chance, is what the experts see in it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::Association;
use super::expert::Opinion;
use base::UnitId;
use lexicon::Lexicons;

/// How an expert label stands to an automatic one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Names the same term.
    Term,
    /// Names a term of the same category, its refinements taken together (`Mass`, `Mass - Margin`).
    Category,
    /// Names other terms of BI-RADS.
    Other,
    /// Names only what BI-RADS has no word for.
    Outside,
    /// Names nothing.
    Nothing,
}

impl Relation {
    /// All, in the order of the table.
    pub const ALL: [Self; 5] =
        [Self::Term, Self::Category, Self::Other, Self::Outside, Self::Nothing];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Term => "same term",
            Self::Category => "same category",
            Self::Other => "other BI-RADS term",
            Self::Outside => "only outside BI-RADS",
            Self::Nothing => "nothing named",
        }
    }
}

/// The comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comparison {
    /// By concept, then relation: units.
    pub terms: BTreeMap<String, BTreeMap<Relation, Vec<UnitId>>>,
    /// By pathology of the outlines (`malignant`, `benign`), then the experts' association: units.
    pub pathology: BTreeMap<String, BTreeMap<Association, Vec<UnitId>>>,
    /// Units with both a concept that is a term and an expert label.
    pub both: usize,
    /// Those of them whose label names the concept.
    pub same_term: usize,
    /// Those whose label names the concept or its category.
    pub same_category: usize,
}

/// What a unit detects beyond measured chance, each the one with the best IoU of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Detected<'a> {
    /// A finding or a region.
    pub term: Option<&'a str>,
    /// A lesion by its pathology, `malignant` or `benign`.
    pub pathology: Option<&'a str>,
}

/// Compares what units detect with what the experts say of them.
pub fn compare<'a>(
    units: impl Iterator<Item = (&'a UnitId, Detected<'a>)>,
    opinions: &BTreeMap<UnitId, Opinion>,
    lexicons: &Lexicons,
) -> Comparison {
    let mut comparison = Comparison::default();
    for (unit, Detected { term, pathology }) in units {
        let Some(opinion) = opinions.get(unit) else { continue };
        if let Some(concept) = term.filter(|concept| lexicons.term(concept).is_some()) {
            let relation = relation(concept, opinion, lexicons);
            comparison.both += 1;
            comparison.same_term += usize::from(relation == Relation::Term);
            comparison.same_category += usize::from(relation <= Relation::Category);
            let cells = comparison.terms.entry(concept.to_owned()).or_default();
            cells.entry(relation).or_default().push(unit.clone());
        }
        if let (Some(concept), Some(association)) = (pathology, opinion.association) {
            let cells = comparison.pathology.entry(concept.to_owned()).or_default();
            cells.entry(association).or_default().push(unit.clone());
        }
    }
    comparison
}

fn relation(concept: &str, opinion: &Opinion, lexicons: &Lexicons) -> Relation {
    if opinion.terms.iter().any(|term| term == concept) {
        return Relation::Term;
    }
    let family = lexicons.term(concept).map(|entry| entry.family());
    let named: Vec<_> = opinion.terms.iter().filter_map(|term| lexicons.term(term)).collect();
    match () {
        () if named.iter().any(|entry| Some(entry.family()) == family) => Relation::Category,
        () if named.iter().any(|entry| entry.lexicon.birads) => Relation::Other,
        () if !named.is_empty() => Relation::Outside,
        () => Relation::Nothing,
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn opinion(terms: &[&str], association: Option<Association>) -> Opinion {
        let terms = terms.iter().map(|term| (*term).to_owned()).collect();
        Opinion { terms, association, ..Opinion::default() }
    }

    #[test]
    fn units_fall_into_the_cells_of_their_labels() {
        let lexicons = crate::lexicons::built_in();
        let malignant = Some(Association::Malignant);
        let unit = |number| UnitId::new("alexnet", "conv5", number);
        let opinions = BTreeMap::from([
            (unit(1), opinion(&["mass", "vessel"], malignant)),
            (unit(2), opinion(&["margin-spiculated"], Some(Association::Benign))),
            (unit(3), opinion(&["calcifications"], None)),
            (unit(4), opinion(&["vessel"], malignant)),
            (unit(5), opinion(&[], None)),
        ]);
        // The sixth nobody answered.
        let units = [1, 2, 3, 4, 5, 6].map(unit);
        let detected = units.iter().map(|unit| {
            let pathology = [1, 2, 5].contains(&unit.number()).then_some("malignant");
            (unit, Detected { term: Some("mass"), pathology })
        });
        let found = compare(detected, &opinions, &lexicons);
        assert_eq!((found.both, found.same_term, found.same_category), (5, 1, 2));
        let cells: Vec<(Relation, &[UnitId])> =
            found.terms["mass"].iter().map(|(r, units)| (*r, units.as_slice())).collect();
        let expected: Vec<(Relation, &[UnitId])> = Relation::ALL
            .into_iter()
            .enumerate()
            .map(|(at, relation)| (relation, &units[at..=at]))
            .collect();
        assert_eq!(cells, expected);
        assert_eq!(found.pathology["malignant"][&Association::Malignant], [unit(1)]);
        assert_eq!(found.pathology["malignant"][&Association::Benign], [unit(2)]);
    }
}
