//! Plots: lines, columns and points over two axes, bars, and values with their intervals. Figures for
//! papers and charts of pages are drawn here alike; on a page a stylesheet says what each class looks like.

use super::canvas::{Anchor, Canvas, Ink, Stroke};
use super::font;

/// Size of the words of a plot, in points.
const SIZE: f64 = 7.0;
const AXIS: Stroke = Stroke { ink: Ink { colour: "#000", class: "frame" }, width: 0.5, dashes: "" };
const GRID: Stroke = Stroke { ink: Ink { colour: "#ddd", class: "rule" }, width: 0.35, dashes: "" };
const GUIDE: Stroke =
    Stroke { ink: Ink { colour: "#777", class: "guide" }, width: 0.5, dashes: "2 2" };
const MARKER: Stroke =
    Stroke { ink: Ink { colour: "#d55e00", class: "marker" }, width: 0.9, dashes: "" };
const INTERVAL: Stroke =
    Stroke { ink: Ink { colour: "#0072b2", class: "interval" }, width: 0.6, dashes: "" };
const COLUMN: Ink = Ink { colour: "#0072b2", class: "bar" };
const POINT: Ink = Ink { colour: "#0072b2", class: "dot" };
const WORDS: Ink = Ink { colour: "#000", class: "words" };
const NUMBER: Ink = Ink { colour: "#000", class: "mark" };
const GROUND: Ink = Ink { colour: "#fff", class: "ground" };

const fn look(colour: &'static str, class: &'static str, dashes: &'static str) -> Stroke {
    Stroke { ink: Ink { colour, class }, width: 1.1, dashes }
}

/// Lines that are told apart by dashes as well as by colour (Okabe and Ito's, without the pale ones).
const LOOKS: [Stroke; 6] = [
    look("#0072b2", "line-1", ""),
    look("#d55e00", "line-2", "5 2"),
    look("#009e73", "line-3", "1.5 1.5"),
    look("#000000", "line-4", "6 2 1.5 2"),
    look("#cc79a7", "line-5", "9 3"),
    look("#8a6d00", "line-6", "3 1.5 1 1.5 1 1.5"),
];

/// How the line with this number is drawn, from 0.
fn look_of(line: usize) -> Stroke {
    LOOKS[line % LOOKS.len()]
}

/// An axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What it measures.
    pub label: String,
    /// Least and greatest value.
    pub range: [f64; 2],
    /// Values that are marked, with their words.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// With round ticks, about `wanted` of them.
    pub fn new(label: &str, range: [f64; 2], wanted: f64) -> Self {
        let ticks = round(range, wanted).into_iter().map(|value| (value, tick(value)));
        Self { label: label.into(), range, ticks: ticks.collect() }
    }

    /// From 0 to 1.
    pub fn shares(label: &str) -> Self {
        Self::new(label, [0.0, 1.0], 5.0)
    }

    /// Where its ticks lie, and what stands below each: nothing where that would touch the one before.
    fn along(&self, canvas: &Canvas, place: impl Fn(f64) -> f64) -> Vec<(f64, &str)> {
        let mut free = f64::NEG_INFINITY;
        let mut shown = Vec::new();
        for (value, label) in &self.ticks {
            let (at, half) = (place(*value), canvas.width(label, SIZE) / 2.0);
            let fits = at - half >= free;
            if fits {
                free = at + half + 0.4 * SIZE;
            }
            shown.push((at, if fits { label.as_str() } else { "" }));
        }
        shown
    }

    /// Of counts: with ticks at whole numbers alone.
    #[must_use]
    pub fn whole(mut self) -> Self {
        self.ticks.retain(|(value, _)| value.fract() == 0.0);
        self
    }

    fn share(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        if high > low { (value - low) / (high - low) } else { 0.5 }
    }
}

/// Round values within a range, about `wanted` of them.
fn round([low, high]: [f64; 2], wanted: f64) -> Vec<f64> {
    if !(low.is_finite() && high.is_finite() && low < high) {
        return Vec::new();
    }
    let raw = (high - low) / wanted;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|s| *s >= raw);
    let step = step.unwrap_or(power * 10.0);
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last.min(first.saturating_add(20))).map(|i| i as f64 * step).collect()
}

/// A tick's number, without the rounding noise of its making.
fn tick(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded }).replace('-', "\u{2212}")
}

/// The range of some values, with a share of it on both sides; of none from 0 to 1.
pub fn span(values: impl Iterator<Item = f64>, margin: f64) -> [f64; 2] {
    let [low, high] = values
        .filter(|value| value.is_finite())
        .fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], v| [l.min(v), h.max(v)]);
    let margin = if high > low { margin * (high - low) } else { 0.5 };
    if low <= high { [low - margin, high + margin] } else { [0.0, 1.0] }
}

/// A named line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Its corners: x, y.
    pub points: Vec<[f64; 2]>,
}

/// A bin of a histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin {
    /// Where it begins and ends on the x axis.
    pub over: [f64; 2],
    /// How many values lie in it: its height on the y axis.
    pub count: f64,
}

/// A measured point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Its place: x, y.
    pub at: [f64; 2],
    /// Its interval on the y axis.
    pub between: [f64; 2],
}

/// How lines are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legend {
    /// Not: what is around the plot says what it shows.
    None,
    /// Below the plot, a line each.
    Below,
    /// In its lower right corner.
    LowerRight,
    /// There, with numbers that stand on the curves too: for curves that rise from the lower left.
    Numbered,
    /// At the ends of the lines.
    AtEnds,
}

/// A plot over two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// Bins, as columns behind the lines.
    pub bins: Vec<Bin>,
    /// A dashed line behind the others, such as that of chance.
    pub guide: Vec<[f64; 2]>,
    /// The lines, first below.
    pub series: Vec<Series>,
    /// Points with their intervals.
    pub points: Vec<Point>,
    /// A marked value on the x axis, and what it is.
    pub marker: Option<(f64, String)>,
    /// Where the lines are named.
    pub legend: Legend,
    /// Height of the plot itself by its width.
    pub aspect: f64,
}

/// Where a plot's data lie in a drawing.
struct Frame<'a> {
    plot: &'a Plot,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame<'_> {
    fn x(&self, value: f64) -> f64 {
        self.left + self.plot.x.share(value) * (self.right - self.left)
    }

    fn y(&self, value: f64) -> f64 {
        self.bottom - self.plot.y.share(value) * (self.bottom - self.top)
    }

    fn place(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.x(x), self.y(y)]
    }

    fn places(&self, points: &[[f64; 2]]) -> Vec<[f64; 2]> {
        points.iter().map(|point| self.place(*point)).collect()
    }
}

impl Plot {
    /// Empty axes.
    pub fn new(x: Axis, y: Axis, aspect: f64) -> Self {
        Self {
            x,
            y,
            bins: Vec::new(),
            guide: Vec::new(),
            series: Vec::new(),
            points: Vec::new(),
            marker: None,
            legend: Legend::None,
            aspect,
        }
    }

    /// Draws it into `width` points from a corner; returns its height.
    pub fn draw(&self, canvas: &mut Canvas, [x, y]: [f64; 2], width: f64) -> f64 {
        let widest = self.y.ticks.iter().map(|(_, label)| canvas.width(label, SIZE));
        let left = x + 1.4 * SIZE + widest.fold(0.0, f64::max) + 5.0;
        let right = x + width - 0.5 * SIZE;
        let (top, side) = (y + 0.5 * SIZE, (right - left).max(1.0));
        let frame = Frame { plot: self, left, right, top, bottom: top + side * self.aspect };
        self.axes(canvas, &frame, x);
        let end = frame.bottom + 2.4 * SIZE + 4.0 + 0.4 * SIZE;
        self.data(canvas, &frame);
        match self.legend {
            Legend::None => {}
            Legend::Below => return self.legend_below(canvas, &frame, end) - y,
            Legend::LowerRight | Legend::Numbered => self.legend_within(canvas, &frame),
            Legend::AtEnds => self.names_at_ends(canvas, &frame),
        }
        end - y
    }

    fn axes(&self, canvas: &mut Canvas, frame: &Frame, x: f64) {
        let Frame { left, right, top, bottom, .. } = *frame;
        for (at, label) in self.x.along(canvas, |value| frame.x(value)) {
            // Behind columns it would look like one of them.
            if self.bins.is_empty() {
                canvas.line(&[[at, top], [at, bottom]], GRID);
            }
            canvas.line(&[[at, bottom], [at, bottom + 2.0]], AXIS);
            canvas.text([at, bottom + 3.0 + SIZE], SIZE, Anchor::Middle, label);
        }
        for (value, label) in &self.y.ticks {
            let at = frame.y(*value);
            canvas.line(&[[left, at], [right, at]], GRID);
            canvas.line(&[[left - 2.0, at], [left, at]], AXIS);
            canvas.text([left - 3.5, at + 0.36 * SIZE], SIZE, Anchor::End, label);
        }
        canvas.line(&[[left, top], [left, bottom], [right, bottom]], AXIS);
        canvas.text(
            [(left + right) / 2.0, bottom + 2.4 * SIZE + 4.0],
            SIZE,
            Anchor::Middle,
            &self.x.label,
        );
        canvas.upwards([x + SIZE, (top + bottom) / 2.0], SIZE, &self.y.label);
    }

    fn data(&self, canvas: &mut Canvas, frame: &Frame) {
        let columns: Vec<[f64; 3]> = self
            .bins
            .iter()
            .filter(|bin| bin.count > 0.0)
            .map(|bin| {
                let [left, right] = bin.over.map(|value| frame.x(value));
                // A count of one stays visible beside a thousand.
                let top = frame.y(bin.count).min(frame.bottom - 0.6);
                [left, top, (right - left - 0.5).max(0.5)]
            })
            .filter(|column| column.iter().all(|value| value.is_finite()))
            .collect();
        canvas.columns(frame.bottom, &columns, COLUMN);
        canvas.line(&frame.places(&self.guide), GUIDE);
        for (at, series) in self.series.iter().enumerate() {
            let points = frame.places(&series.points);
            canvas.line(&points, look_of(at));
            if let [point] = points[..] {
                canvas.dot(point, 1.6, look_of(at).ink);
            }
        }
        for Point { at: [x, y], between } in &self.points {
            canvas.line(&frame.places(&between.map(|y| [*x, y])), INTERVAL);
            canvas.dot(frame.place([*x, *y]), 1.8, POINT);
        }
        if let Some((value, words)) = self.marker.as_ref().filter(|(value, _)| value.is_finite()) {
            let at = frame.x(*value);
            canvas.line(&[[at, frame.top], [at, frame.bottom]], MARKER);
            let (anchor, away) = match at + 3.0 + canvas.width(words, SIZE) > frame.right {
                true => (Anchor::End, -3.0),
                false => (Anchor::Start, 3.0),
            };
            canvas.inked([at + away, frame.top + 0.75 * SIZE], SIZE, anchor, WORDS, words);
        }
    }

    fn legend_below(&self, canvas: &mut Canvas, frame: &Frame, from: f64) -> f64 {
        let mut base = from;
        for (at, series) in self.series.iter().enumerate() {
            let room = frame.right - frame.left - 24.0;
            for (line, words) in font::wrapped(&series.label, SIZE, room).iter().enumerate() {
                base += 1.4 * SIZE;
                if line == 0 {
                    key(canvas, [frame.left, base], at);
                }
                canvas.text([frame.left + 24.0, base], SIZE, Anchor::Start, words);
            }
        }
        base + 0.4 * SIZE
    }

    fn legend_within(&self, canvas: &mut Canvas, frame: &Frame) {
        let numbered = self.legend == Legend::Numbered;
        let name = |at: usize| match numbered {
            true => format!("{} {}", at + 1, self.series[at].label),
            false => self.series[at].label.clone(),
        };
        let count = self.series.len();
        let leading = 1.4 * SIZE;
        let widest = (0..count).map(|at| canvas.width(&name(at), SIZE)).fold(0.0, f64::max);
        let wide = (widest + 28.0).min((frame.right - frame.left).max(1.0));
        let high = leading * count as f64;
        let corner = [frame.right - wide - 3.0, frame.bottom - high - 5.0];
        canvas.rectangle(corner, [wide, high + 2.0], GROUND);
        for at in 0..count {
            let base = corner[1] + leading * (at as f64 + 1.0) - 0.3 * SIZE;
            key(canvas, [corner[0] + 2.0, base], at);
            canvas.inked([corner[0] + 24.0, base], SIZE, Anchor::Start, WORDS, &name(at));
        }
        for (at, series) in self.series.iter().enumerate().filter(|_| numbered) {
            // Spread along the bow, as seen from the corner that the legend is in.
            let angle = 35.0 + 35.0 * at as f64 / (count.max(2) - 1) as f64;
            let shares = series.points.iter().map(|&[x, y]| [self.x.share(x), self.y.share(y)]);
            let [x, y] = seen_from_the_corner(&shares.collect::<Vec<_>>(), angle.to_radians());
            let x = frame.left + x * (frame.right - frame.left);
            let base = frame.bottom - y * (frame.bottom - frame.top) + 0.36 * SIZE;
            canvas.inked([x, base], SIZE, Anchor::Middle, NUMBER, &(at + 1).to_string());
        }
    }

    /// Of two lines the upper one has its name above, the lower one below.
    fn names_at_ends(&self, canvas: &mut Canvas, frame: &Frame) {
        let end = |series: &Series| series.points.last().map_or(frame.bottom, |p| frame.y(p[1]));
        let ends: Vec<f64> = self.series.iter().map(end).collect();
        for (at, series) in self.series.iter().enumerate() {
            let lower = match ends[..] {
                [first, second] => (at == 0) == (first > second),
                _ => false,
            };
            let base = if lower { ends[at] + 1.25 * SIZE } else { ends[at] - 0.5 * SIZE };
            let base = base.max(frame.top + 0.75 * SIZE).min(frame.bottom - 0.35 * SIZE);
            let at = [frame.right - 2.0, base];
            canvas.inked(at, SIZE, Anchor::End, WORDS, &series.label);
        }
    }
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

/// A piece of a line, for the legend.
fn key(canvas: &mut Canvas, [x, base]: [f64; 2], at: usize) {
    let y = base - 0.33 * SIZE;
    canvas.line(&[[x, y], [x + 19.0, y]], look_of(at));
}

/// Bars of several groups, each with its name and its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// Groups by their names, with bars by theirs.
    pub groups: Vec<(String, Vec<(String, u64)>)>,
    /// What is counted.
    pub label: String,
}

impl Bars {
    /// Draws them `width` points wide; returns their height.
    pub fn draw(&self, canvas: &mut Canvas, width: f64) -> f64 {
        let bars = || self.groups.iter().flat_map(|(_, bars)| bars);
        let names = bars().map(|(name, _)| font::width(name, SIZE)).fold(0.0, f64::max);
        let left = (names + 4.0).min(0.5 * width);
        let most = bars().map(|(_, count)| *count).max().unwrap_or(0).max(1);
        let room = width - left - font::width(&most.to_string(), SIZE) - 6.0;
        let leading = 1.55 * SIZE;
        let mut y = 0.0;
        for (group, bars) in &self.groups {
            for line in font::wrapped(group, SIZE + 0.5, width) {
                y += 1.5 * SIZE;
                canvas.text([0.0, y], SIZE + 0.5, Anchor::Start, &line);
            }
            y += 0.5 * SIZE;
            let top = y;
            for (at, (name, count)) in bars.iter().enumerate() {
                let base = y + 0.78 * leading;
                canvas.text([left - 4.0, base], SIZE, Anchor::End, name);
                let length = room * *count as f64 / most as f64;
                let ink = look_of(at % 3).ink;
                canvas.rectangle([left, y + 0.15 * leading], [length, 0.7 * leading], ink);
                canvas.text([left + length + 3.0, base], SIZE, Anchor::Start, &count.to_string());
                y += leading;
            }
            canvas.line(&[[left, top], [left, y]], AXIS);
            y += 0.3 * SIZE;
        }
        y += 1.2 * SIZE;
        canvas.text([left, y], SIZE, Anchor::Start, &self.label);
        y + 0.5 * SIZE
    }
}

/// A value with its interval, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// What it is a value of.
    pub name: String,
    /// The value.
    pub value: f64,
    /// Its interval, where one is known.
    pub interval: Option<[f64; 2]>,
    /// The same in words.
    pub words: String,
}

/// Values below one another, with their intervals.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// From the top.
    pub rows: Vec<Estimate>,
    /// Of the values.
    pub x: Axis,
    /// A value to compare with, such as that of chance.
    pub guide: f64,
}

impl Forest {
    /// Draws it `width` points wide; returns its height.
    pub fn draw(&self, canvas: &mut Canvas, width: f64) -> f64 {
        let widest = |of: &dyn Fn(&Estimate) -> &str| {
            self.rows.iter().map(|row| font::width(of(row), SIZE)).fold(0.0, f64::max)
        };
        let left = (widest(&|row| &row.name) + 8.0).min(0.4 * width);
        let right = (width - widest(&|row| &row.words) - 8.0).max(left + 0.2 * width);
        let place = |value: f64| left + self.x.share(value).clamp(0.0, 1.0) * (right - left);
        let leading = 1.25 * SIZE;
        let mut heights = Vec::new();
        let mut y = 2.0;
        for row in &self.rows {
            let lines = font::wrapped(&row.name, SIZE, left - 6.0);
            for (at, line) in lines.iter().enumerate() {
                canvas.text([0.0, y + SIZE + at as f64 * leading], SIZE, Anchor::Start, line);
            }
            let high = lines.len() as f64 * leading + 0.45 * SIZE;
            heights.push((y + SIZE - 0.33 * SIZE, y + SIZE));
            y += high;
        }
        let bottom = y + 1.0;
        for (at, label) in self.x.along(canvas, place) {
            canvas.line(&[[at, 2.0], [at, bottom]], GRID);
            canvas.line(&[[at, bottom], [at, bottom + 2.0]], AXIS);
            canvas.text([at, bottom + 3.0 + SIZE], SIZE, Anchor::Middle, label);
        }
        canvas.line(&[[place(self.guide), 2.0], [place(self.guide), bottom]], GUIDE);
        canvas.line(&[[left, bottom], [right, bottom]], AXIS);
        for (row, (middle, base)) in self.rows.iter().zip(heights) {
            if let Some([low, high]) = row.interval {
                let ends = [[place(low), middle], [place(high), middle]];
                canvas.line(&ends, Stroke { width: 1.0, ..INTERVAL });
            }
            canvas.dot([place(row.value), middle], 2.0, POINT);
            canvas.text([width, base], SIZE, Anchor::End, &row.words);
        }
        let base = bottom + 2.4 * SIZE + 4.0;
        canvas.text([(left + right) / 2.0, base], SIZE, Anchor::Middle, &self.x.label);
        base + 0.5 * SIZE
    }
}

#[cfg(test)]
#[path = "plot_tests.rs"]
mod tests;
