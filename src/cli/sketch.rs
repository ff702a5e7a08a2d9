//! A curve in plain characters, for a terminal or a log.

/// Characters of the plot's area.
const SIZE: [usize; 2] = [64, 14];

/// Points joined into a curve over the powers of ten of their first coordinate, above 0; the place of `mark` on that
/// axis is a dotted line. Values above `top` are drawn at the top.
pub(super) fn sketch(points: &[[f64; 2]], mark: Option<f64>, top: f64) -> Vec<String> {
    let [columns, rows] = SIZE;
    let [Some(first), Some(last)] = [points.first(), points.last()] else { return Vec::new() };
    let least = points.iter().map(|point| point[1]).fold(f64::INFINITY, f64::min);
    let [from, to] = [first[0].log10(), last[0].log10()];
    let share = |value: f64, from: f64, to: f64| {
        if to > from { ((value - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 }
    };
    let column = |x: f64| (share(x.log10(), from, to) * (columns - 1) as f64).round() as usize;
    let row = |y: f64| ((1.0 - share(y, least, top)) * (rows - 1) as f64).round() as usize;
    let mut area = vec![vec![' '; columns]; rows];
    if let Some(mark) = mark {
        area.iter_mut().for_each(|line| line[column(mark)] = ':');
    }
    // Every column has its value on the way from one point to the next.
    for pair in points.windows(2) {
        let [a, b] = [column(pair[0][0]), column(pair[1][0])];
        (a..=b).for_each(|at| {
            let along = share(at as f64, a as f64, b as f64);
            area[row(pair[0][1] + along * (pair[1][1] - pair[0][1]))][at] = '*';
        });
    }
    let label = |at: usize| match at {
        0 => format!("{top:.3}"),
        at if at + 1 == rows => format!("{least:.3}"),
        _ => String::new(),
    };
    let lines = area.iter().enumerate();
    let mut out: Vec<String> = lines
        .map(|(at, line)| {
            let line: String = line.iter().collect();
            format!("{:>9} |{}", label(at), line.trim_end())
        })
        .collect();
    let (mut axis, mut powers) = (vec!['-'; columns], String::new());
    for power in from.ceil() as i32..=to.floor() as i32 {
        let at = column(10f64.powi(power));
        axis[at] = '+';
        // A label that would run into the one before is left out.
        if powers.is_empty() || powers.len() < at {
            powers = format!("{powers:at$}1e{power}");
        }
    }
    out.push(format!("{:>9} +{}", "", axis.iter().collect::<String>()));
    out.push(format!("{:>9}  {powers}", ""));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_falls_from_the_upper_left_and_its_mark_stands_over_its_power() {
        let points: Vec<[f64; 2]> =
            (0..=4).map(|i| [10f64.powi(i - 4), f64::from(4 - i)]).collect();
        let lines = sketch(&points, Some(1e-2), 4.0);
        assert_eq!(lines.len(), SIZE[1] + 2);
        assert!(lines[0].starts_with("    4.000 |*"), "{lines:#?}");
        assert!(lines[SIZE[1] - 1].starts_with("    0.000 |") && lines[SIZE[1] - 1].ends_with('*'));
        let mark = lines[1].rfind(':').unwrap();
        assert_eq!(lines[SIZE[1] + 1].find("1e-2"), Some(mark), "{lines:#?}");
        assert_eq!(lines[SIZE[1]].as_bytes()[mark], b'+');
        assert!(lines.iter().all(|line| line.len() <= 80));
        // Every column but those of the mark is drawn once.
        let stars: usize = lines.iter().map(|line| line.matches('*').count()).sum();
        assert!(stars >= SIZE[0] && stars <= 2 * SIZE[0], "{stars}");
    }

    #[test]
    fn what_is_above_the_top_is_at_the_top_and_one_point_is_no_curve() {
        let lines = sketch(&[[1e-3, 1.0], [1e-2, 1e9], [1e-1, 1.0]], None, 2.0);
        assert!(lines[0].contains('*') && lines[0].starts_with("    2.000"));
        assert_eq!(sketch(&[], None, 1.0), Vec::<String>::new());
        assert!(sketch(&[[1e-3, 1.0]], Some(1e-3), 1.0)[0].ends_with(':'));
    }
}
