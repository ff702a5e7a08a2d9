//! `train`: networks on the prepared patches.

use anyhow::{Result, bail};

use super::terminal::Terminal;
use super::{NetworkChoice, Outcome, prepare};
use base::progress::Progress;
use config::Network;
use pipeline::Pipeline;

pub(super) fn execute(
    choice: &NetworkChoice,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let networks = choice.of(pipeline.config)?;
    let (recorded, networks): (Vec<&Network>, Vec<_>) =
        networks.into_iter().partition(|network| network.recorded().is_some());
    for Network { name, .. } in recorded {
        let why = format!("{name} was recorded elsewhere: there is nothing to train");
        if !choice.networks.is_empty() {
            bail!("{why}; `unit-atlas dissect --network {name}` shows what its units respond to");
        }
        terminal.say(&why);
    }
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    pipeline
        .each_network(networks, |pipeline, network| pipeline.train(network, &dataset).map(drop))?;
    Ok(prepare::outcome(&dataset.manifest))
}
