//! `build`: the site from what the other stages left.

use anyhow::Result;

use super::terminal::Terminal;
use super::{Outcome, prepare};
use crate::pipeline::{Built, Dataset, Pipeline};
use crate::progress::Progress;

pub(super) fn execute(pipeline: &Pipeline, terminal: &Terminal) -> Result<Outcome> {
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    site(pipeline, &dataset, terminal)
}

/// Builds the site of a data set and says what came of it.
pub(super) fn site(
    pipeline: &Pipeline,
    dataset: &Dataset,
    terminal: &Terminal,
) -> Result<Outcome> {
    let (built, notices) = pipeline.build(dataset)?;
    prepare::notices(&notices);
    match built {
        Built::Fresh => terminal.say("site is fresh"),
        Built::Rendered(report) => terminal.say(&format!(
            "site: {} pages and {} images, {:.1} MB; {} files written, {} removed, {:.1} s",
            report.pages,
            report.images,
            report.bytes as f64 / 1e6,
            report.written,
            report.removed,
            report.seconds,
        )),
    }
    let skipped = notices.iter().any(|notice| notice.skipped);
    match prepare::outcome(&dataset.manifest) {
        Outcome::Complete => Ok(Outcome::skipped_if(skipped)),
        Outcome::Skipped => Ok(Outcome::Skipped),
    }
}
