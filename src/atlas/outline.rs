//! Outlines as SVG path data: of lesions over a mammogram, and of overlays over patches.

use std::fmt::Write;

use super::text::coordinate;
use mammogram::{Outline, simplify};

type Point = [f32; 2];

/// A lesion's boundary in image pixels; corners that stray less than `tolerance` pixels from the
/// line between their neighbours are left out.
pub(super) fn lesion(outline: &Outline, tolerance: f32) -> String {
    match outline {
        Outline::Polygon(points) => {
            let finite: Vec<Point> =
                points.iter().copied().filter(|p| p.iter().all(|c| c.is_finite())).collect();
            ring(&simplify(&finite, tolerance))
        }
        &Outline::Box([left, top, right, bottom]) => {
            let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
            if corners.as_flattened().iter().all(|edge| edge.is_finite()) {
                ring(&corners)
            } else {
                String::new()
            }
        }
        &Outline::Circle { x, y, radius } => {
            if ![x, y, radius].iter().all(|c| c.is_finite()) {
                return String::new();
            }
            let (left, cy) = (coordinate(x - radius), coordinate(y));
            let (r, d) = (coordinate(radius), coordinate(2.0 * radius));
            format!("M{left} {cy}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0 -{d} 0Z")
        }
    }
}

/// A compact copy of an overlay in whole pixels: rings of straight lines lose the corners that stray
/// less than `tolerance`, and are written relative to each other, `M12 3l4-3 5 6z`. Anything else is
/// returned as it is.
pub(super) fn compact(path: &str, tolerance: f32) -> String {
    let Some(rings) = rings(path) else { return path.to_string() };
    let mut out = String::with_capacity(path.len() / 2);
    for points in rings {
        let mut last: Option<[i32; 2]> = None;
        let mut corners = 0;
        let start = out.len();
        for point in simplify(&points, tolerance) {
            let point = point.map(|c| c.round() as i32);
            let Some(before) = last.replace(point) else {
                // Writing to a string cannot fail.
                let _ = write!(out, "M{} {}", point[0], point[1]);
                continue;
            };
            if before == point {
                continue;
            }
            let step = [0, 1].map(|i| point[i].saturating_sub(before[i]));
            for (i, length) in step.into_iter().enumerate() {
                match (corners, i) {
                    (0, 0) => out.push('l'),
                    _ if length >= 0 => out.push(' '),
                    _ => {}
                }
                let _ = write!(out, "{length}");
            }
            corners += 1;
        }
        // A ring without an area is not to be seen.
        if corners < 2 {
            out.truncate(start);
        } else {
            out.push('z');
        }
    }
    out
}

/// Which pixels of a square of `edge` pixels a path covers by the even-odd rule, row by row, when it is
/// drawn `scale` times as large. A path that is not understood covers nothing.
pub(super) fn filled(path: &str, edge: u32, scale: f32) -> Vec<bool> {
    let rings = rings(path).unwrap_or_default();
    let edge = edge as usize;
    let mut inside = vec![false; edge * edge];
    let mut crossings = Vec::new();
    for y in 0..edge {
        let height = y as f32 + 0.5;
        crossings.clear();
        for ring in &rings {
            for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                let [[x0, y0], [x1, y1]] = [from, to].map(|point| point.map(|c| c * scale));
                if (y0 <= height) != (y1 <= height) {
                    crossings.push(x0 + (height - y0) / (y1 - y0) * (x1 - x0));
                }
            }
        }
        crossings.sort_by(f32::total_cmp);
        for span in crossings.chunks_exact(2) {
            // Pixels whose centres lie between; a cast saturates.
            let [from, to] = [span[0], span[1]].map(|x| (x + 0.5).floor().max(0.0) as usize);
            let row = &mut inside[y * edge..][..edge];
            row[from.min(edge)..to.min(edge)].fill(true);
        }
    }
    inside
}

/// Corners of each ring of path data made of `M`, `L`, `l`, `H`, `V` and `Z`.
fn rings(path: &str) -> Option<Vec<Vec<Point>>> {
    let mut rings = Vec::new();
    let mut ring: Vec<Point> = Vec::new();
    let mut command = ' ';
    let mut first: Option<f32> = None;
    let mut rest = path;
    loop {
        rest = rest.trim_start_matches([' ', ',', '\n']);
        let Some(next) = rest.chars().next() else { break };
        if next.is_ascii_alphabetic() {
            if first.is_some() {
                return None;
            }
            match next {
                'M' if ring.is_empty() => {}
                'L' | 'l' | 'H' | 'V' if !ring.is_empty() => {}
                'Z' | 'z' if !ring.is_empty() => rings.push(std::mem::take(&mut ring)),
                _ => return None,
            }
            command = next;
            rest = &rest[1..];
            continue;
        }
        let length = rest
            .char_indices()
            .find(|&(i, c)| !(c.is_ascii_digit() || c == '.' || (i == 0 && c == '-')))
            .map_or(rest.len(), |(i, _)| i);
        let number: f32 = rest.get(..length)?.parse().ok()?;
        rest = &rest[length..];
        let last = ring.last().copied();
        match (command, first.take(), last) {
            ('M' | 'L', Some(x), _) => ring.push([x, number]),
            ('l', Some(x), Some([a, b])) => ring.push([a + x, b + number]),
            ('M' | 'L' | 'l', None, _) => first = Some(number),
            ('H', None, Some([_, y])) => ring.push([number, y]),
            ('V', None, Some([x, _])) => ring.push([x, number]),
            _ => return None,
        }
    }
    (ring.is_empty() && first.is_none()).then_some(rings)
}

fn ring(points: &[Point]) -> String {
    let mut path = String::new();
    let mut last = None;
    for &[x, y] in points {
        let corner = format!("{} {}", coordinate(x), coordinate(y));
        if last.as_ref() == Some(&corner) {
            continue;
        }
        path.push(if last.is_none() { 'M' } else { 'L' });
        path.push_str(&corner);
        last = Some(corner);
    }
    if !path.is_empty() {
        path.push('Z');
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlays_lose_corners_that_nobody_sees() {
        let path = "M10 10L20 10.2L30 10L30,30L10 30ZM50.5 50V60H60.25V50Z";
        assert_eq!(compact(path, 0.5), "M10 10l20 0 0 20-20 0zM51 50l0 10 9 0 0-10z");
        // As dissection writes them, and as this writes them.
        assert_eq!(compact("M10 10l10.2 .2l9.8-.2 0 20-20 0Z", 0.5), "M10 10l20 0 0 20-20 0z");
        assert_eq!(compact("M10 10l20 0 0 20-20 0z", 0.5), "M10 10l20 0 0 20-20 0z");
        assert_eq!(compact("", 1.0), "");
        // Less than a pixel.
        assert_eq!(compact("M10 10l.2 0 0 .2-.2 0zM1 1l3 0 0 3z", 0.0), "M1 1l3 0 0 3z");
        // What is not understood is kept.
        for odd in ["M0 0C1 2 3 4 5 6Z", "m0 0l1 1z", "M1 2 L", "L1 2Z", "M1 2L3 4"] {
            assert_eq!(compact(odd, 1.0), odd);
        }
    }

    #[test]
    fn paths_are_filled_by_the_even_odd_rule() {
        let drawn = |path: &str, edge: u32, scale: f32| -> Vec<String> {
            let inside = filled(path, edge, scale);
            let rows = inside.chunks(edge as usize);
            rows.map(|row| row.iter().map(|&on| if on { '#' } else { '.' }).collect()).collect()
        };
        // A square with a hole; a triangle beyond the edge; half as large.
        let square = "M1 1L6 1L6 6L1 6ZM2 2l3 0 0 3-3 0z";
        assert_eq!(
            drawn(square, 7, 1.0),
            [".......", ".#####.", ".#...#.", ".#...#.", ".#...#.", ".#####.", "......."]
        );
        assert_eq!(drawn("M-4 0L8 0L8 4L-4 4Z", 3, 0.5), ["###", "###", "..."]);
        assert_eq!(drawn("C1 2", 2, 1.0), ["..", ".."]);
        assert_eq!(drawn("", 1, 1.0), ["."]);
    }

    #[test]
    fn lesions_become_closed_paths() {
        let square = Outline::Polygon(vec![[0.0, 0.0], [5.0, 0.1], [10.0, 0.0], [10.0, 10.0]]);
        assert_eq!(lesion(&square, 0.5), "M0 0L10 0L10 10Z");
        let circle = Outline::Circle { x: 50.0, y: 40.0, radius: 10.0 };
        assert_eq!(lesion(&circle, 1.0), "M40 40a10 10 0 1 0 20 0a10 10 0 1 0 -20 0Z");
        assert_eq!(lesion(&Outline::Polygon(vec![]), 1.0), "");
        let odd = Outline::Circle { x: f32::NAN, y: 0.0, radius: 1.0 };
        assert_eq!(lesion(&odd, 1.0), "");
    }
}
