//! What a network's page says of its scores beyond the area under the ROC curve.

use serde::Serialize;

use super::heads;
use crate::chart::{self, Chart};
use crate::facts::Atlas;
use crate::facts::areas::{AucView, interval};
use crate::inputs::Exhibit;
use crate::text;
use figure::plot::Point;
use metrics::{Calibration, Fixed, OperatingPoint, Proportion, RESAMPLES};
use record::training::{Assessment, Attribute, Classes, FEW_ALARMS, Level, Levels};

#[derive(Serialize)]
pub(super) struct View {
    levels: Vec<LevelRow>,
    /// Share of false alarms up to which the partial area counts.
    few: String,
    /// What labels of mammograms mean for patches.
    by_image: Option<&'static str>,
    resamples: String,
    points: Vec<PointTable>,
    precision_recall: Option<Chart>,
    average_precision: String,
    share: String,
    calibration: Option<CalibrationView>,
    subgroups: Vec<SubgroupTable>,
    classes: Option<ClassesView>,
    heads: Option<heads::View>,
}

#[derive(Serialize)]
struct LevelRow {
    /// `patch`, `mammogram`, `patient`; empty where it repeats the row above.
    what: &'static str,
    score: &'static str,
    positives: String,
    negatives: String,
    auc: Option<AucView>,
    bootstrap: String,
    average_precision: String,
    partial_auc: String,
    probabilistic_f1: String,
}

/// Operating points of one level.
#[derive(Serialize)]
struct PointTable {
    what: &'static str,
    rows: Vec<PointRow>,
}

#[derive(Serialize)]
struct PointRow {
    held: String,
    threshold: String,
    sensitivity: ShareView,
    specificity: ShareView,
}

#[derive(Serialize)]
struct ShareView {
    value: String,
    low: String,
    high: String,
    count: String,
    of: String,
    /// Whether the point holds it by choice, so that an interval would say nothing.
    held: bool,
}

#[derive(Serialize)]
struct CalibrationView {
    chart: Chart,
    brier: String,
    expected_error: String,
    bins: Vec<BinRow>,
}

#[derive(Serialize)]
struct BinRow {
    range: String,
    patches: String,
    predicted: String,
    observed: ShareView,
}

#[derive(Serialize)]
struct SubgroupTable {
    name: &'static str,
    rows: Vec<SubgroupRow>,
}

#[derive(Serialize)]
struct SubgroupRow {
    value: String,
    positives: String,
    negatives: String,
    auc: Option<AucView>,
}

#[derive(Serialize)]
struct ClassesView {
    chart: Option<Chart>,
    names: Vec<String>,
    rows: Vec<ClassRow>,
    mean_auc: String,
    accuracy: String,
}

#[derive(Serialize)]
struct ClassRow {
    name: String,
    patches: String,
    auc: Option<AucView>,
    /// Patches called each class, and whether that is right.
    called: Vec<(String, bool)>,
}

pub(super) fn view(atlas: &Atlas, exhibit: &Exhibit) -> View {
    let name = &exhibit.config.name;
    let split = exhibit.evaluation.split;
    let Assessment { levels, calibration, subgroups, classes, heads } =
        &exhibit.evaluation.assessment;
    let patch = &levels.patch;
    let share = f64::from(patch.positives) / f64::from((patch.positives + patch.negatives).max(1));
    let average_precision = number(patch.average_precision);
    let mut tables: Vec<(Attribute, SubgroupTable)> = Vec::new();
    for group in subgroups {
        if tables.last().is_none_or(|(attribute, _)| *attribute != group.attribute) {
            let table = SubgroupTable { name: group.attribute.title(), rows: Vec::new() };
            tables.push((group.attribute, table));
        }
        let value = match group.attribute.is_coded() {
            true => atlas.labels.name(&group.value),
            false => group.value.clone(),
        };
        if let Some((_, table)) = tables.last_mut() {
            table.rows.push(SubgroupRow {
                value,
                positives: text::count(group.positives),
                negatives: text::count(group.negatives),
                auc: group.auc.map(AucView::of),
            });
        }
    }
    View {
        levels: level_rows(levels),
        few: text::percent(FEW_ALARMS),
        by_image: atlas.labels_of_images(),
        resamples: text::count(RESAMPLES),
        points: point_tables(levels),
        precision_recall: (!patch.precision_recall.is_empty()).then(|| {
            Chart::new(
                &chart::precision_recall(&patch.precision_recall, share),
                &format!(
                    "Precision-recall curve of {name} on the {split} split, average precision \
                     {average_precision}, share of positives {}",
                    text::percent(share)
                ),
            )
        }),
        average_precision,
        share: text::percent(share),
        calibration: calibration.as_ref().map(|found| calibrated(name, found)),
        subgroups: tables.into_iter().map(|(_, table)| table).collect(),
        classes: classes.as_ref().map(|found| classes_view(name, found)),
        heads: heads::view(atlas, name, heads),
    }
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.3}"))
}

fn level_rows(levels: &Levels) -> Vec<LevelRow> {
    let mut above = "";
    levels
        .each()
        .map(|(what, score, level)| {
            let Level { positives, negatives, auc, bootstrap, .. } = level;
            let row = LevelRow {
                what: if what == above { "" } else { what },
                score,
                positives: text::count(*positives),
                negatives: text::count(*negatives),
                auc: auc.map(AucView::of),
                bootstrap: interval(*bootstrap),
                average_precision: number(level.average_precision),
                partial_auc: number(level.partial_auc()),
                probabilistic_f1: number(level.probabilistic_f1),
            };
            above = what;
            row
        })
        .collect()
}

/// Of patches, and of mammograms and patients by their greatest probability.
fn point_tables(levels: &Levels) -> Vec<PointTable> {
    let shown = [
        ("patch", &levels.patch),
        ("mammogram, by its greatest patch", &levels.mammogram_max),
        ("patient, by the greatest patch", &levels.patient_max),
    ];
    let known = shown.into_iter().filter(|(_, level)| !level.operating_points.is_empty());
    known
        .map(|(what, level)| PointTable {
            what,
            rows: level.operating_points.iter().map(point_row).collect(),
        })
        .collect()
}

fn point_row(point: &OperatingPoint) -> PointRow {
    let OperatingPoint { fixed, threshold, sensitivity, specificity } = point;
    let (held, by_sensitivity) = match fixed {
        Fixed::Specificity(least) => (format!("specificity ≥ {least:.2}"), false),
        Fixed::Sensitivity(least) => (format!("sensitivity ≥ {least:.2}"), true),
    };
    PointRow {
        held,
        threshold: threshold.map_or_else(|| "none".into(), |t| text::significant(f64::from(t))),
        sensitivity: ShareView::of(sensitivity, by_sensitivity),
        specificity: ShareView::of(specificity, !by_sensitivity),
    }
}

impl ShareView {
    fn of(share: &Proportion, held: bool) -> Self {
        Self {
            value: format!("{:.3}", share.value),
            low: format!("{:.3}", share.low),
            high: format!("{:.3}", share.high),
            count: text::count(share.count),
            of: text::count(share.of),
            held,
        }
    }
}

fn calibrated(name: &str, found: &Calibration) -> CalibrationView {
    let points: Vec<Point> = found
        .bins
        .iter()
        .map(|bin| Point {
            at: [bin.predicted, bin.observed.value],
            between: [bin.observed.low, bin.observed.high],
        })
        .collect();
    let expected_error = format!("{:.3}", found.expected_error);
    let alt = format!(
        "Calibration of {name}: observed share of cancer over predicted probability in {}, \
         expected calibration error {expected_error}",
        text::counted(points.len(), "bin", "bins")
    );
    CalibrationView {
        chart: Chart::new(&chart::reliability(points), &alt),
        brier: format!("{:.3}", found.brier),
        expected_error,
        bins: found
            .bins
            .iter()
            .map(|bin| BinRow {
                range: format!("{:.1}–{:.1}", bin.low, bin.high),
                patches: text::count(bin.observed.of),
                predicted: format!("{:.3}", bin.predicted),
                observed: ShareView::of(&bin.observed, false),
            })
            .collect(),
    }
}

fn classes_view(name: &str, found: &Classes) -> ClassesView {
    let curves: Vec<(String, &[[f64; 2]])> = found
        .each
        .iter()
        .filter_map(|class| {
            let auc = class.auc?;
            Some((format!("{} {:.3}", class.name, auc.value), class.roc.as_slice()))
        })
        .collect();
    let listed: Vec<String> = curves.iter().map(|(label, _)| label.clone()).collect();
    let alt =
        format!("ROC curves of {name}, each class against the others: {}", text::and(&listed));
    ClassesView {
        chart: (!curves.is_empty()).then(|| Chart::new(&chart::roc(&curves), &alt)),
        names: found.each.iter().map(|class| class.name.clone()).collect(),
        rows: found
            .each
            .iter()
            .zip(&found.confusion)
            .enumerate()
            .map(|(truth, (class, row))| ClassRow {
                name: class.name.clone(),
                patches: text::count(class.patches),
                auc: class.auc.map(AucView::of),
                called: row
                    .iter()
                    .enumerate()
                    .map(|(called, &count)| (text::count(count), called == truth))
                    .collect(),
            })
            .collect(),
        mean_auc: number(found.mean_auc),
        accuracy: format!("{:.3}", found.accuracy),
    }
}
