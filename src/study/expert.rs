//! What the experts say of the units, taken together: the words of each reader in terms of the
//! lexicons, and one opinion per unit where a table needs one.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Association, Phenomenon, ReaderFile};
use super::consensus::Consensus;
use super::suggest::Matcher;

/// The terms of a phenomenon.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Named {
    /// Term ids, each once.
    pub terms: Vec<String>,
    /// Whether they are suggested from the reader's words, because the reader chose none.
    pub suggested: bool,
}

/// The terms that the reader chose, or those that their words suggest where they chose none.
pub fn named(phenomenon: &Phenomenon, matcher: &Matcher) -> Named {
    let suggested = phenomenon.terms.is_empty();
    let mut terms = if suggested {
        matcher.suggest(&phenomenon.description).terms
    } else {
        phenomenon.terms.clone()
    };
    let mut seen = BTreeSet::new();
    terms.retain(|term| seen.insert(term.clone()));
    Named { terms, suggested: suggested && !seen.is_empty() }
}

/// All terms of an answer.
pub fn terms(answer: &Answer, matcher: &Matcher) -> BTreeSet<String> {
    answer.phenomena.iter().flat_map(|phenomenon| named(phenomenon, matcher).terms).collect()
}

/// One opinion of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion {
    /// Term ids.
    pub terms: BTreeSet<String>,
    /// Association with cancer; none where nothing is described, or the consensus leaves it open.
    pub association: Option<Association>,
    /// Whether the consensus says so, and not the readers.
    pub settled: bool,
}

/// The opinion of every unit that the consensus settles or a reader answered: the consensus, and where
/// there is none the terms that at least half of the readers who answered the unit named, with the
/// association that most of those who described something gave it (of equals the weightier).
pub fn opinions(
    readers: &[ReaderFile],
    consensus: &Consensus,
    matcher: &Matcher,
) -> BTreeMap<String, Opinion> {
    let mut answers: BTreeMap<&str, Vec<&Answer>> = BTreeMap::new();
    for answer in readers.iter().flat_map(|reader| &reader.answers).filter(|a| !a.repeat) {
        answers.entry(&answer.unit).or_default().push(answer);
    }
    let mut opinions: BTreeMap<String, Opinion> = answers
        .into_iter()
        .map(|(unit, answers)| {
            let mut named: BTreeMap<String, usize> = BTreeMap::new();
            let mut associations: BTreeMap<Association, usize> = BTreeMap::new();
            for answer in &answers {
                for term in terms(answer, matcher) {
                    *named.entry(term).or_default() += 1;
                }
                if let Some(association) = answer.association() {
                    *associations.entry(association).or_default() += 1;
                }
            }
            let most = associations.values().max().copied();
            let opinion = Opinion {
                terms: named
                    .into_iter()
                    .filter(|(_, count)| 2 * count >= answers.len())
                    .map(|(term, _)| term)
                    .collect(),
                association: associations
                    .into_iter()
                    .find(|(_, count)| Some(*count) == most)
                    .map(|(association, _)| association),
                settled: false,
            };
            (unit.to_owned(), opinion)
        })
        .collect();
    for settled in &consensus.units {
        let opinion = Opinion {
            terms: settled.terms.iter().cloned().collect(),
            association: settled.association,
            settled: true,
        };
        opinions.insert(settled.unit.clone(), opinion);
    }
    opinions
}
