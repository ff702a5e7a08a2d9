//! From stored values to a display image (PS3.3, C.11): the modality's rescale or table, then the
//! first value-of-interest table, or else the first window; MONOCHROME1 is inverted. Without a table
//! or a window the least value is black and the greatest white. Padding is always black.
//!
//! Values FOR PROCESSING are shown by how much the breast weakens the X-rays: the negative logarithm of
//! the exposure, from the darkest to the brightest of the pixels without half a per cent at either end
//! (unexposed edges, dead pixels). No maker's processing is imitated.

use super::header::{Exposure, Header, Intent, Modality};

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
        let intent = self.intent;
        let device = |raw: u16| match intent {
            Intent::Processing(Some(exposure)) => exposure.weakened(device(raw)),
            _ => device(raw),
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
        let raw_values = matches!(self.intent, Intent::Processing(_));
        let voi = self.voi.as_ref().filter(|_| !raw_values);
        let full = match (voi, most) {
            (Some(_), _) => None,
            _ if raw_values => self.clipped(samples, device, padded),
            // What comes out of the modality's table has a range of its own.
            (None, Some(most)) => Some([0.0, most]),
            (None, None) => range(),
        };
        let inverted = self.inverted && !raw_values;
        let brightness = |value: f64| match (voi, full) {
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
                let shown = if inverted { 1.0 - brightness } else { brightness };
                (255.0 * shown).round() as u8
            })
            .collect()
    }

    /// The range of the values without the share [`CLIPPED`] at either end.
    fn clipped(
        &self,
        samples: &[u16],
        device: impl Fn(u16) -> f64,
        padded: impl Fn(u16) -> bool,
    ) -> Option<[f64; 2]> {
        let mut counts = vec![0u32; usize::from(self.bits.mask()) + 1];
        samples.iter().for_each(|&raw| counts[usize::from(raw)] += 1);
        let raws =
            (0..=self.bits.mask()).filter(|&raw| counts[usize::from(raw)] > 0 && !padded(raw));
        let mut values: Vec<(f64, u32)> =
            raws.map(|raw| (device(raw), counts[usize::from(raw)])).collect();
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
