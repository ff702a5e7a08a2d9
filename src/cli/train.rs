//! `train`: networks on the prepared patches.

use anyhow::Result;

use super::{NetworkChoice, Outcome, prepare};
use pipeline::Pipeline;

pub(super) fn execute(choice: &NetworkChoice, pipeline: &Pipeline) -> Result<Outcome> {
    let networks = choice.of(pipeline.config)?;
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    for network in networks {
        pipeline.train(network, &dataset)?;
    }
    Ok(prepare::outcome(&dataset.manifest))
}
