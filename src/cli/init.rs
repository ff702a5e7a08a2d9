//! `init`: a new project.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::Outcome;
use super::terminal::Terminal;
use base::artifact;
use base::progress::Progress;
use base::shipped;

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Folder of the new project; made when it is missing
    #[arg(default_value = ".")]
    folder: PathBuf,
}

pub(super) fn execute(options: &Options, terminal: &Terminal) -> Result<Outcome> {
    let project = options.folder.join(config::FILE_NAME);
    if project.exists() {
        bail!("{} is there already; nothing was changed", project.display());
    }
    let about = options.folder.join("content/about.md");
    if !about.exists() {
        // The first content page, for its author to rewrite.
        artifact::write(&about, shipped::file("content/about.md")?)?;
    }
    artifact::write(&project, config::written::template().as_bytes())?;
    terminal.say(&format!(
        "Wrote {} and {}.\nIt makes an atlas of phantoms until `source` names your mammograms. \
         Next: `unit-atlas run` in that folder.",
        project.display(),
        about.display()
    ));
    Ok(Outcome::Complete)
}
