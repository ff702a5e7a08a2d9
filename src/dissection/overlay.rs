//! The region where an upsampled map exceeds the threshold, as vector outlines.
//!
//! Marching squares on a grid of the bilinear surface, crossings interpolated along the grid's
//! edges, rings simplified and written as SVG path data in patch pixels. The grid's lines run
//! through the anchors of the activations, where the surface has its creases: between them it is
//! smooth, so a coarse grid suffices. The patch's border closes rings that would leave it.

use std::collections::HashMap;
use std::fmt::Write;

use super::upsample::Upsampler;
use base::Field;

/// Greatest distance between grid lines, in patch pixels.
const STEP: f32 = 2.5;
/// How far a simplified ring may stray, in patch pixels.
const TOLERANCE: f32 = 0.15;

/// Draws overlays for maps of one layer.
#[derive(Debug, Clone)]
pub(super) struct Tracer {
    grid: Upsampler,
    /// Where the grid's lines lie, in patch pixels, the same in x and y.
    lines: Vec<f32>,
}

/// A crossing's place on the grid: the edge from point (x, y) rightwards or downwards.
type Edge = (usize, usize, bool);

impl Tracer {
    /// For square maps of `cells` rows and columns over patches of `edge` pixels.
    pub(super) fn new(cells: u32, field: Field, edge: u32) -> Self {
        let anchors = (0..cells).map(|i| field.centre + i as f32 * field.stride);
        let inner = anchors.filter(|&at| at > 0.0 && at < edge as f32);
        let mut lines = vec![0.0];
        for next in inner.chain([edge as f32]) {
            let from = lines[lines.len() - 1];
            let steps = ((next - from) / STEP).ceil().max(1.0);
            lines.extend((1..=steps as u32).map(|i| from + (next - from) * i as f32 / steps));
        }
        let grid = Upsampler::new([cells, cells], field, lines.len(), |i| lines[i]);
        Self { grid, lines }
    }

    /// SVG path data of the region where `map` exceeds `threshold`, filled by the even-odd rule;
    /// empty when nowhere.
    pub(super) fn trace(&self, map: &[f32], threshold: f32) -> String {
        let mut path = String::new();
        for ring in self.rings(map, threshold) {
            write_ring(&mut path, &simplify(&ring));
        }
        path
    }

    /// Closed rings, inside on the left hand.
    fn rings(&self, map: &[f32], threshold: f32) -> Vec<Vec<[f32; 2]>> {
        // One ring of points below the threshold around the patch closes every region.
        let n = self.grid.len();
        let size = n + 2;
        let mut values = vec![f32::NEG_INFINITY; size * size];
        for y in 0..n {
            self.grid.row(map, y, &mut values[(y + 1) * size + 1..][..n]);
        }
        let value = |x: usize, y: usize| values[y * size + x];
        let inside = |x: usize, y: usize| value(x, y) > threshold;

        // From the crossing a ring enters a cell by, to the one it leaves by.
        let mut next: HashMap<Edge, Edge> = HashMap::new();
        let mut starts = Vec::new();
        for y in 0..size - 1 {
            for x in 0..size - 1 {
                let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
                let bits = corners.map(|(x, y)| inside(x, y));
                if bits == [bits[0]; 4] {
                    continue;
                }
                // Edges in the order top, right, bottom, left: edge i joins corners i and i + 1.
                let edges = [(x, y, true), (x + 1, y, false), (x, y + 1, true), (x, y, false)];
                // A saddle is one region when its middle is inside.
                let saddle = bits[0] == bits[2] && bits[1] == bits[3];
                let joined = saddle && {
                    let middle = corners.iter().map(|&(x, y)| value(x, y)).sum::<f32>() / 4.0;
                    middle > threshold
                };
                for i in 0..4 {
                    // Going round the corners, the ring enters where the region is left …
                    if bits[i] && !bits[(i + 1) % 4] {
                        // … and leaves where it is met again: the next such edge going round
                        // outside, or, in an unjoined saddle, the one just passed.
                        let ahead = (1..4).map(|d| (i + d) % 4);
                        let behind = (1..4).map(|d| (i + 4 - d) % 4);
                        let meets = |j: &usize| !bits[*j] && bits[(*j + 1) % 4];
                        let exit = if saddle && !joined {
                            behind.into_iter().find(meets)
                        } else {
                            ahead.into_iter().find(meets)
                        };
                        if let Some(exit) = exit {
                            next.insert(edges[i], edges[exit]);
                            starts.push(edges[i]);
                        }
                    }
                }
            }
        }

        let place = |(x, y, right): Edge| -> [f32; 2] {
            let (x2, y2) = if right { (x + 1, y) } else { (x, y + 1) };
            let (a, b) = (value(x, y), value(x2, y2));
            // Towards the outer ring the crossing is on the border itself.
            let t = match (a.is_finite(), b.is_finite()) {
                (true, true) => (threshold - a) / (b - a),
                (true, false) => 0.0,
                _ => 1.0,
            };
            // Line `i` of the padded grid; the outer ring lies on the border.
            let line = |i: usize| self.lines[i.clamp(1, n) - 1];
            let at = |low: usize| line(low) + t * (line(low + 1) - line(low));
            if right { [at(x), line(y)] } else { [line(x), at(y)] }
        };
        let mut rings = Vec::new();
        for start in starts {
            let mut ring = Vec::new();
            let mut edge = start;
            while let Some(following) = next.remove(&edge) {
                ring.push(place(edge));
                edge = following;
            }
            if ring.len() >= 3 {
                rings.push(ring);
            }
        }
        rings
    }
}

/// Douglas-Peucker on a closed ring.
fn simplify(ring: &[[f32; 2]]) -> Vec<[f32; 2]> {
    // Two far points split the ring into two lines.
    let far = (0..ring.len())
        .max_by(|&a, &b| distance(ring[a], ring[0]).total_cmp(&distance(ring[b], ring[0])))
        .unwrap_or(0);
    let mut closed = ring.to_vec();
    closed.push(ring[0]);
    let mut kept = vec![false; closed.len()];
    kept[0] = true;
    kept[far] = true;
    let mut spans = vec![(0, far), (far, ring.len())];
    while let Some((from, to)) = spans.pop() {
        let off = |i: usize| off_line(closed[i], closed[from], closed[to]);
        let worst = (from + 1..to).max_by(|&a, &b| off(a).total_cmp(&off(b)));
        if let Some(worst) = worst.filter(|&i| off(i) > TOLERANCE) {
            kept[worst] = true;
            spans.extend([(from, worst), (worst, to)]);
        }
    }
    (0..ring.len()).filter(|&i| kept[i]).map(|i| ring[i]).collect()
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// Distance of `p` from the segment `a`–`b`.
fn off_line(p: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let t = if length > 0.0 {
        (((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    distance(p, [a[0] + t * dx, a[1] + t * dy])
}

/// Writes a ring in tenths of a pixel, relative after the first point: `M12.5 3l4-2.5…z`.
fn write_ring(path: &mut String, ring: &[[f32; 2]]) {
    let tenths = |v: f32| (v * 10.0).round() as i32;
    let mut last: Option<[i32; 2]> = None;
    let number = |path: &mut String, tenths: i32, first: bool| {
        if !first && tenths >= 0 {
            path.push(' ');
        }
        // Writing to a string cannot fail.
        let _ = if tenths % 10 == 0 {
            write!(path, "{}", tenths / 10)
        } else {
            let sign = if tenths < 0 { "-" } else { "" };
            write!(path, "{sign}{}.{}", tenths.abs() / 10, tenths.abs() % 10)
        };
    };
    for point in ring {
        let point = point.map(tenths);
        match last {
            None => {
                path.push('M');
                number(path, point[0], true);
                number(path, point[1], false);
            }
            Some(before) if before == point => continue,
            Some(before) => {
                path.push('l');
                number(path, point[0] - before[0], true);
                number(path, point[1] - before[1], false);
            }
        }
        last = Some(point);
    }
    path.push('z');
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammogram::{Outline, rasterise};
    use rand::RngExt;

    const EDGE: u32 = 227;
    const FIELD: Field = Field { edge: 163.0, stride: 16.0, centre: 17.5 };

    /// Rings of path data as this module writes it.
    fn read(path: &str) -> Vec<Outline> {
        let mut rings = Vec::new();
        for ring in path.split('z').filter(|r| !r.is_empty()) {
            let mut points: Vec<[f32; 2]> = Vec::new();
            for part in ring.trim_start_matches('M').split('l') {
                let at = part[1..].find([' ', '-']).unwrap() + 1;
                let [x, y] = [&part[..at], part[at..].trim()].map(|v| v.parse::<f32>().unwrap());
                let [bx, by] = points.last().copied().unwrap_or([0.0, 0.0]);
                points.push([bx + x, by + y]);
            }
            rings.push(Outline::Polygon(points));
        }
        rings
    }

    /// Random smooth maps: the filled outline against thresholding every pixel.
    #[test]
    fn the_filled_outline_is_the_thresholded_map() {
        let mut rng = base::seed::stream(5, "overlay");
        let tracer = Tracer::new(13, FIELD, EDGE);
        let pixels = Upsampler::pixels([13, 13], FIELD, EDGE);
        let window = [0.0, 0.0, EDGE as f32, EDGE as f32];
        let (mut worst, mut sum, mut length) = (1.0_f64, 0.0, 0);
        for round in 0..40 {
            let map: Vec<f32> = (0..169).map(|_| rng.random_range(-1.0..1.0)).collect();
            let threshold = [0.2, 0.5, 0.7, -0.5][round % 4];
            let path = tracer.trace(&map, threshold);
            length += path.len();
            // Even-odd over all rings at once: an odd count of rings around a pixel.
            let mut drawn = vec![false; (EDGE * EDGE) as usize];
            for ring in read(&path) {
                let mask = rasterise(&[ring], window, EDGE, EDGE);
                drawn.iter_mut().zip(mask.pixels).for_each(|(d, m)| *d ^= m);
            }
            let (mut both, mut either) = (0, 0);
            let mut row = vec![0.0; EDGE as usize];
            for y in 0..EDGE as usize {
                pixels.row(&map, y, &mut row);
                for (x, v) in row.iter().enumerate() {
                    let (a, b) = (*v > threshold, drawn[y * EDGE as usize + x]);
                    both += usize::from(a && b);
                    either += usize::from(a || b);
                }
            }
            let iou = both as f64 / either as f64;
            worst = worst.min(iou);
            sum += iou;
        }
        // Of noise, whose regions are small and ragged; those of real maps are larger.
        assert!(worst > 0.96 && sum / 40.0 > 0.98, "IoU {worst}, mean {}", sum / 40.0);
        assert!(length / 40 < 4000, "{} bytes a map", length / 40);
    }

    #[test]
    fn everything_nothing_and_not_a_number() {
        let tracer = Tracer::new(2, FIELD, 100);
        assert_eq!(tracer.trace(&[0.0; 4], 1.0), "");
        assert_eq!(tracer.trace(&[f32::NAN; 4], 1.0), "");
        let whole =
            rasterise(&read(&tracer.trace(&[2.0; 4], 1.0)), [0.0, 0.0, 100.0, 100.0], 100, 100);
        assert_eq!(whole.area(), 10_000);
    }
}
