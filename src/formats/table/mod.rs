//! Tables that people hand in: CSV with any separator, workbooks (.xlsx), JSON lines, and YAML or JSON lists.
//!
//! A row that is lost, or a value in another's column, would change what an image is labelled as without a
//! word. So whatever makes the rows of a table uncertain (a column named twice, a quotation mark that is
//! not closed, bytes that are no text) refuses the table with its line; what concerns one row is that row's
//! [`flaw`](Row::sound). What programs merely add is read: byte order marks, UTF-16, Excel's `sep=` line,
//! blank rows and columns, capitals and blanks in the names of columns, a column of row numbers.
//!
//! Tables may hold what identifies patients: no message repeats a value of one.

mod delimited;
mod records;
mod workbook;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use base::input;
use base::text::{self, Encoding};
use base::yaml::unknown;

/// Larger files are not read.
const MAX_BYTES: u64 = 1 << 27;
/// Values that a table may hold.
const MAX_CELLS: usize = 1 << 23;
/// Columns that a table may have.
const MAX_COLUMNS: usize = 512;

/// What is expected of a table.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// Names of its columns in small letters, with `_` for blanks. Others are refused unless they begin with
    /// `_`; `None` allows any.
    pub columns: Option<&'a [&'a str]>,
    /// Columns of which the table must have each.
    pub needed: &'a [&'a str],
    /// Columns that hold prose, which may go over several lines.
    pub prose: &'a [&'a str],
    /// How its bytes are read where they do not say it themselves.
    pub encoding: Option<Encoding>,
    /// What to do where that is not UTF-8, for messages.
    pub advice: &'a str,
}

/// A table that cannot be read as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub path: PathBuf,
    /// Line, or row of a workbook, from 1; 0 when it concerns the whole file.
    pub line: u64,
    /// Column in characters from 1; 0 when it concerns the whole line.
    pub column: u64,
    /// What is wrong, what was expected, what to do.
    pub message: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        for place in [self.line, self.column].into_iter().take_while(|place| *place > 0) {
            write!(f, ":{place}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Refusal {}

/// A refusal before its file is known.
#[derive(Debug, PartialEq)]
struct Wrong {
    line: u64,
    column: u64,
    message: String,
}

impl Wrong {
    fn at(line: u64, message: impl Into<String>) -> Self {
        Self { line, column: 0, message: message.into() }
    }

    fn of(self, path: &Path) -> Refusal {
        let Self { line, column, message } = self;
        Refusal { path: path.to_owned(), line, column, message }
    }
}

/// A file that may be a table, before its rows are looked at.
#[derive(Debug)]
pub enum Document {
    /// Text of any form.
    Text(String),
    /// The rows of a workbook's sheet.
    Sheet(Sheet),
}

/// The rows with values of a workbook's first sheet that has any.
#[derive(Debug)]
pub struct Sheet {
    /// With their numbers from 1.
    rows: Vec<(u64, Vec<String>)>,
    /// Errors of the spreadsheet, such as `#REF!`, by their rows.
    errors: BTreeMap<u64, String>,
    /// Further sheets that hold something.
    others: usize,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    columns: Arc<Columns>,
    /// Rows that hold anything, in order.
    pub rows: Vec<Row>,
    /// What is to be known of the file besides.
    pub notes: Vec<String>,
}

/// Names of columns and their places in a row.
#[derive(Debug, Default, PartialEq)]
struct Columns(BTreeMap<String, usize>);

/// One row: its line and the values that are there, by the names of their columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Line at which it begins, or row of a workbook, from 1.
    pub line: u64,
    columns: Arc<Columns>,
    values: Vec<Value>,
    flaw: Option<String>,
}

impl Row {
    /// Refuses a row that cannot be understood as a whole: what it says may be another's.
    ///
    /// # Errors
    /// Says why.
    pub fn sound(&self) -> Result<(), String> {
        self.flaw.clone().map_or(Ok(()), Err)
    }

    /// The value of a column as it is written; `None` where it is blank or there is no such column.
    pub fn value(&self, column: &str) -> Option<&Value> {
        let value = self.values.get(*self.columns.0.get(column)?)?;
        match value {
            Value::Null => None,
            Value::String(text) if is_blank(text) => None,
            value => Some(value),
        }
    }

    /// The value of a column as text without blanks around it.
    ///
    /// # Errors
    /// When it is a list or a mapping.
    pub fn text(&self, column: &str) -> Result<Option<String>, String> {
        match self.value(column) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(trimmed(text).to_owned())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(Value::Bool(value)) => Ok(Some(value.to_string())),
            Some(_) => Err(format!("`{column}` is not a text or a number")),
        }
    }

    /// The values of all columns, those of the user's own too, in one order for all rows of a table; `None`
    /// as for [`Row::value`].
    pub fn values(&self) -> impl Iterator<Item = Option<&Value>> {
        self.columns.0.keys().map(|column| self.value(column))
    }

    /// The value of a column verbatim; `None` where it is blank or no text.
    pub fn verbatim(&self, column: &str) -> Option<&str> {
        self.value(column).and_then(Value::as_str)
    }
}

impl Table {
    /// One of rows that were made: their lines, their values by columns, and what is wrong with them.
    pub fn of(
        columns: &[&str],
        rows: impl IntoIterator<Item = (u64, Vec<Value>, Option<String>)>,
    ) -> Self {
        let places = columns.iter().enumerate().map(|(place, name)| ((*name).to_owned(), place));
        let columns = Arc::new(Columns(places.collect()));
        let row = |(line, values, flaw)| Row { line, columns: columns.clone(), values, flaw };
        Self {
            rows: rows.into_iter().map(row).collect(),
            columns: columns.clone(),
            notes: Vec::new(),
        }
    }

    /// The names of its columns.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.0.keys().map(String::as_str)
    }

    /// Whether it has a column.
    pub fn has(&self, column: &str) -> bool {
        self.columns.0.contains_key(column)
    }
}

/// Reads a table.
///
/// # Errors
/// When its rows cannot be told with certainty; what concerns single rows is theirs.
pub fn read(path: &Path, expected: &Expected) -> Result<Table, Refusal> {
    Document::open(path, expected)?.table(path, expected)
}

/// As [`read`], of bytes; `path` names them in messages, and its ending says what text is.
///
/// # Errors
/// As [`read`].
pub fn parse(bytes: Vec<u8>, path: &Path, expected: &Expected) -> Result<Table, Refusal> {
    let document = Document::parse(bytes, expected).map_err(|wrong| wrong.of(path))?;
    document.table(path, expected)
}

impl Document {
    /// Reads a file. A workbook is known by its content, whatever its name.
    ///
    /// # Errors
    /// When it cannot be read, is too large, or is no text.
    pub fn open(path: &Path, expected: &Expected) -> Result<Self, Refusal> {
        let cannot =
            |error: std::io::Error| Wrong::at(0, format!("cannot be read: {error}")).of(path);
        let bytes = input::read(path, MAX_BYTES).map_err(cannot)?;
        Self::parse(bytes, expected).map_err(|wrong| wrong.of(path))
    }

    fn parse(bytes: Vec<u8>, expected: &Expected) -> Result<Self, Wrong> {
        match &bytes[..] {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => return workbook::read(bytes).map(Self::Sheet),
            [0xd0, 0xcf, 0x11, 0xe0, ..] => {
                let message = "is a workbook of Excel before 2007; save it as .xlsx or .csv";
                return Err(Wrong::at(0, message));
            }
            _ => {}
        }
        let text = text::decode(bytes, expected.encoding).map_err(|error| {
            let advice = if error.unnamed { expected.advice } else { "save it as UTF-8" };
            Wrong::at(error.line, format!("{error}; {advice}"))
        })?;
        Ok(Self::Text(text))
    }

    /// The names in the first line of separated values, or in the first row of a workbook, as
    /// [`Expected::columns`] has them.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Text(text) => delimited::names(text),
            Self::Sheet(sheet) => {
                let first = sheet.rows.first().into_iter();
                first.flat_map(|(_, cells)| cells).map(|cell| plain(cell)).collect()
            }
        }
    }

    /// Reads its rows. Text is JSON lines (.jsonl, .ndjson), a list in YAML or JSON (.yaml, .yml, .json),
    /// or else separated values (.csv, .tsv, .txt).
    ///
    /// # Errors
    /// As [`read`].
    pub fn table(&self, path: &Path, expected: &Expected) -> Result<Table, Refusal> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let table = match self {
            Self::Sheet(sheet) => workbook::table(sheet, expected),
            Self::Text(text) => match ending.as_str() {
                "csv" | "tsv" | "txt" | "tab" => delimited::table(text, expected),
                "jsonl" | "ndjson" => records::lines(text, expected),
                "yaml" | "yml" | "json" => records::list(text, path, expected),
                _ => Err(Wrong::at(
                    0,
                    "is no table; expected .csv, .tsv, .txt, .xlsx, .jsonl, .json, .yaml or .yml",
                )),
            },
        };
        table.map_err(|wrong| wrong.of(path))
    }
}

/// A table while it is read.
struct Draft<'a> {
    expected: &'a Expected<'a>,
    columns: Columns,
    rows: Vec<(u64, Vec<Value>, Option<String>)>,
    cells: usize,
    notes: Vec<String>,
}

impl<'a> Draft<'a> {
    fn new(expected: &'a Expected<'a>) -> Self {
        Self {
            expected,
            columns: Columns::default(),
            rows: Vec::new(),
            cells: 0,
            notes: Vec::new(),
        }
    }

    /// The place of a column that is named in a line; one of the user's own has a place too.
    fn column(&mut self, name: &str, line: u64) -> Result<usize, Wrong> {
        let name = plain(name);
        if let Some(&place) = self.columns.0.get(&name) {
            return Ok(place);
        }
        if let Some(known) = self.expected.columns
            && !name.starts_with('_')
            && !known.contains(&name.as_str())
        {
            let message = unknown("column", &name, known);
            let message = format!("{message}; begin the name of a column of your own with `_`");
            return Err(Wrong::at(line, message));
        }
        let place = self.columns.0.len();
        if place == MAX_COLUMNS {
            return Err(Wrong::at(line, format!("has more than {MAX_COLUMNS} columns")));
        }
        self.columns.0.insert(name, place);
        Ok(place)
    }

    /// Adds a row, values by their places.
    fn add(&mut self, line: u64, values: Vec<Value>, flaw: Option<String>) -> Result<(), Wrong> {
        self.cells += values.len();
        if self.cells > MAX_CELLS {
            let message = format!("the table holds more than {MAX_CELLS} values; divide it");
            return Err(Wrong::at(line, message));
        }
        self.rows.push((line, values, flaw));
        Ok(())
    }

    /// The table; `header` is the line that names its columns.
    fn finish(self, header: u64) -> Result<Table, Wrong> {
        let missing = self.expected.needed.iter().find(|name| !self.columns.0.contains_key(**name));
        if let Some(name) = missing {
            let message = format!("has no column `{name}`; the first line must name the columns");
            return Err(Wrong::at(header, message));
        }
        let columns = Arc::new(self.columns);
        let row = |(line, values, flaw)| Row { line, columns: columns.clone(), values, flaw };
        let rows = self.rows.into_iter().map(row).collect();
        Ok(Table { columns, rows, notes: self.notes })
    }
}

/// Where the cells of a table's rows belong, by its first row.
struct Header {
    line: u64,
    /// Per cell; `None` has no name.
    places: Vec<Option<usize>>,
    /// Cells without a name that hold something, until they prove to be numbers of rows.
    numbers: Option<i64>,
}

impl Header {
    /// # Errors
    /// When a name is unknown or given twice.
    fn read(draft: &mut Draft, line: u64, cells: &[&str]) -> Result<Self, Wrong> {
        // A table without a header takes its first row for one: nothing of that may be repeated.
        let named: Vec<String> = cells.iter().map(|cell| plain(cell)).collect();
        let needed = draft.expected.needed;
        if let Some(name) = needed.iter().find(|name| !named.iter().any(|known| known == *name)) {
            let message = format!("has no column `{name}`; the first line must name the columns");
            return Err(Wrong::at(line, message));
        }
        let mut places = Vec::new();
        for (at, name) in named.iter().enumerate() {
            // pandas writes its index under no name, and reads such a column under this one.
            if name.is_empty() || name == "unnamed:_0" && at == 0 {
                places.push(None);
                continue;
            }
            if named[..at].contains(name) {
                let message =
                    format!("names the column `{name}` twice; keep the one that is meant");
                return Err(Wrong::at(line, message));
            }
            places.push(Some(draft.column(name, line)?));
        }
        Ok(Self { line, places, numbers: None })
    }

    /// Adds the cells of a row that are not all blank. `whole`: each row has all of its cells, so that one
    /// with fewer lacks something.
    ///
    /// # Errors
    /// When a column without a name holds something.
    fn add(
        &mut self,
        draft: &mut Draft,
        line: u64,
        cells: &[&str],
        whole: bool,
        flaw: Option<String>,
    ) -> Result<(), Wrong> {
        let mut values = vec![Value::Null; draft.columns.0.len()];
        for (at, cell) in cells.iter().enumerate().filter(|(_, cell)| !is_blank(cell)) {
            match self.places.get(at).copied() {
                Some(Some(place)) => values[place] = Value::String((*cell).to_owned()),
                Some(None) if self.counts(at, cell) => {}
                Some(None) => {
                    let message = format!(
                        "column {} has no name, but a value in line {line}; name it, with `_` in front if it is your own",
                        at + 1
                    );
                    return Err(Wrong::at(self.line, message));
                }
                None => {}
            }
        }
        let own = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
        // Blank names at the end are nothing, in the header as in rows.
        let named = self.places.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        let unequal = (own > self.places.len() || whole && cells.len() < named).then(|| {
            format!(
                "the row has {} values, not as many values as the header names, {named} (one with a separator in it needs quotation marks)",
                cells.len()
            )
        });
        draft.add(line, values, unequal.or(flaw))
    }

    /// Whether the first column goes on counting the rows.
    fn counts(&mut self, at: usize, cell: &str) -> bool {
        let number = trimmed(cell).parse::<i64>().ok();
        let expected = self.numbers.map(|last| last + 1);
        let goes_on = match (number, expected) {
            (Some(number), Some(expected)) => number == expected,
            (Some(number), None) => matches!(number, 0 | 1),
            (None, _) => false,
        };
        self.numbers = number;
        at == 0 && goes_on
    }
}

/// The name of a column as it is known: in small letters, `_` for blanks and dashes.
fn plain(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '-');
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_").to_lowercase()
}

/// Whether a cell holds nothing that can be seen.
fn is_blank(cell: &str) -> bool {
    trimmed(cell).is_empty()
}

/// Without blanks around it, those of web pages included.
pub(crate) fn trimmed(cell: &str) -> &str {
    cell.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}'))
}

/// The line of a place in a text, from 1; lines end as Unix, Windows or old Macs end them.
fn line_of(text: &str, at: usize) -> u64 {
    let mut lines = Lines::new(text);
    lines.of(at)
}

/// The lines of places in a text that rise.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0, line: 1 }
    }

    fn of(&mut self, place: usize) -> u64 {
        while self.at < place.min(self.bytes.len()) {
            let byte = self.bytes[self.at];
            // The second of `\r\n` ends no further line.
            let ends = byte == b'\r'
                || byte == b'\n' && (self.at == 0 || self.bytes[self.at - 1] != b'\r');
            self.line += u64::from(ends);
            self.at += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
pub(crate) use fuzz::target as fuzz_target;
#[cfg(test)]
mod tests;
