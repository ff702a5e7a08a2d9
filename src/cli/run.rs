//! `run`: everything that is missing or stale.

use anyhow::Result;

use super::terminal::Terminal;
use super::{Outcome, build, evaluate, prepare};
use base::progress::Progress;
use pipeline::{Part, Pipeline};

pub(super) fn execute(pipeline: &Pipeline, terminal: &Terminal) -> Result<Outcome> {
    let _lock = pipeline.lock()?;
    pipeline.foresee()?;
    let dataset = pipeline.dataset()?;
    prepare::report(&dataset.manifest, terminal);
    pipeline.foresee_cases(&dataset)?;
    let networks = &pipeline.config.networks;
    pipeline.each_network(networks, |pipeline, network| {
        pipeline.dissect(network, &dataset, &[], Part::All)?;
        pipeline.visualise(network, &dataset, &[])
    })?;
    pipeline.name(networks, &dataset, &[])?;
    let evaluations = networks
        .iter()
        .map(|network| record::training::read_evaluation(&pipeline.layout.network(&network.name)))
        .collect::<Result<Vec<_>>>()?;
    for evaluation in &evaluations {
        terminal.say(&evaluate::describe(evaluation));
    }
    let best = evaluations.iter().filter_map(|e| Some((e.auc?.value, &e.network)));
    if let Some((auc, network)) = best.max_by(|a, b| a.0.total_cmp(&b.0)) {
        terminal.say(&format!("best validation AUC {auc:.3} ({network})"));
    }
    let outcome = build::site(pipeline, &dataset, terminal)?;
    terminal.say(&format!("open {}", pipeline.layout.site().join("index.html").display()));
    Ok(outcome)
}
