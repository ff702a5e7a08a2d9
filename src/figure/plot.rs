//! Plots: lines over two axes, bars, and values with their intervals.

use super::canvas::{Anchor, Canvas, Stroke};
use super::font;

/// Size of the words of a plot, in points.
const SIZE: f64 = 7.0;
const AXIS: Stroke = Stroke::solid("#000", 0.5);
const GRID: Stroke = Stroke::solid("#ddd", 0.35);
const GUIDE: Stroke = Stroke { colour: "#777", width: 0.5, dashes: "2 2" };

/// Lines that are told apart by dashes as well as by colour (Okabe and Ito's, without the pale ones).
const LOOKS: [Stroke; 6] = [
    Stroke { colour: "#0072b2", width: 1.1, dashes: "" },
    Stroke { colour: "#d55e00", width: 1.1, dashes: "5 2" },
    Stroke { colour: "#009e73", width: 1.1, dashes: "1.5 1.5" },
    Stroke { colour: "#000000", width: 1.1, dashes: "6 2 1.5 2" },
    Stroke { colour: "#cc79a7", width: 1.1, dashes: "9 3" },
    Stroke { colour: "#8a6d00", width: 1.1, dashes: "3 1.5 1 1.5 1 1.5" },
];

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
    fn share(&self, value: f64) -> f64 {
        let [low, high] = self.range;
        if high > low { (value - low) / (high - low) } else { 0.5 }
    }
}

/// A named line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Its corners: x, y.
    pub points: Vec<[f64; 2]>,
}

/// Where a legend stands within a plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Legend {
    /// Below the plot, a line each.
    Below,
    /// In its lower right corner.
    LowerRight,
}

/// A plot of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// To the right.
    pub x: Axis,
    /// Upwards.
    pub y: Axis,
    /// The lines, first below.
    pub series: Vec<Series>,
    /// A dashed line behind them, such as that of chance.
    pub guide: Vec<[f64; 2]>,
    /// Where the lines are named.
    pub legend: Legend,
    /// Height of the plot itself by its width.
    pub aspect: f64,
}

impl Lines {
    /// Draws it into `width` points from a corner; returns its height.
    pub fn draw(&self, canvas: &mut Canvas, [x, y]: [f64; 2], width: f64) -> f64 {
        let widest = self.y.ticks.iter().map(|(_, label)| font::width(label, SIZE));
        let left = x + 1.4 * SIZE + widest.fold(0.0, f64::max) + 5.0;
        let right = x + width - 0.5 * SIZE;
        let (top, side) = (y + 0.5 * SIZE, (right - left).max(1.0));
        let bottom = top + side * self.aspect;
        let place = |[px, py]: [f64; 2]| {
            [left + self.x.share(px) * side, bottom - self.y.share(py) * (bottom - top)]
        };
        for (value, label) in &self.x.ticks {
            let [at, _] = place([*value, self.y.range[0]]);
            canvas.line(&[[at, top], [at, bottom]], GRID);
            canvas.line(&[[at, bottom], [at, bottom + 2.0]], AXIS);
            canvas.text([at, bottom + 3.0 + SIZE], SIZE, Anchor::Middle, label);
        }
        for (value, label) in &self.y.ticks {
            let [_, at] = place([self.x.range[0], *value]);
            canvas.line(&[[left, at], [right, at]], GRID);
            canvas.line(&[[left - 2.0, at], [left, at]], AXIS);
            canvas.text([left - 3.5, at + 0.36 * SIZE], SIZE, Anchor::End, label);
        }
        let corners = [[left, top], [left, bottom], [right, bottom]];
        canvas.line(&corners, AXIS);
        canvas.text(
            [(left + right) / 2.0, bottom + 2.4 * SIZE + 4.0],
            SIZE,
            Anchor::Middle,
            &self.x.label,
        );
        canvas.upwards([x + SIZE, (top + bottom) / 2.0], SIZE, &self.y.label);
        let guide: Vec<_> = self.guide.iter().map(|p| place(*p)).collect();
        canvas.line(&guide, GUIDE);
        for (at, series) in self.series.iter().enumerate() {
            let points: Vec<_> = series.points.iter().map(|p| place(*p)).collect();
            canvas.line(&points, LOOKS[at % LOOKS.len()]);
            if let [point] = points[..] {
                canvas.dot(point, 1.6, LOOKS[at % LOOKS.len()].colour);
            }
        }
        let end = bottom + 2.4 * SIZE + 4.0 + 0.4 * SIZE;
        let leading = 1.4 * SIZE;
        match self.legend {
            Legend::Below => {
                let mut base = end;
                for (at, series) in self.series.iter().enumerate() {
                    let room = right - left - 24.0;
                    for (line, words) in font::wrapped(&series.label, SIZE, room).iter().enumerate()
                    {
                        base += leading;
                        if line == 0 {
                            key(canvas, [left, base], at);
                        }
                        canvas.text([left + 24.0, base], SIZE, Anchor::Start, words);
                    }
                }
                base + 0.4 * SIZE - y
            }
            Legend::LowerRight => {
                let widest = self.series.iter().map(|s| font::width(&s.label, SIZE));
                let wide = (widest.fold(0.0, f64::max) + 28.0).min(side);
                let high = leading * self.series.len() as f64;
                let corner = [right - wide - 3.0, bottom - high - 5.0];
                canvas.rectangle(corner, [wide, high + 2.0], "#fff");
                for (at, series) in self.series.iter().enumerate() {
                    let base = corner[1] + leading * (at as f64 + 1.0) - 0.3 * SIZE;
                    key(canvas, [corner[0] + 2.0, base], at);
                    canvas.text([corner[0] + 24.0, base], SIZE, Anchor::Start, &series.label);
                }
                end - y
            }
        }
    }
}

/// A piece of a line, for the legend.
fn key(canvas: &mut Canvas, [x, base]: [f64; 2], at: usize) {
    let y = base - 0.33 * SIZE;
    canvas.line(&[[x, y], [x + 19.0, y]], LOOKS[at % LOOKS.len()]);
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
                let colour = LOOKS[at % 3].colour;
                canvas.rectangle([left, y + 0.15 * leading], [length, 0.7 * leading], colour);
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
        for (value, label) in &self.x.ticks {
            canvas.line(&[[place(*value), 2.0], [place(*value), bottom]], GRID);
            canvas.line(&[[place(*value), bottom], [place(*value), bottom + 2.0]], AXIS);
            let base = bottom + 3.0 + SIZE;
            canvas.text([place(*value), base], SIZE, Anchor::Middle, label);
        }
        canvas.line(&[[place(self.guide), 2.0], [place(self.guide), bottom]], GUIDE);
        canvas.line(&[[left, bottom], [right, bottom]], AXIS);
        for (row, (middle, base)) in self.rows.iter().zip(heights) {
            if let Some([low, high]) = row.interval {
                let ends = [[place(low), middle], [place(high), middle]];
                canvas.line(&ends, Stroke::solid("#0072b2", 1.0));
            }
            canvas.dot([place(row.value), middle], 2.0, "#0072b2");
            canvas.text([width, base], SIZE, Anchor::End, &row.words);
        }
        let base = bottom + 2.4 * SIZE + 4.0;
        canvas.text([(left + right) / 2.0, base], SIZE, Anchor::Middle, &self.x.label);
        base + 0.5 * SIZE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis() -> Axis {
        let ticks = vec![(0.0, "0".into()), (1.0, "1".into())];
        Axis { label: "x".into(), range: [0.0, 1.0], ticks }
    }

    #[test]
    fn odd_numbers_draw_nothing_wrong() {
        let mut canvas = Canvas::default();
        let odd = [[f64::NAN, 0.0], [0.0, f64::INFINITY]];
        let lines = Lines {
            x: axis(),
            y: Axis { range: [0.0, 0.0], ..axis() },
            series: vec![Series { label: "a".into(), points: odd.into() }],
            guide: Vec::new(),
            legend: Legend::Below,
            aspect: 1.0,
        };
        assert!(lines.draw(&mut canvas, [0.0, 0.0], 200.0).is_finite());
        let bars = Bars { groups: vec![("g".into(), vec![("b".into(), 0)])], label: "n".into() };
        assert!(bars.draw(&mut canvas, 5.0).is_finite());
        let row = Estimate {
            name: "question".into(),
            value: f64::NAN,
            interval: Some([f64::NEG_INFINITY, f64::NAN]),
            words: "–".into(),
        };
        let forest = Forest { rows: vec![row], x: axis(), guide: 0.0 };
        assert!(forest.draw(&mut canvas, 100.0).is_finite());
        let svg = canvas.finish([200.0, 200.0], 0.0, "", "").svg;
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn bars_are_as_long_as_their_numbers_say() {
        let mut canvas = Canvas::default();
        let group = |n: &[u64]| n.iter().map(|n| (format!("b{n}"), *n)).collect();
        let groups = vec![("one".into(), group(&[10, 5])), ("two".into(), group(&[20]))];
        Bars { groups, label: "units".into() }.draw(&mut canvas, 200.0);
        let svg = canvas.finish([200.0, 200.0], 0.0, "", "").svg;
        let widths: Vec<f64> = svg
            .lines()
            .filter(|line| line.starts_with("<rect x="))
            .filter_map(|line| line.split_once("width=\"")?.1.split_once('"')?.0.parse().ok())
            .collect();
        assert_eq!(widths.len(), 3);
        assert!((widths[0] / widths[2] - 0.5).abs() < 0.01);
        assert!((widths[1] / widths[2] - 0.25).abs() < 0.01);
    }
}
