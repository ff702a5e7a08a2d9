//! What is written of the options: the `atlas.yaml` of new projects, the reference, and the JSON Schema.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::option::{Described, Kind, Parts};
use crate::{Config, network};

/// Columns of a line of `atlas.yaml`.
const COLUMNS: usize = 104;
/// Where comments behind values begin.
const BEHIND: usize = 23;

/// The options of a project file.
fn options() -> Vec<Described> {
    match Config::options().parts {
        Parts::Options(_, options) => options,
        _ => Vec::new(),
    }
}

/// JSON Schema (draft 7, which editors read) of `atlas.yaml`.
pub fn schema() -> Json {
    let mut schema = Config::options().schema;
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "atlas.yaml of unit-atlas".into();
    let networks = &mut schema["properties"]["networks"];
    networks["minItems"] = 1.into();
    network::restrict(&mut networks["items"]);
    schema
}

/// The commented project file that `init` writes.
pub fn template() -> String {
    let mut out =
        "# The project file of unit-atlas. Every option is here with its default; a line may \
                   be left out.\n# Paths start from the folder of this file.\n"
            .to_owned();
    for option in options() {
        out.push('\n');
        above(&mut out, "", &option);
        below(&mut out, "", &option);
    }
    out
}

/// The comment above an option: what it is, and what it is made of.
fn above(out: &mut String, indent: &str, option: &Described) {
    wrap(out, &format!("{indent}# "), &format!("{indent}# "), &sentence(option));
    let listing = format!("{indent}#   ");
    match &option.shape.parts {
        Parts::Options(..) if option.default == Some("{}") => {}
        parts => list(out, &listing, parts),
    }
}

/// An option with its default, those of a section one by one.
fn below(out: &mut String, indent: &str, option: &Described) {
    let name = option.name;
    let inner = format!("{indent}  ");
    match (&option.shape.parts, option.default, option.example) {
        (Parts::Options(_, options), Some("{}"), _) => {
            let _ = writeln!(out, "{indent}{name}:");
            options.iter().for_each(|option| within(out, &inner, option));
        }
        (Parts::Kinds(kinds, _), Some("{}"), _) => {
            let Some(Kind { name: kind, options, .. }) = kinds.first() else { return };
            let _ = writeln!(out, "{indent}{name}:\n{inner}kind: {kind}");
            options.iter().for_each(|option| below(out, &inner, option));
        }
        (_, Some(default), None) if default.contains('\n') => {
            let _ = writeln!(out, "{indent}{name}:");
            default.lines().for_each(|line| {
                let _ = writeln!(out, "{inner}{line}");
            });
        }
        (_, Some(default), None) => {
            let _ = writeln!(out, "{indent}{name}: {default}");
        }
        (_, _, Some(example)) => {
            let _ = writeln!(out, "{indent}#{name}: {example}");
        }
        (_, None, None) => {}
    }
}

/// An option of a section: with its comment behind it where there is room, and above it otherwise.
fn within(out: &mut String, indent: &str, option: &Described) {
    let mut line = String::new();
    below(&mut line, indent, option);
    let said = format!("{:<BEHIND$}# {}", line.trim_end(), sentence(option));
    let plain = matches!(option.shape.parts, Parts::None);
    if plain && line.trim_end().len() < BEHIND && said.chars().count() <= COLUMNS {
        let _ = writeln!(out, "{said}");
    } else {
        above(out, indent, option);
        out.push_str(&line);
    }
}

/// What an option is, and what is used without it where that is no single value.
fn sentence(option: &Described) -> String {
    let otherwise = option.otherwise.map(|other| format!(" By default {other}."));
    option.doc.clone() + &otherwise.unwrap_or_default()
}

/// Names and meanings in two columns, with each one's own parts below it.
fn list(out: &mut String, indent: &str, parts: &Parts) {
    let deeper = format!("{indent}  ");
    match parts {
        Parts::None => {}
        Parts::Words(words) => {
            let width = width(words.iter().map(|(word, _)| word.as_str()));
            words.iter().for_each(|(word, meaning)| row(out, indent, width, word, meaning));
        }
        Parts::Options(_, options) => list_options(out, indent, options),
        Parts::Kinds(kinds, shared) => {
            let width = width(kinds.iter().map(|kind| kind.name));
            for kind in kinds {
                row(out, indent, width, kind.name, &kind.doc);
                list_options(out, &deeper, &kind.options);
            }
            if !shared.is_empty() {
                wrap(out, indent, indent, "and of every kind");
                list_options(out, &deeper, shared);
            }
        }
    }
}

fn list_options(out: &mut String, indent: &str, options: &[Described]) {
    let width = width(options.iter().map(|option| option.name));
    for option in options {
        let without = option.otherwise.or(option.default).map(|value| format!(" ({value})"));
        let meaning = option.doc.clone() + &without.unwrap_or_default();
        row(out, indent, width, option.name, &meaning);
        list(out, &format!("{indent}  "), &option.shape.parts);
    }
}

fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|name| name.len() + 2).max().unwrap_or(0)
}

fn row(out: &mut String, indent: &str, width: usize, name: &str, meaning: &str) {
    wrap(out, &format!("{indent}{name:<width$}"), &format!("{indent}{:<width$}", ""), meaning);
}

/// Writes words in lines of at most [`COLUMNS`].
fn wrap(out: &mut String, first: &str, others: &str, words: &str) {
    let (mut line, mut empty) = (first.to_owned(), true);
    for word in words.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > COLUMNS {
            let _ = writeln!(out, "{}", line.trim_end());
            (line, empty) = (others.to_owned(), true);
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    let _ = writeln!(out, "{}", line.trim_end());
}

/// `docs/reference.md`: every option with its values, its default and its meaning.
pub fn reference() -> String {
    let mut out = REFERENCE.to_owned();
    let options = options();
    table(&mut out, &options);
    for option in &options {
        parts(&mut out, 2, option.name, &option.shape.parts);
    }
    out
}

const REFERENCE: &str = "\
# Options of `atlas.yaml`

<!-- Written from the declarations in src/config/ by
     `UNIT_ATLAS_WRITE=1 cargo test -p unit-atlas-config written`: do not edit. -->

Every option may be left out, unless it says *required*; `unit-atlas init` writes a file with all of them.
Paths start from the folder of `atlas.yaml`. A key without a value counts as left out.

**In an editor.** `unit-atlas schema` prints a [JSON Schema](https://json-schema.org/) of this file, and
`unit-atlas schema labels` one of readers' files, `content/labels/*.yaml`; editors complete and check by
them, with no need of a network:

```sh
unit-atlas schema > atlas.schema.json
unit-atlas schema labels > labels.schema.json
```

Editors with the YAML language server (VS Code, Neovim, Emacs, Helix, Zed and others) take the schema from
the first line of a file, as a path that starts from its folder:

```yaml
# yaml-language-server: $schema=atlas.schema.json
```

or from their settings, for all files of a kind: `\"yaml.schemas\": { \"labels.schema.json\":
\"content/labels/*.yaml\" }` in VS Code; in JetBrains' editors *Languages & Frameworks, Schemas and DTDs,
JSON Schema Mappings*. The schema knows each value by itself; what depends on several of them, `unit-atlas`
checks when it reads the file.

";

/// What an option is made of, below a heading of its own.
fn parts(out: &mut String, level: usize, name: &str, parts: &Parts) {
    let heading = "#".repeat(level);
    match parts {
        Parts::None | Parts::Words(_) => {}
        Parts::Options(about, options) => {
            let _ = write!(out, "\n{heading} `{name}`\n\n{about}\n\n");
            table(out, options);
            for option in options {
                let name = format!("{name}.{}", option.name);
                self::parts(out, level + 1, &name, &option.shape.parts);
            }
        }
        Parts::Kinds(kinds, shared) => {
            let _ =
                write!(out, "\n{heading} `{name}`\n\nWhich options there are depends on `kind`.\n");
            for kind in kinds {
                let _ = write!(out, "\n{heading}# `kind: {}`\n\n{}\n", kind.name, kind.doc);
                if !kind.options.is_empty() {
                    out.push('\n');
                    table(out, &kind.options);
                }
            }
            if !shared.is_empty() {
                let _ = write!(out, "\n{heading}# Every kind\n\n");
                table(out, shared);
            }
        }
    }
}

fn table(out: &mut String, options: &[Described]) {
    out.push_str("| option | value | default | meaning |\n|---|---|---|---|\n");
    for option in options {
        let default = match (option.otherwise, option.default) {
            (Some(otherwise), _) => otherwise.to_owned(),
            (None, Some(default)) if default.contains('\n') => "those of `init`".to_owned(),
            (None, Some("{}")) => String::new(),
            (None, Some(default)) => format!("`{default}`"),
            (None, None) if option.required => "*required*".to_owned(),
            (None, None) => "none".to_owned(),
        };
        let mut meaning = option.doc.clone();
        if let Parts::Words(words) = &option.shape.parts {
            for (word, said) in words {
                let _ = write!(meaning, "<br>`{word}`: {said}");
            }
        }
        let cells = [option.shape.words.clone(), default, meaning];
        let [value, default, meaning] = cells.map(|cell| cell.replace('|', "\\|"));
        let _ = writeln!(out, "| `{}` | {value} | {default} | {meaning} |", option.name);
    }
}
