//! What the experts say of the units, taken together: the words of each reader in terms of the
//! lexicons, and one opinion per unit where a table needs one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::answer::{Answer, Association, Phenomenon, ReaderFile, Recognizable};
use super::consensus::Consensus;
use super::suggest::Matcher;
use base::UnitId;

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

/// What the readers of a unit said of it together, and one opinion of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opinion {
    /// Term ids, each once: as the authors settled them, in their order; else those that at least half of
    /// the readers who answered the unit named, most readers first, of equals as they came up.
    pub terms: Vec<String>,
    /// Association with cancer; none where nothing is described, or the consensus leaves it open.
    pub association: Option<Association>,
    /// Whether the consensus says so, and not the readers.
    pub settled: bool,
    /// Readers who answered the unit.
    pub readers: usize,
    /// Those of them to whom nothing in it is recognisable.
    pub unrecognizable: usize,
    /// Every term that a reader named, with how many did; most first, of equals as they came up.
    pub named: Vec<(String, usize)>,
    /// Whether readers chose none of these terms: all of them are suggested by the words.
    pub suggested: bool,
    /// Descriptions that came with no term and suggest none, each once, as they came up.
    pub uncoded: Vec<String>,
}

/// The opinion of every unit that the consensus settles or a reader answered: the consensus, and where
/// there is none the terms that at least half of the readers who answered the unit named, with the
/// association that most of those who described something gave it (of equals the weightier).
pub fn opinions(
    readers: &[ReaderFile],
    consensus: &Consensus,
    matcher: &Matcher,
) -> BTreeMap<UnitId, Opinion> {
    let mut answers: BTreeMap<UnitId, Vec<&Answer>> = BTreeMap::new();
    for answer in readers.iter().flat_map(|reader| &reader.answers).filter(|a| !a.repeat) {
        if let Some(unit) = answer.unit() {
            answers.entry(unit).or_default().push(answer);
        }
    }
    let opinion = |(unit, answers): (UnitId, Vec<&Answer>)| (unit, Opinion::new(&answers, matcher));
    let mut opinions: BTreeMap<UnitId, Opinion> = answers.into_iter().map(opinion).collect();
    for settled in &consensus.units {
        let opinion = opinions.entry(settled.unit.clone()).or_default();
        opinion.terms = settled.terms.clone();
        opinion.association = settled.association;
        opinion.settled = true;
    }
    opinions
}

impl Opinion {
    /// Of the readers' first answers to one unit, one answer of each.
    fn new(answers: &[&Answer], matcher: &Matcher) -> Self {
        let mut all: Vec<(String, usize)> = Vec::new();
        let mut chosen = false;
        let mut uncoded: Vec<String> = Vec::new();
        let mut associations: BTreeMap<Association, usize> = BTreeMap::new();
        for answer in answers {
            let mut own: Vec<String> = Vec::new();
            for phenomenon in &answer.phenomena {
                let found = named(phenomenon, matcher);
                chosen |= !found.terms.is_empty() && !found.suggested;
                let words = phenomenon.description.trim();
                let known = uncoded.iter().any(|known| known.eq_ignore_ascii_case(words));
                if found.terms.is_empty() && !words.is_empty() && !known {
                    uncoded.push(words.to_owned());
                }
                own.extend(found.terms);
            }
            let mut seen = BTreeSet::new();
            own.retain(|term| seen.insert(term.clone()));
            for term in own {
                match all.iter_mut().find(|(known, _)| *known == term) {
                    Some((_, count)) => *count += 1,
                    None => all.push((term, 1)),
                }
            }
            if let Some(association) = answer.association() {
                *associations.entry(association).or_default() += 1;
            }
        }
        // A stable sort: equals stay in the order in which they came up.
        all.sort_by_key(|(_, count)| Reverse(*count));
        let most = associations.values().max().copied();
        let no = |answer: &&&Answer| answer.recognizable == Recognizable::No;
        Self {
            terms: all
                .iter()
                .filter(|(_, count)| 2 * count >= answers.len())
                .map(|(term, _)| term.clone())
                .collect(),
            association: associations
                .into_iter()
                .find(|(_, count)| Some(*count) == most)
                .map(|(association, _)| association),
            settled: false,
            readers: answers.len(),
            unrecognizable: answers.iter().filter(no).count(),
            suggested: !all.is_empty() && !chosen,
            named: all,
            uncoded,
        }
    }
}
