//! Shortcodes of the prose, looked up in the atlas and rendered by the theme.

use anyhow::{Context, Result};
use serde::Serialize;

use super::parts::PatchView;
use super::{Atlas, Frame, Link, UnitCard, unit_link};
use crate::content::Article;
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
    Table(&'a str, usize),
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
pub(super) fn html(atlas: &Atlas, frame: &Frame, article: &Article) -> Result<String> {
    let made = article
        .shortcodes
        .iter()
        .map(|code| {
            let (template, part) = match find(atlas, article, code)? {
                Found::Unit(layer, unit) => {
                    let unit = atlas.card(atlas.entry(layer, unit), PATCHES, 1.0);
                    ("unit", atlas.page("shortcodes/unit.html", frame, &UnitView { unit }))
                }
                Found::Patch(layer, unit, rank) => {
                    let patch = atlas.patch(rank, &unit.top[rank - 1], 0.4);
                    let unit = unit_link(&atlas.entry(layer, unit).id);
                    ("patch", atlas.page("shortcodes/patch.html", frame, &OnePatch { patch, unit }))
                }
                Found::Figure(file, words, size) => {
                    let view = FigureView { src: format!("images/{file}"), words, size };
                    ("figure", atlas.page("shortcodes/figure.html", frame, &view))
                }
                Found::Table(file, rows) => {
                    let view = table(atlas, file, rows)?;
                    ("table", atlas.page("shortcodes/table.html", frame, &view))
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
        Embedded::Table(file, rows) => match export::all().any(|table| table.file == file) {
            true => Ok(Found::Table(file, *rows)),
            false => {
                let known: Vec<&str> = export::all().map(|table| table.file).collect();
                Err(wrong(yaml::unknown("table", file, &known)))
            }
        },
    }
}

fn table(atlas: &Atlas, file: &str, most: usize) -> Result<TableView> {
    let href = format!("data/{file}");
    let tables = export::tables();
    let export = tables.iter().find(|export| export.path == href).context("no such table")?;
    let bytes = export.make(atlas)?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let cells = |record: &csv::StringRecord| record.iter().map(str::to_string).collect();
    let header = cells(reader.headers()?);
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut more = 0_u64;
    for record in reader.records() {
        match rows.len() < most {
            true => rows.push(cells(&record?)),
            false => more += 1,
        }
    }
    let more = if more > 0 { text::count(more) } else { String::new() };
    Ok(TableView { file: file.into(), href, header, rows, more })
}
