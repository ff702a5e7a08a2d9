//! Files that may be imported, each in whichever form it has: a reader's file (YAML or JSON, also what
//! the survey exports), a table, or answers of the paper's server.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::IgnoredAny;

use super::labels::{Dissected, Read};
use super::sheet::File;
use super::{questions, table};
use base::text::Encoding;
use base::yaml::{self, Mistake, Text};

/// The place of what concerns a whole file.
const NOWHERE: serde_yaml::Location = serde_yaml::Location::UNKNOWN;

/// What a file of another form does not say of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The study.
    pub study: Option<String>,
    /// The reader.
    pub reader: Option<String>,
    /// The lexicon.
    pub lexicon: String,
    /// How its letters are written, where that is neither UTF-8 nor UTF-16.
    pub encoding: Option<Encoding>,
}

/// Reads a file: one reader's, or several readers'.
///
/// # Errors
/// As [`Read::open`]; also when a table lacks a column or a cell.
pub fn open(path: &Path, given: &Given, layers: &[Dissected]) -> Result<Vec<Read>, Mistake> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let (forms, text) = match ending.as_str() {
        "csv" | "tsv" | "txt" | "xlsx" | "xlsm" => {
            let file = File::open(path, given)?;
            let forms = match file.names().iter().any(|name| name == "q1") {
                true => questions::table(&file, given, layers)?,
                false => table::read(&file, given)?,
            };
            (forms, file.text().text.to_owned())
        }
        _ => {
            let text = yaml::read_as(path, given.encoding)?;
            let forms = match shape(Text { path, text: &text }) {
                Shape::Reader => return Ok(vec![Read::parse(text, path)?]),
                Shape::Cases => {
                    let message =
                        "holds scores of cases and no answers on units; `study mrmc` reads it";
                    return Err(Text { path, text: &text }.mistake(NOWHERE, message));
                }
                Shape::List => questions::list(Text { path, text: &text }, given, layers)?,
                Shape::Mapping => questions::mapping(Text { path, text: &text }, given, layers)?,
            };
            (forms, text)
        }
    };
    if forms.is_empty() {
        return Err(Text { path, text: &text }.mistake(NOWHERE, "holds no answer"));
    }
    Ok(forms.into_iter().map(|form| Read::new(path, text.clone(), form)).collect())
}

enum Shape {
    /// A reader's file, or whatever else is to be refused as one.
    Reader,
    /// What a reader of cases saved: it is another command's.
    Cases,
    /// A list of the paper's responses.
    List,
    /// A mapping from units to the paper's responses.
    Mapping,
}

fn shape(text: Text) -> Shape {
    if let Ok(keys) = text.parse::<BTreeMap<String, IgnoredAny>>() {
        let mapping = !keys.is_empty() && keys.keys().all(|key| key.contains('/'));
        let cases = keys.contains_key("cases") && !keys.contains_key("answers");
        return match () {
            () if mapping => Shape::Mapping,
            () if cases => Shape::Cases,
            () => Shape::Reader,
        };
    }
    match text.parse::<Vec<BTreeMap<String, IgnoredAny>>>() {
        Ok(list) if list.iter().all(|entry| entry.contains_key("q1")) => Shape::List,
        _ => Shape::Reader,
    }
}
