//! Fonts for letters that the compiled-in one lacks: those that were given by name first, then those that
//! the machine has. Nothing is looked for until a letter is missing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use ttf_parser::{Face, name_id};

use base::input;

/// Largest file that is looked into: fonts of all Chinese, Japanese and Korean letters have 20 to 120 MB.
const LARGEST: u64 = 256 << 20;
/// How deep folders of fonts are searched.
const DEPTH: usize = 6;

/// A font, kept as long as the program runs.
pub(super) struct Font {
    pub(super) bytes: &'static [u8],
    /// Its place in a collection.
    pub(super) index: u32,
    pub(super) face: Face<'static>,
}

#[derive(Default)]
struct Known {
    /// Files that were given, in their order.
    given: Vec<(PathBuf, Vec<&'static Font>)>,
    /// Fonts of the machine that were needed.
    loaded: Vec<(PathBuf, u32, &'static Font)>,
    /// What was found for letters, or that nothing was.
    letters: HashMap<char, Option<&'static Font>>,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

/// Letters that a font of the machine has.
struct Candidate {
    path: PathBuf,
    index: u32,
    /// Upright and of usual weight and width, and not of one width: then preferred.
    plain: bool,
    /// First and last code point of each run.
    runs: Vec<(u32, u32)>,
}

/// The machine's fonts, the plain ones first, by their files' names.
static MACHINE: LazyLock<Vec<Candidate>> = LazyLock::new(|| {
    let mut found: Vec<Candidate> =
        folders().iter().flat_map(|folder| candidates(folder)).collect();
    found.sort_by(|a, b| (!a.plain, &a.path, a.index).cmp(&(!b.plain, &b.path, b.index)));
    found
});

/// Lets letters that the compiled-in font lacks come from a file (.ttf, .otf, .ttc), before the fonts of
/// the machine.
///
/// # Errors
/// When it cannot be read or is no font with outlines.
pub fn give(path: &Path) -> Result<()> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.given.iter().any(|(other, _)| other == path) {
        return Ok(());
    }
    let bytes = input::read(path, LARGEST)
        .with_context(|| format!("the font {} cannot be read", path.display()))?;
    let count = ttf_parser::fonts_in_collection(&bytes).unwrap_or(1);
    let bytes: &'static [u8] = Box::leak(bytes.into_boxed_slice());
    let fonts: Vec<&'static Font> = (0..count).filter_map(|index| font(bytes, index)).collect();
    if fonts.is_empty() {
        bail!("{} is no font with outlines (.ttf, .otf, .ttc)", path.display());
    }
    known.given.push((path.to_owned(), fonts));
    // What was found before, or not found, may come from this file now.
    known.letters.clear();
    Ok(())
}

fn font(bytes: &'static [u8], index: u32) -> Option<&'static Font> {
    let face = Face::parse(bytes, index).ok().filter(is_usable)?;
    Some(Box::leak(Box::new(Font { bytes, index, face })))
}

/// Whether a font has outlines, and the names without which none is drawn from.
fn is_usable(face: &Face) -> bool {
    let tables = face.tables();
    let named = |id| face.names().into_iter().any(|name| name.name_id == id && name.is_unicode());
    (tables.glyf.is_some() || tables.cff.is_some())
        && named(name_id::FAMILY)
        && named(name_id::POST_SCRIPT_NAME)
}

/// The font that a letter comes from.
pub(super) fn font_of(c: char) -> Option<&'static Font> {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(found) = known.letters.get(&c) {
        return *found;
    }
    let has = |font: &&'static Font| font.face.glyph_index(c).is_some();
    let given = known.given.iter().flat_map(|(_, fonts)| fonts).copied().find(has);
    let found = given.or_else(|| known.of_machine(c));
    known.letters.insert(c, found);
    found
}

impl Known {
    fn of_machine(&mut self, c: char) -> Option<&'static Font> {
        let code = u32::from(c);
        let holds = |candidate: &&Candidate| {
            let at = candidate.runs.partition_point(|(_, last)| *last < code);
            candidate.runs.get(at).is_some_and(|(first, _)| *first <= code)
        };
        // Always the first that has it: which letters were looked for before decides nothing.
        let candidate = MACHINE.iter().find(holds)?;
        let same = |(path, index, _): &&(PathBuf, u32, &'static Font)| {
            (path, *index) == (&candidate.path, candidate.index)
        };
        if let Some((.., font)) = self.loaded.iter().find(same) {
            return Some(font);
        }
        let bytes = input::read(&candidate.path, LARGEST).ok()?;
        let font = font(Box::leak(bytes.into_boxed_slice()), candidate.index)?;
        self.loaded.push((candidate.path.clone(), candidate.index, font));
        Some(font)
    }
}

/// The fonts that letters came from so far.
pub(super) fn in_use() -> Vec<&'static Font> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = known.given.iter().flat_map(|(_, fonts)| fonts).copied();
    given.chain(known.loaded.iter().map(|(.., font)| *font)).collect()
}

/// Where systems keep their fonts.
fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = [
        "/usr/share/fonts",
        "/usr/local/share/fonts",
        "/System/Library/Fonts",
        "/Library/Fonts",
        "C:\\Windows\\Fonts",
    ]
    .map(PathBuf::from)
    .into();
    if let Some(home) = std::env::home_dir() {
        folders.extend([".fonts", ".local/share/fonts", "Library/Fonts"].map(|f| home.join(f)));
    }
    folders
}

/// The fonts below a folder.
fn candidates(folder: &Path) -> Vec<Candidate> {
    let files = walkdir::WalkDir::new(folder).max_depth(DEPTH).sort_by_file_name();
    let mut found = Vec::new();
    for file in files.into_iter().flatten() {
        let path = file.path();
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        let is_font = ["ttf", "otf", "ttc", "otc"].iter().any(|known| ending == *known);
        if !is_font || file.metadata().map_or(true, |meta| meta.len() > LARGEST) {
            continue;
        }
        let Ok(bytes) = std::fs::read(path) else { continue };
        let count = ttf_parser::fonts_in_collection(&bytes).unwrap_or(1);
        for index in 0..count {
            let Ok(face) = Face::parse(&bytes, index) else { continue };
            if !is_usable(&face) {
                continue;
            }
            let plain = face.is_regular()
                && !face.is_monospaced()
                && face.width() == ttf_parser::Width::Normal
                && face.weight() == ttf_parser::Weight::Normal;
            found.push(Candidate { path: path.to_owned(), index, plain, runs: runs(&face) });
        }
    }
    found
}

/// The code points that a font has glyphs for.
fn runs(face: &Face) -> Vec<(u32, u32)> {
    let mut codes = Vec::new();
    for table in face.tables().cmap.iter().flat_map(|cmap| cmap.subtables) {
        if table.is_unicode() {
            table.codepoints(|code| {
                if table.glyph_index(code).is_some() {
                    codes.push(code);
                }
            });
        }
    }
    codes.sort_unstable();
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for code in codes {
        match runs.last_mut() {
            Some((_, last)) if code <= *last + 1 => *last = code,
            _ => runs.push((code, code)),
        }
    }
    runs
}
