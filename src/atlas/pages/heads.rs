//! What a network's page says of its outputs beside the classes: composition, assessments, findings.

use serde::Serialize;

use crate::chart::{self, Chart};
use crate::facts::Atlas;
use crate::facts::areas::{AucView, interval};
use crate::text;
use base::number;
use config::Scale;
use record::training::{FindingResult, Heads, ScaleResult};

#[derive(Serialize)]
pub(super) struct View {
    scales: Vec<ScaleView>,
    findings: Option<FindingsView>,
}

#[derive(Serialize)]
struct ScaleView {
    /// Key of its section in links.
    key: &'static str,
    title: &'static str,
    /// What is counted, and how its category is told.
    counted: &'static str,
    /// `mammograms` or `patches`.
    of: &'static str,
    names: Vec<String>,
    rows: Vec<Row>,
    /// How many are counted.
    count: String,
    /// How many have a category that the network does not know; none where there are none.
    others: Option<String>,
    agreement: Option<Agreement>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    count: String,
    /// Those called each category, and whether that is right.
    called: Vec<(String, bool)>,
}

#[derive(Serialize)]
struct Agreement {
    accuracy: String,
    near: String,
    /// With its interval in words.
    kappa: String,
}

#[derive(Serialize)]
struct FindingsView {
    chart: Option<Chart>,
    rows: Vec<FindingRow>,
}

#[derive(Serialize)]
struct FindingRow {
    name: String,
    auc: Option<AucView>,
    bootstrap: String,
    average_precision: String,
    positives: String,
    negatives: String,
}

/// `None` where a network has no such outputs.
pub(super) fn view(atlas: &Atlas, name: &str, found: &Heads) -> Option<View> {
    (!found.is_empty()).then(|| View {
        scales: found.scales.iter().map(|scale| scale_view(atlas, scale)).collect(),
        findings: (!found.findings.is_empty()).then(|| findings(atlas, name, &found.findings)),
    })
}

fn scale_view(atlas: &Atlas, found: &ScaleResult) -> ScaleView {
    let (key, title, counted, of) = match found.scale {
        Scale::Composition => (
            "composition",
            "Breast composition, per mammogram",
            "A mammogram is called the category with the greatest mean probability over its patches",
            "mammograms",
        ),
        Scale::Assessment => (
            "assessment",
            "BI-RADS assessment, per patch with a lesion",
            "A patch counts where it holds a lesion whose assessment the data set states, with the highest of them, and \
             is called its likeliest category",
            "patches",
        ),
    };
    let name = |category: &String| match found.scale {
        Scale::Composition => atlas.labels.name(category),
        Scale::Assessment => category.clone(),
    };
    let names: Vec<String> = found.categories.iter().map(name).collect();
    let row = |(truth, row): (usize, &Vec<u32>)| Row {
        name: names[truth].clone(),
        count: text::count(row.iter().sum::<u32>()),
        called: (0..).zip(row).map(|(at, &n)| (text::count(n), at == truth)).collect(),
    };
    let agreement = found.accuracy.zip(found.near).map(|(accuracy, near)| Agreement {
        accuracy: text::percent(accuracy),
        near: text::percent(near),
        kappa: match found.kappa {
            None => "not defined: all are of one category, and called so".into(),
            Some(kappa) => {
                let kappa = number::written(format_args!("{kappa:.3}"));
                format!("{kappa} (95% by patient: {})", interval(found.spread))
            }
        },
    });
    ScaleView {
        key,
        title,
        counted,
        of,
        rows: found.confusion.iter().enumerate().map(row).collect(),
        count: text::count(found.count()),
        others: (found.others > 0).then(|| text::count(found.others)),
        names,
        agreement,
    }
}

fn findings(atlas: &Atlas, name: &str, found: &[FindingResult]) -> FindingsView {
    let title = |finding: &FindingResult| atlas.labels.name(&finding.term);
    let curves: Vec<(String, &[[f64; 2]])> = found
        .iter()
        .filter_map(|finding| {
            let auc = finding.level.auc?;
            Some((format!("{} {:.3}", title(finding), auc.value), finding.level.roc.as_slice()))
        })
        .collect();
    let listed: Vec<String> = curves.iter().map(|(label, _)| label.clone()).collect();
    let alt = format!("ROC curves of {name} for each finding: {}", text::and(&listed));
    FindingsView {
        chart: (!curves.is_empty()).then(|| Chart::new(&chart::roc(&curves), &alt)),
        rows: found
            .iter()
            .map(|finding| FindingRow {
                name: title(finding),
                auc: finding.level.auc.map(AucView::of),
                bootstrap: interval(finding.level.bootstrap),
                average_precision: finding
                    .level
                    .average_precision
                    .map_or_else(|| "–".into(), |value| format!("{value:.3}")),
                positives: text::count(finding.level.positives),
                negatives: text::count(finding.level.negatives),
            })
            .collect(),
    }
}
