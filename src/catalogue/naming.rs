//! What a unit is called by people: what the authors settled on, else what the readers said. What a
//! concept's outlines suggest is no name here.

use std::collections::{BTreeMap, BTreeSet};

use base::unit_name;
use lexicon::Lexicons;
use study::answer::ReaderFile;
use study::consensus::Consensus;
use study::expert::opinions;
use study::suggest::Matcher;

/// The named units.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names(BTreeMap<String, Name>);

/// A unit's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// What the authors settled on, else each of the readers' phenomena once.
    pub words: String,
    /// Term ids of the experts' opinion; empty where they have none in common.
    pub terms: BTreeSet<String>,
    /// Whether the authors settled it.
    pub settled: bool,
}

impl Names {
    /// From the readers' answers and what the authors settled on.
    pub fn new(readers: &[ReaderFile], consensus: &Consensus, lexicons: &Lexicons) -> Names {
        let term = |id: &str| {
            let found = lexicons.entries().find(|entry| entry.term.id == id);
            found.map_or_else(|| id.replace(['_', '-'], " "), |entry| entry.term.name.clone())
        };
        let mut said: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for answer in readers.iter().flat_map(|reader| &reader.answers).filter(|a| !a.repeat) {
            for phenomenon in &answer.phenomena {
                let words = phenomenon.words(term);
                let said = said.entry(&answer.unit).or_default();
                if !words.is_empty() && !said.iter().any(|s| s.eq_ignore_ascii_case(&words)) {
                    said.push(words);
                }
            }
        }
        let opinions = opinions(readers, consensus, &Matcher::new(lexicons));
        let name = |(unit, opinion): (String, study::expert::Opinion)| {
            let settled = consensus.of(&unit);
            let words = match (settled, said.get(unit.as_str())) {
                (Some(settled), _) => settled.label.trim().to_string(),
                (None, said) => said.map(|said| said.join("; ")).unwrap_or_default(),
            };
            let name = Name { words, terms: opinion.terms, settled: settled.is_some() };
            (!name.words.is_empty()).then_some((unit, name))
        };
        Names(opinions.into_iter().filter_map(name).collect())
    }

    /// The name of `network/layer/0063`, if it has one.
    pub fn of(&self, unit: &str) -> Option<&Name> {
        self.0.get(unit)
    }

    /// The names of a layer's units, in words, by their numbers from 1.
    pub fn of_layer<'n>(
        &'n self,
        network: &'n str,
        layer: &'n str,
    ) -> impl Fn(u32) -> Option<&'n str> {
        move |unit| self.of(&unit_name(network, layer, unit)).map(|name| name.words.as_str())
    }
}
