//! Data sets in their original layout, read into mammograms.
//!
//! A source first gives its catalogue (what there is, without decoding pixels), then decodes one
//! image at a time, from any thread.

mod cbis_ddsm;
mod contradiction;
mod ddsm;
mod ddsm_release;
mod files;
mod folder;
mod inbreast;
mod mini_mias;
mod phantom;
mod recipe;
mod remarks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use walkdir::{DirEntry, WalkDir};

use base::Notice;
use base::artifact::Fingerprint;
use lexicon::Lexicons;
use mammogram::{About, Grey, Mammogram, Values};

pub use self::phantom::Phantom;
pub use cbis_ddsm::CbisDdsm;
pub use ddsm::Ddsm;
pub use ddsm_release::DdsmRelease;
pub use files::Files;
pub use folder::Folder;
pub use inbreast::Inbreast;
pub use mini_mias::MiniMias;
use recipe::Recipe;

/// The source of a project.
///
/// # Errors
/// When it needs the project's lexicons, and one of them is wrong.
pub fn open(config: &config::Config) -> Result<Box<dyn Source>> {
    let seed = config.seed;
    Ok(match &config.source {
        config::Source::Ddsm { path } => Box::new(Ddsm::new(path)),
        config::Source::DdsmRelease { path } => Box::new(DdsmRelease::new(path)),
        config::Source::CbisDdsm { path } => Box::new(CbisDdsm::new(path)),
        config::Source::Folder { table, regions, encoding, leave_out } => {
            let lexicons = Lexicons::load(&config.root.join("content"))?;
            let folder = Folder::new(table, regions.clone(), *encoding, seed, lexicons);
            Box::new(folder.without(leave_out.clone()))
        }
        config::Source::Recipe { name, path, encoding, leave_out } => {
            let content = config.root.join("content");
            let lexicons = Lexicons::load(&content)?;
            let recipe = Recipe::open(&content, name)?;
            let folder = Folder::by_recipe(recipe, path, *encoding, seed, lexicons);
            Box::new(folder.without(leave_out.clone()))
        }
        config::Source::Inbreast { path, encoding } => Box::new(Inbreast::new(path, *encoding)),
        config::Source::MiniMias { path } => Box::new(MiniMias::new(path)),
        &config::Source::Phantom { patients, height } => {
            Box::new(Phantom::new(patients, height, seed))
        }
    })
}

/// A data set that a recipe describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: String,
    /// Under which terms it may be used.
    pub licence: String,
    /// Where it comes from.
    pub get: String,
}

/// The data sets that recipes describe, by name: those in a project's content folder, and those that come with the
/// program; or what is wrong with a recipe.
///
/// # Errors
/// When the folder cannot be read.
pub fn recipes(content: &Path) -> Result<Vec<(String, Result<Known>)>> {
    let known = |id: String| {
        let known = Recipe::open(content, &id).map(|recipe| {
            let (about, licence, get) = recipe.offered();
            Known { name: about.name, licence, get }
        });
        (id, known)
    };
    Ok(Recipe::ids(content)?.into_iter().map(known).collect())
}

/// What a folder holds of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// How `source` chooses it, but for the path.
    pub written: String,
    /// What is there of it.
    pub holds: Holds,
    /// The first of its notices.
    pub flaw: Option<String>,
}

/// What is there of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Files, of every kind that it has.
    Files(usize),
    /// Images that its tables list.
    Images {
        /// All of them.
        listed: usize,
        /// Those that are there.
        there: usize,
    },
}

/// Tries every data set that is known on a folder, without looking into images: their names in order, with what is there
/// or why it is none.
///
/// # Errors
/// When lexicons are wrong.
pub fn fits(content: &Path, path: &Path) -> Result<Vec<(String, Result<Fit>)>> {
    let lexicons = Lexicons::load(content)?;
    let of_code: [(&str, Box<dyn Source>); 5] = [
        ("ddsm", Box::new(Ddsm::new(path))),
        ("ddsm_release", Box::new(DdsmRelease::new(path))),
        ("cbis_ddsm", Box::new(CbisDdsm::new(path))),
        ("mini_mias", Box::new(MiniMias::new(path))),
        ("inbreast", Box::new(Inbreast::new(path, None))),
    ];
    let mut found: Vec<(String, Result<Fit>)> = of_code
        .into_iter()
        .map(|(kind, source)| {
            let fit = source.files().and_then(|files| {
                if files.iter().all(|file| is_table(file)) {
                    bail!("{} holds none of its images", path.display());
                }
                let holds = Holds::Files(files.len());
                Ok(Fit { written: format!("kind: {kind}"), holds, flaw: None })
            });
            (kind.to_owned(), fit)
        })
        .collect();
    for id in Recipe::ids(content)? {
        let fit = Recipe::open(content, &id)
            .and_then(|recipe| Folder::by_recipe(recipe, path, None, 0, lexicons.clone()).listed());
        let fit = fit.map(|(listed, there, flaw)| Fit {
            written: format!("kind: recipe, name: {id}"),
            holds: Holds::Images { listed, there },
            flaw,
        });
        found.push((id, fit));
    }
    Ok(found)
}

/// Whether a file lists others.
fn is_table(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    ["csv", "xls", "xlsx", "txt", "xml", "ics", "json", "jsonl"].contains(&ending.as_str())
}

/// A data set that can be read.
pub trait Source: Sync {
    /// Name, origin and terms of use.
    fn about(&self) -> About;

    /// Fingerprint of everything its images and annotations are made from, without decoding pixels.
    ///
    /// # Errors
    /// When the data set cannot be found or listed.
    fn fingerprint(&self) -> Result<Fingerprint>;

    /// Every file that it is read from: tables, images, outlines. Empty for what is made from a seed.
    ///
    /// # Errors
    /// As [`Source::fingerprint`].
    fn files(&self) -> Result<BTreeSet<PathBuf>>;

    /// Every mammogram, in a fixed order, and what could not be used.
    ///
    /// # Errors
    /// When nothing at all can be read; a single bad row or file is a notice, not an error.
    fn catalogue(&self) -> Result<Catalogue>;

    /// Decodes the image of a mammogram from the catalogue.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    fn image(&self, mammogram: &Mammogram) -> Result<Grey>;

    /// Decodes the same to the values that its file has; of a source without others, its grey levels.
    ///
    /// # Errors
    /// As [`Source::image`].
    fn values(&self, mammogram: &Mammogram) -> Result<Values> {
        Ok(Values::of(self.image(mammogram)?))
    }

    /// What notices call a mammogram from the catalogue, such as the line that lists it; pages show it.
    fn place(&self, mammogram: &Mammogram) -> String {
        mammogram.id.clone()
    }

    /// The patches that the data set comes with, to be used as they are; `None`: patches are cut.
    ///
    /// # Errors
    /// When they cannot be read, or are not labelled by this many classes.
    fn ready(&self, classes: u32) -> Result<Option<Ready>> {
        let _ = classes;
        Ok(None)
    }

    /// Decodes a patch that the data set came with.
    ///
    /// # Errors
    /// Names the file and what is wrong with it.
    fn patch(&self, patch: &ReadyPatch) -> Result<Grey> {
        bail!("{} is no patch of this source", patch.file.display())
    }
}

/// Patches that a data set comes with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ready {
    /// By the mammograms they were cut from, in order.
    pub patches: BTreeMap<String, Vec<ReadyPatch>>,
    /// Mammograms that there are only patches of.
    pub imageless: BTreeSet<String>,
}

/// A patch that a data set comes with, labelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyPatch {
    /// Left edge in pixels of the mammogram.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Edge of the window.
    pub edge: u32,
    /// Whether it is labelled as cancer.
    pub positive: bool,
    /// Whether it is labelled as benign.
    pub benign: bool,
    /// Its picture.
    pub file: PathBuf,
}

/// Everything a source holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Catalogue {
    /// Mammograms in a fixed order.
    pub mammograms: Vec<Mammogram>,
    /// Plain statements on what was read: `330 rows, 322 images listed, 200 present`.
    pub summary: Vec<String>,
    /// What was left out, and why.
    pub notices: Vec<Notice>,
}

/// What lies in a folder at any depth, in the order of names. A project's own output is passed over, which
/// may lie below its source and holds pictures under the names of the mammograms.
fn walk(root: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let is_output = |entry: &DirEntry| {
        entry.depth() > 0
            && entry.file_type().is_dir()
            && entry.path().join("work/dataset").is_dir()
    };
    let entries = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
    entries.filter_entry(move |entry| !is_output(entry))
}

#[cfg(test)]
#[path = "../../tests/support/dicom.rs"]
mod dicom;
#[cfg(test)]
#[path = "../../tests/support/ljpeg.rs"]
mod encoder;

#[cfg(test)]
#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "../../tests/support/lexicons.rs"]
mod lexicons;
#[cfg(test)]
#[path = "../../tests/support/real_data.rs"]
mod real_data;

/// What of the data sets is fuzzed.
#[cfg(test)]
fn fuzz_targets() -> Vec<fuzz::Target> {
    let mut targets = ddsm::fuzz::targets();
    targets.extend([mini_mias::fuzz_target(), ddsm_release::fuzz_target()]);
    targets.extend([cbis_ddsm::fuzz_target(), folder::fuzz_target(), inbreast::fuzz_target()]);
    targets
}
