//! Shortcodes of the prose, looked up in the atlas and rendered by the theme.

use anyhow::{Context, Result};
use serde::Serialize;

use super::page::{Frame, Site};
use super::parts::{PatchView, UnitCard};
use crate::content::Article;
use crate::facts::Atlas;
use crate::facts::paths::{Link, unit_link};
use crate::shortcode::{self, Embedded, Shortcode};
use crate::{export, text};
use base::{UnitId, digits, yaml};
use record::dissection::{Layer, Unit};

/// Patches of an embedded unit.
const PATCHES: usize = 6;

#[derive(Serialize)]
struct UnitView {
    unit: UnitCard,
}

#[derive(Serialize)]
struct OnePatch {
    patch: PatchView,
    unit: Link,
}

#[derive(Serialize)]
struct FigureView<'a> {
    src: String,
    words: &'a str,
    size: [u32; 2],
}

#[derive(Serialize)]
struct TableView {
    file: String,
    href: String,
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// How many more the table has.
    more: String,
}

/// What a shortcode names, found.
enum Found<'a> {
    Unit(&'a Layer, &'a Unit),
    Patch(&'a Layer, &'a Unit, usize),
    Figure(&'a str, &'a str, [u32; 2]),
    Table(&'static export::Table, usize),
}

/// Refuses shortcodes that name nothing of the atlas, with their place.
pub(super) fn check(atlas: &Atlas) -> Result<()> {
    for article in &atlas.articles {
        for code in &article.shortcodes {
            find(atlas, article, code)?;
        }
    }
    Ok(())
}

/// The prose of a page with its shortcodes rendered.
pub(super) fn html(site: &Site, frame: &Frame, article: &Article) -> Result<String> {
    let atlas = site.atlas;
    let made = article
        .shortcodes
        .iter()
        .map(|code| {
            let (template, part) = match find(atlas, article, code)? {
                Found::Unit(layer, unit) => {
                    let unit = atlas.card(atlas.entry(layer, unit), PATCHES, 1.0);
                    ("unit", site.render("shortcodes/unit.html", frame, &UnitView { unit }))
                }
                Found::Patch(layer, unit, rank) => {
                    let patch = atlas.patch(rank, &unit.top[rank - 1], 0.4);
                    let unit = unit_link(&atlas.entry(layer, unit).id);
                    (
                        "patch",
                        site.render("shortcodes/patch.html", frame, &OnePatch { patch, unit }),
                    )
                }
                Found::Figure(file, words, size) => {
                    let view = FigureView { src: format!("images/{file}"), words, size };
                    ("figure", site.render("shortcodes/figure.html", frame, &view))
                }
                Found::Table(found, rows) => {
                    let view = table(atlas, found, rows)?;
                    ("table", site.render("shortcodes/table.html", frame, &view))
                }
            };
            String::from_utf8(part?).with_context(|| format!("shortcode `{template}`"))
        })
        .collect::<Result<Vec<String>>>()?;
    Ok(shortcode::put(&article.html, &made))
}

fn find<'a>(atlas: &Atlas<'a>, article: &'a Article, code: &'a Shortcode) -> Result<Found<'a>> {
    let wrong = |message: String| -> anyhow::Error {
        let text = yaml::Text { path: &article.path, text: &article.text };
        text.mistake_at(code.place.line, code.place.column, code.place.length, message).into()
    };
    let unit = |name: &str| -> Result<(&'a Layer, &'a Unit)> {
        let unit: UnitId = name.parse().map_err(|why| wrong(format!("`{name}` {why}")))?;
        let found = atlas
            .layers()
            .find(|(exhibit, l)| exhibit.config.name == unit.network() && l.layer == unit.layer());
        let Some((_, layer)) = found else {
            let known: Vec<String> = atlas
                .layers()
                .map(|(exhibit, l)| format!("{}/{}", exhibit.config.name, l.layer))
                .collect();
            return Err(wrong(format!(
                "the atlas has no unit `{name}`; its layers are {}",
                text::and(&known)
            )));
        };
        match layer.units.get(unit.index()) {
            Some(unit) => Ok((layer, unit)),
            None => Err(wrong(format!(
                "there is no unit `{name}`: that layer has units 0001 to {}",
                digits(layer.units.len() as u32)
            ))),
        }
    };
    match &code.embedded {
        Embedded::Unit(name) => {
            let (layer, unit) = unit(name)?;
            Ok(Found::Unit(layer, unit))
        }
        Embedded::Patch(name, rank) => {
            let (layer, unit) = unit(name)?;
            match *rank <= unit.top.len() {
                true => Ok(Found::Patch(layer, unit, *rank)),
                false => {
                    let kept = unit.top.len();
                    Err(wrong(format!("`{name}` has {kept} top patches, not {rank}")))
                }
            }
        }
        Embedded::Figure(file, words) => match article.figures.get(file) {
            Some(&size) => Ok(Found::Figure(file, words, size)),
            None => Err(wrong(format!(
                "there is no picture content/images/{file} (.png or .jpg) that can be read"
            ))),
        },
        Embedded::Table(file, rows) => match export::Table::find(file) {
            Some(table) => Ok(Found::Table(table, *rows)),
            None => {
                let known: Vec<&str> = export::all().map(|table| table.file).collect();
                Err(wrong(yaml::unknown("table", file, &known)))
            }
        },
    }
}

/// A cell as pages round: three digits of a fraction that has more behind its point. The file has them all.
fn rounded(cell: &str) -> String {
    let long = cell.split_once('.').is_some_and(|(_, behind)| behind.len() > 3);
    match cell.parse() {
        Ok(number) if long => text::significant(number),
        _ => cell.to_owned(),
    }
}

fn table(atlas: &Atlas, table: &export::Table, most: usize) -> Result<TableView> {
    let bytes = table.make(atlas)?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_string).collect();
    let header = cells(reader.headers()?);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut more = 0_u64;
    for record in reader.records() {
        match rows.len() < most {
            true => rows.push(record?.iter().map(rounded).collect()),
            false => more += 1,
        }
    }
    let more = if more > 0 { text::count(more) } else { String::new() };
    Ok(TableView { file: table.file.into(), href: table.path(), header, rows, more })
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn fractions_are_rounded_and_nothing_else_is() {
        let cells = [
            "0.8586387434",
            "-0.0012535453",
            "0.125",
            "0001",
            "57012034",
            "1.5.2345",
            "a.12345",
            "",
        ];
        let shown =
            ["0.859", "\u{2212}0.00125", "0.125", "0001", "57012034", "1.5.2345", "a.12345", ""];
        assert_eq!(cells.map(rounded), shown);
    }
}
