//! Files that stages leave behind: written whole or not at all, stamped with what they were made from.
//!
//! A stage's folder holds its files and, written last, `stamp.json`: the fingerprint of every input.
//! A folder without a stamp is unfinished; one whose stamp differs from today's inputs is stale;
//! either is remade. Nothing is used silently.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Name of the file that marks a finished stage.
const STAMP: &str = "stamp.json";
/// How the names of files that are being written begin and end.
const TEMPORARY: [&str; 2] = [".unit-atlas-", ".tmp"];

/// Writes a file whole or not at all: to a temporary file beside it, then renamed over it.
///
/// # Errors
/// Names the file, when its folder cannot be made or written; an error of `write` itself passes as it is.
pub fn write_with(
    path: &Path,
    write: impl FnOnce(&mut io::BufWriter<Watched<'_>>) -> Result<()>,
) -> Result<()> {
    let mut failed_otherwise = None;
    let replaced = replace(path, |file| {
        let writing_failed = Cell::new(false);
        let watched = Watched { file: file.as_file_mut(), failed: &writing_failed };
        let mut buffer = io::BufWriter::with_capacity(1 << 20, watched);
        let written = write(&mut buffer).and_then(|()| Ok(buffer.flush()?));
        // What is left in the buffer of a file that is given up need not be written.
        let _ = buffer.into_parts();
        written.or_else(|error| match writing_failed.get() {
            true => Err(error),
            false => {
                failed_otherwise = Some(error);
                bail!("given up")
            }
        })
    });
    // What went into the file may come from others: then it is these that failed.
    match failed_otherwise {
        Some(error) => Err(error),
        None => replaced,
    }
}

/// A file that remembers whether writing to it failed.
#[derive(Debug)]
pub struct Watched<'a> {
    file: &'a mut std::fs::File,
    failed: &'a Cell<bool>,
}

impl Watched<'_> {
    fn noted<T>(&self, result: io::Result<T>) -> io::Result<T> {
        // What is interrupted is tried again.
        if result.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted) {
            self.failed.set(true);
        }
        result
    }
}

impl io::Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.file.write(bytes);
        self.noted(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.file.flush();
        self.noted(result)
    }
}

impl io::Seek for Watched<'_> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        let result = self.file.seek(to);
        self.noted(result)
    }
}

/// Lets `make` fill a temporary file by its path, then renames it over `path`: for writers that
/// insist on opening the file themselves.
///
/// # Errors
/// As [`write_with`].
pub fn write_at(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    replace(path, |file| {
        // A writer may put a file of its own there, for the owner's eyes alone.
        let permissions = file.as_file().metadata()?.permissions();
        make(file.path())?;
        Ok(fs_err::set_permissions(file.path(), permissions)?)
    })
}

fn replace(
    path: &Path,
    fill: impl FnOnce(&mut tempfile::NamedTempFile) -> Result<()>,
) -> Result<()> {
    let attempt = || -> Result<()> {
        let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs_err::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY[0]).suffix(TEMPORARY[1]);
        // Plain files as any program would make them, so that a web server may read the site.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        let mut file = builder.tempfile_in(folder)?;
        fill(&mut file)?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    attempt().with_context(|| format!("cannot write {}", path.display()))
}

/// Writes `bytes` whole or not at all.
///
/// # Errors
/// As [`write_with`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, |file| Ok(file.write_all(bytes)?))
}

/// Writes `bytes` unless the file already holds them, so that an unchanged file keeps its time.
/// Returns whether it wrote.
///
/// # Errors
/// As [`write_with`].
pub fn write_if_changed(path: &Path, bytes: &[u8]) -> Result<bool> {
    let same = std::fs::metadata(path).is_ok_and(|m| m.len() == bytes.len() as u64)
        && std::fs::read(path).is_ok_and(|old| old == bytes);
    if !same {
        write(path, bytes)?;
    }
    Ok(!same)
}

/// Writes `value` as indented JSON with a final line break.
///
/// # Errors
/// As [`write_with`].
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    write_with(path, |file| {
        serde_json::to_writer_pretty(&mut *file, value)?;
        Ok(file.write_all(b"\n")?)
    })
}

/// Removes what killed runs left half written anywhere below `folder`. Only to be called while no
/// other run writes there.
///
/// # Errors
/// When such a file cannot be removed.
pub fn remove_litter(folder: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(folder).into_iter().flatten() {
        let name = entry.file_name().to_string_lossy();
        if name.starts_with(TEMPORARY[0]) && name.ends_with(TEMPORARY[1]) {
            fs_err::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Reads a JSON artifact.
///
/// # Errors
/// Names the file, and the line and column where it is not what was expected.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let bytes = fs_err::read(path)?;
    serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{} is not readable by this version; remove it and run again to remake it",
            path.display()
        )
    })
}

/// A BLAKE3 digest in hexadecimal, cut to 32 digits (128 bits).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of raw bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::from_hash(blake3::hash(bytes))
    }

    /// Of a value's JSON form.
    pub fn of<T: Serialize>(value: &T) -> Self {
        Self::of_bytes(serde_json::to_string(value).unwrap_or_default().as_bytes())
    }

    /// Of a file's content.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update_mmap_rayon(path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self::from_hash(hasher.finalize()))
    }

    fn from_hash(hash: blake3::Hash) -> Self {
        Self(hash.to_hex()[..32].to_string())
    }

    /// The hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a stage's folder was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Version of the stage's file formats and of the computation behind them.
    pub format: u32,
    /// Fingerprint of each input by name: `config`, `source`, `dataset`, …
    pub inputs: BTreeMap<String, Fingerprint>,
}

impl Stamp {
    /// A stamp without inputs yet.
    pub fn new(format: u32) -> Self {
        Self { format, inputs: BTreeMap::new() }
    }

    /// Adds an input.
    #[must_use]
    pub fn with(mut self, name: &str, input: Fingerprint) -> Self {
        self.inputs.insert(name.into(), input);
        self
    }

    /// One fingerprint for all of it: what a later stage takes as its input.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self)
    }

    /// Whether `folder` was finished from exactly these inputs.
    pub fn matches(&self, folder: &Path) -> bool {
        Self::read(folder).is_ok_and(|found| found == *self)
    }

    /// The stamp of a finished folder.
    ///
    /// # Errors
    /// When the folder is unfinished or its stamp unreadable.
    pub fn read(folder: &Path) -> Result<Self> {
        read_json(&folder.join(STAMP))
    }

    /// Marks `folder` as finished. To be called after its last file is in place.
    ///
    /// # Errors
    /// As [`write_with`].
    pub fn write(&self, folder: &Path) -> Result<()> {
        write_json(&folder.join(STAMP), self)
    }

    /// Marks `folder` as unfinished, before its files are touched.
    ///
    /// # Errors
    /// When the stamp exists and cannot be removed.
    pub fn clear(folder: &Path) -> Result<()> {
        match fs_err::remove_file(folder.join(STAMP)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e.into()),
            _ => Ok(()),
        }
    }
}

/// Where a project's artifacts lie, below its output folder.
#[derive(Debug, Clone)]
pub struct Layout {
    output: PathBuf,
}

impl Layout {
    /// For the given output folder.
    pub fn new(output: impl Into<PathBuf>) -> Self {
        Self { output: output.into() }
    }

    /// `work/dataset/`: manifest, patches, previews.
    pub fn dataset(&self) -> PathBuf {
        self.output.join("work/dataset")
    }

    /// `work/dataset/patches.bin`: pixels of every patch.
    pub fn patches(&self) -> PathBuf {
        self.dataset().join("patches.bin")
    }

    /// `work/dataset/previews/<id>.jpg`: a mammogram, reduced.
    pub fn preview(&self, mammogram: &str) -> PathBuf {
        self.dataset().join("previews").join(format!("{mammogram}.jpg"))
    }

    /// `work/networks/<network>/`: weights, history, evaluation.
    pub fn network(&self, network: &str) -> PathBuf {
        self.output.join("work/networks").join(network)
    }

    /// `work/dissection/<network>/<layer>/`: units and their top patches.
    pub fn layer(&self, network: &str, layer: &str) -> PathBuf {
        self.output.join("work/dissection").join(network).join(layer)
    }

    /// `work/dissection/`: the layers by network, and what is similar among all units.
    pub fn dissection(&self) -> PathBuf {
        self.output.join("work/dissection")
    }

    /// `work/explanation/<network>/`: why mammograms have their scores.
    pub fn explanation(&self, network: &str) -> PathBuf {
        self.output.join("work/explanation").join(network)
    }

    /// `work/survey.json`: the units that readers are asked about.
    pub fn survey(&self) -> PathBuf {
        self.output.join("work/survey.json")
    }

    /// `work/site.json`: what the built site was made from, and every file of it.
    pub fn site_record(&self) -> PathBuf {
        self.output.join("work/site.json")
    }

    /// `work/figures.json`: what the listed figures were made from, and every file of them.
    pub fn figures_record(&self) -> PathBuf {
        self.output.join("work/figures.json")
    }

    /// `figures/`: figures for papers.
    pub fn figures(&self) -> PathBuf {
        self.output.join("figures")
    }

    /// `site/`: the atlas.
    pub fn site(&self) -> PathBuf {
        self.output.join("site")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_fresh_only_with_the_same_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = Stamp::new(1).with("config", Fingerprint::of(&"a"));
        assert!(!stamp.matches(folder.path()));
        stamp.write(folder.path()).unwrap();
        assert!(stamp.matches(folder.path()));
        assert!(!Stamp::new(1).with("config", Fingerprint::of(&"b")).matches(folder.path()));
        assert!(!Stamp::new(2).with("config", Fingerprint::of(&"a")).matches(folder.path()));
        Stamp::clear(folder.path()).unwrap();
        Stamp::clear(folder.path()).unwrap();
        assert!(!stamp.matches(folder.path()));
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write(&path, b"old").unwrap();
        let result = write_with(&path, |file| {
            file.write_all(b"half of the new")?;
            anyhow::bail!("disk on fire")
        });
        let message = format!("{:#}", result.unwrap_err());
        assert_eq!(message, "disk on fire", "what failed is not the file that was to be written");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        assert!(!write_if_changed(&path, b"old").unwrap());
        assert!(write_if_changed(&path, b"new").unwrap());
        let below_a_file = path.join("c.txt");
        let message = format!("{:#}", write(&below_a_file, b"x").unwrap_err());
        assert!(message.starts_with("cannot write ") && message.contains("c.txt"), "{message}");
    }

    /// A device that is always full.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_write_that_fails_names_the_file() {
        let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let failed = Cell::new(false);
        let mut watched = Watched { file: &mut full, failed: &failed };
        watched.flush().unwrap();
        assert!(!failed.get());
        watched.write_all(b"x").unwrap_err();
        assert!(failed.get());
    }

    #[test]
    fn litter_is_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a/.unit-atlas-x1.tmp", ".unit-atlas-x2.tmp", "a/mine.tmp", ".unit-atlas-x"] {
            write(&folder.path().join(name), b"x").unwrap();
        }
        remove_litter(folder.path()).unwrap();
        let left = |name: &str| folder.path().join(name).exists();
        assert!(!left("a/.unit-atlas-x1.tmp") && !left(".unit-atlas-x2.tmp"));
        assert!(left("a/mine.tmp") && left(".unit-atlas-x"));
    }

    #[test]
    fn unreadable_json_names_the_file_and_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.json");
        write(&path, b"{\n  \"format\": 1,\n  oops").unwrap();
        let message = format!("{:#}", read_json::<Stamp>(&path).unwrap_err());
        assert!(message.contains("x.json") && message.contains("line 3"), "{message}");
    }
}
