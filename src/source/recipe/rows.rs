//! The rows of a data set as those of the table of a [`crate::Folder`].

use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;
use serde_json::Value;

use base::text::Encoding;
use base::yaml::unknown;
use base::{Notice, counted};
use formats::picture::Picture;
use formats::table::{self, Expected, Row, Table};
use formats::value;
use mammogram::Laterality;

use crate::folder::{ADVICE, name_of};
use crate::walk;

use super::form::{self, Recipe, Rows, Without};
use super::value::{Given, alike};

/// Columns of a file whose name the recipe has found: its path, and what DICOM says of side and view.
const OF_FILES: [&str; 3] = ["file", "file.laterality", "file.view"];
/// Rows that may come of one by joins, and of all.
const MOST: usize = 4096;
const MOST_OF_ALL: usize = 1 << 20;

/// What a data set's tables say, as our table.
pub(crate) struct Made {
    pub(crate) table: Table,
    /// The file by whose lines rows are told.
    pub(crate) lines_of: PathBuf,
    /// Every table that was read.
    pub(crate) files: Vec<PathBuf>,
    /// What of the tables could not be used.
    pub(crate) notices: Vec<Notice>,
}

/// The tables of a data set.
struct Tables<'a> {
    recipe: &'a Recipe,
    root: &'a Path,
    read: BTreeMap<&'a str, (PathBuf, Table)>,
}

/// A row while it is put together: of each table at most one row; and what the name of its file says.
#[derive(Clone)]
struct Line<'a> {
    rows: Vec<(&'a str, &'a Table, &'a Row)>,
    file: Option<&'a File>,
    folder: &'a Folder,
}

/// The folder of a data set.
struct Folder {
    root: PathBuf,
    /// Paths of its files by their names in small letters, listed where one is looked for.
    by_name: OnceCell<HashMap<String, Vec<String>>>,
}

/// A file that the recipe's pattern has found.
struct File {
    path: String,
    named: Vec<(String, String)>,
    /// Side and view by DICOM, read where they are asked for.
    dicom: OnceCell<[Option<String>; 2]>,
}

impl File {
    fn said(&self, root: &Path) -> &[Option<String>; 2] {
        self.dicom.get_or_init(|| {
            let Ok(picture) = Picture::open(&root.join(&self.path)) else { return [None, None] };
            let Some(dicom) = picture.dicom() else { return [None, None] };
            let side = dicom.laterality().map(|side| match side {
                Laterality::Left => "L".to_owned(),
                Laterality::Right => "R".to_owned(),
            });
            [side, dicom.view().map(|view| view.to_string())]
        })
    }
}

impl Line<'_> {
    /// The line of its first row; 0 where it has none.
    fn at(&self) -> u64 {
        self.rows.first().map_or(0, |(.., row)| row.line)
    }

    /// What is wrong with one of its rows.
    fn unsound(&self) -> Option<String> {
        let mut rows = self.rows.iter().enumerate();
        rows.find_map(|(at, (table, _, row))| {
            let why = row.sound().err()?;
            Some(if at == 0 { why } else { format!("line {} of its `{table}`: {why}", row.line) })
        })
    }
}

impl Given for Line<'_> {
    fn column(&self, name: &str) -> Option<String> {
        if let Some(file) = self.file {
            match name {
                "file" => return Some(file.path.clone()),
                "file.laterality" => return file.said(&self.folder.root)[0].clone(),
                "file.view" => return file.said(&self.folder.root)[1].clone(),
                _ => {}
            }
            if let Some((_, value)) = file.named.iter().find(|(known, _)| known == name) {
                return Some(value.clone());
            }
        }
        // What pandas has made a decimal of, since others are missing, is a whole number again.
        let of = |row: &Row, column: &str| {
            let text = row.text(column).ok().flatten().filter(|text| !value::is_missing(text));
            text.map(|text| value::name(&text))
        };
        if let Some((table, column)) = name.split_once('.')
            && let Some((.., row)) = self.rows.iter().find(|(known, ..)| *known == table)
        {
            return of(row, column);
        }
        let found = self.rows.iter().find(|(_, table, _)| table.has(name));
        found.and_then(|(.., row)| of(row, name))
    }

    fn has_file(&self, path: &str) -> bool {
        self.folder.root.join(path.replace('\\', "/")).is_file()
    }

    fn file(&self, name: &str) -> Result<Option<String>, String> {
        let by_name = self.folder.by_name.get_or_init(|| {
            let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
            for path in files(&self.folder.root) {
                let name = path.rsplit('/').next().unwrap_or_default().to_lowercase();
                by_name.entry(file_name(&name)).or_default().push(path);
            }
            by_name
        });
        let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
        match by_name.get(&file_name(&name.to_lowercase())).map(Vec::as_slice) {
            None | Some([]) => Ok(None),
            Some([one]) => Ok(Some(one.clone())),
            Some(_) => Err("is the name of several files; keep the one that is meant".into()),
        }
    }
}

impl Recipe {
    /// The rows of the data set in a folder.
    ///
    /// # Errors
    /// When a table or a column that the recipe needs is not there, or rows cannot be told. What concerns single rows is
    /// theirs.
    pub(crate) fn rows(&self, root: &Path, encoding: Option<Encoding>) -> Result<Made> {
        let tables = Tables::read(self, root, encoding)?;
        let folder = Folder { root: root.to_owned(), by_name: OnceCell::new() };
        let folder = &folder;
        let files = match &self.rows {
            Rows::Table(_) => Vec::new(),
            Rows::Files(pattern) => matching(root, &pattern.value)?,
        };
        tables.check(&files)?;
        let mut drafts: Vec<Draft> = Vec::new();
        let mut skipped: BTreeMap<&str, usize> = BTreeMap::new();
        let columns: Vec<&str> =
            self.cells().map(|(name, _)| name).collect::<BTreeSet<_>>().into_iter().collect();
        let start: Vec<Line> = match &self.rows {
            Rows::Table(name) => {
                let (_, table) = &tables.read[name.value.as_str()];
                let of = |row| Line {
                    rows: vec![(name.value.as_str(), table, row)],
                    file: None,
                    folder,
                };
                table.rows.iter().map(of).collect()
            }
            Rows::Files(_) => files
                .iter()
                .map(|file| Line { rows: Vec::new(), file: Some(file), folder })
                .collect(),
        };
        let joined = tables.joined();
        let mut unjoined = 0;
        for (number, line) in (1..).zip(start) {
            let lines = match self.join(&line, &joined) {
                Ok(lines) => lines,
                Err(flaw) => {
                    // A file has no line by which it could be told, and its name may be a patient's.
                    let flaw = match line.file {
                        Some(_) => format!("{flaw} (file {number} of {})", files.len()),
                        None => flaw,
                    };
                    // Its image cannot be used; which it is, is said where that much is known.
                    let image =
                        self.columns.get("image").and_then(|cell| cell.value.of(&line).ok());
                    let values = columns.iter().map(|column| match *column {
                        "image" => image.clone().flatten().map_or(Value::Null, Value::String),
                        _ => Value::Null,
                    });
                    drafts.push((line.at(), values.collect(), Some(flaw)));
                    continue;
                }
            };
            unjoined += usize::from(lines.is_empty());
            if drafts.len() + lines.len() * (1 + self.lesions.len()) > MOST_OF_ALL {
                bail!(
                    "more than {MOST_OF_ALL} rows come of the tables of {}, as the recipe joins them",
                    self.name
                );
            }
            let skip = |skip: &&form::Skip| lines.iter().any(|line| skip.applies(line));
            if let Some(skip) = self.skip.iter().find(skip) {
                *skipped.entry(&skip.because).or_default() += 1;
                continue;
            }
            let before = drafts.len();
            for line in lines {
                let base = self.values(&columns, &self.columns, None, &line);
                let own =
                    self.lesions.iter().map(|own| self.values(&columns, own, Some(&base), &line));
                // One without anything of its own is none.
                let own = own.filter(|made| *made != base);
                let own: Vec<_> = own.collect();
                let all = if own.is_empty() { vec![base] } else { own };
                for (values, flaw) in all {
                    drafts.push((line.at(), values, line.unsound().or(flaw)));
                }
            }
            let own = drafts.split_off(before);
            drafts.extend(told_apart(&columns, own));
        }
        let mut table = Table::of(&columns, drafts);
        if unjoined > 0 {
            let rows = counted(unjoined, "row is", "rows are");
            table.notes.push(format!("{rows} left out, to which nothing is joined"));
        }
        let told = skipped.into_iter().map(|(because, count)| {
            format!("{} left out: {because}", counted(count, "image is", "images are"))
        });
        table.notes.extend(told);
        table.notes.extend(tables.read.values().flat_map(|(_, table)| table.notes.clone()));
        let lines_of = match &self.rows {
            Rows::Table(name) => &name.value,
            Rows::Files(_) => &self.joins[0].table.value,
        };
        let lines_of = tables.read[lines_of.as_str()].0.clone();
        let notices = joined.iter().flat_map(Joined::notices).collect();
        drop(joined);
        let files = tables.read.into_values().map(|(path, _)| path).collect();
        Ok(Made { table, lines_of, files, notices })
    }

    /// The values of our columns, and what is wrong with the first that cannot be understood.
    fn values(
        &self,
        columns: &[&str],
        cells: &BTreeMap<String, serde_yaml::Spanned<form::Cell>>,
        base: Option<&(Vec<Value>, Option<String>)>,
        line: &Line,
    ) -> (Vec<Value>, Option<String>) {
        let mut flaw = base.and_then(|(_, flaw)| flaw.clone());
        let value = |(at, column): (usize, &&str)| match cells.get(*column) {
            None => base.map_or(Value::Null, |(values, _)| values[at].clone()),
            Some(cell) => match cell.value.of(line) {
                Ok(value) => value.map_or(Value::Null, Value::String),
                Err(why) => {
                    let from: Vec<String> =
                        cell.value.columns().iter().map(|name| format!("`{name}`")).collect();
                    let message =
                        format!("{} {why} (`columns.{column}` of the recipe)", from.join(" or "));
                    flaw.get_or_insert(message);
                    Value::Null
                }
            },
        };
        let values = columns.iter().enumerate().map(value).collect();
        (values, flaw)
    }

    /// A line with the rows that are joined to it.
    fn join<'a>(&self, line: &Line<'a>, joined: &[Joined<'a>]) -> Result<Vec<Line<'a>>, String> {
        let mut lines = vec![line.clone()];
        for (join, known) in self.joins.iter().zip(joined) {
            let mut more = Vec::new();
            for line in lines {
                let key: Option<Vec<String>> =
                    join.on.values().map(|of| of.value.filled(|c| line.column(c))).collect();
                let Some(key) = key else {
                    // What belongs to it is not known, which is not nothing.
                    return Err(format!("a value by which {} is joined is blank", known.shown));
                };
                match (known.by_key.get(&keyed(&key)), join.without) {
                    (Some(Found { rows, met }), _) => {
                        met.set(true);
                        more.extend(rows.iter().map(|row| {
                            let mut line = line.clone();
                            line.rows.push((known.name, known.table, row));
                            line
                        }));
                    }
                    (None, Without::Keep) => more.push(line),
                    (None, Without::Skip) => {}
                    (None, Without::Refuse) => {
                        return Err(format!("no row of {} belongs to it", known.shown));
                    }
                }
            }
            if more.len() > MOST {
                return Err(format!("more than {MOST} rows of {} belong to it", known.shown));
            }
            lines = more;
        }
        Ok(lines)
    }
}

/// A row of ours: its line, its values, and what is wrong with it.
type Draft = (u64, Vec<Value>, Option<String>);

/// Columns that say where a lesion is.
const PLACES: [&str; 3] = ["mask", "polygon", "box"];
/// Pathologies, the gravest first.
const GRAVITY: [&str; 2] = ["malignant", "benign"];

/// Of the rows of one image those that are lesions of their own: several that are joined to one box are one lesion, of
/// the gravest pathology and with the terms of all; and what has no place says nothing beside the same with one.
fn told_apart(columns: &[&str], rows: Vec<Draft>) -> Vec<Draft> {
    let at = |name: &str| columns.iter().position(|column| *column == name);
    let placed = |values: &[Value]| {
        PLACES.iter().filter_map(|name| at(name)).any(|place| !values[place].is_null())
    };
    let gravity = |value: &Value| {
        let known = GRAVITY.iter().position(|one| value.as_str() == Some(*one));
        known.unwrap_or(GRAVITY.len())
    };
    let mut kept: Vec<Draft> = Vec::new();
    for row in rows {
        let same = at("box").filter(|_| row.2.is_none()).and_then(|place| {
            let is_same = |other: &&mut Draft| other.2.is_none() && other.1[place] == row.1[place];
            (!row.1[place].is_null()).then(|| kept.iter_mut().find(is_same)).flatten()
        });
        let Some(same) = same else {
            kept.push(row);
            continue;
        };
        if let Some(place) = at("pathology")
            && gravity(&row.1[place]) < gravity(&same.1[place])
        {
            same.1[place] = row.1[place].clone();
        }
        if let Some(place) = at("terms") {
            let both =
                [&same.1[place], &row.1[place]].map(|terms| terms.as_str().unwrap_or_default());
            let terms: BTreeSet<&str> = both
                .iter()
                .flat_map(|terms| terms.split("; "))
                .filter(|one| !one.is_empty())
                .collect();
            let terms: Vec<&str> = terms.into_iter().collect();
            same.1[place] =
                if terms.is_empty() { Value::Null } else { Value::String(terms.join("; ")) };
        }
    }
    let without_place = |values: &[Value]| -> Vec<Value> {
        let is_place = |name: &&str| PLACES.contains(name);
        let rest = columns.iter().zip(values).filter(|(name, _)| !is_place(name));
        rest.map(|(_, value)| value.clone()).collect()
    };
    let with_place: Vec<Vec<Value>> = kept
        .iter()
        .filter(|(_, values, _)| placed(values))
        .map(|row| without_place(&row.1))
        .collect();
    kept.retain(|(_, values, flaw)| {
        flaw.is_some() || placed(values) || !with_place.contains(&without_place(values))
    });
    kept
}

impl form::Skip {
    fn applies(&self, line: &Line) -> bool {
        let value = self.of.value.filled(|column| line.column(column)).unwrap_or_default();
        let among = |list: &[String]| list.iter().any(|one| alike(one, &value));
        among(&self.is) || !self.is_not.is_empty() && !among(&self.is_not)
    }
}

/// A name of a file without blanks before its ending, as they slip in where tables are typed: `a .jpg`.
fn file_name(text: &str) -> String {
    match text.rsplit_once('.') {
        Some((stem, ending)) => format!("{}.{ending}", stem.trim_end()),
        None => text.to_owned(),
    }
}

/// A table by what is looked for in it.
struct Joined<'a> {
    name: &'a str,
    shown: String,
    table: &'a Table,
    by_key: HashMap<String, Found<'a>>,
    /// Rows that name nothing that they could belong to.
    nameless: Vec<&'a Row>,
}

/// Rows that belong to the same, and whether anything has met them.
#[derive(Default)]
struct Found<'a> {
    rows: Vec<&'a Row>,
    met: Cell<bool>,
}

impl Joined<'_> {
    /// What of it has come to nothing: it may have been a cancer.
    fn notices(&self) -> Vec<Notice> {
        let of = |line: u64, message: String| Notice {
            place: format!("{}:{line}", self.shown),
            message,
            skipped: true,
        };
        let unmet = self.by_key.values().filter(|found| !found.met.get());
        let mut lost: Vec<&Row> = unmet.flat_map(|found| found.rows.iter().copied()).collect();
        lost.extend(&self.nameless);
        lost.sort_by_key(|row| row.line);
        let mut notices: Vec<Notice> = lost
            .iter()
            .filter_map(|row| {
                row.sound().err().map(|why| of(row.line, format!("{why}; the row is left out")))
            })
            .collect();
        if let [first, rest @ ..] = lost.as_slice() {
            let more = match rest.len() {
                0 => String::new(),
                more => format!(", and neither do {more} more of its rows"),
            };
            notices.push(of(
                first.line,
                format!("belongs to no image{more}; what it says is left out"),
            ));
        }
        notices
    }
}

/// Values that are compared, as one.
fn keyed(values: &[String]) -> String {
    let plain: Vec<String> =
        values.iter().map(|text| file_name(&value::name(text.trim()))).collect();
    plain.join("\u{1f}")
}

impl<'a> Tables<'a> {
    fn read(recipe: &'a Recipe, root: &'a Path, encoding: Option<Encoding>) -> Result<Self> {
        ensure!(
            root.is_dir(),
            "{} is no folder that is there; set source.path to that of {}",
            root.display(),
            recipe.name
        );
        let expected =
            Expected { columns: None, needed: &[], prose: &[], encoding, advice: ADVICE };
        let read = recipe.tables.iter().map(|(name, pattern)| {
            let path = the_file(root, &pattern.value).with_context(|| {
                format!("{} cannot be read without its table `{name}`", recipe.name)
            })?;
            let table = table::read(&path, &expected)?;
            let single = |value: &Value| !value.is_array() && !value.is_object();
            if let Some(row) = table.rows.iter().find(|row| !row.values().flatten().all(single)) {
                bail!(
                    "{}:{}: has a list or a mapping as a value; recipes read texts and numbers",
                    path.display(),
                    row.line
                );
            }
            Ok((name.as_str(), (path, table)))
        });
        let read = read.collect::<Result<_>>()?;
        Ok(Self { recipe, root, read })
    }

    /// Refuses a data set that lacks a column that the recipe speaks of.
    fn check(&self, files: &[File]) -> Result<()> {
        let Self { recipe, read, root } = self;
        if let Rows::Files(pattern) = &recipe.rows {
            ensure!(
                !files.is_empty(),
                "no file in {} is named as `{}`, as those of {} are",
                root.display(),
                pattern.value,
                recipe.name
            );
        }
        let named: Vec<&str> = files
            .first()
            .map(|file| file.named.iter().map(|(name, _)| name.as_str()).collect())
            .unwrap_or_default();
        let of_files = !files.is_empty();
        let known = |name: &str| {
            (of_files && (OF_FILES.contains(&name) || named.contains(&name)))
                || match name.split_once('.') {
                    Some((table, column)) if read.contains_key(table) => read[table].1.has(column),
                    _ => read.values().any(|(_, table)| table.has(name)),
                }
        };
        let mut wanted: Vec<(String, &str)> = Vec::new();
        for (column, cell) in recipe.cells() {
            wanted
                .extend(cell.value.columns().into_iter().map(|c| (format!("columns.{column}"), c)));
        }
        for join in &recipe.joins {
            let ours = join.on.values().flat_map(|of| of.value.columns());
            wanted.extend(ours.map(|c| ("joins".to_owned(), c)));
            let (path, table) = &read[join.table.value.as_str()];
            if let Some(missing) = join.on.keys().find(|column| !table.has(column)) {
                bail!(
                    "{} has no column `{missing}`, by which the recipe `joins` it; is it the table of {}?",
                    path.display(),
                    recipe.name
                );
            }
        }
        wanted.extend(
            recipe
                .skip
                .iter()
                .flat_map(|skip| skip.of.value.columns().map(|c| ("skip".to_owned(), c))),
        );
        if let Some((key, column)) = wanted.into_iter().find(|(_, column)| !known(column)) {
            let tables: Vec<String> =
                read.values().map(|(path, _)| path.display().to_string()).collect();
            let names: BTreeSet<&str> =
                read.values().flat_map(|(_, table)| table.names()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            bail!(
                "{}: {}, which `{key}` of the recipe for {} needs",
                tables.join(" and "),
                unknown("column", column, &names).replacen(
                    "unknown column",
                    "there is no column",
                    1
                ),
                recipe.name
            );
        }
        Ok(())
    }

    /// The tables that are joined, by what is looked for in them.
    fn joined(&self) -> Vec<Joined<'_>> {
        let joined = self.recipe.joins.iter().map(|join| {
            let name = join.table.value.as_str();
            let (path, table) = &self.read[name];
            let mut by_key: HashMap<String, Found> = HashMap::new();
            let mut nameless = Vec::new();
            for row in &table.rows {
                let key: Option<Vec<String>> =
                    join.on.keys().map(|column| row.text(column).ok().flatten()).collect();
                match key {
                    Some(key) => by_key.entry(keyed(&key)).or_default().rows.push(row),
                    None => nameless.push(row),
                }
            }
            Joined { name, shown: name_of(path), table, by_key, nameless }
        });
        joined.collect()
    }
}

/// A pattern of paths as a regular expression, with the names of what it tells apart.
fn pattern(text: &str) -> Result<(Regex, Vec<String>)> {
    let mut names = Vec::new();
    let mut regex = String::from("(?i)^(?:");
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("**/") {
            regex += "(?:.*/)?";
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('|') {
            regex += "|";
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('*') {
            regex += "[^/]*";
            rest = behind;
        } else if let Some((name, behind)) = rest.strip_prefix('{').and_then(|r| r.split_once('}'))
        {
            regex += "([^/]+)";
            names.push(name.to_owned());
            rest = behind;
        } else {
            regex += &regex::escape(first.encode_utf8(&mut [0; 4]));
            rest = &rest[first.len_utf8()..];
        }
    }
    Ok((Regex::new(&(regex + ")$"))?, names))
}

/// The paths of all files in a folder, with `/`, in order.
fn files(root: &Path) -> impl Iterator<Item = String> {
    let entries = walk(root).flatten();
    entries.filter(|entry| entry.file_type().is_file()).filter_map(move |entry| {
        let inside = entry.path().strip_prefix(root).ok()?;
        Some(inside.to_string_lossy().replace('\\', "/"))
    })
}

/// The files of a pattern in a folder, in order.
fn matching(root: &Path, text: &str) -> Result<Vec<File>> {
    let (regex, names) = pattern(text)?;
    let found = files(root).filter_map(|path| {
        let parts: Vec<String> = regex
            .captures(&path)?
            .iter()
            .skip(1)
            .map(|part| part.map_or_else(String::new, |part| part.as_str().to_owned()))
            .collect();
        Some(File {
            named: names.iter().cloned().zip(parts).collect(),
            path,
            dicom: OnceCell::new(),
        })
    });
    Ok(found.collect())
}

/// The one file of a pattern.
fn the_file(root: &Path, text: &str) -> Result<PathBuf> {
    let found = matching(root, text)?;
    match found.as_slice() {
        [one] => Ok(root.join(&one.path)),
        [] => bail!("{} holds no {text}", root.display()),
        [a, b, ..] => bail!(
            "{} holds more than one {text}: {} and {}; keep the one that is meant there",
            root.display(),
            a.path,
            b.path
        ),
    }
}
