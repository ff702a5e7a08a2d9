//! Decodes pixel data to the stored bits of each sample.

use std::io::Cursor;

use anyhow::{Context, Result, bail, ensure};
use hayro_jpeg2000::{DecodeSettings, DecoderContext};
use image::{DynamicImage, ImageFormat, ImageReader};

use super::elements::PixelData;
use super::header::Header;
use super::syntax::Syntax;
use crate::ljpeg::{self, Rule};

/// Decodes the one frame. `big` tells that words have their most significant byte first.
///
/// # Errors
/// What is wrong with the data, and where.
pub(super) fn decode(header: &Header, data: PixelData, big: bool) -> Result<Vec<u16>> {
    let count = header.width as usize * header.height as usize;
    let bits = header.bits;
    let compressed = match (header.syntax, data) {
        (Syntax::Native, PixelData::Native(bytes)) => {
            let expected = count * usize::from(bits.allocated / 8);
            ensure!(
                bytes.len() >= expected,
                "is truncated: {} x {} pixels take {expected} bytes, found {}",
                header.width,
                header.height,
                bytes.len()
            );
            let bytes = &bytes[..expected];
            return Ok(match bits.allocated {
                8 => bytes.iter().map(|&v| bits.raw(v.into())).collect(),
                _ => {
                    let word = if big { u16::from_be_bytes } else { u16::from_le_bytes };
                    bytes.as_chunks::<2>().0.iter().map(|&pair| bits.raw(word(pair))).collect()
                }
            });
        }
        (_, PixelData::Native(_)) => {
            bail!("has plain pixel data in a compressed transfer syntax")
        }
        (_, PixelData::Encapsulated(bytes)) => bytes,
    };
    let same = |size: [u32; 2]| {
        ensure!(
            size == [header.width, header.height],
            "its compressed image has {} x {} pixels where {} x {} are stated",
            size[0],
            size[1],
            header.width,
            header.height
        );
        Ok(())
    };
    match header.syntax {
        Syntax::Native => bail!("has encapsulated pixel data in an uncompressed transfer syntax"),
        Syntax::Rle => {
            let words = unrle(&compressed, count, usize::from(bits.allocated / 8))?;
            Ok(words.into_iter().map(|word| bits.raw(word)).collect())
        }
        Syntax::JpegLossless => {
            let frame = ljpeg::frame(&compressed)?;
            same([frame.width, frame.height])?;
            let mask = bits.mask();
            Ok(ljpeg::decode(&compressed, Rule::Standard, |v| v & mask)?.1)
        }
        Syntax::Jpeg => {
            let reader = ImageReader::with_format(Cursor::new(&compressed), ImageFormat::Jpeg);
            same(reader.into_dimensions().context("JPEG")?.into())?;
            let reader = ImageReader::with_format(Cursor::new(&compressed), ImageFormat::Jpeg);
            match reader.decode().context("JPEG (12 bits are not read)")? {
                DynamicImage::ImageLuma8(image) => {
                    Ok(image.into_raw().into_iter().map(|v| u16::from(v) & bits.mask()).collect())
                }
                other => bail!("its JPEG has {:?} pixels; expected grey ones", other.color()),
            }
        }
        Syntax::Jpeg2000 => {
            ensure!(!signed(&compressed), "has signed samples in JPEG 2000, which are not read");
            let wrong = |error| anyhow::anyhow!("JPEG 2000: {error}");
            let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
            let image = hayro_jpeg2000::Image::new(&compressed, &settings).map_err(wrong)?;
            same([image.width(), image.height()])?;
            let mut context = DecoderContext::default();
            let decoded = image.decode(&mut context).map_err(wrong)?;
            let [component] = decoded.components() else {
                bail!("its JPEG 2000 has several components; expected one, grey");
            };
            let samples = component.samples();
            ensure!(
                samples.len() == count && component.bit_depth() <= 16,
                "its JPEG 2000 has {} samples of {} bits",
                samples.len(),
                component.bit_depth()
            );
            // Samples are whole numbers below 2^16, exact as floats; lossy ones may overshoot.
            let most = f32::from(u16::MAX >> (16 - component.bit_depth().max(1)));
            let mask = bits.mask();
            Ok(samples.iter().map(|v| v.round().clamp(0.0, most) as u16 & mask).collect())
        }
    }
}

/// Whether a JPEG 2000 codestream states signed samples.
fn signed(bytes: &[u8]) -> bool {
    let start = bytes.windows(4).take(1 << 12).position(|w| w == [0xff, 0x4f, 0xff, 0x51]);
    start.and_then(|start| bytes.get(start + 42)).is_some_and(|size| size & 0x80 != 0)
}

/// Unpacks run lengths: one segment per byte of a sample, the most significant first.
fn unrle(bytes: &[u8], count: usize, each: usize) -> Result<Vec<u16>> {
    let word = |index: usize| {
        let four = bytes.get(4 * index..).and_then(<[u8]>::first_chunk::<4>);
        four.map(|&four| u32::from_le_bytes(four) as usize)
    };
    let segments = word(0).context("its run lengths have no header")?;
    ensure!(segments == each, "its run lengths have {segments} segments; expected {each}");
    let mut samples = vec![0u16; count];
    for segment in 0..segments {
        let mut at = word(1 + segment).context("its run lengths have no header")?;
        let mut done = 0;
        let broken = |at: usize, done: usize| {
            format!("its run lengths break off at byte {at}, after {done} of {count} pixels")
        };
        let mut put = |done: &mut usize, value: u8| {
            // What runs over the end is padding.
            if let Some(sample) = samples.get_mut(*done) {
                *sample = *sample << 8 | u16::from(value);
                *done += 1;
            }
        };
        while done < count {
            let control = *bytes.get(at).with_context(|| broken(at, done))? as i8;
            at += 1;
            if control >= 0 {
                let literal = bytes.get(at..at + 1 + control as usize);
                for &value in literal.with_context(|| broken(at, done))? {
                    put(&mut done, value);
                }
                at += 1 + control as usize;
            } else if control != i8::MIN {
                let value = *bytes.get(at).with_context(|| broken(at, done))?;
                at += 1;
                for _ in 0..1 - i16::from(control) {
                    put(&mut done, value);
                }
            }
        }
    }
    Ok(samples)
}
