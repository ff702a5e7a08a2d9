//! Readers' files: reading them from `content/labels/`, and holding them against the atlas and the
//! lexicons. A bad file or answer is a problem with its place and never hides the others.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_yaml::Location;

use super::answer::{ReaderFile, Recognizable};
use super::code::{self, Codes};
use super::form::{AnswerForm, Form};
use super::import::file_name;
use super::time;
use base::yaml::{self, Mistake, Text, nearest};
use base::{NotAUnit, UnitId};
use lexicon::Lexicons;

/// How much a problem costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The answer, or the whole file when it has no line, is left out.
    Error,
    /// Nothing is left out, but someone should look.
    Warning,
}

/// Something wrong with a reader's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What and where.
    pub mistake: Mistake,
    /// What it costs.
    pub severity: Severity,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.severity == Severity::Warning {
            f.write_str("warning: ")?;
        }
        self.mistake.fmt(f)
    }
}

/// A layer that was dissected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dissected {
    /// Network.
    pub network: String,
    /// Probe point.
    pub layer: String,
    /// How many units it has; they are numbered from 1.
    pub units: u32,
}

/// A reader's file as it was read, with the place of everything in it.
#[derive(Debug, Clone)]
pub struct Read {
    path: PathBuf,
    text: String,
    file: Form,
}

impl Read {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says, unchecked.
    pub fn content(&self) -> ReaderFile {
        self.file.content(self.file.answers.iter())
    }

    /// Reads one file, YAML or JSON.
    ///
    /// # Errors
    /// When it cannot be read, is too large or nested too deeply, is not YAML or JSON, has unknown,
    /// repeated or missing keys, or values of the wrong type.
    pub fn open(path: &Path) -> Result<Self, Mistake> {
        Self::parse(yaml::read(path)?, path)
    }

    /// Reads the text of a file; `path` names it in messages.
    ///
    /// # Errors
    /// As [`Read::open`].
    pub fn parse(text: String, path: &Path) -> Result<Self, Mistake> {
        let file = Text { path, text: &text }.parse()?;
        Ok(Self { path: path.to_owned(), text, file })
    }

    /// Puts the names of units where a blind survey wrote codes.
    #[must_use]
    pub fn decoded(mut self, codes: &Codes) -> Self {
        let Form { answers, superseded, .. } = &mut self.file;
        let names = answers.iter_mut().map(|answer| &mut answer.unit.value);
        for name in names.chain(superseded.iter_mut().map(|answer| &mut answer.unit)) {
            if let Some(unit) = codes.unit(name) {
                *name = unit.to_string();
            }
        }
        self
    }

    /// From a file of another form.
    pub(super) fn new(path: &Path, text: String, file: Form) -> Self {
        Self { path: path.to_owned(), text, file }
    }

    /// What is wrong with a file of another study than the project's survey asks for: nothing that readers send
    /// from now on fits it.
    pub fn of_another_study(&self, project: &str) -> Option<Problem> {
        let study = &self.file.study;
        let own = study.value.trim();
        (own != project && !own.is_empty()).then(|| {
            let message = format!(
                "belongs to the study `{own}`, but the survey is of `{project}`, so new answers will not \
                 fit; write `survey: {{ study: {own} }}` in atlas.yaml to go on with it"
            );
            self.problem(study.referenced, message, Severity::Warning)
        })
    }

    fn problem(&self, at: Location, message: impl Into<String>, severity: Severity) -> Problem {
        let text = Text { path: &self.path, text: &self.text };
        Problem { mistake: text.mistake(at, message), severity }
    }
}

/// Readers' files, and what could not be read.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Files that have the form of a reader's file, in the order of their names.
    pub files: Vec<Read>,
    /// Why others could not be read.
    pub problems: Vec<Problem>,
    /// These others.
    pub left_out: Vec<PathBuf>,
}

/// Reads every YAML and JSON file of the folder `content/labels`; none when there is no folder.
pub fn read(folder: &Path) -> Labels {
    let mut labels = Labels::default();
    for path in paths(folder, &mut labels.problems) {
        match Read::open(&path) {
            Ok(file) => labels.files.push(file),
            Err(mistake) => {
                labels.problems.push(Problem { mistake, severity: Severity::Error });
                labels.left_out.push(path);
            }
        }
    }
    labels
}

/// The files of a folder that may be readers', in the order of their names.
fn paths(folder: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let mut unlisted = |error: std::io::Error| {
        let mistake = Text { path: folder, text: "" }
            .mistake(Location::UNKNOWN, format!("the folder cannot be listed: {error}"));
        problems.push(Problem { mistake, severity: Severity::Error });
    };
    let mut paths = Vec::new();
    match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => unlisted(error),
        Ok(entries) => {
            for entry in entries {
                match entry {
                    Ok(entry) => paths.push(entry.path()),
                    Err(error) => unlisted(error),
                }
            }
        }
    }
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json"));
    paths.sort();
    paths
}

/// Whose the files of a folder are, for who asks again and again: only what has changed meanwhile is read again.
#[derive(Debug, Default)]
pub struct Owners(BTreeMap<PathBuf, Owner>);

#[derive(Debug)]
struct Owner {
    written: SystemTime,
    bytes: u64,
    reader: String,
}

impl Owners {
    /// As [`read`], but without the files of other readers, save one that has the name of this one's, and, where
    /// there is none of these, the first of the folder, which tells the study.
    pub fn read(&mut self, folder: &Path, reader: &str) -> Labels {
        let mut labels = Labels::default();
        let mut before = std::mem::take(&mut self.0);
        let mut first = None;
        let own = folder.join(file_name(reader));
        for path in paths(folder, &mut labels.problems) {
            let met = std::fs::metadata(&path).ok();
            let found = met.and_then(|met| Some((met.modified().ok()?, met.len())));
            let known = before.remove(&path);
            let known = known.filter(|known| found == Some((known.written, known.bytes)));
            first.get_or_insert_with(|| path.clone());
            let concerns = |name: &str| is_same(name, reader) || path == own;
            if known.as_ref().is_some_and(|known| !concerns(&known.reader)) {
                self.0.extend(known.map(|known| (path, known)));
                continue;
            }
            match Read::open(&path) {
                Ok(file) => {
                    let reader = file.file.reader.value.clone();
                    if concerns(&reader) {
                        labels.files.push(file);
                    }
                    let owner = found.map(|(written, bytes)| Owner { written, bytes, reader });
                    self.0.extend(owner.map(|owner| (path, owner)));
                }
                Err(mistake) => {
                    labels.problems.push(Problem { mistake, severity: Severity::Error });
                    labels.left_out.push(path);
                }
            }
        }
        if labels.files.is_empty() {
            labels.files.extend(first.and_then(|path| Read::open(&path).ok()));
        }
        labels
    }
}

/// Whether two names are one reader's: they differ in case or in blanks around them.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// Readers' files after a check.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The readers with the answers that hold, in the order of the files.
    pub readers: Vec<ReaderFile>,
    /// Everything that is wrong, in the order of the files and lines.
    pub problems: Vec<Problem>,
    /// Files of which nothing is used.
    pub left_out: Vec<PathBuf>,
}

impl Checked {
    /// Whether an answer, or a whole file, is left out.
    pub fn lacks(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == Severity::Error)
    }
}

/// Holds readers' files against the layers that were dissected and the lexicons.
///
/// Left out are: a file of another schema, of another study than the files before it, with an unknown
/// lexicon or of a reader who has a file already; an answer with an unknown unit or term, a second
/// answer for a unit that is no repeat, a confidence outside 1 to 5, phenomena where nothing is
/// recognised, or a time that is no RFC 3339 time; what a reader says of themselves, where a part of it
/// does not hold.
pub fn check(files: &[Read], layers: &[Dissected], lexicons: &Lexicons) -> Checked {
    let mut checked = Checked::default();
    let mut readers: BTreeMap<String, &Path> = BTreeMap::new();
    let mut studies: Vec<(&str, &Path)> = Vec::new();
    for read in files {
        let problems = &mut checked.problems;
        let mut refuse = |at: Location, message: String| {
            problems.push(read.problem(at, message, Severity::Error));
        };
        let Form { schema, study, reader, lexicon, about, answers, .. } = &read.file;
        if schema.value != 1 {
            refuse(schema.referenced, format!("schema {} is unknown; expected 1", schema.value));
            checked.left_out.push(read.path.clone());
            continue;
        }
        let mut whole = true;
        for (key, v) in [("study", study), ("reader", reader)] {
            if v.value.trim().is_empty() {
                refuse(v.referenced, format!("`{key}` is empty"));
                whole = false;
            }
        }
        let known = || lexicons.iter().map(|l| l.id.as_str());
        if !known().any(|id| id == lexicon.value) {
            let known: Vec<&str> = known().collect();
            refuse(lexicon.referenced, yaml::unknown("lexicon", &lexicon.value, &known));
            whole = false;
        }
        // Two names that differ in case or spaces are one person, and one file name.
        let key = reader.value.trim().to_lowercase();
        if let Some(other) = readers.get(&key) {
            refuse(
                reader.referenced,
                format!(
                    "the reader `{}` has a file already, {}; put the answers into one",
                    reader.value,
                    other.display()
                ),
            );
            whole = false;
        }
        match studies.first() {
            Some((first, other)) if *first != study.value.trim() => {
                let message = format!(
                    "belongs to the study `{}`, but {} to `{first}`; one atlas holds one study",
                    study.value,
                    other.display()
                );
                refuse(study.referenced, message);
                whole = false;
            }
            _ => {}
        }
        if !whole {
            checked.left_out.push(read.path.clone());
            continue;
        }
        studies.push((study.value.trim(), &read.path));
        readers.insert(key, &read.path);
        let mut seen: BTreeMap<(&str, bool), u64> = BTreeMap::new();
        let mut good = Vec::new();
        for answer in answers {
            let found = Context { read, layers, lexicons }.answer(answer);
            let mut holds = found.iter().all(|problem| problem.severity == Severity::Warning);
            checked.problems.extend(found);
            let unit = &answer.unit;
            let key = (unit.value.as_str(), answer.repeat);
            if let Some(&line) = seen.get(&key) {
                let twice = if answer.repeat { "repeated twice" } else { "answered twice" };
                let message = format!("`{}` is {twice}; the first is in line {line}", unit.value);
                checked.problems.push(read.problem(unit.referenced, message, Severity::Error));
                holds = false;
            }
            seen.entry(key).or_insert(unit.referenced.line());
            if holds {
                good.push(answer);
            }
        }
        for answer in answers.iter().filter(|answer| answer.repeat) {
            let unit = &answer.unit;
            if !seen.contains_key(&(unit.value.as_str(), false)) {
                let message = format!("`{}` is repeated, but has no first answer", unit.value);
                checked.problems.push(read.problem(unit.referenced, message, Severity::Warning));
            }
        }
        let mut content = read.file.content(good.into_iter());
        if let Some(about) = about
            && let Some(message) = about.value.mistake()
        {
            let message = format!("`about`: {message}");
            checked.problems.push(read.problem(about.referenced, message, Severity::Error));
            content.about = None;
        }
        checked.readers.push(content);
    }
    checked
}

struct Context<'a> {
    read: &'a Read,
    layers: &'a [Dissected],
    lexicons: &'a Lexicons,
}

impl Context<'_> {
    fn answer(&self, answer: &AnswerForm) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut add = |at: Location, message: String, severity| {
            problems.push(self.read.problem(at, message, severity));
        };
        let unit = &answer.unit;
        if let Err(message) = find_unit(&unit.value, self.layers) {
            add(unit.referenced, message, Severity::Error);
        }
        match (answer.recognizable.value, answer.phenomena.is_empty()) {
            (Recognizable::No, false) => add(
                answer.recognizable.referenced,
                "`recognizable` is no, yet `phenomena` describes some; make it yes or unsure, or \
                 remove them"
                    .to_owned(),
                Severity::Error,
            ),
            (Recognizable::Yes, true) => add(
                answer.recognizable.referenced,
                "`recognizable` is yes, but `phenomena` describes none".to_owned(),
                Severity::Warning,
            ),
            _ => {}
        }
        for phenomenon in &answer.phenomena {
            if phenomenon.description.value.trim().is_empty() && phenomenon.terms.is_empty() {
                let message = "an entry of `phenomena` without description and terms".to_owned();
                add(phenomenon.description.referenced, message, Severity::Error);
            }
            for (number, term) in phenomenon.terms.iter().enumerate() {
                if let Some(message) = self.term(&term.value) {
                    add(term.referenced, message, Severity::Error);
                } else if phenomenon.terms[..number].iter().any(|t| t.value == term.value) {
                    let message = format!("the term `{}` is given twice", term.value);
                    add(term.referenced, message, Severity::Warning);
                }
            }
        }
        if let Some(v) = &answer.confidence
            && !(1..=5).contains(&v.value)
        {
            let message = format!(
                "`confidence` is {}; expected a whole number from 1 (guessing) to 5 (certain)",
                v.value
            );
            add(v.referenced, message, Severity::Error);
        }
        for (key, time) in
            [("answered_at", &answer.answered_at), ("received_at", &answer.received_at)]
        {
            if let Some(v) = time
                && time::nanoseconds(&v.value).is_none()
            {
                let message = format!(
                    "`{key}` is `{}`; expected a time such as 2026-11-20T10:12:00Z (RFC 3339)",
                    v.value
                );
                add(v.referenced, message, Severity::Error);
            }
        }
        if let Some(v) = &answer.seconds
            && !(v.value >= 0.0 && v.value.is_finite())
        {
            let message = format!("`seconds` is {}; expected a number of at least 0", v.value);
            add(v.referenced, message, Severity::Error);
        }
        problems
    }

    /// What is wrong with a term of this file.
    fn term(&self, id: &str) -> Option<String> {
        let lexicon = &self.read.file.lexicon.value;
        let Some(entry) = self.lexicons.term(id) else {
            return Some(match self.lexicons.resolve(id) {
                Ok(entry) => format!("unknown term `{id}`; did you mean `{}`?", entry.term.id),
                Err(unresolved) => unresolved.to_string(),
            });
        };
        // Lexicons that are not BI-RADS, such as anatomy, go with every other.
        (entry.lexicon.id != *lexicon && entry.lexicon.birads).then(|| {
            format!("the term `{id}` belongs to `{}`, not to `{lexicon}`", entry.lexicon.id)
        })
    }
}

/// Finds a unit by its name among the dissected layers, or says what is wrong with the name and which unit
/// it is likely to mean.
pub fn find_unit(name: &str, layers: &[Dissected]) -> Result<UnitId, String> {
    if code::is_code(name) {
        return Err(format!(
            "`{name}` is the code of a unit in another blind survey: of another project, study (made \
             of the title where `survey.study` says none) or seed, or of weights that have changed since"
        ));
    }
    let unit: Result<UnitId, NotAUnit> = name.parse();
    let (network, layer, digits) = match &unit {
        Ok(unit) => (unit.network(), unit.layer(), Some(unit.number())),
        Err(NotAUnit::Number { network, layer, digits }) => {
            (network.as_str(), layer.as_str(), *digits)
        }
        Err(why @ NotAUnit::Form) => return Err(format!("`{name}` {why}")),
    };
    let mean = |found: &Dissected| {
        let number = digits.unwrap_or(1).clamp(1, found.units.max(1));
        format!("did you mean `{}`?", UnitId::new(&found.network, &found.layer, number))
    };
    let Some(found) = layers.iter().find(|l| l.network == network && l.layer == layer) else {
        let wanted = format!("{network}/{layer}");
        let names: Vec<String> =
            layers.iter().map(|l| format!("{}/{}", l.network, l.layer)).collect();
        let near = nearest(&wanted, names.iter().map(String::as_str))
            .and_then(|near| layers.iter().find(|l| format!("{}/{}", l.network, l.layer) == near))
            .or_else(|| layers.iter().find(|l| l.network == network));
        let hint = match near {
            Some(near) => format!("; {}", mean(near)),
            None => String::new(),
        };
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(if layers.iter().any(|l| l.network == network) {
            format!("the layer `{layer}` of {network} is not dissected{hint} Dissected: {known}")
        } else {
            format!("the atlas has no network `{network}`{hint} Dissected: {known}")
        });
    };
    match (&unit, digits) {
        (Ok(unit), _) if unit.number() <= found.units => Ok(unit.clone()),
        (_, Some(0)) => Err(format!("`{name}`: units are numbered from 1; {}", mean(found))),
        (_, Some(n)) if n > found.units => {
            Err(format!("`{name}`: {network}/{layer} has {} units; {}", found.units, mean(found)))
        }
        _ => Err(format!("`{name}`: a unit's number has four digits; {}", mean(found))),
    }
}

#[cfg(test)]
#[path = "labels_tests.rs"]
mod tests;
