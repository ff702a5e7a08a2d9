//! What a unit is called, for explanations: only what people said, never what a concept's outlines suggest.

use std::collections::{BTreeMap, BTreeSet};

use super::answer::ReaderFile;
use super::consensus::Consensus;
use super::expert::opinions;
use super::suggest::Matcher;
use crate::lexicon::Lexicons;

/// The named units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(BTreeMap<String, Name>);

/// A unit's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What the authors settled on, else the readers' words, else their terms.
    pub words: String,
    /// Term ids of the experts' opinion; empty where they have none in common.
    pub terms: BTreeSet<String>,
}

impl Names {
    /// From the readers' answers and what the authors settled on.
    pub fn new(readers: &[ReaderFile], consensus: &Consensus, lexicons: &Lexicons) -> Names {
        let mut said: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for answer in readers.iter().flat_map(|reader| &reader.answers).filter(|a| !a.repeat) {
            for phenomenon in &answer.phenomena {
                let words = phenomenon.description.trim();
                let said = said.entry(&answer.unit).or_default();
                if !words.is_empty() && !said.iter().any(|s| s.eq_ignore_ascii_case(words)) {
                    said.push(words);
                }
            }
        }
        let term = |id: &String| {
            let found = lexicons.entries().find(|entry| entry.term.id == *id);
            found.map_or_else(|| id.clone(), |entry| entry.term.name.clone())
        };
        let opinions = opinions(readers, consensus, &Matcher::new(lexicons));
        let name = |(unit, opinion): (String, super::expert::Opinion)| {
            let words = match (consensus.of(&unit), said.get(unit.as_str())) {
                (Some(settled), _) => settled.label.trim().to_string(),
                (None, Some(said)) if !said.is_empty() => said.join("; "),
                _ => opinion.terms.iter().map(term).collect::<Vec<_>>().join(", "),
            };
            (!words.is_empty()).then_some((unit, Name { words, terms: opinion.terms }))
        };
        Names(opinions.into_iter().filter_map(name).collect())
    }

    /// The name of `network/layer/0063`, if it has one.
    pub fn of(&self, unit: &str) -> Option<&Name> {
        self.0.get(unit)
    }
}
