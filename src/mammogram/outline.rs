//! Lesion boundaries and their filled regions.

use serde::{Deserialize, Serialize};

use super::{Mask, Region};

/// A closed boundary in image pixels: x right, y down, (0, 0) the top left corner of the image, so
/// that the first pixel's centre is (0.5, 0.5).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outline {
    /// Corners in order; the last joins the first.
    Polygon(Vec<[f32; 2]>),
    /// Centre and radius, as mini-MIAS gives them.
    Circle {
        /// Column of the centre.
        x: f32,
        /// Row of the centre.
        y: f32,
        /// Radius in pixels.
        radius: f32,
    },
    /// Left, top, right and bottom edges of an upright box, which holds a lesion and what lies around it.
    Box([f32; 4]),
}

impl Outline {
    /// The smallest upright box around it: `[left, top, right, bottom]`; `None` for an empty polygon.
    pub fn bounds(&self) -> Option<[f32; 4]> {
        match self {
            Outline::Polygon(points) => {
                points.iter().fold(None, |bounds: Option<[f32; 4]>, &[x, y]| match bounds {
                    None => Some([x, y, x, y]),
                    Some([l, t, r, b]) => Some([l.min(x), t.min(y), r.max(x), b.max(y)]),
                })
            }
            Outline::Circle { x, y, radius } => {
                Some([x - radius, y - radius, x + radius, y + radius])
            }
            Outline::Box(edges) => Some(*edges),
        }
    }

    /// Whether it lies outside an image of this width and height.
    pub fn misses(&self, [width, height]: [u32; 2]) -> bool {
        self.bounds().is_none_or(|[left, top, right, bottom]| {
            right <= 0.0 || bottom <= 0.0 || left >= width as f32 || top >= height as f32
        })
    }

    /// The columns of `[0, width)` whose pixel centres lie inside on the line through the centres of
    /// row `y`, as half-open ranges in pixel units, after mapping image pixels to mask pixels by
    /// `(p - origin) * scale`.
    fn spans(&self, y: f32, window: Window, crossings: &mut Vec<f32>) {
        crossings.clear();
        match self {
            Outline::Polygon(points) => {
                cross(points, y, window, crossings);
                crossings.sort_by(f32::total_cmp);
            }
            &Outline::Box([left, top, right, bottom]) => {
                let corners = [[left, top], [right, top], [right, bottom], [left, bottom]];
                cross(&corners, y, window, crossings);
                crossings.sort_by(f32::total_cmp);
            }
            &Outline::Circle { x, y: cy, radius } => {
                let [cx, cy] = window.map([x, cy]);
                let dy = (y - cy) / window.scale[1];
                let half = (radius * radius - dy * dy).sqrt() * window.scale[0];
                if half > 0.0 {
                    crossings.extend([cx - half, cx + half]);
                }
            }
        }
    }
}

/// Where a closed ring crosses the line through the centres of row `y`.
fn cross(points: &[[f32; 2]], y: f32, window: Window, crossings: &mut Vec<f32>) {
    for (i, &a) in points.iter().enumerate() {
        let b = points[(i + 1) % points.len()];
        let ([ax, ay], [bx, by]) = (window.map(a), window.map(b));
        // Half-open in y, so that a corner on the line counts once.
        if (ay <= y) != (by <= y) {
            crossings.push(ax + (y - ay) / (by - ay) * (bx - ax));
        }
    }
}

/// The part of the image that a mask shows: mask = (image - origin) * scale.
#[derive(Clone, Copy)]
struct Window {
    origin: [f32; 2],
    scale: [f32; 2],
}

impl Window {
    fn map(self, [x, y]: [f32; 2]) -> [f32; 2] {
        [(x - self.origin[0]) * self.scale[0], (y - self.origin[1]) * self.scale[1]]
    }
}

/// Fills the union of `outlines` (even-odd within one polygon) into a mask of `width` x `height`
/// pixels that shows the image window `[x, y, w, h]`, by pixel centres.
pub fn rasterise(outlines: &[Outline], window: [f32; 4], width: u32, height: u32) -> Mask {
    let mut mask = Mask::empty(width, height);
    let [x, y, w, h] = window;
    let window = Window { origin: [x, y], scale: [width as f32 / w, height as f32 / h] };
    let mut crossings = Vec::new();
    for outline in outlines {
        for (row, line) in mask.pixels.chunks_mut(width.max(1) as usize).enumerate() {
            outline.spans(row as f32 + 0.5, window, &mut crossings);
            fill(line, &crossings);
        }
    }
    mask
}

/// Fills what lies between each two crossings of a row.
fn fill(line: &mut [bool], crossings: &[f32]) {
    let width = line.len() as f32;
    for span in crossings.chunks_exact(2) {
        // Columns whose centre c + 0.5 lies in [left, right).
        let column = |edge: f32| (edge - 0.5).ceil().clamp(0.0, width) as usize;
        // Edges that are no numbers enclose nothing.
        if let Some(inside) = line.get_mut(column(span[0])..column(span[1])) {
            inside.fill(true);
        }
    }
}

impl Region {
    /// A mask of `width` x `height` pixels of what the image window `[x, y, w, h]` shows of it, by
    /// pixel centres.
    pub fn rasterise(&self, window: [f32; 4], width: u32, height: u32) -> Mask {
        let mut mask = Mask::empty(width, height);
        let [x, y, w, h] = window;
        let window = Window { origin: [x, y], scale: [width as f32 / w, height as f32 / h] };
        // A ring reaches few rows: each row looks only at those that reach it.
        let reach = |ring: &Vec<[f32; 2]>| {
            let rows = ring.iter().map(|&point| window.map(point)[1]);
            rows.fold([f32::INFINITY, f32::NEG_INFINITY], |[t, b], y| [t.min(y), b.max(y)])
        };
        let reaches: Vec<[f32; 2]> = self.rings.iter().map(reach).collect();
        let mut crossings = Vec::new();
        for (row, line) in mask.pixels.chunks_mut(width.max(1) as usize).enumerate() {
            let y = row as f32 + 0.5;
            crossings.clear();
            for (ring, [top, bottom]) in self.rings.iter().zip(&reaches) {
                if *top <= y && y <= *bottom {
                    cross(ring, y, window, &mut crossings);
                }
            }
            crossings.sort_by(f32::total_cmp);
            fill(line, &crossings);
        }
        mask
    }
}

type Point = [f32; 2];

/// Douglas and Peucker's line simplification of a closed ring: corners that stray less than
/// `tolerance` from the line between their neighbours are left out.
pub fn simplify(points: &[Point], tolerance: f32) -> Vec<Point> {
    if points.len() < 4 || tolerance <= 0.0 {
        return points.to_vec();
    }
    // Two far corners stay: the first, and the one farthest from it.
    let distance = |a: Point, b: Point| (a[0] - b[0]).hypot(a[1] - b[1]);
    let far = (0..points.len())
        .max_by(|&a, &b| distance(points[0], points[a]).total_cmp(&distance(points[0], points[b])))
        .unwrap_or(0);
    let mut closed = points.to_vec();
    closed.push(points[0]);
    let mut keep = vec![false; closed.len()];
    keep[0] = true;
    keep[far] = true;
    // A list of its own instead of recursion: a chain code may hold many thousands of corners.
    let mut spans = vec![(0, far), (far, closed.len() - 1)];
    while let Some((from, to)) = spans.pop() {
        let worst = (from + 1..to)
            .map(|i| (i, distance_to_line(closed[i], closed[from], closed[to])))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((at, stray)) = worst
            && stray > tolerance
        {
            keep[at] = true;
            spans.extend([(from, at), (at, to)]);
        }
    }
    points.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(point, _)| *point).collect()
}

fn distance_to_line([x, y]: Point, [ax, ay]: Point, [bx, by]: Point) -> f32 {
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx.hypot(dy);
    if length == 0.0 {
        (x - ax).hypot(y - ay)
    } else {
        (dx * (y - ay) - dy * (x - ax)).abs() / length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_has_the_area_of_a_circle() {
        let circle = [Outline::Circle { x: 50.0, y: 50.0, radius: 30.0 }];
        let area = rasterise(&circle, [0.0, 0.0, 100.0, 100.0], 100, 100).area() as f64;
        assert!((area / (std::f64::consts::PI * 900.0) - 1.0).abs() < 0.005, "{area}");
    }

    #[test]
    fn a_square_is_filled_exactly_and_clipped() {
        let square = [Outline::Polygon(vec![[2.0, 3.0], [7.0, 3.0], [7.0, 9.0], [2.0, 9.0]])];
        assert_eq!(rasterise(&square, [0.0, 0.0, 10.0, 10.0], 10, 10).area(), 30);
        assert_eq!(rasterise(&square, [5.0, 5.0, 10.0, 10.0], 10, 10).area(), 8);
        // The same window at twice the size holds four times the pixels.
        assert_eq!(rasterise(&square, [5.0, 5.0, 10.0, 10.0], 20, 20).area(), 32);
    }

    #[test]
    fn overlapping_outlines_count_once_and_odd_shapes_do_not_panic() {
        let a = Outline::Circle { x: 5.0, y: 5.0, radius: 3.0 };
        let one = rasterise(std::slice::from_ref(&a), [0.0, 0.0, 10.0, 10.0], 10, 10);
        assert_eq!(rasterise(&[a.clone(), a], [0.0, 0.0, 10.0, 10.0], 10, 10), one);
        let odd = [
            Outline::Polygon(vec![]),
            Outline::Polygon(vec![[1.0, 1.0]]),
            Outline::Circle { x: -50.0, y: 1e9, radius: f32::NAN },
            Outline::Polygon(vec![[f32::NAN, 0.0], [3.0, f32::INFINITY], [0.0, 5.0]]),
            Outline::Box([f32::NAN, 0.0, 3.0, f32::INFINITY]),
            Outline::Box([4.0, 4.0, 1.0, 1.0]),
        ];
        rasterise(&odd, [0.0, 0.0, 10.0, 10.0], 10, 10);
    }
}
