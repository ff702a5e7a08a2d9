//! `schema`: what may stand in the files that people write, for editors.

use anyhow::Result;

use super::Outcome;

/// Options of `schema`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Of which file
    #[arg(default_value = "atlas")]
    file: File,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum File {
    /// The project file, atlas.yaml
    Atlas,
    /// A reader's file, content/labels/*.yaml
    Labels,
}

pub(super) fn execute(options: &Options) -> Result<Outcome> {
    let schema = match options.file {
        File::Atlas => config::written::schema(),
        File::Labels => study::schema(),
    };
    println!("{}", serde_json::to_string_pretty(&schema)?);
    Ok(Outcome::Complete)
}
