//! `build`: the site from what the other stages left.

use anyhow::Result;

use super::terminal::Terminal;
use super::{Outcome, figure, labels, prepare};
use base::Notice;
use base::progress::Progress;
use pipeline::{Dataset, Pipeline, Published};
use study::labels::Severity;

pub(super) fn execute(pipeline: &Pipeline, terminal: &Terminal) -> Result<Outcome> {
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    site(pipeline, &dataset, terminal)
}

/// Builds the site of a data set and says what came of it.
pub(super) fn site(pipeline: &Pipeline, dataset: &Dataset, terminal: &Terminal) -> Result<Outcome> {
    let Published { site, figures, problems } = pipeline.build(dataset)?;
    labels::print(&problems);
    for Notice { place, message, .. } in atlas::left_aside(pipeline.config)? {
        eprintln!("{place} {message}");
    }
    if let Some(why) = site.as_ref().and_then(|report| report.fewer_cases.as_ref()) {
        eprintln!("note: {why}");
    }
    match site {
        None => terminal.say("site is fresh"),
        Some(report) => terminal.say(&format!(
            "site: {} pages and {} images, {:.1} MB; {} files written, {} removed, {:.1} s",
            report.pages,
            report.images,
            report.bytes as f64 / 1e6,
            report.written,
            report.removed,
            report.seconds,
        )),
    }
    let figures = figures.map_or(Outcome::Complete, |kept| figure::tell(&kept, terminal));
    let skipped = figures == Outcome::Skipped
        || problems.iter().any(|problem| problem.severity == Severity::Error);
    match prepare::outcome(&dataset.manifest) {
        Outcome::Complete => Ok(Outcome::skipped_if(skipped)),
        Outcome::Skipped => Ok(Outcome::Skipped),
    }
}
