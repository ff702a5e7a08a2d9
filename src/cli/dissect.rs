//! `dissect`: what the units of trained networks respond to.

use anyhow::{Result, bail};

use super::{NetworkChoice, Outcome, prepare};
use dissection::Shard;
use pipeline::{Part, Pipeline};

/// Options of `dissect`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    networks: NetworkChoice,
    /// A layer to dissect; may be repeated [default: the layers of the project]
    #[arg(long = "layer", value_name = "LAYER")]
    layers: Vec<String>,
    /// Show only the I-th of N parts of the patches to the network, for a later --merge. Shards may run
    /// at the same time, on several machines that share the output folder
    #[arg(long, value_name = "I/N", conflicts_with = "merge")]
    shard: Option<Shard>,
    /// Put together what all shards have left
    #[arg(long)]
    merge: bool,
}

pub(super) fn execute(options: &Options, pipeline: &Pipeline) -> Result<Outcome> {
    let networks = options.networks.of(pipeline.config)?;
    let (_lock, part) = match options.shard {
        Some(shard) => (pipeline.share()?, Part::Shard(shard)),
        None => (pipeline.lock()?, if options.merge { Part::Merge } else { Part::All }),
    };
    if part != Part::All
        && let Some(network) = pipeline.untrained(networks.iter().copied()).first()
    {
        let name = &network.name;
        match network.recorded() {
            None => bail!("{name} is not trained, or stale; run `unit-atlas train` first"),
            Some(_) => bail!(
                "{name} is not evaluated from its recording, or stale; run `unit-atlas evaluate --network \
                 {name}` first"
            ),
        }
    }
    let dataset = pipeline.dataset()?;
    pipeline.each_network(networks, |pipeline, network| {
        pipeline.dissect(network, &dataset, &options.layers, part)?;
        match part {
            Part::Shard(_) => Ok(()),
            Part::All | Part::Merge => pipeline.visualise(network, &dataset, &options.layers),
        }
    })?;
    Ok(prepare::outcome(&dataset.manifest))
}
