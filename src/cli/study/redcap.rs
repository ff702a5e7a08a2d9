//! `study redcap`: the survey's questions for REDCap.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::super::terminal::Terminal;
use super::super::{Outcome, Project};
use super::check_table;
use base::artifact;
use base::progress::Progress;
use pipeline::Pipeline;
use study::redcap::dictionary;

/// Options of `study redcap`.
#[derive(Debug, clap::Args)]
pub(in super::super) struct Options {
    /// File to write (.csv)
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(in super::super) fn execute(
    options: &Options,
    project: &Project,
    terminal: &Terminal,
) -> Result<Outcome> {
    let (path, config) = project()?;
    let pipeline = Pipeline::new(&config, terminal).of_file(&path);
    let file = &options.file;
    check_table(&pipeline, file)?;
    let lexicons = pipeline.lexicons()?;
    let selection = pipeline.selection();
    if let Err(why) = &selection {
        eprintln!(
            "note: units are to be typed, for there is no list of them ({why}); `unit-atlas build` makes one"
        );
    }
    let text = dictionary(&config.survey.lexicon, &lexicons, selection.as_ref().ok())?;
    artifact::write(file, text.as_bytes())
        .with_context(|| format!("{} cannot be written", file.display()))?;
    terminal
        .say(&format!("{} is written: upload it to REDCap as a data dictionary", file.display()));
    Ok(Outcome::Complete)
}
