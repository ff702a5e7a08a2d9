//! YAML files that people write: read with a size limit, and refused with the file, the line, the
//! column, the line's text and a caret. JSON is read by the same reader, as a subset of YAML.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::input;
use crate::text::{self, Encoding};
use serde::de::DeserializeOwned;
use serde_yaml::{Error, Location, MessageFormatter, UserMessageFormatter};

/// Files larger than this are refused before they are read; a reader's file with a thousand
/// answers holds a few hundred kilobytes.
pub const MAX_BYTES: u64 = 8 << 20;

/// Mappings and sequences inside one another.
const MAX_DEPTH: usize = 32;

/// Something wrong in a file, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file.
    pub path: PathBuf,
    /// Line from 1; 0 when it concerns the whole file.
    pub line: u64,
    /// Column in characters from 1; 0 when it concerns the whole line or file.
    pub column: u64,
    /// What is wrong and what was expected.
    pub message: String,
    /// The line's text and a caret under the column; empty without a place.
    pub excerpt: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
            if self.column > 0 {
                write!(f, ":{}", self.column)?;
            }
        }
        write!(f, ": {}", self.message)?;
        if !self.excerpt.is_empty() {
            write!(f, "\n{}", self.excerpt)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistake {}

/// The text of a file.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// Where it stands.
    pub path: &'a Path,
    /// What it says.
    pub text: &'a str,
}

/// Reads a file as text, UTF-8 or UTF-16, without a byte order mark.
pub fn read(path: &Path) -> Result<String, Mistake> {
    read_as(path, None)
}

/// As [`read`], in an encoding where the file does not tell its own.
pub fn read_as(path: &Path, encoding: Option<Encoding>) -> Result<String, Mistake> {
    let whole = |message: String| Mistake {
        path: path.to_owned(),
        line: 0,
        column: 0,
        message,
        excerpt: String::new(),
    };
    let bytes =
        input::read(path, MAX_BYTES).map_err(|error| whole(format!("cannot be read: {error}")))?;
    text::decode(bytes, encoding).map_err(|error| Mistake {
        line: error.line,
        ..whole(format!("{error}; save it as UTF-8"))
    })
}

fn too_large(bytes: u64) -> String {
    format!("holds {bytes} bytes; files of more than {MAX_BYTES} are not read")
}

impl Text<'_> {
    /// Reads one document.
    pub fn parse<T: DeserializeOwned>(self) -> Result<T, Mistake> {
        if self.text.len() as u64 > MAX_BYTES {
            return Err(self.mistake(Location::UNKNOWN, too_large(self.text.len() as u64)));
        }
        let options = serde_yaml::options! {
            budget: serde_yaml::budget! { max_depth: MAX_DEPTH, flow_nesting_limit: MAX_DEPTH },
            with_snippet: false,
        };
        serde_yaml::from_str_with_options(self.text, options).map_err(|error| {
            self.mistake(error.location().unwrap_or(Location::UNKNOWN), say(&error))
        })
    }

    /// A mistake at a place in this text.
    pub fn mistake(self, at: Location, message: impl Into<String>) -> Mistake {
        let (line, column) =
            if at == Location::UNKNOWN { (0, 0) } else { (at.line(), at.column()) };
        let excerpt = match self.text.lines().nth((line as usize).wrapping_sub(1)) {
            Some(text) => excerpt(text, line, column, at.span().len()),
            None => String::new(),
        };
        Mistake { path: self.path.to_owned(), line, column, message: message.into(), excerpt }
    }
}

impl Text<'_> {
    /// A mistake in `length` characters at a line and column, both from 1.
    pub fn mistake_at(
        self,
        line: usize,
        column: usize,
        length: usize,
        message: impl Into<String>,
    ) -> Mistake {
        let (at, from) = (line as u64, column as u64);
        let text = self.text.lines().nth(line.wrapping_sub(1)).unwrap_or_default();
        let excerpt = excerpt(text, at, from, length as u64);
        let path = self.path.to_owned();
        Mistake { path, line: at, column: from, message: message.into(), excerpt }
    }
}

/// The line with a gutter, and carets under `length` characters from `column`.
fn excerpt(text: &str, line: u64, column: u64, length: u64) -> String {
    const BEFORE: usize = 80;
    const WIDTH: usize = 120;
    let column = (column as usize).saturating_sub(1);
    let start = column.saturating_sub(BEFORE);
    // Tabs and control characters would move the caret or the terminal.
    let shown: String = text
        .chars()
        .skip(start)
        .take(WIDTH)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let room = shown.chars().count().saturating_sub(column - start).max(1);
    let carets = "^".repeat((length as usize).clamp(1, room));
    let gutter = line.to_string();
    let blank = " ".repeat(gutter.len());
    format!(
        "{blank} |\n{gutter} | {}\n{blank} | {}{carets}",
        shown.trim_end(),
        " ".repeat(column - start)
    )
}

/// The reader's message in our words where it concerns keys and values.
fn say(error: &Error) -> String {
    match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => unknown("key", field, expected),
        Error::SerdeUnknownVariant { variant, expected, .. } => unknown("value", variant, expected),
        Error::SerdeMissingField { field, .. } => format!("the key `{field}` is missing"),
        Error::DuplicateMappingKey { key: Some(key), .. } => {
            format!("the key `{key}` is given twice")
        }
        Error::InvalidScalar { ty, .. } => format!("expected {}", kind(ty)),
        Error::SerdeInvalidType { unexpected, expected, .. }
        | Error::SerdeInvalidValue { unexpected, expected, .. } => {
            format!("expected {expected}, found {unexpected}")
        }
        Error::Unexpected { expected: "mapping start", .. } => {
            "expected keys with values, such as `key: value`".to_owned()
        }
        Error::Unexpected { expected: "sequence start", .. } => {
            "expected a list, such as `[a, b]`".to_owned()
        }
        Error::Unexpected { expected: "string scalar", .. } => {
            "expected a single value, not a list or keys".to_owned()
        }
        Error::Budget { .. } => {
            format!("too large or nested too deeply (at most {MAX_DEPTH} levels)")
        }
        error => {
            let message = UserMessageFormatter.format_message(error).into_owned();
            // The scanner's own limit, where nothing but nesting comes.
            if message.contains("recursion limit") {
                return format!("nested too deeply (at most {MAX_DEPTH} levels)");
            }
            if message.is_empty() { error.to_string() } else { message }
        }
    }
}

fn kind(ty: &str) -> &str {
    match ty {
        "i8" | "i16" | "i32" | "i64" | "i128" => "a whole number",
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number from 0 to 18446744073709551615",
        "u128" => "a whole number, not negative",
        "f32" | "f64" | "float" | "floating point" => "a number",
        "bool" | "boolean" => "true or false",
        ty => ty,
    }
}

/// `unknown key \`widow\`; did you mean \`window\`? Known: …`
pub fn unknown<S: AsRef<str>>(what: &str, word: &str, known: &[S]) -> String {
    let list = known.iter().map(|k| format!("`{}`", k.as_ref())).collect::<Vec<_>>().join(", ");
    let hint = match nearest(word, known.iter().map(AsRef::as_ref)) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => ".".to_owned(),
    };
    format!("unknown {what} `{word}`{hint} Known: {list}")
}

/// The known word that `word` most probably stands for, if any is close.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .map(|k| (strsim::damerau_levenshtein(&word, &k.to_lowercase()), k))
        .filter(|&(distance, k)| distance <= 1 + k.len().min(word.len()) / 4)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, k)| k)
}
