//! A table as a drawing, as LaTeX (booktabs) and as CSV.

use anyhow::Result;

use super::canvas::{Anchor, Canvas, Stroke, Thumb};
use super::{font, latex};
use base::spreadsheet::guarded;

/// A column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Whether it holds numbers, which stand at the right.
    pub numbers: bool,
}

impl Column {
    /// Of words.
    pub fn words(title: &str) -> Self {
        Self { title: title.into(), numbers: false }
    }

    /// Of numbers.
    pub fn numbers(title: &str) -> Self {
        Self { title: title.into(), numbers: true }
    }
}

/// A row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// One per column.
    pub cells: Vec<String>,
    /// Patches behind the last cell; LaTeX and CSV leave them out.
    pub patches: Vec<Thumb>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// From the left.
    pub columns: Vec<Column>,
    /// From the top.
    pub rows: Vec<Row>,
    /// Title of the patches' column, where rows have any.
    pub patches: String,
}

const GAP: f64 = 9.0;
const PATCH_GAP: f64 = 2.0;
const HEAVY: Stroke = Stroke::solid("#000", 0.8);
const LIGHT: Stroke = Stroke::solid("#000", 0.4);
const HAIR: Stroke = Stroke::solid("#aaa", 0.25);

impl Table {
    /// Draws it `width` points wide; returns its height.
    pub(super) fn draw(&self, canvas: &mut Canvas, width: f64) -> Result<f64> {
        let most = self.rows.iter().map(|row| row.patches.len()).max().unwrap_or(0);
        // Patches take half of the width, as in the paper, and no more than they can use.
        let strip = if most > 0 { (0.55 * width).min(most as f64 * 48.0) } else { 0.0 };
        let thumb = match most {
            0 => 0.0,
            most => (strip - PATCH_GAP * (most - 1) as f64) / most as f64,
        };
        let gaps = GAP * (self.columns.len().max(1) - 1) as f64;
        let room = width - gaps - if most > 0 { strip + GAP } else { 0.0 };
        let (size, widths) = self.widths(room);
        let leading = 1.22 * size;
        let mut left = Vec::new();
        let mut x = 0.0;
        for column in &widths {
            left.push(x);
            x += column + GAP;
        }
        let mut y = 1.0;
        canvas.line(&[[0.0, y], [width, y]], HEAVY);
        let titles: Vec<&str> = self.columns.iter().map(|column| column.title.as_str()).collect();
        y = self.cells(canvas, &titles, &left, &widths, size, y + 3.0, 0.0);
        if most > 0 {
            let base = 4.0 + 0.94 * size;
            canvas.text([width - strip, base], size, Anchor::Start, &self.patches);
        }
        canvas.line(&[[0.0, y], [width, y]], LIGHT);
        for (at, row) in self.rows.iter().enumerate() {
            if at > 0 && most > 0 {
                canvas.line(&[[0.0, y], [width, y]], HAIR);
            }
            let top = y + 2.5;
            let cells: Vec<&str> = row.cells.iter().map(String::as_str).collect();
            let least = if row.patches.is_empty() { leading } else { thumb };
            y = self.cells(canvas, &cells, &left, &widths, size, top, least);
            for (at, patch) in row.patches.iter().enumerate() {
                let x = width - strip + at as f64 * (thumb + PATCH_GAP);
                canvas.thumb([x, top], thumb, patch)?;
            }
        }
        canvas.line(&[[0.0, y], [width, y]], HEAVY);
        Ok(y + 1.0)
    }

    /// Draws the cells of a row from `top`; returns where the next one begins.
    #[expect(clippy::too_many_arguments, reason = "a row's place in its table")]
    fn cells(
        &self,
        canvas: &mut Canvas,
        cells: &[&str],
        left: &[f64],
        widths: &[f64],
        size: f64,
        top: f64,
        least: f64,
    ) -> f64 {
        let leading = 1.22 * size;
        let mut height = least;
        for (((cell, column), &x), &width) in cells.iter().zip(&self.columns).zip(left).zip(widths)
        {
            // A column is as wide as its widest line: rounding must not break that.
            let lines = font::wrapped(cell, size, width + 0.01);
            for (at, line) in lines.iter().enumerate() {
                let y = top + 0.94 * size + at as f64 * leading;
                match column.numbers {
                    true => canvas.text([x + width, y], size, Anchor::End, line),
                    false => canvas.text([x, y], size, Anchor::Start, line),
                }
            }
            height = height.max(lines.len() as f64 * leading);
        }
        top + height + 2.5
    }

    /// The font size, 8 points or less where words would break, and the columns' widths.
    fn widths(&self, room: f64) -> (f64, Vec<f64>) {
        let of = |measure: &dyn Fn(&str) -> f64| -> Vec<f64> {
            let cell = |at: usize| {
                let cells = self.rows.iter().filter_map(move |row| row.cells.get(at));
                cells.map(|cell| measure(cell)).fold(0.0, f64::max)
            };
            let titles = self.columns.iter().enumerate();
            titles.map(|(at, column)| cell(at).max(measure(&column.title))).collect()
        };
        let sum = |widths: &[f64]| widths.iter().sum::<f64>();
        let mut size = 8.0;
        while size > 5.0 && sum(&of(&|text| font::widest_word(text, size))) > room {
            size -= 0.25;
        }
        let natural = of(&|text| font::width(text, size));
        let least = of(&|text| font::widest_word(text, size));
        let widths = if sum(&natural) <= room {
            // Space left over stands between the columns.
            let extra = (room - sum(&natural)) / natural.len().max(1) as f64;
            natural.iter().map(|width| width + extra).collect()
        } else if sum(&least) <= room {
            let share = (room - sum(&least)) / (sum(&natural) - sum(&least)).max(1e-9);
            natural.iter().zip(&least).map(|(n, l)| l + share * (n - l)).collect()
        } else {
            // Narrower than its words: they break.
            let share = room.max(1.0) / sum(&least).max(1e-9);
            least.iter().map(|width| width * share).collect()
        };
        (size, widths)
    }

    /// A LaTeX table for a document that uses `booktabs`.
    pub(super) fn latex(&self, name: &str, caption: &str) -> String {
        let numbers = |column: &Column| if column.numbers { 'r' } else { 'l' };
        let form: String = self.columns.iter().map(numbers).collect();
        let row = |cells: &mut dyn Iterator<Item = &str>| {
            let cells: Vec<String> = cells.map(latex::escaped).collect();
            format!("    {} \\\\\n", cells.join(" & "))
        };
        let titles = row(&mut self.columns.iter().map(|column| column.title.as_str()));
        let rows: String =
            self.rows.iter().map(|r| row(&mut r.cells.iter().map(String::as_str))).collect();
        let (caption, label) = (latex::escaped(caption), latex::label(name));
        format!(
            "% Needs \\usepackage{{booktabs,graphicx}}.\n\\begin{{table}}[htbp]\n  \\centering\n  \
             \\caption{{{caption}}}\n  \\label{{tab:{label}}}\n  \\small\n  \
             % As wide as it is, but no wider than the text.\n  \
             \\resizebox{{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}}{{!}}{{%\n  \
             \\begin{{tabular}}{{@{{}}{form}@{{}}}}\n    \\toprule\n{titles}    \\midrule\n{rows}    \
             \\bottomrule\n  \\end{{tabular}}}}\n\\end{{table}}\n"
        )
    }

    /// UTF-8 with a header row; no cell is run as a formula.
    pub(super) fn csv(&self) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(self.columns.iter().map(|column| guarded(&column.title)))?;
        for row in &self.rows {
            writer.write_record(row.cells.iter().map(|cell| guarded(cell)))?;
        }
        Ok(writer.into_inner()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::canvas::POINTS;
    use super::*;

    fn table() -> Table {
        let cells =
            |cells: [&str; 3]| Row { cells: cells.map(String::from).into(), patches: Vec::new() };
        Table {
            columns: vec![Column::words("Unit"), Column::words("Label"), Column::numbers("AUC")],
            rows: vec![
                cells(["a/b/0001", "=cmd|' /C calc'!A0", "0.863 (0.1 to 0.9)"]),
                cells(["a_b/c/0002", "50% & more $x$ \\input{/etc/passwd} ~^#{}", "–"]),
            ],
            patches: String::new(),
        }
    }

    #[test]
    fn no_cell_is_a_formula_or_a_command() {
        let csv = String::from_utf8(table().csv().unwrap()).unwrap();
        assert!(csv.contains("'=cmd|"), "{csv}");
        let tex = table().latex("my table", "A 100% caption_");
        assert!(tex.contains("50\\% \\& more \\$x\\$ \\textbackslash{}input\\{/etc/passwd\\}"));
        assert!(tex.contains("\\label{tab:my-table}") && tex.contains("A 100\\% caption\\_"));
    }

    #[test]
    fn columns_never_take_more_than_the_width() {
        for millimetres in [20.0, 40.0, 90.0, 190.0] {
            let room = millimetres * POINTS;
            let (size, widths) = table().widths(room);
            assert!((5.0..=8.0).contains(&size));
            assert!(widths.iter().sum::<f64>() <= room + 1e-6, "{millimetres}");
        }
    }

    #[test]
    fn every_word_is_drawn() {
        let mut canvas = Canvas::default();
        table().draw(&mut canvas, 90.0 * POINTS).unwrap();
        let svg = canvas.finish([1.0, 1.0], 0.0, "", "").svg;
        for word in ["0001", "calc", "0.863", "passwd"] {
            assert!(svg.contains(word), "{word} in {svg}");
        }
    }
}
