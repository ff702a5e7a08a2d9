//! `labels import`: answers from a survey's export or another reader's file into `content/labels/`.

use std::fmt;
use std::path::{Path, PathBuf};

use serde_yaml::Location;

use super::answer::{Answer, ReaderFile};
use super::labels::{Dissected, Problem, Read, Severity, check, read};
use super::time;
use crate::artifact;
use crate::lexicon::Lexicons;
use crate::yaml::{Mistake, Text};

/// What an import did to one reader's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// The reader.
    pub reader: String,
    /// The reader's file.
    pub path: PathBuf,
    /// Units answered for the first time.
    pub added: usize,
    /// Units whose answer was superseded.
    pub replaced: usize,
    /// Units whose answer was there already, or a later one.
    pub kept: usize,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Per reader, in the order of the imported files.
    pub readers: Vec<Merged>,
    /// Things to look at that did not prevent the import.
    pub warnings: Vec<Problem>,
}

/// Why nothing was imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Everything that is wrong.
    pub problems: Vec<Problem>,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(f, "{problem}")?;
        }
        f.write_str("nothing was imported")
    }
}

impl std::error::Error for Refused {}

/// Merges readers' files (YAML or JSON) into `folder`, one `<reader>.yaml` each. Of two answers for
/// a unit the one with the later `answered_at` stands; one without a time gives way to one with a
/// time; otherwise the imported one stands. A file that would not change is not touched; one that
/// does is written anew, without its comments.
///
/// # Errors
/// When anything in the files, or in the readers' existing files, is wrong, or a file cannot be
/// written. Nothing is written unless every file can be imported.
pub fn import(
    files: &[PathBuf],
    folder: &Path,
    layers: &[Dissected],
    lexicons: &Lexicons,
) -> Result<Report, Refused> {
    import_read(files.iter().map(|path| Read::open(path)), folder, layers, lexicons)
}

/// As [`import`], of files that were read before.
///
/// # Errors
/// As [`import`].
pub fn import_read(
    files: impl Iterator<Item = Result<Read, Mistake>>,
    folder: &Path,
    layers: &[Dissected],
    lexicons: &Lexicons,
) -> Result<Report, Refused> {
    let mut problems = Vec::new();
    let mut report = Report::default();
    let mut imports: Vec<(PathBuf, ReaderFile)> = Vec::new();
    for read in files {
        match read {
            Ok(read) => {
                // File by file: several files of one reader may be imported together.
                let checked = check(std::slice::from_ref(&read), layers, lexicons);
                let (warnings, errors): (Vec<_>, Vec<_>) =
                    checked.problems.into_iter().partition(|p| p.severity == Severity::Warning);
                report.warnings.extend(warnings);
                problems.extend(errors);
                imports.push((read.path().to_owned(), read.content()));
            }
            Err(mistake) => problems.push(error(mistake)),
        }
    }
    // Existing answers need not fit today's atlas, but they must be readable to be kept.
    let existing = read(folder);
    problems.extend(existing.problems);
    for (path, schema) in existing.files.iter().map(|f| (f.path(), f.content().schema)) {
        if schema != 1 {
            problems.push(error(about(path, format!("schema {schema} is unknown; expected 1"))));
        }
    }
    if !problems.is_empty() {
        return Err(Refused { problems });
    }
    let mut targets: Vec<(PathBuf, ReaderFile, bool)> =
        existing.files.iter().map(|f| (f.path().to_owned(), f.content(), false)).collect();
    for (path, import) in imports {
        match merge(&path, import, folder, &mut targets) {
            Ok(merged) => add(&mut report.readers, merged),
            Err(mistake) => problems.push(error(mistake)),
        }
    }
    let mut texts = Vec::new();
    for (path, file, _) in targets.iter().filter(|(_, _, changed)| *changed) {
        match render(file, path) {
            Ok(text) => texts.push((path, text)),
            Err(mistake) => problems.push(error(mistake)),
        }
    }
    if !problems.is_empty() {
        return Err(Refused { problems });
    }
    for (path, text) in texts {
        artifact::write(path, text.as_bytes()).map_err(|failure| Refused {
            problems: vec![error(about(path, format!("{failure:#}")))],
        })?;
    }
    Ok(report)
}

fn error(mistake: Mistake) -> Problem {
    Problem { mistake, severity: Severity::Error }
}

/// A mistake that concerns a whole file.
fn about(path: &Path, message: String) -> Mistake {
    Text { path, text: "" }.mistake(Location::UNKNOWN, message)
}

/// Adds up what several files did to one reader.
fn add(readers: &mut Vec<Merged>, new: Merged) {
    match readers.iter_mut().find(|merged| merged.path == new.path) {
        Some(merged) => {
            merged.added += new.added;
            merged.replaced += new.replaced;
            merged.kept += new.kept;
        }
        None => readers.push(new),
    }
}

/// Merges one file into its reader's, in memory.
fn merge(
    from: &Path,
    import: ReaderFile,
    folder: &Path,
    targets: &mut Vec<(PathBuf, ReaderFile, bool)>,
) -> Result<Merged, Mistake> {
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    let slot = match targets.iter().position(|(_, file, _)| same(&file.reader, &import.reader)) {
        Some(slot) => slot,
        None => {
            let path = folder.join(file_name(&import.reader));
            if let Some((_, other, _)) = targets.iter().find(|(other, _, _)| *other == path) {
                let message = format!(
                    "the reader `{}` would share the file {} with the reader `{}`; rename one",
                    import.reader,
                    path.display(),
                    other.reader
                );
                return Err(about(from, message));
            }
            targets.push((path, ReaderFile { answers: Vec::new(), ..import.clone() }, true));
            targets.len() - 1
        }
    };
    let (path, file, changed) = &mut targets[slot];
    for (key, old, new) in
        [("study", &file.study, &import.study), ("lexicon", &file.lexicon, &import.lexicon)]
    {
        if old != new {
            let message = format!(
                "`{key}` is `{new}`, but {} of the same reader has `{old}`; a reader's answers \
                 belong to one {key}",
                path.display()
            );
            return Err(about(from, message));
        }
    }
    let mut merged =
        Merged { reader: file.reader.clone(), path: path.clone(), added: 0, replaced: 0, kept: 0 };
    for answer in import.answers {
        let same = |old: &&mut Answer| old.unit == answer.unit && old.repeat == answer.repeat;
        match file.answers.iter_mut().find(same) {
            Some(old) if *old == answer || time_of(old) > time_of(&answer) => merged.kept += 1,
            Some(old) => {
                *old = answer;
                merged.replaced += 1;
                *changed = true;
            }
            None => {
                file.answers.push(answer);
                merged.added += 1;
                *changed = true;
            }
        }
    }
    Ok(merged)
}

/// When it was answered; an answer without a time counts as older than any with one.
fn time_of(answer: &Answer) -> Option<i128> {
    answer.answered_at.as_deref().and_then(time::nanoseconds)
}

/// `<reader>.yaml`, with `-` for every character that some file system or shell minds.
pub(crate) fn file_name(reader: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
    let name: String =
        reader.trim().to_lowercase().chars().map(|c| if safe(c) { c } else { '-' }).collect();
    let name: String = name.trim_matches(['.', '-']).chars().take(64).collect();
    match name.as_str() {
        "" => "reader.yaml".to_owned(),
        // Devices on Windows, whatever the extension.
        "con" | "prn" | "aux" | "nul" => format!("reader-{name}.yaml"),
        name => format!("{name}.yaml"),
    }
}

/// Whether a reader's file can be put into YAML and read back as the same.
///
/// # Errors
/// When it cannot.
pub(crate) fn writable(file: &ReaderFile, path: &Path) -> Result<(), Mistake> {
    render(file, path).map(drop)
}

/// The file's text, and proof that it reads back as the same answers.
fn render(file: &ReaderFile, path: &Path) -> Result<String, Mistake> {
    let options = serde_yaml::ser_options! { prefer_block_scalars: false };
    let text = serde_yaml::to_string_with_options(file, options)
        .map_err(|failure| about(path, format!("cannot be put into YAML: {failure}")))?;
    match Read::parse(text.clone(), path)?.content() == *file {
        true => Ok(text),
        false => Err(about(path, "cannot be put into YAML without loss".to_owned())),
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
