//! Figures and tables for papers: one drawing in every format, with a caption and an alternative text.
//!
//! A drawing is an SVG of a physical size ([`canvas`]); PDF, PNG and TIFF are made from it and from the
//! compiled-in font alone ([`encode`]), so that they show the same and have the same bytes everywhere.
//! What a figure shows is the business of `atlas`.

mod canvas;
mod encode;
mod font;
mod latex;
pub(crate) mod plot;
mod table;

use anyhow::{Context, Result};

pub(crate) use self::canvas::{Anchor, Canvas, Drawing, POINTS, Thumb};
pub(crate) use self::table::{Column, Row, Table};
use crate::config::figures::{Format, Look};

/// How drawings are made; to be raised when that changes, so that those that are there are made again.
pub(crate) const VERSION: u32 = 1;

/// Space around a drawing, so that no stroke is cut.
const MARGIN: f64 = 1.0;

/// A figure of one width.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Figure {
    drawing: Drawing,
    table: Option<Table>,
    title: String,
    caption: String,
    alt: String,
}

/// What is said of a figure.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Words {
    /// A few words.
    pub(crate) title: String,
    /// What stands below it.
    pub(crate) caption: String,
    /// What it shows, for those who do not see it.
    pub(crate) alt: String,
}

impl Figure {
    /// A drawing of its own; `draw` is told the width in points and gives the height. The numbers
    /// behind it may come as a table.
    pub(crate) fn drawn(
        words: Words,
        millimetres: f64,
        table: Option<Table>,
        draw: impl FnOnce(&mut Canvas, f64) -> Result<f64>,
    ) -> Result<Self> {
        let width = millimetres * POINTS;
        let mut canvas = Canvas::default();
        let height = draw(&mut canvas, width - 2.0 * MARGIN)?;
        let Words { title, caption, alt } = words;
        let drawing = canvas.finish([width, height + 2.0 * MARGIN], MARGIN, &title, &alt);
        Ok(Self { drawing, table, title, caption, alt })
    }

    /// A table.
    pub(crate) fn table(words: Words, millimetres: f64, table: Table) -> Result<Self> {
        let mut figure =
            Self::drawn(words, millimetres, None, |canvas, width| table.draw(canvas, width))?;
        figure.table = Some(table);
        Ok(figure)
    }

    /// Its files by name: one per format, the caption and the alternative text. What has no table has
    /// no CSV.
    pub(crate) fn files(&self, name: &str, look: &Look) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for format in &look.formats {
            let bytes = self
                .encoded(name, *format, look)
                .with_context(|| format!("figure {name} as {}", format.ending()))?;
            files.extend(bytes.map(|bytes| (format!("{name}.{}", format.ending()), bytes)));
        }
        files.push((format!("{name}.caption.txt"), format!("{}\n", self.caption).into_bytes()));
        files.push((format!("{name}.alt.txt"), format!("{}\n", self.alt).into_bytes()));
        Ok(files)
    }

    fn encoded(&self, name: &str, format: Format, look: &Look) -> Result<Option<Vec<u8>>> {
        Ok(Some(match (format, &self.table) {
            (Format::Svg, _) => self.drawing.svg.clone().into_bytes(),
            (Format::Pdf, _) => self.drawing.pdf(&self.title)?,
            (Format::Png, _) => self.drawing.png(look.dpi)?,
            (Format::Tiff, _) => self.drawing.tiff(look.dpi)?,
            (Format::Tex, Some(table)) => table.latex(name, &self.caption).into_bytes(),
            (Format::Tex, None) => {
                let picture = match look.formats.contains(&Format::Pdf) {
                    true => Format::Pdf,
                    false => Format::Png,
                };
                let file = format!("{name}.{}", picture.ending());
                latex::figure(name, &file, look.width, &self.caption, &self.alt).into_bytes()
            }
            (Format::Csv, Some(table)) => table.csv()?,
            (Format::Csv, None) => return Ok(None),
        }))
    }

    /// Words that the font cannot draw; they are boxes in all formats but SVG.
    pub(crate) fn undrawable(&self) -> Option<String> {
        let cells = self.table.iter().flat_map(|t| t.rows.iter().flat_map(|row| &row.cells));
        let words = cells.chain([&self.title]);
        words.into_iter().find(|words| !font::covers(words)).cloned()
    }
}
