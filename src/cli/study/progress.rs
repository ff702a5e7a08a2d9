//! `study progress`: how far a study is.

use anyhow::{Context, Result};

use super::super::labels::print;
use super::super::terminal::Terminal;
use super::super::{Outcome, Project};
use base::{Columns, Side, counted};
use pipeline::Pipeline;
use study::standing::{ReaderStanding, Standing, standing};

/// Units in the table of those that take longest.
const SLOWEST: usize = 10;

/// Options of `study progress`.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Options {
    /// Print everything as JSON, every unit too
    #[arg(long)]
    json: bool,
}

pub(in super::super) fn execute(
    options: &Options,
    project: &Project,
    terminal: &Terminal,
) -> Result<Outcome> {
    let (path, config) = project()?;
    let pipeline = Pipeline::new(&config, terminal).of_file(&path);
    let selection = pipeline
        .selection()
        .context("what readers are asked is not known; `unit-atlas build` makes the survey")?;
    let checked = pipeline.labels(&pipeline.lexicons()?);
    print(&checked.problems);
    let found = standing(&selection, config.survey.repeats, &checked.readers);
    // Results are printed even when quiet.
    if options.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        show(&found);
    }
    Ok(Outcome::skipped_if(checked.lacks()))
}

fn show(found: &Standing) {
    let told: usize = found.readers.iter().map(|reader| reader.answered).sum();
    let all = found.readers.len() * found.asked;
    println!(
        "{}, {} each: {told} of {all} answers are there.",
        counted(found.readers.len(), "reader", "readers"),
        counted(found.asked, "question", "questions"),
    );
    if found.readers.is_empty() {
        println!("Files that readers send come in by `unit-atlas labels import`.");
        return;
    }
    let seconds =
        |seconds: Option<f64>| seconds.map_or_else(String::new, |seconds| format!("{seconds:.0}"));
    let (left, right) = (Side::Left, Side::Right);
    let mut table = Columns::new([
        ("reader", left),
        ("answered", right),
        ("left", right),
        ("median s", right),
        ("minutes", right),
        ("last answer", left),
        ("of themselves", left),
    ]);
    for reader in &found.readers {
        table.push([
            reader.reader.clone(),
            reader.answered.to_string(),
            found.asked.saturating_sub(reader.answered).to_string(),
            seconds(reader.seconds),
            reader.seconds.map_or_else(String::new, |_| format!("{:.0}", reader.spent / 60.0)),
            reader.last.as_deref().and_then(|last| last.get(..16)).unwrap_or("").replace('T', " "),
            words(reader),
        ]);
    }
    println!();
    table.lines().for_each(|line| println!("{line}"));
    let open = found.units.iter().filter(|unit| unit.readers < found.readers.len()).count();
    println!(
        "\n{} of {} have an answer of every reader.",
        found.units.len() - open,
        counted(found.units.len(), "unit", "units")
    );
    let mut slowest =
        Columns::new([("unit", left), ("readers", right), ("median s of first answers", right)]);
    for unit in found.units.iter().filter(|unit| unit.seconds.is_some()).take(SLOWEST) {
        slowest.push([unit.unit.clone(), unit.readers.to_string(), seconds(unit.seconds)]);
    }
    if !slowest.is_empty() {
        println!("\nUnits that take longest");
        slowest.lines().for_each(|line| println!("{line}"));
    }
}

/// `12 years, breast imaging, 3,000 mammograms a year, agreed`.
fn words(reader: &ReaderStanding) -> String {
    let about = reader.about.as_ref();
    let consent = about.and_then(|about| about.consent.as_ref());
    let agreed = match (reader.agreed, consent) {
        (Some(true), _) | (None, Some(_)) => Some("agreed"),
        (Some(false), Some(_)) => Some("agreed to another text"),
        (Some(false), None) => Some("has not agreed"),
        (None, None) => None,
    };
    let count = |count: Option<u32>, one, many| count.map(|n| counted(n as usize, one, many));
    let parts = [
        count(about.and_then(|about| about.years), "year", "years"),
        about.and_then(|about| about.subspecialty).map(|kind| kind.words().to_owned()),
        count(
            about.and_then(|about| about.mammograms_per_year),
            "mammogram a year",
            "mammograms a year",
        ),
        agreed.map(str::to_owned),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
