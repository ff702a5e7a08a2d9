//! Data sets in their original layout, read into mammograms.
//!
//! A source first gives its catalogue (what there is, without decoding pixels), then decodes one
//! image at a time, from any thread.

mod cbis_ddsm;
mod ddsm;
mod ddsm_release;
mod dicom;
mod files;
mod folder;
#[cfg(test)]
mod fuzz;
mod ljpeg;
mod masks;
mod mini_mias;
mod pgm;
mod phantom;
mod picture;
mod pseudonym;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::artifact::Fingerprint;
use crate::config;
use crate::mammogram::{Grey, Mammogram};

pub use cbis_ddsm::CbisDdsm;
pub use ddsm::Ddsm;
pub use ddsm_release::DdsmRelease;
pub use files::Files;
pub use folder::Folder;
pub use mini_mias::MiniMias;
pub use phantom::Phantom;

/// The source that a project file names; `seed` is that of the project.
pub fn open(source: &config::Source, seed: u64) -> Box<dyn Source> {
    match source {
        config::Source::Ddsm { path } => Box::new(Ddsm::new(path)),
        config::Source::DdsmRelease { path } => Box::new(DdsmRelease::new(path)),
        config::Source::CbisDdsm { path } => Box::new(CbisDdsm::new(path)),
        config::Source::Folder { table, regions } => {
            Box::new(Folder::new(table, regions.clone(), seed))
        }
        config::Source::MiniMias { path } => Box::new(MiniMias::new(path)),
        &config::Source::Phantom { patients, height } => {
            Box::new(Phantom::new(patients, height, seed))
        }
    }
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

/// What a data set is, for the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// `ddsm`, `mini_mias`, `phantom`, …
    pub kind: String,
    /// Name in prose.
    pub name: String,
    /// One or two sentences on what it is and how it was read.
    pub description: String,
    /// How to cite it; empty for phantoms.
    pub citation: String,
    /// Whether the images are synthetic: then every page says so.
    pub phantom: bool,
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

/// The lines of a text by places in it that rise: tables with line breaks within their values are told of
/// by the line where a row begins.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1 }
    }

    /// The line of what begins at a row's place or after the line breaks there.
    fn of(&mut self, place: Option<&csv::Position>) -> u64 {
        let place = place.map_or(self.at as u64, csv::Position::byte);
        let place = usize::try_from(place).unwrap_or(usize::MAX).min(self.bytes.len());
        while let Some(byte) = self.bytes.get(self.at) {
            if self.at >= place && !matches!(byte, b'\r' | b'\n') {
                break;
            }
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

/// Something a user should know of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// `Info.txt:322`, `mdb017.pgm`, …
    pub place: String,
    /// What is the matter and what was done about it.
    pub message: String,
    /// Whether an input was left out that ought to have been usable: then the run ends with exit 2.
    pub skipped: bool,
}

/// Pixels that an image is believed to have; a mammogram has at most 55 million.
const MAX_PIXELS: u64 = 1 << 26;

#[cfg(test)]
#[path = "../../tests/support/ljpeg.rs"]
mod encoder;

/// A folder of the real data sets that some tests use, when it is there: `$UNIT_ATLAS_DATA/<name>` or
/// `../shared/data/<name>` beside the project. Says so when such a test is skipped.
#[cfg(test)]
pub(crate) fn real_data(name: &str) -> Option<std::path::PathBuf> {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let root = std::env::var_os("UNIT_ATLAS_DATA").map_or(beside, Into::into);
    let folder = root.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("UNIT_ATLAS_DATA").is_none(), "{} is not there", folder.display());
    // Written past the test harness, which hides what passing tests print.
    let _ = std::io::Write::write_fmt(
        &mut std::io::stderr(),
        format_args!("skipped: {} is not there\n", folder.display()),
    );
    None
}
