//! `figure`: figures and tables for papers; and those that the project lists, kept up to date.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::{Error, Result, bail};
use clap::builder::RangedI64ValueParser;
use clap::{Arg, ArgAction, ArgMatches, Command};

use super::Outcome;
use super::terminal::Terminal;
use atlas::Kept;
use base::artifact;
use base::progress::Progress;
use config::Config;
use config::figures::{DPI, DPIS, Format, Kind, Look, Offered, OfferedOption, WIDTHS, Wanted};
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

/// What a figure shows: one of [`Kind::offered`], with what was given for its options.
#[derive(Debug)]
struct Shown {
    kind: String,
    given: BTreeMap<String, Vec<String>>,
}

/// The command of a kind. What it is a figure of stands by itself, other options have names.
fn offer(kind: Offered) -> Command {
    // Names of values are leaked: a few words, which the command keeps while the program runs.
    let option = |(at, option): (usize, OfferedOption)| {
        let about = option.about.trim_end_matches('.').to_owned();
        let otherwise = option.otherwise.map(|words| format!(" [default: {words}]"));
        let arg = Arg::new(option.key)
            .help(about + &otherwise.unwrap_or_default())
            .long_help(format!("{}\n\nValues: {}", option.about, option.values))
            .value_name(&*option.key.to_uppercase().leak())
            .required(option.required)
            .action(if option.several { ArgAction::Append } else { ArgAction::Set });
        match at {
            0 if option.several => arg.num_args(1..),
            0 => arg,
            _ => arg.long(option.key),
        }
    };
    Command::new(kind.name)
        .about(kind.about.trim_end_matches('.').to_owned())
        .args(kind.options.into_iter().enumerate().map(option))
}

impl clap::FromArgMatches for Shown {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let missing = || clap::Error::new(clap::error::ErrorKind::MissingSubcommand);
        let (kind, own) = matches.subcommand().ok_or_else(missing)?;
        let known = Kind::offered().into_iter().find(|known| known.name == kind);
        let keys = known.ok_or_else(missing)?.options.into_iter().map(|option| option.key);
        let values = |key: &str| -> Option<Vec<String>> {
            Some(own.get_many::<String>(key)?.cloned().collect())
        };
        let given = keys.filter_map(|key| Some((key.to_owned(), values(key)?))).collect();
        Ok(Self { kind: kind.to_owned(), given })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Subcommand for Shown {
    fn augment_subcommands(command: Command) -> Command {
        let command = command.subcommand_required(true).arg_required_else_help(true);
        command.subcommands(Kind::offered().into_iter().map(offer))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        Kind::KINDS.contains(&name)
    }
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

impl Options {
    fn wanted(&self, config: &Config) -> Result<Wanted> {
        let kind = Kind::typed(config, &self.kind.kind, &self.kind.given).map_err(Error::msg)?;
        let mut formats = self.formats.clone();
        if formats.is_empty() {
            formats = Format::ALL.into();
        }
        formats.sort_unstable();
        formats.dedup();
        let width = self.width.unwrap_or_else(|| kind.width());
        let font = self.font.clone();
        Ok(Wanted { name: kind.stem(), kind, look: Look { width, dpi: self.dpi, font, formats } })
    }
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let _lock = pipeline.lock_or_read()?;
    let wanted = options.wanted(pipeline.config)?;
    if wanted.look.formats == [Format::Csv] && wanted.kind == Kind::Roc {
        bail!("`figure roc` has no table, so no CSV; data/networks.csv of the site has the areas");
    }
    let dataset = pipeline.dataset()?;
    let folder = options.out.clone().unwrap_or_else(|| pipeline.layout.figures());
    for drawn in pipeline.draw(&dataset, std::slice::from_ref(&wanted))? {
        let drawn = drawn?;
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

/// Says what came of the listed figures.
pub(super) fn tell(kept: &Kept, terminal: &Terminal) -> Outcome {
    terminal.say(&format!(
        "figures: {} drawn; {} files written, {} removed",
        kept.figures, kept.written, kept.removed
    ));
    for (name, error) in &kept.failed {
        terminal.warn(&format!("figure {name} is left out: {error:#}"));
    }
    Outcome::skipped_if(!kept.failed.is_empty())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn shown(line: &str) -> Result<Shown, String> {
        let words = ["figure"].into_iter().chain(line.split(' '));
        let read = Line::try_parse_from(words).map_err(|error| error.to_string())?;
        Ok(read.options.kind)
    }

    #[test]
    fn what_a_figure_is_of_stands_by_itself_and_other_options_have_names() {
        let given = |line: &str| {
            let Shown { kind, given } = shown(line).unwrap();
            let given = given.iter().map(|(key, values)| format!(" {key}={}", values.join("+")));
            kind + &given.collect::<String>()
        };
        assert_eq!(given("unit a/b/1 --columns 2 --width 140"), "unit columns=2 unit=a/b/1");
        assert_eq!(given("table a/b/1 a/b/2 --patches 3"), "table patches=3 units=a/b/1+a/b/2");
        assert_eq!(given("case ID --network alexnet"), "case mammogram=ID network=alexnet");
        assert_eq!(given("training"), "training");
        assert_eq!(given("training alexnet"), "training network=alexnet");
        for kind in Kind::offered() {
            let needed = kind.options.iter().any(|option| option.required);
            assert_eq!(shown(kind.name).is_err(), needed, "{}", kind.name);
        }
        assert!(shown("roc --patches 3").unwrap_err().contains("--patches"));
        assert!(shown("rock").unwrap_err().contains("roc"));
    }
}
