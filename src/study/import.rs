//! `labels import`: answers from a survey's export, a table or the paper's server into
//! `content/labels/`, one file per reader. Nothing is lost: an answer that a later one takes the place
//! of is kept as superseded.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_yaml::Location;
use unicode_normalization::UnicodeNormalization;

use super::answer::{Answer, ReaderFile};
use super::code::Codes;
use super::labels::{Dissected, Labels, Problem, Read, Severity, check, is_same, read};
use super::reading::{self, Given};
use base::artifact::{self, Writing};
use base::yaml::{Mistake, Text};
use lexicon::Lexicons;

/// An answer that an import changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The answer that stands now.
    pub now: Answer,
    /// The one that stood before; none where the unit was not answered.
    pub before: Option<Answer>,
}

/// What an import did to one reader's file.
#[derive(Debug, Clone, PartialEq)]
pub struct Merged {
    /// The reader.
    pub reader: String,
    /// The reader's file.
    pub path: PathBuf,
    /// Answers that are new or took the place of others.
    pub changes: Vec<Change>,
    /// Imported answers that were there already.
    pub kept: usize,
    /// Imported answers that a later one had already taken the place of, new to the history.
    pub older: usize,
    /// Whether what the reader said of themselves is new.
    pub about: bool,
}

impl Merged {
    /// Units answered for the first time.
    pub fn added(&self) -> usize {
        self.changes.iter().filter(|change| change.before.is_none()).count()
    }

    /// Units whose answer was superseded.
    pub fn replaced(&self) -> usize {
        self.changes.len() - self.added()
    }
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Default)]
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

/// Merges files of answers into `folder`, one `<reader>.yaml` each. Of two answers for a unit the later
/// stands ([`Answer::moment`]); one without a time gives way to one with a time; otherwise the imported
/// one stands. The other is kept as superseded. Copies of an answer are one answer, received when the
/// first of them was. A file that would not change is not touched;
/// one that does is written anew, without its comments.
///
/// # Errors
/// When anything in the files, or in the readers' existing files, is wrong, they belong to different
/// studies, or a file cannot be written. Nothing is written unless every file can be imported.
pub fn import(
    files: &[PathBuf],
    folder: &Path,
    given: &Given,
    codes: &Codes,
    layers: &[Dissected],
    lexicons: &Lexicons,
) -> Result<Report, Refused> {
    let study = || read(folder).files.first().map(|file| file.content().study);
    let given = Given { study: given.study.clone().or_else(study), ..given.clone() };
    let reads = files.iter().map(|path| match reading::open(path, &given, layers) {
        Ok(reads) => Ok(reads.into_iter().map(|read| read.decoded(codes)).collect()),
        Err(mistake) => Err(mistake),
    });
    // What killed imports have left is in nobody's way; where it cannot go, neither can the answers be written.
    let _ = artifact::tidy(folder);
    import_read(reads, folder, read(folder), layers, lexicons)
}

/// As [`import`], of answers that were read before, file by file, beside what is there already.
///
/// # Errors
/// As [`import`].
pub fn import_read(
    files: impl Iterator<Item = Result<Vec<Read>, Mistake>>,
    folder: &Path,
    existing: Labels,
    layers: &[Dissected],
    lexicons: &Lexicons,
) -> Result<Report, Refused> {
    let mut problems = Vec::new();
    let mut report = Report::default();
    // Existing answers need not fit today's atlas, but they must be readable to be kept.
    problems.extend(existing.problems);
    let mut targets: Vec<(PathBuf, ReaderFile)> = Vec::new();
    for file in &existing.files {
        let content = file.content();
        if content.schema != 1 {
            let message = format!("schema {} is unknown; expected 1", content.schema);
            problems.push(error(about(file.path(), message)));
        }
        targets.push((file.path().to_owned(), content));
    }
    let before = targets.clone();
    let mut study: Option<(String, PathBuf)> =
        targets.first().map(|(path, file)| (file.study.clone(), path.clone()));
    let mut imports: Vec<(PathBuf, ReaderFile)> = Vec::new();
    for reads in files {
        let reads = match reads {
            Ok(reads) => reads,
            Err(mistake) => {
                problems.push(error(mistake));
                continue;
            }
        };
        for read in reads {
            // One by one: several files of one reader may be imported together.
            let checked = check(std::slice::from_ref(&read), layers, lexicons);
            let (warnings, errors): (Vec<_>, Vec<_>) =
                checked.problems.into_iter().partition(|p| p.severity == Severity::Warning);
            report.warnings.extend(warnings);
            problems.extend(errors);
            let (path, content) = (read.path().to_owned(), read.content());
            let (known, source) =
                study.get_or_insert_with(|| (content.study.clone(), path.clone()));
            if content.study.trim() != known.trim() {
                let message = format!(
                    "belongs to the study `{}`, but {} to `{known}`; one atlas holds one study",
                    content.study,
                    source.display()
                );
                problems.push(error(about(&path, message)));
            }
            imports.push((path, content));
        }
    }
    if !problems.is_empty() {
        return Err(Refused { problems });
    }
    // Per target, how many answers were imported into it.
    let mut taken: BTreeMap<PathBuf, Vec<Answer>> = BTreeMap::new();
    for (path, import) in imports {
        match target(&path, &import, folder, &mut targets) {
            Ok(slot) => {
                let (path, file) = &mut targets[slot];
                taken.entry(path.clone()).or_default().extend(import.answers.iter().cloned());
                merge(file, import);
            }
            Err(mistake) => problems.push(error(mistake)),
        }
    }
    let mut texts = Vec::new();
    for (path, file) in &targets {
        let old = before.iter().find(|(other, _)| other == path).map(|(_, file)| file);
        if let Some(taken) = taken.get(path) {
            report.readers.push(difference(path, old, file, taken));
        }
        if old == Some(file) {
            continue;
        }
        match render(file, path) {
            Ok(text) => texts.push((path, text)),
            Err(mistake) => problems.push(error(mistake)),
        }
    }
    if !problems.is_empty() {
        return Err(Refused { problems });
    }
    let failed = |failure: anyhow::Error| Refused {
        problems: vec![error(about(folder, format!("{failure:#}")))],
    };
    let _writing = match texts.is_empty() {
        true => None,
        false => Some(Writing::into(folder).map_err(failed)?),
    };
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

/// The place among `targets` of the file that an import belongs to, a new one where the reader has
/// none.
fn target(
    from: &Path,
    import: &ReaderFile,
    folder: &Path,
    targets: &mut Vec<(PathBuf, ReaderFile)>,
) -> Result<usize, Mistake> {
    let own = |(_, file): &(PathBuf, ReaderFile)| is_same(&file.reader, &import.reader);
    let Some(slot) = targets.iter().position(own) else {
        let path = folder.join(file_name(&import.reader));
        if let Some((_, other)) = targets.iter().find(|(other, _)| *other == path) {
            let message = format!(
                "the reader `{}` would share the file {} with the reader `{}`; rename one",
                import.reader,
                path.display(),
                other.reader
            );
            return Err(about(from, message));
        }
        let empty = ReaderFile { answers: Vec::new(), superseded: Vec::new(), ..import.clone() };
        targets.push((path, empty));
        return Ok(targets.len() - 1);
    };
    let (path, file) = &targets[slot];
    if file.lexicon != import.lexicon {
        let message = format!(
            "`lexicon` is `{}`, but {} of the same reader has `{}`; a reader's answers belong to one \
             lexicon",
            import.lexicon,
            path.display(),
            file.lexicon
        );
        return Err(about(from, message));
    }
    Ok(slot)
}

/// What answers are told apart by.
fn key(answer: &Answer) -> (&str, bool) {
    (&answer.unit, answer.repeat)
}

/// Merges one file into its reader's, in memory: first what it had superseded itself, then its answers.
fn merge(file: &mut ReaderFile, import: ReaderFile) {
    if let Some(about) = import.about {
        file.about = Some(about.or_later(file.about.take()));
    }
    for mut answer in import.superseded.into_iter().chain(import.answers) {
        let put_back = share_receipt(file, &mut answer);
        let Some(stands) = file.answers.iter_mut().find(|old| key(old) == key(&answer)) else {
            file.answers.push(answer);
            continue;
        };
        if *stands == answer {
            if put_back {
                let later = |known: &&mut Answer| {
                    key(known) == key(stands) && known.moment() > stands.moment()
                };
                let latest =
                    file.superseded.iter_mut().filter(later).max_by_key(|known| known.moment());
                latest.into_iter().for_each(|latest| std::mem::swap(stands, latest));
            }
            continue;
        }
        let older = if stands.moment() > answer.moment() {
            answer
        } else {
            std::mem::replace(stands, answer)
        };
        file.superseded.retain(|known| known != stands && *known != older);
        file.superseded.push(older);
    }
    file.superseded.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| a.moment().cmp(&b.moment())));
}

/// Lets the copies of an answer, and the answer itself, know of the first time that a server received one.
/// Returns whether that changed any of the file.
fn share_receipt(file: &mut ReaderFile, answer: &mut Answer) -> bool {
    let known = file.answers.iter_mut().chain(&mut file.superseded);
    let mut copies: Vec<&mut Answer> = known.filter(|known| known.is_copy_of(answer)).collect();
    let received = copies.iter().map(|copy| &**copy).chain([&*answer]);
    let first =
        received.filter(|copy| copy.received().is_some()).min_by_key(|copy| copy.received());
    let first = first.and_then(|copy| copy.received_at.clone());
    let changed = copies.iter().any(|copy| copy.received_at != first);
    for copy in &mut copies {
        copy.received_at.clone_from(&first);
    }
    answer.received_at = first;
    changed
}

/// What happened to a reader's file.
fn difference(path: &Path, old: Option<&ReaderFile>, new: &ReaderFile, taken: &[Answer]) -> Merged {
    let answers = old.map_or(&[][..], |old| &old.answers);
    let before: BTreeMap<_, &Answer> = answers.iter().map(|answer| (key(answer), answer)).collect();
    let mut changes = Vec::new();
    for now in &new.answers {
        let before = before.get(&key(now)).copied();
        if before.is_none_or(|before| !before.is_copy_of(now)) {
            changes.push(Change { now: now.clone(), before: before.cloned() });
        }
    }
    let history = old.map_or(&[][..], |old| &old.superseded);
    let known = |answer: &Answer| {
        let before = before.get(&key(answer)).copied();
        history.iter().chain(before).any(|old| old.is_copy_of(answer))
    };
    let older = new.superseded.iter().filter(|answer| !known(answer)).count();
    let kept = taken.iter().filter(|answer| known(answer)).count();
    let about = new.about.is_some() && old.is_none_or(|old| old.about != new.about);
    Merged { reader: new.reader.clone(), path: path.to_owned(), changes, kept, older, about }
}

/// `<reader>.yaml` in the letters of whatever script, composed (NFC), with `-` for every character that
/// some file system or shell minds.
pub fn file_name(reader: &str) -> String {
    /// Characters, and bytes of them: with the ending a name has at most 255.
    const LONGEST: (usize, usize) = (64, 200);
    let safe = |c: char| match c {
        '-' | '_' | '.' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        // Letters and the marks on them, but nothing that is not seen or turns the direction.
        c => !c.is_whitespace() && !c.is_control() && !is_format(c),
    };
    let lower = reader.trim().to_lowercase();
    let name: String = lower.nfc().map(|c| if safe(c) { c } else { '-' }).collect();
    let mut bytes = 0;
    let fits = |c: &char| {
        bytes += c.len_utf8();
        bytes <= LONGEST.1
    };
    let name: String =
        name.trim_matches(['.', '-']).chars().take(LONGEST.0).take_while(fits).collect();
    match name.as_str() {
        "" => "reader.yaml".to_owned(),
        // Devices on Windows, whatever the extension.
        "con" | "prn" | "aux" | "nul" => format!("reader-{name}.yaml"),
        name => format!("{name}.yaml"),
    }
}

/// Characters without a shape of their own: joiners, marks of direction, tags, private ones.
fn is_format(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{61c}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{ffff}'
            | '\u{e0000}'..
    )
}

/// Whether a reader's file can be put into YAML and read back as the same.
///
/// # Errors
/// When it cannot.
pub fn writable(file: &ReaderFile, path: &Path) -> Result<(), Mistake> {
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
