//! Cutting a window out of an image and scaling it.
//!
//! Written out here because `prepare` spends most of its time on it: the `image` crate's resizing takes
//! several times as long.

use anyhow::{Context, Result, ensure};

use super::{Grey, Values};

/// The window `[x, y, width, height]` of `image`, scaled to `width` x `height` pixels with a triangle
/// filter that widens as the image shrinks, so that fine detail does not alias: what PIL calls
/// `crop(…).resize(…, BILINEAR)`, within one grey level. Nothing outside the window is looked at.
///
/// # Errors
/// When the window is empty or does not lie in the image.
pub fn resample(image: &Grey, window: [u32; 4], width: u32, height: u32) -> Result<Grey> {
    let pixels = scaled(&image.pixels, [image.width, image.height], window, [width, height])?;
    Ok(Grey { width, height, pixels })
}

impl Values {
    /// All of it at `width` x `height` pixels, as [`resample`] scales an image.
    ///
    /// # Errors
    /// When it has no pixels.
    pub fn resampled(&self, width: u32, height: u32) -> Result<Vec<u16>> {
        let size = [self.width, self.height];
        scaled(&self.codes, size, [0, 0, self.width, self.height], [width, height])
    }
}

/// A whole number of some bits.
trait Sample: Copy {
    fn number(self) -> f32;
    /// The nearest to a number that is not negative.
    fn nearest(number: f32) -> Self;
}

impl Sample for u8 {
    fn number(self) -> f32 {
        f32::from(self)
    }

    fn nearest(number: f32) -> Self {
        (number + 0.5) as Self
    }
}

impl Sample for u16 {
    fn number(self) -> f32 {
        f32::from(self)
    }

    fn nearest(number: f32) -> Self {
        (number + 0.5) as Self
    }
}

fn scaled<T: Sample>(
    pixels: &[T],
    size: [u32; 2],
    window: [u32; 4],
    [width, height]: [u32; 2],
) -> Result<Vec<T>> {
    let rows = rows(pixels, size, window).with_context(|| {
        format!(
            "cannot scale the window {window:?} of an image of {} x {} pixels to {width} x {height}",
            size[0], size[1]
        )
    })?;
    let [_, _, w, h] = window.map(|v| v as usize);
    let (across, down) = (Taps::new(w, width as usize), Taps::new(h, height as usize));
    let mut pixels = Vec::with_capacity(width as usize * height as usize);
    let mut line = vec![0f32; w];
    for (first, weights) in down.iter() {
        line.fill(0.0);
        for (row, &weight) in rows[first..].iter().zip(weights) {
            for (sum, &pixel) in line.iter_mut().zip(*row) {
                *sum += weight * pixel.number();
            }
        }
        pixels.extend(across.iter().map(|(first, weights)| {
            let products = line[first..].iter().zip(weights).map(|(value, weight)| value * weight);
            T::nearest(products.sum::<f32>())
        }));
    }
    Ok(pixels)
}

/// The rows of a window.
fn rows<T>(pixels: &[T], size: [u32; 2], window: [u32; 4]) -> Result<Vec<&[T]>> {
    let [x, y, width, height] = window;
    let inside = |start: u32, length: u32, end: u32| {
        length > 0 && u64::from(start) + u64::from(length) <= u64::from(end)
    };
    ensure!(
        inside(x, width, size[0]) && inside(y, height, size[1]),
        "the window does not lie in the image"
    );
    let [x, y, width, height] = [x, y, width, height].map(|v| v as usize);
    let rows = pixels.chunks_exact(size[0] as usize).skip(y).take(height);
    let rows: Vec<&[T]> = rows.map(|row| &row[x..x + width]).collect();
    ensure!(rows.len() == height, "the image has too few pixels");
    Ok(rows)
}

/// For each pixel of the result, which pixels of the window it is made of, and with which weights.
struct Taps {
    /// First pixel of the window, and how many.
    spans: Vec<(usize, usize)>,
    /// Weights of all spans, one after the other; those of a span sum to 1.
    weights: Vec<f32>,
}

impl Taps {
    fn new(from: usize, to: usize) -> Self {
        let mut taps = Self { spans: Vec::with_capacity(to), weights: Vec::new() };
        let scale = from as f64 / to as f64;
        // Half the width of the triangle: a pixel, or more where the image shrinks.
        let reach = scale.max(1.0);
        for at in 0..to {
            let centre = (at as f64 + 0.5) * scale;
            let first = ((centre - reach).max(0.0) + 0.5) as usize;
            let end = ((centre + reach + 0.5) as usize).min(from);
            let weight =
                |pixel: usize| (1.0 - (pixel as f64 + 0.5 - centre).abs() / reach).max(0.0);
            let sum: f64 = (first..end).map(weight).sum();
            taps.weights.extend((first..end).map(|pixel| (weight(pixel) / sum) as f32));
            taps.spans.push((first, end - first));
        }
        taps
    }

    fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let mut rest = self.weights.as_slice();
        self.spans.iter().map(move |&(first, count)| {
            let (weights, after) = rest.split_at(count);
            rest = after;
            (first, weights)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        image: [u32; 2],
        window: [u32; 4],
        size: [u32; 2],
        pixels: Vec<u8>,
    }

    /// The image that `tests/golden/resample.py` makes.
    fn pattern([width, height]: [u32; 2]) -> Grey {
        let value = |x: u32, y: u32| ((x * x + 3 * x * y + 7 * y) % 256) as u8;
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| value(x, y))).collect();
        Grey { width, height, pixels }
    }

    #[test]
    fn agrees_with_pil() {
        let golden = include_str!("../../tests/golden/resample.json");
        for case in serde_json::from_str::<Vec<Case>>(golden).unwrap() {
            let [width, height] = case.size;
            let ours = resample(&pattern(case.image), case.window, width, height).unwrap();
            assert_eq!(ours.pixels.len(), case.pixels.len());
            for (i, (a, b)) in ours.pixels.iter().zip(&case.pixels).enumerate() {
                assert!(
                    a.abs_diff(*b) <= 1,
                    "{:?} {:?} pixel {i}: {a}, PIL {b}",
                    case.window,
                    case.size
                );
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn agrees_with_the_image_crate(
            from in (1u32..60, 1u32..60), to in (1u32..60, 1u32..60), seed: u32,
        ) {
            let (width, height) = from;
            let value = |i: u32| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 24) as u8;
            let image = Grey { width, height, pixels: (0..width * height).map(value).collect() };
            let ours = resample(&image, [0, 0, width, height], to.0, to.1).unwrap();
            let theirs = image::GrayImage::from_raw(width, height, image.pixels).unwrap();
            let triangle = image::imageops::FilterType::Triangle;
            let theirs = image::imageops::resize(&theirs, to.0, to.1, triangle);
            for (a, b) in ours.pixels.iter().zip(theirs.as_raw()) {
                proptest::prop_assert!(a.abs_diff(*b) <= 1, "{a} {b}");
            }
        }
    }

    #[test]
    fn a_window_at_its_own_size_is_a_copy_and_one_outside_an_error() {
        let image = pattern([9, 7]);
        let copy = resample(&image, [2, 1, 4, 3], 4, 3).unwrap();
        assert_eq!((copy.at(0, 0), copy.at(3, 2)), (image.at(2, 1), image.at(5, 3)));
        for outside in [[6, 1, 4, 3], [u32::MAX, 0, 4, 3], [0, 0, 0, 3]] {
            assert!(resample(&image, outside, 4, 3).is_err());
        }
        assert!(resample(&image, [2, 1, 4, 3], 0, 3).is_ok_and(|none| none.pixels.is_empty()));
    }
}
