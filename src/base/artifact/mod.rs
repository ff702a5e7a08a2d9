//! Files that stages leave behind: written whole or not at all, sealed with what they were made from and
//! what they are.
//!
//! A stage's folder holds its files and, written last, `stamp.json`: the fingerprint of every input, and the
//! length and digest of every output; `run.json` says what made them and when. A folder without a stamp is unfinished; one whose stamp differs from
//! today's inputs is stale; one whose files are not those that were sealed is damaged. Nothing is used
//! silently, and nothing that is stale is overwritten: it goes to the [`Shelf`], from where it comes back
//! when the project does.

mod document;
mod file;
mod fingerprint;
#[cfg(test)]
pub(crate) mod fuzz_target;
mod layout;
mod run;
mod shelf;
mod stamp;

pub use document::{read_document, write_document};
pub use file::{
    Batch, Watched, Writing, is_litter, map, remove_litter, tidy, write, write_at,
    write_if_changed, write_json, write_with,
};
pub use fingerprint::Fingerprint;
pub use layout::Layout;
pub use run::Run;
pub use shelf::{Kept, Shelf};
pub use stamp::{Damaged, Output, Sealed, Stamp, State};
