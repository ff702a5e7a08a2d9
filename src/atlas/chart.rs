//! Small charts as geometry: the templates draw them as inline SVG.

use serde::Serialize;

use super::text::significant;

/// Space around the plot for ticks and labels, in the chart's units.
const LEFT: f64 = 52.0;
const BOTTOM: f64 = 42.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 12.0;

/// A chart of lines or bars. All lengths are in the units of its own view box.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Chart {
    /// What it shows, for those who do not see it.
    alt: String,
    width: f64,
    height: f64,
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    x_label: String,
    y_label: String,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    lines: Vec<Line>,
    /// All bars as one path.
    bars: String,
    markers: Vec<Tick>,
    dots: Vec<Dot>,
    keys: Vec<Key>,
}

#[derive(Debug, Clone, Serialize)]
struct Tick {
    at: f64,
    label: String,
}

#[derive(Debug, Clone, Serialize)]
struct Line {
    path: String,
    /// How the theme draws it.
    look: &'static str,
    label: String,
    label_y: f64,
    label_x: f64,
}

/// A measured point with its interval.
#[derive(Debug, Clone, Serialize)]
struct Dot {
    x: f64,
    y: f64,
    /// Path of the interval's bar.
    interval: String,
}

/// A line of the legend, and the number that marks its curve.
#[derive(Debug, Clone, Serialize)]
struct Key {
    look: &'static str,
    number: usize,
    /// Right end of the text in the legend, and its base line.
    x: f64,
    y: f64,
    label: String,
    /// Where on the curve the number stands.
    mark_x: f64,
    mark_y: f64,
}

/// Looks of the lines of several networks or classes, told apart by colour and dashes.
const LOOKS: [&str; 6] = ["line-1", "line-2", "line-3", "line-4", "line-5", "line-6"];

/// A line to draw; `look` is `main`, `second` or `guide`.
pub(super) struct Series<'a> {
    pub(super) label: &'a str,
    pub(super) look: &'static str,
    pub(super) points: Vec<[f64; 2]>,
}

/// The range of an axis.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
}

impl Range {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|v| v.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            Range { low: 0.0, high: 1.0 }
        } else if low == high {
            Range { low: low - 0.5, high: high + 0.5 }
        } else {
            Range { low, high }
        }
    }

    fn share(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Round values within the range, about `wanted` of them.
    fn ticks(self, wanted: f64) -> Vec<f64> {
        let raw = (self.high - self.low) / wanted;
        let power = 10f64.powf(raw.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= raw);
        let step = step.unwrap_or(power * 10.0);
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        (first..=last.min(first + 20)).map(|i| i as f64 * step).collect()
    }
}

/// Round values within a range, about `wanted` of them, with their labels.
pub(super) fn round_ticks([low, high]: [f64; 2], wanted: f64) -> Vec<(f64, String)> {
    let ticks = Range { low, high }.ticks(wanted).into_iter();
    ticks.map(|value| (value, tick_label(value))).collect()
}

const SHARES: Range = Range { low: 0.0, high: 1.0 };
const DIAGONAL: [[f64; 2]; 2] = [[0.0, 0.0], [1.0, 1.0]];

/// A curve of many thousand points is thinned to what a screen can show.
fn thinned(points: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut shown: Vec<[f64; 2]> = Vec::new();
    for (i, &point) in points.iter().enumerate() {
        let far = shown.last().is_none_or(|last: &[f64; 2]| {
            (point[0] - last[0]).abs() + (point[1] - last[1]).abs() >= 0.004
        });
        if far || i + 1 == points.len() {
            shown.push(point);
        }
    }
    shown
}

/// Where a rising curve from (0, 0) to (1, 1) crosses the ray from (1, 0) at an angle above the axis.
fn seen_from_the_corner(curve: &[[f64; 2]], angle: f64) -> [f64; 2] {
    let above = |[x, y]: [f64; 2]| y * angle.cos() - (1.0 - x) * angle.sin();
    for pair in curve.windows(2) {
        let (before, after) = (above(pair[0]), above(pair[1]));
        if after >= 0.0 {
            let share =
                if after > before { (-before / (after - before)).clamp(0.0, 1.0) } else { 0.0 };
            let between = |i: usize| pair[0][i] + share * (pair[1][i] - pair[0][i]);
            return [between(0), between(1)];
        }
    }
    [0.5, 0.5]
}

fn tidy(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// A tick's number, without the rounding noise of its making.
fn tick_label(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded }).replace('-', "\u{2212}")
}

impl Chart {
    fn empty(alt: String, size: [f64; 2], labels: [&str; 2]) -> Self {
        let [width, height] = size;
        Self {
            alt,
            width,
            height,
            left: LEFT,
            top: TOP,
            right: width - RIGHT,
            bottom: height - BOTTOM,
            x_label: labels[0].into(),
            y_label: labels[1].into(),
            x_ticks: Vec::new(),
            y_ticks: Vec::new(),
            lines: Vec::new(),
            bars: String::new(),
            markers: Vec::new(),
            dots: Vec::new(),
            keys: Vec::new(),
        }
    }

    fn x(&self, range: Range, value: f64) -> f64 {
        tidy(self.left + range.share(value) * (self.right - self.left))
    }

    fn y(&self, range: Range, value: f64) -> f64 {
        tidy(self.bottom - range.share(value) * (self.bottom - self.top))
    }

    fn path(&self, points: &[[f64; 2]], x: Range, y: Range) -> String {
        points
            .iter()
            .filter(|p| p.iter().all(|v| v.is_finite()))
            .enumerate()
            .map(|(i, &[px, py])| {
                let command = if i == 0 { 'M' } else { 'L' };
                format!("{command}{} {}", self.x(x, px), self.y(y, py))
            })
            .collect()
    }

    fn axes(&mut self, x: Range, y: Range, x_ticks: &[f64], y_ticks: &[f64]) {
        let tick = |at, value| Tick { at, label: tick_label(value) };
        self.x_ticks = x_ticks.iter().map(|&v| tick(self.x(x, v), v)).collect();
        self.y_ticks = y_ticks.iter().map(|&v| tick(self.y(y, v), v)).collect();
    }

    /// An empty square from 0 to 1 both ways with a dashed line from one point to another.
    fn square(alt: String, labels: [&str; 2], guide: [[f64; 2]; 2]) -> Self {
        let mut chart = Self::empty(alt, [340.0, 330.0], labels);
        let ticks = [0.0, 0.25, 0.5, 0.75, 1.0];
        chart.axes(SHARES, SHARES, &ticks, &ticks);
        chart.share_line("guide", &guide);
        chart
    }

    fn share_line(&mut self, look: &'static str, points: &[[f64; 2]]) {
        let path = self.path(points, SHARES, SHARES);
        self.lines.push(Line { path, look, label: String::new(), label_x: 0.0, label_y: 0.0 });
    }

    /// A receiver operating characteristic with the line of chance.
    pub(super) fn roc(alt: String, points: &[[f64; 2]]) -> Self {
        let mut chart = Self::square(alt, ["False positive rate", "True positive rate"], DIAGONAL);
        chart.share_line("main", &thinned(points));
        chart
    }

    /// Several of them, by name, numbered on the curve and in a legend below the line of chance.
    pub(super) fn rocs(alt: String, curves: &[(String, &[[f64; 2]])]) -> Self {
        let mut chart = Self::square(alt, ["False positive rate", "True positive rate"], DIAGONAL);
        for (i, (label, points)) in curves.iter().enumerate() {
            let look = LOOKS[i % LOOKS.len()];
            chart.share_line(look, &thinned(points));
            // Spread along the bow, as seen from the corner that the legend is in.
            let angle = 35.0 + 35.0 * i as f64 / (curves.len().max(2) - 1) as f64;
            let [x, y] = seen_from_the_corner(points, angle.to_radians());
            let rows_below = (curves.len() - 1 - i) as f64;
            chart.keys.push(Key {
                look,
                number: i + 1,
                x: chart.right - 2.0,
                y: chart.bottom - 10.0 - 16.0 * rows_below,
                label: label.clone(),
                mark_x: chart.x(SHARES, x),
                mark_y: chart.y(SHARES, y),
            });
        }
        chart
    }

    /// Precision over recall in steps, as the average precision sums it, with the share of positives
    /// that calling everything positive gives.
    pub(super) fn precision_recall(alt: String, points: &[[f64; 2]], share: f64) -> Self {
        let guide = [[0.0, share], [1.0, share]];
        let mut chart = Self::square(alt, ["Recall (sensitivity)", "Precision"], guide);
        let mut steps: Vec<[f64; 2]> = Vec::new();
        for pair in points.windows(2) {
            steps.extend([[pair[0][0], pair[1][1]], pair[1]]);
        }
        chart.share_line("main", &thinned(&steps));
        chart
    }

    /// Observed shares over predicted probabilities: (predicted, observed, interval).
    pub(super) fn reliability(alt: String, bins: &[(f64, f64, [f64; 2])]) -> Self {
        let labels = ["Predicted probability of cancer", "Observed share with cancer"];
        let mut chart = Self::square(alt, labels, DIAGONAL);
        let points: Vec<[f64; 2]> = bins.iter().map(|(x, y, _)| [*x, *y]).collect();
        chart.share_line("main", &points);
        chart.dots = bins
            .iter()
            .map(|&(x, y, [low, high])| Dot {
                x: chart.x(SHARES, x),
                y: chart.y(SHARES, y),
                interval: chart.path(&[[x, low], [x, high]], SHARES, SHARES),
            })
            .collect();
        chart
    }

    /// Lines over epochs.
    pub(super) fn epochs(alt: String, y_label: &str, series: Vec<Series>) -> Self {
        let mut chart = Self::empty(alt, [420.0, 250.0], ["Epoch", y_label]);
        let all = || series.iter().flat_map(|s| s.points.iter());
        let x = Range::of(all().map(|p| p[0]));
        let mut y = Range::of(all().map(|p| p[1]));
        let margin = (y.high - y.low) * 0.12;
        y = Range { low: y.low - margin, high: y.high + margin };
        let whole: Vec<f64> = x.ticks(6.0).into_iter().filter(|t| t.fract() == 0.0).collect();
        chart.axes(x, y, &whole, &y.ticks(4.0));
        for series in &series {
            let path = chart.path(&series.points, x, y);
            let end = series.points.last().copied().unwrap_or([x.high, y.low]);
            let line = Line {
                path,
                look: series.look,
                label: series.label.into(),
                label_x: chart.right - 4.0,
                label_y: chart.y(y, end[1]) - 6.0,
            };
            chart.lines.push(line);
        }
        // The upper of two lines has its label above, the lower one below.
        if let [first, second] = chart.lines.as_mut_slice() {
            let lower = if first.label_y <= second.label_y { second } else { first };
            lower.label_y += 21.0;
        }
        let (top, bottom) = (chart.top + 9.0, chart.bottom - 4.0);
        for line in &mut chart.lines {
            line.label_y = line.label_y.clamp(top, bottom);
        }
        chart
    }

    /// Counts of scores in equal bins over `range`, with a marked value.
    pub(super) fn histogram(
        alt: String,
        counts: &[u32],
        range: [f32; 2],
        marker: (f64, &str),
    ) -> Self {
        Self::counts(alt, ["Score of a patch", "Patches"], counts, range, marker)
    }

    /// Counts of activations in equal bins over `range`, with a marked value.
    pub(super) fn locations(
        alt: String,
        counts: &[u32],
        range: [f32; 2],
        marker: (f64, &str),
    ) -> Self {
        Self::counts(alt, ["Activation at a location", "Locations"], counts, range, marker)
    }

    fn counts(
        alt: String,
        labels: [&str; 2],
        counts: &[u32],
        range: [f32; 2],
        marker: (f64, &str),
    ) -> Self {
        let mut chart = Self::empty(alt, [420.0, 220.0], labels);
        let [low, high] = range.map(f64::from);
        let x = Range::of([low, high, marker.0].into_iter());
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let y = Range { low: 0.0, high: f64::from(most) };
        let whole: Vec<f64> = y.ticks(3.0).into_iter().filter(|t| t.fract() == 0.0).collect();
        chart.axes(x, y, &x.ticks(5.0), &whole);
        let step = (high - low) / counts.len().max(1) as f64;
        for (i, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let left = chart.x(x, low + step * i as f64);
            let right = chart.x(x, low + step * (i + 1) as f64);
            // A single patch stays visible beside a thousand.
            let top = chart.y(y, f64::from(count)).min(chart.bottom - 1.0);
            let width = tidy((right - left - 0.8).max(0.8));
            let (top, bottom) = (tidy(top), chart.bottom);
            chart.bars.push_str(&format!("M{left} {bottom}V{top}h{width}V{bottom}z"));
        }
        if marker.0.is_finite() {
            let label = format!("{} {}", marker.1, significant(marker.0));
            chart.markers.push(Tick { at: chart.x(x, marker.0), label });
        }
        chart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(Range { low: 0.0, high: 1.0 }.ticks(4.0), [0.0, 0.5, 1.0]);
        assert_eq!(Range { low: 1.0, high: 12.0 }.ticks(6.0), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
        assert_eq!(tick_label(0.1 + 0.2), "0.3");
    }

    #[test]
    fn numbers_stand_on_their_curves() {
        let curve = [[0.0, 0.0], [0.0, 0.8], [0.2, 1.0], [1.0, 1.0]];
        let [x, y] = seen_from_the_corner(&curve, std::f64::consts::FRAC_PI_4);
        assert!((x - 0.1).abs() < 1e-12 && (y - 0.9).abs() < 1e-12, "{x} {y}");
        let [x, y] = seen_from_the_corner(&curve, 0.1);
        assert!(x == 0.0 && y > 0.0 && y < 0.2, "{x} {y}");
    }

    #[test]
    fn precision_is_drawn_in_steps() {
        let chart = Chart::precision_recall("x".into(), &[[0.0, 1.0], [0.5, 1.0], [1.0, 0.5]], 0.5);
        let at = |x, y| format!("{} {}", chart.x(SHARES, x), chart.y(SHARES, y));
        let corners = [at(0.0, 1.0), at(0.5, 1.0), at(0.5, 0.5), at(1.0, 0.5)];
        assert_eq!(chart.lines[1].path, format!("M{}", corners.join("L")));
    }

    #[test]
    fn odd_numbers_draw_nothing_wrong() {
        let chart = Chart::histogram("x".into(), &[0, 0], [f32::NAN, f32::NAN], (f64::NAN, "T"));
        assert!(chart.bars.is_empty() && chart.markers.is_empty());
        let chart = Chart::roc("x".into(), &[]);
        assert_eq!(chart.lines[1].path, "");
        let chart = Chart::rocs("x".into(), &[("empty".into(), &[])]);
        assert_eq!((chart.lines.len(), chart.keys.len()), (2, 1));
        assert_eq!(Chart::precision_recall("x".into(), &[], f64::NAN).lines[1].path, "");
        assert!(Chart::reliability("x".into(), &[]).dots.is_empty());
        let flat = Chart::histogram("x".into(), &[5], [1.0, 1.0], (1.0, "T"));
        assert_eq!(flat.bars.matches('z').count(), 1, "{}", flat.bars);
    }
}
