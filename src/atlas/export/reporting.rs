//! `claim.csv` and `datasheet.csv`.

use anyhow::Result;

use super::cell::{Text, several};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::facts::reporting::{Answered, Document};

table! {
    "claim.csv",
    /// one item of the CLAIM 2024 checklist
    struct Claimed {
        /// number of the item
        item: Text,
        /// the part of a paper that it belongs to
        section: Text,
        /// what it asks for, in words of our own
        asks: Text,
        /// answered, partly or open
        standing: &'static str,
        /// what this atlas and its authors say of it
        answer: Text,
        /// pages of the atlas that have more of it
        pages: Text,
        /// what is still the authors' to say
        open: Text,
    }
}

table! {
    "datasheet.csv",
    /// one question of the datasheet of the patches
    struct Asked {
        /// name of the question
        item: Text,
        /// what it belongs to
        section: Text,
        /// the question, in words of our own
        asks: Text,
        /// answered, partly or open
        standing: &'static str,
        /// what this atlas and its authors say of it
        answer: Text,
        /// pages of the atlas that have more of it
        pages: Text,
        /// what is still the authors' to say
        open: Text,
    }
}

/// Where more of an answer stands, each page once.
fn pages(answered: &Answered) -> Text {
    let mut pages: Vec<&str> = answered.said.iter().map(|said| said.href).collect();
    pages.dedup();
    Text::from(several(pages))
}

macro_rules! rows {
    ($row:ident, $document:expr) => {
        impl Row for $row {
            const OF_READERS: bool = true;

            fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
                for answered in $document.answered(atlas)? {
                    write(Self {
                        item: Text::from(&answered.item.key),
                        section: Text::from(&answered.item.section),
                        asks: Text::from(&answered.item.ask),
                        standing: answered.standing().word(),
                        answer: Text::from(answered.text()),
                        pages: pages(&answered),
                        open: Text::from(answered.open()),
                    })?;
                }
                Ok(())
            }
        }
    };
}

rows!(Claimed, Document::Claim);
rows!(Asked, Document::Datasheet);
