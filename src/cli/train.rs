//! `train`: networks on the prepared patches.

use anyhow::Result;

use super::{NetworkChoice, Outcome, prepare};
use pipeline::Pipeline;

pub(super) fn execute(choice: &NetworkChoice, pipeline: &Pipeline) -> Result<Outcome> {
    let networks = choice.of(pipeline.config)?;
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    pipeline
        .each_network(networks, |pipeline, network| pipeline.train(network, &dataset).map(drop))?;
    Ok(prepare::outcome(&dataset.manifest))
}
