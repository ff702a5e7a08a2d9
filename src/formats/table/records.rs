//! Tables whose rows name their columns: JSON lines, one object a line, and lists of objects in YAML or JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_yaml::Spanned;

use super::{Draft, Expected, Table, Wrong, plain};
use base::yaml::Text;

/// The members of an object in their order, those of one name too.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

pub(super) fn lines(text: &str, expected: &Expected) -> Result<Table, Wrong> {
    let mut draft = Draft::new(expected);
    for (line, text) in (1..).zip(text.split('\n')) {
        if text.trim().is_empty() {
            continue;
        }
        let members: Members = serde_json::from_str(text).map_err(|error| Wrong {
            line,
            column: error.column() as u64,
            message: "is no JSON object; which image the row belongs to is not known".into(),
        })?;
        add(&mut draft, line, members.0)?;
    }
    finish(draft)
}

pub(super) fn list(text: &str, path: &Path, expected: &Expected) -> Result<Table, Wrong> {
    let rows: Vec<Spanned<BTreeMap<String, Value>>> =
        Text { path, text }.parse().map_err(|mistake| {
            // Without the excerpt and what is quoted of it.
            let message = match mistake.message.contains("given twice") {
                true => "names a column twice in one row",
                false => "is not a list of mappings",
            };
            Wrong { line: mistake.line, column: mistake.column, message: message.into() }
        })?;
    let mut draft = Draft::new(expected);
    for row in rows {
        add(&mut draft, row.referenced.line(), row.value.into_iter().collect())?;
    }
    finish(draft)
}

fn add(draft: &mut Draft, line: u64, members: Vec<(String, Value)>) -> Result<(), Wrong> {
    let mut values: Vec<Value> = Vec::new();
    let mut seen = Vec::new();
    for (name, value) in members {
        let place = draft.column(&name, line)?;
        if seen.contains(&place) {
            let message = format!("names the column `{}` twice", plain(&name));
            return Err(Wrong::at(line, message));
        }
        seen.push(place);
        if values.len() <= place {
            values.resize(place + 1, Value::Null);
        }
        values[place] = value;
    }
    draft.add(line, values, None)
}

/// Rows of a list need not name every column: that none does is the rows' flaw.
fn finish(draft: Draft) -> Result<Table, Wrong> {
    let expected = Expected { needed: &[], ..*draft.expected };
    Draft { expected: &expected, ..draft }.finish(0)
}
