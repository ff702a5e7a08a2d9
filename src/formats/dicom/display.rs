//! From stored values to a display image (PS3.3, C.11): the modality's rescale or table, then the
//! first value-of-interest table, or else the first window; MONOCHROME1 is inverted. Without a table
//! or a window the least value is black and the greatest white. Padding is always black.

use super::header::{Header, Modality};

/// A look-up table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lut {
    /// The value of the first entry.
    pub(super) first: i32,
    /// Bits of an entry.
    pub(super) depth: u8,
    pub(super) entries: Vec<u16>,
}

/// How the values of interest are shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Voi {
    Table(Lut),
    Window { centre: f64, width: f64, function: Function },
}

/// The shape of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Linear,
    LinearExact,
    Sigmoid,
}

impl Lut {
    /// The entry of a value; those outside take the first or last.
    fn entry(&self, value: f64) -> f64 {
        let last = self.entries.len().saturating_sub(1);
        let index = (value - f64::from(self.first)).floor().clamp(0.0, last as f64) as usize;
        self.entries.get(index).copied().unwrap_or(0).into()
    }

    /// The greatest value that entries may have; some files state too few bits.
    fn most(&self) -> f64 {
        let stated = u16::MAX >> (16 - self.depth);
        self.entries.iter().copied().fold(stated, u16::max).into()
    }
}

impl Voi {
    /// Brightness of a value, from 0 to 1.
    fn brightness(&self, value: f64) -> f64 {
        match *self {
            Voi::Table(ref lut) => lut.entry(value) / lut.most(),
            Voi::Window { centre, width, function } => match function {
                Function::Linear => {
                    let (centre, width) = (centre - 0.5, width - 1.0);
                    if value <= centre - width / 2.0 {
                        0.0
                    } else if value > centre + width / 2.0 {
                        1.0
                    } else {
                        (value - centre) / width + 0.5
                    }
                }
                Function::LinearExact => ((value - centre) / width + 0.5).clamp(0.0, 1.0),
                Function::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
            },
        }
    }
}

impl Header {
    /// Display value of every sample that stored bits can be. `samples` are those of the image.
    pub(super) fn display(&self, samples: &[u16]) -> Vec<u8> {
        let most: Option<f64> = match &self.modality {
            Modality::Table(lut) => Some(lut.most()),
            Modality::Linear { .. } => None,
        };
        let device = |raw: u16| {
            let value = f64::from(self.bits.value(raw));
            match &self.modality {
                Modality::Linear { slope, intercept } => slope * value + intercept,
                Modality::Table(lut) => lut.entry(value),
            }
        };
        let padded = |raw: u16| {
            let value = self.bits.value(raw);
            self.padding.is_some_and(|[first, last]| (first..=last).contains(&value))
        };
        let range = || {
            let mut present = vec![false; usize::from(self.bits.mask()) + 1];
            samples.iter().for_each(|&raw| present[usize::from(raw)] = true);
            let values =
                (0..=self.bits.mask()).filter(|&raw| present[usize::from(raw)] && !padded(raw));
            values.map(device).fold(None, |range: Option<[f64; 2]>, v| {
                Some(range.map_or([v, v], |[least, most]| [least.min(v), most.max(v)]))
            })
        };
        let full = match (&self.voi, most) {
            (Some(_), _) => None,
            // What comes out of the modality's table has a range of its own.
            (None, Some(most)) => Some([0.0, most]),
            (None, None) => range(),
        };
        let brightness = |value: f64| match (&self.voi, full) {
            (Some(voi), _) => voi.brightness(value),
            (None, Some([least, most])) if most > least => (value - least) / (most - least),
            _ => 0.0,
        };
        (0..=self.bits.mask())
            .map(|raw| {
                if padded(raw) {
                    return 0;
                }
                let brightness = brightness(device(raw)).clamp(0.0, 1.0);
                let shown = if self.inverted { 1.0 - brightness } else { brightness };
                (255.0 * shown).round() as u8
            })
            .collect()
    }
}
