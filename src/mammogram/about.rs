//! What a data set is.

use serde::{Deserialize, Serialize};

/// What a data set is, for the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// `ddsm`, `mini_mias`, `phantom`, …
    pub kind: String,
    /// Name in prose.
    pub name: String,
    /// One or two sentences on what it is and how it was read.
    pub description: String,
    /// How to cite it; empty for phantoms.
    pub citation: String,
    /// Under which terms it may be used, in words or as an address; `None` where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Whether the images are synthetic: then every page says so.
    pub phantom: bool,
}

impl About {
    /// Whether the project's seed may be told: not where it is the key of pseudonyms.
    pub fn tells_seed(&self) -> bool {
        self.kind != "folder"
    }
}
