//! Files that come with the program: what lies below `content/` and `themes/` in its source.
//!
//! The root package compiles them in and hands them down once, at start; tests hand down those of the
//! tree they test. So no crate reaches out of its own folder.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use anyhow::{Context, Result};

/// A file's path in the source of the program, with `/`, such as `content/lexicons/anatomy.yaml`; and
/// what it holds.
pub type File = (String, &'static [u8]);

static FILES: OnceLock<BTreeMap<String, &'static [u8]>> = OnceLock::new();

/// Makes the files known to all crates. The first call counts; later ones do not look at theirs.
pub fn hand_down<Files: IntoIterator<Item = File>>(files: impl FnOnce() -> Files) {
    FILES.get_or_init(|| files().into_iter().collect());
}

fn files() -> Result<&'static BTreeMap<String, &'static [u8]>> {
    FILES.get().context(
        "the files that come with the program are missing: it must start with \
         `base::shipped::hand_down`",
    )
}

/// A file by its path in the source of the program.
///
/// # Errors
/// When the program came without it.
pub fn file(path: &str) -> Result<&'static [u8]> {
    let file = files()?.get(path).copied();
    file.with_context(|| format!("{path} does not come with this program"))
}

/// A text by its path in the source of the program.
///
/// # Errors
/// When the program came without it, or it is not UTF-8.
pub fn text(path: &str) -> Result<&'static str> {
    std::str::from_utf8(file(path)?).with_context(|| format!("{path} is not UTF-8 text"))
}

/// The files below a folder, by their path in it, in the order of their paths.
///
/// # Errors
/// When no files were handed down.
pub fn below(folder: &str) -> Result<impl Iterator<Item = (&'static str, &'static [u8])>> {
    let inside = move |path: &'static String| path.strip_prefix(folder)?.strip_prefix('/');
    Ok(files()?.iter().filter_map(move |(path, bytes)| Some((inside(path)?, *bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_there_once_they_were_handed_down() {
        let says = |error: anyhow::Error| error.to_string();
        assert!(says(file("a/b.txt").unwrap_err()).contains("hand_down"));
        let of = |path: &str, bytes| (path.to_owned(), bytes);
        hand_down(|| [of("a/b.txt", &b"one"[..]), of("ab/c", b"\xff"), of("a/a/d", b"")]);
        hand_down(|| [of("a/b.txt", &b"two"[..])]);
        assert_eq!(text("a/b.txt").unwrap(), "one");
        assert_eq!(says(text("ab/c").unwrap_err()), "ab/c is not UTF-8 text");
        assert_eq!(says(file("b.txt").unwrap_err()), "b.txt does not come with this program");
        let below: Vec<_> = below("a").unwrap().map(|(path, _)| path).collect();
        assert_eq!(below, ["a/d", "b.txt"]);
    }
}
