//! From masks to outlines: the outer boundary of every connected region.
//!
//! Pixels that touch at a corner belong together, and holes are filled. Filled by pixel centres, an
//! outline gives exactly its region back, holes included.

use super::trace::ring;
use super::{Mask, Outline};

/// The outlines of a mask's regions, in the order of their first pixels, in the mask's pixels.
pub fn contours(mask: &Mask) -> Vec<Outline> {
    let (width, height) = (mask.width as usize, mask.height as usize);
    // Number of the region of each pixel, from 1; 0 is none.
    let mut regions = vec![0u32; mask.pixels.len()];
    let mut outlines = Vec::new();
    let mut open = Vec::new();
    for start in 0..mask.pixels.len() {
        if !mask.pixels[start] || regions[start] != 0 {
            continue;
        }
        let region = outlines.len() as u32 + 1;
        regions[start] = region;
        open.push(start);
        while let Some(at) = open.pop() {
            let (x, y) = (at % width, at / width);
            for near_y in y.saturating_sub(1)..(y + 2).min(height) {
                for near_x in x.saturating_sub(1)..(x + 2).min(width) {
                    let near = near_y * width + near_x;
                    if mask.pixels[near] && regions[near] == 0 {
                        regions[near] = region;
                        open.push(near);
                    }
                }
            }
        }
        let inside = |x: i64, y: i64| {
            let within = (0..width as i64).contains(&x) && (0..height as i64).contains(&y);
            within && regions[y as usize * width + x as usize] == region
        };
        let first = [(start % width) as i64, (start / width) as i64];
        outlines.push(Outline::Polygon(around(inside, first, [0, 0])));
    }
    outlines
}

/// The outer boundary of the region that `first`, the leftmost pixel of its topmost row, belongs to,
/// moved by `origin`.
pub fn around(
    inside: impl Fn(i64, i64) -> bool,
    first: [i64; 2],
    origin: [i64; 2],
) -> Vec<[f32; 2]> {
    let mut ring = ring(first, |[x, y]| inside(x, y), |_| ());
    let [left, top] = origin.map(|v| v as f32);
    for [x, y] in &mut ring {
        (*x, *y) = (*x + left, *y + top);
    }
    ring
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rasterise;

    fn mask(rows: &[&str]) -> Mask {
        let pixels = rows.iter().flat_map(|row| row.bytes().map(|b| b == b'#')).collect();
        Mask { width: rows[0].len() as u32, height: rows.len() as u32, pixels }
    }

    fn filled(outlines: &[Outline], mask: &Mask) -> Mask {
        let window = [0.0, 0.0, mask.width as f32, mask.height as f32];
        rasterise(outlines, window, mask.width, mask.height)
    }

    #[test]
    fn regions_are_told_apart_and_holes_are_filled() {
        let drawn = mask(&["##..#", "#.#.#", "###..", ".....", "....#"]);
        let outlines = contours(&drawn);
        assert_eq!(outlines.len(), 3);
        let whole = mask(&["##..#", "###.#", "###..", ".....", "....#"]);
        assert_eq!(filled(&outlines, &drawn), whole);
        assert_eq!(
            outlines[2],
            Outline::Polygon(vec![[4.5, 4.0], [5.0, 4.5], [4.5, 5.0], [4.0, 4.5]])
        );
        assert!(contours(&Mask::empty(3, 2)).is_empty() && contours(&Mask::empty(0, 0)).is_empty());
    }

    proptest! {
        #[test]
        fn outlines_give_the_mask_back(width in 1usize..24, bits in prop::collection::vec(any::<bool>(), 1..300)) {
            let height = bits.len() / width;
            prop_assume!(height > 0);
            let pixels = bits[..width * height].to_vec();
            let drawn = Mask { width: width as u32, height: height as u32, pixels };
            let found = filled(&contours(&drawn), &drawn);
            // Nothing set is lost; what is added is enclosed: no way out of it through unset pixels.
            let mut outside = vec![false; width * height];
            let mut open: Vec<usize> = (0..width * height)
                .filter(|at| {
                    let (x, y) = (at % width, at / width);
                    (x == 0 || y == 0 || x + 1 == width || y + 1 == height) && !drawn.pixels[*at]
                })
                .collect();
            while let Some(at) = open.pop() {
                if outside[at] || drawn.pixels[at] {
                    continue;
                }
                outside[at] = true;
                let (x, y) = (at % width, at / width);
                if x > 0 { open.push(at - 1) }
                if x + 1 < width { open.push(at + 1) }
                if y > 0 { open.push(at - width) }
                if y + 1 < height { open.push(at + width) }
            }
            for (found, outside) in found.pixels.iter().zip(outside) {
                prop_assert_eq!(*found, !outside);
            }
        }
    }
}
