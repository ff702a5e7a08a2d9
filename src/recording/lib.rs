//! Activations that were recorded elsewhere, of networks that unit-atlas cannot run.
//!
//! In: a folder with `activations.yaml` ([`Header`]) and parts, files of safetensors, each with some of the
//! patches. Out: maps, logits and contributions of the patches that are asked for ([`Shown`]), read from the
//! disk when they are asked for, and refused with their place where they are not what the header says.
//!
//! A part holds, of the patches that its metadata names in the order of the rows, by
//! [`PATCHES`] and, where given, with what their pixels were, by [`PIXELS`]:
//!
//! - `logits`, `[patches, outputs]`;
//! - `maps/<layer>`, `[patches, units, rows, columns]`, for each layer;
//! - `contributions/<layer>`, `[patches, outputs, units]`, for each layer of which the header says so: the
//!   gradient of the output by the map times the map, summed over the locations.

mod part;
mod shown;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

pub use self::part::{CONTRIBUTIONS, LOGITS, MAPS, PATCHES, PIXELS};
pub use self::shown::Shown;

use self::part::Part;
use config::{Header, RECORDING};

/// How a part's name ends.
const ENDING: &str = "safetensors";

/// A folder of recorded activations whose parts fit together. Of their tensors nothing is held in memory.
#[derive(Debug)]
pub struct Recording {
    folder: PathBuf,
    header: Header,
    parts: Vec<Part>,
    /// By the name of the patch.
    places: HashMap<String, Place>,
}

/// Where a patch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    part: u32,
    row: u32,
}

impl Recording {
    /// Opens a folder, and looks at the shapes of everything in it.
    ///
    /// # Errors
    /// When nothing is recorded there yet, a file cannot be read, or something is not what the header says: names
    /// the file, the tensor, what was expected and what was found.
    pub fn open(folder: &Path) -> Result<Self> {
        let header = Header::find(folder)?.with_context(|| {
            format!(
                "nothing is recorded in {}: it has no {RECORDING}, which is written when all patches are done",
                folder.display()
            )
        })?;
        let read = || format!("cannot read {}", folder.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).with_context(read)? {
            let path = entry.with_context(read)?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                files.push(path);
            }
        }
        files.sort();
        ensure!(
            !files.is_empty(),
            "{} has no parts: files of recorded patches that end in .{ENDING}",
            folder.display()
        );
        let mut parts = Vec::new();
        let mut places = HashMap::new();
        for (number, path) in (0..).zip(files) {
            let part = Part::open(&path, &header)?;
            for (row, name) in (0..).zip(part.patches()) {
                let place = Place { part: number, row };
                if let Some(Place { part: other, .. }) = places.insert(name.to_owned(), place) {
                    let own = match other == number {
                        true => "twice".to_owned(),
                        false => {
                            let other: &Part = &parts[other as usize];
                            format!("and so does {}", other.path().display())
                        }
                    };
                    bail!("{} has the patch {name}, {own}", path.display());
                }
            }
            parts.push(part);
        }
        Ok(Self { folder: folder.to_owned(), header, parts, places })
    }

    /// What was recorded.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every file of it: the header, then the parts in order.
    pub fn files(&self) -> Vec<PathBuf> {
        let parts = self.parts.iter().map(|part| part.path().to_owned());
        [self.folder.join(RECORDING)].into_iter().chain(parts).collect()
    }

    /// How many patches were recorded.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Rows of a tensor, one after another.
    fn rows(&self, tensor: &str, places: &[Place]) -> Result<Vec<f32>> {
        let mut values = Vec::new();
        let mut from = 0;
        while let Some(first) = places.get(from) {
            let same = places[from..].iter().take_while(|place| place.part == first.part).count();
            let rows: Vec<u32> = places[from..from + same].iter().map(|place| place.row).collect();
            self.parts[first.part as usize].read(tensor, &rows, &mut values)?;
            from += same;
        }
        Ok(values)
    }

    /// CRC-32 of a patch's pixels as the recorder read them, where it said.
    fn pixels(&self, place: Place) -> Option<u32> {
        self.parts[place.part as usize].pixels(place.row)
    }
}

#[cfg(test)]
#[allow(dead_code, reason = "its patches are used here, its network elsewhere")]
#[path = "../../tests/support/planted.rs"]
mod planted;
#[cfg(test)]
mod tests;
