//! `labels`: what readers said of the units.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::Outcome;
use super::terminal::Terminal;
use base::counted;
use base::progress::Progress;
use base::text::Encoding;
use pipeline::Pipeline;
use study::answer::Answer;
use study::import::{Change, import};
use study::labels::{Problem, Severity};
use study::reading::Given;
use study::report;
use study::statistics::statistics;
use study::suggest::{Matcher, suggest};

/// What to do with the answers.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Check readers' answers and merge them into content/labels
    ///
    /// Reads the survey's export and readers' files (JSON or YAML), tables with one row per pattern seen
    /// (CSV or .xlsx), and the answers q1 to q4 of the paper's server (JSON, YAML, CSV or .xlsx). Of two answers for a
    /// unit the later one stands; the earlier one is kept as superseded.
    Import {
        /// Files to import
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Study that the answers belong to, where a file does not say so
        #[arg(long)]
        study: Option<String>,
        /// Reader whose answers they are, where a file does not say so
        #[arg(long)]
        reader: Option<String>,
        /// Lexicon of the terms, where a file does not say so
        #[arg(long)]
        lexicon: Option<String>,
        /// How the files' letters are written, where that is neither UTF-8 nor UTF-16, such as windows-1252
        #[arg(long)]
        encoding: Option<Encoding>,
    },
    /// Check content/labels and content/consensus.yaml against the atlas and the lexicons
    Check,
    /// Print how much was answered, and how far the readers agree
    Stats {
        /// Print everything as JSON
        #[arg(long, conflicts_with = "paragraph")]
        json: bool,
        /// Print the paragraph for a paper only
        #[arg(long)]
        paragraph: bool,
    },
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
        Verb::Import { files, study, reader, lexicon, encoding } => {
            let folder = pipeline.labels_folder();
            let given = Given {
                study: study.clone(),
                reader: reader.clone(),
                lexicon: lexicon.clone().unwrap_or_else(|| pipeline.config.survey.lexicon.clone()),
                encoding: *encoding,
            };
            let codes = pipeline.codes();
            let report = import(files, &folder, &given, &codes, &pipeline.dissected(), &lexicons)?;
            print(&report.warnings);
            for merged in &report.readers {
                terminal.say(&format!(
                    "{}: {} new, {} replaced, {} as they were, {} older than what is there; what does not \
                     stand is kept under `superseded`; {}",
                    merged.reader,
                    merged.added(),
                    merged.replaced(),
                    merged.kept,
                    merged.older,
                    merged.path.display()
                ));
                if merged.about {
                    terminal.say("  what the reader said of themselves is new");
                }
                for change in &merged.changes {
                    terminal.say(&format!("  {}", said(change)));
                }
            }
        }
        Verb::Check => {
            let mut checked = pipeline.labels(&lexicons);
            let (consensus, problems) = pipeline.consensus(&lexicons, &checked.readers);
            checked.problems.extend(problems);
            print(&checked.problems);
            let answers: usize = checked.readers.iter().map(|reader| reader.answers.len()).sum();
            terminal.say(&format!(
                "{} of {}; {} settled",
                counted(answers, "good answer", "good answers"),
                counted(checked.readers.len(), "reader", "readers"),
                counted(consensus.units.len(), "unit", "units")
            ));
            let errors = checked.problems.iter().filter(|p| p.severity == Severity::Error).count();
            if errors > 0 {
                let content = pipeline.config.root.join("content");
                bail!("{errors} to mend in {}", content.display());
            }
        }
        Verb::Stats { json, paragraph } => {
            let checked = pipeline.labels(&lexicons);
            print(&checked.problems);
            for path in &checked.left_out {
                eprintln!("skipped {}: nothing that its reader says is counted", path.display());
            }
            let outcome = Outcome::skipped_if(checked.lacks());
            let matcher = Matcher::new(&lexicons);
            let seed = pipeline.config.seed;
            let statistics = statistics(&checked.readers, &lexicons, &matcher, seed);
            // Results are printed even when quiet.
            if *json {
                println!("{}", serde_json::to_string_pretty(&statistics)?);
                return Ok(outcome);
            }
            if checked.readers.is_empty() {
                let folder = pipeline.labels_folder();
                match checked.left_out.len() {
                    0 => bail!("no reader has answered: {} is empty", folder.display()),
                    all => {
                        let files = counted(all, "file", "files");
                        bail!("no reader can be counted: {files} in {} to mend", folder.display())
                    }
                }
            }
            if !*paragraph {
                println!("{}", report::summary(&statistics).trim_end());
                println!(
                    "\n`--paragraph` says this, and how it compares with outlines, in sentences for a paper."
                );
                return Ok(outcome);
            }
            let lexicon = &pipeline.config.survey.lexicon;
            let known = lexicons.iter().find(|known| known.id == *lexicon);
            let name = known.map_or(lexicon.as_str(), |known| &known.name);
            let opinions = pipeline.opinions()?;
            let layers = pipeline.layers()?;
            let comparison = opinions.catalogue(&layers).comparison();
            println!("{}", report::paragraph(&statistics, Some(&comparison), name));
            return Ok(outcome);
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
                    let words: Vec<String> = suggestion
                        .matches
                        .iter()
                        .filter(|found| found.term == *term)
                        .map(|found| format!("\u{201c}{}\u{201d}", &text[found.range.clone()]))
                        .collect();
                    println!("{term}  ({category})  from {}", words.join(", "));
                }
            }
        }
    }
    Ok(Outcome::Complete)
}

/// A changed answer in one line.
fn said(change: &Change) -> String {
    let words = |answer: &Answer| {
        let said: Vec<String> = answer
            .phenomena
            .iter()
            .map(|p| format!("{:?} [{}]", p.description, p.terms.join(", ")))
            .collect();
        match said.is_empty() {
            true => format!("{:?}", answer.recognizable).to_lowercase(),
            false => said.join("; "),
        }
    };
    let again = if change.now.repeat { " (shown again)" } else { "" };
    let now = words(&change.now);
    match &change.before {
        None => format!("{}{again}: {now}", change.now.unit),
        Some(before) => format!("{}{again}: {now}; was {}", change.now.unit, words(before)),
    }
}

/// Prints what is wrong with readers' files, to standard error.
pub(super) fn print(problems: &[Problem]) {
    for problem in problems {
        eprintln!("{problem}");
    }
}
