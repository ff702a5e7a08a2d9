//! Shortcodes: a line of prose that stands for something of the atlas.
//!
//! ```text
//! {{ unit("vgg16/conv5_3/0063") }}         a unit with its best patches
//! {{ patch("vgg16/conv5_3/0063", 3) }}     its third patch
//! {{ figure("scheme.png", "What it is") }} a picture of content/images
//! {{ table("networks.csv", 10) }}          the first rows of a table of the data page
//! ```

use serde_json::Value;

/// Stands in the prose around the number of a shortcode; a private character that no font has.
const MARK: char = '\u{E000}';
/// Every form, for messages.
const FORMS: &str = "`unit(\"network/layer/0063\")`, `patch(\"network/layer/0063\", 3)`, \
                     `figure(\"name.png\", \"words\")` or `table(\"networks.csv\", 10)`";

/// What a shortcode stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Embedded {
    /// A unit by its name.
    Unit(String),
    /// A patch of a unit, by rank.
    Patch(String, usize),
    /// A picture of `content/images/` with its caption.
    Figure(String, String),
    /// Rows of a table.
    Table(String, usize),
}

/// A shortcode with its place in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shortcode {
    pub(super) embedded: Embedded,
    pub(super) place: Place,
}

/// A piece of a line; line and column count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) length: usize,
}

/// Takes the shortcodes out of Markdown and leaves marks in their places. `before` is how many lines
/// of the file come first.
pub(super) fn take(
    markdown: &str,
    before: usize,
) -> Result<(String, Vec<Shortcode>), (Place, String)> {
    let mut text = String::with_capacity(markdown.len());
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (at, line) in markdown.split_inclusive('\n').enumerate() {
        let bare = line.trim();
        match fence {
            Some(mark) if bare.starts_with(mark) => fence = None,
            None => fence = ["```", "~~~"].into_iter().find(|mark| bare.starts_with(mark)),
            _ => {}
        }
        let indented = line.starts_with("    ") || line.starts_with('\t');
        let code = fence.is_some() || indented;
        if !code && !bare.starts_with("{{") {
            within(line).map_or(Ok(()), |column| {
                let place = Place { line: before + at + 1, column, length: 2 };
                Err((place, "a shortcode stands alone on its line".to_owned()))
            })?;
        }
        if code || !bare.starts_with("{{") {
            text.extend(line.chars().filter(|&c| c != MARK));
            continue;
        }
        let place = Place {
            line: before + at + 1,
            column: line.chars().take_while(|c| c.is_whitespace()).count() + 1,
            length: bare.chars().count(),
        };
        let embedded = parse(bare).map_err(|message| (place, message))?;
        text.push_str(&format!("\n{MARK}{}{MARK}\n\n", found.len()));
        found.push(Shortcode { embedded, place });
    }
    Ok((text, found))
}

/// The column of a shortcode that has text beside it; what stands between backticks is code.
fn within(line: &str) -> Option<usize> {
    let mut before = 0;
    for (at, piece) in line.split('`').enumerate() {
        let calls = |name: &str| {
            let inner = piece.split_once("{{")?.1.trim_start();
            inner.strip_prefix(name)?.trim_start().starts_with('(').then(|| piece.find("{{"))?
        };
        if at % 2 == 0
            && let Some(found) = ["unit", "patch", "figure", "table"].into_iter().find_map(calls)
        {
            return Some(before + piece[..found].chars().count() + 1);
        }
        before += piece.chars().count() + 1;
    }
    None
}

fn parse(line: &str) -> Result<Embedded, String> {
    let expected = || format!("expected {FORMS} between `{{{{` and `}}}}`, alone on its line");
    let inner = line.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    let call = inner.map(str::trim).and_then(|call| call.strip_suffix(')'));
    let (name, arguments) = call.and_then(|call| call.split_once('(')).ok_or_else(expected)?;
    let arguments: Vec<Value> =
        serde_json::from_str(&format!("[{arguments}]")).map_err(|_| expected())?;
    let number = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok());
    Ok(match (name.trim(), arguments.as_slice()) {
        ("unit", [Value::String(unit)]) => Embedded::Unit(unit.clone()),
        ("patch", [Value::String(unit), rank]) => {
            Embedded::Patch(unit.clone(), number(rank).filter(|n| *n > 0).ok_or_else(expected)?)
        }
        ("figure", [Value::String(file), Value::String(words)]) if !words.trim().is_empty() => {
            Embedded::Figure(file.clone(), words.clone())
        }
        ("table", [Value::String(table), rows]) => {
            Embedded::Table(table.clone(), number(rows).ok_or_else(expected)?)
        }
        _ => return Err(expected()),
    })
}

/// Puts what was made of the shortcodes into the HTML of the prose, in their order.
pub(super) fn put(html: &str, made: &[String]) -> String {
    let marked = |at: usize| format!("<p>{MARK}{at}{MARK}</p>");
    let replaced = |html: String, (at, made): (usize, &String)| html.replace(&marked(at), made);
    made.iter().enumerate().fold(html.to_string(), replaced)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_marks_and_code_stays() {
        let (text, found) = take(
            "A `{{ unit(\"x\") }}` in a line, and {{ braces }}.\n{{ unit(\"a/b/0001\") }}\nAfter.\n\n\
             ```\n{{ unit(\"code\") }}\n```\n  {{patch( \"a/b/0002\" , 3 )}}\n    {{ indented\n",
            4,
        )
        .unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].embedded, Embedded::Unit("a/b/0001".into()));
        assert_eq!(found[0].place, Place { line: 6, column: 1, length: 22 });
        assert_eq!(found[1].embedded, Embedded::Patch("a/b/0002".into(), 3));
        assert_eq!((found[1].place.line, found[1].place.column), (12, 3));
        assert!(text.contains(
            "A `{{ unit(\"x\") }}` in a line, and {{ braces }}.\n\n\u{E000}0\u{E000}\n\nAfter."
        ));
        assert!(text.contains("unit(\"code\")") && text.contains("    {{ indented"));
        let html = "<p>\u{E000}0\u{E000}</p><p>\u{E000}1\u{E000}</p>";
        assert_eq!(put(html, &["<b>".into(), "<i>".into()]), "<b><i>");
    }

    #[test]
    fn mistakes_have_their_place() {
        for wrong in [
            "{{ unit(63) }}",
            "{{ unit(\"a\", \"b\") }}",
            "{{ units(\"a\") }}",
            "{{ unit(\"a\" }}",
            "{{ patch(\"a\", 0) }}",
            "{{ figure(\"x.png\", \"\") }}",
            "{{ unit(\"a\") }} and more",
        ] {
            let (place, message) = take(&format!("Text.\n\n{wrong}\n"), 0).unwrap_err();
            assert_eq!((place.line, place.column), (3, 1), "{wrong}");
            assert!(message.contains("expected `unit("), "{message}");
        }
        let (place, message) = take("See `x` and {{ unit(\"a\") }} here.\n", 2).unwrap_err();
        assert_eq!((place.line, place.column), (3, 13));
        assert!(message.contains("alone on its line"), "{message}");
        // A mark of one's own is no shortcode.
        let (text, found) = take("\u{E000}0\u{E000}\n", 0).unwrap();
        assert!(found.is_empty() && text == "0\n");
    }
}
