//! What a stage's folder was made from, and what it holds: `stamp.json`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use memmap2::Mmap;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::run::{RUN, Run};
use super::{Fingerprint, file};
use crate::input;

/// Name of the file that marks a finished stage.
const STAMP: &str = "stamp.json";

/// What a stage's folder is made from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stamp {
    /// Version of the computation: raised when the same inputs give another result, not when a file of it is
    /// written otherwise.
    pub format: u32,
    /// Fingerprint of each input by name: `config`, `source`, `dataset`, …
    pub inputs: BTreeMap<String, Fingerprint>,
    /// Inputs in words, as far as a person has set them: what changed can be told by them.
    #[serde(skip)]
    settings: BTreeMap<String, Value>,
}

/// Two stamps are the same when their inputs are.
impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        (self.format, &self.inputs) == (other.format, &other.inputs)
    }
}

impl Eq for Stamp {}

/// What is found where a stage is to have its results.
#[derive(Debug)]
pub enum State {
    /// Nothing that was finished.
    Unfinished,
    /// Results of these inputs, every file with its length.
    Fresh,
    /// Results of other inputs.
    Stale(Box<Sealed>),
    /// Results that are not those that were sealed.
    Damaged(Damaged),
}

impl Stamp {
    /// A stamp without inputs yet.
    pub fn new(format: u32) -> Self {
        Self { format, inputs: BTreeMap::new(), settings: BTreeMap::new() }
    }

    /// Adds an input.
    #[must_use]
    pub fn with(mut self, name: &str, input: Fingerprint) -> Self {
        self.inputs.insert(name.into(), input);
        self
    }

    /// Says what the settings are that an input stands for; they are no part of the fingerprint.
    #[must_use]
    pub fn of_settings<T: Serialize>(mut self, name: &str, settings: &T) -> Self {
        self.settings.insert(name.into(), serde_json::to_value(settings).unwrap_or_default());
        self
    }

    /// One fingerprint for all of it: what a later stage takes as its input.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }

    /// What lies in `folder`. Lengths of files are compared, digests are not.
    pub fn state(&self, folder: &Path) -> State {
        if !Sealed::is_there(folder) {
            return State::Unfinished;
        }
        let sealed = match Sealed::open(folder) {
            Ok(sealed) => sealed,
            Err(error) => {
                let damaged = error.downcast().unwrap_or_else(|e| Damaged::new(folder, STAMP, e));
                return State::Damaged(damaged);
            }
        };
        if sealed.seal.stamp != *self {
            return State::Stale(Box::new(sealed));
        }
        match sealed.wrong_lengths().next() {
            Some(damaged) => State::Damaged(damaged),
            None => State::Fresh,
        }
    }

    /// Whether `folder` was finished from exactly these inputs, and has every file with its length.
    pub fn matches(&self, folder: &Path) -> bool {
        matches!(self.state(folder), State::Fresh)
    }

    /// Marks `folder` as finished by this run, which computed on `device`: measures `outputs`, which are files
    /// or folders of files in it. To be called after the last of them is in place.
    ///
    /// # Errors
    /// When an output cannot be read, or the stamp not be written.
    pub fn seal(&self, folder: &Path, outputs: &[&str], device: &str) -> Result<()> {
        self.seal_of(folder, outputs, Some(Run::now(device)))
    }

    /// The same of results that an earlier run made, of which nothing is known.
    ///
    /// # Errors
    /// As [`Stamp::seal`].
    pub fn seal_found(&self, folder: &Path, outputs: &[&str]) -> Result<()> {
        self.seal_of(folder, outputs, None)
    }

    fn seal_of(&self, folder: &Path, outputs: &[&str], run: Option<Run>) -> Result<()> {
        let mut measured = BTreeMap::new();
        for output in outputs {
            for entry in walkdir::WalkDir::new(folder.join(output)).sort_by_file_name() {
                let entry = entry.with_context(|| format!("{output} cannot be sealed"))?;
                if entry.file_type().is_file() {
                    let name = name_below(folder, entry.path());
                    measured.insert(name, Output::measure(entry.path())?);
                }
            }
        }
        let seal = Seal {
            stamp: self.clone(),
            settings: self.settings.clone(),
            outputs: Some(measured),
            blake3: None,
        };
        let digest = seal.digest();
        match run {
            Some(run) => run.write(folder, &digest)?,
            None => file::remove(&folder.join(RUN))?,
        }
        file::write_json(&folder.join(STAMP), &Seal { blake3: Some(digest), ..seal })
    }

    /// Marks `folder` as unfinished, before its files are touched.
    ///
    /// # Errors
    /// When the stamp exists and cannot be removed.
    pub fn clear(folder: &Path) -> Result<()> {
        // Were the removal lost and what follows not, half of two results would look finished.
        file::remove(&folder.join(STAMP))
    }
}

/// `stamp.json` as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Seal {
    #[serde(flatten)]
    stamp: Stamp,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    settings: BTreeMap<String, Value>,
    /// Every file by its path in the folder, with `/`. Stamps of version 0.1 have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outputs: Option<BTreeMap<String, Output>>,
    /// Of all that stands before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blake3: Option<Fingerprint>,
}

impl Seal {
    fn digest(&self) -> Fingerprint {
        Fingerprint::of(&(&self.stamp, &self.settings, &self.outputs))
    }
}

/// What a file is known by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its length.
    pub bytes: u64,
    /// Its digest.
    pub blake3: Fingerprint,
}

impl Output {
    fn measure(path: &Path) -> Result<Self> {
        let bytes = fs_err::metadata(path)?.len();
        Ok(Self { bytes, blake3: Fingerprint::of_file(path)? })
    }
}

/// The folder of a finished stage: its files are read through it, and are those that were sealed or none.
#[derive(Debug, Clone)]
pub struct Sealed {
    folder: PathBuf,
    seal: Seal,
}

impl Sealed {
    /// Of a folder that is finished.
    ///
    /// # Errors
    /// When it is not; [`Damaged`] where its stamp is not what was written.
    pub fn open(folder: &Path) -> Result<Self> {
        let damaged = |why: &dyn std::fmt::Display| Damaged::new(folder, STAMP, why);
        let bytes = match file::read(&folder.join(STAMP)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("{} is not finished", folder.display()));
            }
            read => read.map_err(|error| damaged(&error))?,
        };
        let seal: Seal = serde_json::from_slice(&bytes).map_err(|error| damaged(&error))?;
        // A stamp of version 0.1 has neither outputs nor a digest.
        let whole = match (&seal.outputs, &seal.blake3) {
            (None, None) => true,
            (_, blake3) => blake3.as_ref() == Some(&seal.digest()),
        };
        if !whole {
            return Err(damaged(&"it is not what was written").into());
        }
        Ok(Self { folder: folder.into(), seal })
    }

    /// Whether there is a stamp in `folder`, damaged or not.
    pub fn is_there(folder: &Path) -> bool {
        folder.join(STAMP).exists()
    }

    /// Checks that a folder that was finished still has its stamp.
    ///
    /// # Errors
    /// [`Damaged`] when it has none.
    pub fn found(folder: &Path) -> Result<(), Damaged> {
        match Self::is_there(folder) {
            true => Ok(()),
            false => Err(Damaged::new(folder, STAMP, "it is missing")),
        }
    }

    /// What the results were made from.
    pub fn stamp(&self) -> &Stamp {
        &self.seal.stamp
    }

    /// Whether its files have been measured: those of version 0.1 were not.
    pub fn is_measured(&self) -> bool {
        self.seal.outputs.is_some()
    }

    /// Inputs in words, by their names, as far as a person has set them.
    pub fn settings(&self) -> &BTreeMap<String, Value> {
        &self.seal.settings
    }

    /// Every file by its path in the folder, with `/`, as far as they were measured.
    pub fn outputs(&self) -> impl Iterator<Item = (&str, &Output)> {
        self.seal.outputs.iter().flatten().map(|(name, output)| (name.as_str(), output))
    }

    /// The run that made it; `None` where that was not noted: by version 0.1, or since its file was removed.
    ///
    /// # Errors
    /// [`Damaged`] where the file is not what was written, or is of another result.
    pub fn run(&self) -> Result<Option<Run>, Damaged> {
        match &self.seal.blake3 {
            Some(stamp) => Run::read(&self.folder, stamp),
            None => Ok(None),
        }
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// One fingerprint for the content of some of its files: the same result of other inputs has the same.
    /// Without any it is that of the inputs.
    pub fn content(&self, files: &[&str]) -> Fingerprint {
        let Some(outputs) = &self.seal.outputs else { return self.stamp().fingerprint() };
        Fingerprint::of(&files.iter().map(|file| outputs.get(*file)).collect::<Vec<_>>())
    }

    /// One fingerprint for the content of all its files.
    pub fn whole_content(&self) -> Fingerprint {
        self.seal.outputs.as_ref().map_or_else(|| self.stamp().fingerprint(), Fingerprint::of)
    }

    /// Bytes of all its files together, as far as they were measured.
    pub fn bytes(&self) -> u64 {
        self.seal.outputs.iter().flatten().map(|(_, output)| output.bytes).sum()
    }

    /// Whether it has a file.
    pub fn has(&self, name: &str) -> bool {
        match &self.seal.outputs {
            Some(outputs) => outputs.contains_key(name),
            None => self.folder.join(name).is_file(),
        }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Damaged`] where it is missing or not what was sealed.
    pub fn read(&self, name: &str) -> Result<Vec<u8>> {
        let bytes = input::read(&self.folder.join(name), u64::MAX - 1)
            .map_err(|error| self.damaged(name, error))?;
        self.compare(name, bytes.len(), || Fingerprint::of_bytes(&bytes))?;
        Ok(bytes)
    }

    /// Reads a JSON file.
    ///
    /// # Errors
    /// [`Damaged`] where it is missing or not what was sealed, and where this version cannot read it.
    pub fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T> {
        let bytes = self.read(name)?;
        Ok(serde_json::from_slice(&bytes).map_err(|e| self.damaged(name, e))?)
    }

    /// Maps a file into memory.
    ///
    /// # Errors
    /// [`Damaged`] where it is missing or not what was sealed.
    pub fn map(&self, name: &str) -> Result<Mmap> {
        let (file, _) =
            input::open(&self.folder.join(name)).map_err(|error| self.damaged(name, error))?;
        let map = super::map(&file).map_err(|error| self.damaged(name, error))?;
        self.compare(name, map.len(), || {
            let mut hasher = blake3::Hasher::new();
            hasher.update_rayon(&map);
            Fingerprint::from_hash(hasher.finalize())
        })?;
        Ok(map)
    }

    /// The path of a file that is what was sealed, for readers that open it themselves.
    ///
    /// # Errors
    /// [`Damaged`] where it is missing or not what was sealed.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        self.map(name)?;
        Ok(self.folder.join(name))
    }

    /// Every file that is missing or not what was sealed, by its digest.
    pub fn damage(&self) -> Vec<Damaged> {
        let outputs = self.seal.outputs.iter().flatten();
        let outputs = outputs.filter_map(|(name, _)| self.map(name).err()?.downcast().ok());
        outputs.chain(self.run().err()).collect()
    }

    /// Every file that is missing or has another length than was sealed.
    fn wrong_lengths(&self) -> impl Iterator<Item = Damaged> {
        let outputs = self.seal.outputs.iter().flatten();
        outputs.filter_map(|(name, output)| match std::fs::metadata(self.folder.join(name)) {
            Err(error) => Some(self.damaged(name, error)),
            Ok(found) if found.len() == output.bytes => None,
            Ok(found) => Some(self.damaged(name, lengths(found.len(), output.bytes))),
        })
    }

    fn compare(
        &self,
        name: &str,
        bytes: usize,
        digest: impl FnOnce() -> Fingerprint,
    ) -> Result<(), Damaged> {
        let Some(outputs) = &self.seal.outputs else { return Ok(()) };
        let Some(output) = outputs.get(name) else {
            return Err(self.damaged(name, "its stamp does not know of it"));
        };
        if bytes as u64 != output.bytes {
            return Err(self.damaged(name, lengths(bytes as u64, output.bytes)));
        }
        if digest() != output.blake3 {
            return Err(self.damaged(name, "its content is not what was written"));
        }
        Ok(())
    }

    fn damaged(&self, name: &str, why: impl std::fmt::Display) -> Damaged {
        Damaged::new(&self.folder, name, why)
    }

    /// In words, what has changed since: `training.lr is 0.02, it was 0.01`.
    pub fn changes(&self, now: &Stamp) -> Vec<String> {
        let before = self.stamp();
        let mut changes = Vec::new();
        if before.format != now.format {
            changes.push("this version computes otherwise".into());
        }
        let names: std::collections::BTreeSet<_> =
            before.inputs.keys().chain(now.inputs.keys()).collect();
        for name in names {
            if before.inputs.get(name) == now.inputs.get(name) {
                continue;
            }
            let told = changes.len();
            if let (Some(then), Some(now)) = (self.seal.settings.get(name), now.settings.get(name))
            {
                compare_settings("", then, now, &mut changes);
            }
            if changes.len() == told {
                changes.push(format!("the {name} changed"));
            }
        }
        changes
    }
}

fn lengths(found: u64, sealed: u64) -> String {
    format!("it has {found} bytes where {sealed} were written")
}

/// Adds a line for each setting that differs.
fn compare_settings(at: &str, then: &Value, now: &Value, changes: &mut Vec<String>) {
    if let (Value::Object(then), Value::Object(now)) = (then, now) {
        let keys: std::collections::BTreeSet<_> = then.keys().chain(now.keys()).collect();
        for key in keys {
            let path = if at.is_empty() { key.clone() } else { format!("{at}.{key}") };
            let null = Value::Null;
            let of = |map: &'_ serde_json::Map<String, Value>| map.get(key).cloned();
            let (then, now) = (of(then), of(now));
            compare_settings(
                &path,
                then.as_ref().unwrap_or(&null),
                now.as_ref().unwrap_or(&null),
                changes,
            );
        }
    } else if then != now {
        changes.push(format!("{at} is {now}, it was {then}"));
    }
}

/// A file of a finished stage that is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is damaged: {why}", path.display())]
pub struct Damaged {
    /// The stage's folder.
    pub folder: PathBuf,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub why: String,
}

impl Damaged {
    pub(super) fn new(folder: &Path, name: &str, why: impl std::fmt::Display) -> Self {
        Self { folder: folder.into(), path: folder.join(name), why: why.to_string() }
    }

    /// Whether only what is known of the run is lost, and the result is whole.
    pub fn is_of_run(&self) -> bool {
        self.path == self.folder.join(RUN)
    }
}

/// Path of a file below a folder, with `/`.
fn name_below(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

#[cfg(test)]
#[path = "stamp_tests.rs"]
mod tests;
