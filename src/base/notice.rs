//! What a user should know of an input.

use serde::{Deserialize, Serialize};

/// Something a user should know of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// `Info.txt:322`, `mdb017.pgm`, …
    pub place: String,
    /// What is the matter and what was done about it.
    pub message: String,
    /// Whether an input was left out that ought to have been usable: then the run ends with exit 2.
    pub skipped: bool,
}
