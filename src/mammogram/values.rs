//! The values of an image as its source has them, of up to 16 bits, with how they are shown.

use super::Grey;

/// An image in the values of its source, row-major.
///
/// Values are kept as codes: whole numbers from 0, in steps of one of the source's values. A pixel of no part of the
/// patient (padding) has a code of its own, beyond the darkest.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` codes, row by row.
    pub codes: Vec<u16>,
    /// The value of code 0, in the source's unit (DICOM: after the modality's rescale or table).
    pub first: f64,
    /// From a code's value to that of the next; never 0.
    pub step: f64,
    /// The code of padding, which is always shown black; the least or the greatest code.
    pub padding: Option<u16>,
    /// What the source proposes to look at, the first to begin with; never empty.
    pub windows: Vec<Window>,
    /// How brightness rises within a window.
    pub shape: Shape,
    /// Whether the least value of a window is white (DICOM: MONOCHROME1).
    pub inverted: bool,
}

/// A range of values, from black to white.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Its centre, in the source's unit.
    pub centre: f64,
    /// Its width; what that means at its ends follows from the [`Shape`].
    pub width: f64,
}

/// How brightness follows from values (DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// DICOM's linear function, which counts whole values: the centre is half a value lower, the width one less.
    Linear,
    /// DICOM's LINEAR_EXACT, for values of any kind.
    LinearExact,
    /// DICOM's SIGMOID.
    Sigmoid,
    /// Brightness at places of the same distance over a window as of `LinearExact`, from 0 to 255.
    Curve(Vec<u8>),
}

impl Values {
    /// A display image: its grey levels are all there is.
    pub fn of(image: Grey) -> Self {
        let Grey { width, height, pixels } = image;
        Self {
            width,
            height,
            codes: pixels.into_iter().map(u16::from).collect(),
            first: 0.0,
            step: 1.0,
            padding: None,
            windows: vec![Window { centre: 128.0, width: 256.0 }],
            shape: Shape::Linear,
            inverted: false,
        }
    }

    /// Whole numbers, of which the least is black and the greatest white.
    pub fn stretched(width: u32, height: u32, mut codes: Vec<u16>) -> Self {
        let [least, most] = range(&codes);
        codes.iter_mut().for_each(|code| *code -= least);
        Self {
            codes,
            first: f64::from(least),
            windows: vec![Window::over(f64::from(least), f64::from(most))],
            ..Self::of(Grey { width, height, pixels: Vec::new() })
        }
    }

    /// Numbers of any kind in 65,536 steps, of which the least is black and the greatest white.
    pub fn of_numbers(width: u32, height: u32, numbers: impl Iterator<Item = f64> + Clone) -> Self {
        let least = numbers.clone().fold(f64::INFINITY, f64::min);
        let most = numbers.clone().fold(f64::NEG_INFINITY, f64::max);
        let step = if most > least { (most - least) / f64::from(u16::MAX) } else { 1.0 };
        let wide = (most - least).max(step);
        Self {
            codes: numbers.map(|number| ((number - least) / step).round() as u16).collect(),
            first: if least.is_finite() { least } else { 0.0 },
            step,
            windows: vec![Window { centre: least + wide / 2.0, width: wide }],
            shape: Shape::LinearExact,
            ..Self::of(Grey { width, height, pixels: Vec::new() })
        }
    }

    /// Whole numbers that a table shows, whose entries are brightness from 0 to 255; numbers beyond its end are shown
    /// as its last entry.
    pub fn curved(width: u32, height: u32, codes: Vec<u16>, table: &[u8]) -> Self {
        let values = Self::stretched(width, height, codes);
        let [_, greatest] = range(&values.codes);
        let shown = |code: u16| {
            let at = values.first as usize + usize::from(code);
            table.get(at).or(table.last()).copied().unwrap_or(0)
        };
        let curve: Vec<u8> = (0..=greatest).map(shown).collect();
        let last = values.first + f64::from(greatest);
        Self {
            windows: vec![Window::exactly(values.first, last)],
            shape: Shape::Curve(curve),
            ..values
        }
    }

    /// The value that a code stands for.
    pub fn value(&self, code: u16) -> f64 {
        self.first + self.step * f64::from(code)
    }

    /// Brightness from 0 to 1 of a code under a window.
    pub fn brightness(&self, code: u16, window: Window) -> f64 {
        if self.padding == Some(code) {
            return 0.0;
        }
        let Window { centre, width } = window;
        let value = self.value(code);
        let exact = (value - centre) / width + 0.5;
        let shown = match &self.shape {
            // A width of one is a threshold.
            Shape::Linear if width <= 1.0 => f64::from(value > centre - 0.5),
            Shape::Linear => (value - (centre - 0.5)) / (width - 1.0) + 0.5,
            Shape::LinearExact => exact,
            Shape::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
            Shape::Curve(curve) => {
                let last = curve.len().saturating_sub(1);
                let at = (exact.clamp(0.0, 1.0) * last as f64).round() as usize;
                f64::from(curve.get(at).copied().unwrap_or(0)) / 255.0
            }
        };
        let shown = shown.clamp(0.0, 1.0);
        if self.inverted { 1.0 - shown } else { shown }
    }
}

impl Window {
    /// From the least of whole values, black, to the greatest, white, by [`Shape::Linear`].
    pub fn over(least: f64, most: f64) -> Self {
        Self { centre: f64::midpoint(least, most) + 0.5, width: most - least + 1.0 }
    }

    /// The same by [`Shape::LinearExact`]; a window has some width.
    pub fn exactly(least: f64, most: f64) -> Self {
        Self { centre: f64::midpoint(least, most), width: (most - least).max(f64::EPSILON) }
    }
}

/// The least and the greatest; 0 where there are none.
fn range(codes: &[u16]) -> [u16; 2] {
    let least = codes.iter().copied().min().unwrap_or(0);
    [least, codes.iter().copied().max().unwrap_or(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(values: &Values) -> Vec<u8> {
        let window = values.windows[0];
        let shown = |&code: &u16| (255.0 * values.brightness(code, window)).round() as u8;
        values.codes.iter().map(shown).collect()
    }

    #[test]
    fn a_display_image_is_shown_as_it_is() {
        let pixels: Vec<u8> = (0..=255).collect();
        let values = Values::of(Grey { width: 16, height: 16, pixels: pixels.clone() });
        assert_eq!(shown(&values), pixels);
    }

    #[test]
    fn other_numbers_go_from_black_to_white() {
        let values = Values::stretched(3, 1, vec![100, 300, 200]);
        assert_eq!(
            (shown(&values), values.codes, values.first),
            (vec![0, 255, 128], vec![0, 200, 100], 100.0)
        );
        let one = Values::stretched(2, 1, vec![7, 7]);
        assert_eq!(shown(&one).len(), 2);
        let numbers = [-5.5, 5.0, 0.0];
        let values = Values::of_numbers(3, 1, numbers.into_iter());
        assert_eq!(shown(&values), [0, 255, 134]);
        for (code, number) in values.codes.iter().zip(numbers) {
            assert!((values.value(*code) - number).abs() < 1e-4);
        }
        assert_eq!(shown(&Values::of_numbers(1, 1, [3.0].into_iter())), [0]);
    }

    #[test]
    fn a_table_is_stretched_with_its_window() {
        let table: Vec<u8> = (0..=255).rev().collect();
        let values = Values::curved(2, 2, vec![20, 40, 60, 400], &table);
        assert_eq!(shown(&values), [235, 215, 195, 0]);
        // Half as wide, around the same centre.
        let [window] = values.windows[..] else { panic!("one window") };
        let narrow = Window { width: window.width / 2.0, ..window };
        assert_eq!(values.brightness(0, narrow) * 255.0, 235.0);
        assert_eq!(values.brightness(190, narrow), values.brightness(190, window));
    }

    #[test]
    fn padding_is_black_whatever_the_window() {
        let mut values = Values::stretched(2, 1, vec![1, 2]);
        (values.padding, values.inverted) = (Some(1), true);
        assert_eq!(shown(&values), [255, 0]);
    }
}
