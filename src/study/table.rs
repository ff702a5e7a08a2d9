//! Answers as a table, one row per pattern seen: the columns of the site's `labels.csv` and those of the
//! readers' files.
//!
//! Rows with the same reader and unit are one answer; what concerns the whole answer stands in its
//! first row. A unit in which nothing was described has one row without `phenomenon`.

use formats::table::Row;
use formats::value;
use serde::de::DeserializeOwned;
use serde_yaml::Spanned;

use super::answer::{Association, Recognizable};
use super::form::{AnswerForm, Form, PhenomenonForm, placed};
use super::reading::Given;
use super::sheet::{File, Sheet};
use base::yaml::Mistake;

/// Every column that may stand in a table; `unit` must.
pub(super) const COLUMNS: [&str; 15] = [
    "study",
    "reader",
    "lexicon",
    "network",
    "layer",
    "unit",
    "recognizable",
    "phenomenon",
    "terms",
    "association",
    "confidence",
    "remarks",
    "answered_at",
    "seconds",
    "repeat",
];

/// Reads a table into one form per reader, in the order of their first rows.
pub(super) fn read(file: &File, given: &Given) -> Result<Vec<Form>, Mistake> {
    let sheet = file.sheet(&COLUMNS, &["phenomenon", "remarks"], given)?;
    let mut forms: Vec<Form> = Vec::new();
    for record in sheet.records() {
        let at = sheet.at(record);
        let word = |column: &str, given: Option<&str>, flag: &str| {
            known(&sheet, record, column).or(given).map(|word| word.trim().to_owned()).ok_or_else(
                || {
                    let message = format!("`{column}` is missing; fill the column or give {flag}");
                    sheet.mistake(record, message)
                },
            )
        };
        let reader = word("reader", given.reader.as_deref(), "--reader")?;
        let slot = match forms.iter().position(|form| form.reader.value == reader) {
            Some(slot) => slot,
            None => {
                forms.push(Form {
                    schema: placed(1, at),
                    study: placed(word("study", given.study.as_deref(), "--study")?, at),
                    reader: placed(reader, at),
                    lexicon: placed(word("lexicon", Some(&given.lexicon), "--lexicon")?, at),
                    about: None,
                    answers: Vec::new(),
                    superseded: Vec::new(),
                });
                forms.len() - 1
            }
        };
        let form = &mut forms[slot];
        for (column, known) in [("study", &form.study.value), ("lexicon", &form.lexicon.value)] {
            if let Some(cell) = self::known(&sheet, record, column)
                && cell.trim() != known
            {
                let message =
                    format!("`{column}` is `{cell}`, but `{known}` in the reader's first row");
                return Err(sheet.mistake(record, message));
            }
        }
        row(&sheet, record, &mut form.answers)?;
    }
    Ok(forms)
}

/// Adds a row to the answers of its reader.
fn row(sheet: &Sheet, record: &Row, answers: &mut Vec<AnswerForm>) -> Result<(), Mistake> {
    let (unit, at) = (unit(sheet, record)?, sheet.at(record));
    let repeat = number(sheet, record, "repeat", "true or false", value::boolean)?;
    let repeat = repeat.is_some_and(|repeat| repeat.value);
    let phenomenon = phenomenon(sheet, record)?;
    let recognizable: Option<Spanned<Recognizable>> = word(sheet, record, "recognizable")?;
    let confidence: Option<Spanned<i64>> =
        number(sheet, record, "confidence", "a whole number", value::whole)?;
    let seconds: Option<Spanned<f64>> =
        number(sheet, record, "seconds", "a number", |cell| cell.parse().ok())?;
    let remarks = words(sheet, record, "remarks");
    let answered_at =
        known(sheet, record, "answered_at").map(|cell| placed(cell.trim().to_owned(), at));
    let Some(known) = answers.iter_mut().find(|a| a.unit.value == unit && a.repeat == repeat)
    else {
        let recognizable = match (recognizable, &phenomenon) {
            (Some(said), _) => said,
            // The site's own table has phenomena only.
            (None, Some(_)) => placed(Recognizable::Yes, at),
            (None, None) => {
                let message = "neither `phenomenon` nor `recognizable` (yes, no or unsure)";
                return Err(sheet.mistake(record, message));
            }
        };
        answers.push(AnswerForm {
            unit: placed(unit, at),
            recognizable,
            phenomena: phenomenon.into_iter().collect(),
            confidence,
            remarks,
            answered_at,
            received_at: None,
            seconds,
            repeat,
            questions: None,
        });
        return Ok(());
    };
    // A further row of one answer may leave out what concerns all of it, but not contradict.
    let differs = [
        ("recognizable", recognizable.is_some_and(|v| v.value != known.recognizable.value)),
        ("confidence", confidence.is_some_and(|v| Some(v.value) != value(&known.confidence))),
        ("seconds", seconds.is_some_and(|v| Some(v.value) != value(&known.seconds))),
        ("remarks", remarks.is_some_and(|v| Some(&v) != known.remarks.as_ref())),
        ("answered_at", answered_at.is_some_and(|v| Some(v.value) != value(&known.answered_at))),
    ];
    if let Some((column, _)) = differs.iter().find(|(_, differs)| *differs) {
        let message = format!(
            "`{column}` differs from an earlier row of the same answer to `{unit}`; rows of one \
             reader and unit are one answer"
        );
        return Err(sheet.mistake(record, message));
    }
    match phenomenon {
        Some(phenomenon) => known.phenomena.push(phenomenon),
        None => {
            let message = format!("a second row for `{unit}` without `phenomenon`");
            return Err(sheet.mistake(record, message));
        }
    }
    Ok(())
}

fn value<T: Clone>(of: &Option<Spanned<T>>) -> Option<T> {
    of.as_ref().map(|v| v.value.clone())
}

/// The unit's name, whole in its column or with network and layer in theirs.
fn unit(sheet: &Sheet, record: &Row) -> Result<String, Mistake> {
    let cell = |column| known(sheet, record, column).map(str::trim);
    match (cell("network"), cell("layer"), cell("unit")) {
        (_, _, None) => Err(sheet.mistake(record, "`unit` is missing")),
        (Some(network), Some(layer), Some(unit)) if !unit.contains('/') => {
            // Spreadsheets take the zeros in front of a number away.
            let unit = match value::whole(unit) {
                Some(number) => format!("{number:04}"),
                None => unit.to_owned(),
            };
            Ok(format!("{network}/{layer}/{unit}"))
        }
        (_, _, Some(unit)) => Ok(unit.to_owned()),
    }
}

fn phenomenon(sheet: &Sheet, record: &Row) -> Result<Option<PhenomenonForm>, Mistake> {
    let at = sheet.at(record);
    let terms = words(sheet, record, "terms").unwrap_or_default();
    // No term's id holds a comma: it can only part two of them.
    let terms: Vec<Spanned<String>> = terms
        .split([';', ',', '|', '；', '，', '、', '\n'])
        .map(str::trim)
        .filter(|term| !term.is_empty())
        .map(|term| placed(term.to_owned(), at))
        .collect();
    let description = words(sheet, record, "phenomenon");
    let association: Option<Spanned<Association>> = word(sheet, record, "association")?;
    match (description, association) {
        (None, None) if terms.is_empty() => Ok(None),
        (description, Some(association)) => Ok(Some(PhenomenonForm {
            description: placed(description.unwrap_or_default(), at),
            terms,
            association: association.value,
        })),
        (_, None) => {
            let message = "`association` is missing; expected malignant, benign, none or unsure";
            Err(sheet.mistake(record, message))
        }
    }
}

/// One of a few words.
fn word<T: DeserializeOwned>(
    sheet: &Sheet,
    record: &Row,
    column: &str,
) -> Result<Option<Spanned<T>>, Mistake> {
    let Some(cell) = known(sheet, record, column) else { return Ok(None) };
    let text = cell.trim().to_lowercase();
    match serde_json::from_value(serde_json::Value::String(text)) {
        Ok(value) => Ok(Some(placed(value, sheet.at(record)))),
        Err(error) => Err(sheet.mistake(record, format!("`{column}` is `{cell}`: {error}"))),
    }
}

fn number<T>(
    sheet: &Sheet,
    record: &Row,
    column: &str,
    expected: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<Spanned<T>>, Mistake> {
    let Some(cell) = known(sheet, record, column) else { return Ok(None) };
    match read(cell.trim()) {
        Some(value) => Ok(Some(placed(value, sheet.at(record)))),
        None => Err(sheet.mistake(record, format!("`{column}` is `{cell}`; expected {expected}"))),
    }
}

/// A cell, where it does not say that there is nothing, as R and pandas do (`NA`).
fn known<'r>(sheet: &Sheet, record: &'r Row, column: &str) -> Option<&'r str> {
    sheet.cell(record, column).filter(|cell| !value::is_gap(cell))
}

/// Someone's words from a cell: without the apostrophe that keeps a spreadsheet from running them as
/// a formula.
fn words(sheet: &Sheet, record: &Row, column: &str) -> Option<String> {
    known(sheet, record, column).map(|cell| base::spreadsheet::unguarded(cell).to_owned())
}
