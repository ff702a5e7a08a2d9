//! Texts with columns in braces, such as `images/{study_id}/{image_id}.dicom`.

use std::str::FromStr;

use serde::Deserialize;

/// A text with columns in braces.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A column, as [`formats::table`] has its name; of one table, with its name and a point in front. Not every release
    /// of the data set needs to have one with `?` behind it; what stands behind `=` is its value where
    /// it is blank.
    Column {
        name: String,
        needed: bool,
        blank: Option<String>,
    },
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (column, behind) = after
                .split_once('}')
                .filter(|(column, _)| !column.is_empty() && !column.contains('{'))
                .ok_or_else(|| {
                    format!("`{text}` has a brace that is not closed around a column")
                })?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (column, blank) = match column.split_once('=') {
                Some((column, blank)) => (column, Some(blank.to_owned())),
                None => (column, None),
            };
            let name = column.strip_suffix('?');
            let needed = name.is_none();
            pieces.push(Piece::Column { name: name.unwrap_or(column).to_owned(), needed, blank });
            rest = behind;
        }
        if rest.contains('}') {
            return Err(format!("`{text}` closes a brace that is not open"));
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }
}

impl Template {
    /// The columns that it needs.
    pub(super) fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Column { name, needed: true, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// What it becomes; `None` where a column has no value.
    pub(super) fn filled(&self, value: impl Fn(&str) -> Option<String>) -> Option<String> {
        let filled = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => Some(text.clone()),
            Piece::Column { name, blank, .. } => value(name).or_else(|| blank.clone()),
        });
        filled.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_in_braces() {
        let template: Template = "a/{b c}-{d.e}.png".parse().unwrap();
        assert_eq!(template.columns().collect::<Vec<_>>(), ["b c", "d.e"]);
        let filled = template.filled(|column| Some(column.len().to_string()));
        assert_eq!(filled.as_deref(), Some("a/3-3.png"));
        assert_eq!(template.filled(|column| (column != "d.e").then(String::new)), None);
        let free: Template = "{a?}{b}".parse().unwrap();
        assert_eq!(free.columns().collect::<Vec<_>>(), ["b"]);
        assert_eq!(free.filled(|column| Some(column.to_owned())).as_deref(), Some("ab"));
        let both: Template = "{a=B}{b}".parse().unwrap();
        let only = |of: &'static str| both.filled(|c| (c == of).then(|| c.to_owned()));
        assert_eq!([only("b").as_deref(), only("a").as_deref()], [Some("Bb"), None]);
        for wrong in ["{", "a}", "{}", "{a{b}}"] {
            assert!(wrong.parse::<Template>().is_err(), "{wrong}");
        }
    }
}
