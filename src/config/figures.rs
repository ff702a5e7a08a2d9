//! `figures`: those that are kept up to date, and what `figure` is asked for. A new kind is an entry of
//! [`Kind`] with its options, its looks below, and its drawing in `atlas`; the command line follows.

use std::collections::BTreeMap;
use std::ops::{Bound, RangeInclusive};
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_yaml::Spanned;

use crate::Config;
use crate::check::Check;
use crate::option::{Described, Parts, Shape, Value};
use crate::value::{Form, Range, from_word, place, words};
use base::UnitId;
use base::yaml::{Mistake, Text};

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

kinds! {
    /// What a figure shows.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum Kind(FigureForm, "figures.", "figure") {
        keys {
            unit: UnitId,
            units: Vec<UnitId>,
            mammogram: String,
            network: Option<String>,
            patches: usize,
            columns: usize,
        };
        shared FigureShared {
            /// Stem of its files.
            name: Option<String>, in STEM, else "made of what it shows";
            /// Width in millimetres.
            width: Option<f64>, in WIDTH, else "90, 140 or 190: a column of a journal, or a page";
            /// Dots per inch of PNG and TIFF.
            dpi: u32 = "300", in DPIS;
            /// A font (.ttf, .otf, .ttc) for letters that the built-in one lacks, such as Chinese and Arabic
            /// ones; without it, the machine's fonts are searched.
            font: Option<PathBuf>, else "none";
            /// Formats of its files.
            formats: Vec<Format> = "[svg, pdf, png, tiff, tex, csv]";
        }

        /// Patches of a unit, with what it saw in them.
        Unit "unit" {
            /// The unit, as network/layer/number.
            unit: UnitId, needs "alexnet/conv5/0063";
            /// How many patches.
            patches: usize = PATCHES, in OF_UNIT;
            /// Patches of a row.
            columns: usize = COLUMNS, in OF_UNIT;
        }
        /// Units with what they are called, as Figure 4 of the paper.
        Table "table" {
            /// The units.
            units: Vec<UnitId> = "[]", else "those of the BI-RADS table";
            /// Patches of a row.
            patches: usize = TABLE_PATCHES, in OF_ROW;
        }
        /// A mammogram with the units that contribute most to its probability of cancer.
        Case "case" {
            /// The id of a mammogram of the validation split, as the atlas shows it.
            mammogram: String, needs "ID";
            /// The network that scores it.
            network: Option<String>, in NETWORK, else "the first of the project";
            /// How many units, each with its patch.
            patches: usize = CASE_PATCHES, in OF_ROW;
        }
        /// ROC curves of all networks.
        Roc "roc"
        /// Areas under the ROC curves, as Table 1 of the paper.
        Performance "performance"
        /// Detectors per layer and category.
        Concepts "concepts"
        /// Agreement of the readers.
        Agreement "agreement"
        /// Loss, accuracy and AUC over the epochs.
        Training "training" {
            /// The network.
            network: Option<String>, in NETWORK, else "all";
        }
    }
}

const NETWORK: Form = Form {
    words: "the name of a network of the project",
    pattern: "",
    read: |check, _, given| {
        check.network(&given.value, given.referenced).map(|network| network.name.clone())
    },
};

const STEM: Form = Form {
    words: "letters, digits, `_` and `-`, at most 100",
    pattern: "^[A-Za-z0-9_-]{1,100}$",
    read: |check, _, given| {
        let name = &given.value;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        if name.is_empty() || name.len() > 100 || !name.bytes().all(allowed) {
            let message =
                format!("`{name}` cannot be the name of files: use letters, digits, `_` and `-`");
            return check.wrong(given.referenced, message);
        }
        Ok(name.clone())
    },
};

const WIDTH: Range = Range {
    words: "millimetres from 30 to 500",
    least: Bound::Included(WIDTHS[0]),
    most: Bound::Included(WIDTHS[1]),
};

impl Value for Wanted {
    type Written = FigureForm;
    type Rule = ();

    fn read(
        check: &Check<'_>,
        _: &str,
        given: &Spanned<FigureForm>,
        (): &(),
    ) -> Result<Self, Mistake> {
        let form = &given.value;
        let at = form.kind.as_ref().map_or(given.referenced, |kind| kind.referenced);
        let kind = Kind::read_kind(check, form, at)?;
        let FigureShared { name, width, dpi, font, mut formats } =
            FigureShared::read_form(check, form, at)?;
        if formats.is_empty() {
            let message = "`formats` is empty; leave it out for all";
            return check.wrong(place(&form.formats), message);
        }
        formats.sort_unstable();
        formats.dedup();
        let name = name.unwrap_or_else(|| kind.stem());
        let look = Look { width: width.unwrap_or_else(|| kind.width()), dpi, font, formats };
        Ok(Self { name, kind, look })
    }

    fn shape((): &()) -> Shape {
        Kind::shape_of_kinds()
    }
}

impl Wanted {
    /// Refuses two figures that would write the same file.
    pub(crate) fn check_all(
        check: &Check<'_>,
        figures: &[Self],
        forms: &[Spanned<FigureForm>],
    ) -> Result<(), Mistake> {
        let mut seen = BTreeMap::new();
        for (wanted, form) in figures.iter().zip(forms) {
            let at = form.value.name.as_ref().or(form.value.kind.as_ref());
            let at = at.map_or(form.referenced, |given| given.referenced);
            for file in wanted.files() {
                // Some file systems take capitals for the same.
                if let Some(line) = seen.insert(file.to_ascii_lowercase(), at.line()) {
                    let message = format!(
                        "two figures would write {file}; the first is in line {line}; give one \
                         another `name`"
                    );
                    return check.wrong(at, message);
                }
            }
        }
        Ok(())
    }
}

/// Size and files of a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Look {
    /// Width in millimetres.
    pub width: f64,
    /// Dots per inch of PNG and TIFF.
    pub dpi: u32,
    /// A font for letters that the built-in one lacks (absolute).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub font: Option<PathBuf>,
    /// Formats in the order of [`Format::ALL`], each once.
    pub formats: Vec<Format>,
}

/// Patches of a unit's figure unless asked otherwise, as they are written.
const PATCHES: &str = "8";
/// Those of one of its rows.
const COLUMNS: &str = "4";
/// Those of a row of a table.
const TABLE_PATCHES: &str = "6";
/// Units of a case.
const CASE_PATCHES: &str = "6";
/// How many patches a figure of a unit may have.
const OF_UNIT: RangeInclusive<u32> = 1..=64;
/// How many patches or units a table's row or a case may have.
const OF_ROW: RangeInclusive<u32> = 1..=12;
/// Dots per inch unless asked otherwise.
pub const DPI: u32 = 300;
/// Least and greatest dots per inch.
pub const DPIS: RangeInclusive<u32> = 72..=2400;
/// Least and greatest width in millimetres.
pub const WIDTHS: [f64; 2] = [30.0, 500.0];

/// A kind of file.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Scalable vector graphics; words stay words.
    Svg,
    /// PDF with its font.
    Pdf,
    /// Pixels.
    Png,
    /// Pixels, as printers ask for them.
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

impl Value for Format {
    type Written = String;
    type Rule = ();

    fn read(check: &Check<'_>, _: &str, given: &Spanned<String>, (): &()) -> Result<Self, Mistake> {
        from_word("format", given.value.trim())
            .or_else(|message| check.wrong(given.referenced, message))
    }

    fn shape((): &()) -> Shape {
        words::<Self>()
    }
}

/// A kind of figure, as a command line offers it.
#[derive(Debug, Clone)]
pub struct Offered {
    /// Its name among [`Kind::KINDS`].
    pub name: &'static str,
    /// What it shows, in a sentence.
    pub about: String,
    /// Its own options; the first is what it is a figure of.
    pub options: Vec<OfferedOption>,
}

/// An option of a kind of figure.
#[derive(Debug, Clone)]
pub struct OfferedOption {
    /// Its key in `atlas.yaml`.
    pub key: &'static str,
    /// What it is, in a sentence.
    pub about: String,
    /// Its values in words.
    pub values: String,
    /// What is used without it, as written or in words.
    pub otherwise: Option<&'static str>,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it takes several values.
    pub several: bool,
}

/// Of which JSON type the values of an option are.
fn type_of(option: &Described) -> &str {
    option.shape.schema["type"].as_str().unwrap_or_default()
}

impl Kind {
    /// Every kind with its options.
    pub fn offered() -> Vec<Offered> {
        let Parts::Kinds(kinds, _) = Self::shape_of_kinds().parts else { return Vec::new() };
        let option = |option: Described| OfferedOption {
            several: type_of(&option) == "array",
            key: option.name,
            about: option.doc,
            values: option.shape.words,
            otherwise: option.otherwise.or(option.default),
            required: option.required,
        };
        let kinds = kinds.into_iter().map(|kind| Offered {
            name: kind.name,
            about: kind.doc,
            options: kind.options.into_iter().map(option).collect(),
        });
        kinds.collect()
    }

    /// Reads what a command line asked for: the kind, and the values of its options by their keys.
    ///
    /// # Errors
    /// Says which option is missing or wrong, and what it may be.
    pub fn typed(
        config: &Config,
        kind: &str,
        given: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, String> {
        let Parts::Kinds(kinds, _) = Self::shape_of_kinds().parts else { return Err(kind.into()) };
        let known = kinds.iter().find(|known| known.name == kind);
        let options = known.map(|known| known.options.as_slice()).unwrap_or_default();
        let mut form = serde_json::Map::from_iter([("kind".to_owned(), kind.into())]);
        for option in options {
            let Some(values) = given.get(option.name) else { continue };
            let written = match (type_of(option), values.as_slice()) {
                ("array", values) => values.into(),
                // A name may be made of digits; only numbers are read as such.
                ("integer" | "number", [one]) => one
                    .parse::<serde_json::Number>()
                    .map_or_else(|_| one.as_str().into(), Into::into),
                (_, values) => values.join(" ").into(),
            };
            form.insert(option.name.to_owned(), written);
        }
        let form = serde_json::Value::Object(form).to_string();
        let text = Text { path: "the command line".as_ref(), text: &form };
        let check = Check {
            text,
            root: config.root.clone(),
            output: config.output.clone(),
            classes: config.patches.classes,
            networks: config.networks.clone(),
        };
        let read =
            |form: Spanned<FigureForm>| Self::read_kind(&check, &form.value, form.referenced);
        text.parse().and_then(read).map_err(|mistake| mistake.message)
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
