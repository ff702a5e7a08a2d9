//! Separated values. The crate `csv` reads them as spreadsheets do, which is to say all: a quotation mark
//! that is never closed takes in the rows after it. So the marks are held to the rules first (RFC 4180,
//! section 2), with the difference that a mark within a value that has none around it is a character.

use super::{Draft, Expected, Header, Lines, Table, Wrong, is_blank, line_of, plain, trimmed};

/// What may separate values, the usual first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

pub(super) fn table(text: &str, expected: &Expected) -> Result<Table, Wrong> {
    let (start, said) = separator_line(text);
    let separator = said.unwrap_or_else(|| most_frequent(&text[start..]));
    check_quotes(text, start, separator)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(&text.as_bytes()[start..]);
    let mut draft = Draft::new(expected);
    let (mut header, mut lines) = (None, Lines::new(text));
    for record in reader.records() {
        // Memory is read, and it is text: nothing can go wrong.
        let record = record.map_err(|error| Wrong::at(0, format!("cannot be read: {error}")))?;
        if record.iter().all(is_blank) {
            continue;
        }
        let place = record.position().map_or(0, csv::Position::byte);
        let line = lines.of(row_start(text, start + usize::try_from(place).unwrap_or(0)));
        let cells: Vec<&str> = record.iter().collect();
        match &mut header {
            None => header = Some(Header::read(&mut draft, line, &cells)?),
            Some(header) => {
                check_lines(&cells, header, &draft, separator, line)?;
                header.add(&mut draft, line, &cells, true, None)?;
            }
        }
    }
    match header {
        Some(header) => draft.finish(header.line),
        None => Err(Wrong::at(0, "is empty; the first line must name the columns")),
    }
}

/// Names of the columns, as far as they can be told without the rest.
pub(super) fn names(text: &str) -> Vec<String> {
    let (start, said) = separator_line(text);
    let text = &text[start..];
    let separator = said.unwrap_or_else(|| most_frequent(text));
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator)
        .from_reader(first_line(text).as_bytes());
    let first = reader.records().next().and_then(Result::ok).unwrap_or_default();
    first.iter().map(plain).collect()
}

/// The line `sep=;`, by which a file tells Excel its separator: where the rows begin after it, and what it
/// says.
fn separator_line(text: &str) -> (usize, Option<u8>) {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let line = text[..end].trim_matches('"');
    let said =
        line.get(..4).filter(|key| key.eq_ignore_ascii_case("sep=")).map(|_| &line.as_bytes()[4..]);
    match said {
        Some([separator]) if separator.is_ascii() && *separator != b'"' => (end, Some(*separator)),
        _ => (0, None),
    }
}

fn first_line(text: &str) -> &str {
    text.split(['\r', '\n']).find(|line| !is_blank(line)).unwrap_or_default()
}

/// What occurs most in the first line, outside of quotation marks.
fn most_frequent(text: &str) -> u8 {
    let mut counts = [0usize; SEPARATORS.len()];
    let mut quoted = false;
    for byte in first_line(text).bytes() {
        quoted ^= byte == b'"';
        if !quoted && let Some(at) = SEPARATORS.iter().position(|&known| known == byte) {
            counts[at] += 1;
        }
    }
    let best = (0..counts.len()).rev().max_by_key(|&at| counts[at]).unwrap_or(0);
    SEPARATORS[best]
}

/// Where a row begins whose record begins here: line breaks belong to what is before.
fn row_start(text: &str, at: usize) -> usize {
    let breaks = text.as_bytes()[at.min(text.len())..].iter();
    at + breaks.take_while(|byte| matches!(byte, b'\r' | b'\n')).count()
}

/// Holds quotation marks to the rules.
///
/// # Errors
/// When one is not closed, or is followed by something else than the end of its value.
fn check_quotes(text: &str, start: usize, separator: u8) -> Result<(), Wrong> {
    let bytes = text.as_bytes();
    let ends =
        |at: usize| bytes.get(at).is_none_or(|&b| b == separator || b == b'\r' || b == b'\n');
    let wrong = |at: usize, message: String| {
        let line_start = text[..at].rfind(['\r', '\n']).map_or(0, |end| end + 1);
        let column = text[line_start..at].chars().count() as u64 + 1;
        Err(Wrong { line: line_of(text, at), column, message })
    };
    let mut at = start;
    while at < bytes.len() {
        if bytes[at] != b'"' {
            // A value without marks: to its end.
            while !ends(at) {
                at += 1;
            }
            at += 1;
            continue;
        }
        let opened = at;
        at += 1;
        loop {
            match bytes[at..].iter().position(|&b| b == b'"') {
                None => {
                    let message = "a quotation mark is opened here and never closed, so that the rows after it would be lost";
                    return wrong(opened, message.into());
                }
                Some(next) => at += next + 1,
            }
            if bytes.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
        if !ends(at) {
            let message = format!(
                "the value that begins with a quotation mark here goes on after the next one, in line {}; a mark is missing or too many (one within a value is written twice)",
                line_of(text, at)
            );
            return wrong(opened, message);
        }
        at += 1;
    }
    Ok(())
}

/// Refuses a row with a value over several lines where that is not prose, or where one of these lines could
/// be a row.
fn check_lines(
    cells: &[&str],
    header: &Header,
    draft: &Draft,
    separator: u8,
    line: u64,
) -> Result<(), Wrong> {
    let prose: Vec<usize> = draft
        .expected
        .prose
        .iter()
        .filter_map(|name| draft.columns.0.get(*name).copied())
        .collect();
    for (at, cell) in cells.iter().enumerate() {
        let value = trimmed(cell);
        if !value.contains(['\r', '\n']) {
            continue;
        }
        let place = header.places.get(at).copied().flatten();
        let name = draft.columns.0.iter().find(|(_, known)| Some(**known) == place);
        let own = name.is_some_and(|(name, _)| name.starts_with('_'));
        let name = name.map_or("a column", |(name, _)| name);
        let separators = |line: &str| line.bytes().filter(|&b| b == separator).count();
        let rows = value.split(['\r', '\n']).skip(1);
        if rows.into_iter().any(|line| separators(line) >= (header.places.len() - 1).max(2)) {
            let message = format!(
                "a value of `{name}` takes in what looks like further rows; close its quotation mark where it ends"
            );
            return Err(Wrong::at(line, message));
        }
        if !own
            && !place.is_some_and(|place| prose.contains(&place))
            && draft.expected.columns.is_some()
        {
            let message = format!(
                "a value of `{name}` goes over several lines; a quotation mark is missing or too many"
            );
            return Err(Wrong::at(line, message));
        }
    }
    Ok(())
}
