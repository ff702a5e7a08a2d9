//! `prepare`: from the source to labelled patches.

use anyhow::Result;

use super::Outcome;
use super::terminal::Terminal;
use base::Notice;
use base::progress::Progress;
use patch::prepare;
use pipeline::Pipeline;
use record::{Manifest, tally};

/// Notices printed in full; the data page has the others.
const SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Report what the data set would be, by the parts of the split, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    if options.dry_run {
        let manifest = pipeline.rehearse()?;
        for line in manifest.summary.iter().chain(&tally::lines(&tally::tally(&manifest))) {
            terminal.result(line);
        }
        for Notice { place, message, skipped } in &manifest.notices {
            let word = if *skipped { "skipped" } else { "note" };
            terminal.result(&format!("{word}: {place}: {message}"));
        }
        return Ok(outcome(&manifest));
    }
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    report(&dataset.manifest, terminal);
    Ok(outcome(&dataset.manifest))
}

/// Says what the data set holds and what was left out.
pub(super) fn report(manifest: &Manifest, terminal: &Terminal) {
    for line in manifest.summary.iter().chain(&prepare::counts(manifest)) {
        terminal.say(&format!("  {line}"));
    }
    notices(&manifest.notices);
}

/// Prints what a user should know of the inputs, to standard error, even when quiet.
pub(super) fn notices(notices: &[Notice]) {
    for notice in notices.iter().take(SHOWN) {
        let word = if notice.skipped { "skipped" } else { "note" };
        eprintln!("{word}: {}: {}", notice.place, notice.message);
    }
    if notices.len() > SHOWN {
        eprintln!("… and {} more; `unit-atlas prepare --dry-run` lists all", notices.len() - SHOWN);
    }
}

/// Whether every input could be used.
pub(super) fn outcome(manifest: &Manifest) -> Outcome {
    Outcome::skipped_if(manifest.notices.iter().any(|notice| notice.skipped))
}
