//! What the readers say, by unit.

use std::collections::BTreeMap;

use super::Inputs;
use base::{Notice, UnitId};
use catalogue::Catalogue;
use lexicon::{Entry, Lexicons};
use study::answer::{Answer, Phenomenon, ReaderFile};

/// Answers by unit, and the lexicons' terms by id.
#[derive(Default)]
pub(super) struct Labels<'a> {
    answers: BTreeMap<UnitId, Vec<(&'a ReaderFile, &'a Answer)>>,
    terms: BTreeMap<&'a str, (usize, Entry<'a>)>,
    unplaced: Vec<Notice>,
}

impl<'a> Labels<'a> {
    /// Sorts the readers' answers by unit, in the order of the readers.
    pub(super) fn new(inputs: &'a Inputs<'a>, catalogue: &Catalogue) -> Self {
        let mut answers: BTreeMap<UnitId, Vec<_>> = BTreeMap::new();
        let mut unplaced = Vec::new();
        for reader in inputs.readers {
            // An answer to a unit shown again is no other reader's.
            for answer in reader.answers.iter().filter(|answer| !answer.repeat) {
                if let Some(unit) = answer.unit().filter(|unit| catalogue.get(unit).is_some()) {
                    answers.entry(unit).or_default().push((reader, answer));
                } else {
                    unplaced.push(Notice {
                        place: format!("labels of {}", reader.reader),
                        message: format!("{} is not a unit of this atlas; not shown", answer.unit),
                        skipped: false,
                    });
                }
            }
        }
        Self { answers, unplaced, ..Self::of_nobody(inputs.lexicons) }
    }

    /// The terms alone.
    pub(super) fn of_nobody(lexicons: &'a Lexicons) -> Self {
        let mut terms = BTreeMap::new();
        for (order, entry) in lexicons.entries().enumerate() {
            // The first lexicon wins where two hold the same id.
            terms.entry(entry.term.id.as_str()).or_insert((order, entry));
        }
        Self { terms, ..Self::default() }
    }

    /// Answers on a unit.
    pub(super) fn of(&self, unit: &UnitId) -> &[(&'a ReaderFile, &'a Answer)] {
        self.answers.get(unit).map_or(&[], Vec::as_slice)
    }

    /// Every labelled phenomenon on a unit, with its reader.
    pub(super) fn phenomena(
        &self,
        unit: &UnitId,
    ) -> impl Iterator<Item = (&'a ReaderFile, &'a Answer, &'a Phenomenon)> {
        self.of(unit)
            .iter()
            .flat_map(|&(reader, answer)| answer.phenomena.iter().map(move |p| (reader, answer, p)))
    }

    /// Every labelled phenomenon of the atlas's units, in the order of the units' names.
    pub(super) fn all(&self) -> impl Iterator<Item = (&'a ReaderFile, &'a Answer, &'a Phenomenon)> {
        let answers = self.answers.values().flatten();
        answers
            .flat_map(|&(reader, answer)| answer.phenomena.iter().map(move |p| (reader, answer, p)))
    }

    /// A phenomenon in words: the reader's own or, without any, the names of the terms chosen.
    pub(super) fn words(&self, phenomenon: &Phenomenon) -> String {
        phenomenon.words(|id| self.name(id))
    }

    /// A term by its id.
    pub(super) fn term(&self, id: &str) -> Option<Entry<'a>> {
        self.terms.get(id).map(|(_, entry)| *entry)
    }

    /// Place of a term in the lexicons; unknown terms come last.
    pub(super) fn order(&self, id: &str) -> usize {
        self.terms.get(id).map_or(usize::MAX, |(order, _)| *order)
    }

    /// A term or concept in words.
    pub(super) fn name(&self, id: &str) -> String {
        match (id, self.term(id)) {
            (_, Some(entry)) => entry.term.name.clone(),
            ("malignant", None) => "malignant lesion".into(),
            ("benign", None) => "benign lesion".into(),
            _ => id.replace(['_', '-'], " "),
        }
    }

    /// Where a term or concept stands: its BI-RADS category, or that it has none.
    pub(super) fn standing(&self, id: &str) -> String {
        match (id, self.term(id)) {
            (_, Some(entry)) if entry.lexicon.birads => entry.category.to_string(),
            (_, Some(entry)) => format!("{} (not BI-RADS)", entry.category),
            ("malignant" | "benign", None) => "Pathology".into(),
            _ => "–".into(),
        }
    }

    /// Some categories, each once, in the order of the lexicons.
    pub(super) fn ordered_categories(&self, categories: Vec<String>) -> Vec<String> {
        let mut orders: BTreeMap<&str, usize> = BTreeMap::new();
        for (order, entry) in self.terms.values() {
            let first = orders.entry(entry.category).or_insert(*order);
            *first = (*first).min(*order);
        }
        let mut categories = categories;
        categories.sort_by_key(|c| orders.get(c.as_str()).copied().unwrap_or(usize::MAX));
        categories.dedup();
        categories
    }

    /// Labels that name no unit of the atlas.
    pub(super) fn unplaced(&self) -> Vec<Notice> {
        self.unplaced.clone()
    }
}
