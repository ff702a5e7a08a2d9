//! `dataset/previews/<id>.jpg`: mammograms, reduced.

use anyhow::{Context, Result};
use base::artifact::Sealed;

/// Pixels of the longer side of a preview, at most.
pub const LONGEST: u32 = 900;
/// Folder of the previews in the data set's.
pub const PREVIEWS: &str = "previews";

/// Previews of a prepared data set.
#[derive(Debug, Clone)]
pub struct Previews(Sealed);

impl Previews {
    /// Of a data set.
    pub fn new(dataset: Sealed) -> Self {
        Self(dataset)
    }

    /// The JPEG file of a mammogram.
    ///
    /// # Errors
    /// When it is missing or not what was written.
    pub fn read(&self, mammogram: &str) -> Result<Vec<u8>> {
        self.0
            .read(&format!("{PREVIEWS}/{mammogram}.jpg"))
            .with_context(|| format!("the preview of mammogram {mammogram} cannot be used"))
    }
}
