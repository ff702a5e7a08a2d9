//! Charts as they are drawn.

use super::*;

fn axis() -> Axis {
    let ticks = vec![(0.0, "0".into()), (1.0, "1".into())];
    Axis { label: "x".into(), range: [0.0, 1.0], ticks }
}

#[test]
fn labels_of_ticks_keep_apart() {
    let axis = Axis::new("x", [0.0, 10_000.0], 6.0);
    let canvas = Canvas::default();
    let along = |width: f64| axis.along(&canvas, |value| value / 10_000.0 * width);
    let labelled = |width| along(width).iter().filter(|(_, label)| !label.is_empty()).count();
    assert_eq!(along(40.0).len(), axis.ticks.len(), "every tick stays");
    assert_eq!(labelled(400.0), axis.ticks.len());
    assert!((2..axis.ticks.len()).contains(&labelled(60.0)), "{:?}", along(60.0));
    for pair in along(60.0).iter().filter(|(_, l)| !l.is_empty()).collect::<Vec<_>>().windows(2) {
        let [(a, first), (b, second)] = pair else { unreachable!() };
        let half = |label: &str| canvas.width(label, SIZE) / 2.0;
        assert!(a + half(first) < b - half(second));
    }
}

#[test]
fn ticks_are_round_and_inside() {
    assert_eq!(round([0.0, 1.0], 4.0), [0.0, 0.5, 1.0]);
    assert_eq!(round([1.0, 12.0], 6.0), [2.0, 4.0, 6.0, 8.0, 10.0, 12.0]);
    assert_eq!(tick(0.1 + 0.2), "0.3");
    let counts = Axis::new("n", [0.0, 2.0], 4.0).whole();
    assert_eq!(counts.ticks.len(), 3, "{counts:?}");
}

#[test]
fn numbers_stand_on_their_curves() {
    let curve = [[0.0, 0.0], [0.0, 0.8], [0.2, 1.0], [1.0, 1.0]];
    let [x, y] = seen_from_the_corner(&curve, std::f64::consts::FRAC_PI_4);
    assert!((x - 0.1).abs() < 1e-12 && (y - 0.9).abs() < 1e-12, "{x} {y}");
    let [x, y] = seen_from_the_corner(&curve, 0.1);
    assert!(x == 0.0 && y > 0.0 && y < 0.2, "{x} {y}");
}

/// A plot with everything, named in each way in turn.
fn plots(points: &[[f64; 2]], bins: &[[f64; 3]]) -> [Plot; 5] {
    let series = |label: &str| Series { label: label.into(), points: points.into() };
    let bin = |&[low, high, count]: &[f64; 3]| Bin { over: [low, high], count };
    [Legend::None, Legend::Below, Legend::LowerRight, Legend::Numbered, Legend::AtEnds].map(
        |legend| Plot {
            bins: bins.iter().map(bin).collect(),
            guide: points.into(),
            series: vec![series("a"), series("b")],
            points: points.iter().map(|&at| Point { at, between: at }).collect(),
            marker: points.first().map(|[x, _]| (*x, "T".to_owned())),
            legend,
            ..Plot::new(axis(), axis(), 1.0)
        },
    )
}

#[test]
fn columns_stand_on_the_axis_as_high_as_they_count() {
    let [plot, ..] = plots(&[], &[[0.0, 0.5, 1.0], [0.5, 1.0, 0.0], [0.5, 1.0, 0.001]]);
    let mut canvas = Canvas::styled();
    plot.draw(&mut canvas, [0.0, 0.0], 100.0);
    let svg = canvas.inline([100.0, 100.0], "");
    let bars = svg.split("<path class=\"bar\" d=\"").nth(1).unwrap().split('"').next().unwrap();
    let numbers = |column: &str| -> Vec<f64> {
        let numbers = column.split(|c: char| !(c.is_ascii_digit() || c == '.'));
        numbers.filter_map(|number| number.parse().ok()).collect()
    };
    let columns: Vec<Vec<f64>> = bars.split('z').filter(|c| !c.is_empty()).map(numbers).collect();
    // Left, base, top, width, base.
    assert_eq!(columns.len(), 2, "{bars}");
    assert_eq!((columns[0][2], columns[0][1]), (3.5, columns[0][4]), "{bars}");
    assert!((columns[1][1] - columns[1][2] - 0.6).abs() < 0.02, "{bars}");
    assert!((columns[1][0] - columns[0][0] - columns[0][3] - 0.5).abs() < 0.02, "{bars}");
}

#[test]
fn odd_numbers_draw_nothing_wrong() {
    let mut canvas = Canvas::default();
    let odd = [[f64::NAN, 0.0], [0.0, f64::INFINITY]];
    for points in [&odd[..], &odd[..1], &[]] {
        for plot in plots(points, &[[f64::NAN, 1.0, 1.0], [0.0, 1.0, f64::NAN]]) {
            let plot = Plot { y: Axis { range: [0.0, 0.0], ..axis() }, ..plot };
            assert!(plot.draw(&mut canvas, [0.0, 0.0], 200.0).is_finite());
        }
    }
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
