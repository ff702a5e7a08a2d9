//! `gc`: results that the project does not use.

use anyhow::Result;

use super::terminal::Terminal;
use super::{Outcome, size};
use base::counted;
use pipeline::Pipeline;

/// Options of `gc`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Remove what is listed; without this nothing is removed
    #[arg(long)]
    remove: bool,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let _lock = options.remove.then(|| pipeline.lock()).transpose()?;
    let unused = pipeline.unused()?;
    for kept in &unused {
        terminal.result(&format!("{:>9}  {}", size(kept.bytes), pipeline.shown(&kept.path)));
    }
    if options.remove {
        pipeline.discard(&unused)?;
    }
    let total = size(unused.iter().map(|kept| kept.bytes).sum());
    terminal.result(&match (unused.len(), options.remove) {
        (0, _) => "the project uses all that is there".into(),
        (count, true) => format!("{} removed, {total}", counted(count, "result", "results")),
        (count, false) => format!(
            "{} of other settings, {total}; back when the settings are. `unit-atlas gc --remove` removes \
             what is listed",
            counted(count, "result", "results")
        ),
    });
    Ok(Outcome::Complete)
}
