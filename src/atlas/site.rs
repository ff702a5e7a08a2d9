//! The files of the site, and the record of which of them are ours. Format 3.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use base::artifact::{self, Fingerprint, Stamp};

/// Version of the record, and of how pages are made from artifacts.
pub const FORMAT: u32 = 3;

/// `work/site.json`: what the built site was made from, and every file of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Always 3.
    pub format: u32,
    /// What the site was made from; `None` while a build is under way.
    pub stamp: Option<Stamp>,
    /// Every file by its path below the site, with `/`.
    pub files: BTreeMap<String, FileRecord>,
}

/// One file of the site.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FileRecord {
    /// Its length.
    pub bytes: u64,
    /// Its content; `None` while a build is under way.
    pub content: Option<Fingerprint>,
    /// What it was made from, where that is known: with the same it is not made again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Fingerprint>,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// When it is missing or not readable.
    pub fn read(path: &Path) -> Result<Self> {
        artifact::read_document(path)
    }

    /// Whether the site was finished from exactly these inputs and every file of it is still there
    /// with its length.
    pub fn is_fresh(&self, stamp: &Stamp, site: &Path) -> bool {
        self.format == FORMAT
            && self.stamp.as_ref() == Some(stamp)
            && self.files.iter().all(|(path, file)| file.lies_at(&site.join(path)))
    }
}

impl FileRecord {
    /// What is wrong with the file at `path`, if it is not what was written.
    pub fn damage(&self, path: &Path) -> Option<String> {
        match std::fs::read(path) {
            Err(error) => Some(error.to_string()),
            Ok(bytes)
                if self.content.as_ref().is_none_or(|c| *c == Fingerprint::of_bytes(&bytes)) =>
            {
                None
            }
            Ok(_) => Some("its content is not what was written".into()),
        }
    }

    fn lies_at(&self, path: &Path) -> bool {
        std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.len() == self.bytes)
    }
}

/// Writes the files of a site, from any thread.
pub(super) struct Writer {
    site: PathBuf,
    record: PathBuf,
    before: BTreeMap<String, FileRecord>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, FileRecord>,
    written: usize,
}

impl Writer {
    /// Notes in the record every file there was and every file `planned`, so that a build that is
    /// stopped half way leaves nothing that a later one would take for someone else's.
    pub(super) fn begin(site: &Path, record: &Path, planned: Vec<String>) -> Result<Self> {
        // An unreadable record means that we know of no file of ours: then none is removed.
        let before = Record::read(record).map(|r| r.files).unwrap_or_default();
        let mut files = before.clone();
        // Half way, a file may be the old or the new one.
        files.values_mut().for_each(|file| file.source = None);
        for path in planned {
            files.entry(path).or_default();
        }
        artifact::write_document(record, &Record { format: FORMAT, stamp: None, files })?;
        Ok(Self { site: site.into(), record: record.into(), before, state: Mutex::default() })
    }

    /// Writes one file unless it already holds these bytes.
    pub(super) fn write(&self, path: &str, bytes: &[u8]) -> Result<()> {
        self.put(path, bytes, None)
    }

    /// Writes one file that was made from `source`.
    pub(super) fn write_made_from(
        &self,
        path: &str,
        source: Fingerprint,
        make: impl FnOnce() -> Result<Vec<u8>>,
    ) -> Result<()> {
        let kept = self.before.get(path).filter(|file| {
            file.source.as_ref() == Some(&source)
                && file.content.is_some()
                && file.lies_at(&self.site.join(path))
        });
        match kept {
            Some(file) => {
                self.state().files.insert(path.into(), file.clone());
                Ok(())
            }
            None => self.put(path, &make()?, Some(source)),
        }
    }

    /// Keeps files that were made from `source` and are still there: all of them, or none.
    pub(super) fn keep_made_from(&self, paths: &[String], source: &Fingerprint) -> bool {
        let kept = |path: &String| {
            let file = self.before.get(path)?;
            let same = file.source.as_ref() == Some(source) && file.content.is_some();
            (same && file.lies_at(&self.site.join(path))).then(|| (path.clone(), file.clone()))
        };
        let files: Option<Vec<_>> = paths.iter().map(kept).collect();
        let found = files.is_some();
        self.state().files.extend(files.into_iter().flatten());
        found
    }

    fn put(&self, path: &str, bytes: &[u8], source: Option<Fingerprint>) -> Result<()> {
        let changed = artifact::write_if_changed(&self.site.join(path), bytes)?;
        let content = Some(Fingerprint::of_bytes(bytes));
        let file = FileRecord { bytes: bytes.len() as u64, content, source };
        let mut state = self.state();
        state.files.insert(path.into(), file);
        state.written += usize::from(changed);
        Ok(())
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is a plain table: a panic of another thread cannot leave it half changed.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Removes what an earlier build wrote and this one did not, then writes the record.
    /// Returns it with the counts of files written and removed.
    pub(super) fn finish(self, stamp: &Stamp) -> Result<(Record, usize, usize)> {
        let State { files, written } =
            self.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut removed = 0;
        for path in self.before.keys().filter(|path| !files.contains_key(*path)) {
            if !is_below(path) {
                continue;
            }
            let file = self.site.join(path);
            match std::fs::remove_file(&file) {
                Ok(()) => removed += 1,
                // Also where a file took the place of its folder.
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(e) => {
                    return Err(e).with_context(|| format!("cannot remove {}", file.display()));
                }
            }
            // Folders that are empty now go too; the first that is not ends the climb.
            let mut folder = file.parent();
            while let Some(empty) = folder.filter(|f| *f != self.site) {
                if std::fs::remove_dir(empty).is_err() {
                    break;
                }
                folder = empty.parent();
            }
        }
        let record = Record { format: FORMAT, stamp: Some(stamp.clone()), files };
        artifact::write_document(&self.record, &record)?;
        Ok((record, written, removed))
    }
}

/// Whether a path from a record stays below the site: a record is a file that anyone may edit.
fn is_below(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path).components().all(|part| matches!(part, std::path::Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stale_files_go_and_foreign_ones_stay_even_after_an_interruption() {
        let folder = tempfile::tempdir().unwrap();
        let (site, record) = (folder.path().join("site"), folder.path().join("work/site.json"));
        let stamp = Stamp::new(1);
        let first = Writer::begin(&site, &record, vec!["a/x.html".into()]).unwrap();
        first.write("a/x.html", b"x").unwrap();
        // Stopped before the end: the next build still knows the file as ours.
        drop(first);
        assert!(!Record::read(&record).unwrap().is_fresh(&stamp, &site));
        std::fs::write(site.join("mine.txt"), "mine").unwrap();
        let second = Writer::begin(&site, &record, vec!["b.html".into()]).unwrap();
        second.write("b.html", b"b").unwrap();
        let (kept, written, removed) = second.finish(&stamp).unwrap();
        assert_eq!((written, removed), (1, 1));
        assert!(!site.join("a").exists() && site.join("mine.txt").exists());
        assert!(kept.is_fresh(&stamp, &site));
        std::fs::remove_file(site.join("b.html")).unwrap();
        assert!(!kept.is_fresh(&stamp, &site));
    }

    #[test]
    fn what_comes_of_the_same_is_not_made_again_unless_a_build_was_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let (site, record) = (folder.path().join("site"), folder.path().join("site.json"));
        let stamp = Stamp::new(1);
        let build = |key: &str, bytes: &[u8], end: bool| {
            let mut made = false;
            let writer = Writer::begin(&site, &record, vec!["a.html".into()]).unwrap();
            let make = || {
                made = true;
                Ok(bytes.to_vec())
            };
            writer.write_made_from("a.html", Fingerprint::of(&key), make).unwrap();
            if end {
                writer.finish(&stamp).unwrap();
            }
            made
        };
        assert!(build("one", b"1", true));
        assert!(!build("one", b"1", true));
        assert!(build("two", b"2", false));
        assert!(build("one", b"1", true));
        assert_eq!(std::fs::read(site.join("a.html")).unwrap(), b"1");
        std::fs::remove_file(site.join("a.html")).unwrap();
        assert!(build("one", b"1", true));
    }

    #[test]
    fn an_edited_record_removes_nothing_outside_the_site() {
        let folder = tempfile::tempdir().unwrap();
        let (site, record) = (folder.path().join("site"), folder.path().join("site.json"));
        let outside = folder.path().join("precious.txt");
        std::fs::write(&outside, "precious").unwrap();
        let files = ["../precious.txt", outside.to_str().unwrap()]
            .map(|path| (path.to_string(), FileRecord::default()));
        let edited = Record { format: FORMAT, stamp: None, files: files.into() };
        artifact::write_document(&record, &edited).unwrap();
        let writer = Writer::begin(&site, &record, vec![]).unwrap();
        writer.write("index.html", b"x").unwrap();
        writer.finish(&Stamp::new(1)).unwrap();
        assert!(outside.exists());
    }
}
