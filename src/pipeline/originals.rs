//! Mammograms in full, for pages that show more than was kept.

use std::fmt;

use anyhow::Result;
use mammogram::{Grey, Mammogram, Values};
use source::Source;

use config::Config;

/// The data set of a project; read only where something of it is asked for.
pub(super) struct Originals(Box<dyn Source>);

impl Originals {
    pub(super) fn of(config: &Config) -> Result<Self> {
        Ok(Self(source::open(config)?))
    }
}

impl fmt::Debug for Originals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Originals").field(&self.0.about()).finish()
    }
}

impl atlas::Originals for Originals {
    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        patch::prepare::read(self.0.as_ref(), mammogram)
    }

    fn values(&self, mammogram: &Mammogram) -> Result<Values> {
        patch::prepare::values(self.0.as_ref(), mammogram)
    }
}
