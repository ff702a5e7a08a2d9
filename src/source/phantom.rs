//! Phantoms as a data set.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::Result;

use crate::{Catalogue, Source};
pub use ::phantom::Phantom;
use base::artifact::Fingerprint;
use mammogram::{About, Grey, Mammogram};

impl Source for Phantom {
    fn about(&self) -> About {
        About {
            kind: "phantom".into(),
            name: "Phantom mammograms".into(),
            description:
                "Synthetic images drawn by a program, with lesions made from BI-RADS terms. \
                          They are not images of patients and say nothing about how well a network \
                          reads real mammograms."
                    .into(),
            citation: String::new(),
            // Nobody's work but a program's.
            licence: Some("https://creativecommons.org/publicdomain/zero/1.0/".into()),
            phantom: true,
        }
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        Ok(Phantom::fingerprint(self))
    }

    fn files(&self) -> Result<BTreeSet<PathBuf>> {
        Ok(BTreeSet::new())
    }

    fn catalogue(&self) -> Result<Catalogue> {
        let (mammograms, summary) = self.mammograms()?;
        Ok(Catalogue { mammograms, summary: vec![summary], notices: Vec::new() })
    }

    fn image(&self, mammogram: &Mammogram) -> Result<Grey> {
        Phantom::image(self, mammogram)
    }
}
