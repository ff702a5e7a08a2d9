//! `labels`: what readers said of the units.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::Outcome;
use super::terminal::Terminal;
use crate::pipeline::Pipeline;
use crate::progress::Progress;
use crate::study::import::import_read;
use crate::study::labels::{Problem, Read, Severity};
use crate::study::suggest::suggest;

/// What to do with the answers.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Check readers' files (YAML or JSON) and merge them into content/labels
    Import {
        /// Files to import
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Check the files in content/labels against the atlas and the lexicons
    Check,
    /// Print the lexicon terms that a text speaks of
    Suggest {
        /// Text, such as `masses with spiculated edge`
        text: String,
        /// Print JSON: {"terms": […], "categories": […]}
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn execute(verb: &Verb, pipeline: &Pipeline, terminal: &Terminal) -> Result<Outcome> {
    let lexicons = pipeline.lexicons()?;
    match verb {
        Verb::Import { files } => {
            let folder = pipeline.labels_folder();
            let codes = pipeline.codes();
            let read = files.iter().map(|path| Ok(Read::open(path)?.decoded(&codes)));
            let report = import_read(read, &folder, &pipeline.dissected(), &lexicons)?;
            print(&report.warnings);
            for merged in &report.readers {
                terminal.say(&format!(
                    "{}: {} new, {} replaced, {} as they were; {}",
                    merged.reader,
                    merged.added,
                    merged.replaced,
                    merged.kept,
                    merged.path.display()
                ));
            }
        }
        Verb::Check => {
            let checked = pipeline.labels(&lexicons);
            print(&checked.problems);
            let answers: usize = checked.readers.iter().map(|reader| reader.answers.len()).sum();
            terminal.say(&format!("{answers} good answers of {} readers", checked.readers.len()));
            let errors = checked.problems.iter().filter(|p| p.severity == Severity::Error).count();
            if errors > 0 {
                bail!("{errors} to mend in {}", pipeline.labels_folder().display());
            }
        }
        Verb::Suggest { text, json } => {
            let suggestion = suggest(text, &lexicons);
            if *json {
                // Results are printed even when quiet.
                println!("{}", serde_json::to_string(&suggestion)?);
            } else if suggestion.terms.is_empty() {
                println!("no term of the lexicons");
            } else {
                for term in &suggestion.terms {
                    let category = lexicons.term(term).map_or("", |entry| entry.category);
                    println!("{term}  ({category})");
                }
            }
        }
    }
    Ok(Outcome::Complete)
}

/// Prints what is wrong with readers' files, to standard error.
pub(super) fn print(problems: &[Problem]) {
    for problem in problems {
        eprintln!("{problem}");
    }
}
