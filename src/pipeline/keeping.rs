//! Whether artifacts are what was written, and which of them the project no longer uses.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rayon::prelude::*;

use super::Pipeline;
use base::artifact::{Damaged, Kept, Sealed, Shelf};
use record::provenance::Drawings;

/// What was looked at, and what of it is not what was written.
#[derive(Debug, Default)]
pub struct Verified {
    /// What the project has begun, or has lost the stamp of.
    pub unfinished: Vec<PathBuf>,
    /// Finished results of which it is not known which run made them.
    pub unnoted: Vec<PathBuf>,
    /// Folders of finished stages, and the site and the figures where they are there.
    pub results: usize,
    /// Bytes of all of them.
    pub bytes: u64,
    /// Every file that is missing, or not what was written.
    pub damaged: Vec<Damaged>,
}

impl Pipeline<'_> {
    /// Reads every artifact whole, and compares it with what was written.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn verify(&self) -> Result<Verified> {
        let mut verified = Verified::default();
        let begun = |folder: &PathBuf| folder.is_dir() && !Sealed::is_there(folder);
        verified.unfinished = self.used().into_iter().filter(begun).collect();
        for folder in self.finished()? {
            verified.results += 1;
            match Sealed::open(&folder) {
                Ok(sealed) => {
                    verified.bytes += sealed.bytes();
                    verified.damaged.extend(sealed.damage());
                    if let Ok(None) = sealed.run() {
                        verified.unnoted.push(folder);
                    }
                }
                Err(error) => verified.damaged.push(error.downcast()?),
            }
        }
        let drawn = self.layout.drawn();
        if let Err(error) = Drawings::read(&drawn) {
            let why = error.root_cause().to_string();
            verified.damaged.push(Damaged { folder: self.layout.work(), path: drawn, why });
        }
        let published = [
            (self.layout.site(), self.layout.site_record()),
            (self.layout.figures(), self.layout.figures_record()),
        ];
        for (folder, record) in published {
            if !record.is_file() {
                continue;
            }
            verified.results += 1;
            let record = match atlas::Record::read(&record) {
                Ok(record) => record,
                Err(error) => {
                    let why = error.root_cause().to_string();
                    let folder = self.layout.work();
                    verified.damaged.push(Damaged { folder, path: record, why });
                    continue;
                }
            };
            verified.bytes += record.files.values().map(|file| file.bytes).sum::<u64>();
            let damaged = record.files.par_iter().filter_map(|(name, file)| {
                let why = file.damage(&folder.join(name))?;
                Some(Damaged { folder: folder.clone(), path: folder.join(name), why })
            });
            verified.damaged.par_extend(damaged);
        }
        Ok(verified)
    }

    /// What lies on the shelf, and the results of networks and layers that the project does not name.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn unused(&self) -> Result<Vec<Kept>> {
        let mut unused = Shelf::new(&self.layout).list()?;
        let used = self.used();
        let work = self.layout.work();
        for folder in self.finished()? {
            if !folder.starts_with(self.layout.shelf()) && !used.contains(&folder) {
                let from = folder.strip_prefix(&work).unwrap_or(&folder).to_path_buf();
                unused.push(Kept::at(from, folder)?);
            }
        }
        Ok(unused)
    }

    /// Every folder that the project has its results in.
    fn used(&self) -> BTreeSet<PathBuf> {
        let mut used =
            BTreeSet::from([self.layout.dataset(), self.layout.dissection(), self.layout.survey()]);
        let names = self.config.namer.kind.is_some();
        if names {
            used.insert(self.layout.embeddings());
        }
        for network in &self.config.networks {
            used.extend(network.layers.iter().map(|layer| self.layout.layer(&network.name, layer)));
            if self.visualises() {
                let layers = network.layers.iter();
                used.extend(layers.map(|layer| self.layout.visualisation(&network.name, layer)));
            }
            if names {
                let layers = network.layers.iter();
                used.extend(layers.map(|layer| self.layout.naming(&network.name, layer)));
            }
            used.extend([
                self.layout.network(&network.name),
                self.layout.explanation(&network.name),
                self.layout.rates(&network.name),
            ]);
        }
        used
    }

    /// Every folder below `work/` that was finished, in order.
    pub(super) fn finished(&self) -> Result<Vec<PathBuf>> {
        let mut folders = Vec::new();
        for entry in walkdir::WalkDir::new(self.layout.work()).sort_by_file_name() {
            let entry = match entry {
                Err(error) if error.depth() == 0 => break,
                entry => entry?,
            };
            if entry.file_type().is_dir() && Sealed::is_there(entry.path()) {
                folders.push(entry.into_path());
            }
        }
        Ok(folders)
    }

    /// Removes what is not used, and folders that are empty then.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn discard(&self, unused: &[Kept]) -> Result<()> {
        let shelf = Shelf::new(&self.layout);
        unused.iter().try_for_each(|kept| shelf.discard(kept))?;
        shelf.prune();
        Ok(())
    }

    /// Checks that a file that a person named may be written: it replaces no link, device or folder, and nothing
    /// of the project's own.
    ///
    /// # Errors
    /// Says what is there.
    pub fn check_output(&self, path: &Path) -> Result<()> {
        let shown = path.display();
        if let Ok(found) = path.symlink_metadata() {
            ensure!(
                found.is_file(),
                "{shown} is a {}, which would be replaced; name a file",
                kind(found.file_type())
            );
        }
        let path = std::path::absolute(path)?;
        // Links on the way to it count as where they lead.
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        let path = match (folder, path.file_name()) {
            (Some(folder), Some(name)) => folder.join(name),
            _ => path,
        };
        let root = &self.config.root;
        let own = ["content", "themes", "collect"].map(|name| root.join(name));
        let made = [self.layout.work(), self.layout.site()];
        for own in own.into_iter().chain(made).chain(self.file.clone()) {
            let own = own.canonicalize().unwrap_or(own);
            ensure!(
                !path.starts_with(&own),
                "{shown} belongs to the project ({}); write to another file",
                self.shown(&own)
            );
        }
        Ok(())
    }

    /// What to do about a damaged file.
    pub fn remedy(&self, damaged: &Damaged) -> String {
        let (folder, path) = (&damaged.folder, self.shown(&damaged.path));
        let below = |place: PathBuf| folder.starts_with(place);
        if damaged.is_of_run() {
            format!("remove {path}: the result is whole, only what made it and when is lost")
        } else if below(self.layout.shelf()) {
            format!("remove {}: it is not in use", self.shown(folder))
        } else if *folder == self.layout.work()
            || below(self.layout.site())
            || below(self.layout.figures())
        {
            format!("remove {path} and run `unit-atlas build`")
        } else if below(self.layout.networks()) {
            format!(
                "put it back from a copy, or remove {} and run `unit-atlas run`, which trains the network \
                 from the start",
                self.shown(folder)
            )
        } else {
            format!("remove {} and run `unit-atlas run`, which makes it again", self.shown(folder))
        }
    }

    /// A path as it is told: from the project's folder, where it is below.
    pub fn shown<'p>(&self, path: &'p Path) -> std::path::Display<'p> {
        path.strip_prefix(&self.config.root).unwrap_or(path).display()
    }
}

fn kind(found: std::fs::FileType) -> &'static str {
    match () {
        () if found.is_symlink() => "link",
        () if found.is_dir() => "folder",
        () => "device",
    }
}
