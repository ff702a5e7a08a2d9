//! Lossy JPEG of 12 bits (extended sequential DCT, process 4 of ITU-T T.81), one component: what the
//! `image` crate's decoder, for 8 bits, leaves out.
//!
//! Nothing is allocated on a header's word: the image grows as rows of blocks arrive.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use anyhow::{Context, Result, bail, ensure};

use crate::huffman::Codes;
use crate::jpeg::{self, Frame, Process};

/// Places of coefficients in the order of the stream (T.81, A.3.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// Decodes a stream to its samples, row by row.
///
/// # Errors
/// What is wrong with the stream, and where; what of JPEG is not read.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<u16>> {
    let Some(frame) = jpeg::frame(bytes) else { bail!("JPEG: has no frame header") };
    let Frame { process, bits, width, height, components } = frame;
    ensure!(
        process == Process::Sequential && bits == 12 && components == 1,
        "JPEG: is {process:?} with {components} components of {bits} bits; of 12 bits only sequential, grey ones are read"
    );
    ensure!(width > 0 && height > 0, "JPEG: has {width} x {height} pixels");
    let (tables, data) = Tables::read(bytes)?;
    let mut scan = Scan { bits: Bits::new(data), tables: &tables, direct: 0 };
    let cosines = cosines();
    let (width, height) = (width as usize, height as usize);
    let across = width.div_ceil(8);
    let mut band = vec![0u16; across * 64];
    let mut pixels = Vec::new();
    let mut block = 0;
    for top in (0..height).step_by(8) {
        for column in 0..across {
            if tables.interval > 0 && block > 0 && block % tables.interval == 0 {
                scan.restart();
            }
            block += 1;
            let Some(coefficients) = scan.block() else {
                let what = if scan.bits.ended { "the data end" } else { "the data are corrupt" };
                let at = bytes.len() - data.len() + scan.bits.at;
                bail!("JPEG: {what} at byte {at}: {top} of {height} rows could be read");
            };
            let samples = inverse(&coefficients, &cosines);
            for (row, samples) in band.chunks_exact_mut(across * 8).zip(samples.as_chunks::<8>().0)
            {
                row[column * 8..][..8].copy_from_slice(samples);
            }
        }
        for row in band.chunks_exact(across * 8).take(height - top) {
            pixels.extend_from_slice(&row[..width]);
        }
    }
    Ok(pixels)
}

/// Tables of the one scan.
struct Tables {
    /// In the order of the stream.
    steps: [u16; 64],
    direct: Codes,
    others: Codes,
    /// Blocks between restarts; 0 for none.
    interval: usize,
}

impl Tables {
    /// Reads the header up to the scan, and returns what follows.
    fn read(bytes: &[u8]) -> Result<(Self, &[u8])> {
        let mut rest = bytes.get(2..).unwrap_or_default();
        let mut steps: [Option<[u16; 64]>; 4] = [None; 4];
        let mut codes: [[Option<Codes>; 4]; 2] = Default::default();
        let mut interval = 0;
        let mut quantised = 0;
        loop {
            let Some((marker, body, after)) = jpeg::segment(rest) else {
                bail!("JPEG: at byte {}: the header is cut off", bytes.len() - rest.len());
            };
            match marker {
                0xdb => {
                    read_steps(body, &mut steps).context("JPEG: a quantisation table is cut off")?
                }
                0xc4 => read_codes(body, &mut codes).context("JPEG: a Huffman table is wrong")?,
                0xdd => {
                    let interval_bytes = body.first_chunk::<2>().copied().unwrap_or_default();
                    interval = u16::from_be_bytes(interval_bytes).into();
                }
                0xc0 | 0xc1 => quantised = body.get(8).copied().unwrap_or(0).into(),
                0xda => {
                    let &[1, _, tables, 0, 63, 0] = body else {
                        bail!("JPEG: the scan is not that of one component, all of it")
                    };
                    let [direct, others] = [tables >> 4, tables & 15].map(usize::from);
                    let mut take = |class: usize, number: usize| {
                        let found = codes[class].get_mut(number).and_then(Option::take);
                        found.with_context(|| {
                            format!("JPEG: uses the Huffman table {number}, which it lacks")
                        })
                    };
                    let steps = steps.get(quantised).copied().flatten();
                    let steps = steps.with_context(|| {
                        format!("JPEG: uses the quantisation table {quantised}, which it lacks")
                    })?;
                    let (direct, others) = (take(0, direct)?, take(1, others)?);
                    return Ok((Self { steps, direct, others, interval }, after));
                }
                _ => {}
            }
            rest = after;
        }
    }
}

fn read_steps(mut body: &[u8], tables: &mut [Option<[u16; 64]>; 4]) -> Option<()> {
    while let Some((&place, rest)) = body.split_first() {
        let table = tables.get_mut(usize::from(place & 15))?;
        let each = if place >> 4 == 0 { 1 } else { 2 };
        let (values, rest) = rest.split_at_checked(64 * each)?;
        let mut steps = [0; 64];
        for (step, value) in steps.iter_mut().zip(values.chunks_exact(each)) {
            *step = value.iter().fold(0, |number, &byte| number << 8 | u16::from(byte));
        }
        *table = Some(steps);
        body = rest;
    }
    Some(())
}

fn read_codes(mut body: &[u8], tables: &mut [[Option<Codes>; 4]; 2]) -> Option<()> {
    while let Some((&[place, ref counts @ ..], rest)) = body.split_first_chunk::<17>() {
        let count = counts.iter().map(|&n| usize::from(n)).sum();
        let (symbols, rest) = rest.split_at_checked(count)?;
        let class = tables.get_mut(usize::from(place >> 4))?;
        *class.get_mut(usize::from(place & 15))? = Some(Codes::new(counts, symbols)?);
        body = rest;
    }
    body.is_empty().then_some(())
}

struct Scan<'a> {
    bits: Bits<'a>,
    tables: &'a Tables,
    /// The first coefficient of the block before.
    direct: i32,
}

impl Scan<'_> {
    /// The coefficients of the next block, in rows; `None` where the data end or are no codes.
    fn block(&mut self) -> Option<[f32; 64]> {
        let mut coefficients = [0.0; 64];
        let size = self.symbol(true)?;
        let difference = self.bits.number(size)?;
        self.direct = self.direct.checked_add(difference)?;
        coefficients[0] = self.direct as f32 * f32::from(self.tables.steps[0]);
        let mut place = 1;
        while place < 64 {
            let symbol = self.symbol(false)?;
            let (run, size) = (usize::from(symbol >> 4), symbol & 15);
            match (run, size) {
                (15, 0) => {
                    place += 16;
                    continue;
                }
                (_, 0) => break,
                _ => {}
            }
            place += run;
            let value = self.bits.number(size)?;
            let step = f32::from(*self.tables.steps.get(place)?);
            coefficients[usize::from(ZIGZAG[place])] = value as f32 * step;
            place += 1;
        }
        Some(coefficients)
    }

    fn symbol(&mut self, direct: bool) -> Option<u8> {
        let codes = if direct { &self.tables.direct } else { &self.tables.others };
        let (symbol, length) = codes.symbol(self.bits.peek())?;
        self.bits.drop(length)?;
        Some(symbol)
    }

    /// Goes on behind the next restart marker.
    fn restart(&mut self) {
        let rest = self.bits.bytes.get(self.bits.at..).unwrap_or_default();
        let marker = rest.windows(2).position(|w| w[0] == 0xff && matches!(w[1], 0xd0..=0xd7));
        let at = marker.map_or(self.bits.bytes.len(), |marker| self.bits.at + marker + 2);
        self.bits = Bits { at, ..Bits::new(self.bits.bytes) };
        self.direct = 0;
    }
}

/// The bits of the scan, most significant first, without the zero stuffed after each `ff`.
struct Bits<'a> {
    bytes: &'a [u8],
    /// Where the next byte is; never behind a marker.
    at: usize,
    /// The next bits, the last of them lowest.
    buffer: u64,
    held: u32,
    /// Whether more bits were asked for than there are.
    ended: bool,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, buffer: 0, held: 0, ended: false }
    }

    fn fill(&mut self) {
        while self.held <= 48 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            if byte == 0xff && self.bytes.get(self.at + 1) != Some(&0) {
                return;
            }
            self.at += if byte == 0xff { 2 } else { 1 };
            self.buffer = self.buffer << 8 | u64::from(byte);
            self.held += 8;
        }
    }

    /// The next 16 bits, zeros beyond the end; they stay.
    fn peek(&mut self) -> u32 {
        self.fill();
        let next = match self.held.checked_sub(16) {
            Some(more) => self.buffer >> more,
            None => self.buffer << (16 - self.held),
        };
        (next & 0xffff) as u32
    }

    fn drop(&mut self, count: u32) -> Option<()> {
        self.ended = self.held < count;
        self.held = self.held.checked_sub(count)?;
        Some(())
    }

    /// A number of so many bits, the lower half of them negative (T.81, F.2.2.1).
    fn number(&mut self, size: u8) -> Option<i32> {
        if size == 0 {
            return Some(0);
        }
        let size = u32::from(size);
        if size > 16 {
            return None;
        }
        self.fill();
        self.drop(size)?;
        let value = (self.buffer >> self.held & ((1 << size) - 1)) as i32;
        Some(if value >> (size - 1) == 0 { value - (1 << size) + 1 } else { value })
    }
}

/// Factors of the inverse transform: of coefficient `u` at place `x`.
fn cosines() -> [[f32; 8]; 8] {
    std::array::from_fn(|x| {
        std::array::from_fn(|u| {
            let scale = if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
            scale / 2.0 * ((2 * x + 1) as f32 * u as f32 * PI / 16.0).cos()
        })
    })
}

/// The inverse transform (T.81, A.3.3), moved up to whole numbers of 12 bits.
fn inverse(coefficients: &[f32; 64], cosines: &[[f32; 8]; 8]) -> [u16; 64] {
    let mut rows = [[0.0f32; 8]; 8];
    for (row, own) in rows.iter_mut().zip(coefficients.as_chunks::<8>().0) {
        if own.iter().any(|&c| c != 0.0) {
            for (out, factors) in row.iter_mut().zip(cosines) {
                *out = own.iter().zip(factors).map(|(c, f)| c * f).sum();
            }
        }
    }
    let mut samples = [0; 64];
    for (samples, factors) in samples.as_chunks_mut::<8>().0.iter_mut().zip(cosines) {
        for (x, sample) in samples.iter_mut().enumerate() {
            let value: f32 = rows.iter().zip(factors).map(|(row, f)| row[x] * f).sum();
            *sample = (value + 2048.0).round().clamp(0.0, 4095.0) as u16;
        }
    }
    samples
}

/// Streams of 12 bits.
#[cfg(test)]
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    crate::fuzz::Target {
        name: "jpeg12",
        seeds: crate::dicom::streams(Process::Sequential),
        words: &["\u{0}", "\u{1}", "\u{c}", "\u{7f}"],
        read: |bytes| jpeg::fuzzed(bytes, decode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_of_one_coefficient_is_its_cosine() {
        let mut coefficients = [0.0; 64];
        coefficients[0] = 800.0;
        assert_eq!(inverse(&coefficients, &cosines()), [2148; 64]);
        // The second coefficient of a row falls along x.
        coefficients = [0.0; 64];
        coefficients[1] = 1000.0;
        let samples = inverse(&coefficients, &cosines());
        let expected: Vec<u16> = (0..8)
            .map(|x| {
                let cosine = (f64::from(2 * x + 1) * std::f64::consts::PI / 16.0).cos();
                (2048.0 + 1000.0 / 4.0 * FRAC_1_SQRT_2 as f64 * cosine).round() as u16
            })
            .collect();
        assert!(samples.as_chunks::<8>().0.iter().all(|row| row[..] == expected));
    }

    #[test]
    fn numbers_are_signed_as_the_standard_says() {
        let numbers = |bytes: &[u8], sizes: &[u8]| -> Vec<Option<i32>> {
            let mut bits = Bits::new(bytes);
            sizes.iter().map(|&size| bits.number(size)).collect()
        };
        assert_eq!(
            numbers(&[0b0110_0101, 0xff, 0], &[1, 2, 3, 0, 10, 1]),
            [Some(-1), Some(3), Some(-6), Some(0), Some(-512), None]
        );
    }
}
