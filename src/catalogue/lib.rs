//! What is known of a unit, computed once per build: pages, tables, figures, scripts' data, `labels stats`
//! and `explain` only format it.
//!
//! In go dissected layers ([`record`]), readers' answers and what the authors settled ([`study`]), the
//! lexicons and the detector's threshold; out comes a [`Catalogue`] with an [`Entry`] per unit:
//!
//! - its [`Kind`]: live, dead or constant;
//! - its [`Name`] with where that comes from: the consensus, readers with their counts, a machine, the outlines
//!   (automatic), or nobody;
//! - its terms and BI-RADS categories, by one rule (the paper's Figure 4: a finer category stands alone
//!   where the general term is only its noun);
//! - what it *detects* (intersection over union above the threshold, and beyond chance where chance was
//!   measured) and its *best match* (the highest intersection over union, whatever it is).
//!
//! From the entries follow which terms are covered ([`Coverage`]) and which units are worth naming next.
//! Of explanations it says which cases are shown and why ([`cases`]), where a network looked ([`Place`],
//! [`Pointing`]), in words ([`sentence`]), and whether what they mention is there ([`mentions`]).

mod case;
mod chance;
mod coverage;
mod entry;
mod machine;
mod mentions;
mod name;
mod pointing;
mod story;

#[cfg(test)]
#[path = "../../tests/support/lexicons.rs"]
mod lexicons;

pub use case::{Case, Reason, cases};
pub use coverage::Coverage;
pub use entry::{Catalogue, ConceptMatch, Entry, LayerEntries};
pub use machine::{Hits, Reference};
pub use mentions::{Mention, Terms, mentions};
pub use name::{Name, ReaderTerms, Source, concept_words};
pub use pointing::{
    CANCER, Group, Place, Pointing, Rate, Regions, Verdict, pointing, regions, unplaced,
};
pub use record::dissection::Kind;
pub use story::{Carried, carried, sentence};
