//! What a recipe says: `content/recipes/<id>.yaml`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use anyhow::{Result, bail};
use regex::Regex;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_yaml::Spanned;

use base::shipped;
use base::yaml::{self, Mistake, Text, unknown};

use super::template::Template;
use super::value::alike;
use mammogram::{About, is_file_name};

/// How a data set's own tables and folders become the table of a [`crate::Folder`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recipe {
    /// The data set.
    pub(super) name: String,
    /// What it is, and what the recipe makes of it.
    pub(super) description: String,
    /// How it is to be cited.
    pub(super) citation: String,
    /// Under which terms it may be used.
    pub(super) licence: String,
    /// Where it comes from.
    pub(super) get: String,
    /// Its tables by names of the recipe's own: their paths in the data set.
    pub(super) tables: BTreeMap<String, Spanned<String>>,
    /// What each row is made of.
    pub(super) rows: Rows,
    /// Rows of other tables that say more of a row, in order.
    #[serde(default)]
    pub(super) joins: Vec<Join>,
    /// Images that are left out.
    #[serde(default)]
    pub(super) skip: Vec<Skip>,
    /// Our columns.
    pub(super) columns: BTreeMap<String, Spanned<Cell>>,
    /// Several lesions of one row: each the columns of one of them.
    #[serde(default)]
    pub(super) lesions: Vec<BTreeMap<String, Spanned<Cell>>>,
    /// Its own text, which what is made by it follows from.
    #[serde(skip)]
    text: String,
}

/// What each row is made of.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rows {
    /// A row of a table.
    Table(Spanned<String>),
    /// A file whose path is of this pattern: `*` within a folder, `**` any folders, `{name}` what is a column then, `|`
    /// between patterns either of which will do.
    Files(Spanned<String>),
}

/// A table whose rows say more of a row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Join {
    pub(super) table: Spanned<String>,
    /// Which of its columns must hold what: a template of the row so far.
    pub(super) on: BTreeMap<String, Spanned<Template>>,
    /// What is done where no row of it does.
    #[serde(default)]
    pub(super) without: Without,
}

/// What is done with a row that nothing is joined to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Without {
    /// It is told and left out.
    #[default]
    Refuse,
    /// It stays as it is.
    Keep,
    /// It is left out as one that is not meant to be there.
    Skip,
}

/// Images that are left out, for one of their rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Skip {
    pub(super) of: Spanned<Template>,
    /// Values of these rows,
    #[serde(default)]
    pub(super) is: Vec<String>,
    /// or of those that stay.
    #[serde(default)]
    pub(super) is_not: Vec<String>,
    /// Why, as people read it.
    pub(super) because: String,
}

/// How a value of ours is made.
#[derive(Debug)]
pub(super) enum Cell {
    /// A text with columns in braces; nothing where one of them is blank.
    Text(Template),
    /// More than that.
    Made(Box<Made>),
}

/// How a value is made of another.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Made {
    /// The first of these that has a value.
    #[serde(default)]
    pub(super) any: Vec<Cell>,
    /// What it is made of.
    pub(super) of: Option<Template>,
    /// Whether a blank is a mistake, and not nothing.
    #[serde(default)]
    pub(super) needed: bool,
    /// The part of it that counts: what stands in the brackets of a regular expression.
    pub(super) part: Option<Pattern>,
    /// A text that it is put into, in the place of {}.
    pub(super) into: Option<String>,
    /// What divides it into several: `python` for a list as Python writes it, `numbers` for numbers between other
    /// signs, or what stands between them.
    pub(super) list: Option<String>,
    /// What its values are here; `~` is none.
    pub(super) values: Option<BTreeMap<String, Option<String>>>,
    /// What all other values are; `~` is none.
    #[serde(default, deserialize_with = "given")]
    pub(super) otherwise: Option<Option<String>>,
    /// What each four numbers of a box are.
    #[serde(rename = "box")]
    pub(super) edges: Option<Edges>,
    /// Shapes as VGG's annotator writes them.
    #[serde(default)]
    pub(super) via: bool,
    /// Only where there is such a file.
    #[serde(default)]
    pub(super) if_there: bool,
    /// The one file of this name, in whatever folder; nothing where there is none.
    #[serde(default)]
    pub(super) find: bool,
}

/// What four numbers of a box are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Edges {
    /// Left, top, right, bottom.
    Ltrb,
    /// Top, left, bottom, right.
    Tlbr,
    /// Left, top, width, height.
    Ltwh,
}

/// A regular expression with one bracket.
#[derive(Debug)]
pub(super) struct Pattern(pub(super) Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = |why: String| serde::de::Error::custom(why);
        let pattern =
            Regex::new(&text).map_err(|_| wrong(format!("`{text}` is no regular expression")))?;
        match pattern.captures_len() {
            2 => Ok(Self(pattern)),
            _ => Err(wrong(format!("`{text}` needs one bracket, around the part that counts"))),
        }
    }
}

/// A key that is given, if only as nothing.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Cell;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a text with columns in braces, or a mapping with `of` or `any`")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cell, E> {
                text.parse().map(Cell::Text).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cell, A::Error> {
                let made = Made::deserialize(MapAccessDeserializer::new(map))?;
                made.check().map_err(serde::de::Error::custom)?;
                Ok(Cell::Made(Box::new(made)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl Made {
    /// Refuses what could not be meant.
    fn check(&self) -> Result<(), String> {
        let wrong = |message: &str| Err(message.to_owned());
        if self.of.is_some() != self.any.is_empty() {
            return wrong("a value needs one of `of` and `any`");
        }
        if self.into.as_ref().is_some_and(|into| !into.contains("{}")) {
            return wrong("`into` is a text with {} in it, where the part goes");
        }
        if self.list.as_deref() == Some("") {
            return wrong("`list` is `python`, or the sign between values");
        }
        let ends = [self.find, self.via, self.edges.is_some(), self.values.is_some()];
        if ends.iter().filter(|is| **is).count() > 1 {
            return wrong("only one of `find`, `via`, `box` and `values` makes a value");
        }
        let keys: Vec<&String> = self.values.iter().flat_map(BTreeMap::keys).collect();
        let twice = keys.iter().enumerate().find_map(|(at, key)| {
            keys[..at].iter().find(|other| alike(other, key)).map(|other| (other, key))
        });
        match twice {
            Some((a, b)) => Err(format!("`values` has `{a}` and `{b}`, which are read as one")),
            None => Ok(()),
        }
    }
}

impl Cell {
    /// The columns that it is made of.
    pub(super) fn columns(&self) -> Vec<&str> {
        match self {
            Self::Text(template) => template.columns().collect(),
            Self::Made(made) => {
                let of = made.of.iter().flat_map(Template::columns);
                of.chain(made.any.iter().flat_map(Self::columns)).collect()
            }
        }
    }
}

/// Where the recipes are that come with the program.
const SHIPPED: &str = "content/recipes";

impl Recipe {
    /// The recipe of this id: a project's own, in `content/recipes/`, or one that comes with the program.
    ///
    /// # Errors
    /// When there is none, or it is wrong: with its line.
    pub(crate) fn open(content: &Path, id: &str) -> Result<Self> {
        let own = content.join("recipes").join(format!("{id}.yaml"));
        let (path, text) = match own.exists() {
            true => (own.clone(), yaml::read(&own)?),
            false => {
                let path = format!("{SHIPPED}/{id}.yaml");
                let Ok(text) = shipped::text(&path) else {
                    let known = Self::shipped()?;
                    bail!(
                        "source.name: {}; a recipe of your own is {}",
                        unknown("recipe", id, &known),
                        own.display()
                    );
                };
                (path.into(), text.to_owned())
            }
        };
        Ok(Self::parse(Text { path: &path, text: &text })?)
    }

    /// Its own text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What it is, under which terms, and where it comes from.
    pub(crate) fn offered(self) -> (About, String, String) {
        (self.about(), self.licence, self.get)
    }

    /// What pages say of the data set.
    pub(crate) fn about(&self) -> About {
        let Self { name, description, citation, licence, .. } = self;
        About {
            kind: "recipe".into(),
            name: name.clone(),
            description: description.trim().to_owned(),
            citation: citation.trim().to_owned(),
            licence: Some(licence.trim().to_owned()),
            phantom: false,
        }
    }

    /// The ids of those that come with the program.
    fn shipped() -> Result<Vec<&'static str>> {
        Ok(shipped::below(SHIPPED)?.filter_map(|(path, _)| path.strip_suffix(".yaml")).collect())
    }

    /// The ids of all recipes, those in a content folder among them, in the order of the alphabet.
    ///
    /// # Errors
    /// When no files were handed down, or the folder cannot be read.
    pub(crate) fn ids(content: &Path) -> Result<Vec<String>> {
        let mut ids: BTreeSet<String> = Self::shipped()?.into_iter().map(str::to_owned).collect();
        let own = content.join("recipes");
        if own.is_dir() {
            for entry in fs_err::read_dir(own)? {
                let name = entry?.file_name().to_string_lossy().into_owned();
                let id = name.strip_suffix(".yaml").filter(|id| is_file_name(id));
                ids.extend(id.map(str::to_owned));
            }
        }
        Ok(ids.into_iter().collect())
    }

    /// Reads a recipe.
    ///
    /// # Errors
    /// With the line of what is wrong.
    pub(super) fn parse(text: Text<'_>) -> Result<Self, Mistake> {
        let recipe = Self { text: text.text.to_owned(), ..text.parse()? };
        let tables: Vec<&str> = recipe.tables.keys().map(String::as_str).collect();
        let named = recipe.joins.iter().map(|join| &join.table).chain(match &recipe.rows {
            Rows::Table(table) => Some(table),
            Rows::Files(_) => None,
        });
        for table in named {
            if !tables.contains(&table.value.as_str()) {
                let message = unknown("table", &table.value, &tables);
                return Err(text.mistake(table.referenced, message));
            }
        }
        let mut used: Vec<&str> = Vec::new();
        let first = match &recipe.rows {
            Rows::Table(table) => Some(table),
            Rows::Files(_) => None,
        };
        for table in first.into_iter().chain(recipe.joins.iter().map(|join| &join.table)) {
            if used.contains(&table.value.as_str()) {
                let message = format!("the table `{}` is in use already", table.value);
                return Err(text.mistake(table.referenced, message));
            }
            used.push(&table.value);
        }
        if let Some(join) = recipe.joins.iter().find(|join| join.on.is_empty()) {
            let message = "`on` says which columns must hold what; it is empty";
            return Err(text.mistake(join.table.referenced, message));
        }
        if let Some(skip) =
            recipe.skip.iter().find(|skip| skip.is.is_empty() == skip.is_not.is_empty())
        {
            let message = "an image is skipped by one of `is` and `is_not`";
            return Err(text.mistake(skip.of.referenced, message));
        }
        if !recipe.columns.contains_key("image") {
            let message = "`columns` has no `image`, the file of each row";
            return Err(text.mistake(serde_yaml::Location::UNKNOWN, message));
        }
        if matches!(recipe.rows, Rows::Files(_)) && recipe.joins.is_empty() {
            let message =
                "`rows: { files: … }` needs a join, a table that says what the files show";
            return Err(text.mistake(serde_yaml::Location::UNKNOWN, message));
        }
        for (column, cell) in recipe.cells() {
            if !crate::folder::COLUMNS.contains(&column) {
                let message = unknown("column", column, &crate::folder::COLUMNS);
                return Err(text.mistake(cell.referenced, message));
            }
        }
        Ok(recipe)
    }

    /// All cells with the columns that they are.
    pub(super) fn cells(&self) -> impl Iterator<Item = (&str, &Spanned<Cell>)> {
        let all = std::iter::once(&self.columns).chain(&self.lesions);
        all.flatten().map(|(column, cell)| (column.as_str(), cell))
    }
}
