//! `evaluate`: how well trained networks tell cancer from no cancer.

use anyhow::Result;
use clap::ValueEnum;

use super::terminal::Terminal;
use super::{NetworkChoice, Outcome, prepare};
use base::number::grouped;
use base::progress::{Progress, Silent};
use base::{Columns, Side, Split};
use config::Scale;
use lexicon::Lexicons;
use metrics::{Auc, Fixed, Proportion, Spread};
use pipeline::Pipeline;
use record::training::{Classes, Evaluation, FEW_ALARMS, Heads, Level, Levels};

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
        let lexicons = pipeline.lexicons()?;
        for evaluation in evaluated {
            let evaluation = evaluation?;
            terminal.say(&describe(&evaluation));
            table(&evaluation, &lexicons).iter().for_each(|line| terminal.say(line));
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
    if !evaluation.tells_cancer() {
        let patches = grouped(evaluation.scores.len());
        return format!("{network}: no output stands for cancer; {split}, {patches} patches");
    }
    let epoch = evaluation.best_epoch().map_or(String::new(), |epoch| format!(", epoch {epoch}"));
    format!(
        "{network}{epoch}: {split} {auc}; {} positive, {} negative patches",
        grouped(*positives),
        grouped(*negatives)
    )
}

/// The rest of an evaluation, line by line.
fn table(evaluation: &Evaluation, lexicons: &Lexicons) -> Vec<String> {
    let found = &evaluation.assessment;
    if !evaluation.tells_cancer() {
        return heads(&found.heads, lexicons);
    }
    let mut lines = levels(&found.levels);
    lines.extend(points(&found.levels.patch));
    if let Some(calibration) = &found.calibration {
        lines.push(format!(
            "  Patches: Brier score {:.4}, expected calibration error {:.4}",
            calibration.brier, calibration.expected_error
        ));
    }
    for same in found.subgroups.chunk_by(|a, b| a.attribute == b.attribute) {
        let title = same[0].attribute.title();
        let mut table = Columns::new([
            (title, Side::Left),
            ("positive", Side::Right),
            ("negative", Side::Right),
            ("AUC per patch (95%)", Side::Left),
        ]);
        for group in same {
            let value = match group.attribute.is_coded() {
                true => lexicons.name(&group.value),
                false => group.value.clone(),
            };
            let auc = group.auc.map_or("too few for an AUC".into(), |auc| area(Some(auc)));
            table.push([value, grouped(group.positives), grouped(group.negatives), auc]);
        }
        lines.push(String::new());
        lines.extend(table.lines());
    }
    found.classes.iter().for_each(|classes| lines.extend(by_class(classes)));
    lines.extend(heads(&found.heads, lexicons));
    lines
}

/// Outputs beside the classes.
fn heads(found: &Heads, lexicons: &Lexicons) -> Vec<String> {
    let mut lines = Vec::new();
    for of in &found.scales {
        let (title, counted) = match of.scale {
            Scale::Composition => ("composition", "mammograms"),
            Scale::Assessment => ("BI-RADS", "patches with a lesion"),
        };
        let name = |category: &String| match of.scale {
            Scale::Composition => lexicons.name(category),
            Scale::Assessment => category.clone(),
        };
        lines.push(String::new());
        if of.count() == 0 {
            lines.push(format!(
                "  {title}: none of the {counted} has a category that the network knows"
            ));
            continue;
        }
        let mut table = Columns::new([
            (title, Side::Left),
            (counted, Side::Right),
            ("called each of these, in order", Side::Left),
        ]);
        for (category, row) in of.categories.iter().zip(&of.confusion) {
            let called = row.iter().map(|n| format!("{n:>5}")).collect::<String>();
            table.push([name(category), grouped(row.iter().sum::<u32>()), called]);
        }
        lines.extend(table.lines());
        let share = |share: Option<f64>| share.map_or("-".into(), |share| format!("{share:.3}"));
        let interval = match of.spread {
            Some(Spread::Interval(of)) => {
                format!(" (95%, patients: {:.3} to {:.3})", of.low, of.high)
            }
            Some(Spread::None(why)) => format!(" (no interval: {why})"),
            None => String::new(),
        };
        let others = match of.others {
            0 => String::new(),
            others => format!("; {} of other categories left out", grouped(others)),
        };
        lines.push(format!(
            "  called right {}, right or next to it {}; quadratic kappa {}{interval}{others}",
            share(of.accuracy),
            share(of.near),
            share(of.kappa),
        ));
    }
    if !found.findings.is_empty() {
        let mut table = Columns::new([
            ("finding", Side::Left),
            ("with it", Side::Right),
            ("without", Side::Right),
            ("AUC per patch (95%)", Side::Left),
        ]);
        for of in &found.findings {
            let Level { positives, negatives, auc, .. } = of.level;
            table.push([
                lexicons.name(&of.term),
                grouped(positives),
                grouped(negatives),
                area(auc),
            ]);
        }
        lines.push(String::new());
        lines.extend(table.lines());
    }
    lines
}

/// Per patch, mammogram and patient.
fn levels(found: &Levels) -> Vec<String> {
    let mut table = Columns::new([
        ("by", Side::Left),
        ("positive", Side::Right),
        ("negative", Side::Right),
        ("AUC (95%, DeLong)", Side::Left),
        ("95%, patients", Side::Left),
        ("pAUC", Side::Right),
        ("average precision", Side::Right),
        ("pF1", Side::Right),
    ]);
    let mut lacking = Vec::new();
    for (what, score, level) in found.each() {
        let Level { positives, negatives, auc, bootstrap, .. } = level;
        let patients = match bootstrap {
            Some(Spread::Interval(of)) => format!("{:.3} to {:.3}", of.low, of.high),
            Some(Spread::None(_)) => "none".into(),
            None => "-".into(),
        };
        let number = |value: Option<f64>| value.map_or("-".into(), |value| format!("{value:.3}"));
        let name = format!("{what}, {score}");
        let delong = auc.and_then(|auc| auc.spread.reason()).map(|why| ("DeLong", why));
        let patient = bootstrap.and_then(|spread| spread.reason()).map(|why| ("patients", why));
        for (method, why) in delong.into_iter().chain(patient) {
            lacking.push(format!("  no interval by {method} for {name}: {why}"));
        }
        table.push([
            name,
            grouped(*positives),
            grouped(*negatives),
            area(*auc),
            patients,
            number(level.partial_auc()),
            number(level.average_precision),
            number(level.probabilistic_f1),
        ]);
    }
    let what = format!(
        "  pAUC: at most {:.0}% false alarms, standardised; pF1: F1 by probabilities",
        100.0 * FEW_ALARMS
    );
    table.lines().chain([what]).chain(lacking).collect()
}

/// What the network reaches at thresholds that hold one of its errors down.
fn points(patch: &Level) -> Vec<String> {
    let mut table = Columns::new([
        ("patches, held to", Side::Left),
        ("sensitivity (95%)", Side::Left),
        ("specificity (95%)", Side::Left),
    ]);
    let share = |p: &Proportion| format!("{:.3} ({:.3} to {:.3})", p.value, p.low, p.high);
    for point in &patch.operating_points {
        table.push(match point.fixed {
            Fixed::Specificity(least) => {
                [format!("specificity {least:.2}"), share(&point.sensitivity), "-".into()]
            }
            Fixed::Sensitivity(least) => {
                [format!("sensitivity {least:.2}"), "-".into(), share(&point.specificity)]
            }
        });
    }
    match table.is_empty() {
        true => Vec::new(),
        false => [String::new()].into_iter().chain(table.lines()).collect(),
    }
}

/// Each class against the others, and what its patches were called.
fn by_class(classes: &Classes) -> Vec<String> {
    let mut table = Columns::new([
        ("class", Side::Left),
        ("patches", Side::Right),
        ("AUC against the others", Side::Left),
        ("called", Side::Left),
    ]);
    for (class, row) in classes.each.iter().zip(&classes.confusion) {
        let called = classes.each.iter().zip(row).map(|(of, n)| format!("{} {n}", of.name));
        let called = called.collect::<Vec<_>>().join(", ");
        table.push([class.name.clone(), grouped(class.patches), area(class.auc), called]);
    }
    let mean = classes.mean_auc.map_or("-".into(), |mean| format!("{mean:.3}"));
    let mut lines = vec![String::new()];
    lines.extend(table.lines());
    lines.push(format!(
        "  mean AUC of the classes {mean}; {:.3} of the patches called right",
        classes.accuracy
    ));
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
