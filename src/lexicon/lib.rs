//! Lexicons: the controlled words for findings (BI-RADS) and for anatomy, read from YAML files.
//!
//! In: the lexicons that come with the program and those of a project's `content/lexicons/`. Out: their terms
//! with categories, definitions, synonyms and place in Figure 4 of the paper, by id; and the [`Vocabulary`] that
//! puts a data set's own words into these terms.

mod file;
mod vocabulary;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use vocabulary::{Vocabulary, Word};

use base::yaml::nearest;

/// One lexicon, such as BI-RADS 5th edition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lexicon {
    /// Always 1.
    pub schema: u32,
    /// `bi-rads-5`, `anatomy`.
    pub id: String,
    /// Name in prose.
    pub name: String,
    /// Whether its terms count as BI-RADS in the comparison of the paper's Figure 4.
    pub birads: bool,
    /// Where the terms come from.
    pub source: String,
    /// Groups in display order.
    pub groups: Vec<Group>,
}

/// Terms that answer one question, such as the margin of a mass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Category as the paper's Figure 4 prints it: `Mass - Margin`, `Breast Composition`.
    pub category: String,
    /// What the terms describe, where their names are adjectives (`heterogeneously dense`): `breast tissue`.
    /// Groups that refine another (`Mass - Margin`) need none: their noun is the other's first term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noun: Option<String>,
    /// Terms in display order. Where other categories refine this one (`Mass` and `Mass - Margin`),
    /// the first is the general one.
    pub terms: Vec<Term>,
}

/// One entry of a lexicon.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Unique over all lexicons of a project: `margin-spiculated`.
    pub id: String,
    /// Name as readers know it: `spiculated`.
    pub name: String,
    /// One line in our own words.
    pub gloss: String,
    /// Other words for it.
    #[serde(default)]
    pub synonyms: Vec<String>,
    /// Whole sentences of what shows it, for towers that compare images with texts; without any they are made of the
    /// name and the synonyms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prompts: Vec<String>,
}

/// Every lexicon of a project.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lexicons {
    lexicons: Vec<Lexicon>,
}

/// A term with where it stands.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// The lexicon.
    pub lexicon: &'a Lexicon,
    /// The category of its group.
    pub category: &'a str,
    /// The term.
    pub term: &'a Term,
}

impl Lexicons {
    /// From lexicons already read.
    pub fn new(lexicons: Vec<Lexicon>) -> Self {
        Self { lexicons }
    }

    /// Every term of every lexicon, in display order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        self.lexicons.iter().flat_map(|lexicon| {
            lexicon.groups.iter().flat_map(move |group| {
                group.terms.iter().map(move |term| Entry {
                    lexicon,
                    category: &group.category,
                    term,
                })
            })
        })
    }

    /// The lexicons in display order.
    pub fn iter(&self) -> impl Iterator<Item = &Lexicon> {
        self.lexicons.iter()
    }

    /// The term with this id.
    pub fn term(&self, id: &str) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.term.id == id)
    }

    /// A term or concept in words: `mass`, `malignant lesion`.
    pub fn name(&self, id: &str) -> String {
        match (id, self.term(id)) {
            (_, Some(entry)) => entry.term.name.clone(),
            ("malignant", None) => "malignant lesion".into(),
            ("benign", None) => "benign lesion".into(),
            _ => id.replace(['_', '-'], " "),
        }
    }

    /// The term that has this word as its id, name or synonym, whatever the case.
    ///
    /// # Errors
    /// When no term has it, or several have; names the nearest, at most three.
    pub fn resolve(&self, word: &str) -> Result<Entry<'_>, Unresolved> {
        let word = word.trim();
        let wanted = word.to_lowercase();
        let found = self.named(&wanted);
        let near: Vec<Entry<'_>> = match found[..] {
            [entry] => return Ok(entry),
            [_, _, ..] => found,
            [] => {
                let near = self.entries().filter(|e| nearest(word, e.words()).is_some());
                let distance = |e: &Entry<'_>| {
                    e.words().map(|w| strsim::damerau_levenshtein(&wanted, &w.to_lowercase())).min()
                };
                let mut near: Vec<Entry<'_>> = near.collect();
                near.sort_by_key(distance);
                near
            }
        };
        let near = near.iter().take(3).map(|entry| entry.term.id.clone()).collect();
        Err(Unresolved { word: word.to_owned(), near })
    }

    /// The term that has a word in small letters as its id, or else all that have it as a name or synonym.
    fn named(&self, wanted: &str) -> Vec<Entry<'_>> {
        match self.term(wanted) {
            Some(entry) => vec![entry],
            None => self
                .entries()
                .filter(|entry| entry.words().any(|word| word.to_lowercase() == wanted))
                .collect(),
        }
    }

    /// The ids of the terms that a text lists by their ids, names or synonyms, each once and in its order.
    /// Commas, semicolons, bars and blanks part them; of names that begin alike the longest counts, so that
    /// `coarse heterogeneous` is one and `spiculated mass` two.
    ///
    /// # Errors
    /// At the first word that begins no term, or several; names the nearest, at most three.
    pub fn listed(&self, text: &str) -> Result<Vec<String>, Unresolved> {
        let length = |name: &str| name.split_whitespace().count();
        let longest = self.entries().flat_map(|entry| entry.words()).map(length).max().unwrap_or(1);
        let mut ids: Vec<String> = Vec::new();
        for part in text.split([',', ';', '|', '\n']) {
            let words: Vec<&str> = part.split_whitespace().collect();
            let mut at = 0;
            while at < words.len() {
                let most = longest.min(words.len() - at);
                let found = (1..=most).rev().find_map(|many| {
                    let name = words[at..at + many].join(" ").to_lowercase();
                    match self.named(&name)[..] {
                        [entry] => Some((many, entry)),
                        _ => None,
                    }
                });
                let Some((many, entry)) = found else {
                    // A slip may lie in a name of several words.
                    let unknown = |many: usize| self.resolve(&words[at..at + many].join(" ")).err();
                    let hint = (1..=most).rev().filter_map(unknown);
                    return Err(hint
                        .max_by_key(|unknown| !unknown.near.is_empty())
                        .unwrap_or(Unresolved { word: words[at].to_owned(), near: Vec::new() }));
                };
                if !ids.contains(&entry.term.id) {
                    ids.push(entry.term.id.clone());
                }
                at += many;
            }
        }
        Ok(ids)
    }

    /// The categories of terms, by term ids, each once, in the order of the terms. Like the paper's
    /// Figure 4 it names the finer category alone where the general term (`mass`) is only the noun
    /// of the finer one (`margin-spiculated`). Unknown ids are passed over.
    pub fn categories<S: AsRef<str>>(&self, terms: &[S]) -> Vec<String> {
        let entries: Vec<Entry<'_>> =
            terms.iter().filter_map(|id| self.term(id.as_ref())).collect();
        let refined = |general: &Entry<'_>| entries.iter().any(|finer| finer.refines(general));
        let mut categories: Vec<String> = Vec::new();
        for entry in entries.iter().filter(|entry| !refined(entry)) {
            if categories.iter().all(|category| category != entry.category) {
                categories.push(entry.category.to_owned());
            }
        }
        categories
    }
}

impl Lexicons {
    /// Terms as things, for headings and sentences: `mass, spiculated` of `margin-spiculated`, with or
    /// without `mass` beside it; `calcifications, grouped`; `breast tissue, heterogeneously dense`. Things
    /// stand in the order in which the terms first name them. Unknown ids are passed over.
    pub fn things<S: AsRef<str>>(&self, terms: &[S]) -> Vec<String> {
        // By noun: what refines it.
        let mut things: Vec<(String, Vec<&str>)> = Vec::new();
        for entry in terms.iter().filter_map(|id| self.term(id.as_ref())) {
            let (noun, refinement) = match self.noun(&entry) {
                Some(noun) => (noun, Some(entry.term.name.as_str())),
                None => (entry.term.name.as_str(), None),
            };
            let at = things.iter().position(|(known, _)| known == noun).unwrap_or_else(|| {
                things.push((noun.to_owned(), Vec::new()));
                things.len() - 1
            });
            let refinements = &mut things[at].1;
            refinements.extend(refinement.filter(|words| !refinements.contains(words)));
        }
        let thing = |(noun, refinements): (String, Vec<&str>)| {
            std::iter::once(noun.as_str()).chain(refinements).collect::<Vec<_>>().join(", ")
        };
        things.into_iter().map(thing).collect()
    }

    /// A term as a person would say it, once by its name and once by each of its synonyms, with its noun where it
    /// needs one: `spiculated mass`, `grouped calcifications`.
    pub fn phrases(&self, entry: &Entry<'_>) -> Vec<String> {
        let noun = self.noun(entry);
        let phrase = |words: &str| match noun {
            Some(noun) if !words.to_lowercase().contains(&noun.to_lowercase()) => {
                format!("{words} {noun}")
            }
            _ => words.to_owned(),
        };
        entry.words().skip(1).map(phrase).collect()
    }

    /// The noun that a term's name needs beside it; none where the name is one.
    fn noun<'l>(&'l self, entry: &Entry<'l>) -> Option<&'l str> {
        let mut groups = entry.lexicon.groups.iter();
        if entry.category != entry.family() {
            let general = groups.find(|group| group.category == entry.family());
            let first = general.and_then(|group| group.terms.first());
            return Some(first.map_or(entry.family(), |term| term.name.as_str()));
        }
        let own = groups.find(|group| {
            group.category == entry.category
                && group.terms.iter().any(|term| term.id == entry.term.id)
        });
        own.and_then(|group| group.noun.as_deref())
    }
}

impl<'a> Entry<'a> {
    /// Id, name and synonyms.
    pub fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let term = self.term;
        [term.id.as_str(), term.name.as_str()]
            .into_iter()
            .chain(term.synonyms.iter().map(String::as_str))
    }

    /// The category without its refinement: `Mass` of `Mass - Margin`.
    pub fn family(&self) -> &'a str {
        self.category.split_once(" - ").map_or(self.category, |(family, _)| family)
    }

    /// Whether it stands for the other too: `spiculated`, of `Mass - Margin`, for the general term of
    /// `Mass`, which is only its noun.
    pub fn refines(&self, general: &Entry<'_>) -> bool {
        general.is_first() && self.category != general.category && self.family() == general.category
    }

    /// Whether it is the first term of its group.
    fn is_first(&self) -> bool {
        self.lexicon
            .groups
            .iter()
            .filter(|group| group.category == self.category)
            .any(|group| group.terms.first().is_some_and(|first| first.id == self.term.id))
    }
}

/// A word that stands for no term, or for several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unresolved {
    /// The word.
    pub word: String,
    /// Ids of the terms that it may mean, the likeliest first.
    pub near: Vec<String>,
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown term `{}`", self.word)?;
        if !self.near.is_empty() {
            let near: Vec<String> = self.near.iter().map(|id| format!("`{id}`")).collect();
            write!(f, "; did you mean {}?", near.join(" or "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Unresolved {}

#[cfg(test)]
#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
#[cfg(test)]
mod fuzz_target;
#[cfg(test)]
#[path = "../../tests/support/shipped.rs"]
mod shipped;

/// The lexicons of a project without its own.
#[cfg(test)]
fn built_in() -> Lexicons {
    shipped::hand_down();
    Lexicons::load(std::path::Path::new("/nowhere")).unwrap()
}

/// What of the lexicons is fuzzed.
#[cfg(test)]
fn fuzz_targets() -> Vec<fuzz::Target> {
    vec![fuzz_target::target()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_resolve_whatever_their_case() {
        let lexicons = built_in();
        let id = |word| lexicons.resolve(word).map(|entry| entry.term.id.clone());
        assert_eq!(id("margin-spiculated").unwrap(), "margin-spiculated");
        assert_eq!(id(" Spiculated ").unwrap(), "margin-spiculated");
        assert_eq!(id("Pectoralis Muscle").unwrap(), "pectoral-muscle");
        let error = id("margin-spiculatd").unwrap_err();
        assert_eq!(error.near, ["margin-spiculated"]);
        assert!(error.to_string().contains("did you mean `margin-spiculated`?"));
        assert_eq!(id("calcificatons").unwrap_err().near[0], "calcifications");
        assert!(id("zebra crossing").unwrap_err().near.is_empty());
        assert!(id("").unwrap_err().near.is_empty());
    }

    #[test]
    fn lists_of_terms_are_read_by_ids_names_and_synonyms() {
        let lexicons = built_in();
        let of = |text: &str| lexicons.listed(text).map(|ids| ids.join(" "));
        for (text, expected) in [
            ("", ""),
            ("mass margin-spiculated", "mass margin-spiculated"),
            ("Mass", "mass"),
            ("spiculated mass", "margin-spiculated mass"),
            ("mass; mass, MASS|calcifications", "mass calcifications"),
            ("Coarse heterogeneous", "calc-coarse-heterogeneous"),
            ("pectoralis muscle, Cooper's ligaments mass", "pectoral-muscle cooper-ligaments mass"),
        ] {
            assert_eq!(of(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, word, near) in [
            ("mass margin-spiculatd", "margin-spiculatd", "margin-spiculated"),
            ("mas", "mas", "mass"),
            ("vessel, pectoralis muscel", "muscel", "pectoral-muscle"),
        ] {
            let unknown = of(text).unwrap_err();
            assert_eq!((unknown.word.as_str(), unknown.near[0].as_str()), (word, near), "{text}");
        }
        let unknown = of("mass zebra crossing").unwrap_err();
        assert_eq!((unknown.word.as_str(), unknown.near.len()), ("zebra", 0));
    }

    #[test]
    fn terms_are_named_as_things() {
        let lexicons = built_in();
        let of = |terms: &[&str]| lexicons.things(terms).join("; ");
        assert_eq!(of(&["margin-spiculated"]), "mass, spiculated");
        assert_eq!(of(&["mass", "margin-spiculated", "shape-oval"]), "mass, spiculated, oval");
        assert_eq!(of(&["distribution-grouped"]), "calcifications, grouped");
        assert_eq!(of(&["composition-c"]), "breast tissue, heterogeneously dense");
        assert_eq!(
            of(&["pectoral-muscle", "none-such", "architectural-distortion"]),
            "pectoral muscle; architectural distortion"
        );
        // Every name of the built-in lexicons has a noun: none that refines stands alone.
        for entry in lexicons.entries().filter(|entry| entry.category != entry.family()) {
            let thing = of(&[&entry.term.id]);
            assert!(thing.ends_with(&format!(", {}", entry.term.name)), "{thing}");
        }
    }

    #[test]
    fn the_finer_category_stands_for_the_general_term() {
        let lexicons = built_in();
        let of = |terms: &[&str]| lexicons.categories(terms).join(", ");
        assert_eq!(of(&["mass", "margin-spiculated"]), "Mass - Margin");
        assert_eq!(of(&["calcifications", "mass", "none-such"]), "Calcification, Mass");
        assert_eq!(
            of(&["distribution-grouped", "calc-amorphous", "calcifications"]),
            "Calcification - Distribution, Calcification"
        );
        assert_eq!(of(&["pectoral-muscle"]), "-");
    }
}
