//! Lexicons: the controlled words for findings (BI-RADS) and for anatomy, read from YAML files.

use serde::{Deserialize, Serialize};

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
    /// Terms in display order.
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

    /// The term with this id.
    pub fn term(&self, id: &str) -> Option<Entry<'_>> {
        self.entries().find(|entry| entry.term.id == id)
    }
}
