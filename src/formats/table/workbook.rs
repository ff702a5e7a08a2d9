//! Workbooks (.xlsx, .xlsm): the first visible sheet that holds anything. What it unpacks to is measured
//! before it is read, and cells are read one by one: a sheet's own word on its size is not believed.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use calamine::{CellErrorType, DataRef, Reader, SheetType, SheetVisible, Xlsx};
use zip::ZipArchive;

use super::{Draft, Expected, Header, MAX_CELLS, MAX_COLUMNS, Sheet, Table, Wrong, is_blank};

/// Bytes that the parts of a workbook may unpack to.
const MAX_UNPACKED: u64 = 1 << 26;
/// Parts that a workbook may have.
const MAX_PARTS: usize = 4096;

type Rows = BTreeMap<u32, BTreeMap<u32, String>>;

/// # Errors
/// When it is no workbook, damaged, or too large.
pub(super) fn read(bytes: Vec<u8>) -> Result<Sheet, Wrong> {
    measure(&bytes)?;
    let damaged = |_| Wrong::at(0, "is a damaged workbook; open it and save it again");
    let mut workbook = Xlsx::new(Cursor::new(bytes)).map_err(damaged)?;
    let visible: Vec<String> = workbook
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .collect();
    let (mut first, mut others) = (None, 0);
    for name in visible {
        let (rows, errors) = cells(&mut workbook, &name, first.is_some())?;
        match first {
            _ if rows.is_empty() => {}
            None => first = Some((rows, errors)),
            Some(_) => others += 1,
        }
    }
    let Some((rows, errors)) = first else {
        return Err(Wrong::at(0, "is a workbook without a visible sheet that holds anything"));
    };
    let row = |(row, cells): (u32, BTreeMap<u32, String>)| {
        let width = cells.keys().next_back().map_or(0, |last| *last as usize + 1);
        let mut values = vec![String::new(); width];
        for (column, value) in cells {
            values[column as usize] = value;
        }
        (u64::from(row) + 1, values)
    };
    Ok(Sheet { rows: rows.into_iter().map(row).collect(), errors, others })
}

/// What of a sheet is not blank; with `peek` the first of it at most.
fn cells(
    workbook: &mut Xlsx<Cursor<Vec<u8>>>,
    name: &str,
    peek: bool,
) -> Result<(Rows, BTreeMap<u64, String>), Wrong> {
    let damaged = |_| Wrong::at(0, "has a damaged sheet; open it and save it again");
    let mut reader = workbook.worksheet_cells_reader(name).map_err(damaged)?;
    let (mut rows, mut errors, mut count) = (Rows::new(), BTreeMap::new(), 0);
    while let Some(cell) = reader.next_cell().map_err(damaged)? {
        let (row, column) = cell.get_position();
        let line = u64::from(row) + 1;
        let value = match cell.get_value() {
            DataRef::Error(CellErrorType::NA) | DataRef::Empty => continue,
            DataRef::Error(error) => {
                errors.insert(line, error.to_string());
                rows.entry(row).or_default();
                continue;
            }
            value => text(value),
        };
        if is_blank(&value) {
            continue;
        }
        count += 1;
        if count > MAX_CELLS || column as usize >= MAX_COLUMNS {
            let message = format!(
                "holds values beyond {MAX_COLUMNS} columns, or more than {MAX_CELLS} of them"
            );
            return Err(Wrong::at(line, message));
        }
        if rows.entry(row).or_default().insert(column, value).is_some() {
            return Err(Wrong::at(line, "has two values for one cell; open it and save it again"));
        }
        if peek {
            break;
        }
    }
    Ok((rows, errors))
}

/// A value as it would stand in a text: whole numbers without a point, days and times as ISO 8601.
fn text(value: &DataRef) -> String {
    match value {
        DataRef::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number:.0}")
        }
        DataRef::Float(number) => number.to_string(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            text.clone()
        }
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            match (hour, minute, second) {
                (0, 0, 0) => date,
                _ => format!("{date}T{hour:02}:{minute:02}:{second:02}"),
            }
        }
        DataRef::DateTime(time) => time.as_f64().to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

/// Unpacks everything once, into nothing.
///
/// # Errors
/// When it is no workbook, or unpacks to more than is read.
fn measure(bytes: &[u8]) -> Result<(), Wrong> {
    let damaged = |_| {
        let message = "begins like a workbook (.xlsx) and is damaged; open it and save it again";
        Wrong::at(0, message)
    };
    // Nothing stands before it; were that looked for, another entry could be taken for the first.
    let config = zip::read::Config { archive_offset: zip::read::ArchiveOffset::Known(0) };
    let mut archive = ZipArchive::with_config(config, Cursor::new(bytes)).map_err(damaged)?;
    if archive.index_for_name("xl/workbook.xml").is_none() {
        let message = "is an archive without a workbook of Excel; save the table as .xlsx or .csv";
        return Err(Wrong::at(0, message));
    }
    let mut left = MAX_UNPACKED;
    for index in 0..archive.len().min(MAX_PARTS + 1) {
        let part = archive.by_index(index).map_err(damaged)?;
        if index == MAX_PARTS {
            return Err(Wrong::at(0, format!("has more than {MAX_PARTS} parts")));
        }
        // Pictures are not looked at.
        let text = part.name().is_ok_and(|name| name.ends_with(".xml") || name.ends_with(".rels"));
        if !text {
            continue;
        }
        let read = std::io::copy(&mut part.take(left + 1), &mut std::io::sink());
        left = left.checked_sub(read.unwrap_or(0)).ok_or_else(|| {
            let message = format!("unpacks to more than {MAX_UNPACKED} bytes; save it as .csv");
            Wrong::at(0, message)
        })?;
    }
    Ok(())
}

pub(super) fn table(sheet: &Sheet, expected: &Expected) -> Result<Table, Wrong> {
    let mut draft = Draft::new(expected);
    let mut header: Option<Header> = None;
    for (line, cells) in &sheet.rows {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        match &mut header {
            None => header = Some(Header::read(&mut draft, *line, &cells)?),
            Some(header) => {
                let flaw = sheet.errors.get(line);
                let flaw =
                    flaw.map(|error| format!("the row holds an error of the spreadsheet, {error}"));
                header.add(&mut draft, *line, &cells, false, flaw)?;
            }
        }
    }
    if sheet.others > 0 {
        let message = format!("its first sheet is read, {} others are not", sheet.others);
        draft.notes.push(message);
    }
    match header {
        Some(header) => draft.finish(header.line),
        None => Err(Wrong::at(0, "is empty; the first row must name the columns")),
    }
}
