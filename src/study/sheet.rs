//! A table of answers as text: a header row, then one record per line, separated by commas, semicolons
//! or tabs. Cells are kept verbatim, line breaks within quotes included.

use std::path::Path;

use serde_yaml::Location;

use super::form::place;
use base::yaml::{Mistake, Text, unknown};

/// A table of answers has some twenty columns; more than this is another file.
const MAX_COLUMNS: usize = 64;

/// A table.
pub(super) struct Sheet<'a> {
    text: Text<'a>,
    columns: Vec<String>,
    pub(super) records: Vec<Record>,
}

/// One record.
pub(super) struct Record {
    pub(super) at: Location,
    cells: Vec<String>,
}

impl<'a> Sheet<'a> {
    /// Reads a table; its columns must be among `known`, whatever their order and case.
    pub(super) fn read(path: &'a Path, text: &'a str, known: &[&str]) -> Result<Self, Mistake> {
        let text = Text { path, text };
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter(text.text))
            .from_reader(text.text.as_bytes());
        let broken = |error: csv::Error| {
            let at = error.position().map_or(Location::UNKNOWN, |p| place(p.line(), 1));
            let message = match error.kind() {
                csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!(
                    "has {len} cells; expected {expected_len}, as many as the header (a cell with a \
                     comma or line break needs quotes)"
                ),
                _ => format!("is no table: {error}"),
            };
            text.mistake(at, message)
        };
        let header = reader.headers().map_err(broken)?;
        if header.len() > MAX_COLUMNS {
            let message = format!("has {} columns; at most {MAX_COLUMNS} are read", header.len());
            return Err(text.mistake(place(1, 1), message));
        }
        let columns: Vec<String> = header.iter().map(|name| name.trim().to_lowercase()).collect();
        for (at, name) in columns.iter().enumerate() {
            let message = match () {
                () if columns[..at].contains(name) => format!("the column `{name}` is given twice"),
                () if !known.contains(&name.as_str()) => unknown("column", name, known),
                () => continue,
            };
            return Err(text.mistake(place(1, 1), message));
        }
        let mut records = Vec::new();
        for record in reader.records() {
            let record = record.map_err(broken)?;
            let line = record.position().map_or(0, csv::Position::line);
            let cells = record.iter().map(str::to_owned).collect();
            records.push(Record { at: place(line, 1), cells });
        }
        Ok(Self { text, columns, records })
    }

    /// Whether the table has this column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// A record's cell, verbatim; none where the table lacks the column or the cell is blank.
    pub(super) fn cell<'r>(&self, record: &'r Record, column: &str) -> Option<&'r str> {
        let at = self.columns.iter().position(|name| name == column)?;
        record.cells.get(at).map(String::as_str).filter(|cell| !cell.trim().is_empty())
    }

    /// A mistake in a record.
    pub(super) fn mistake(&self, record: &Record, message: impl Into<String>) -> Mistake {
        self.text.mistake(record.at, message)
    }
}

/// What separates the columns: whichever the header row holds most of.
fn delimiter(text: &str) -> u8 {
    let header = text.lines().next().unwrap_or_default();
    let count = |mark: u8| header.bytes().filter(|&b| b == mark).count();
    let mut best = b',';
    for mark in [b';', b'\t'] {
        if count(mark) > count(best) {
            best = mark;
        }
    }
    best
}

/// Names of the columns in the first line.
pub(super) fn header(text: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter(text))
        .from_reader(text.lines().next().unwrap_or_default().as_bytes());
    let first = reader.records().next().and_then(Result::ok).unwrap_or_default();
    first.iter().take(MAX_COLUMNS).map(|name| name.trim().to_lowercase()).collect()
}
