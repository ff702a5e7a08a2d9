//! Figures and tables for papers: one drawing in every format, with a caption and an alternative text.
//!
//! A drawing is an SVG of a physical size (`canvas`); PDF, PNG and TIFF are made from it and from the
//! compiled-in font (`encode`), so that they show the same and have the same bytes everywhere. Letters
//! that the font lacks come from a given one or from the machine's (`further`).
//! What a figure shows is the business of `atlas`.

mod canvas;
mod encode;
mod font;
mod further;
mod latex;
pub mod plot;
mod table;

use anyhow::{Context, Result};

pub use self::canvas::{Anchor, Canvas, Drawing, Ink, POINTS, Stroke, Thumb};
pub use self::further::give as give_font;
pub use self::table::{Column, Row, Table};
use config::figures::{Format, Look};

/// How drawings are made; to be raised when that changes, so that those that are there are made again.
pub const VERSION: u32 = 2;

/// Space around a drawing, so that no stroke is cut.
const MARGIN: f64 = 1.0;

/// A figure of one width.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    drawing: Drawing,
    table: Option<Table>,
    /// Whether the drawing is more than the table.
    is_drawn: bool,
    title: String,
    caption: String,
    alt: String,
}

/// What is said of a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Words {
    /// A few words.
    pub title: String,
    /// What stands below it.
    pub caption: String,
    /// What it shows, for those who do not see it.
    pub alt: String,
}

impl Figure {
    /// A drawing of its own; `draw` is told the width in points and gives the height. The numbers
    /// behind it may come as a table.
    pub fn drawn(
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
        Ok(Self { drawing, table, is_drawn: true, title, caption, alt })
    }

    /// A table.
    pub fn table(words: Words, millimetres: f64, table: Table) -> Result<Self> {
        let mut figure =
            Self::drawn(words, millimetres, None, |canvas, width| table.draw(canvas, width))?;
        figure.table = Some(table);
        figure.is_drawn = false;
        Ok(figure)
    }

    /// Its files by name: one per format, the caption and the alternative text. A drawing with a table
    /// is two files in LaTeX; what has no table has no CSV.
    pub fn files(&self, name: &str, look: &Look) -> Result<Vec<(String, Vec<u8>)>> {
        let mut files = Vec::new();
        for format in &look.formats {
            let encoded = self.encoded(name, *format, look);
            files.extend(encoded.with_context(|| format!("figure {name} as {}", format.ending()))?);
        }
        for (ending, words) in [("caption", &self.caption), ("alt", &self.alt)] {
            files.push((format!("{name}.{ending}.txt"), format!("{words}\n").into_bytes()));
        }
        Ok(files)
    }

    fn encoded(&self, name: &str, format: Format, look: &Look) -> Result<Vec<(String, Vec<u8>)>> {
        let bytes = match format {
            Format::Svg => self.drawing.svg.clone().into_bytes(),
            Format::Pdf => self.drawing.pdf(&self.title)?,
            Format::Png => self.drawing.png(look.dpi)?,
            Format::Tiff => self.drawing.tiff(look.dpi)?,
            Format::Csv => match &self.table {
                Some(table) => table.csv()?,
                None => return Ok(Vec::new()),
            },
            Format::Tex => {
                let mut files = Vec::new();
                if self.is_drawn {
                    let picture = match look.formats.contains(&Format::Pdf) {
                        true => Format::Pdf,
                        false => Format::Png,
                    };
                    let file = format!("{name}.{}", picture.ending());
                    let tex = latex::figure(name, &file, look.width, &self.caption, &self.alt);
                    files.push((format!("{name}.tex"), tex.into_bytes()));
                }
                if let Some(table) = &self.table {
                    let file = match self.is_drawn {
                        true => format!("{name}-table.tex"),
                        false => format!("{name}.tex"),
                    };
                    files.push((file, table.latex(name, &self.caption).into_bytes()));
                }
                return Ok(files);
            }
        };
        Ok(vec![(format!("{name}.{}", format.ending()), bytes)])
    }

    /// Letters that no font has, each once; they are boxes in all formats but SVG, LaTeX and CSV.
    pub fn undrawable(&self) -> Option<String> {
        let cells = self.table.iter().flat_map(|t| t.rows.iter().flat_map(|row| &row.cells));
        let words: String = cells.chain([&self.title]).map(String::as_str).collect();
        let lacking = font::lacking(&words);
        (!lacking.is_empty()).then(|| lacking.into_iter().collect())
    }
}
