//! Outlines as SVG path data: of lesions over a mammogram, and of overlays over small pictures.

use crate::mammogram::{Outline, simplify};

use super::text::coordinate;

type Point = [f32; 2];

/// A lesion's boundary in image pixels; corners that stray less than `tolerance` pixels from the
/// line between their neighbours are left out.
pub(super) fn lesion(outline: &Outline, tolerance: f32) -> String {
    match outline {
        Outline::Polygon(points) => {
            let finite: Vec<Point> =
                points.iter().copied().filter(|p| p.iter().all(|c| c.is_finite())).collect();
            ring(&simplify(&finite, tolerance), 0)
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

/// A coarser copy of an overlay for small pictures: rings of straight lines lose the
/// corners that stray less than `tolerance`; anything else is returned as it is.
pub(super) fn coarse(path: &str, tolerance: f32) -> String {
    match rings(path) {
        Some(rings) => {
            rings.iter().map(|points| ring(&simplify(points, tolerance), 1)).collect::<String>()
        }
        None => path.to_string(),
    }
}

/// Corners of each ring of path data made of `M`, `L`, `l`, `H`, `V` and `Z`.
fn rings(path: &str) -> Option<Vec<Vec<Point>>> {
    let mut rings = Vec::new();
    let mut ring: Vec<Point> = Vec::new();
    let mut command = ' ';
    let mut numbers: Vec<f32> = Vec::new();
    let mut rest = path;
    loop {
        rest = rest.trim_start_matches([' ', ',', '\n']);
        let Some(next) = rest.chars().next() else { break };
        if next.is_ascii_alphabetic() {
            if !numbers.is_empty() {
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
        numbers.push(rest.get(..length)?.parse().ok()?);
        rest = &rest[length..];
        let last = ring.last().copied();
        match (command, numbers.as_slice(), last) {
            ('M' | 'L', &[x, y], _) => ring.push([x, y]),
            ('l', &[x, y], Some([a, b])) => ring.push([a + x, b + y]),
            ('M' | 'L' | 'l', &[_], _) => continue,
            ('H', &[x], Some([_, y])) => ring.push([x, y]),
            ('V', &[y], Some([x, _])) => ring.push([x, y]),
            _ => return None,
        }
        numbers.clear();
    }
    (ring.is_empty() && numbers.is_empty()).then_some(rings)
}

fn ring(points: &[Point], decimals: u32) -> String {
    let number = |value: f32| match decimals {
        0 => coordinate(value),
        _ => coordinate(value.round()),
    };
    let mut path = String::new();
    let mut last = None;
    for &[x, y] in points {
        let corner = format!("{} {}", number(x), number(y));
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
        assert_eq!(coarse(path, 0.5), "M10 10L30 10L30 30L10 30ZM51 50L51 60L60 60L60 50Z");
        // As dissection writes them.
        assert_eq!(coarse("M10 10l10.2 .2l9.8-.2 0 20-20 0Z", 0.5), "M10 10L30 10L30 30L10 30Z");
        assert_eq!(coarse("", 1.0), "");
        // What is not understood is kept.
        for odd in ["M0 0C1 2 3 4 5 6Z", "m0 0l1 1z", "M1 2 L", "L1 2Z", "M1 2L3 4"] {
            assert_eq!(coarse(odd, 1.0), odd);
        }
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
