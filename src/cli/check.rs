//! `check`: what is wrong with a built site and with the readers' files.

use anyhow::{Result, bail};

use super::Outcome;
use super::terminal::Terminal;
use base::progress::Progress;
use pipeline::Pipeline;

pub(super) fn execute(pipeline: &Pipeline, terminal: &Terminal) -> Result<Outcome> {
    let site = pipeline.layout.site();
    if !site.join("index.html").is_file() {
        bail!("there is no site in {} yet; `unit-atlas run` makes it", site.display());
    }
    let problems = atlas::check(&site)?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    let labels = pipeline.labels(&pipeline.lexicons()?).problems;
    for problem in &labels {
        eprintln!("{problem}");
    }
    let stale = super::pack::stale(pipeline)?;
    if let Some(stale) = &stale {
        eprintln!("{stale}");
    }
    match problems.len() + labels.len() + usize::from(stale.is_some()) {
        0 => {
            terminal.say("nothing is wrong");
            Ok(Outcome::Complete)
        }
        1 => bail!("1 problem"),
        n => bail!("{n} problems"),
    }
}
