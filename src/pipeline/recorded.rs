//! Networks whose activations were recorded elsewhere: what stands in the place of their training.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::settling::{Found, Stage};
use super::{Dataset, Pipeline};
use base::artifact::{self, Fingerprint, Stamp};
use base::counted;
use config::{Network, Origin, Output, Recorded, Run};
use dissection::Activations;
use recording::{Recording, Shown};
use training::recorded::Job;

/// A recording with the digest of all of it.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) recording: Recording,
    pub(super) digest: Fingerprint,
}

/// The recordings that this run has opened, by their folders.
#[derive(Debug, Default)]
pub(super) struct Recordings(Mutex<BTreeMap<PathBuf, Arc<Taken>>>);

/// Digests of files of recordings, which may be many gigabytes: a file that has its length and its time is not
/// read again for its digest.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Digests(BTreeMap<PathBuf, Measured>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Measured {
    bytes: u64,
    /// When it was written, in nanoseconds since 1970.
    written: u64,
    blake3: Fingerprint,
}

impl Digests {
    /// One digest for some files: of their names and of what is in them.
    fn of_all(&mut self, files: &[PathBuf]) -> Result<Fingerprint> {
        let digests = files
            .iter()
            .map(|file| Ok((file.file_name().map(Path::new), self.of(file)?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(Fingerprint::of(&digests))
    }

    fn of(&mut self, file: &Path) -> Result<Fingerprint> {
        let read = || format!("cannot read {}", file.display());
        let found = std::fs::metadata(file).with_context(read)?;
        let written = found.modified().with_context(read)?;
        let written = written.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
        let bytes = found.len();
        if let Some(known) = self.0.get(file).filter(|k| (k.bytes, k.written) == (bytes, written)) {
            return Ok(known.blake3.clone());
        }
        let blake3 = Fingerprint::of_file(file)?;
        self.0.insert(file.to_owned(), Measured { bytes, written, blake3: blake3.clone() });
        Ok(blake3)
    }
}

impl Pipeline<'_> {
    /// A recording, opened and measured once in a run.
    pub(super) fn taken(&self, recorded: &Recorded) -> Result<Arc<Taken>> {
        let mut opened = self.recordings.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = opened.get(&recorded.folder) {
            return Ok(taken.clone());
        }
        let recording = Recording::open(&recorded.folder)?;
        let path = self.layout.recordings();
        // Lost, it is measured again.
        let mut digests: Digests = artifact::read_document(&path).unwrap_or_default();
        let known = digests.0.clone();
        let digest = digests.of_all(&recording.files())?;
        if self.reading.get().is_none() && digests.0 != known {
            digests.0.retain(|file, _| file.exists());
            artifact::write_document(&path, &digests)?;
        }
        let taken = Arc::new(Taken { recording, digest });
        opened.insert(recorded.folder.clone(), taken.clone());
        Ok(taken)
    }

    /// What the results of a network are to be made from, with a data set of this content.
    pub(super) fn network_stamp(&self, network: &Network, dataset: &Fingerprint) -> Result<Stamp> {
        let (name, seed) = (&network.name, self.config.seed);
        match &network.origin {
            Origin::Run(run) => training::stamp(name, run, seed, dataset),
            Origin::Recorded(recorded) => {
                let taken = self.taken(recorded).with_context(|| name.clone())?;
                Ok(training::recorded::stamp(name, &taken.digest, seed, dataset))
            }
        }
    }

    /// The evaluation of a recording, made when it is missing or stale. Returns its stamp.
    pub(super) fn take(
        &self,
        name: &str,
        recorded: &Recorded,
        dataset: &Dataset,
        stamp: Stamp,
    ) -> Result<Stamp> {
        let folder = self.layout.network(name);
        let stage = Stage { name, folder: &folder, stamp: &stamp, half: None, remade: true };
        if self.settle(&stage)? == Found::Fresh {
            self.progress.fresh(name);
            return Ok(stamp);
        }
        self.with_job(name, recorded, dataset, |job| {
            let header = job.shown.recording().header();
            let patches = counted(job.shown.recording().len(), "patch", "patches");
            let layers = counted(header.layers.len(), "layer", "layers");
            let strangers = match job.shown.strangers() {
                0 => String::new(),
                1 => "; one of them is none of the data set's, and left out".into(),
                count => format!("; {count} of them are none of the data set's, and left out"),
            };
            self.progress
                .say(&format!("{name}: recorded activations of {patches} in {layers}{strangers}"));
            training::recorded::take(job, &folder, &stamp, self.progress)
        })
        .with_context(|| name.to_owned())?;
        Ok(stamp)
    }

    /// Does something with a recording over a data set.
    pub(super) fn with_job<T>(
        &self,
        name: &str,
        recorded: &Recorded,
        dataset: &Dataset,
        work: impl FnOnce(&Job) -> Result<T>,
    ) -> Result<T> {
        let taken = self.taken(recorded)?;
        let shown = Shown::of(&taken.recording, &dataset.manifest)?;
        work(&Job {
            name,
            shown: &shown,
            digest: &taken.digest,
            manifest: &dataset.manifest,
            store: dataset.store()?,
            seed: self.config.seed,
        })
    }

    /// Does something with the activations of a network, whose training or recording is fresh.
    pub(super) fn with_activations<T>(
        &self,
        network: &Network,
        dataset: &Dataset,
        work: impl FnOnce(Activations) -> Result<T>,
    ) -> Result<T> {
        match &network.origin {
            Origin::Run(_) => work(Activations::Run(&self.trained(network, dataset)?)),
            Origin::Recorded(recorded) => {
                let done = self.with_job(&network.name, recorded, dataset, |job| {
                    work(Activations::Recorded(job.shown))
                });
                done.with_context(|| network.name.clone())
            }
        }
    }

    /// The layer that explains a recorded network's scores: the last whose contributions were recorded.
    pub(super) fn explaining_recorded(
        &self,
        network: &Network,
        recorded: &Recorded,
    ) -> Result<Option<String>> {
        let taken = self.taken(recorded).with_context(|| network.name.clone())?;
        if !Output::tell_cancer(&taken.recording.header().classes) {
            return Ok(None);
        }
        let layers = taken.recording.header().layers.iter().rev();
        let mut told = layers.filter(|layer| layer.contributions);
        Ok(told.find(|layer| network.layers.contains(&layer.name)).map(|layer| layer.name.clone()))
    }

    /// Why a network cannot explain mammograms; those are `foreign` that are not of the data set, or to be looked
    /// at as a whole. `None` where it can.
    ///
    /// # Errors
    /// When its recording cannot be read.
    pub fn cannot_explain(&self, network: &Network, foreign: bool) -> Result<Option<String>> {
        let name = &network.name;
        let (tells, recorded) = match &network.origin {
            Origin::Run(run) => (run.tells_cancer(), None),
            Origin::Recorded(recorded) => {
                let taken = self.taken(recorded).with_context(|| name.clone())?;
                (Output::tell_cancer(&taken.recording.header().classes), Some(recorded))
            }
        };
        if !tells {
            return Ok(Some(format!(
                "{name} explains nothing: none of its outputs stands for cancer, so it gives no mammogram a score"
            )));
        }
        let Some(recorded) = recorded else { return Ok(None) };
        if foreign {
            return Ok(Some(format!(
                "{name} was recorded elsewhere and cannot be run here: it explains mammograms of the validation \
                 split by their recorded patches, and nothing else"
            )));
        }
        Ok(self.explaining_recorded(network, recorded)?.is_none().then(|| {
            format!(
                "{name} explains nothing: it was recorded without what the units of its layers contribute \
                 (`contributions` in docs/recorded.md of unit-atlas)"
            )
        }))
    }
}

/// How a network is run.
///
/// # Errors
/// When it is not run here, but was recorded.
pub(super) fn run_of(network: &Network) -> Result<&Run> {
    match &network.origin {
        Origin::Run(run) => Ok(run),
        Origin::Recorded(_) => bail!(
            "{} was recorded elsewhere and cannot be run here: what needs a pass through it is not to be had",
            network.name
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_with_its_length_and_time_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("part.safetensors");
        std::fs::write(&file, "one").unwrap();
        let mut digests = Digests::default();
        let files = [file.clone()];
        let first = digests.of_all(&files).unwrap();
        // What is remembered is believed.
        let false_digest = Fingerprint::of(&"false");
        digests.0.get_mut(&file).unwrap().blake3 = false_digest.clone();
        assert_eq!(digests.of(&file).unwrap(), false_digest);
        // Another length, or the same at another time, and it is read.
        std::fs::write(&file, "other").unwrap();
        let other = digests.of_all(&files).unwrap();
        assert_ne!(other, first);
        std::fs::write(&file, "OTHER").unwrap();
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
        std::fs::File::options().write(true).open(&file).unwrap().set_modified(later).unwrap();
        assert_ne!(digests.of_all(&files).unwrap(), other);
        std::fs::write(&file, "one").unwrap();
        assert_eq!(digests.of_all(&files).unwrap(), first);
        assert!(digests.of(&folder.path().join("none")).is_err());
    }
}
