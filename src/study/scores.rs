//! Readers' scores of cases in two conditions, such as without and with explanations: a table of them, read strictly
//! ([`formats::table`]), and what `mrmc` computes of it.
//!
//! One row is one score: `reader`, `case`, `condition`, `score`, and `truth`, which may stand in a table of its own
//! with `case`. A row that cannot be used is a notice with its place, and left out; so are cases whose truth is not
//! known or contradicts itself, and those that a reader did not score in both conditions. The files that readers of
//! cases save on their page are taken as they are ([`read_saved`]).

mod saved;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Result, anyhow, bail};
use base::text::Encoding;
use base::yaml::unknown;
use base::{Notice, counted};
use formats::table::{self, Expected, Row};
use formats::value;
use mrmc::{Analysis, Lacking, MAX_READERS, Rating, Unusable, analyse, cross};

pub use saved::{CONDITIONS, Project, SavedScore, is_saved, read_saved, table};

/// What to do with a table in another encoding.
const ADVICE: &str = "give `--encoding windows-1252`, or what it was saved in, or save it as UTF-8";
/// How many names a notice tells.
const NAMED: usize = 5;

/// What the tables do not say.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The two conditions, first the one that the other is compared with; else in the order of their first rows.
    pub conditions: Option<[String; 2]>,
    /// The readers to look at; else all.
    pub readers: Vec<String>,
    /// How letters are written, where that is neither UTF-8 nor UTF-16.
    pub encoding: Option<Encoding>,
}

/// What was read, and what follows.
#[derive(Debug)]
pub struct Readings {
    /// What is to be known of the tables.
    pub notices: Vec<Notice>,
    /// The analysis, or why there is none.
    pub scored: Result<Scored>,
}

/// A study that was computed.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// The conditions.
    pub conditions: [String; 2],
    /// The readers.
    pub readers: Vec<String>,
    /// Complete cases that are positive.
    pub positive: usize,
    /// Complete cases that are negative.
    pub negative: usize,
    /// Cases that are left out, for lack of a score or of the truth.
    pub left_out: usize,
    /// What follows.
    pub analysis: Analysis,
}

/// Reads a table of scores, and one of truths where there is one, and analyses them.
///
/// # Errors
/// When a table cannot be read as a whole.
pub fn read(scores: &Path, truths: Option<&Path>, given: &Given) -> Result<Readings> {
    let mut study = Study::default();
    let columns = ["reader", "case", "condition", "score", "truth"];
    let needed = if truths.is_some() { &columns[..4] } else { &columns[..] };
    study.each_row(scores, &columns, needed, given, Study::score)?;
    if let Some(truths) = truths {
        study.each_row(truths, &["case", "truth"], &["case", "truth"], given, Study::truth)?;
    }
    Ok(study.finish(&scores.display().to_string(), given))
}

/// Names, by what is left of them when they are typed again.
#[derive(Debug, Default)]
struct Names {
    numbers: HashMap<String, usize>,
    /// As they were written first.
    names: Vec<String>,
    /// Numbers of those that were written in another way later, with the first other way.
    twice: BTreeMap<usize, String>,
}

impl Names {
    fn number(&mut self, name: &str) -> usize {
        let next = self.names.len();
        let number = *self.numbers.entry(key(name)).or_insert(next);
        if number == next {
            self.names.push(name.to_owned());
        } else if self.names[number] != name {
            self.twice.entry(number).or_insert_with(|| name.to_owned());
        }
        number
    }

    /// The number of what goes by a code, whatever its name: two names may differ in nothing but what is left out of
    /// them.
    fn coded(&mut self, code: &str, name: &str) -> usize {
        let next = self.names.len();
        let number = *self.numbers.entry(code.to_owned()).or_insert(next);
        if number == next {
            self.names.push(name.to_owned());
        }
        number
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.numbers.get(&key(name)).copied()
    }

    fn say_twice(&self, what: &str, notices: &mut Vec<Notice>) {
        let Some((&number, other)) = self.twice.first_key_value() else { return };
        let written = match self.twice.len() {
            1 => format!("`{}` is also written `{other}`", self.names[number]),
            all => format!(
                "{all} are written in two ways, such as `{}` and `{other}`",
                self.names[number]
            ),
        };
        let message = format!("{written}; both are taken for one");
        notices.push(Notice { place: format!("{what}s"), message, skipped: false });
    }
}

/// What is left of a name when it is typed again; of one without letters and digits itself.
fn key(name: &str) -> String {
    match value::gist(name) {
        gist if gist.is_empty() => name.to_owned(),
        gist => gist,
    }
}

/// What is known of a case.
#[derive(Debug, Clone, PartialEq)]
enum Truth {
    Unknown,
    Known { positive: bool, place: String },
    Contradicted,
}

/// A row's score; none where the reader gave none.
#[derive(Debug)]
struct Score {
    reader: usize,
    case: usize,
    condition: usize,
    score: Option<f64>,
    line: u64,
}

#[derive(Debug, Default)]
struct Study {
    readers: Names,
    cases: Names,
    conditions: Names,
    truths: Vec<Truth>,
    scores: Vec<Score>,
    notices: Vec<Notice>,
}

impl Study {
    fn each_row(
        &mut self,
        path: &Path,
        columns: &[&str],
        needed: &[&str],
        given: &Given,
        read: impl Fn(&mut Self, &Row, &str) -> Result<(), String>,
    ) -> Result<()> {
        let encoding = given.encoding;
        let expected =
            Expected { columns: Some(columns), needed, prose: &[], encoding, advice: ADVICE };
        let table = table::read(path, &expected)?;
        let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        for message in table.notes {
            self.notices.push(Notice { place: file.clone(), message, skipped: true });
        }
        for row in &table.rows {
            let place = format!("{file}:{}", row.line);
            let found = row.sound().and_then(|()| read(self, row, &place));
            if let Err(message) = found {
                self.skip(place, message);
            }
        }
        Ok(())
    }

    fn skip(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.notices.push(Notice { place: place.into(), message: message.into(), skipped: true });
    }

    /// A row of the table of scores.
    fn score(&mut self, row: &Row, place: &str) -> Result<(), String> {
        let [reader, case, condition] =
            ["reader", "case", "condition"].map(|column| name(row, column));
        let (reader, case, condition) = (reader?, case?, condition?);
        let score = match cell(row, "score")? {
            None => None,
            Some(text) => match text.parse::<f64>() {
                Ok(score) if score.is_finite() => Some(score),
                _ => {
                    let message =
                        "`score` is no number; expected one such as 3 or 72.5, with a point";
                    return Err(message.to_owned());
                }
            },
        };
        let positive = positive(row)?;
        let case = self.case(&case);
        let (reader, condition) =
            (self.readers.number(&reader), self.conditions.number(&condition));
        self.scores.push(Score { reader, case, condition, score, line: row.line });
        match positive {
            Some(positive) => self.learn(case, positive, place),
            None => Ok(()),
        }
    }

    /// A row of the table of truths.
    fn truth(&mut self, row: &Row, place: &str) -> Result<(), String> {
        let case = name(row, "case")?;
        let positive = positive(row)?.ok_or("`truth` is missing")?;
        let case = self.case(&case);
        self.learn(case, positive, place)
    }

    fn case(&mut self, name: &str) -> usize {
        let case = self.cases.number(name);
        self.with_truth(case)
    }

    fn coded_case(&mut self, code: &str, mammogram: &str) -> usize {
        let case = self.cases.coded(code, mammogram);
        self.with_truth(case)
    }

    fn with_truth(&mut self, case: usize) -> usize {
        if case == self.truths.len() {
            self.truths.push(Truth::Unknown);
        }
        case
    }

    fn learn(&mut self, case: usize, positive: bool, place: &str) -> Result<(), String> {
        match &self.truths[case] {
            Truth::Unknown => {
                self.truths[case] = Truth::Known { positive, place: place.to_owned() };
                Ok(())
            }
            Truth::Known { positive: known, place: before } if *known != positive => {
                let message = format!(
                    "the truth of case `{}` is another than in {before}; the case is left out",
                    self.cases.names[case]
                );
                self.truths[case] = Truth::Contradicted;
                Err(message)
            }
            Truth::Known { .. } | Truth::Contradicted => Ok(()),
        }
    }

    /// Analyses what was read of `label`.
    fn finish(mut self, label: &str, given: &Given) -> Readings {
        let scored = self.analyse(label, given);
        self.readers.say_twice("reader", &mut self.notices);
        self.cases.say_twice("case", &mut self.notices);
        self.conditions.say_twice("condition", &mut self.notices);
        Readings { notices: self.notices, scored }
    }

    fn analyse(&mut self, label: &str, given: &Given) -> Result<Scored> {
        let conditions = self.chosen_conditions(label, given)?;
        let cells = self.cells(label, conditions);
        let readers = self.chosen_readers(given, &cells)?;
        let mut seen = vec![false; self.truths.len()];
        for row in &self.scores {
            seen[row.case] |= conditions.contains(&row.condition) && readers.contains(&row.reader);
        }
        // A table of truths may tell of cases that nobody scored.
        let known = |case: &usize| seen[*case] && matches!(self.truths[*case], Truth::Known { .. });
        let cases: Vec<usize> = (0..seen.len()).filter(known).collect();
        let truth: Vec<bool> = cases
            .iter()
            .map(|case| matches!(self.truths[*case], Truth::Known { positive: true, .. }))
            .collect();
        let unknown: Vec<usize> =
            (0..seen.len()).filter(|c| seen[*c] && self.truths[*c] == Truth::Unknown).collect();
        if !unknown.is_empty() {
            let message = format!(
                "no truth is known of {}: {}; left out",
                counted(unknown.len(), "case", "cases"),
                self.some_cases(&unknown, unknown.len())
            );
            self.skip("cases", message);
        }
        let mut numbers = vec![None; seen.len()];
        cases.iter().enumerate().for_each(|(number, case)| numbers[*case] = Some(number));
        let ratings = cells.iter().filter_map(|(&(reader, case, condition), &score)| {
            Some(Rating {
                reader: readers.iter().position(|known| *known == reader)?,
                case: numbers[case]?,
                condition,
                score: score?,
            })
        });
        let (crossed, lacking) = cross(readers.len(), &truth, ratings).map_err(|why| {
            anyhow!("{label}: {why}; `--readers` leaves out readers who lack many")
        })?;
        let names = conditions.map(|number| self.conditions.names[number].clone());
        for Lacking { reader, condition, count, cases: some } in lacking {
            let some: Vec<usize> = some.iter().map(|number| cases[*number]).collect();
            let message = format!(
                "reader `{}` has no score in `{}` of {}: {}; left out",
                self.readers.names[readers[reader]],
                names[condition],
                counted(count, "case", "cases"),
                self.some_cases(&some, count)
            );
            self.skip("cases", message);
        }
        let all = seen.iter().filter(|seen| **seen).count();
        let positive = crossed.positives();
        Ok(Scored {
            conditions: names,
            readers: readers.iter().map(|reader| self.readers.names[*reader].clone()).collect(),
            positive,
            negative: crossed.cases() - positive,
            left_out: all - crossed.cases(),
            analysis: analyse(&crossed),
        })
    }

    /// Numbers of the two conditions.
    fn chosen_conditions(&mut self, label: &str, given: &Given) -> Result<[usize; 2]> {
        let names = &self.conditions.names;
        let Some(wanted) = &given.conditions else {
            return match names[..] {
                [_, _] => Ok([0, 1]),
                [] => bail!("{label}: no row can be used"),
                [_] => bail!(
                    "{label}: all scores are of one condition, `{}`; two are compared",
                    names[0]
                ),
                _ => bail!(
                    "{label}: has {} conditions, {}; `--conditions A,B` says which two are compared",
                    names.len(),
                    quoted(names)
                ),
            };
        };
        let find = |name: &String| {
            let number = self.conditions.find(name);
            number.ok_or_else(|| anyhow!("{label}: {}", unknown("condition", name, names)))
        };
        let chosen = [find(&wanted[0])?, find(&wanted[1])?];
        if chosen[0] == chosen[1] {
            bail!("`--conditions` names one condition twice; two are compared");
        }
        let others: Vec<&String> =
            (0..names.len()).filter(|n| !chosen.contains(n)).map(|n| &names[n]).collect();
        if !others.is_empty() {
            let message = format!("other conditions are not looked at: {}", quoted(&others));
            self.notices.push(Notice { place: "conditions".into(), message, skipped: false });
        }
        Ok(chosen)
    }

    /// The scores by reader, case and condition (0 and 1 of those chosen). Two scores of one cell that differ are none.
    fn cells(&mut self, label: &str, conditions: [usize; 2]) -> Cells {
        let file = Path::new(label).file_name().map_or(label.into(), |name| name.to_string_lossy());
        let mut cells = Cells::new();
        let mut lines: HashMap<(usize, usize, usize), u64> = HashMap::new();
        let mut told = Vec::new();
        for Score { reader, case, condition, score, line } in &self.scores {
            let condition = conditions.iter().position(|chosen| chosen == condition);
            let (Some(condition), Some(score)) = (condition, *score) else { continue };
            let cell = (*reader, *case, condition);
            let Some(before) = lines.get(&cell) else {
                lines.insert(cell, *line);
                cells.insert(cell, Some(score));
                continue;
            };
            let same = cells[&cell] == Some(score);
            let message = format!(
                "reader `{}` has a score of case `{}` in `{}` in line {before} already; {}",
                self.readers.names[*reader],
                self.cases.names[*case],
                self.conditions.names[conditions[condition]],
                if same {
                    "it is the same, and counts once"
                } else {
                    "they differ, and neither counts"
                }
            );
            if !same {
                cells.insert(cell, None);
            }
            told.push((format!("{file}:{line}"), message));
        }
        told.into_iter().for_each(|(place, message)| self.skip(place, message));
        cells
    }

    /// Numbers of the readers who are looked at: those who scored something in both conditions.
    fn chosen_readers(&mut self, given: &Given, cells: &Cells) -> Result<Vec<usize>> {
        let mut chosen = Vec::new();
        for name in &given.readers {
            match self.readers.find(name) {
                Some(number) if chosen.contains(&number) => {}
                Some(number) => chosen.push(number),
                None => bail!("{}", unknown("reader", name, &self.readers.names)),
            }
        }
        if chosen.is_empty() {
            chosen = (0..self.readers.names.len()).collect();
        }
        let mut scored = vec![[false; 2]; self.readers.names.len()];
        for (&(reader, _, condition), score) in cells {
            scored[reader][condition] |= score.is_some();
        }
        let (kept, others): (Vec<usize>, Vec<usize>) =
            chosen.into_iter().partition(|reader| scored[*reader] == [true; 2]);
        for reader in others {
            let message = match scored[reader] {
                [false, false] => "scored no case in the two conditions; left out",
                _ => "scored cases in one of the two conditions only; left out",
            };
            self.skip(format!("reader `{}`", self.readers.names[reader]), message);
        }
        if kept.len() > MAX_READERS {
            bail!("{}; `--readers A,B` chooses some", Unusable::Readers(kept.len()));
        }
        Ok(kept)
    }

    fn some_cases(&self, cases: &[usize], count: usize) -> String {
        let names: Vec<&String> = cases.iter().take(NAMED).map(|c| &self.cases.names[*c]).collect();
        let more = if count > names.len() { ", \u{2026}" } else { "" };
        format!("{}{more}", quoted(&names))
    }
}

/// Scores by reader, case and condition.
type Cells = BTreeMap<(usize, usize, usize), Option<f64>>;

fn quoted(names: &[impl AsRef<str>]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// A cell's text, where it does not say that there is nothing.
fn cell(row: &Row, column: &str) -> Result<Option<String>, String> {
    Ok(row.text(column)?.filter(|text| !value::is_gap(text)))
}

fn name(row: &Row, column: &str) -> Result<String, String> {
    // A reader, case or condition may be called `NA`: only what is blank is missing.
    let text = row.text(column)?.ok_or_else(|| format!("`{column}` is missing"))?;
    Ok(value::name(base::spreadsheet::unguarded(&text)))
}

/// Whether a case is positive, as data sets and people write it.
fn positive(row: &Row) -> Result<Option<bool>, String> {
    let Some(text) = cell(row, "truth")? else { return Ok(None) };
    let positive = match text.to_lowercase().as_str() {
        "malignant" | "cancer" | "positive" | "abnormal" => Some(true),
        "benign" | "normal" | "negative" | "no cancer" => Some(false),
        _ => value::boolean(&text),
    };
    positive.map(Some).ok_or_else(|| {
        "`truth` is not known; expected malignant or benign, cancer or normal, positive or negative, 1 or 0"
            .to_owned()
    })
}

#[cfg(test)]
#[path = "scores_tests.rs"]
mod tests;
