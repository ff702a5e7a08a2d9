//! `source`: data sets that can be read, and what a folder holds.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::Outcome;
use super::terminal::Terminal;
use base::counted;
use base::progress::Progress;
use config::Config;
use source::{Fit, Holds, Known};

/// What to do with data sets.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Print the data sets that recipes know, where they come from, and under which terms
    List,
    /// Try every data set that is known on a folder: which fits, and what the others miss
    Check {
        /// Folder of a data set as it was distributed
        path: PathBuf,
    },
}

pub(super) fn execute(verb: &Verb, project: Option<&Path>, terminal: &Terminal) -> Result<Outcome> {
    // A project's own recipes come first, where there is a project.
    let here = std::env::current_dir()?;
    let file = Config::find(project, &here).ok();
    let root = file.as_deref().and_then(Path::parent).unwrap_or(&here);
    let content = root.join("content");
    match verb {
        Verb::List => {
            for (id, known) in source::recipes(&content)? {
                let Known { name, licence, get } = match known {
                    Ok(known) => known,
                    Err(error) => {
                        terminal.warn(&format!("the recipe {id} cannot be used: {error:#}"));
                        continue;
                    }
                };
                for line in [format!("{id}  {name}"), format!("  {licence}"), format!("  {get}")] {
                    terminal.result(&line);
                }
            }
        }
        Verb::Check { path } => check(path, &content, terminal)?,
    }
    Ok(Outcome::Complete)
}

fn check(path: &Path, content: &Path, terminal: &Terminal) -> Result<()> {
    if !path.is_dir() {
        bail!("{} is no folder; give the one that holds a data set", path.display());
    }
    let tried = source::fits(content, path)?;
    let (mut fits, mut others) = (Vec::new(), Vec::new());
    for (id, found) in &tried {
        match found {
            Ok(fit) => fits.push((id, fit)),
            Err(why) => others.push((id, why)),
        }
    }
    for (id, Fit { written, holds, flaw }) in &fits {
        let holds = match *holds {
            Holds::Files(count) => {
                counted(count, "of its files is there", "of its files are there")
            }
            Holds::Images { listed, there } => {
                let all = counted(listed, "image is listed", "images are listed");
                match there {
                    0 => format!("{all}, and none of them is there"),
                    there if there == listed => format!("{all}, and there"),
                    there => format!("{all}, {there} of them are there"),
                }
            }
        };
        terminal.result(&format!("{id} fits: {holds}"));
        terminal.result(&format!("  source: {{ {written}, path: {} }}", path.display()));
        if let Some(flaw) = flaw {
            terminal.result(&format!("  first remark: {flaw}"));
        }
    }
    for (id, why) in &others {
        terminal.result(&format!("{id} does not: {why:#}"));
    }
    if fits.is_empty() {
        bail!(
            "no data set that is known fits {}; docs/own-data.md of unit-atlas says how to list your own, and \
             docs/recipes.md how to write a recipe",
            path.display()
        );
    }
    Ok(())
}
