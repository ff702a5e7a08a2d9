//! `verify`: whether artifacts and pages are what was written.

use anyhow::{Result, bail};

use super::Outcome;
use super::terminal::Terminal;
use base::counted;
use pipeline::{Pipeline, Verified};

pub(super) fn execute(pipeline: &Pipeline, terminal: &Terminal) -> Result<Outcome> {
    let Verified { results, bytes, damaged, unfinished, unnoted } = pipeline.verify()?;
    for folder in unfinished {
        terminal.result(&format!(
            "{} is not finished; `unit-atlas run` goes on with it",
            pipeline.shown(&folder)
        ));
    }
    for folder in unnoted {
        terminal.result(&format!(
            "{} does not say which run made it: an earlier version, or its run.json was removed",
            pipeline.shown(&folder)
        ));
    }
    for damaged in &damaged {
        eprintln!("{damaged}\n  {}", pipeline.remedy(damaged));
    }
    let (size, all) = (super::size(bytes), counted(results, "result", "results"));
    match damaged.len() {
        0 if results == 0 => terminal.result("there is no result yet"),
        0 => terminal.result(&format!("{all}, {size}: every file is what was written")),
        1 => bail!("one file of {all} ({size}) is not what was written"),
        count => bail!("{count} files of {all} ({size}) are not what was written"),
    }
    Ok(Outcome::Complete)
}
