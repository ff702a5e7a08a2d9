//! The description tables: one row per abnormality and view.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::Lines;
use base::{Notice, Split};
use mammogram::{Laterality, Pathology, View};

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
    /// 1 to 4.
    pub(super) density: Option<u8>,
    /// The keywords as a line of DDSM's overlays has them.
    pub(super) words: String,
    pub(super) assessment: Option<u8>,
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
    for entry in WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter().flatten() {
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
/// When a column is missing.
pub(super) fn read(table: Table, bytes: &[u8]) -> Result<(Vec<Row>, Vec<Notice>)> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let mut lines = Lines::new(bytes);
    let plain = |name: &str| name.trim().to_ascii_lowercase().replace('_', " ");
    let header: Vec<String> = reader.headers()?.iter().map(plain).collect();
    let column = |name: &str| {
        header
            .iter()
            .position(|known| *known == plain(name))
            .with_context(|| format!("{table} has no column `{name}`"))
    };
    let [first, second] = match table.kind {
        Kind::Mass => ["mass shape", "mass margins"],
        Kind::Calcification => ["calc type", "calc distribution"],
    };
    let columns = [
        "patient_id",
        "left or right breast",
        "image view",
        "abnormality id",
        "breast density",
        first,
        second,
        "assessment",
        "pathology",
        "subtlety",
        "image file path",
        "cropped image file path",
        "ROI mask file path",
    ];
    let columns: Vec<usize> = columns.into_iter().map(column).collect::<Result<_>>()?;
    let (mut rows, mut notices) = (Vec::new(), Vec::new());
    let mut known = BTreeSet::new();
    for record in reader.byte_records() {
        let mut notice = |line: u64, message: String, skipped| {
            notices.push(Notice { place: format!("{table}:{line}"), message, skipped });
        };
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = lines.of(error.position());
                notice(line, "the row cannot be read; it is left out".into(), true);
                continue;
            }
        };
        let line = lines.of(record.position());
        // What is no text becomes a value that is not known.
        let record = csv::StringRecord::from_byte_record_lossy(record);
        let field = |index: usize| record.get(columns[index]).unwrap_or_default().trim();
        let Some(seen) = seen([field(0), field(1), field(2)]) else {
            let message = "the row names no patient such as P_00001 with LEFT or RIGHT and CC or MLO; it is left out";
            notice(line, message.into(), true);
            continue;
        };
        let number = field(3).parse().ok();
        if let Some(number) = number
            && !known.insert((seen.clone(), number))
        {
            let message =
                format!("repeats abnormality {number} of {}; the first counts", seen.id());
            notice(line, message, false);
            continue;
        }
        let grade = |index: usize, least: u8, most: u8| {
            field(index).parse().ok().filter(|grade| (least..=most).contains(grade))
        };
        let known_word = |word: &str| {
            if matches!(word, "" | "NA") { "N/A".into() } else { word.replace(' ', "") }
        };
        let (a, b) = (known_word(field(5)), known_word(field(6)));
        rows.push(Row {
            table,
            line,
            number: number.unwrap_or(0),
            density: grade(4, 1, 4),
            words: match table.kind {
                Kind::Mass => format!("MASS SHAPE {a} MARGINS {b}"),
                Kind::Calcification => format!("CALCIFICATION TYPE {a} DISTRIBUTION {b}"),
            },
            assessment: grade(7, 0, 5),
            // Which abnormality a row is about must be known too: it may repeat one, or be another.
            pathology: match field(8) {
                _ if number.is_none() => None,
                "MALIGNANT" => Some(Pathology::Malignant),
                "BENIGN" | "BENIGN_WITHOUT_CALLBACK" => Some(Pathology::Benign),
                "UNPROVEN" => Some(Pathology::Unproven),
                _ => None,
            },
            subtlety: grade(9, 1, 5),
            image: Place::parse(field(10)),
            parts: [Place::parse(field(11)), Place::parse(field(12))],
            seen,
        });
    }
    Ok((rows, notices))
}

fn seen([patient, side, view]: [&str; 3]) -> Option<Seen> {
    let digits = patient.strip_prefix("P_")?;
    let plain = (1..=10).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    Some(Seen {
        patient: plain.then(|| patient.to_owned())?,
        laterality: match side {
            "LEFT" => Laterality::Left,
            "RIGHT" => Laterality::Right,
            _ => return None,
        },
        view: match view {
            "CC" => View::Cc,
            "MLO" => View::Mlo,
            _ => return None,
        },
    })
}
