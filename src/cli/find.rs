//! `find`: units by what their patches look like, in words.

use anyhow::Result;
use serde::Serialize;

use super::Outcome;
use super::terminal::Terminal;
use base::UnitId;
use pipeline::Pipeline;

/// Options of `find`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// What the patches should show, such as "spiculated mass near the chest wall"
    text: String,
    /// How many units to list
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    units: u32,
    /// Print JSON: a list of units, each with the standard deviations by which it stands out
    #[arg(long)]
    json: bool,
}

/// A unit that was found.
#[derive(Serialize)]
struct Found<'a> {
    unit: &'a UnitId,
    /// Standard deviations above patches drawn at random.
    standard: f32,
    /// What it is called; null where it has no name.
    name: Option<String>,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let _lock = pipeline.lock_or_read()?;
    let dataset = pipeline.dataset()?;
    let found = pipeline.find(&dataset, &options.text)?;
    let (opinions, layers) = (pipeline.opinions()?, pipeline.layers()?);
    let names = pipeline.names(&dataset, &layers)?;
    let catalogue = opinions.catalogue(&layers).with_machine(&names);
    let found: Vec<Found> = found
        .iter()
        .take(options.units as usize)
        .map(|(unit, standard)| {
            let name = catalogue.get(unit).map(|entry| entry.name.to_string());
            Found { unit, standard: *standard, name: name.filter(|name| !name.is_empty()) }
        })
        .collect();
    if options.json {
        terminal.result(&serde_json::to_string(&found)?);
        return Ok(Outcome::Complete);
    }
    terminal.result("Standard deviations above random patches, unit, name");
    for Found { unit, standard, name } in &found {
        let name = name.as_deref().unwrap_or("no name");
        terminal.result(&format!("{standard:6.1}  {unit}  {name}"));
    }
    Ok(Outcome::Complete)
}
