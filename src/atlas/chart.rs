//! What charts show: plots that pages and figures for papers share, and their form on a page.

use serde::Serialize;

use super::inputs::Exhibit;
use super::text::significant;
use figure::Canvas;
use figure::plot::{Axis, Bin, Legend, Plot, Point, Series, span};
use record::rates::RateTest;
use record::training::Epoch;

/// Line of chance of a receiver operating characteristic, and of probabilities that are what they say.
const DIAGONAL: [[f64; 2]; 2] = [[0.0, 0.0], [1.0, 1.0]];
/// Widths on a page in points of the drawing, which the page stretches: of what is square, and of others.
const SQUARE: f64 = 198.0;
const WIDE: f64 = 245.0;

/// A chart of a page: an `svg` element, whose looks are the theme's.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Chart {
    svg: String,
}

impl Chart {
    /// A plot as a page shows it; `alt` is what it shows, for those who do not see it.
    pub(super) fn new(plot: &Plot, alt: &str) -> Self {
        let mut canvas = Canvas::styled();
        let width = if plot.aspect == 1.0 { SQUARE } else { WIDE };
        let height = plot.draw(&mut canvas, [0.0, 0.0], width);
        Self { svg: canvas.inline([width, height], alt) }
    }
}

fn series(label: impl Into<String>, points: Vec<[f64; 2]>) -> Series {
    Series { label: label.into(), points }
}

/// Receiver operating characteristics by name, with the line of chance. One alone needs no name.
pub(super) fn roc(curves: &[(String, &[[f64; 2]])]) -> Plot {
    let [x, y] = ["False positive rate", "True positive rate"].map(Axis::shares);
    Plot {
        series: curves.iter().map(|(label, points)| series(label, points.to_vec())).collect(),
        guide: DIAGONAL.into(),
        legend: if curves.len() > 1 { Legend::Numbered } else { Legend::None },
        ..Plot::new(x, y, 1.0)
    }
}

/// Precision over recall in steps, as the average precision sums it, with the share of positives
/// that calling everything positive gives.
pub(super) fn precision_recall(points: &[[f64; 2]], share: f64) -> Plot {
    let steps = points.windows(2).flat_map(|pair| [[pair[0][0], pair[1][1]], pair[1]]).collect();
    let [x, y] = ["Recall (sensitivity)", "Precision"].map(Axis::shares);
    Plot {
        series: vec![series("", steps)],
        guide: vec![[0.0, share], [1.0, share]],
        ..Plot::new(x, y, 1.0)
    }
}

/// Observed shares with their intervals, over predicted probabilities.
pub(super) fn reliability(points: Vec<Point>) -> Plot {
    let labels = ["Predicted probability of cancer", "Observed share with cancer"];
    let [x, y] = labels.map(Axis::shares);
    Plot {
        series: vec![series("", points.iter().map(|point| point.at).collect())],
        points,
        guide: DIAGONAL.into(),
        ..Plot::new(x, y, 1.0)
    }
}

/// Loss, and AUC with accuracy, over the epochs of a training.
pub(super) fn training(exhibit: &Exhibit) -> [Plot; 2] {
    let points = |value: fn(&Epoch) -> Option<f64>| {
        let epochs = exhibit.history.iter();
        epochs.filter_map(|e| Some([f64::from(e.epoch), value(e)?])).collect::<Vec<_>>()
    };
    let last = exhibit.history.last().map_or(1, |epoch| epoch.epoch);
    let plot = |label: &str, series: [Series; 2]| {
        let values = series.iter().flat_map(|line| &line.points).map(|point| point[1]);
        let y = Axis::new(label, span(values, 0.12), 4.0);
        let x = Axis::new("Epoch", [1.0, f64::from(last)], 6.0).whole();
        Plot { series: series.into(), legend: Legend::AtEnds, ..Plot::new(x, y, 0.55) }
    };
    [
        plot(
            "Cross-entropy",
            [
                series("training", points(|e| Some(e.loss))),
                series("validation", points(|e| Some(e.validation_loss))),
            ],
        ),
        plot(
            "Validation",
            [
                series("AUC", points(|e| e.validation_auc)),
                series("accuracy", points(|e| Some(e.validation_accuracy))),
            ],
        ),
    ]
}

/// The smoothed loss of a rate range test, over the powers of ten of the learning rate.
pub(super) fn rates(test: &RateTest) -> Plot {
    let places = || test.steps.iter().map(|step| step.rate.log10());
    let lowest = test.steps.iter().map(|step| step.smoothed).fold(f64::INFINITY, f64::min);
    let top = test.top();
    let points = places().zip(&test.steps).map(|(place, step)| [place, step.smoothed.min(top)]);
    let x = Axis::new("Learning rate, as a power of ten", span(places(), 0.0), 7.0).whole();
    let y = Axis::new("Smoothed loss", span([lowest, top].into_iter(), 0.08), 4.0);
    Plot {
        series: vec![series("", points.collect())],
        marker: test.suggested.map(|rate| (rate.log10(), significant(rate))),
        ..Plot::new(x, y, 0.55)
    }
}

/// Counts in equal bins over `range`, with the threshold T. `of` is what has the values, such as patches.
pub(super) fn histogram(
    [value, of]: [&str; 2],
    counts: &[u32],
    range: [f32; 2],
    threshold: f32,
) -> Plot {
    let [low, high] = range.map(f64::from);
    let threshold = f64::from(threshold);
    let step = (high - low) / counts.len().max(1) as f64;
    let bin = |(at, &count): (usize, &u32)| {
        let from = low + step * at as f64;
        Bin { over: [from, from + step], count: f64::from(count) }
    };
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let x = Axis::new(value, span([low, high, threshold].into_iter(), 0.0), 5.0);
    let y = Axis::new(of, [0.0, f64::from(most)], 3.0).whole();
    Plot {
        bins: counts.iter().enumerate().map(bin).collect(),
        marker: Some((threshold, format!("T {}", significant(threshold)))),
        ..Plot::new(x, y, 0.47)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn precision_is_drawn_in_steps() {
        let plot = precision_recall(&[[0.0, 1.0], [0.5, 1.0], [1.0, 0.5]], 0.5);
        assert_eq!(plot.series[0].points, [[0.0, 1.0], [0.5, 1.0], [0.5, 0.5], [1.0, 0.5]]);
    }

    #[test]
    fn bins_lie_side_by_side_over_their_range() {
        let plot = histogram(["Score", "Patches"], &[3, 0, 1, 2], [1.0, 3.0], 3.5);
        assert_eq!((plot.x.range, plot.y.range), ([1.0, 3.5], [0.0, 3.0]));
        let bins: Vec<_> = plot.bins.iter().map(|bin| (bin.over, bin.count)).collect();
        let expected = [([1.0, 1.5], 3.0), ([1.5, 2.0], 0.0), ([2.0, 2.5], 1.0), ([2.5, 3.0], 2.0)];
        assert_eq!(bins, expected);
        assert_eq!(plot.marker, Some((3.5, "T 3.50".into())));
    }

    #[test]
    fn odd_numbers_draw_nothing_wrong() {
        let plots = [
            histogram(["a", "b"], &[0, 1], [f32::NAN, f32::NAN], f32::NAN),
            histogram(["a", "b"], &[5], [1.0, 1.0], 1.0),
            roc(&[]),
            roc(&[("empty".into(), &[]), ("other".into(), &[])]),
            precision_recall(&[], f64::NAN),
            reliability(Vec::new()),
        ];
        for plot in plots {
            let Chart { svg } = Chart::new(&plot, "x");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
