//! `name`: what a machine calls the units of dissected layers.

use std::path::PathBuf;

use anyhow::{Result, bail};

use super::terminal::Terminal;
use super::{NetworkChoice, Outcome, prepare};
use base::counted;
use base::progress::Progress;
use pipeline::{Grade, Part, Pipeline, Teaching};

/// Options of `name`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    networks: NetworkChoice,
    /// A layer to name; may be repeated [default: the layers of the project]
    #[arg(long = "layer", value_name = "LAYER")]
    layers: Vec<String>,
    /// Name nothing: teach a small pair of towers on what is annotated in the training patches, and write it
    /// (.safetensors), for `namer: { kind: taught, weights: FILE }`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["networks", "layers"])]
    teach: Option<PathBuf>,
    /// Name nothing: print how well the namer tells patches of each term from all others, on annotated patches of the
    /// validation split
    #[arg(long, conflicts_with_all = ["networks", "layers", "teach"])]
    examine: bool,
    /// How often each patch with a finding is shown while teaching
    #[arg(long, value_name = "N", default_value_t = 12, requires = "teach", value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Learning rate at its greatest while teaching
    #[arg(long, value_name = "RATE", default_value_t = 0.002, requires = "teach", value_parser = rate)]
    rate: f64,
    /// Edge in pixels of the images that it is taught on
    #[arg(long, value_name = "PIXELS", default_value_t = 113, requires = "teach", value_parser = clap::value_parser!(u32).range(32..=1024))]
    input: u32,
}

/// A rate that can teach something.
fn rate(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    match value > 0.0 && value <= 1.0 {
        true => Ok(value),
        false => Err("expected a number above 0, and at most 1".into()),
    }
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    if options.teach.is_none() && pipeline.config.namer.kind.is_none() {
        bail!("no machine names units in this project; `namer` in atlas.yaml chooses one");
    }
    let networks = options.networks.of(pipeline.config)?;
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    if let Some(file) = &options.teach {
        let Options { epochs, rate, input, .. } = *options;
        let grades = pipeline.teach(&dataset, &Teaching { input, epochs, rate }, file)?;
        let bytes = fs_err::metadata(file)?.len();
        terminal.say(&format!("{}: {:.1} MB", file.display(), bytes as f64 / 1e6));
        graded(&grades).iter().for_each(|line| terminal.say(line));
        return Ok(prepare::outcome(&dataset.manifest));
    }
    if options.examine {
        graded(&pipeline.examine(&dataset)?).iter().for_each(|line| terminal.result(line));
        return Ok(prepare::outcome(&dataset.manifest));
    }
    pipeline.each_network(networks.iter().copied(), |pipeline, network| {
        pipeline.dissect(network, &dataset, &options.layers, Part::All)
    })?;
    pipeline.name(networks, &dataset, &options.layers)?;
    Ok(prepare::outcome(&dataset.manifest))
}

/// What an examination came to.
fn graded(grades: &[Grade]) -> Vec<String> {
    if grades.is_empty() {
        return vec!["The validation patches show too little to say what the namer knows.".into()];
    }
    let mean = grades.iter().map(|grade| grade.auc.value).sum::<f64>() / grades.len() as f64;
    let head = format!(
        "Patches of a term among annotated validation patches: a mean AUC of {mean:.2}, where 0.50 is chance."
    );
    let line = |Grade { term, patches, auc }: &Grade| {
        format!("  {:.2}  {term} ({})", auc.value, counted(*patches, "patch", "patches"))
    };
    std::iter::once(head).chain(grades.iter().map(line)).collect()
}
