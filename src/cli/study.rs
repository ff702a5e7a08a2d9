//! `study`: what the coordinator of a reader study needs before and after it.

mod mrmc;
mod plan;
mod progress;
mod redcap;

use std::path::Path;

use anyhow::{Result, ensure};

use super::terminal::Terminal;
use super::{Outcome, Project};
use pipeline::Pipeline;

/// What to do for a study.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Verb {
    /// Say how many units and readers a study needs for intervals of a given width
    ///
    /// Simulates studies in which any two readers agree with a given kappa, computes each as `labels stats` computes
    /// yours, and prints how wide the 95% intervals of Fleiss' kappa and Krippendorff's alpha became. Example:
    /// `unit-atlas study plan --agreement 0.6 --categories 3 --width 0.2`.
    Plan(plan::Options),
    /// Say what each reader has answered, how long it takes, and which units take longest
    ///
    /// Of the answers in content/labels and the survey of the built site.
    Progress(progress::Options),
    /// Compare how well readers tell cancer from no cancer in two conditions (MRMC analysis)
    ///
    /// Reads a table (CSV or .xlsx) with one score a row: `reader`, `case`, `condition` (two values, such as without
    /// and with), `score` (the higher, the more likely cancer) and `truth` (malignant or benign, 1 or 0). Prints each
    /// reader's AUC, the mean difference with its interval and p by Obuchowski-Rockette and Dorfman-Berbaum-Metz, and
    /// intraclass correlations. Example: `unit-atlas study mrmc scores.csv --conditions without,with`. Also reads the
    /// files that readers of cases saved (`reading` in atlas.yaml): there the truth is the data set's.
    Mrmc(mrmc::Options),
    /// Write the survey's questions as a data dictionary of REDCap
    ///
    /// For studies that must be held in REDCap: there, "Upload Data Dictionary" makes a form of it, on which a record
    /// is a reader's answer for a unit. Where the site is built, the units are a list. Example:
    /// `unit-atlas study redcap dictionary.csv`.
    Redcap(redcap::Options),
}

/// `config` is the project file that was named, if one was.
pub(super) fn execute(
    verb: &Verb,
    config: Option<&Path>,
    project: &Project,
    terminal: &Terminal,
) -> Result<Outcome> {
    match verb {
        Verb::Plan(options) => plan::execute(options, config, terminal),
        Verb::Progress(options) => progress::execute(options, project, terminal),
        Verb::Mrmc(options) => mrmc::execute(options, project, terminal),
        Verb::Redcap(options) => redcap::execute(options, project, terminal),
    }
}

/// Checks that a table may be written there: to a file of tables, that is not the project's.
fn check_table(pipeline: &Pipeline, file: &Path) -> Result<()> {
    ensure!(
        file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv")),
        "{} does not end with .csv; the table would take the place of something else",
        file.display()
    );
    pipeline.check_output(file)
}
