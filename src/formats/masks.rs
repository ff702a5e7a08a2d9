//! Masks as images: what the pixels of a file are, which pictures are masks, and what they mark.
//!
//! A mask is not a picture. What a label map's pixel is counts as it is stored, be it the index into a palette
//! or two bits; what is marked without a value is what is bright as the file's photometric interpretation
//! has it; what is transparent is outside.

use std::io::{BufRead, BufReader, Cursor, Read, Seek};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use tiff::decoder::{Decoder as Tiff, DecodingResult, Limits};
use tiff::tags::{PhotometricInterpretation as Photometric, Tag};

use crate::picture::{Picture, Samples};
use crate::{MAX_PIXELS, room};
use base::input;
use mammogram::{Mask, Outline, breast, contours};

/// Share of pixels that may lie between the two values of a mask: lossy JPEG blurs its edges.
const BLURRED: f64 = 0.01;
/// Share of the breast above which a mask marks no lesion.
const MOST: f64 = 0.5;
/// Share of the image below which a mask is not held against the breast: no breast is as small.
const SMALL: f64 = 0.04;
/// Values of a label map that a message lists.
const LISTED: usize = 12;
/// Memory that a decoder may take.
const MAX_MEMORY: usize = 1 << 29;

/// The pixels of a mask's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    width: u32,
    height: u32,
    /// As they are stored.
    values: Vec<u16>,
    /// As they are shown, from dark to bright; none where that is as they are stored.
    shown: Option<Vec<u16>>,
    /// Which are not transparent; none where no pixel can be.
    opaque: Option<Vec<bool>>,
    /// Whether the colours are more than greys and no palette's, so that no value stands for one.
    coloured: bool,
}

impl Labels {
    /// Reads a file of any form that a picture may have.
    ///
    /// # Errors
    /// What is wrong with it; the caller says of which file.
    pub fn open(path: &Path) -> Result<Self> {
        let (file, _) = input::open(path).context("cannot be opened")?;
        Self::read(BufReader::new(file), path)
    }

    pub(crate) fn read(mut file: impl BufRead + Seek, path: &Path) -> Result<Self> {
        let start = file.fill_buf()?;
        if start.starts_with(&[0x89, b'P', b'N', b'G']) {
            return Self::png(file);
        }
        if start.starts_with(b"II*\0") || start.starts_with(b"MM\0*") {
            return Self::tiff(file);
        }
        let picture = Picture::open(path)?;
        let Samples { width, height, values } = picture.samples()?;
        let shown = picture.dicom().filter(|dicom| dicom.is_inverted()).map(|_| inverted(&values));
        Ok(Self { width, height, values, shown, opaque: None, coloured: false })
    }

    fn png(source: impl BufRead + Seek) -> Result<Self> {
        let limits = png::Limits { bytes: MAX_MEMORY };
        let mut reader = png::Decoder::new_with_limits(source, limits).read_info()?;
        let (width, height) = reader.info().size();
        check_size(width, height)?;
        let _room = room::for_pixels(u64::from(width) * u64::from(height));
        let size = reader.output_buffer_size().context("is too large")?;
        ensure!(size <= MAX_MEMORY, "is too large");
        let mut bytes = vec![0; size];
        let frame = reader.next_frame(&mut bytes)?;
        let channels = frame.color_type.samples();
        let bits = frame.bit_depth as u8;
        let all = unpacked(&bytes, width as usize * channels, frame.line_size, bits, height);
        let info = reader.info();
        let alpha = info.trns.as_deref().unwrap_or_default();
        Ok(match frame.color_type {
            png::ColorType::Indexed => {
                let palette = info.palette.as_deref().unwrap_or_default().as_chunks::<3>().0;
                let bright = |v: &u16| {
                    palette.get(usize::from(*v)).map_or(0, |rgb| luma(rgb.map(u16::from)))
                };
                let shown = Some(all.iter().map(bright).collect());
                let opaque = (!alpha.is_empty()).then(|| {
                    all.iter()
                        .map(|v| alpha.get(usize::from(*v)).is_none_or(|a| *a >= 128))
                        .collect()
                });
                Self { width, height, values: all, shown, opaque, coloured: false }
            }
            png::ColorType::Grayscale => {
                // One byte of the two is kept where one is enough.
                let clear = match *alpha {
                    [low] => Some(u16::from(low)),
                    [high, low, ..] => Some(u16::from_be_bytes([high, low])),
                    [] => None,
                };
                let opaque = clear.map(|clear| all.iter().map(|v| *v != clear).collect());
                Self { width, height, values: all, shown: None, opaque, coloured: false }
            }
            _ => Self::of_channels(width, height, &all, channels, u16::MAX >> (16 - bits)),
        })
    }

    fn tiff(source: impl Read) -> Result<Self> {
        let mut bytes = Vec::new();
        source.take(MAX_MEMORY as u64 + 1).read_to_end(&mut bytes)?;
        ensure!(bytes.len() <= MAX_MEMORY, "is too large");
        let indexed = as_greys(&mut bytes);
        let mut limits = Limits::default();
        limits.decoding_buffer_size = MAX_MEMORY;
        limits.intermediate_buffer_size = MAX_MEMORY;
        let mut decoder = Tiff::new(Cursor::new(bytes))?.with_limits(limits);
        let (width, height) = decoder.dimensions()?;
        check_size(width, height)?;
        let _room = room::for_wide_pixels(u64::from(width) * u64::from(height));
        let photometric: Option<u16> = decoder.find_tag_unsigned(Tag::PhotometricInterpretation)?;
        let photometric = photometric.and_then(Photometric::from_u16);
        let color = decoder.colortype()?;
        let bits = color.bit_depth();
        let channels = usize::from(color.num_samples());
        let planar: Option<u16> = decoder.find_tag_unsigned(Tag::PlanarConfiguration)?;
        ensure!(
            channels == 1 || planar != Some(2),
            "has its colours in planes; convert it to grey"
        );
        let map = match color {
            _ if indexed => Some(decoder.get_tag_u16_vec(Tag::ColorMap)?),
            tiff::ColorType::Gray(_)
            | tiff::ColorType::GrayA(8 | 16)
            | tiff::ColorType::RGB(8 | 16)
            | tiff::ColorType::RGBA(8 | 16)
            | tiff::ColorType::Multiband { num_samples: 2, bit_depth: 8 | 16 } => None,
            _ => bail!("is a TIFF of a kind that is not read as a mask; convert it to grey"),
        };
        let all = match decoder.read_image()? {
            DecodingResult::U8(bytes) if bits < 8 => {
                let line = (width as usize * channels * usize::from(bits)).div_ceil(8);
                unpacked(&bytes, width as usize * channels, line, bits, height)
            }
            DecodingResult::U8(values) => values.into_iter().map(u16::from).collect(),
            DecodingResult::U16(values) => values,
            DecodingResult::U32(values) => whole(values)?,
            DecodingResult::U64(values) => whole(values)?,
            DecodingResult::I8(values) => whole(values)?,
            DecodingResult::I16(values) => whole(values)?,
            DecodingResult::I32(values) => whole(values)?,
            DecodingResult::I64(values) => whole(values)?,
            DecodingResult::F32(values) => fractions(values.into_iter().map(f64::from))?,
            DecodingResult::F64(values) => fractions(values.into_iter())?,
            _ => bail!("has samples of a kind that is not read as a mask; convert it to 8 bits"),
        };
        ensure!(all.len() >= width as usize * height as usize * channels, "is truncated");
        if let Some(map) = map {
            let each = map.len() / 3;
            let bright = |v: &u16| {
                let index = usize::from(*v);
                let part = |k: usize| map.get(k * each + index).copied().unwrap_or(0);
                if index < each { luma([part(0), part(1), part(2)]) } else { 0 }
            };
            let shown = Some(all.iter().map(bright).collect());
            return Ok(Self { width, height, values: all, shown, opaque: None, coloured: false });
        }
        if channels > 1 {
            return Ok(Self::of_channels(
                width,
                height,
                &all,
                channels,
                u16::MAX >> (16 - bits.min(16)),
            ));
        }
        // The decoder has turned what is stored into what is shown.
        if photometric == Some(Photometric::WhiteIsZero) && bits <= 16 {
            let most = u16::MAX >> (16 - bits);
            let values = all.iter().map(|&v| most - v.min(most)).collect();
            return Ok(Self {
                width,
                height,
                values,
                shown: Some(all),
                opaque: None,
                coloured: false,
            });
        }
        Ok(Self { width, height, values: all, shown: None, opaque: None, coloured: false })
    }

    /// Grey or colours with or without transparency, `most` being white.
    fn of_channels(width: u32, height: u32, all: &[u16], channels: usize, most: u16) -> Self {
        let pixels = || all.chunks_exact(channels);
        let colours = if channels < 3 { 1 } else { 3 };
        let grey = |pixel: &[u16]| match pixel {
            [r, g, b, ..] if colours == 3 => luma([*r, *g, *b]),
            [v, ..] => *v,
            [] => 0,
        };
        let coloured = pixels().any(|pixel| pixel[..colours].iter().any(|v| *v != pixel[0]));
        let opaque =
            (channels > colours).then(|| pixels().map(|p| p[colours] > most / 2).collect());
        Self { width, height, values: pixels().map(grey).collect(), shown: None, opaque, coloured }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> [u32; 2] {
        [self.width, self.height]
    }

    /// What is seen of each pixel: black where it is transparent.
    fn seen(&self) -> Vec<u16> {
        let mut seen = self.shown.clone().unwrap_or_else(|| self.values.clone());
        if let Some(opaque) = &self.opaque {
            // A shape of one colour on nothing is marked, whatever the colour.
            let mut inside = seen.iter().zip(opaque).filter(|(_, opaque)| **opaque).map(|(v, _)| v);
            let first = inside.next().copied();
            let shape = opaque.contains(&false) && inside.all(|v| Some(*v) == first);
            for (value, opaque) in seen.iter_mut().zip(opaque) {
                *value = match (opaque, shape) {
                    (false, _) => 0,
                    (true, true) => 1,
                    (true, false) => *value,
                };
            }
        }
        seen
    }

    /// Whether only black and white occur, but for the blur of lossy compression. A picture of one
    /// value alone marks nothing and is no mask.
    pub fn is_mask(&self) -> bool {
        two_values(&self.seen())
    }

    /// Whether there are more values than a mask has.
    pub fn is_picture(&self) -> bool {
        let seen = self.seen();
        seen.iter().any(|v| Some(v) != seen.first()) && !two_values(&seen)
    }

    /// The pixels of a value as it is stored or, without one, the bright ones of two.
    ///
    /// # Errors
    /// When it marks no pixel or all of them, or says nothing without a value.
    pub fn marked(&self, value: Option<u16>) -> Result<Mask> {
        let of = |pixels: Vec<bool>| Mask { width: self.width, height: self.height, pixels };
        let Some(value) = value else {
            let seen = self.seen();
            let most = seen.iter().copied().max().unwrap_or(0);
            ensure!(most > 0, "marks no pixel");
            ensure!(seen.iter().any(|v| *v != most), "marks every pixel");
            ensure!(
                two_values(&seen),
                "is not of two values; give the `value` of the pixels meant, of {}",
                self.listed()
            );
            return Ok(of(seen.iter().map(|v| *v > most / 2).collect()));
        };
        ensure!(
            !self.coloured,
            "is in colour, so that no `value` stands for its pixels; convert it to grey"
        );
        let outside = |at: usize| {
            // A palette's entry is meant whether it can be seen or not.
            self.shown.is_none() && self.opaque.as_ref().is_some_and(|opaque| !opaque[at])
        };
        let marked = self.values.iter().enumerate().map(|(at, v)| *v == value && !outside(at));
        let mask = of(marked.collect());
        ensure!(
            mask.area() > 0,
            "marks no pixel: none has the value {value}, but {}",
            self.listed()
        );
        Ok(mask)
    }

    /// The stored values there are, in words.
    fn listed(&self) -> String {
        let mut there = vec![false; 1 << 16];
        self.values.iter().for_each(|v| there[usize::from(*v)] = true);
        let values: Vec<String> = (0..there.len())
            .filter(|v| there[*v])
            .map(|v| v.to_string())
            .take(LISTED + 1)
            .collect();
        match values.len() > LISTED {
            true => format!("{}, …", values[..LISTED].join(", ")),
            false => values.join(", "),
        }
    }
}

/// The share of the breast that a mask covers, where that is more than a lesion can: such a mask is inverted,
/// or of something else. The image is decoded only for a mask that could be.
///
/// # Errors
/// What is wrong with the image's pixels.
pub fn covers_most(mask: &Mask, picture: &Picture) -> Result<Option<f64>> {
    if (mask.area() as f64) < SMALL * mask.pixels.len() as f64 {
        return Ok(None);
    }
    let image = picture.image()?;
    let breast = breast(&image).mask;
    let (mut all, mut covered) = (0u64, 0u64);
    let rows = breast.pixels.chunks_exact(breast.width.max(1) as usize);
    for (y, row) in (0u64..).zip(rows) {
        let from = (y * u64::from(mask.height) / u64::from(breast.height)) as u32;
        for (x, _) in (0u64..).zip(row).filter(|(_, inside)| **inside) {
            all += 1;
            let at = (x * u64::from(mask.width) / u64::from(breast.width)) as u32;
            covered += u64::from(mask.at(at, from));
        }
    }
    let share = covered as f64 / all.max(1) as f64;
    Ok((share > MOST).then_some(share))
}

/// Makes a TIFF of a palette one of greys, its indices, since the decoder reads no palettes; whether it was one.
fn as_greys(bytes: &mut [u8]) -> bool {
    let big = bytes.starts_with(b"MM");
    let short = |at: usize| {
        let pair = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    let find = || {
        let pointer = bytes.get(4..8)?.try_into().ok()?;
        let pointer = if big { u32::from_be_bytes(pointer) } else { u32::from_le_bytes(pointer) };
        let first = usize::try_from(pointer).ok()?.checked_add(2)?;
        let mut entries = (0..usize::from(short(first - 2)?)).map(|n| first + 12 * n);
        let entry =
            entries.find(|&at| short(at) == Some(Tag::PhotometricInterpretation.to_u16()))?;
        (short(entry + 8)? == Photometric::RGBPalette.to_u16()).then_some(entry + 8)
    };
    let Some(at) = find() else { return false };
    let black = Photometric::BlackIsZero.to_u16();
    bytes[at..at + 2].copy_from_slice(&if big { black.to_be_bytes() } else { black.to_le_bytes() });
    true
}

/// Whether only black and white occur, but for blur.
fn two_values(values: &[u16]) -> bool {
    let most = values.iter().copied().max().unwrap_or(0);
    let (low, high) = (most / 8, most - most / 8);
    let between = values.iter().filter(|&&v| v > low && v < high).count();
    let black = values.iter().any(|&v| v <= low);
    most > 0 && black && between as f64 <= BLURRED * values.len() as f64
}

fn check_size(width: u32, height: u32) -> Result<()> {
    ensure!(
        width > 0 && height > 0 && u64::from(width) * u64::from(height) <= MAX_PIXELS,
        "has an impossible size, {width} x {height} pixels"
    );
    Ok(())
}

/// Samples of up to 16 bits, most significant first, in rows of `line` bytes.
fn unpacked(bytes: &[u8], count: usize, line: usize, bits: u8, height: u32) -> Vec<u16> {
    let rows = bytes.chunks_exact(line.max(1)).take(height as usize);
    let mut values = Vec::with_capacity(count * height as usize);
    for row in rows {
        match bits {
            16 => values
                .extend(row.as_chunks::<2>().0.iter().take(count).map(|v| u16::from_be_bytes(*v))),
            8 => values.extend(row.iter().take(count).map(|&v| u16::from(v))),
            // Any other number of bits may lie across bytes.
            _ => values.extend((0..count).map(|at| {
                let own = at * usize::from(bits)..(at + 1) * usize::from(bits);
                own.fold(0_u16, |value, bit| {
                    let byte = row.get(bit / 8).copied().unwrap_or(0);
                    value << 1 | u16::from(byte >> (7 - bit % 8) & 1)
                })
            })),
        }
    }
    values
}

/// Label maps of wider samples, as image libraries save whole numbers.
fn whole<T: TryInto<u16>>(values: Vec<T>) -> Result<Vec<u16>> {
    let values = values.into_iter().map(|v| v.try_into().ok());
    values
        .collect::<Option<_>>()
        .context("has values that are not 0 to 65535; convert it to 8 bits")
}

/// Masks from 0 to 1, and whole numbers that are written as fractions.
fn fractions(values: impl Iterator<Item = f64>) -> Result<Vec<u16>> {
    let values =
        values.map(|v| (v.fract() == 0.0 && (0.0..=65_535.0).contains(&v)).then_some(v as u16));
    values
        .collect::<Option<_>>()
        .context("has values that are no whole numbers; convert it to 8 bits")
}

fn inverted(values: &[u16]) -> Vec<u16> {
    let most = values.iter().copied().max().unwrap_or(0);
    values.iter().map(|v| most - v).collect()
}

/// Brightness by ITU-R BT.601, rounded; a grey is itself.
fn luma([r, g, b]: [u16; 3]) -> u16 {
    ((u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114 + 500) / 1000) as u16
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
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    crate::fuzz::Target {
        name: "masks",
        seeds: tests::seeds(),
        words: &[
            "IHDR",
            "PLTE",
            "tRNS",
            "IDAT",
            "IEND",
            "II*\0",
            "MM\0*",
            "\0\0\0\u{1}",
            "\u{6}\u{1}\u{3}\0",
        ],
        read: |bytes| {
            let read = Labels::read(std::io::Cursor::new(bytes), Path::new("none"));
            let read = read.map_err(|error| format!("{error:#}"));
            crate::fuzz::outcome(read, |labels| {
                let marked = |value| {
                    crate::fuzz::outcome(labels.marked(value), |mask| {
                        format!("{}", mask.area() > 9)
                    })
                };
                format!("{} {}", marked(None), marked(Some(1)))
            })
        },
    }
}

#[cfg(test)]
#[path = "masks_tests.rs"]
mod tests;
