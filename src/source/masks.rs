//! Masks as images: which pictures are masks, and what they mark.

use super::picture::Samples;
use crate::mammogram::{Mask, Outline, contours};

/// Share of pixels that may lie between the two values of a mask: lossy JPEG blurs its edges.
const BLURRED: f64 = 0.01;

impl Samples {
    /// Whether only black and white occur, but for the blur of lossy compression. A picture of one
    /// value alone marks nothing and is no mask.
    pub(super) fn is_mask(&self) -> bool {
        let most = self.values.iter().copied().max().unwrap_or(0);
        let (low, high) = (most / 8, most - most / 8);
        let between = self.values.iter().filter(|&&v| v > low && v < high).count();
        let black = self.values.iter().any(|&v| v <= low);
        most > 0 && black && between as f64 <= BLURRED * self.values.len() as f64
    }

    /// The pixels brighter than half of the brightest.
    pub(super) fn bright(&self) -> Mask {
        let most = self.values.iter().copied().max().unwrap_or(0);
        self.set(|v| v > most / 2)
    }

    /// The pixels of some values.
    pub(super) fn set(&self, belongs: impl Fn(u16) -> bool) -> Mask {
        let pixels = self.values.iter().map(|&v| belongs(v)).collect();
        Mask { width: self.width, height: self.height, pixels }
    }
}

/// Whether two images show the same at another size: their shapes differ by at most 1%.
pub(super) fn same_shape([width, height]: [u32; 2], [other_width, other_height]: [u32; 2]) -> bool {
    let [w, h, ow, oh] = [width, height, other_width, other_height].map(f64::from);
    (w / ow * oh / h - 1.0).abs() <= 0.01
}

/// The outlines of a mask in the pixels of an image of another size.
pub(super) fn outlines(mask: &Mask, size: [u32; 2]) -> Vec<Outline> {
    let mut outlines = contours(mask);
    for outline in &mut outlines {
        if let Outline::Polygon(corners) = outline {
            scale(corners, mask, size);
        }
    }
    outlines
}

/// Scales corners in the pixels of a mask to an image of another size.
pub(super) fn scale(corners: &mut [[f32; 2]], mask: &Mask, [width, height]: [u32; 2]) {
    if [mask.width, mask.height] == [width, height] {
        return;
    }
    let x = width as f32 / mask.width as f32;
    let y = height as f32 / mask.height as f32;
    for corner in corners {
        *corner = [corner[0] * x, corner[1] * y];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let mask = samples(&[0, 9, 9, 0]).bright();
        let [Outline::Polygon(corners)] = &outlines(&mask, [8, 3])[..] else { panic!() };
        let left = corners.iter().map(|c| c[0]).fold(f32::MAX, f32::min);
        let bottom = corners.iter().map(|c| c[1]).fold(0.0, f32::max);
        assert_eq!((left, bottom), (2.0, 3.0));
        assert!(same_shape([100, 200], [50, 100]) && !same_shape([100, 200], [100, 210]));
    }
}
