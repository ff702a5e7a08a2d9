//! `explain`: which units speak for cancer in a mammogram.

use anyhow::{Context, Result, bail};
use serde::Serialize;

use super::terminal::Terminal;
use super::{NetworkChoice, Outcome, labels, prepare};
use crate::explanation::record::{Explained, Explanation};
use crate::explanation::{carried, sentence};
use crate::patch::Manifest;
use crate::pipeline::Pipeline;
use crate::progress::Silent;
use crate::study::labels::Severity;
use crate::study::naming::Names;

/// Options of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Ids of mammograms of the validation split, as the atlas shows them [default: the surest five]
    #[arg(value_name = "MAMMOGRAM")]
    mammograms: Vec<String>,
    #[command(flatten)]
    networks: NetworkChoice,
    /// Print a JSON list and nothing else
    #[arg(long)]
    json: bool,
}

/// Mammograms told of when none is named.
const SUREST: usize = 5;
/// Units told of in the terminal.
const TOLD: usize = 6;

/// A mammogram as `--json` has it.
#[derive(Serialize)]
struct Told<'a> {
    network: &'a str,
    layer: &'a str,
    exact: bool,
    mammogram: &'a str,
    cancer: bool,
    sentence: String,
    /// Share of the evidence that units with a name carry.
    named: f32,
    /// The deciding patch: left, top and edge in pixels of the mammogram.
    window: [u32; 3],
    names: Vec<Option<&'a str>>,
    #[serde(flatten)]
    explained: &'a Explained,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let networks = options.networks.of(pipeline.config)?;
    let silent = Pipeline::new(pipeline.config, &Silent);
    let pipeline = if options.json { &silent } else { pipeline };
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    let (names, problems) = pipeline.names()?;
    labels::print(&problems);
    let explanations = networks
        .iter()
        .map(|network| pipeline.explanation(network, &dataset))
        .collect::<Result<Vec<_>>>()?;
    let mut told = Vec::new();
    for explanation in &explanations {
        for explained in chosen(explanation, &dataset.manifest, &options.mammograms)? {
            told.push(tell(explanation, explained, &dataset.manifest, &names));
        }
    }
    if options.json {
        terminal.result(&serde_json::to_string(&told)?);
    } else {
        told.iter().for_each(|told| describe(told, terminal));
    }
    let skipped = problems.iter().any(|problem| problem.severity == Severity::Error);
    match prepare::outcome(&dataset.manifest) {
        Outcome::Complete => Ok(Outcome::skipped_if(skipped)),
        Outcome::Skipped => Ok(Outcome::Skipped),
    }
}

/// The mammograms of these ids, or those with the highest scores.
fn chosen<'e>(
    explanation: &'e Explanation,
    manifest: &Manifest,
    ids: &[String],
) -> Result<Vec<&'e Explained>> {
    if ids.is_empty() {
        let mut all: Vec<&Explained> = explanation.mammograms.iter().collect();
        all.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        all.truncate(SUREST);
        return Ok(all);
    }
    let of = |id: &String| {
        let number = manifest.mammograms.iter().position(|member| member.mammogram.id == *id);
        let Some(number) = number else {
            bail!("the data set has no mammogram {id}; the atlas's pages name them")
        };
        let found = explanation.mammograms.iter().find(|e| e.mammogram as usize == number);
        found.with_context(|| {
            let split = manifest.mammograms[number].split;
            format!(
                "{id} is in the {split} split, or no patch was cut from it: only mammograms of the {} \
                 split with patches are explained",
                explanation.split
            )
        })
    };
    ids.iter().map(of).collect()
}

fn tell<'a>(
    explanation: &'a Explanation,
    explained: &'a Explained,
    manifest: &'a Manifest,
    names: &'a Names,
) -> Told<'a> {
    let named = names.of_layer(&explanation.network, &explanation.layer);
    let window = &manifest.patches[explained.patch as usize];
    let mammogram = &manifest.member(window).mammogram;
    Told {
        network: &explanation.network,
        layer: &explanation.layer,
        exact: explanation.exact,
        mammogram: &mammogram.id,
        cancer: mammogram.has_cancer(),
        sentence: sentence(explained, &named),
        named: carried(explained, &named),
        window: [window.x, window.y, window.edge],
        names: explained.units.iter().map(|part| named(part.unit)).collect(),
        explained,
    }
}

fn describe(told: &Told, terminal: &Terminal) {
    // Whoever wrote a label writes no commands for the terminal.
    let print = |line: String| terminal.result(&line.replace(char::is_control, " "));
    let truth = if told.cancer { "cancer" } else { "no cancer" };
    print(format!("{} by {}/{} ({truth})", told.mammogram, told.network, told.layer));
    print(format!("  {}", told.sentence));
    let [x, y, edge] = told.window;
    let method = if told.exact { "exact" } else { "gradient times activation" };
    print(format!("  deciding patch at {x},{y}, {edge} pixels wide; {method}"));
    for (part, name) in told.explained.units.iter().zip(&told.names).take(TOLD) {
        let inside = part.inside.map_or_else(String::new, |share| {
            format!("; {:.0}% of its region lies in a lesion", 100.0 * share)
        });
        print(format!(
            "  unit {:04}  {:+.3}  {}{inside}",
            part.unit,
            part.contribution,
            name.unwrap_or("not named")
        ));
    }
}
