//! Vocabularies: the words of a data set, each with what it is called in BI-RADS. `ddsm.yaml`, beside
//! this file, says so; it is compiled in.

use std::sync::LazyLock;

use serde::Deserialize;

/// The text of the one vocabulary there is.
const DDSM: &str = include_str!("ddsm.yaml");

/// Words of a data set by the field they stand in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// Always 1.
    pub schema: u32,
    /// `ddsm`.
    pub id: String,
    /// Name in prose.
    pub name: String,
    /// Where words and terms come from.
    pub source: String,
    /// Fields in display order.
    pub fields: Vec<Field>,
}

/// Words that answer one question, such as the shape of a mass.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// As the data set writes it: `SHAPE`.
    pub field: String,
    /// Its words.
    pub words: Vec<Word>,
}

/// One word of a data set.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// As the data set writes it: `LOBULATED`.
    pub word: String,
    /// What the 4th edition of BI-RADS calls it.
    pub bi_rads_4: String,
    /// Id of its term in the lexicon of the 5th edition.
    pub bi_rads_5: String,
    /// Whether it stands among the shapes of masses and is a finding of its own, no mass.
    #[serde(default)]
    pub finding: bool,
    /// Editions, 4 and 5, in which something is lost or guessed.
    #[serde(default)]
    pub lossy: Vec<u8>,
    /// What is lost, or else worth knowing.
    #[serde(default)]
    pub note: String,
}

impl Vocabulary {
    /// The words of DDSM and CBIS-DDSM.
    pub fn ddsm() -> &'static Self {
        static READ: LazyLock<Vocabulary> = LazyLock::new(|| {
            // Compiled in, and read by a test.
            serde_yaml::from_str(DDSM).expect("the built-in vocabulary is well-formed")
        });
        &READ
    }

    /// A word of a field.
    pub fn word(&self, field: &str, word: &str) -> Option<&Word> {
        let field = self.fields.iter().find(|known| known.field == field)?;
        field.words.iter().find(|known| known.word == word)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_stands_once_and_has_a_term_of_the_lexicon() {
        let vocabulary = Vocabulary::ddsm();
        assert_eq!((vocabulary.schema, vocabulary.id.as_str()), (1, "ddsm"));
        let lexicons = crate::built_in();
        let mut seen = BTreeSet::new();
        for (field, word) in
            vocabulary.fields.iter().flat_map(|f| f.words.iter().map(move |word| (f, word)))
        {
            assert!(seen.insert(&word.word), "{}", word.word);
            let term = lexicons.term(&word.bi_rads_5).unwrap_or_else(|| panic!("{word:?}"));
            assert!(term.lexicon.birads && !word.bi_rads_4.trim().is_empty(), "{word:?}");
            assert!(!word.finding || field.field == "SHAPE", "{word:?}");
            assert!(word.lossy.iter().all(|edition| [4, 5].contains(edition)), "{word:?}");
            assert!(word.lossy.is_empty() || !word.note.is_empty(), "{word:?}");
        }
        // What the field survey marks as lossy.
        for (field, word) in
            [("SHAPE", "LOBULATED"), ("SHAPE", "ASYMMETRIC_BREAST_TISSUE"), ("TYPE", "PLEOMORPHIC")]
        {
            assert!(vocabulary.word(field, word).unwrap().lossy.contains(&5), "{word}");
        }
        assert!(vocabulary.word("SHAPE", "SQUARE").is_none());
        assert!(vocabulary.word("TYPE", "OVAL").is_none());
    }
}
