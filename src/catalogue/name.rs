//! What a unit is called, and who says so.

use std::fmt;

use lexicon::{Entry, Lexicons};
use study::expert::Opinion;

/// What a unit is called. Its [`Display`](fmt::Display) is the heading that every surface shows; empty
/// where it has no name.
#[derive(Debug, Clone, PartialEq)]
pub enum Name {
    /// What the authors settled on, in their words.
    Consensus(String),
    /// What readers named.
    Readers(ReaderTerms),
    /// Readers answered, none described anything, and to some nothing was recognisable.
    Unrecognizable {
        /// Readers to whom nothing was.
        unrecognizable: usize,
        /// Readers who answered.
        readers: usize,
    },
    /// The term that a machine's image and text towers find closest to its patches, beyond chance. Nobody looked
    /// at it.
    Machine {
        /// Id of the term.
        term: String,
        /// The term as a thing: `mass, spiculated`.
        words: String,
        /// The machine, as atlas.yaml calls it.
        by: String,
    },
    /// The concept with the highest intersection over union among those that the unit detects. Nobody
    /// looked at it.
    Automatic {
        /// Id of the concept.
        concept: String,
        /// The concept as a thing: `calcifications, grouped`.
        words: String,
        /// Intersection over union.
        iou: f32,
    },
    /// None: nobody answered, and it detects nothing.
    Unnamed,
}

/// What the readers of a unit named, without an order of rank among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderTerms {
    /// Things as the lexicons call them, each with how many readers named it; most first.
    pub things: Vec<(String, usize)>,
    /// Descriptions that stand for no term, each once, verbatim.
    pub uncoded: Vec<String>,
    /// Readers who answered the unit.
    pub readers: usize,
}

/// Where a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Nowhere: the unit has no name.
    None,
    /// The data set's outlines.
    Automatic,
    /// A machine that compares images with texts.
    Machine,
    /// Readers to whom nothing was recognisable.
    Unrecognizable,
    /// Readers.
    Readers,
    /// The authors.
    Consensus,
}

impl Source {
    /// In one word, for tables and scripts.
    pub fn id(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Automatic => "automatic",
            Self::Machine => "machine",
            Self::Unrecognizable => "unrecognizable",
            Self::Readers => "readers",
            Self::Consensus => "consensus",
        }
    }
}

impl Name {
    /// Of a unit that people said this of; none where they named nothing and called nothing
    /// unrecognisable. `settled` are the authors' words.
    pub(crate) fn said(
        opinion: &Opinion,
        settled: Option<&str>,
        lexicons: &Lexicons,
    ) -> Option<Self> {
        if let Some(words) = settled {
            return Some(Self::Consensus(words.trim().to_owned()));
        }
        let Opinion { named, uncoded, readers, unrecognizable, .. } = opinion;
        match (named.is_empty() && uncoded.is_empty(), *unrecognizable) {
            (true, 0) => None,
            (true, unrecognizable) => {
                Some(Self::Unrecognizable { unrecognizable, readers: *readers })
            }
            (false, _) => Some(Self::Readers(ReaderTerms {
                things: counted(named, lexicons),
                uncoded: uncoded.clone(),
                readers: *readers,
            })),
        }
    }

    /// Where it comes from.
    pub fn source(&self) -> Source {
        match self {
            Self::Consensus(_) => Source::Consensus,
            Self::Readers(_) => Source::Readers,
            Self::Unrecognizable { .. } => Source::Unrecognizable,
            Self::Machine { .. } => Source::Machine,
            Self::Automatic { .. } => Source::Automatic,
            Self::Unnamed => Source::None,
        }
    }

    /// Whether people named what the unit shows.
    pub fn is_by_people(&self) -> bool {
        matches!(self, Self::Consensus(_) | Self::Readers(_))
    }

    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        *self == Self::Unnamed
    }

    /// The name as it stands in a sentence, without who says so; none where there is no name, or where it
    /// says only that nothing is recognisable.
    pub fn in_sentence(&self) -> Option<String> {
        match self {
            Self::Consensus(words)
            | Self::Machine { words, .. }
            | Self::Automatic { words, .. } => Some(words.clone()),
            Self::Readers(_) => Some(self.to_string()),
            Self::Unrecognizable { .. } | Self::Unnamed => None,
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consensus(words) => f.write_str(words),
            Self::Readers(terms) => terms.fmt(f),
            Self::Unrecognizable { readers: 1, .. } => f.write_str("nothing recognisable"),
            Self::Unrecognizable { unrecognizable, readers } => {
                write!(f, "nothing recognisable {unrecognizable} of {readers}")
            }
            Self::Machine { words, by, .. } => write!(f, "{words}: machine, {by}"),
            Self::Automatic { words, iou, .. } => write!(f, "{words}: automatic, IoU {iou:.2}"),
            Self::Unnamed => Ok(()),
        }
    }
}

impl fmt::Display for ReaderTerms {
    /// `mass, spiculated` where all readers named it; `mass, spiculated 2 of 2; calcifications 1 of 2` where
    /// they differ.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.things.is_empty() {
            return match &self.uncoded[..] {
                [words] => f.write_str(words),
                several => write!(f, "{} descriptions without a term", several.len()),
            };
        }
        let differ = self.things.iter().any(|(_, count)| *count < self.readers);
        for (at, (thing, count)) in self.things.iter().enumerate() {
            f.write_str(if at > 0 { "; " } else { "" })?;
            f.write_str(thing)?;
            if differ {
                write!(f, " {count} of {}", self.readers)?;
            }
        }
        Ok(())
    }
}

/// Terms as things with the counts of readers. A general term goes with the finer ones that as many
/// readers named: it is their noun.
fn counted(named: &[(String, usize)], lexicons: &Lexicons) -> Vec<(String, usize)> {
    let known: Vec<(Entry<'_>, usize)> =
        named.iter().filter_map(|(term, count)| Some((lexicons.term(term)?, *count))).collect();
    let stands = |general: &Entry<'_>, count: usize| {
        !known.iter().any(|(finer, n)| finer.refines(general) && *n >= count)
    };
    let mut things: Vec<(String, usize)> = Vec::new();
    for same in named.chunk_by(|a, b| a.1 == b.1) {
        let terms: Vec<&String> = same
            .iter()
            .filter(|(term, count)| lexicons.term(term).is_none_or(|e| stands(&e, *count)))
            .map(|(term, _)| term)
            .collect();
        // Of no lexicon, whatever it is.
        let strange = terms.iter().filter(|term| lexicons.term(term).is_none());
        let strange = strange.map(|term| concept_words(term, lexicons));
        let words = lexicons.things(&terms).into_iter().chain(strange);
        things.extend(words.map(|thing| (thing, same[0].1)));
    }
    things
}

/// A concept as a thing: `mass, spiculated` of a term, `malignant lesion` of a pathology.
pub fn concept_words(id: &str, lexicons: &Lexicons) -> String {
    let things = lexicons.things(&[id]);
    match (id, things.into_iter().next()) {
        (_, Some(thing)) => thing,
        ("malignant", None) => "malignant lesion".into(),
        ("benign", None) => "benign lesion".into(),
        (_, None) => id.replace(['_', '-'], " "),
    }
}
