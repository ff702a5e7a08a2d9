//! An image of one grey plane with the values of its file, and what becomes of them.

use anyhow::{Result, ensure};
use image::metadata::Orientation;

use super::Samples;
use mammogram::{Grey, Values as Stored};

/// Values row by row, as the file has them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Values {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
    /// Signed, or of more bits.
    Whole(Vec<i64>),
    Real(Vec<f32>),
}

/// A grey plane.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Raster {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) values: Values,
    /// White of values of one byte; of others the greatest is white.
    pub(crate) white: u32,
}

impl Raster {
    /// As a display image: bytes are used as they are, with their white at 255; of others the least value is
    /// black and the greatest white.
    pub(crate) fn shown(self) -> Grey {
        let (width, height) = (self.width, self.height);
        let pixels = match self.values {
            Values::Bytes(values) if self.white == 255 => values,
            Values::Bytes(values) => {
                let white = self.white.max(1);
                // Rounded to nearest.
                let shown = |v: u8| ((u32::from(v).min(white) * 510 + white) / (2 * white)) as u8;
                values.into_iter().map(shown).collect()
            }
            Values::Words(values) => {
                let least = values.iter().copied().min().unwrap_or(0);
                let range = u32::from(values.iter().copied().max().unwrap_or(0) - least).max(1);
                let shown = |v: u16| ((u32::from(v - least) * 510 + range) / (2 * range)) as u8;
                values.into_iter().map(shown).collect()
            }
            Values::Whole(values) => stretched(&values, |v| v as f64),
            Values::Real(values) => stretched(&values, f64::from),
        };
        Grey { width, height, pixels }
    }

    /// As values: bytes are grey levels as they are shown, of others the least value is black and the greatest white.
    pub(crate) fn stored(self) -> Stored {
        let (width, height) = (self.width, self.height);
        match self.values {
            Values::Bytes(_) => Stored::of(self.shown()),
            Values::Words(values) => Stored::stretched(width, height, values),
            Values::Whole(values) => {
                Stored::of_numbers(width, height, values.iter().map(|&value| value as f64))
            }
            Values::Real(values) => {
                Stored::of_numbers(width, height, values.iter().map(|&value| f64::from(value)))
            }
        }
    }

    /// As samples of masks: whole numbers that are not changed.
    ///
    /// # Errors
    /// When a value is no whole number from 0 to 65535.
    pub(crate) fn samples(self) -> Result<Samples> {
        let (width, height) = (self.width, self.height);
        let fits = |number: f64| {
            ensure!(
                number.fract() == 0.0 && (0.0..=65_535.0).contains(&number),
                "has the value {number}; a mask's are whole numbers from 0 to 65535"
            );
            Ok(number as u16)
        };
        let values = match self.values {
            Values::Bytes(values) => values.into_iter().map(u16::from).collect(),
            Values::Words(values) => values,
            Values::Whole(values) => {
                values.into_iter().map(|v| fits(v as f64)).collect::<Result<_>>()?
            }
            Values::Real(values) => {
                values.into_iter().map(|v| fits(v.into())).collect::<Result<_>>()?
            }
        };
        Ok(Samples { width, height, values })
    }

    /// Turned and mirrored as a tag of the file asks for.
    pub(crate) fn turned(self, by: Orientation) -> Self {
        let (width, height) = (self.width, self.height);
        let [new_width, new_height] = turned([width, height], by);
        let values = match self.values {
            values if by == Orientation::NoTransforms => values,
            Values::Bytes(values) => Values::Bytes(moved(&values, [width, height], by)),
            Values::Words(values) => Values::Words(moved(&values, [width, height], by)),
            Values::Whole(values) => Values::Whole(moved(&values, [width, height], by)),
            Values::Real(values) => Values::Real(moved(&values, [width, height], by)),
        };
        Self { width: new_width, height: new_height, values, white: self.white }
    }
}

/// The least value black, the greatest white.
fn stretched<T: Copy>(values: &[T], number: impl Fn(T) -> f64) -> Vec<u8> {
    let numbers = || values.iter().map(|&v| number(v));
    let least = numbers().fold(f64::INFINITY, f64::min);
    let greatest = numbers().fold(f64::NEG_INFINITY, f64::max);
    let range = if greatest > least { greatest - least } else { 1.0 };
    numbers().map(|v| (255.0 * (v - least) / range).round() as u8).collect()
}

/// The size of an image that is turned.
pub(crate) fn turned([width, height]: [u32; 2], by: Orientation) -> [u32; 2] {
    match by {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => [height, width],
        _ => [width, height],
    }
}

fn moved<T: Copy>(values: &[T], [width, height]: [u32; 2], by: Orientation) -> Vec<T> {
    let [new_width, new_height] = turned([width, height], by);
    let (right, bottom) = (width.saturating_sub(1), height.saturating_sub(1));
    // Where the value at column x and row y comes from.
    let from = |x: u32, y: u32| match by {
        Orientation::NoTransforms => (x, y),
        Orientation::FlipHorizontal => (right - x, y),
        Orientation::Rotate180 => (right - x, bottom - y),
        Orientation::FlipVertical => (x, bottom - y),
        Orientation::Rotate90FlipH => (y, x),
        Orientation::Rotate90 => (y, bottom - x),
        Orientation::Rotate270FlipH => (right - y, bottom - x),
        Orientation::Rotate270 => (right - y, x),
    };
    let places = (0..new_height).flat_map(|y| (0..new_width).map(move |x| (x, y)));
    places
        .map(|(x, y)| {
            let (x, y) = from(x, y);
            values[y as usize * width as usize + x as usize]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{DynamicImage, GrayImage};

    #[test]
    fn images_are_turned_as_the_image_crate_turns_them() {
        let pixels: Vec<u8> = (0..12).collect();
        for number in 1..=8 {
            let by = Orientation::from_exif(number).unwrap();
            let mut theirs =
                DynamicImage::ImageLuma8(GrayImage::from_raw(4, 3, pixels.clone()).unwrap());
            theirs.apply_orientation(by);
            let values = Values::Bytes(pixels.clone());
            let ours = Raster { width: 4, height: 3, values, white: 255 }.turned(by);
            assert_eq!([ours.width, ours.height], [theirs.width(), theirs.height()], "{by:?}");
            assert_eq!(ours.shown().pixels, theirs.into_luma8().into_raw(), "{by:?}");
        }
    }

    #[test]
    fn other_values_than_bytes_are_stretched() {
        let raster = |values| Raster { width: 3, height: 1, values, white: 255 };
        assert_eq!(raster(Values::Words(vec![100, 300, 200])).shown().pixels, [0, 255, 128]);
        assert_eq!(raster(Values::Whole(vec![-5, 5, 0])).shown().pixels, [0, 255, 128]);
        assert_eq!(raster(Values::Real(vec![0.5, 0.5, 0.5])).shown().pixels, [0, 0, 0]);
        assert_eq!(raster(Values::Real(vec![0.0, 1.0, 0.0])).samples().unwrap().values, [0, 1, 0]);
        let fraction = raster(Values::Real(vec![0.0, 0.5, 1.0])).samples().unwrap_err();
        assert!(fraction.to_string().contains("the value 0.5"), "{fraction}");
        assert!(raster(Values::Whole(vec![0, -1, 70_000])).samples().is_err());
    }
}
