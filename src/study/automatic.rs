//! Automatic against expert labels: whether the concept that a unit agrees with beyond chance, by
//! intersection over union, is what the experts see in it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::answer::Association;
use super::expert::Opinion;
use lexicon::Lexicons;
use record::dissection::{Category, Layer, Unit};

/// Probability by chance, corrected for all concepts, below which a concept counts.
pub const LEVEL: f32 = 0.05;

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
    pub terms: BTreeMap<String, BTreeMap<Relation, Vec<String>>>,
    /// By pathology of the outlines (`malignant`, `benign`), then the experts' association: units.
    pub pathology: BTreeMap<String, BTreeMap<Association, Vec<String>>>,
    /// Units with both a concept that is a term and an expert label.
    pub both: usize,
    /// Those of them whose label names the concept.
    pub same_term: usize,
    /// Those whose label names the concept or its category.
    pub same_category: usize,
}

/// The concept of a unit that is a term, and the one that is a pathology, each the one with the best
/// IoU among those beyond chance.
pub fn concepts<'a>(layer: &'a Layer, unit: &Unit) -> [Option<&'a str>; 2] {
    let best = |wanted: &[Category]| {
        let mut best: Option<(&str, f32)> = None;
        for (concept, found) in layer.concepts.iter().zip(&unit.matches) {
            let beyond = found.chance.is_some_and(|chance| chance.adjusted < LEVEL);
            if beyond
                && wanted.contains(&concept.category)
                && found.iou > best.map_or(0.0, |(_, iou)| iou)
            {
                best = Some((&concept.id, found.iou));
            }
        }
        best.map(|(id, _)| id)
    };
    [best(&[Category::Finding, Category::Region]), best(&[Category::Pathology])]
}

/// Compares units, given as (name, concepts), with what the experts say of them.
pub fn compare<'a>(
    units: impl Iterator<Item = (String, [Option<&'a str>; 2])>,
    opinions: &BTreeMap<String, Opinion>,
    lexicons: &Lexicons,
) -> Comparison {
    let mut comparison = Comparison::default();
    for (name, [term, pathology]) in units {
        let Some(opinion) = opinions.get(&name) else { continue };
        if let Some(concept) = term.filter(|concept| lexicons.term(concept).is_some()) {
            let relation = relation(concept, opinion, lexicons);
            comparison.both += 1;
            comparison.same_term += usize::from(relation == Relation::Term);
            comparison.same_category += usize::from(relation <= Relation::Category);
            let cells = comparison.terms.entry(concept.to_owned()).or_default();
            cells.entry(relation).or_default().push(name.clone());
        }
        if let (Some(concept), Some(association)) = (pathology, opinion.association) {
            let cells = comparison.pathology.entry(concept.to_owned()).or_default();
            cells.entry(association).or_default().push(name);
        }
    }
    comparison
}

fn relation(concept: &str, opinion: &Opinion, lexicons: &Lexicons) -> Relation {
    if opinion.terms.contains(concept) {
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
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn opinion(terms: &[&str], association: Option<Association>) -> Opinion {
        let terms: BTreeSet<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        Opinion { terms, association, settled: false }
    }

    #[test]
    fn units_fall_into_the_cells_of_their_labels() {
        let lexicons = Lexicons::load(Path::new("/nowhere")).unwrap();
        let malignant = Some(Association::Malignant);
        let opinions = BTreeMap::from([
            ("a".to_owned(), opinion(&["mass", "vessel"], malignant)),
            ("b".to_owned(), opinion(&["margin-spiculated"], Some(Association::Benign))),
            ("c".to_owned(), opinion(&["calcifications"], None)),
            ("d".to_owned(), opinion(&["vessel"], malignant)),
            ("e".to_owned(), opinion(&[], None)),
        ]);
        let units = ["a", "b", "c", "d", "e", "unanswered"].map(|name| {
            let pathology = ["a", "b", "e"].contains(&name).then_some("malignant");
            (name.to_owned(), [Some("mass"), pathology])
        });
        let found = compare(units.into_iter(), &opinions, &lexicons);
        assert_eq!((found.both, found.same_term, found.same_category), (5, 1, 2));
        let cells: Vec<(Relation, &[String])> =
            found.terms["mass"].iter().map(|(r, units)| (*r, units.as_slice())).collect();
        let names = ["a", "b", "c", "d", "e"].map(str::to_owned);
        let expected: Vec<(Relation, &[String])> = Relation::ALL
            .into_iter()
            .enumerate()
            .map(|(at, relation)| (relation, &names[at..=at]))
            .collect();
        assert_eq!(cells, expected);
        assert_eq!(found.pathology["malignant"][&Association::Malignant], ["a"]);
        assert_eq!(found.pathology["malignant"][&Association::Benign], ["b"]);
    }
}
