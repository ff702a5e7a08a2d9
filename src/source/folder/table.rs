//! Tables as people write them: CSV, JSON lines (one object a line) or YAML (a list of mappings).
//!
//! A table may hold what identifies patients, so that no message repeats a value of it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use serde_yaml::Spanned;

use crate::Lines;
use base::Notice;
use base::yaml::{Text, unknown};

/// Larger tables are not read.
const MAX_BYTES: u64 = 1 << 28;

/// One row: its line and the values that are there, by the names of their columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) line: u64,
    values: BTreeMap<String, Value>,
    /// What is wrong with the row as a whole: its image may hold what it does not say.
    flaw: Option<&'static str>,
}

impl Record {
    /// Refuses a row that cannot be understood as a whole.
    ///
    /// # Errors
    /// Says why.
    pub(super) fn sound(&self) -> Result<(), String> {
        self.flaw.map_or(Ok(()), |flaw| Err(flaw.into()))
    }

    /// The value of a column as it is written; `None` when it is empty.
    pub(super) fn value(&self, column: &str) -> Option<&Value> {
        self.values.get(column)
    }

    /// The value of a column as text.
    ///
    /// # Errors
    /// When it is a list or a mapping.
    pub(super) fn text(&self, column: &str) -> Result<Option<String>, String> {
        match self.values.get(column) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.trim().to_owned())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(format!("`{column}` is not a text or a number")),
        }
    }
}

/// Reads a table of the given columns. A column of one's own begins with `_` and is not looked at.
/// What is wrong with single rows becomes notices.
///
/// # Errors
/// When the file cannot be read, or a column is not known.
pub(super) fn read(path: &Path, columns: &[&str]) -> Result<(Vec<Record>, Vec<Notice>)> {
    let size = fs_err::metadata(path)?.len();
    ensure!(
        size <= MAX_BYTES,
        "{} holds {size} bytes; at most {MAX_BYTES} are read",
        path.display()
    );
    parse(&fs_err::read(path)?, path, columns)
}

/// As [`read`], of bytes.
pub(super) fn parse(
    bytes: &[u8],
    path: &Path,
    columns: &[&str],
) -> Result<(Vec<Record>, Vec<Notice>)> {
    let name = name(path);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
    let (mut records, notices) = match ending.as_str() {
        "csv" => csv(bytes, &name)?,
        "jsonl" | "ndjson" => lines(bytes, &name)?,
        "yaml" | "yml" => (yaml(bytes, path)?, Vec::new()),
        _ => bail!("{} is no table; expected .csv, .jsonl, .yaml or .yml", path.display()),
    };
    // A table without a header takes its first row for one: nothing of that is repeated here.
    if records.first().is_some_and(|record| !record.values.keys().any(|c| c == "image"))
        && ending == "csv"
    {
        bail!("{name}: has no column `image`; the first line must name the columns");
    }
    for record in &mut records {
        let empty = |value: &Value| {
            value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
        };
        record.values.retain(|column, value| !column.starts_with('_') && !empty(value));
        if let Some(column) = record.values.keys().find(|c| !columns.contains(&c.as_str())) {
            bail!(
                "{name}:{}: {}; begin the name of a column of your own with `_`",
                record.line,
                unknown("column", column, columns)
            );
        }
    }
    Ok((records, notices))
}

/// The name of a file without its folders.
pub(super) fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn csv(bytes: &[u8], name: &str) -> Result<(Vec<Record>, Vec<Notice>)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let first = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| first.iter().filter(|&&b| b == wanted).count();
    let delimiter = if count(b';') > count(b',') { b';' } else { b',' };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
    let mut lines = Lines::new(bytes);
    let header = reader.byte_headers().with_context(|| format!("{name}: has no header"))?;
    let header: Vec<String> =
        header.iter().map(|column| String::from_utf8_lossy(column).trim().to_owned()).collect();
    let (mut records, mut notices) = (Vec::new(), Vec::new());
    for record in reader.byte_records() {
        match record {
            Ok(record) => {
                let text =
                    |value: &[u8]| Value::String(String::from_utf8_lossy(value).into_owned());
                records.push(Record {
                    line: lines.of(record.position()),
                    values: header.iter().cloned().zip(record.iter().map(text)).collect(),
                    flaw: (record.len() != header.len())
                        .then_some("the row has not as many values as the header"),
                });
            }
            Err(error) => {
                let line = lines.of(error.position());
                let message = "cannot be read; the row is left out";
                notices.push(notice(name, line, message));
            }
        }
    }
    Ok((records, notices))
}

fn lines(bytes: &[u8], name: &str) -> Result<(Vec<Record>, Vec<Notice>)> {
    let (mut records, mut notices) = (Vec::new(), Vec::new());
    for (line, text) in (1..).zip(bytes.split(|&b| b == b'\n')) {
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice(text) {
            Ok(values) => records.push(Record { line, values, flaw: None }),
            Err(_) => notices.push(notice(name, line, "is no JSON object; the row is left out")),
        }
    }
    Ok((records, notices))
}

fn yaml(bytes: &[u8], path: &Path) -> Result<Vec<Record>> {
    let text = std::str::from_utf8(bytes).with_context(|| path.display().to_string())?;
    let rows: Vec<Spanned<BTreeMap<String, Value>>> =
        Text { path, text }.parse().map_err(|mistake| {
            // Without the excerpt.
            anyhow::anyhow!("{}:{}: is not a list of mappings", path.display(), mistake.line)
        })?;
    let record = |row: Spanned<BTreeMap<_, _>>| Record {
        line: row.referenced.line(),
        values: row.value,
        flaw: None,
    };
    Ok(rows.into_iter().map(record).collect())
}

fn notice(name: &str, line: u64, message: &str) -> Notice {
    Notice { place: format!("{name}:{line}"), message: message.into(), skipped: true }
}
