//! What the elements of a file say of its image, checked.

use anyhow::{Context, Result, bail, ensure};

use super::display::{Function, Lut, Voi};
use super::elements::{Elements, TOP, Tag, tags};
use super::stream::Stream;
use super::syntax::Syntax;
use crate::{MAX_PIXELS, value};
use mammogram::{Laterality, Modifier, View, Window};

/// Windows of a file that are offered at most.
const MOST_WINDOWS: usize = 8;

/// One image of one plane.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header {
    pub(super) syntax: Syntax,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) bits: Bits,
    /// Whether the least value is to be shown white.
    pub(super) inverted: bool,
    /// Values that show no part of the patient.
    pub(super) padding: Option<[i32; 2]>,
    pub(super) modality: Modality,
    pub(super) voi: Option<Voi>,
    /// All windows of the file, the first of which `voi` has where it is one.
    pub(super) windows: Vec<Window>,
    pub(super) intent: Intent,
    /// Whether the breast has an implant.
    pub(super) implant: bool,
    /// Whether it was computed from tomosynthesis, or is a projection of it.
    pub(super) tomosynthesis: bool,
    pub(super) laterality: Option<Laterality>,
    pub(super) view: Option<View>,
    pub(super) modifier: Option<Modifier>,
    /// Edge of a pixel in micrometres.
    pub(super) micron: Option<f64>,
    /// What a user should know of how it is read.
    pub(super) remarks: Vec<String>,
}

/// What the values are for (PS3.3, C.8.11.1.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    /// To be looked at, or not said.
    Presentation,
    /// To be processed first: the detector's own values; how they follow from the exposure, where it says.
    Processing(Option<Exposure>),
}

/// How a detector's values follow from the X-rays that reach it (PS3.3, C.8.11.3.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exposure {
    /// Whether they are its logarithm.
    pub(super) logarithmic: bool,
    /// Whether more X-rays give a greater value.
    pub(super) rising: bool,
}

/// Where a sample's bits lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bits {
    /// 8 or 16.
    pub(super) allocated: u8,
    pub(super) stored: u8,
    /// How far the stored bits are to be moved down.
    pub(super) shift: u8,
    pub(super) signed: bool,
}

/// From stored values to those of the device.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Modality {
    /// `slope * value + intercept`.
    Linear {
        slope: f64,
        intercept: f64,
    },
    Table(Lut),
}

impl Bits {
    /// The value that stored bits stand for.
    pub(super) fn value(self, raw: u16) -> i32 {
        let value = i32::from(raw);
        if self.signed && value >> (self.stored - 1) == 1 {
            value - (1 << self.stored)
        } else {
            value
        }
    }

    /// The stored bits of a word.
    pub(super) fn raw(self, word: u16) -> u16 {
        (word >> self.shift) & self.mask()
    }

    /// What a word has beside the stored bits, but for a sign that is carried on above them.
    pub(super) fn beside(self, word: u16) -> u16 {
        let used = self.shift + self.stored;
        let above = u16::MAX.checked_shl(used.into()).unwrap_or(0);
        let below = !(u16::MAX << self.shift);
        let carried = self.signed && word & above == above;
        word & if carried { below } else { above | below }
    }

    pub(super) fn mask(self) -> u16 {
        u16::MAX >> (16 - self.stored)
    }

    /// With the precision and sign of a compressed image, where they contradict what is stated: a decoder's
    /// values are as the stream has them.
    fn of_stream(self, stream: Stream, remarks: &mut Vec<String>) -> Self {
        if !(1..=16).contains(&stream.bits) {
            // Refused when it is decoded.
            return self;
        }
        // Only JPEG 2000 says whether its samples are signed.
        let other_sign = stream.syntax == Syntax::Jpeg2000 && stream.signed != self.signed;
        if stream.bits > self.stored {
            remarks.push(format!(
                "its {} has {} bits per sample where {} are stated to be stored; the stream's precision is used",
                stream.syntax.name(), stream.bits, self.stored
            ));
        } else if other_sign {
            let [is, says] =
                if stream.signed { ["signed", "unsigned"] } else { ["unsigned", "signed"] };
            remarks.push(format!(
                "its JPEG 2000 is {is} where {says} samples are stated; its bits are read as stated"
            ));
        } else {
            return self;
        }
        Self { stored: stream.bits, shift: 0, allocated: 16, ..self }
    }
}

impl Header {
    /// # Errors
    /// Says what the image has that is not read, or lacks.
    pub(super) fn new(elements: &Elements) -> Result<Self> {
        let fields = Fields(elements);
        let frames = fields.text(tags::FRAMES).and_then(|text| text.parse::<i64>().ok());
        if let Some(frames) = frames.filter(|&frames| frames > 1) {
            bail!(
                "has {frames} frames; only single images are read, so take the frames apart or leave tomosynthesis out"
            );
        }
        let mut remarks = elements.oddities.clone();
        let stream = Stream::of(&elements.start);
        let syntax = syntax(elements, stream, &mut remarks)?;
        let samples = fields.number(tags::SAMPLES).unwrap_or(1);
        let photometric = fields.code(tags::PHOTOMETRIC).unwrap_or_default();
        let inverted = match photometric.as_str() {
            "MONOCHROME2" if samples == 1 => false,
            "MONOCHROME1" if samples == 1 => true,
            "" => bail!("does not say its photometric interpretation; expected MONOCHROME1 or 2"),
            other => {
                let other: String = other.chars().filter(char::is_ascii_alphanumeric).collect();
                bail!(
                    "is {other} with {samples} samples per pixel; expected MONOCHROME1 or 2 with one"
                );
            }
        };
        let side = |tag, name| {
            let side = fields.number(tag).filter(|&side| side > 0);
            side.map(u32::from).with_context(|| format!("does not give its {name}"))
        };
        let (height, width) = (side(tags::ROWS, "rows")?, side(tags::COLUMNS, "columns")?);
        ensure!(
            u64::from(width) * u64::from(height) <= MAX_PIXELS,
            "has {width} x {height} pixels, more than any mammogram"
        );
        let bits = match stream {
            Some(stream) => fields.bits()?.of_stream(stream, &mut remarks),
            None => fields.bits()?,
        };
        let intent = fields.intent();
        if intent != Intent::Presentation {
            remarks.push(
                "is FOR PROCESSING: the detector's own values are converted, by the logarithm of the exposure and without the maker's processing; use its FOR PRESENTATION image where there is one".into()
            );
        }
        Ok(Self {
            syntax,
            width,
            height,
            bits,
            inverted,
            padding: fields.signed(tags::PADDING, bits).map(|first| {
                let last = fields.signed(tags::PADDING_LIMIT, bits).unwrap_or(first);
                [first.min(last), first.max(last)]
            }),
            modality: match fields.lut(tags::MODALITY_LUTS, bits)? {
                Some(lut) => Modality::Table(lut),
                None => Modality::Linear {
                    slope: fields.decimal(tags::SLOPE).filter(|s| *s != 0.0).unwrap_or(1.0),
                    intercept: fields.decimal(tags::INTERCEPT).unwrap_or(0.0),
                },
            },
            voi: fields.voi(bits)?,
            windows: fields.windows(fields.function()),
            intent,
            implant: fields.code(tags::IMPLANT).as_deref() == Some("YES"),
            tomosynthesis: fields.tomosynthesis(),
            laterality: fields.laterality(),
            view: fields.view(),
            modifier: fields.modifier(),
            micron: fields.micron(),
            remarks,
        })
    }
}

/// How the pixel data are written: as they are, whatever the transfer syntax says.
fn syntax(
    elements: &Elements,
    stream: Option<Stream>,
    remarks: &mut Vec<String>,
) -> Result<Syntax> {
    let stated = Syntax::of(&elements.syntax)?;
    let Some(stream) = stream.filter(|stream| stream.syntax != stated) else { return Ok(stated) };
    let (holds, says) = (stream.syntax.name(), stated.name());
    remarks.push(format!(
        "holds {holds} where its transfer syntax says {says}; it is read as {holds}"
    ));
    Ok(stream.syntax)
}

/// Elements as values of a kind.
struct Fields<'a>(&'a Elements);

impl Fields<'_> {
    /// The first of the values of a text.
    fn text(&self, tag: Tag) -> Option<String> {
        text(self.0.value(TOP, tag)?)
    }

    /// The first of the values of a text, in capital letters, as codes are.
    fn code(&self, tag: Tag) -> Option<String> {
        Some(self.text(tag)?.to_ascii_uppercase())
    }

    fn decimal(&self, tag: Tag) -> Option<f64> {
        self.text(tag)?.parse().ok().filter(|value: &f64| value.is_finite())
    }

    /// All values of a text that are to be numbers.
    fn decimals(&self, tag: Tag) -> Vec<Option<f64>> {
        let bytes = self.0.value(TOP, tag).unwrap_or_default();
        let number = |part: &[u8]| text(part)?.parse().ok().filter(|value: &f64| value.is_finite());
        bytes.split(|&b| b == b'\\').map(number).collect()
    }

    fn word(&self, bytes: [u8; 2]) -> u16 {
        if self.0.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    fn words(&self, parent: Tag, tag: Tag) -> Option<Vec<u16>> {
        let bytes = self.0.value(parent, tag)?;
        Some(bytes.as_chunks::<2>().0.iter().map(|&pair| self.word(pair)).collect())
    }

    fn number(&self, tag: Tag) -> Option<u16> {
        self.words(TOP, tag)?.first().copied()
    }

    /// A number that is signed when the samples are.
    fn signed(&self, tag: Tag, bits: Bits) -> Option<i32> {
        let number = self.number(tag)?;
        Some(if bits.signed { i32::from(number as i16) } else { i32::from(number) })
    }

    fn bits(&self) -> Result<Bits> {
        let get = |tag, name| {
            self.number(tag).with_context(|| format!("does not say how many bits are {name}"))
        };
        let allocated = get(tags::BITS_ALLOCATED, "allocated")?;
        let stored = self.number(tags::BITS_STORED).unwrap_or(allocated);
        let high = self.number(tags::HIGH_BIT).unwrap_or(stored.saturating_sub(1));
        ensure!(
            matches!(allocated, 8 | 16),
            "has {allocated} bits allocated per sample; 8 and 16 are read"
        );
        ensure!(
            (1..=allocated).contains(&stored) && (stored - 1..allocated).contains(&high),
            "has {stored} bits stored up to bit {high} in {allocated}, which cannot be"
        );
        let signed = self.number(tags::SIGNED) == Some(1);
        Ok(Bits {
            allocated: allocated as u8,
            stored: stored as u8,
            shift: (high + 1 - stored) as u8,
            signed,
        })
    }

    /// The table in the first item of a sequence.
    fn lut(&self, sequence: Tag, bits: Bits) -> Result<Option<Lut>> {
        // Some files have a table without values.
        let descriptor = self.words(sequence, tags::LUT_DESCRIPTOR).unwrap_or_default();
        let data = self.0.value(sequence, tags::LUT_DATA).unwrap_or_default();
        if descriptor.is_empty() && data.is_empty() {
            return Ok(None);
        }
        let &[count, first, depth, ..] = &descriptor[..] else {
            bail!("has a look-up table without its three numbers");
        };
        let count = if count == 0 { 1 << 16 } else { usize::from(count) };
        // Entries of 8 bits may be packed.
        let entries: Vec<u16> = if data.len() < 2 * count {
            data.iter().take(count).map(|&v| v.into()).collect()
        } else {
            data.as_chunks::<2>().0.iter().take(count).map(|&pair| self.word(pair)).collect()
        };
        ensure!(
            entries.len() == count && (1..=16).contains(&depth),
            "has a look-up table of {count} entries of {depth} bits in {} bytes",
            data.len()
        );
        let first = if bits.signed { i32::from(first as i16) } else { i32::from(first) };
        Ok(Some(Lut { first, depth: depth as u8, entries }))
    }

    fn voi(&self, bits: Bits) -> Result<Option<Voi>> {
        if let Some(lut) = self.lut(tags::VOI_LUTS, bits)? {
            return Ok(Some(Voi::Table(lut)));
        }
        let function = self.function();
        let first = self.windows(function).first().copied();
        Ok(first.map(|Window { centre, width }| Voi::Window { centre, width, function }))
    }

    fn function(&self) -> Function {
        match self.code(tags::VOI_FUNCTION).as_deref() {
            Some("SIGMOID") => Function::Sigmoid,
            Some("LINEAR_EXACT") => Function::LinearExact,
            _ => Function::Linear,
        }
    }

    /// Every window; without the first, which is how the image is to be shown, there is none.
    fn windows(&self, function: Function) -> Vec<Window> {
        let least = if function == Function::Linear { 1.0 } else { f64::MIN_POSITIVE };
        let [centres, widths] =
            [tags::WINDOW_CENTER, tags::WINDOW_WIDTH].map(|tag| self.decimals(tag));
        let pairs = centres.into_iter().zip(widths);
        let windows = pairs.map_while(|(centre, width)| {
            Some(Window { centre: centre?, width: width.filter(|width| *width >= least)? })
        });
        windows.take(MOST_WINDOWS).collect()
    }

    fn laterality(&self) -> Option<Laterality> {
        let of = |tag| match self.code(tag)?.as_str() {
            "L" => Some(Laterality::Left),
            "R" => Some(Laterality::Right),
            _ => None,
        };
        of(tags::IMAGE_LATERALITY).or_else(|| of(tags::LATERALITY))
    }

    /// By the code of the view, or its name.
    fn view(&self) -> Option<View> {
        let code = self.0.value(tags::VIEW_CODES, tags::CODE_VALUE).and_then(text);
        let named = || value::projection(&self.text(tags::VIEW_POSITION)?)?.view;
        code.and_then(|code| value::view_code(&code)).or_else(named)
    }

    /// By the code of the view's modifier, or in its name.
    fn modifier(&self) -> Option<Modifier> {
        let code = self.0.value(tags::VIEW_MODIFIERS, tags::CODE_VALUE).and_then(text);
        let named = || value::projection(&self.text(tags::VIEW_POSITION)?)?.modifier;
        code.and_then(|code| value::modifier_code(&code)).or_else(named)
    }

    fn intent(&self) -> Intent {
        if self.code(tags::INTENT).as_deref() != Some("FOR PROCESSING") {
            return Intent::Presentation;
        }
        let exposure = || {
            let logarithmic = match self.code(tags::RELATIONSHIP)?.as_str() {
                "LIN" => false,
                "LOG" => true,
                _ => return None,
            };
            match self.number(tags::RELATIONSHIP_SIGN)? as i16 {
                1 => Some(Exposure { logarithmic, rising: true }),
                -1 => Some(Exposure { logarithmic, rising: false }),
                _ => None,
            }
        };
        Intent::Processing(exposure())
    }

    /// Whether the type of the image says so, in its third or fourth value (PS3.3, C.8.11.7.1.4).
    fn tomosynthesis(&self) -> bool {
        let kinds = self.0.value(TOP, tags::IMAGE_TYPE).unwrap_or_default();
        kinds.split(|&b| b == b'\\').skip(2).filter_map(text).any(|kind| {
            matches!(
                kind.to_ascii_uppercase().as_str(),
                "TOMOSYNTHESIS" | "TOMO" | "TOMO_2D" | "TOMO_PROJ" | "GENERATED_2D"
            )
        })
    }

    fn micron(&self) -> Option<f64> {
        let tags = [tags::IMAGER_SPACING, tags::SPACING, tags::SCANNED_SPACING];
        let millimetres = tags.into_iter().find_map(|tag| self.decimal(tag))?;
        Some(millimetres * 1000.0).filter(|micron| (1.0..=10_000.0).contains(micron))
    }
}

/// The first of the values of a text, without padding; `None` when empty.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    let first = bytes.split(|&b| b == b'\\').next()?;
    let text = String::from_utf8_lossy(first);
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    (!text.is_empty()).then(|| text.to_owned())
}
