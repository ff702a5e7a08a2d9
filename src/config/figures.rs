//! `figures:`, the figures that are kept up to date, and what `figure` is asked for.

use base::UnitId;
use serde::Serialize;

/// A figure and how it is wanted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wanted {
    /// Stem of its files.
    pub name: String,
    /// What it shows.
    pub kind: Kind,
    /// Its size and files.
    pub look: Look,
}

impl Wanted {
    /// Names of its files, in the order in which they are drawn.
    pub fn files(&self) -> Vec<String> {
        let name = &self.name;
        let mut files = Vec::new();
        for format in &self.look.formats {
            let ending = format.ending();
            match format {
                Format::Csv if self.kind == Kind::Roc => {}
                Format::Tex if self.kind.has_both() => {
                    files.extend([format!("{name}.tex"), format!("{name}-table.tex")]);
                }
                _ => files.push(format!("{name}.{ending}")),
            }
        }
        files.extend(["caption", "alt"].map(|words| format!("{name}.{words}.txt")));
        files
    }
}

/// What a figure shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Patches of a unit.
    Unit {
        /// The unit.
        unit: UnitId,
        /// How many patches.
        patches: usize,
        /// Patches of a row.
        columns: usize,
    },
    /// Units with what they are called, as the paper's Figure 4.
    Table {
        /// The units; none chooses those of the BI-RADS table.
        units: Vec<UnitId>,
        /// Patches of a row.
        patches: usize,
    },
    /// A mammogram with the units that speak for cancer in it.
    Case {
        /// Its id.
        mammogram: String,
        /// As this network scores it; without one the first of the project.
        network: Option<String>,
        /// How many units, each with its patch.
        patches: usize,
    },
    /// ROC curves of all networks.
    Roc,
    /// Areas under them, as the paper's Table 1.
    Performance,
    /// Detectors per layer and category.
    Concepts,
    /// Agreement of the readers.
    Agreement,
    /// Epochs of a network; of all where none is named.
    Training {
        /// Its name.
        network: Option<String>,
    },
}

/// Names of the kinds.
pub const KINDS: [&str; 8] =
    ["unit", "table", "case", "roc", "performance", "concepts", "agreement", "training"];

/// Size and files of a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    /// Width in millimetres.
    pub width: f64,
    /// Dots per inch of PNG and TIFF.
    pub dpi: u32,
    /// Formats in the order of [`Format::ALL`], each once.
    pub formats: Vec<Format>,
}

/// Patches of a unit's figure, those of one of its rows, and those of a row of a table.
pub const PATCHES: usize = 8;
/// See [`PATCHES`].
pub const COLUMNS: usize = 4;
/// See [`PATCHES`].
pub const TABLE_PATCHES: usize = 6;
/// Units of a case.
pub const CASE_PATCHES: usize = 6;
/// Most of them: those that are kept.
pub const MOST_CASE_PATCHES: usize = 12;
/// Most patches of a figure of a unit, and of a row of a table.
pub const MOST_PATCHES: usize = 64;
/// See [`MOST_PATCHES`].
pub const MOST_TABLE_PATCHES: usize = 12;
/// Dots per inch unless asked otherwise.
pub const DPI: u32 = 300;
/// Least and greatest dots per inch.
pub const DPIS: [u32; 2] = [72, 2400];
/// Least and greatest width in millimetres.
pub const WIDTHS: [f64; 2] = [30.0, 500.0];

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Scalable vector graphics; words stay words.
    Svg,
    /// PDF with its font.
    Pdf,
    /// Pixels.
    Png,
    /// Pixels.
    Tiff,
    /// LaTeX: a table with booktabs, or the figure's environment.
    Tex,
    /// The table for other programs.
    Csv,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Svg, Self::Pdf, Self::Png, Self::Tiff, Self::Tex, Self::Csv];

    /// End of its files' names.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
            Self::Tiff => "tiff",
            Self::Tex => "tex",
            Self::Csv => "csv",
        }
    }

    /// Reads the end of a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.ending() == text.trim())
    }
}

impl Kind {
    /// Its name among [`KINDS`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unit { .. } => "unit",
            Self::Table { .. } => "table",
            Self::Case { .. } => "case",
            Self::Roc => "roc",
            Self::Performance => "performance",
            Self::Concepts => "concepts",
            Self::Agreement => "agreement",
            Self::Training { .. } => "training",
        }
    }

    /// Whether it is a drawing with a table of its numbers.
    pub fn has_both(&self) -> bool {
        !matches!(self, Self::Table { .. } | Self::Performance | Self::Roc)
    }

    /// Stem of its files unless asked otherwise.
    pub fn stem(&self) -> String {
        match self {
            Self::Unit { unit, .. } => format!("unit-{}", unit.to_string().replace('/', "-")),
            Self::Case { mammogram, network: None, .. } => format!("case-{mammogram}"),
            Self::Case { mammogram, network: Some(network), .. } => {
                format!("case-{network}-{mammogram}")
            }
            Self::Training { network: Some(network) } => format!("training-{network}"),
            kind => kind.name().to_owned(),
        }
    }

    /// Width in millimetres unless asked otherwise: a column of a journal, or a page of it.
    pub fn width(&self) -> f64 {
        match self {
            Self::Unit { .. } | Self::Roc | Self::Concepts => 90.0,
            Self::Performance | Self::Agreement | Self::Training { .. } | Self::Case { .. } => {
                140.0
            }
            Self::Table { .. } => 190.0,
        }
    }
}
