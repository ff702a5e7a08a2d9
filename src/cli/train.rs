//! `train`: networks on the prepared patches, and which learning rate they take.

use anyhow::{Result, bail};

use super::sketch::sketch;
use super::terminal::Terminal;
use super::{NetworkChoice, Outcome, prepare};
use base::progress::Progress;
use config::Network;
use pipeline::Pipeline;
use record::rates::RateTest;

/// Options of `train`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    networks: NetworkChoice,
    /// Train nothing: let the learning rate grow over so many steps (20 to 100,000; 100 where none are given), draw the loss and suggest a rate
    #[arg(
        long,
        value_name = "STEPS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "100",
        value_parser = clap::value_parser!(u32).range(20..=100_000),
    )]
    find_rate: Option<u32>,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let networks = options.networks.of(pipeline.config)?;
    let (recorded, networks): (Vec<&Network>, Vec<_>) =
        networks.into_iter().partition(|network| network.recorded().is_some());
    for Network { name, .. } in recorded {
        let why = format!("{name} was recorded elsewhere: there is nothing to train");
        if !options.networks.networks.is_empty() {
            bail!("{why}; `unit-atlas dissect --network {name}` shows what its units respond to");
        }
        terminal.say(&why);
    }
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    match options.find_rate {
        None => pipeline.each_network(networks, |pipeline, network| {
            pipeline.train(network, &dataset).map(drop)
        })?,
        Some(steps) => {
            let (trained, fixed): (Vec<&Network>, Vec<_>) =
                networks.into_iter().partition(|network| network.training().is_some());
            for Network { name, .. } in fixed {
                let why =
                    format!("{name} is not trained (`training: false`): there is no rate to find");
                if !options.networks.networks.is_empty() {
                    bail!("{why}");
                }
                terminal.say(&why);
            }
            for network in trained {
                let test = pipeline.find_rate(network, &dataset, steps as usize)?;
                told(&test).iter().for_each(|line| terminal.result(line));
            }
        }
    }
    Ok(prepare::outcome(&dataset.manifest))
}

/// A test as a person reads it.
fn told(test: &RateTest) -> Vec<String> {
    let RateTest { network, steps, diverged, suggested, .. } = test;
    let points: Vec<[f64; 2]> = steps.iter().map(|step| [step.rate, step.smoothed]).collect();
    let mut lines = vec![format!("{network}: smoothed loss by learning rate")];
    lines.extend(sketch(&points, *suggested, test.top()));
    lines.push(match suggested {
        Some(rate) => format!(
            "{network}: `lr: {rate:.1e}` is suggested, where the loss falls most steeply (the dotted line)"
        ),
        None => format!(
            "{network}: over {} steps the loss fell too little to suggest a rate; more steps (`--find-rate={}`) or \
             a larger `batch` may show more",
            steps.len(),
            (3 * steps.len()).max(300)
        ),
    });
    if *diverged && let Some(last) = steps.last() {
        lines.push(format!("{network}: at {:.1e} the loss had grown many times over", last.rate));
    }
    lines
}
