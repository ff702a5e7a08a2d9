//! Answers that came to the server: `collect/<reader>.jsonl`, one line per answer, and for what a reader
//! says of themselves, only ever appended to, and the reader's file in `content/labels/`, written anew after each.
//!
//! An answer counts as saved when its line is on the disk and the file holds it. What a killed server
//! has in a log and not in the file is put there when the next one starts; a torn last line was never
//! acknowledged, and is passed over.
//!
//! The order of the answers is that in which they came, whatever the clocks of the readers' devices say:
//! each is stamped with the time by this machine's clock, and a reader's stamps only grow, even where that
//! clock is set back. An answer that comes again, as after an acknowledgement that never arrived, is the
//! one that came before.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Display;
use std::fs::File;
use std::io::{Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Tokens;
use super::tokens::make_private;
use base::{Notice, artifact};
use lexicon::Lexicons;
use study::about::About;
use study::answer::{Answer, ReaderFile};
use study::code::Codes;
use study::import::{self, import_read};
use study::labels::{Dissected, Owners, Read, Severity, check};
use study::time;

/// Bytes of a reader's log at most: tens of thousands of answers.
const MAX_LOG: u64 = 32 << 20;
/// How far the clock of a reader's device may be ahead, in milliseconds: ten minutes.
const AHEAD: i64 = 600 * 1000;
/// Characters of one text at most, as in the survey's page.
const MAX_TEXT: usize = 4000;
/// Patterns of one answer, and terms of one pattern, at most.
const MAX_LIST: usize = 50;

/// What readers are asked, and what their answers are held against.
#[derive(Debug)]
pub struct Asked {
    /// Identifier of the study.
    pub study: String,
    /// Lexicon of the terms.
    pub lexicon: String,
    /// The text that a reader must have agreed to before an answer is taken.
    pub consent: Option<String>,
    /// Units as the survey's page names them: by code, or by name where it is not blind.
    pub units: BTreeSet<String>,
    /// The units behind codes.
    pub codes: Codes,
    /// The dissected layers.
    pub layers: Vec<Dissected>,
    /// The lexicons.
    pub lexicons: Lexicons,
}

/// Why an answer was not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It is no answer to this survey.
    Wrong(String),
    /// It was given in the future, by the clock of this machine, which shows this.
    Ahead(String),
    /// The reader's log is full.
    Full,
    /// It could not be written; to be tried again.
    Failed(String),
}

/// One line of a log: an answer, or what the reader said of themselves.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Line {
    /// Seconds since 1970 when it came; version 0.1 wrote that here, and not into the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<u64>,
    /// The answer as it came, with the time by this machine's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
    /// What the reader said, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<About>,
}

/// What a reader's log holds.
#[derive(Debug, Default)]
struct Log {
    /// The answers in the order in which they came, each once.
    answers: Vec<Answer>,
    /// Where among these each is, by what it says.
    places: HashMap<blake3::Hash, usize>,
    /// When the last came, in milliseconds since 1970.
    last: i64,
    /// What stands of what the reader said of themselves.
    about: Option<About>,
}

impl Log {
    /// What tells an answer from all others of a reader: all that it says, but for the time spent on it, which
    /// goes on while it is on its way, and the time when it was received.
    fn identity(answer: &Answer) -> Result<blake3::Hash> {
        let said = Answer { received_at: None, seconds: None, ..answer.clone() };
        Ok(blake3::hash(&serde_json::to_vec(&said)?))
    }

    /// The answer as it came before, where it did.
    fn known(&self, answer: &Answer) -> Result<Option<&Answer>> {
        let place = self.places.get(&Self::identity(answer)?);
        Ok(place.map(|place| &self.answers[*place]))
    }

    /// Stamps an answer that comes at `time`, in milliseconds since 1970: with that or, where the clock has
    /// been set back, with what follows on the last stamp.
    fn stamp(&self, answer: &mut Answer, time: i64) -> Result<()> {
        let stamp = time::text(time.max(self.last + 1));
        answer.received_at = Some(stamp.context("the clock of this machine shows no time")?);
        Ok(())
    }

    /// Holds an answer that was stamped.
    fn hold(&mut self, answer: Answer) -> Result<()> {
        self.places.insert(Self::identity(&answer)?, self.answers.len());
        self.last = answer.received().map_or(self.last, milliseconds);
        self.answers.push(answer);
        Ok(())
    }

    /// The answers that stand, the last of each unit and presentation, and those before them.
    fn parted(&self) -> (Vec<Answer>, Vec<Answer>) {
        let slot = |answer: &Answer| (answer.unit.clone(), answer.repeat);
        let last: BTreeMap<_, usize> =
            self.answers.iter().enumerate().map(|(at, answer)| (slot(answer), at)).collect();
        let standing = last.values().map(|at| self.answers[*at].clone()).collect();
        let stands = |at: usize, answer: &Answer| last.get(&slot(answer)) == Some(&at);
        let before = self.answers.iter().enumerate().filter(|(at, answer)| !stands(*at, answer));
        (standing, before.map(|(_, answer)| answer.clone()).collect())
    }
}

/// What of a reader goes into the reader's file.
#[derive(Debug, Clone, Default)]
struct Said {
    about: Option<About>,
    answers: Vec<Answer>,
    superseded: Vec<Answer>,
}

/// Where answers go.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    labels: PathBuf,
    asked: Asked,
    /// What each reader has said; one answer is saved at a time.
    state: Mutex<BTreeMap<String, Log>>,
    /// Whose the readers' files are.
    owners: Mutex<Owners>,
    /// Keeps a second server off the logs.
    _lock: File,
}

impl Ledger {
    /// Opens the logs in `folder` and brings the readers' files in `labels` up to them. Also says what
    /// of the logs could not be used.
    ///
    /// # Errors
    /// When another server is at work, or a file cannot be read or written.
    pub fn open(
        folder: &Path,
        labels: &Path,
        asked: Asked,
        tokens: &Tokens,
    ) -> Result<(Self, Vec<Notice>)> {
        make_private(folder)?;
        let lock = fs_err::File::create(folder.join("lock"))?.into_parts().0;
        lock.try_lock()
            .with_context(|| format!("another server collects answers in {}", folder.display()))?;
        artifact::tidy(labels)?;
        let ledger = Self {
            folder: folder.into(),
            labels: labels.into(),
            asked,
            state: Mutex::default(),
            owners: Mutex::default(),
            _lock: lock,
        };
        let mut notices = Vec::new();
        for (reader, _) in tokens.iter() {
            let log = ledger.replay(reader, &mut notices)?;
            ledger.state().insert(reader.into(), log);
        }
        Ok((ledger, notices))
    }

    fn state(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Log>> {
        // A table that is only changed after a write has succeeded.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self, reader: &str) -> PathBuf {
        self.folder.join(import::file_name(reader)).with_extension("jsonl")
    }

    /// What a reader has answered, with the units as the survey's page names them: one answer per unit and
    /// presentation, the one that stands.
    pub fn answers(&self, reader: &str) -> Vec<Answer> {
        self.state().get(reader).map(|log| log.parted().0).unwrap_or_default()
    }

    /// Saves an answer of a reader, JSON as the survey's page sends it. It is on the disk and in the
    /// reader's file when this returns. Gives the answer that now stands of its unit and presentation: this
    /// one, or one that came after it where this one has come before.
    ///
    /// # Errors
    /// The [`Refusal`] that says why it was not saved: nothing of it is then in the log, unless the
    /// reader's file alone could not be written.
    pub fn save(&self, reader: &str, body: &[u8]) -> Result<Answer, Refusal> {
        let mut answer: Answer = serde_json::from_slice(body)
            .map_err(|error| Refusal::Wrong(format!("this is no answer: {error}")))?;
        // It may be from a file of an answer that came before; when that was is known here.
        answer.received_at = None;
        let now = milliseconds(now());
        self.fits(&answer, now)?;
        let said = |answer: &Answer| Said { answers: vec![answer.clone()], ..Said::default() };
        self.holds(reader, said(&answer))?;

        let mut state = self.state();
        let log = state.entry(reader.into()).or_default();
        self.agreed(log.about.as_ref())?;
        match log.known(&answer).map_err(failed)? {
            Some(known) => answer = known.clone(),
            None => {
                log.stamp(&mut answer, now).map_err(failed)?;
                let line = Line { answer: Some(answer.clone()), ..Line::default() };
                self.append(reader, &line)?;
                log.hold(answer.clone()).map_err(failed)?;
            }
        }
        // Also of what the log has had: it was not acknowledged if the file could not be written.
        let read = self.read(reader, said(&answer)).map_err(failed)?;
        self.merge(reader, read).map_err(failed)?;
        let own = |other: &&Answer| (&other.unit, other.repeat) == (&answer.unit, answer.repeat);
        Ok(log.answers.iter().rfind(own).cloned().unwrap_or(answer))
    }

    /// Saves what a reader says of themselves, JSON as the survey's page sends it. It is on the disk and in the
    /// reader's file when this returns.
    ///
    /// # Errors
    /// As [`Ledger::save`].
    pub fn tell(&self, reader: &str, body: &[u8]) -> Result<(), Refusal> {
        let about: About = serde_json::from_slice(body)
            .map_err(|error| Refusal::Wrong(format!("this is nothing about a reader: {error}")))?;
        let said = Said { about: Some(about.clone()), ..Said::default() };
        self.holds(reader, said.clone())?;
        self.agreed(Some(&about))?;
        given_by("given_at", &about.given_at, milliseconds(now()))?;
        let mut state = self.state();
        let log = state.entry(reader.into()).or_default();
        let stands = about.clone().or_later(log.about.clone());
        if log.about.as_ref() != Some(&stands) {
            self.append(reader, &Line { about: Some(about), ..Line::default() })?;
            log.about = Some(stands);
        }
        let read = self.read(reader, said).map_err(failed)?;
        self.merge(reader, read).map_err(failed)
    }

    /// Refuses what comes from a reader who has not agreed to what the study asks to agree to.
    fn agreed(&self, about: Option<&About>) -> Result<(), Refusal> {
        let given = about.and_then(|about| about.consent.as_ref());
        match &self.asked.consent {
            Some(wanted) if given != Some(wanted) => {
                Err(Refusal::Wrong("reload the page, and agree to the text of the study".into()))
            }
            _ => Ok(()),
        }
    }

    /// What a reader has said of themselves.
    pub fn about(&self, reader: &str) -> Option<About> {
        self.state().get(reader)?.about.clone()
    }

    /// Refuses what cannot be put into the reader's file: it must not get into the log.
    fn holds(&self, reader: &str, said: Said) -> Result<(), Refusal> {
        let read = self.read(reader, said).map_err(|e| Refusal::Wrong(short(&e)))?;
        let checked = check(std::slice::from_ref(&read), &self.asked.layers, &self.asked.lexicons);
        if let Some(wrong) = checked.problems.iter().find(|p| p.severity == Severity::Error) {
            return Err(Refusal::Wrong(wrong.mistake.message.clone()));
        }
        import::writable(&read.content(), read.path()).map_err(|e| Refusal::Wrong(short(&e)))
    }

    fn append(&self, reader: &str, line: &Line) -> Result<(), Refusal> {
        let path = self.log(reader);
        if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > MAX_LOG) {
            return Err(Refusal::Full);
        }
        append(&path, line).map_err(failed)
    }

    /// What of an answer no check of labels knows: its size, its unit, its time.
    fn fits(&self, answer: &Answer, now: i64) -> Result<(), Refusal> {
        self.fits_survey(answer).map_err(Refusal::Wrong)?;
        let Some(answered) = answer.answered_at.as_deref() else {
            let words = "`answered_at` must say when, such as 2026-11-20T10:12:00Z";
            return Err(Refusal::Wrong(words.into()));
        };
        given_by("answered_at", answered, now)
    }

    /// What of an answer no check of labels knows: its size and its unit.
    fn fits_survey(&self, answer: &Answer) -> Result<(), String> {
        let long = |text: &str| text.chars().count() > MAX_TEXT;
        let texts = answer.phenomena.iter().map(|p| p.description.as_str());
        if texts.chain(answer.remarks.as_deref()).any(long) {
            return Err(format!("a text has more than {MAX_TEXT} characters"));
        }
        let lists = answer.phenomena.iter().map(|p| p.terms.len());
        if lists.chain([answer.phenomena.len()]).any(|length| length > MAX_LIST) {
            return Err(format!("more than {MAX_LIST} patterns or terms"));
        }
        if answer.questions.is_some() {
            return Err("the survey does not ask the four questions of the paper's server".into());
        }
        if !self.asked.units.contains(&answer.unit) {
            return Err("the survey does not ask about this unit; reload the page".into());
        }
        Ok(())
    }

    /// What a reader said as a reader's file, with the names of the units.
    fn read(&self, reader: &str, Said { about, answers, superseded }: Said) -> Result<Read> {
        let file = ReaderFile {
            schema: 1,
            study: self.asked.study.clone(),
            reader: reader.into(),
            lexicon: self.asked.lexicon.clone(),
            about,
            answers,
            superseded,
        };
        let text = serde_json::to_string(&file)?;
        Ok(Read::parse(text, &self.log(reader))?.decoded(&self.asked.codes))
    }

    /// Brings answers of a reader into the reader's file.
    fn merge(&self, reader: &str, read: Read) -> Result<()> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        let existing = owners.read(&self.labels, reader);
        let files = std::iter::once(Ok(vec![read]));
        let Asked { layers, lexicons, .. } = &self.asked;
        import_read(files, &self.labels, existing, layers, lexicons).map(drop).map_err(Into::into)
    }

    /// Reads a log, ends a torn line, and brings the reader's file up to it.
    fn replay(&self, reader: &str, notices: &mut Vec<Notice>) -> Result<Log> {
        let path = self.log(reader);
        let mut log = Log::default();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(log),
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        };
        let mut notice = |place: String, message: String| {
            notices.push(Notice { place, message, skipped: true });
        };
        if bytes.last().is_some_and(|last| *last != b'\n') {
            // The next line must not be glued to it.
            fs_err::OpenOptions::new().append(true).open(&path)?.write_all(b"\n")?;
        }
        for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            match serde_json::from_slice::<Line>(line) {
                Ok(Line { about: Some(about), .. }) => {
                    log.about = Some(about.or_later(log.about.take()));
                }
                Ok(Line { answer: None, .. }) => notice(
                    format!("{}:{}", path.display(), at + 1),
                    "holds no answer; passed over".to_owned(),
                ),
                // Version 0.1 wrote an answer again that came again.
                Ok(Line { answer: Some(answer), .. }) if log.known(&answer)?.is_some() => {}
                Ok(Line { received, answer: Some(mut answer), .. }) => {
                    let seconds = received.and_then(|seconds| i64::try_from(seconds).ok());
                    let stamped = answer.received().map(milliseconds);
                    let time = stamped.or(seconds.map(|seconds| seconds.saturating_mul(1000)));
                    log.stamp(&mut answer, time.unwrap_or_default())?;
                    log.hold(answer)?;
                }
                Err(error) => notice(
                    format!("{}:{}", path.display(), at + 1),
                    format!("torn by a crash, or damaged; passed over ({error})"),
                ),
            }
        }
        let (answers, superseded) = log.parted();
        let read = self.read(reader, Said { about: log.about.clone(), answers, superseded })?;
        let checked = check(std::slice::from_ref(&read), &self.asked.layers, &self.asked.lexicons);
        for problem in checked.problems.iter().filter(|p| p.severity == Severity::Error) {
            notice(path.display().to_string(), problem.mistake.message.clone());
        }
        let says = |file: &ReaderFile| !file.answers.is_empty() || file.about.is_some();
        for mut holding in checked.readers.into_iter().filter(says) {
            // Of what holds no more, the earlier answers hold no more either.
            let units: BTreeSet<&str> = holding.answers.iter().map(|a| a.unit.as_str()).collect();
            holding.superseded.retain(|answer| units.contains(answer.unit.as_str()));
            let ReaderFile { about, answers, superseded, .. } = holding;
            self.merge(reader, self.read(reader, Said { about, answers, superseded })?)?;
        }
        Ok(log)
    }
}

/// Refuses what was given in the future: `now` is in milliseconds since 1970. Where answers of a reader came in files,
/// some to no server, these times decide.
fn given_by(key: &str, given: &str, now: i64) -> Result<(), Refusal> {
    let Some(given) = time::nanoseconds(given) else {
        let words = format!("`{key}` is {given:?}, no time such as 2026-11-20T10:12:00Z");
        return Err(Refusal::Wrong(words));
    };
    match time::text(now) {
        Some(shown) if milliseconds(given) > now + AHEAD => Err(Refusal::Ahead(shown)),
        _ => Ok(()),
    }
}

fn failed(error: anyhow::Error) -> Refusal {
    Refusal::Failed(format!("{error:#}"))
}

/// Writes a line to the end of a log.
fn append(path: &Path, line: &Line) -> Result<()> {
    let mut line = serde_json::to_vec(line)?;
    line.push(b'\n');
    let mut options = fs_err::OpenOptions::new();
    let mut file = options.create(true).truncate(false).read(true).write(true).open(path)?;
    // What an append that failed has left was not acknowledged, and must not be glued to this.
    let end = end_of_lines(&mut file)?;
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    // One write: it is there as a whole, or it is torn, and then not acknowledged.
    let written = file.write_all(&line).and_then(|()| file.sync_all());
    if written.is_err() {
        // If this fails too, the next append does it.
        let _ = file.set_len(end);
    }
    Ok(written?)
}

/// Nanoseconds since 1970, by this machine's clock.
fn now() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i128::try_from(since.as_nanos()).unwrap_or(i128::MAX))
}

/// Whole milliseconds of nanoseconds.
fn milliseconds(nanoseconds: i128) -> i64 {
    i64::try_from(nanoseconds.div_euclid(1_000_000)).unwrap_or(i64::MAX)
}

/// Where the last whole line of a log ends.
fn end_of_lines(log: &mut fs_err::File) -> std::io::Result<u64> {
    const STEP: u64 = 1 << 16;
    let mut end = log.seek(SeekFrom::End(0))?;
    while end > 0 {
        let start = end.saturating_sub(STEP);
        log.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        log.take(end - start).read_to_end(&mut bytes)?;
        if let Some(at) = bytes.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// An error without the place of this machine's files.
fn short(error: &dyn Display) -> String {
    let text = error.to_string();
    text.rsplit(".jsonl").next().unwrap_or_default().trim_start_matches([':', ' ']).to_owned()
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
