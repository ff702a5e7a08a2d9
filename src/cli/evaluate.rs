//! `evaluate`: how well trained networks tell cancer from no cancer.

use anyhow::Result;
use clap::ValueEnum;

use super::terminal::Terminal;
use super::{NetworkChoice, Outcome, prepare};
use crate::config::Split;
use crate::pipeline::Pipeline;
use crate::progress::Progress;
use crate::training::record::Evaluation;

/// Options of `evaluate`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    networks: NetworkChoice,
    /// Part of the patients to evaluate on
    #[arg(long, value_enum, default_value_t = Part::Validation)]
    split: Part,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Part {
    Validation,
    Test,
}

pub(super) fn execute(
    options: &Options,
    pipeline: &Pipeline,
    terminal: &Terminal,
) -> Result<Outcome> {
    let split = match options.split {
        Part::Validation => Split::Validation,
        Part::Test => Split::Test,
    };
    let networks = options.networks.of(pipeline.config)?;
    let _lock = pipeline.lock()?;
    let dataset = pipeline.dataset()?;
    for network in networks {
        let evaluation = pipeline.evaluate(network, &dataset, split)?;
        terminal.say(&describe(&evaluation));
        for specificity in [0.8, 0.9, 0.95] {
            if let Some(sensitivity) = sensitivity(&evaluation.roc, specificity) {
                terminal.say(&format!(
                    "  sensitivity {sensitivity:.3} at specificity {specificity:.2}"
                ));
            }
        }
    }
    Ok(prepare::outcome(&dataset.manifest))
}

/// One line on an evaluation.
pub(super) fn describe(evaluation: &Evaluation) -> String {
    let Evaluation { network, split, positives, negatives, .. } = evaluation;
    let auc = match evaluation.auc {
        Some(auc) => format!("AUC {:.3} (95% {:.3} to {:.3})", auc.value, auc.low, auc.high),
        None => "no AUC, for the split has one class only".into(),
    };
    let epoch = evaluation.best_epoch.map_or(String::new(), |epoch| format!(", epoch {epoch}"));
    format!("{network}{epoch}: {split} {auc}; {positives} positive, {negatives} negative patches")
}

/// Greatest sensitivity among the corners of the curve that reach the specificity.
fn sensitivity(roc: &[[f64; 2]], specificity: f64) -> Option<f64> {
    let reaching = roc.iter().filter(|[alarms, _]| 1.0 - alarms >= specificity);
    reaching.map(|[_, hits]| *hits).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensitivity_is_read_off_the_corners() {
        let roc = [[0.0, 0.0], [0.1, 0.6], [0.3, 0.9], [1.0, 1.0]];
        assert_eq!(sensitivity(&roc, 0.9), Some(0.6));
        assert_eq!(sensitivity(&roc, 0.95), Some(0.0));
        assert_eq!(sensitivity(&[], 0.9), None);
    }
}
