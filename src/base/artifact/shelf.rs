//! Results of other settings, kept for when the project returns to them.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::{Fingerprint, Layout, file};

/// `work/shelf/`: folders of finished or half finished results, each below the path it had in `work/`, by
/// the fingerprint of its inputs.
#[derive(Debug, Clone)]
pub struct Shelf {
    work: PathBuf,
    shelf: PathBuf,
}

/// Something on the shelf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it was: a path below `work/`.
    pub from: PathBuf,
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
}

impl Kept {
    /// A folder that was at `from`, below `work/`, with its size.
    ///
    /// # Errors
    /// When a file of it cannot be measured.
    pub fn at(from: PathBuf, path: PathBuf) -> Result<Self> {
        Ok(Self { from, bytes: size(&path)?, path })
    }
}

impl Shelf {
    /// Of a project.
    pub fn new(layout: &Layout) -> Self {
        Self { work: layout.work(), shelf: layout.shelf() }
    }

    /// Puts a folder of `work/` away, with everything in it. Returns where it lies now. A folder of the same
    /// inputs that lies there already is replaced.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn put(&self, folder: &Path, inputs: &Fingerprint) -> Result<PathBuf> {
        let place = self.place(folder, inputs);
        if place.exists() {
            fs_err::remove_dir_all(&place)?;
        }
        match rename(folder, &place) {
            // Another shard of the same work was faster.
            Err(error) if folder.exists() => Err(error),
            _ => Ok(place),
        }
    }

    /// Brings back what was in `folder`, of these inputs, if it is here. What is in `folder` now goes.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn take(&self, folder: &Path, inputs: &Fingerprint) -> Result<bool> {
        let place = self.place(folder, inputs);
        if !place.is_dir() {
            return Ok(false);
        }
        if folder.exists() {
            fs_err::remove_dir_all(folder)?;
        }
        rename(&place, folder)?;
        Ok(true)
    }

    /// All that lies here, in order.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn list(&self) -> Result<Vec<Kept>> {
        let mut kept = Vec::new();
        let mut entries =
            walkdir::WalkDir::new(&self.shelf).min_depth(1).sort_by_file_name().into_iter();
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Err(error) if error.depth() == 0 => break,
                entry => entry?,
            };
            let name = entry.file_name().to_string_lossy();
            if !entry.file_type().is_dir() || Fingerprint::parse(&name).is_none() {
                continue;
            }
            entries.skip_current_dir();
            let path = entry.into_path();
            let from = path.parent().and_then(|p| p.strip_prefix(&self.shelf).ok());
            let from = from.unwrap_or(Path::new("")).to_path_buf();
            kept.push(Kept::at(from, path)?);
        }
        Ok(kept)
    }

    /// Removes something that is kept, here or elsewhere in `work/`, and the folders that are empty then. It is
    /// there as a whole or not at all: a part of it would pass for a result that was damaged.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn discard(&self, kept: &Kept) -> Result<()> {
        let gone = file::temporary_beside(&kept.path);
        if gone.exists() {
            fs_err::remove_dir_all(&gone)?;
        }
        fs_err::rename(&kept.path, &gone)?;
        fs_err::remove_dir_all(&gone)?;
        let mut above = kept.path.parent();
        while let Some(folder) = above.filter(|folder| **folder != *self.work) {
            if std::fs::remove_dir(folder).is_err() {
                break;
            }
            above = folder.parent();
        }
        Ok(())
    }

    /// Removes the empty folders that a killed [`Shelf::discard`] has left.
    pub fn prune(&self) {
        let entries = walkdir::WalkDir::new(&self.shelf).contents_first(true).into_iter().flatten();
        for entry in entries.filter(|entry| entry.file_type().is_dir()) {
            // One that holds anything stays.
            let _ = std::fs::remove_dir(entry.path());
        }
    }

    /// What was in `folder`, in order.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn list_of(&self, folder: &Path) -> Result<Vec<Kept>> {
        let from = folder.strip_prefix(&self.work).unwrap_or(folder);
        Ok(self.list()?.into_iter().filter(|kept| kept.from == from).collect())
    }

    fn place(&self, folder: &Path, inputs: &Fingerprint) -> PathBuf {
        let below = folder.strip_prefix(&self.work).unwrap_or(folder);
        self.shelf.join(below).join(inputs.as_str())
    }
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file() {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}

/// Moves a folder within `work/`; both ends outlast a loss of power.
fn rename(from: &Path, to: &Path) -> Result<()> {
    let parent = to.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(parent)?;
    fs_err::rename(from, to)?;
    file::sync_folder(parent)?;
    file::sync_folder(from.parent().unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_away_comes_back() {
        let output = tempfile::tempdir().unwrap();
        let layout = Layout::new(output.path());
        let shelf = Shelf::new(&layout);
        let folder = layout.network("alexnet");
        let (first, second) = (Fingerprint::of(&1), Fingerprint::of(&2));
        assert!(shelf.list().unwrap().is_empty());
        assert!(!shelf.take(&folder, &first).unwrap());
        for (content, inputs) in [("first", &first), ("second", &second)] {
            file::write(&folder.join("weights"), content.as_bytes()).unwrap();
            shelf.put(&folder, inputs).unwrap();
            assert!(!folder.exists());
        }
        let kept = shelf.list().unwrap();
        let from = Path::new("networks/alexnet");
        assert!(kept.len() == 2 && kept.iter().all(|kept| kept.from == from), "{kept:?}");
        assert_eq!(kept.iter().map(|kept| kept.bytes).sum::<u64>(), 11);
        assert!(shelf.take(&folder, &first).unwrap());
        assert_eq!(std::fs::read(folder.join("weights")).unwrap(), b"first");
        assert_eq!(shelf.list().unwrap().len(), 1);
        let own = layout.shelf().join("networks");
        assert!(own.is_dir());
        // The same is not kept twice, and what lies in the place goes when another comes back.
        file::write(&folder.join("weights"), b"third").unwrap();
        shelf.put(&folder, &second).unwrap();
        file::write(&folder.join("weights"), b"fourth").unwrap();
        assert!(shelf.take(&folder, &second).unwrap());
        assert_eq!(std::fs::read(folder.join("weights")).unwrap(), b"third");
        assert!(shelf.list().unwrap().is_empty());
        shelf.put(&folder, &first).unwrap();
        shelf.discard(&shelf.list_of(&folder).unwrap()[0]).unwrap();
        assert!(shelf.list().unwrap().is_empty() && !layout.shelf().exists());
        // Killed while it removed something: what is left is no result, but litter.
        file::write(&folder.join("weights"), b"fifth").unwrap();
        shelf.put(&folder, &first).unwrap();
        let kept = shelf.list().unwrap().remove(0);
        fs_err::rename(&kept.path, file::temporary_beside(&kept.path)).unwrap();
        assert!(shelf.list().unwrap().is_empty() && !shelf.take(&folder, &first).unwrap());
        file::remove_litter(output.path(), std::time::Duration::ZERO).unwrap();
        shelf.prune();
        assert!(!layout.shelf().exists());
    }
}
