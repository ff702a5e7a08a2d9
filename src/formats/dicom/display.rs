//! From stored values to a display image (PS3.3, C.11): the modality's rescale or table, then the
//! first value-of-interest table, or else the first window; MONOCHROME1 is inverted. Without a table
//! or a window the least value is black and the greatest white. Padding is always black.
//!
//! Values FOR PROCESSING are shown by how much the breast weakens the X-rays: the negative logarithm of
//! the exposure, from the darkest to the brightest of the pixels without half a per cent at either end
//! (unexposed edges, dead pixels). No maker's processing is imitated.

use super::header::{Exposure, Header, Intent, Modality};
use mammogram::{Shape, Values, Window};

/// Share of the pixels at either end that are beyond black and white in values FOR PROCESSING.
const CLIPPED: f64 = 0.005;

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

/// How the values of one image are shown.
struct Tone<'a> {
    voi: Option<&'a Voi>,
    /// Black and white without one.
    full: Option<[f64; 2]>,
    inverted: bool,
}

impl Tone<'_> {
    /// Brightness of a value of the device, from 0 to 1.
    fn brightness(&self, value: f64) -> f64 {
        let brightness = match (self.voi, self.full) {
            (Some(voi), _) => voi.brightness(value),
            (None, Some([least, most])) if most > least => (value - least) / (most - least),
            _ => 0.0,
        };
        let brightness = brightness.clamp(0.0, 1.0);
        if self.inverted { 1.0 - brightness } else { brightness }
    }
}

impl Header {
    /// Display value of every sample that stored bits can be. `samples` are those of the image.
    pub(super) fn display(&self, samples: &[u16]) -> Vec<u8> {
        let tone = self.tone(samples);
        let shown = |raw: u16| match self.is_padding(raw) {
            true => 0,
            false => (255.0 * tone.brightness(self.device(self.number(raw)))).round() as u8,
        };
        (0..=self.bits.mask()).map(shown).collect()
    }

    /// The image in its own values, after the modality's rescale or table. Those FOR PROCESSING are the detector's,
    /// and shown by a curve, as are those with a table of values of interest.
    pub(super) fn values(&self, samples: &[u16]) -> Values {
        let tone = self.tone(samples);
        let numbers = || samples.iter().filter(|&&raw| !self.is_padding(raw));
        let numbers = || numbers().map(|&raw| self.number(raw));
        let (least, most) = (numbers().min().unwrap_or(0), numbers().max().unwrap_or(0));
        let (slope, intercept) = self.rescale();
        let value = |number: i32| slope * f64::from(number) + intercept;
        let brightness = |number: i32| tone.brightness(self.device(number));
        let raw_values = matches!(self.intent, Intent::Processing(_));
        let curve = |numbers: std::ops::RangeInclusive<i32>| {
            let levels = numbers.map(|number| (255.0 * brightness(number)).round() as u8);
            let [first, last] = [value(least), value(most)];
            let levels: Vec<u8> = levels.collect();
            // From the least value to the greatest.
            let levels = if slope < 0.0 { levels.into_iter().rev().collect() } else { levels };
            (vec![Window::exactly(first.min(last), first.max(last))], Shape::Curve(levels))
        };
        let (windows, shape) = match (tone.voi, tone.full) {
            (Some(Voi::Window { function, .. }), _) => {
                let shape = match function {
                    Function::Linear => Shape::Linear,
                    Function::LinearExact => Shape::LinearExact,
                    Function::Sigmoid => Shape::Sigmoid,
                };
                (self.windows.clone(), shape)
            }
            (None, Some([black, white])) if !raw_values && slope.abs() == 1.0 => {
                (vec![Window::over(black, white)], Shape::Linear)
            }
            (None, Some([black, white])) if !raw_values => {
                (vec![Window::exactly(black, white)], Shape::LinearExact)
            }
            _ => curve(least..=most),
        };
        let inverted = tone.inverted && !matches!(shape, Shape::Curve(_));
        // Padding lies beyond the darker end, where there is room for it.
        let dark_first = brightness(least) <= brightness(most);
        let padded = samples.iter().any(|&raw| self.is_padding(raw));
        let reserved = padded && most - least < i32::from(u16::MAX);
        let below = i32::from(reserved && dark_first);
        let dark = match (dark_first, reserved) {
            (true, _) => 0,
            (false, true) => most - least + 1,
            (false, false) => most - least,
        };
        let code = |&raw: &u16| match self.is_padding(raw) {
            true => dark as u16,
            false => (self.number(raw) - least + below) as u16,
        };
        Values {
            width: self.width,
            height: self.height,
            codes: samples.iter().map(code).collect(),
            first: value(least - below),
            step: slope,
            padding: reserved.then_some(dark as u16),
            windows,
            shape,
            inverted,
        }
    }

    /// What the values of interest, or their lack, make of the image.
    fn tone(&self, samples: &[u16]) -> Tone<'_> {
        let raw_values = matches!(self.intent, Intent::Processing(_));
        let voi = self.voi.as_ref().filter(|_| !raw_values);
        let full = match (voi, &self.modality) {
            (Some(_), _) => None,
            _ if raw_values => self.clipped(samples),
            // What comes out of the modality's table has a range of its own.
            (None, Modality::Table(lut)) => Some([0.0, lut.most()]),
            (None, Modality::Linear { .. }) => self.range(samples),
        };
        Tone { voi, full, inverted: self.inverted && !raw_values }
    }

    /// A stored value, or the entry of the modality's table.
    fn number(&self, raw: u16) -> i32 {
        let value = self.bits.value(raw);
        match &self.modality {
            Modality::Linear { .. } => value,
            Modality::Table(lut) => lut.entry(value.into()) as i32,
        }
    }

    /// The modality's slope and intercept, of what [`Header::number`] gives.
    pub(super) fn rescale(&self) -> (f64, f64) {
        match self.modality {
            Modality::Linear { slope, intercept } => (slope, intercept),
            Modality::Table(_) => (1.0, 0.0),
        }
    }

    /// The device's value, which is shown, of a number.
    fn device(&self, number: i32) -> f64 {
        let (slope, intercept) = self.rescale();
        let value = slope * f64::from(number) + intercept;
        match self.intent {
            Intent::Processing(Some(exposure)) => exposure.weakened(value),
            _ => value,
        }
    }

    fn is_padding(&self, raw: u16) -> bool {
        let value = self.bits.value(raw);
        self.padding.is_some_and(|[first, last]| (first..=last).contains(&value))
    }

    /// The least and the greatest value of the image, without padding.
    fn range(&self, samples: &[u16]) -> Option<[f64; 2]> {
        let mut present = vec![false; usize::from(self.bits.mask()) + 1];
        samples.iter().for_each(|&raw| present[usize::from(raw)] = true);
        let raws = (0..=self.bits.mask())
            .filter(|&raw| present[usize::from(raw)] && !self.is_padding(raw));
        raws.map(|raw| self.device(self.number(raw))).fold(None, |range: Option<[f64; 2]>, v| {
            Some(range.map_or([v, v], |[least, most]| [least.min(v), most.max(v)]))
        })
    }

    /// The range of the values without the share [`CLIPPED`] at either end.
    fn clipped(&self, samples: &[u16]) -> Option<[f64; 2]> {
        let mut counts = vec![0u32; usize::from(self.bits.mask()) + 1];
        samples.iter().for_each(|&raw| counts[usize::from(raw)] += 1);
        let raws = (0..=self.bits.mask())
            .filter(|&raw| counts[usize::from(raw)] > 0 && !self.is_padding(raw));
        let mut values: Vec<(f64, u32)> =
            raws.map(|raw| (self.device(self.number(raw)), counts[usize::from(raw)])).collect();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: u64 = values.iter().map(|(_, count)| u64::from(*count)).sum();
        let beyond = (total as f64 * CLIPPED) as u64;
        let lowest = inner(values.iter(), beyond)?;
        Some([lowest, inner(values.iter().rev(), beyond)?])
    }
}

/// The first value that is not among the `beyond` first pixels.
fn inner<'a>(values: impl Iterator<Item = &'a (f64, u32)>, beyond: u64) -> Option<f64> {
    let mut passed = 0;
    for (value, count) in values {
        passed += u64::from(*count);
        if passed > beyond {
            return Some(*value);
        }
    }
    None
}

impl Exposure {
    /// How much the X-rays were weakened, on a logarithmic scale, by a value of the detector.
    fn weakened(self, value: f64) -> f64 {
        let value = if self.rising { -value } else { value };
        match (self.logarithmic, self.rising) {
            (true, _) => value,
            (false, true) => -(-value).max(1.0).ln(),
            // What falls with the exposure has no logarithm of it; its own order is kept.
            (false, false) => value,
        }
    }
}
