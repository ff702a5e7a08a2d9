//! What each file of the site follows from, so that a build makes again only what changed.

use serde::Serialize;

use super::content::Article;
use super::facts::reporting::Own;
use super::inputs::Inputs;
use super::site::FORMAT;
use base::artifact::Fingerprint;

/// Name in [`Inputs::stamp`] of the readers' answers: pages depend on those that they show.
const LABELS: &str = "labels";
/// Name in [`Inputs::stamp`] of theme and content: they are looked at here.
const SURROUNDINGS: &str = "surroundings";

/// Name in [`Inputs::stamp`] of the stages as one page tells of them.
const PROVENANCE: &str = "provenance";

/// Fingerprints of what pages are made from.
pub(super) struct Keys {
    dataset: Fingerprint,
    shell: Fingerprint,
    labels: Fingerprint,
}

impl Keys {
    /// Of a build with this theme, these pages of prose and what the authors answer.
    pub(super) fn new(
        inputs: &Inputs,
        theme: &Fingerprint,
        articles: &[Article],
        own: &Own,
    ) -> Self {
        let stage = |name: &&String| !matches!(name.as_str(), LABELS | SURROUNDINGS | PROVENANCE);
        let stages: Vec<_> = inputs.stamp.inputs.iter().filter(|(name, _)| stage(name)).collect();
        // What every page shows of the pages of prose.
        let navigation: Vec<_> = articles.iter().map(|a| (&a.slug, &a.title, a.weight)).collect();
        let version = (env!("CARGO_PKG_VERSION"), FORMAT, inputs.stamp.format);
        Self {
            dataset: inputs.dataset.clone(),
            shell: Fingerprint::of(&(version, theme, navigation, stages, inputs.consensus, own)),
            labels: Fingerprint::of(&inputs.readers),
        }
    }

    /// Of a file that shows `what`, and nothing that readers said besides.
    pub(super) fn apart_from_readers(&self, what: &impl Serialize) -> Fingerprint {
        Fingerprint::of(&(&self.shell, what))
    }

    /// Of a file that may show anything that readers said.
    pub(super) fn with_readers(&self, what: &impl Serialize) -> Fingerprint {
        Fingerprint::of(&(&self.shell, &self.labels, what))
    }

    /// Of a picture of the data set.
    pub(super) fn picture(&self, what: &impl Serialize) -> Fingerprint {
        Fingerprint::of(&(env!("CARGO_PKG_VERSION"), &self.dataset, what))
    }
}
