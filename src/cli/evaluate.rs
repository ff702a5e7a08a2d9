//! `evaluate`: how well trained networks tell cancer from no cancer.

use anyhow::Result;
use clap::ValueEnum;

use super::terminal::Terminal;
use super::{NetworkChoice, Outcome, prepare};
use base::Split;
use base::progress::{Progress, Silent};
use metrics::{Auc, Fixed, Proportion, Spread};
use pipeline::Pipeline;
use record::training::{Attribute, Evaluation, Level};

/// Options of `evaluate`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    networks: NetworkChoice,
    /// Part of the patients to evaluate on
    #[arg(long, value_enum, default_value_t = Part::Validation)]
    split: Part,
    /// Print a JSON list of the evaluations, each as evaluation.json holds it, and nothing else
    #[arg(long)]
    json: bool,
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
    let silent = Pipeline::new(pipeline.config, &Silent);
    let pipeline = if options.json { &silent } else { pipeline };
    let _lock = pipeline.lock_or_read()?;
    let dataset = pipeline.dataset()?;
    let evaluated = networks.iter().map(|network| pipeline.evaluate(network, &dataset, split));
    if options.json {
        let evaluations = evaluated.collect::<Result<Vec<_>>>()?;
        // Results are printed even when quiet.
        println!("{}", serde_json::to_string(&evaluations)?);
    } else {
        for evaluation in evaluated {
            let evaluation = evaluation?;
            terminal.say(&describe(&evaluation));
            table(&evaluation).iter().for_each(|line| terminal.say(line));
        }
    }
    Ok(prepare::outcome(&dataset.manifest))
}

/// One line on an evaluation.
pub(super) fn describe(evaluation: &Evaluation) -> String {
    let Evaluation { network, split, positives, negatives, .. } = evaluation;
    let auc = match evaluation.auc {
        Some(Auc { value, spread: Spread::Interval(of) }) => {
            format!("AUC {value:.3} (95% {:.3} to {:.3})", of.low, of.high)
        }
        Some(Auc { value, spread: Spread::None(why) }) => {
            format!("AUC {value:.3} (no 95% interval: {why})")
        }
        None => "no AUC, for the split has one class only".into(),
    };
    let epoch = evaluation.best_epoch.map_or(String::new(), |epoch| format!(", epoch {epoch}"));
    format!("{network}{epoch}: {split} {auc}; {positives} positive, {negatives} negative patches")
}

/// The rest of an evaluation, line by line.
fn table(evaluation: &Evaluation) -> Vec<String> {
    let found = &evaluation.assessment;
    let mut lines = vec![format!(
        "  {:<34} {:>8} {:>8}  {:<22} {:<14} {:>17}",
        "by", "positive", "negative", "AUC (95%, DeLong)", "95%, patients", "average precision"
    )];
    for (what, score, level) in found.levels.each() {
        let Level { positives, negatives, auc, bootstrap, average_precision, .. } = level;
        let bootstrap = match bootstrap {
            Some(Spread::Interval(of)) => format!("{:.3} to {:.3}", of.low, of.high),
            Some(Spread::None(_)) => "none".into(),
            None => "-".into(),
        };
        let precision = average_precision.map_or("-".into(), |p| format!("{p:.3}"));
        lines.push(format!(
            "  {:<34} {positives:>8} {negatives:>8}  {:<22} {bootstrap:<14} {precision:>17}",
            format!("{what}, {score}"),
            area(*auc),
        ));
    }
    for (what, score, level) in found.levels.each() {
        let delong = level.auc.and_then(|auc| auc.spread.reason()).map(|why| ("DeLong", why));
        let patients = level.bootstrap.and_then(|spread| spread.reason());
        for (method, why) in delong.into_iter().chain(patients.map(|why| ("patients", why))) {
            lines.push(format!("  no interval by {method} for {what}, {score}: {why}"));
        }
    }
    for point in &found.levels.patch.operating_points {
        let share = |p: &Proportion| format!("{:.3} ({:.3} to {:.3})", p.value, p.low, p.high);
        lines.push(match point.fixed {
            Fixed::Specificity(least) => format!(
                "  patches: sensitivity {} at specificity {least:.2}",
                share(&point.sensitivity)
            ),
            Fixed::Sensitivity(least) => format!(
                "  patches: specificity {} at sensitivity {least:.2}",
                share(&point.specificity)
            ),
        });
    }
    if let Some(calibration) = &found.calibration {
        lines.push(format!(
            "  patches: Brier score {:.4}, expected calibration error {:.4}",
            calibration.brier, calibration.expected_error
        ));
    }
    for group in &found.subgroups {
        let attribute = match group.attribute {
            Attribute::Density => "density",
            Attribute::Lesion => "lesion",
            Attribute::Subtlety => "subtlety",
            Attribute::Scanner => "scanner",
            Attribute::Tissue => "tissue",
        };
        lines.push(format!(
            "  {:<34} {:>8} {:>8}  {}",
            format!("patches, {attribute} {}", group.value),
            group.positives,
            group.negatives,
            group.auc.map_or("too few for an AUC".into(), |auc| area(Some(auc))),
        ));
    }
    if let Some(classes) = &found.classes {
        for (class, row) in classes.each.iter().zip(&classes.confusion) {
            let row: Vec<String> = row.iter().map(u32::to_string).collect();
            lines.push(format!(
                "  class {}: {} patches, AUC against the others {}; called {}",
                class.name,
                class.patches,
                area(class.auc),
                row.join(", ")
            ));
        }
        let mean = classes.mean_auc.map_or("-".into(), |mean| format!("{mean:.3}"));
        lines.push(format!(
            "  mean AUC of the classes {mean}; {:.3} of the patches called right",
            classes.accuracy
        ));
    }
    lines
}

fn area(auc: Option<Auc>) -> String {
    match auc {
        None => "-".into(),
        Some(Auc { value, spread: Spread::Interval(of) }) => {
            format!("{value:.3} ({:.3} to {:.3})", of.low, of.high)
        }
        Some(Auc { value, spread: Spread::None(_) }) => format!("{value:.3} (no interval)"),
    }
}
