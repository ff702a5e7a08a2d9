//! What lies where: the folders of the original tree, `<category>/<volume>/<case>/`, or any part of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::scan::{Format, Scan};
use crate::walk;
use base::Notice;

/// A folder with files of DDSM.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    /// Path within the data set.
    pub(super) place: String,
    /// Name of the folder above it, such as `cancer_04`.
    pub(super) volume: Option<String>,
    /// `.ics` files by their stems.
    pub(super) cases: BTreeMap<String, Member>,
    /// `.OVERLAY` files by the views they belong to.
    pub(super) overlays: BTreeMap<String, Member>,
    /// Thumbnails of whole cases, by the names of the cases.
    pub(super) tapes: BTreeMap<String, Member>,
    /// Images by the views they show.
    pub(super) scans: BTreeMap<String, Scan>,
}

/// A text file.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) path: PathBuf,
    /// Path within the data set.
    pub(super) place: String,
}

/// Every folder with a file of DDSM, in the order of their paths, and what could not be listed.
pub(super) fn list(root: &Path) -> (Vec<Folder>, Vec<Notice>) {
    let mut folders: BTreeMap<PathBuf, Folder> = BTreeMap::new();
    let mut notices = Vec::new();
    for entry in walk(root) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let at = error.path().map(|path| place(root, path)).unwrap_or_default();
                let reason =
                    error.io_error().map_or("a link that leads back".into(), |e| e.to_string());
                let message = format!("cannot be listed: {reason}; what it holds is left out");
                notices.push(Notice { place: at, message, skipped: true });
                continue;
            }
        };
        let Some(name) = entry.file_name().to_str() else { continue };
        let Some((stem, kind)) = kind(name) else { continue };
        if !entry.file_type().is_file() {
            continue;
        }
        let path = entry.path();
        let Some(parent) = path.parent() else { continue };
        let folder = folders.entry(parent.to_owned()).or_insert_with(|| Folder {
            place: place(root, parent),
            volume: parent.strip_prefix(root).ok().and_then(|inner| {
                Some(inner.parent()?.file_name()?.to_string_lossy().into_owned())
            }),
            ..Folder::default()
        });
        let member = Member { path: path.to_owned(), place: place(root, path) };
        match kind {
            Kind::Case => drop(folder.cases.insert(stem.into(), member)),
            Kind::Overlay => drop(folder.overlays.insert(stem.into(), member)),
            Kind::Tape => drop(folder.tapes.insert(stem.into(), member)),
            Kind::Scan(format) => {
                let Member { path, place } = member;
                let scan = Scan { path, place, format };
                let best = folder.scans.entry(stem.into()).or_insert_with(|| scan.clone());
                if format < best.format {
                    *best = scan;
                }
            }
        }
    }
    // Pictures alone are of no concern.
    let concerns = |f: &Folder| {
        let original = f.scans.values().any(|scan| scan.format == Format::Ljpeg);
        original || !f.cases.is_empty() || !f.overlays.is_empty()
    };
    (folders.into_values().filter(concerns).collect(), notices)
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Case,
    Overlay,
    /// `TAPE_<case>.COMB.16_PGM`.
    Tape,
    Scan(Format),
}

/// The stem and the kind of a file: `A_0002_1.LEFT_CC` and the rest. Converted images may keep the
/// ending of what they were converted from: `A_0002_1.LEFT_CC.LJPEG.1.jpg`.
fn kind(name: &str) -> Option<(&str, Kind)> {
    let name = without(name, "gz");
    let (stem, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    let kind = match ending.as_str() {
        "ics" => Kind::Case,
        "overlay" => Kind::Overlay,
        "16_pgm" => Kind::Tape,
        other => Kind::Scan(Format::of(other)?),
    };
    let stem = match kind {
        Kind::Scan(_) => without(without(stem, "1"), "ljpeg"),
        Kind::Tape => without(stem.strip_prefix("TAPE_")?, "comb"),
        _ => stem,
    };
    (!stem.is_empty()).then_some((stem, kind))
}

/// A name without an ending, if it has it.
fn without<'a>(name: &'a str, ending: &str) -> &'a str {
    match name.rsplit_once('.') {
        Some((stem, last)) if last.eq_ignore_ascii_case(ending) => stem,
        _ => name,
    }
}

/// A path within the data set, with `/` on every system.
fn place(root: &Path, path: &Path) -> String {
    let inner = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = inner.iter().map(|part| part.to_string_lossy()).collect();
    if parts.is_empty() { ".".into() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_endings() {
        let image = "A_0002_1.LEFT_CC";
        for (name, expected) in [
            ("A_0002_1.LEFT_CC.LJPEG", Some((image, Kind::Scan(Format::Ljpeg)))),
            ("A_0002_1.LEFT_CC.LJPEG.gz", Some((image, Kind::Scan(Format::Ljpeg)))),
            ("A_0002_1.LEFT_CC.png", Some((image, Kind::Scan(Format::Png)))),
            ("A_0002_1.LEFT_CC.LJPEG.1.JPG", Some((image, Kind::Scan(Format::Jpeg)))),
            ("A_0002_1.LEFT_CC.OVERLAY", Some((image, Kind::Overlay))),
            ("A_0002_1.LEFT_CC.OVERLAY.GZ", Some((image, Kind::Overlay))),
            ("A-0002-1.ics", Some(("A-0002-1", Kind::Case))),
            ("TAPE_A_0002_1.COMB.16_PGM", Some(("A_0002_1", Kind::Tape))),
            ("A_0002_1.LEFT_CC.tif", Some((image, Kind::Scan(Format::Tiff)))),
            ("A_0002_1.COMB.16_PGM", None),
            ("A_0002_1.LEFT_CC.LJPEG.1", None),
            ("notes.txt", None),
            (".png", None),
        ] {
            assert_eq!(kind(name), expected, "{name}");
        }
    }
}
