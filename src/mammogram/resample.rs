//! Cutting a window out of an image and scaling it.

use anyhow::{Context, Result, ensure};
use image::GrayImage;
use image::imageops::{FilterType, resize};

use super::Grey;

/// The window `[x, y, width, height]` of `image`, scaled to `width` x `height` pixels with a triangle
/// filter that widens as the image shrinks, so that fine detail does not alias: what PIL calls
/// `crop(…).resize(…, BILINEAR)`, within one grey level. Nothing outside the window is looked at.
///
/// # Errors
/// When the window is empty or does not lie in the image.
pub fn resample(image: &Grey, window: [u32; 4], width: u32, height: u32) -> Result<Grey> {
    let attempt = || -> Result<Grey> {
        let [_, _, w, h] = window;
        let pixels = crop(image, window)?;
        if [w, h] == [width, height] {
            return Ok(Grey { width, height, pixels });
        }
        let cut = GrayImage::from_raw(w, h, pixels);
        let cut = cut.context("the window has too few pixels")?;
        Ok(Grey {
            width,
            height,
            pixels: resize(&cut, width, height, FilterType::Triangle).into_raw(),
        })
    };
    attempt().with_context(|| {
        format!(
            "cannot scale the window {window:?} of an image of {} x {} pixels to {width} x {height}",
            image.width, image.height
        )
    })
}

/// The pixels of a window. A copy, since the filter would reach over the edges of a view.
fn crop(image: &Grey, [x, y, width, height]: [u32; 4]) -> Result<Vec<u8>> {
    let inside = |start: u32, length: u32, end: u32| {
        length > 0 && u64::from(start) + u64::from(length) <= u64::from(end)
    };
    ensure!(
        inside(x, width, image.width) && inside(y, height, image.height),
        "the window does not lie in the image"
    );
    let [x, y, width, height] = [x, y, width, height].map(|v| v as usize);
    let rows = image.pixels.chunks_exact(image.width as usize).skip(y).take(height);
    Ok(rows.flat_map(|row| &row[x..x + width]).copied().collect())
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
