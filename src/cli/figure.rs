//! `figure`: figures and tables for papers; and those that the project lists, kept up to date.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::builder::RangedI64ValueParser;

use super::Outcome;
use super::terminal::Terminal;
use atlas::Kept;
use base::UnitId;
use base::artifact;
use base::progress::Progress;
use config::figures::{
    CASE_PATCHES, COLUMNS, DPI, DPIS, Format, Kind, Look, OF_ROW, OF_UNIT, PATCHES, TABLE_PATCHES,
    WIDTHS, Wanted,
};
use pipeline::Pipeline;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    kind: Shown,
    /// Width in millimetres [default: 90, 140 or 190, by what is shown]
    #[arg(long, global = true, value_name = "MM", value_parser = width)]
    width: Option<f64>,
    /// Dots per inch of PNG and TIFF
    #[arg(long, global = true, default_value_t = DPI, value_parser = within(&DPIS))]
    dpi: u32,
    /// Font for letters that the built-in one lacks [default: the machine's are searched]
    #[arg(long, global = true, value_name = "FILE")]
    font: Option<PathBuf>,
    /// svg, pdf, png, tiff, tex or csv; several with commas between [default: all]
    #[arg(long, global = true, value_name = "FORMAT", value_delimiter = ',', value_parser = format)]
    formats: Vec<Format>,
    /// Folder of the files [default: output/figures]
    #[arg(long, short, global = true, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Shown {
    /// Patches of a unit, with what it saw in them
    Unit {
        /// Unit, such as alexnet/conv5/0063
        #[arg(value_parser = unit)]
        unit: UnitId,
        /// How many patches
        #[arg(long, default_value = PATCHES, value_parser = within(&OF_UNIT))]
        patches: u32,
        /// Patches of a row
        #[arg(long, default_value = COLUMNS, value_parser = within(&OF_UNIT))]
        columns: u32,
    },
    /// Units with what they are called, as Figure 4 of the paper
    Table {
        /// Units [default: those of the BI-RADS table]
        #[arg(value_parser = unit)]
        units: Vec<UnitId>,
        /// Patches of a row
        #[arg(long, default_value = TABLE_PATCHES, value_parser = within(&OF_ROW))]
        patches: u32,
    },
    /// A mammogram of the validation split with the units that speak for cancer in it
    Case {
        /// Its id, as the atlas shows it
        mammogram: String,
        /// The network that scores it [default: the first of the project]
        #[arg(long, value_name = "NAME")]
        network: Option<String>,
        /// How many units, each with its patch
        #[arg(long, default_value = CASE_PATCHES, value_parser = within(&OF_ROW))]
        patches: u32,
    },
    /// ROC curves of all networks
    Roc,
    /// Areas under the ROC curves, as Table 1 of the paper
    Performance,
    /// Detectors per layer and category
    Concepts,
    /// Agreement of the readers
    Agreement,
    /// Loss, accuracy and AUC over the epochs
    Training {
        /// Network [default: all]
        network: Option<String>,
    },
}

fn within(range: &RangeInclusive<u32>) -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(i64::from(*range.start())..=i64::from(*range.end()))
}

fn width(text: &str) -> Result<f64, String> {
    let [least, most] = WIDTHS;
    match text.parse::<f64>() {
        Ok(width) if (least..=most).contains(&width) => Ok(width),
        _ => Err(format!("expected millimetres from {least} to {most}")),
    }
}

fn format(text: &str) -> Result<Format, String> {
    let known = Format::ALL.map(Format::ending).join(", ");
    Format::parse(text).ok_or_else(|| format!("expected one of {known}"))
}

fn unit(name: &str) -> Result<UnitId, String> {
    UnitId::typed(name).map_err(|why| format!("`{name}` {why}"))
}

impl Options {
    fn wanted(&self) -> Wanted {
        let kind = match &self.kind {
            Shown::Unit { unit, patches, columns } => Kind::Unit {
                unit: unit.clone(),
                patches: *patches as usize,
                columns: *columns as usize,
            },
            Shown::Table { units, patches } => {
                Kind::Table { units: units.clone(), patches: *patches as usize }
            }
            Shown::Case { mammogram, network, patches } => Kind::Case {
                mammogram: mammogram.clone(),
                network: network.clone(),
                patches: *patches as usize,
            },
            Shown::Roc => Kind::Roc,
            Shown::Performance => Kind::Performance,
            Shown::Concepts => Kind::Concepts,
            Shown::Agreement => Kind::Agreement,
            Shown::Training { network } => Kind::Training { network: network.clone() },
        };
        let mut formats = self.formats.clone();
        if formats.is_empty() {
            formats = Format::ALL.into();
        }
        formats.sort_unstable();
        formats.dedup();
        let width = self.width.unwrap_or_else(|| kind.width());
        let font = self.font.clone();
        Wanted { name: kind.stem(), kind, look: Look { width, dpi: self.dpi, font, formats } }
    }
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let _lock = pipeline.lock_or_read()?;
    let wanted = options.wanted();
    if wanted.look.formats == [Format::Csv] && wanted.kind == Kind::Roc {
        bail!("`figure roc` has no table, so no CSV; data/networks.csv of the site has the areas");
    }
    let dataset = pipeline.dataset()?;
    let folder = options.out.clone().unwrap_or_else(|| pipeline.layout.figures());
    for drawn in pipeline.draw(&dataset, std::slice::from_ref(&wanted))? {
        let drawn = drawn?;
        if let Some(words) = &drawn.boxed {
            warn_of_boxes(&wanted.name, words);
        }
        for (name, bytes) in drawn.files {
            let path = folder.join(name);
            pipeline.check_output(&path)?;
            let changed = artifact::write_if_changed(&path, &bytes)?;
            let note = if changed { "" } else { " (as it was)" };
            terminal.say(&format!("{}{note}", path.display()));
        }
    }
    Ok(Outcome::Complete)
}

fn warn_of_boxes(name: &str, letters: &str) {
    const SHOWN: usize = 20;
    let shown: String = letters.chars().take(SHOWN).collect();
    let more = letters.chars().count().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    eprintln!(
        "warning: figure {name}: no font here has the letters {shown}{more}; they will be boxes but in \
         SVG, LaTeX and CSV. `--font FILE`, or `font` in `figures` of atlas.yaml, names one that has them"
    );
}

/// Says what came of the listed figures.
pub(super) fn tell(kept: &Kept, terminal: &Terminal) -> Outcome {
    terminal.say(&format!(
        "figures: {} drawn; {} files written, {} removed",
        kept.figures, kept.written, kept.removed
    ));
    for (name, words) in &kept.boxed {
        warn_of_boxes(name, words);
    }
    for (name, error) in &kept.failed {
        eprintln!("warning: figure {name} is left out: {error:#}");
    }
    Outcome::skipped_if(!kept.failed.is_empty())
}
