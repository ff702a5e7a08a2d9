//! The description tables: one row per abnormality and view.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::walk;
use base::{Notice, Split};
use formats::table::{self, Expected, Refusal, Row as Record};
use formats::value;
use mammogram::{Assessment, Laterality, Pathology, View};

/// Which of the four tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Table {
    pub(super) kind: Kind,
    /// Train or test.
    pub(super) split: Split,
}

/// What a table's abnormalities are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Mass,
    Calcification,
}

/// An abnormality in one view.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) table: Table,
    /// Line of the table, for messages.
    pub(super) line: u64,
    pub(super) seen: Seen,
    pub(super) number: u32,
    /// `composition-a` to `composition-d`.
    pub(super) density: Option<&'static str>,
    /// The keywords as a line of DDSM's overlays has them.
    pub(super) words: String,
    pub(super) assessment: Option<Assessment>,
    pub(super) subtlety: Option<u8>,
    /// `None`: it is not one of those known, and may be a cancer.
    pub(super) pathology: Option<Pathology>,
    pub(super) image: Place,
    /// Where its mask and the image cropped to it are; which is which does not follow from the column.
    pub(super) parts: [Place; 2],
}

/// What one film shows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    /// `P_00001`.
    pub(super) patient: String,
    pub(super) laterality: Laterality,
    pub(super) view: View,
}

impl Seen {
    /// Name of the mammogram: `P_00001_LEFT_CC`.
    pub(super) fn id(&self) -> String {
        format!("{}_{}_{}", self.patient, self.laterality, self.view)
    }
}

/// Where a file is, as a table gives it: `<case>/<study>/<series>/000000.dcm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// `Mass-Training_P_00001_LEFT_CC`, with `_1` for parts.
    pub(super) case: String,
    /// UID of the series.
    pub(super) series: Option<String>,
}

impl Place {
    fn parse(path: &str) -> Self {
        let mut parts = path.trim().split('/');
        let case = parts.next().unwrap_or_default().trim().to_owned();
        let series = parts.nth(1).map(|series| series.trim().to_owned());
        Self { case, series: series.filter(|series| !series.is_empty()) }
    }
}

/// Name of the table, as in `mass_case_description_train_set.csv`.
impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.kind == Kind::Mass { "mass" } else { "calc" };
        write!(f, "{kind}_case_description_{}_set.csv", self.split)
    }
}

impl Table {
    /// All four, in the order they are read.
    const ALL: [Table; 4] = {
        let [mass, calcification] = [Kind::Mass, Kind::Calcification];
        let [train, test] = [Split::Train, Split::Test];
        [
            Table { kind: mass, split: train },
            Table { kind: mass, split: test },
            Table { kind: calcification, split: train },
            Table { kind: calcification, split: test },
        ]
    };
}

/// The tables that are anywhere below the folder, in their order.
pub(super) fn find(root: &Path) -> Vec<(Table, PathBuf)> {
    let mut found: Vec<(Table, PathBuf)> = Vec::new();
    for entry in walk(root).flatten() {
        let name = entry.file_name().to_string_lossy().to_ascii_lowercase();
        let table = Table::ALL.into_iter().find(|table| table.to_string() == name);
        if let Some(table) = table.filter(|table| found.iter().all(|(known, _)| known != table)) {
            found.push((table, entry.into_path()));
        }
    }
    found.sort();
    found
}

/// The readable rows of a table, and what is wrong with the others.
///
/// # Errors
/// When a column is missing, or the rows cannot be told.
pub(super) fn read(table: Table, path: &Path) -> Result<(Vec<Row>, Vec<Notice>), Refusal> {
    let needed = needed(table.kind);
    Ok(rows(table, table::read(path, &expected(&needed))?))
}

/// As [`read`], of bytes.
#[cfg(test)]
pub(super) fn parse(table: Table, bytes: &[u8]) -> Result<(Vec<Row>, Vec<Notice>), Refusal> {
    let (path, needed) = (PathBuf::from(table.to_string()), needed(table.kind));
    Ok(rows(table, table::parse(bytes.to_vec(), &path, &expected(&needed))?))
}

/// Columns that tables of both kinds have.
const COLUMNS: [&str; 11] = [
    "patient_id",
    "left_or_right_breast",
    "image_view",
    "abnormality_id",
    "breast_density",
    "assessment",
    "pathology",
    "subtlety",
    "image_file_path",
    "cropped_image_file_path",
    "roi_mask_file_path",
];

/// The two columns of keywords.
fn keywords(kind: Kind) -> [&'static str; 2] {
    match kind {
        Kind::Mass => ["mass_shape", "mass_margins"],
        Kind::Calcification => ["calc_type", "calc_distribution"],
    }
}

fn needed(kind: Kind) -> Vec<&'static str> {
    COLUMNS.into_iter().chain(keywords(kind)).collect()
}

fn expected<'a>(needed: &'a [&'a str]) -> Expected<'a> {
    // The archive's own tables are ASCII.
    Expected { columns: None, needed, prose: &[], encoding: None, advice: "save it as UTF-8" }
}

fn rows(table: Table, read: table::Table) -> (Vec<Row>, Vec<Notice>) {
    let (mut rows, mut notices) = (Vec::new(), Vec::new());
    let mut known = BTreeSet::new();
    for record in read.rows {
        let line = record.line;
        let mut notice = |message: String, skipped| {
            notices.push(Notice { place: format!("{table}:{line}"), message, skipped });
        };
        let Some(seen) = seen(&record) else {
            let message = "the row names no patient such as P_00001 with LEFT or RIGHT and CC or MLO; it is left out";
            notice(message.into(), true);
            continue;
        };
        // Which abnormality a row is about must be known too: it may repeat one, or be another.
        let number = field(&record, "abnormality_id");
        let number = value::whole(&number).and_then(|number| u32::try_from(number).ok());
        if let Some(number) = number
            && !known.insert((seen.clone(), number))
        {
            let message =
                format!("repeats abnormality {number} of {}; the first counts", seen.id());
            notice(message, false);
            continue;
        }
        let word = |column| {
            let word = field(&record, column);
            if value::is_missing(&word) { "N/A".into() } else { word.replace(' ', "") }
        };
        let [a, b] = keywords(table.kind).map(word);
        let subtlety = value::whole(&field(&record, "subtlety"));
        let place = |column| Place::parse(&field(&record, column));
        rows.push(Row {
            table,
            line,
            number: number.unwrap_or(0),
            density: value::density(&field(&record, "breast_density")),
            words: match table.kind {
                Kind::Mass => format!("MASS SHAPE {a} MARGINS {b}"),
                Kind::Calcification => format!("CALCIFICATION TYPE {a} DISTRIBUTION {b}"),
            },
            assessment: value::assessment(&field(&record, "assessment")),
            pathology: number
                .and(value::pathology(&field(&record, "pathology")))
                .filter(|_| record.sound().is_ok()),
            subtlety: subtlety
                .and_then(|grade| u8::try_from(grade).ok())
                .filter(|g| (1..=5).contains(g)),
            image: place("image_file_path"),
            parts: [place("cropped_image_file_path"), place("roi_mask_file_path")],
            seen,
        });
    }
    notices.extend(read.notes.into_iter().map(|message| Notice {
        place: table.to_string(),
        message,
        skipped: false,
    }));
    (rows, notices)
}

/// What a column holds; nothing where it is blank.
fn field(record: &Record, column: &str) -> String {
    record.text(column).ok().flatten().unwrap_or_default()
}

fn seen(record: &Record) -> Option<Seen> {
    let patient = field(record, "patient_id");
    let digits = patient.strip_prefix("P_")?;
    let plain = (1..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    Some(Seen {
        laterality: value::laterality(&field(record, "left_or_right_breast"))?,
        view: value::projection(&field(record, "image_view"))?.view?,
        patient: plain.then_some(patient)?,
    })
}
