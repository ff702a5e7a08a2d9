//! `patches export`: the prepared patches for other programs.

use std::path::PathBuf;

use anyhow::Result;

use super::terminal::Terminal;
use super::{Outcome, prepare};
use base::progress::Progress;
use patch::export;
use pipeline::Pipeline;

/// What to do with the patches.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Write PNG patches and train.txt, val.txt, test.txt with lines `NAME LABEL`
    Export {
        /// Folder to write to
        folder: PathBuf,
    },
}

pub(super) fn execute(verb: &Verb, pipeline: &Pipeline, terminal: &Terminal) -> Result<Outcome> {
    let Verb::Export { folder } = verb;
    let _lock = pipeline.lock_or_read()?;
    let dataset = pipeline.dataset()?;
    let report = export::export(&dataset.manifest, dataset.store()?, folder, terminal)?;
    for (name, (patches, positives)) in
        ["train", "val", "test"].iter().zip(report.patches.iter().zip(report.positives))
    {
        terminal.say(&format!("  {name}.txt: {patches} patches, {positives} positive"));
    }
    let all: usize = report.patches.iter().sum();
    terminal.say(&format!("{all} patches in {}", folder.display()));
    Ok(prepare::outcome(&dataset.manifest))
}
