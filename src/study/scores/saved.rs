//! The files that readers of cases save: `<study>_cases_<reader>_<date>.json`. Each case has the score before the
//! explanation (condition `without`) and, where it was given, the one after it (condition `with`); the truth is the
//! data set's.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_yaml::{Location, Spanned};

use super::{Given, Readings, Score, Study, Truth, key};
use crate::cases::Key;
use crate::time;
use base::spreadsheet::guarded;
use base::yaml::{self, Mistake, Text};
use base::{Notice, counted};
use mammogram::Assessment;

/// What the two scores of a case were given without and with: its explanation.
pub const CONDITIONS: [&str; 2] = ["without", "with"];
/// Scores that the page takes.
const RANGE: std::ops::RangeInclusive<f64> = 0.0..=100.0;

/// The project whose cases were read.
#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    /// Name of its study.
    pub study: &'a str,
    /// The mammograms behind its codes.
    pub key: &'a Key,
}

/// Whether a file goes by the name of one that a reader of cases saved; others are tables.
pub fn is_saved(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    schema: Spanned<u32>,
    kind: Spanned<String>,
    study: Spanned<String>,
    reader: Spanned<String>,
    saved_at: Spanned<String>,
    cases: Vec<CaseForm>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseForm {
    case: Spanned<String>,
    before: ScoreForm,
    #[serde(default)]
    after: Option<ScoreForm>,
    #[serde(default, rename = "remarks")]
    _remarks: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScoreForm {
    score: Spanned<f64>,
    #[serde(default)]
    birads: Option<Assessment>,
    #[serde(default)]
    seconds: Option<f64>,
    #[serde(default, rename = "scored_at")]
    _scored_at: Option<String>,
}

/// One reader's file.
struct Saved {
    /// Its name.
    file: String,
    reader: String,
    /// Nanoseconds since 1970, by the reader's clock.
    saved_at: i128,
    cases: Vec<CaseForm>,
}

impl Saved {
    fn open(path: &Path, project: &Project) -> Result<Self, Mistake> {
        let text = yaml::read(path)?;
        let text = Text { path, text: &text };
        if let Ok(keys) = text.parse::<BTreeMap<String, IgnoredAny>>()
            && keys.contains_key("answers")
            && !keys.contains_key("cases")
        {
            let message =
                "holds answers on units and no scores of cases; `labels import` takes it in";
            return Err(text.mistake(Location::UNKNOWN, message));
        }
        let Form { schema, kind, study, reader, saved_at, cases } = text.parse()?;
        let wrong = |at: Location, message: String| Err(text.mistake(at, message));
        if schema.value != 1 || kind.value != "cases" {
            let (at, found) = match schema.value {
                1 => (kind.referenced, format!("kind `{}`", kind.value)),
                other => (schema.referenced, format!("schema {other}")),
            };
            return wrong(at, format!("{found} is unknown; expected schema 1 and kind `cases`"));
        }
        let own = study.value.trim();
        if own != project.study {
            return wrong(
                study.referenced,
                format!(
                    "belongs to the study `{own}`; the project\u{2019}s is `{}`",
                    project.study
                ),
            );
        }
        let name = formats::value::name(reader.value.trim());
        if name.is_empty() {
            return wrong(reader.referenced, "names no reader".to_owned());
        }
        let Some(moment) = time::nanoseconds(&saved_at.value) else {
            return wrong(
                saved_at.referenced,
                format!("`{}` is no time such as 2026-11-20T10:12:00Z", saved_at.value),
            );
        };
        let mut seen = BTreeSet::new();
        for case in &cases {
            if !seen.insert(&case.case.value) {
                let message = format!("case `{}` stands twice", case.case.value);
                return wrong(case.case.referenced, message);
            }
            for score in [Some(&case.before), case.after.as_ref()].into_iter().flatten() {
                if !RANGE.contains(&score.score.value) {
                    return wrong(score.score.referenced, "expected a score from 0 to 100".into());
                }
            }
        }
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { file, reader: name, saved_at: moment, cases })
    }

    /// How many of its cases another file has not.
    fn beyond(&self, other: &Self) -> usize {
        let there: BTreeSet<&String> = other.cases.iter().map(|case| &case.case.value).collect();
        self.cases.iter().filter(|case| !there.contains(&case.case.value)).count()
    }
}

/// One score of the files that are used.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedScore {
    reader: String,
    code: String,
    condition: &'static str,
    score: f64,
    cancer: Option<bool>,
    mammogram: String,
    birads: Option<Assessment>,
    seconds: Option<f64>,
}

/// Reads the files that readers of cases saved, and analyses them. A file that cannot be used is a notice, and left
/// out; so is an earlier one of a reader who saved another later. The scores themselves are given beside, for a table.
///
/// # Errors
/// When no file can be used.
pub fn read_saved(
    files: &[PathBuf],
    project: &Project,
    given: &Given,
) -> Result<(Readings, Vec<SavedScore>)> {
    let mut study = Study::default();
    // In the order in which they are given, whatever the files hold.
    let conditions = CONDITIONS.map(|name| study.conditions.number(name));
    // By reader, in the order in which they are given.
    let mut standing: Vec<Saved> = Vec::new();
    for path in files {
        match Saved::open(path, project) {
            Ok(saved) => stand(&mut standing, saved, &mut study.notices),
            Err(mistake) => study.notices.push(of_mistake(&mistake)),
        }
    }
    if standing.is_empty() {
        let why: Vec<String> =
            study.notices.iter().map(|n| format!("{}: {}", n.place, n.message)).collect();
        bail!("no file can be used: {}", why.join("; "));
    }
    let mut rows = Vec::new();
    for saved in &standing {
        let reader = study.readers.number(&saved.reader);
        let mut unknown: Vec<&String> = Vec::new();
        for (line, form) in (1..).zip(&saved.cases) {
            let code = &form.case.value;
            let Some(known) = project.key.get(code) else {
                unknown.push(code);
                continue;
            };
            let case = study.coded_case(code, &known.mammogram);
            if let Some(positive) = known.cancer {
                study.truths[case] = Truth::Known { positive, place: saved.file.clone() };
            }
            let both = [Some(&form.before), form.after.as_ref()];
            for ((condition, name), given) in conditions.into_iter().zip(CONDITIONS).zip(both) {
                let Some(given) = given else { continue };
                let score = given.score.value;
                study.scores.push(Score { reader, case, condition, score: Some(score), line });
                rows.push(SavedScore {
                    reader: saved.reader.clone(),
                    code: code.clone(),
                    condition: name,
                    score,
                    cancer: known.cancer,
                    mammogram: known.mammogram.clone(),
                    birads: given.birads,
                    seconds: given.seconds,
                });
            }
        }
        if let Some(first) = unknown.first() {
            let message = format!(
                "{} of {} are not known here, such as `{first}`: the seed, the study, the data set or the weights of \
                 the network that was explained are others now; left out",
                unknown.len(),
                counted(saved.cases.len(), "case", "cases")
            );
            study.skip(saved.file.clone(), message);
        }
    }
    let label = match files {
        [file] => file.display().to_string(),
        several => format!("{} and {} more", several[0].display(), several.len() - 1),
    };
    Ok((study.finish(&label, given), rows))
}

/// Lets a reader's file stand, unless a later one of the same reader does.
fn stand(standing: &mut Vec<Saved>, saved: Saved, notices: &mut Vec<Notice>) {
    let reader = key(&saved.reader);
    let Some(stands) = standing.iter_mut().find(|before| key(&before.reader) == reader) else {
        standing.push(saved);
        return;
    };
    let later = saved.saved_at > stands.saved_at;
    let other = if later { std::mem::replace(stands, saved) } else { saved };
    let more = match other.beyond(stands) {
        0 => String::new(),
        1 => "; one of its cases is not in that".to_owned(),
        some => format!("; {some} of its cases are not in that"),
    };
    let message = format!(
        "is of reader `{}` too, whose file `{}` was saved {}{more}; left out",
        other.reader,
        stands.file,
        if stands.saved_at == other.saved_at { "at the same time" } else { "later" },
    );
    notices.push(Notice { place: other.file, message, skipped: true });
}

fn of_mistake(mistake: &Mistake) -> Notice {
    let file = mistake.path.file_name().unwrap_or(mistake.path.as_os_str()).to_string_lossy();
    let place = match (mistake.line, mistake.column) {
        (0, _) => file.into_owned(),
        (line, column) => format!("{file}:{line}:{column}"),
    };
    let message = match mistake.excerpt.as_str() {
        "" => format!("{}; left out", mistake.message),
        excerpt => format!("{}; left out\n{excerpt}", mistake.message),
    };
    Notice { place, message, skipped: true }
}

/// Scores as the table that `study mrmc` reads too, with what else the files hold in columns of their own.
///
/// # Errors
/// When a row cannot be written.
pub fn table(scores: &[SavedScore]) -> Result<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([
        "reader",
        "case",
        "condition",
        "score",
        "truth",
        "_mammogram",
        "_birads",
        "_seconds",
    ])?;
    for score in scores {
        let truth = score.cancer.map_or("", |cancer| if cancer { "cancer" } else { "no cancer" });
        table.write_record([
            guarded(&score.reader),
            score.code.clone(),
            score.condition.to_owned(),
            score.score.to_string(),
            truth.to_owned(),
            score.mammogram.clone(),
            score.birads.map(|birads| birads.to_string()).unwrap_or_default(),
            score.seconds.map(|seconds| seconds.to_string()).unwrap_or_default(),
        ])?;
    }
    table.into_inner().context("the table cannot be written")
}

#[cfg(test)]
#[path = "saved_tests.rs"]
mod tests;
