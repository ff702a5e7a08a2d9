//! Which image files there are, whatever the tree: as the archive gives them
//! (`<case>/<study>/<series>/1-1.dcm`, with UIDs or with words), as converted beside that, as folders
//! named by the series alone, or as files named by the case.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::table::Place;
use crate::walk;
use base::Notice;

/// Endings of image files; of files that are otherwise alike the first in this order is taken.
const ENDINGS: [&str; 7] = ["dcm", "png", "tif", "tiff", "pgm", "jpg", "jpeg"];

/// An image file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Member {
    /// Number of its ending.
    ending: usize,
    /// Path within the data set, with `/` on every system.
    pub(super) place: String,
    pub(super) path: PathBuf,
}

/// All image files by the names that tables use for them.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) members: Vec<Member>,
    /// Indices of files by a case or series in their paths.
    by_name: BTreeMap<String, Vec<usize>>,
    /// What could not be listed.
    pub(super) notices: Vec<Notice>,
}

impl Listing {
    pub(super) fn of(root: &Path) -> Self {
        let mut listing = Self::default();
        for entry in walk(root) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let place = error.path().map(|path| place(root, path)).unwrap_or_default();
                    let message = "cannot be listed; what it holds is left out".into();
                    listing.notices.push(Notice { place, message, skipped: true });
                    continue;
                }
            };
            let Some((stem, ending)) = entry.file_name().to_str().and_then(|n| n.rsplit_once('.'))
            else {
                continue;
            };
            let ending = ENDINGS.iter().position(|known| known.eq_ignore_ascii_case(ending));
            let Some(ending) = ending.filter(|_| entry.file_type().is_file()) else { continue };
            let place = place(root, entry.path());
            let index = listing.members.len();
            let folders = place.rsplit_once('/').map_or("", |(folders, _)| folders);
            for name in folders.split('/').chain([stem]).filter(|name| is_name(name)) {
                listing.by_name.entry(name.to_owned()).or_default().push(index);
            }
            listing.members.push(Member { ending, place, path: entry.path().to_owned() });
        }
        listing
    }

    /// The files of a place: those of its series, or else of its case.
    pub(super) fn files(&self, place: &Place) -> Vec<&Member> {
        let of = |name: &String| self.by_name.get(name);
        let found = place.series.as_ref().and_then(of).or_else(|| of(&place.case));
        let mut files: Vec<&Member> =
            found.into_iter().flatten().map(|&index| &self.members[index]).collect();
        files.sort();
        files
    }
}

/// Whether a name is that of a case or a UID.
fn is_name(name: &str) -> bool {
    name.starts_with("Mass-")
        || name.starts_with("Calc-")
        || name.contains('.') && name.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

fn place(root: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}
