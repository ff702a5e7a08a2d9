//! What a site is made from, and the refusal of what does not fit together.

use anyhow::{Context, Result, bail, ensure};

use ::study::answer::ReaderFile;
use ::study::consensus::Consensus;
use base::artifact::{Fingerprint, Stamp};
use catalogue::Catalogue;
use config::Config;
use lexicon::Lexicons;
use mammogram::{Grey, Mammogram, Values};
use record::Member;
use record::explanation::Explanation;
use record::provenance::Stage;

/// One network of the atlas, read from its artifacts.
#[derive(Debug, Clone, Copy)]
pub struct Exhibit<'a> {
    /// Its settings.
    pub config: &'a config::Network,
    /// How well it tells cancer from no cancer.
    pub evaluation: &'a record::training::Evaluation,
    /// Its epochs; empty when it was not trained here.
    pub history: &'a [record::training::Epoch],
    /// Its rate range test, where there is one of how it is trained.
    pub rates: Option<&'a record::rates::RateTest>,
    /// Its dissected layers, in the order of their pages.
    pub layers: &'a [record::dissection::Layer],
}

/// Mammograms as the data set has them, for what is to be shown finer than `prepare` kept it.
pub trait Originals: std::fmt::Debug + Sync {
    /// The image of a mammogram of the manifest.
    ///
    /// # Errors
    /// When it cannot be read.
    fn image(&self, mammogram: &Mammogram) -> Result<Grey>;

    /// The same in the values of the data set.
    ///
    /// # Errors
    /// When it cannot be read.
    fn values(&self, mammogram: &Mammogram) -> Result<Values>;
}

/// Everything a site is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The project; its root holds `content/` and `themes/`.
    pub config: &'a Config,
    /// The prepared data set.
    pub manifest: &'a record::Manifest,
    /// Pixels of its patches.
    pub store: &'a record::Store,
    /// Mammograms, reduced.
    pub previews: &'a record::Previews,
    /// The same in full; asked for only where the project wants to show more.
    pub originals: &'a dyn Originals,
    /// Networks in the order of their pages.
    pub exhibits: &'a [Exhibit<'a>],
    /// The activation maps of the units' top patches, where they are at hand.
    pub maps: &'a record::Maps,
    /// The units' scores over all patches of their split, where they are at hand.
    pub scores: &'a record::Scores,
    /// Synthetic images of units, where the project asks for them.
    pub visualisations: &'a record::Visualisations,
    /// What a machine calls units of layers, where the project asks one.
    pub names: &'a [record::naming::Names],
    /// Which units are alike.
    pub similar: &'a record::similar::Similar,
    /// Why networks score mammograms as they do, of those networks of which it is known.
    pub explanations: &'a [Explanation],
    /// Terms of the labels and concepts.
    pub lexicons: &'a Lexicons,
    /// The readers' answers.
    pub readers: &'a [ReaderFile],
    /// What the authors settled on.
    pub consensus: &'a Consensus,
    /// What the methods page states of the run besides its settings, as (name, value): fingerprints
    /// and versions. Never a path.
    pub provenance: &'a [(String, String)],
    /// The stages behind the site, as they may be published.
    pub stages: &'a [Stage],
    /// What the data set was made from: pictures are encoded again when it changes.
    pub dataset: &'a Fingerprint,
    /// What the caller made the inputs from; kept in the record for [`Record::is_fresh`](crate::Record::is_fresh). Every page is
    /// rendered again when any of it changes, but for three entries: of `labels` a page depends on what
    /// it shows of `readers`, `surroundings` stands for [`surroundings`](crate::surroundings), and
    /// `provenance` for `stages`, which one page shows.
    pub stamp: &'a Stamp,
}

impl<'a> Inputs<'a> {
    /// What is known of the units.
    pub(super) fn catalogue(&self) -> Catalogue<'a> {
        let layers = self.exhibits.iter().flat_map(|exhibit| exhibit.layers);
        let detector = self.config.dissection.detector as f32;
        let catalogue =
            Catalogue::new(layers, self.readers, self.consensus, self.lexicons, detector);
        catalogue.with_machine(self.names)
    }

    /// The image of a mammogram in full.
    ///
    /// # Errors
    /// When it cannot be read from the data set any more: says what to do.
    pub(super) fn original(&self, member: &Member) -> Result<Grey> {
        self.originals.image(&member.mammogram).with_context(|| gone(member))
    }

    /// The same in the values of the data set.
    ///
    /// # Errors
    /// As [`Inputs::original`].
    pub(super) fn values(&self, member: &Member) -> Result<Values> {
        self.originals.values(&member.mammogram).with_context(|| gone(member))
    }
}

fn gone(member: &Member) -> String {
    format!(
        "mammogram {} is to be shown finer than `prepare` kept it, and the data set does not have it any \
         more; bring it back, or lower `mammograms.height` and `survey.resolution` in atlas.yaml and leave \
         `mammograms.depth` out",
        member.mammogram.id
    )
}

/// Refuses artifacts that do not fit together, so that rendering may index freely.
pub(super) fn validate(inputs: &Inputs) -> Result<()> {
    let manifest = inputs.manifest;
    let count = manifest.patches.len();
    ensure!(
        inputs.store.len() as usize == count,
        "the manifest lists {count} patches and patches.bin holds {}; run `prepare` again",
        inputs.store.len()
    );
    for patch in &manifest.patches {
        ensure!(
            (patch.mammogram as usize) < manifest.mammograms.len(),
            "the manifest names mammogram number {} of {}; run `prepare` again",
            patch.mammogram,
            manifest.mammograms.len()
        );
    }
    for member in &manifest.mammograms {
        safe_name("mammogram", &member.mammogram.id)?;
    }
    for explanation in inputs.explanations {
        let known = |id: &String| {
            explanation.mammograms.iter().any(|explained| {
                let member = manifest.mammograms.get(explained.mammogram as usize);
                member.is_some_and(|member| member.mammogram.id == *id)
            })
        };
        if let Some(id) = inputs.config.cases.list.iter().find(|id| !known(id)) {
            bail!(
                "`cases.list` in atlas.yaml names {id}, which is no mammogram of the {} split with \
                 patches; the data page lists them",
                explanation.split
            );
        }
        let fits = explanation.mammograms.iter().all(|explained| {
            (explained.mammogram as usize) < manifest.mammograms.len()
                && (explained.patch as usize) < count
        });
        ensure!(
            fits && safe_name("network", &explanation.network).is_ok(),
            "the explanation of {} does not fit the data set; run `dissect` again",
            explanation.network
        );
    }
    for exhibit in inputs.exhibits {
        safe_name("network", &exhibit.config.name)?;
        for layer in exhibit.layers {
            safe_name("layer", &layer.layer)?;
            let place = || format!("{}/{}", exhibit.config.name, layer.layer);
            ensure!(
                layer.network == exhibit.config.name,
                "{} holds units of {}; run `dissect` again",
                place(),
                layer.network
            );
            for (at, unit) in layer.units.iter().enumerate() {
                let fits = unit.unit as usize == at + 1
                    && unit.matches.len() == layer.concepts.len()
                    && unit.shown().all(|top| (top.patch as usize) < count);
                if !fits {
                    bail!(
                        "unit {} of {} does not fit the data set; run `dissect` again",
                        at + 1,
                        place()
                    );
                }
            }
        }
    }
    Ok(())
}

/// Names become folders and files: only plain ones may pass.
pub(super) fn safe_name(what: &str, name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.is_empty() || !name.chars().all(plain) || name.chars().all(|c| c == '.') {
        bail!("{what} name {name:?} cannot be a file name: use letters, digits, `_`, `.` and `-`");
    }
    Ok(())
}
