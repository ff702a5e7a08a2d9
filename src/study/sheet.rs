//! A table of answers, read strictly ([`formats::table`]): its cells are kept verbatim, line breaks within
//! quotes included.

use std::path::Path;

use formats::table::{Document, Expected, Refusal, Row, Table};
use serde_yaml::Location;

use super::form::place;
use super::reading::Given;
use base::yaml::{self, Mistake, Text};

/// What to do with a table in another encoding.
const ADVICE: &str = "give `--encoding windows-1252`, or what it was saved in, or save it as UTF-8";

/// A table.
pub(super) struct Sheet<'a> {
    text: Text<'a>,
    table: Table,
}

/// A file that holds a table.
pub(super) struct File<'a> {
    path: &'a Path,
    document: Document,
}

/// What is expected of a table of these columns.
fn expected<'a>(
    columns: Option<&'a [&'a str]>,
    prose: &'a [&'a str],
    given: &Given,
) -> Expected<'a> {
    Expected { columns, needed: &[], prose, encoding: given.encoding, advice: ADVICE }
}

impl<'a> File<'a> {
    /// Reads a file.
    pub(super) fn open(path: &'a Path, given: &Given) -> Result<Self, Mistake> {
        let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
        if size > yaml::MAX_BYTES {
            let message =
                format!("holds {size} bytes; files of more than {} are not read", yaml::MAX_BYTES);
            return Err(Text { path, text: "" }.mistake(Location::UNKNOWN, message));
        }
        let document = Document::open(path, &expected(None, &[], given));
        Ok(Self {
            path,
            document: document.map_err(|refusal| mistake(Text { path, text: "" }, &refusal))?,
        })
    }

    /// Its text; a workbook has none.
    pub(super) fn text(&self) -> Text<'_> {
        let text = match &self.document {
            Document::Text(text) => text,
            Document::Sheet(_) => "",
        };
        Text { path: self.path, text }
    }

    /// Names of the columns in its first line.
    pub(super) fn names(&self) -> Vec<String> {
        self.document.names()
    }

    /// Its rows; their columns must be among `columns`, whatever their order and case. Those of `prose` may go
    /// over several lines.
    pub(super) fn sheet(
        &self,
        columns: &[&str],
        prose: &[&str],
        given: &Given,
    ) -> Result<Sheet<'_>, Mistake> {
        let table = self.document.table(self.path, &expected(Some(columns), prose, given));
        let sheet = Sheet {
            text: self.text(),
            table: table.map_err(|refusal| mistake(self.text(), &refusal))?,
        };
        for record in &sheet.table.rows {
            record.sound().map_err(|message| sheet.mistake(record, message))?;
        }
        match sheet.table.notes.first() {
            // A sheet that is not read may hold answers.
            Some(note) => Err(sheet
                .text
                .mistake(Location::UNKNOWN, format!("{note}; import one sheet a file"))),
            None => Ok(sheet),
        }
    }
}

fn mistake(text: Text, refusal: &Refusal) -> Mistake {
    let at = match refusal.line {
        0 => Location::UNKNOWN,
        line => place(line, refusal.column.max(1)),
    };
    text.mistake(at, refusal.message.clone())
}

impl Sheet<'_> {
    /// Its rows.
    pub(super) fn records(&self) -> &[Row] {
        &self.table.rows
    }

    /// Whether the table has this column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.table.has(column)
    }

    /// A record's cell, verbatim; none where the table lacks the column or the cell is blank.
    pub(super) fn cell<'r>(&self, record: &'r Row, column: &str) -> Option<&'r str> {
        record.verbatim(column)
    }

    /// Where a record stands.
    pub(super) fn at(&self, record: &Row) -> Location {
        place(record.line, 1)
    }

    /// A mistake in a record.
    pub(super) fn mistake(&self, record: &Row, message: impl Into<String>) -> Mistake {
        self.text.mistake(self.at(record), message)
    }
}
