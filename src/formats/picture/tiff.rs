//! TIFF by the `tiff` crate itself, which reads more than `image` takes from it: BigTIFF, several pages,
//! signed and real numbers, fewer bits than 8.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage, RgbaImage};
use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::raster::{Raster, Values};
use super::{Decoded, open, without_alpha};
use crate::MAX_PIXELS;

/// Pages that are looked at.
const MAX_PAGES: usize = 4096;

/// The page of a file that is used: the largest, the first of equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    /// From 0.
    index: usize,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) orientation: Orientation,
}

impl Page {
    /// Says which of several it is.
    pub(super) fn remark(self, pages: usize) -> String {
        let Self { index, width, height, .. } = self;
        let number = index + 1;
        format!(
            "has {pages} pages; the largest is used, page {number} of {width} x {height} pixels"
        )
    }
}

/// Finds the page, and counts all.
pub(super) fn page(path: &Path) -> Result<(Page, usize)> {
    let mut decoder = decoder(path)?;
    let mut best: Option<Page> = None;
    let mut index = 0;
    loop {
        let (width, height) = decoder.dimensions().map_err(wrong)?;
        let area = |page: &Page| u64::from(page.width) * u64::from(page.height);
        let orientation = decoder.find_tag_unsigned::<u8>(Tag::Orientation).ok().flatten();
        let orientation =
            orientation.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms);
        let page = Page { index, width, height, orientation };
        if best.as_ref().is_none_or(|best| area(best) < area(&page)) {
            best = Some(page);
        }
        // A page that cannot be understood is passed over: it may be no image.
        loop {
            index += 1;
            if !decoder.more_images() || index >= MAX_PAGES {
                return Ok((best.context("has no page")?, index));
            }
            if decoder.next_image().is_ok() {
                break;
            }
        }
    }
}

/// Decodes a page, not yet turned.
pub(super) fn decode(path: &Path, page: Page) -> Result<Decoded> {
    let mut decoder = decoder(path)?;
    for _ in 0..page.index {
        // What is passed over needs not be understood.
        let _ = decoder.next_image();
    }
    let (width, height) = decoder.dimensions().map_err(wrong)?;
    ensure!([width, height] == [page.width, page.height], "has changed while it was read");
    let color = decoder.colortype().map_err(wrong)?;
    let count = width as usize * height as usize;
    let grey = |values| Ok(Decoded::Grey(Raster { width, height, values, white: 255 }));
    match color {
        ColorType::Gray(bits @ (1 | 2 | 4)) => {
            let DecodingResult::U8(packed) = decoder.read_image().map_err(wrong)? else {
                bail!("TIFF: has {bits} bits per sample that are no whole numbers")
            };
            grey(Values::Bytes(unpacked(&packed, width as usize, bits)))
        }
        ColorType::Gray(8 | 16 | 32 | 64) => {
            let values = values(decoder.read_image().map_err(wrong)?)?;
            grey(values)
        }
        ColorType::RGB(8) | ColorType::RGBA(8) => {
            let DecodingResult::U8(bytes) = decoder.read_image().map_err(wrong)? else {
                bail!("TIFF: has colours that are no bytes")
            };
            let channels = if color == ColorType::RGB(8) { 3 } else { 4 };
            ensure!(
                bytes.len() == count * channels,
                "TIFF: has its colours in planes; save them pixel by pixel, or grey"
            );
            let image = match channels {
                3 => RgbImage::from_raw(width, height, bytes).map(DynamicImage::ImageRgb8),
                _ => RgbaImage::from_raw(width, height, bytes).map(DynamicImage::ImageRgba8),
            };
            without_alpha(image.context("TIFF: is truncated")?)
        }
        ColorType::Gray(bits) => {
            bail!("TIFF: has {bits} bits per sample; save it with 8 or 16")
        }
        other => bail!("TIFF: has {other:?} pixels; save it in grey of 8 or 16 bits"),
    }
}

fn decoder(path: &Path) -> Result<Decoder<BufReader<File>>> {
    let mut limits = Limits::default();
    // Whatever the header says, a page is at most so large.
    limits.decoding_buffer_size = 8 * MAX_PIXELS as usize;
    limits.intermediate_buffer_size = 1 << 28;
    Ok(Decoder::new(open(path)?).map_err(wrong)?.with_limits(limits))
}

fn wrong(error: tiff::TiffError) -> anyhow::Error {
    match error {
        tiff::TiffError::UnsupportedError(_) => anyhow!(
            "TIFF: {error}; save it as an uncompressed TIFF or a PNG, in grey of 8 or 16 bits"
        ),
        _ => anyhow!("TIFF: {error}"),
    }
}

/// Values of whole bytes each.
fn values(read: DecodingResult) -> Result<Values> {
    let real = |values: Vec<f32>| {
        ensure!(
            values.iter().all(|v| v.is_finite()),
            "TIFF: has pixels that are no number; give them one"
        );
        Ok(Values::Real(values))
    };
    let whole = |values: Vec<i64>| Ok(Values::Whole(values));
    match read {
        DecodingResult::U8(values) => Ok(Values::Bytes(values)),
        DecodingResult::U16(values) => Ok(Values::Words(values)),
        DecodingResult::U32(values) => whole(values.into_iter().map(i64::from).collect()),
        DecodingResult::I8(values) => whole(values.into_iter().map(i64::from).collect()),
        DecodingResult::I16(values) => whole(values.into_iter().map(i64::from).collect()),
        DecodingResult::I32(values) => whole(values.into_iter().map(i64::from).collect()),
        DecodingResult::F16(values) => real(values.into_iter().map(f32::from).collect()),
        DecodingResult::F32(values) => real(values),
        DecodingResult::F64(values) => real(values.into_iter().map(|v| v as f32).collect()),
        DecodingResult::U64(_) | DecodingResult::I64(_) => {
            bail!("TIFF: has 64 bits per sample; save it with 8 or 16")
        }
    }
}

/// Bytes from samples of 1, 2 or 4 bits, each row in whole bytes, spread from black to white.
fn unpacked(packed: &[u8], width: usize, bits: u8) -> Vec<u8> {
    let each = usize::from(8 / bits);
    let most = u8::MAX >> (8 - bits);
    let sample = |row: &[u8], x: usize| {
        let byte = row.get(x / each).copied().unwrap_or(0);
        let up = (x % each) as u8 * bits;
        (byte << up >> (8 - bits)) * (255 / most)
    };
    let rows = packed.chunks(width.div_ceil(each).max(1));
    rows.flat_map(|row| (0..width).map(move |x| sample(row, x))).collect()
}
