//! `dissect`: what the units of trained networks respond to.

use anyhow::Result;

use super::{NetworkChoice, Outcome, prepare};
use crate::pipeline::Pipeline;

/// Options of `dissect`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    networks: NetworkChoice,
    /// A layer to dissect; may be repeated [default: the layers of the project]
    #[arg(long = "layer", value_name = "LAYER")]
    layers: Vec<String>,
}

pub(super) fn execute(options: &Options, pipeline: &Pipeline) -> Result<Outcome> {
    let networks = options.networks.of(pipeline.config)?;
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    for network in networks {
        pipeline.dissect(network, &dataset, &options.layers)?;
    }
    Ok(prepare::outcome(&dataset.manifest))
}
