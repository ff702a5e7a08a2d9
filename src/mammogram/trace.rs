//! From a set of pixels to its boundary: closed rings that, filled by pixel centres and the even-odd
//! rule, give exactly the set back.

use super::Mask;

/// Steps along the edges of pixels: right, down, left, up.
const AHEAD: [[i64; 2]; 4] = [[1, 0], [0, 1], [-1, 0], [0, -1]];

/// The ring through the upper edge of the pixel `start`, in whose set it is and the pixel above is
/// not. It follows the edges with the set on the right hand and joins the middles of the edges, so
/// that slanted stretches are straight. Pixels that touch at a corner belong together. `passed` is
/// told of each pixel whose upper edge the ring takes.
pub(super) fn ring(
    start: [i64; 2],
    inside: impl Fn([i64; 2]) -> bool,
    mut passed: impl FnMut([i64; 2]),
) -> Vec<[f32; 2]> {
    let (mut corner, mut heading) = (start, 0);
    let mut middles: Vec<[i64; 2]> = Vec::new();
    loop {
        if heading == 0 {
            passed(corner);
        }
        let [dx, dy] = AHEAD[heading];
        // In half pixels.
        let middle = [2 * corner[0] + dx, 2 * corner[1] + dy];
        if let [.., a, b] = middles[..]
            && straight(a, b, middle)
        {
            middles.pop();
        }
        middles.push(middle);
        corner = [corner[0] + dx, corner[1] + dy];
        // The pixels ahead on the left and on the right of the heading.
        let [x, y] = corner;
        let pixels = [[x, y - 1], [x, y], [x - 1, y], [x - 1, y - 1]];
        if inside(pixels[heading]) {
            heading = (heading + 3) % 4;
        } else if !inside(pixels[(heading + 1) % 4]) {
            heading = (heading + 1) % 4;
        }
        if (corner, heading) == (start, 0) {
            break;
        }
    }
    if let [first, .., a, b] = middles[..]
        && straight(a, b, first)
    {
        middles.pop();
    }
    middles.iter().map(|&middle| middle.map(|v| v as f32 / 2.0)).collect()
}

/// Whether the way from `a` to `c` goes on in the same direction at `b`.
fn straight(a: [i64; 2], b: [i64; 2], c: [i64; 2]) -> bool {
    let (u, v) = ([b[0] - a[0], b[1] - a[1]], [c[0] - b[0], c[1] - b[1]]);
    u[0] * v[1] == u[1] * v[0] && u[0] * v[0] + u[1] * v[1] > 0
}

impl Mask {
    /// The boundary: outer rings and holes, to be filled together by the even-odd rule.
    pub fn rings(&self) -> Vec<Vec<[f32; 2]>> {
        let width = self.width as usize;
        let at = |[x, y]: [i64; 2]| {
            let x = usize::try_from(x).ok().filter(|&x| x < width)?;
            let y = usize::try_from(y).ok().filter(|&y| y < self.height as usize)?;
            Some(y * width + x)
        };
        let inside = |pixel| at(pixel).is_some_and(|at| self.pixels[at]);
        let mut seen = vec![false; self.pixels.len()];
        let mut rings = Vec::new();
        for first in 0..self.pixels.len() {
            let upper_edge = self.pixels[first] && (first < width || !self.pixels[first - width]);
            if upper_edge && !seen[first] {
                let start = [(first % width) as i64, (first / width) as i64];
                rings.push(ring(start, inside, |pixel| {
                    if let Some(at) = at(pixel) {
                        seen[at] = true;
                    }
                }));
            }
        }
        rings
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Region;
    use super::*;

    fn mask(rows: &[&str]) -> Mask {
        Mask {
            width: rows[0].len() as u32,
            height: rows.len() as u32,
            pixels: rows.concat().bytes().map(|b| b == b'#').collect(),
        }
    }

    fn filled(mask: &Mask) -> Mask {
        let region = Region { term: String::new(), rings: mask.rings() };
        let (width, height) = (mask.width, mask.height);
        region.rasterise([0.0, 0.0, width as f32, height as f32], width, height)
    }

    #[test]
    fn parts_and_holes_have_rings_of_their_own() {
        let mask = mask(&["#####..", "#...#.#", "#.#.#..", "#...#..", "#####.."]);
        assert_eq!(mask.rings().len(), 4);
        assert_eq!(filled(&mask), mask);
        assert!(Mask::empty(3, 3).rings().is_empty() && Mask::empty(0, 0).rings().is_empty());
    }

    #[test]
    fn a_region_is_drawn_in_any_window() {
        let mask = mask(&["....", ".##.", ".##.", "...."]);
        let region = Region { term: "x".into(), rings: mask.rings() };
        let part = region.rasterise([1.0, 1.0, 1.0, 1.0], 10, 10);
        // A rounded corner: the ring cuts it from middle to middle of the edges.
        assert!((80..100).contains(&part.area()), "{}", part.area());
        assert_eq!(region.rasterise([3.0, 3.0, 1.0, 1.0], 10, 10).area(), 0);
    }

    proptest! {
        #[test]
        fn filling_the_rings_gives_the_set_back(
            width in 1u32..14, pixels in prop::collection::vec(any::<bool>(), 0..140),
        ) {
            let height = pixels.len() as u32 / width;
            let pixels = pixels[..(width * height) as usize].to_vec();
            let mask = Mask { width, height, pixels };
            prop_assert_eq!(filled(&mask), mask);
        }
    }
}
