//! Tables as plain text: columns as wide as what stands in them.

/// On which side of its column a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// Rows of cells under a heading each.
#[derive(Debug)]
pub struct Columns {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Columns {
    /// A table with these headings, and no row yet.
    pub fn new<'a>(headings: impl IntoIterator<Item = (&'a str, Side)>) -> Self {
        let (names, sides) =
            headings.into_iter().map(|(name, side)| (name.to_owned(), side)).unzip();
        Self { sides, rows: vec![names] }
    }

    /// Adds a row: cells beyond the headings are left out, missing ones empty.
    pub fn push(&mut self, row: impl IntoIterator<Item = String>) {
        let mut row: Vec<String> = row.into_iter().collect();
        row.resize(self.sides.len(), String::new());
        self.rows.push(row);
    }

    /// Whether there is nothing but the headings.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// Line by line, two spaces before each column and none at the end.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let width = |at: usize| self.rows.iter().map(|row| row[at].chars().count()).max();
        let widths: Vec<usize> = (0..self.sides.len()).map(|at| width(at).unwrap_or(0)).collect();
        self.rows.iter().map(move |row| {
            let cells = row.iter().zip(&self.sides).zip(&widths);
            let line: String = cells
                .map(|((cell, side), &width)| match side {
                    Side::Left => format!("  {cell:<width$}"),
                    Side::Right => format!("  {cell:>width$}"),
                })
                .collect();
            line.trim_end().to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let mut table =
            Columns::new([("of", Side::Left), ("AUC", Side::Right), ("why", Side::Left)]);
        assert!(table.is_empty());
        table.push(["naïve", "0.5"].map(String::from));
        table.push(["a", "12.25", "because", "too many"].map(String::from));
        let lines: Vec<String> = table.lines().collect();
        assert_eq!(lines, ["  of       AUC  why", "  naïve    0.5", "  a      12.25  because"]);
    }
}
