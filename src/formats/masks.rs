//! Masks as images: which pictures are masks, and what they mark.

use crate::picture::Samples;
use mammogram::{Mask, Outline, contours};

/// Share of pixels that may lie between the two values of a mask: lossy JPEG blurs its edges.
const BLURRED: f64 = 0.01;

impl Samples {
    /// Whether only black and white occur, but for the blur of lossy compression. A picture of one
    /// value alone marks nothing and is no mask.
    pub fn is_mask(&self) -> bool {
        let most = self.values.iter().copied().max().unwrap_or(0);
        let (low, high) = (most / 8, most - most / 8);
        let between = self.values.iter().filter(|&&v| v > low && v < high).count();
        let black = self.values.iter().any(|&v| v <= low);
        most > 0 && black && between as f64 <= BLURRED * self.values.len() as f64
    }

    /// The pixels brighter than half of the brightest.
    pub fn bright(&self) -> Mask {
        let most = self.values.iter().copied().max().unwrap_or(0);
        self.set(|v| v > most / 2)
    }

    /// The pixels of some values.
    pub fn set(&self, belongs: impl Fn(u16) -> bool) -> Mask {
        let pixels = self.values.iter().map(|&v| belongs(v)).collect();
        Mask { width: self.width, height: self.height, pixels }
    }
}

/// Whether two images show the same at another size: their shapes differ by at most 1%.
pub fn same_shape([width, height]: [u32; 2], [other_width, other_height]: [u32; 2]) -> bool {
    let [w, h, ow, oh] = [width, height, other_width, other_height].map(f64::from);
    (w / ow * oh / h - 1.0).abs() <= 0.01
}

/// The outlines of a mask in the pixels of an image of any size.
pub fn outlines(mask: &Mask, size: [u32; 2]) -> Vec<Outline> {
    // Most of a mask is empty: only the box around what it marks is followed.
    let ([left, top], part) = cropped(mask);
    let mut outlines = contours(&part);
    for outline in &mut outlines {
        if let Outline::Polygon(corners) = outline {
            place(corners, [left, top], mask, size);
        }
    }
    outlines
}

/// The boundary of a mask, holes included, in the pixels of an image of any size.
pub fn rings(mask: &Mask, size: [u32; 2]) -> Vec<Vec<[f32; 2]>> {
    let mut rings = mask.rings();
    rings.iter_mut().for_each(|ring| place(ring, [0, 0], mask, size));
    rings
}

/// Moves corners by an origin in the mask, and scales them to an image.
fn place(corners: &mut [[f32; 2]], [left, top]: [u32; 2], mask: &Mask, [width, height]: [u32; 2]) {
    let [x, y] = [width as f32 / mask.width as f32, height as f32 / mask.height as f32];
    for corner in corners {
        *corner = [(corner[0] + left as f32) * x, (corner[1] + top as f32) * y];
    }
}

/// The box around the marked pixels: its corner and its content.
fn cropped(mask: &Mask) -> ([u32; 2], Mask) {
    let width = mask.width.max(1) as usize;
    let rows = || mask.pixels.chunks_exact(width).enumerate();
    let marked = |row: &[bool]| row.contains(&true);
    let Some((top, _)) = rows().find(|(_, row)| marked(row)) else {
        return ([0, 0], Mask::empty(0, 0));
    };
    let bottom = rows().rfind(|(_, row)| marked(row)).map_or(top, |(y, _)| y);
    let (mut left, mut right) = (width, 0);
    for (_, row) in rows().skip(top).take(bottom + 1 - top) {
        left = left.min(row.iter().position(|&p| p).unwrap_or(width));
        right = right.max(row.iter().rposition(|&p| p).unwrap_or(0));
    }
    let content = rows().skip(top).take(bottom + 1 - top);
    let pixels: Vec<bool> = content.flat_map(|(_, row)| &row[left..=right]).copied().collect();
    let (width, height) = ((right + 1 - left) as u32, (bottom + 1 - top) as u32);
    ([left as u32, top as u32], Mask { width, height, pixels })
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammogram::rasterise;

    fn samples(values: &[u16]) -> Samples {
        Samples { width: values.len() as u32, height: 1, values: values.to_vec() }
    }

    #[test]
    fn masks_are_known_by_their_two_values() {
        assert!(samples(&[0, 0, 255, 255]).is_mask());
        assert!(samples(&[0, 1, 0, 1]).is_mask());
        assert!(samples(&[0, 65_535]).is_mask());
        // Blurred by JPEG, and a picture.
        let mut blurred = vec![3; 500];
        blurred.extend([250; 500]);
        blurred[499] = 120;
        assert!(samples(&blurred).is_mask());
        assert!(!samples(&(0..1000).map(|i| i / 4).collect::<Vec<_>>()).is_mask());
        // Nothing marked.
        assert!(!samples(&[0, 0, 0]).is_mask() && !samples(&[]).is_mask());
        assert!(!samples(&[255, 255]).is_mask());
        assert_eq!(samples(&blurred).bright().area(), 500);
    }

    #[test]
    fn outlines_are_scaled_to_the_image() {
        // Wherever it lies, the filled outline is the mask.
        let spots = |i: u32| (13..17).contains(&(i % 20)) && (4..9).contains(&(i / 20)) || i == 199;
        let mask = Mask { width: 20, height: 10, pixels: (0..200).map(spots).collect() };
        let filled = rasterise(&outlines(&mask, [20, 10]), [0.0, 0.0, 20.0, 10.0], 20, 10);
        assert_eq!(filled, mask);
        let mask = samples(&[0, 9, 9, 0]).bright();
        let [Outline::Polygon(corners)] = &outlines(&mask, [8, 3])[..] else { panic!() };
        let left = corners.iter().map(|c| c[0]).fold(f32::MAX, f32::min);
        let bottom = corners.iter().map(|c| c[1]).fold(0.0, f32::max);
        assert_eq!((left, bottom), (2.0, 3.0));
        assert!(outlines(&Mask::empty(5, 5), [5, 5]).is_empty());
        assert!(same_shape([100, 200], [50, 100]) && !same_shape([100, 200], [100, 210]));
    }
}
