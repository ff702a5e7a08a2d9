//! Decodes pixel data to the stored bits of each sample.

use std::io::Cursor;

use anyhow::{Context, Result, bail, ensure};
use image::{DynamicImage, ImageFormat, ImageReader};

use super::elements::PixelData;
use super::header::Header;
use super::syntax::Syntax;
use crate::ljpeg::{self, Rule};
use crate::{jpeg, jpeg12, jpeg2000, jpegls};

/// Of so many pixels one may have other bits beside the stored ones than most: older files keep graphics there.
const OVERLAID: usize = 10;

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
                    let words = || bytes.as_chunks::<2>().0.iter().map(|&pair| word(pair));
                    let outside = varied(words().map(|word| bits.beside(word)));
                    ensure!(
                        outside <= count / OVERLAID,
                        "has values outside the {} bits that are stated to be stored, in {:.0}% of its pixels; state where they lie (BitsStored, HighBit)",
                        bits.stored,
                        100.0 * outside as f64 / count as f64
                    );
                    words().map(|word| bits.raw(word)).collect()
                }
            });
        }
        (_, PixelData::Native(_)) => {
            bail!("has plain pixel data in a compressed transfer syntax")
        }
        (_, PixelData::Encapsulated(bytes)) => bytes,
    };
    let mask = bits.mask();
    let samples = match header.syntax {
        Syntax::Native => bail!("has encapsulated pixel data in an uncompressed transfer syntax"),
        Syntax::Rle => {
            let words = unrle(&compressed, count, usize::from(bits.allocated / 8))?;
            words.into_iter().map(|word| bits.raw(word)).collect()
        }
        Syntax::JpegLossless => {
            let frame = ljpeg::frame(&compressed)?;
            same(header, [frame.width, frame.height])?;
            ljpeg::decode(&compressed, Rule::Standard, |v| v & mask)?.1
        }
        Syntax::JpegLs | Syntax::Jpeg => {
            let frame = jpeg::frame(&compressed).context("its JPEG has no frame header")?;
            same(header, [frame.width, frame.height])?;
            let samples = match (header.syntax, frame.bits) {
                (Syntax::JpegLs, _) => jpegls::decode(&compressed)?,
                (_, 12) => jpeg12::decode(&compressed)?,
                _ => jpeg8(&compressed)?,
            };
            samples.into_iter().map(|v| v & mask).collect()
        }
        Syntax::Jpeg2000 => {
            let stream =
                jpeg2000::codestream(&compressed).context("has no JPEG 2000 codestream")?;
            let size = jpeg2000::size(stream).context("its JPEG 2000 breaks off")?;
            same(header, [size.width, size.height])?;
            jpeg2000::decode(stream)?.into_iter().map(|v| v & mask).collect()
        }
    };
    let samples: Vec<u16> = samples;
    ensure!(samples.len() == count, "has {} pixels; expected {count}", samples.len());
    Ok(samples)
}

/// How many words are not the most frequent one: the same bits everywhere say nothing.
fn varied(words: impl Iterator<Item = u16>) -> usize {
    let mut counts = vec![0usize; 1 << 16];
    words.for_each(|word| counts[usize::from(word)] += 1);
    counts.iter().sum::<usize>() - counts.iter().max().copied().unwrap_or(0)
}

/// Checks that a compressed image has the size that the elements state.
fn same(header: &Header, size: [u32; 2]) -> Result<()> {
    ensure!(
        size == [header.width, header.height],
        "its compressed image has {} x {} pixels where {} x {} are stated",
        size[0],
        size[1],
        header.width,
        header.height
    );
    Ok(())
}

/// Decodes lossy JPEG of 8 bits.
fn jpeg8(bytes: &[u8]) -> Result<Vec<u16>> {
    ensure!(jpeg::is_whole(bytes), "its JPEG breaks off");
    let reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Jpeg);
    match reader.decode().context("JPEG")? {
        DynamicImage::ImageLuma8(image) => {
            Ok(image.into_raw().into_iter().map(u16::from).collect())
        }
        other => bail!("its JPEG has {:?} pixels; expected grey ones", other.color()),
    }
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
