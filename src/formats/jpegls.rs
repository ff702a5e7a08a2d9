//! JPEG-LS (ITU-T T.87, ISO/IEC 14495-1) as DICOM has it: one component, 2 to 16 bits, lossless or
//! near-lossless.
//!
//! Nothing is allocated on a header's word: the image grows as rows arrive.

use anyhow::{Result, bail, ensure};

use crate::jpeg;

/// Order of the run lengths by the run index (T.87, A.2.1).
const ORDERS: [u32; 32] = [
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13,
    14, 15,
];
/// Contexts of gradients; two more follow for interrupted runs.
const CONTEXTS: usize = 365;
/// An error of prediction beyond this is no sample's.
const MOST_ERROR: i32 = 1 << 17;

/// What the scan is coded with (T.87, C.2).
struct Coding {
    width: usize,
    height: usize,
    /// Greatest value of a sample.
    most: i32,
    /// How far a sample may be off.
    near: i32,
    /// Where gradients change their class.
    thresholds: [i32; 3],
    /// How many samples of a context halve its counts.
    reset: i32,
    /// How far samples are moved up.
    shift: u32,
}

/// Decodes a stream to its samples, row by row.
///
/// # Errors
/// What is wrong with the stream, and where.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<u16>> {
    let (coding, data) = header(bytes)?;
    let mut decoder = Decoder::new(&coding, data);
    let mut pixels = Vec::new();
    // With a sample before the first and one after the last.
    let mut above = vec![0i32; coding.width + 2];
    let mut row = above.clone();
    for number in 0..coding.height {
        row[0] = above[1];
        above[coding.width + 1] = above[coding.width];
        if decoder.row(&above, &mut row).is_none() {
            let (what, at) = decoder.bits.mistake();
            let at = bytes.len() - data.len() + at;
            bail!("JPEG-LS: {what} at byte {at}: {number} of {} rows could be read", coding.height);
        }
        pixels.extend(row[1..=coding.width].iter().map(|&v| (v << coding.shift) as u16));
        std::mem::swap(&mut above, &mut row);
    }
    Ok(pixels)
}

/// Reads the header up to the scan, and returns what follows.
fn header(bytes: &[u8]) -> Result<(Coding, &[u8])> {
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else { bail!("is no JPEG stream") };
    let mut frame = None;
    let mut preset = [0; 5];
    loop {
        let Some((marker, body, after)) = jpeg::segment(rest) else {
            bail!(
                "JPEG-LS: at byte {}: the header is cut off or corrupt",
                bytes.len() - rest.len()
            );
        };
        let word = |at: usize| match body.get(at..at + 2) {
            Some(&[high, low]) => i32::from(u16::from_be_bytes([high, low])),
            _ => 0,
        };
        match marker {
            // Whoever asked for its size was told that of the first frame.
            0xf7 | 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf
                if marker != 0xf7 || frame.is_some() =>
            {
                bail!(
                    "JPEG-LS: has another frame header, 0xff{marker:02x}; an image has one of JPEG-LS"
                )
            }
            0xf7 => {
                let &[bits, _, _, _, _, components, ..] = body else {
                    bail!("JPEG-LS: the frame header is too short")
                };
                ensure!(
                    components == 1 && (2..=16).contains(&bits),
                    "JPEG-LS: has {components} components of {bits} bits; expected one, grey, of 2 to 16"
                );
                let [width, height] = [word(3), word(1)].map(|side| side as usize);
                ensure!(width > 0 && height > 0, "JPEG-LS: has {width} x {height} pixels");
                frame = Some((bits, width, height));
            }
            0xf8 => match body.first() {
                Some(1) => preset = [1, 3, 5, 7, 9].map(word),
                other => bail!("JPEG-LS: has parameters of kind {other:?}, which are not read"),
            },
            0xdd if body.iter().any(|&b| b != 0) => {
                bail!("JPEG-LS: has restart intervals, which are not read")
            }
            0xda => {
                let Some((bits, width, height)) = frame else {
                    bail!("JPEG-LS: the scan begins before any frame header")
                };
                let &[1, _, table, near, _, transform] = body else {
                    bail!("JPEG-LS: the scan header is not that of one component")
                };
                ensure!(table == 0, "JPEG-LS: maps its samples by a table, which is not read");
                let shift = u32::from(transform & 15);
                let whole = i32::from(u16::MAX >> (16 - bits));
                let most = if preset[0] > 0 { preset[0] } else { whole };
                let near = i32::from(near);
                ensure!(
                    most <= whole && near <= (most / 2).min(255) && shift < bits.into(),
                    "JPEG-LS: its samples may be {near} off a greatest value of {most}, moved by {shift}"
                );
                let mut coding = Coding {
                    width,
                    height,
                    most,
                    near,
                    thresholds: thresholds(most, near),
                    reset: if preset[4] > 0 { preset[4] } else { 64 },
                    shift,
                };
                for (own, preset) in coding.thresholds.iter_mut().zip(&preset[1..4]) {
                    if *preset > 0 {
                        *own = *preset;
                    }
                }
                return Ok((coding, after));
            }
            _ => {}
        }
        rest = after;
    }
}

/// The thresholds that are used where none are given (T.87, C.2.4.1.1).
fn thresholds(most: i32, near: i32) -> [i32; 3] {
    let [a, b, c] = if most >= 128 {
        let factor = (most.min(4095) + 128) / 256;
        [factor + 2 + 3 * near, factor * 4 + 3 + 5 * near, factor * 17 + 4 + 7 * near]
    } else {
        let factor = 256 / (most + 1);
        [
            (3 / factor + 3 * near).max(2),
            (7 / factor + 5 * near).max(3),
            (21 / factor + 7 * near).max(4),
        ]
    };
    let within =
        |value: i32, least: i32| if (least..=most).contains(&value) { value } else { least };
    let first = within(a, near + 1);
    let second = within(b, first);
    [first, second, within(c, second)]
}

/// Counts of a context (T.87, A.2.1).
#[derive(Clone, Copy)]
struct Context {
    /// Sum of the errors' magnitudes.
    magnitude: i32,
    /// Sum of the errors; of an interrupted run, how many were negative.
    bias: i32,
    /// What is added to a prediction.
    correction: i32,
    count: i32,
}

impl Context {
    /// Order of the Golomb code for a magnitude.
    fn order(&self, magnitude: i32) -> u32 {
        let (count, magnitude) = (i64::from(self.count), i64::from(magnitude));
        (0..24).find(|&k| count << k >= magnitude).unwrap_or(24)
    }
}

struct Decoder<'a> {
    coding: &'a Coding,
    bits: Bits<'a>,
    contexts: Vec<Context>,
    run: usize,
    /// Values that errors go around in.
    range: i32,
    /// Bits of an error that is written out, and longest code.
    written: u32,
    limit: u32,
}

impl<'a> Decoder<'a> {
    fn new(coding: &'a Coding, data: &'a [u8]) -> Self {
        let step = 2 * coding.near + 1;
        let range = (coding.most + 2 * coding.near) / step + 1;
        let ceil_log = |value: i32| (value - 1).max(0).checked_ilog2().map_or(0, |log| log + 1);
        let deep = ceil_log(coding.most + 1).max(2);
        let context =
            Context { magnitude: ((range + 32) / 64).max(2), bias: 0, correction: 0, count: 1 };
        Self {
            coding,
            bits: Bits { bytes: data, at: 0, buffer: 0, held: 0, seven: false, ended: false },
            contexts: vec![context; CONTEXTS + 2],
            run: 0,
            range,
            written: ceil_log(range),
            limit: 2 * (deep + deep.max(8)),
        }
    }

    /// Decodes into `row` below `above`, each with one sample more at either end; `None` where the data
    /// end or are no codes.
    fn row(&mut self, above: &[i32], row: &mut [i32]) -> Option<()> {
        let width = self.coding.width;
        let near = self.coding.near;
        let mut x = 1;
        while x <= width {
            let (a, b, c, d) = (row[x - 1], above[x], above[x - 1], above[x + 1]);
            let gradients = [d - b, b - c, c - a];
            if gradients.iter().any(|gradient| gradient.abs() > near) {
                row[x] = self.regular(a, b, c, gradients)?;
                x += 1;
                continue;
            }
            // A run of the sample on the left.
            let mut interrupted = false;
            while x <= width {
                let order = ORDERS[self.run];
                let whole = self.bits.take(1)? == 1;
                let length = if whole { 1 << order } else { self.bits.take(order)? as usize };
                let there = length.min(width + 1 - x);
                row[x..x + there].fill(a);
                x += there;
                if !whole {
                    // Something else must follow in the row.
                    if there < length || x > width {
                        return None;
                    }
                    interrupted = true;
                    break;
                }
                if there == length {
                    self.run = (self.run + 1).min(31);
                }
            }
            if interrupted {
                row[x] = self.interruption(row[x - 1], above[x])?;
                self.run = self.run.saturating_sub(1);
                x += 1;
            }
        }
        Some(())
    }

    fn regular(&mut self, a: i32, b: i32, c: i32, gradients: [i32; 3]) -> Option<i32> {
        let near = self.coding.near;
        let [first, second, third] = self.coding.thresholds;
        let class = |gradient: i32| {
            let size = gradient.abs();
            let class = match size {
                _ if size <= near => 0,
                _ if size < first => 1,
                _ if size < second => 2,
                _ if size < third => 3,
                _ => 4,
            };
            class * gradient.signum()
        };
        let [p, q, r] = gradients.map(class);
        let number = 81 * p + 9 * q + r;
        let sign = if number < 0 { -1 } else { 1 };
        let context = self.contexts.get_mut(number.unsigned_abs() as usize)?;
        let predicted = match (a.min(b), a.max(b)) {
            (least, most) if c >= most => least,
            (least, most) if c <= least => most,
            _ => a + b - c,
        };
        let predicted = (predicted + sign * context.correction).clamp(0, self.coding.most);
        let order = context.order(context.magnitude);
        let code = self.bits.golomb(order, self.limit, self.written)?;
        let half = (code >> 1) as i32;
        let odd = code & 1 == 1;
        let turned =
            near == 0 && order == 0 && 2 * i64::from(context.bias) <= -i64::from(context.count);
        let error = match (turned, odd) {
            (false, false) | (true, true) => half,
            (false, true) | (true, false) => -half - 1,
        };
        if error.abs() > MOST_ERROR {
            return None;
        }
        let step = 2 * near + 1;
        context.bias = context.bias.saturating_add(error * step);
        context.magnitude = context.magnitude.saturating_add(error.abs());
        if context.count == self.coding.reset {
            context.magnitude >>= 1;
            context.bias >>= 1;
            context.count >>= 1;
        }
        context.count += 1;
        if context.bias <= -context.count {
            context.bias = (context.bias + context.count).max(1 - context.count);
            context.correction = (context.correction - 1).max(-128);
        } else if context.bias > 0 {
            context.bias = (context.bias - context.count).min(0);
            context.correction = (context.correction + 1).min(127);
        }
        Some(self.sample(predicted + sign * error * step))
    }

    /// The sample that ends a run.
    fn interruption(&mut self, a: i32, b: i32) -> Option<i32> {
        let alike = (a - b).abs() <= self.coding.near;
        let context = &mut self.contexts[CONTEXTS + usize::from(alike)];
        let more = if alike { context.count >> 1 } else { 0 };
        let order = context.order(context.magnitude.saturating_add(more));
        let limit = self.limit - ORDERS[self.run] - 1;
        let code = self.bits.golomb(order, limit, self.written)? as i32;
        let code_alike = code + i32::from(alike);
        let odd = code_alike & 1 == 1;
        let size = (code_alike + 1) / 2;
        if size > MOST_ERROR {
            return None;
        }
        let mostly_negative = order != 0 || 2 * context.bias >= context.count;
        let error = if mostly_negative == odd { -size } else { size };
        if error < 0 {
            context.bias += 1;
        }
        let more = (code + 1 - i32::from(alike)) >> 1;
        context.magnitude = context.magnitude.saturating_add(more);
        if context.count == self.coding.reset {
            context.magnitude >>= 1;
            context.count >>= 1;
            context.bias >>= 1;
        }
        context.count += 1;
        let sign = if !alike && a > b { -1 } else { 1 };
        let predicted = if alike { a } else { b };
        Some(self.sample(predicted + sign * error * (2 * self.coding.near + 1)))
    }

    /// A sample within the range that errors go around in.
    fn sample(&self, value: i32) -> i32 {
        let Coding { most, near, .. } = *self.coding;
        let around = self.range * (2 * near + 1);
        let value = match value {
            _ if value < -near => value + around,
            _ if value > most + near => value - around,
            _ => value,
        };
        value.clamp(0, most)
    }
}

/// The bits of the scan, most significant first; after each `ff` a byte has seven.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits, the last of them lowest.
    buffer: u64,
    held: u32,
    /// Whether the byte before was `ff`.
    seven: bool,
    /// Whether more bits were asked for than there are.
    ended: bool,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.held <= 48 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            // A marker.
            if self.seven && byte >= 0x80 {
                return;
            }
            // An `ff` before a marker is the marker's.
            if byte == 0xff && self.bytes.get(self.at + 1).is_none_or(|&next| next >= 0x80) {
                return;
            }
            let count = if self.seven { 7 } else { 8 };
            self.buffer = self.buffer << count | u64::from(byte);
            self.held += count;
            self.seven = byte == 0xff;
            self.at += 1;
        }
    }

    /// The next bits, at most 32.
    fn take(&mut self, count: u32) -> Option<u32> {
        if self.held < count {
            self.fill();
        }
        if self.held < count {
            self.ended = true;
            return None;
        }
        self.held -= count;
        Some((self.buffer >> self.held & ((1 << count) - 1)) as u32)
    }

    /// A Golomb code of an order, of at most `limit` bits; a longer number is written out in `written` bits
    /// (T.87, A.5.3).
    fn golomb(&mut self, order: u32, limit: u32, written: u32) -> Option<u32> {
        let longest = limit.checked_sub(written + 1)?;
        let mut zeros = 0;
        while self.take(1)? == 0 {
            zeros += 1;
            if zeros > longest {
                return None;
            }
        }
        if zeros < longest {
            let low = self.take(order)?;
            return zeros.checked_shl(order)?.checked_add(low);
        }
        Some(self.take(written)? + 1)
    }

    /// What is wrong, and at which byte of the scan.
    fn mistake(&self) -> (&'static str, usize) {
        let what = if self.ended { "the data end" } else { "the data are corrupt" };
        (what, self.at)
    }
}

/// Streams of one component.
#[cfg(test)]
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    crate::fuzz::Target {
        name: "jpegls",
        seeds: crate::dicom::streams(jpeg::Process::Ls),
        words: &["\u{0}", "\u{1}", "\u{7f}", "\u{8}"],
        read: |bytes| jpeg::fuzzed(bytes, decode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard_is_decoded() {
        // T.87, annex H.3: 4 x 4 samples of 8 bits.
        let bytes = [
            0xff, 0xd8, 0xff, 0xf7, 0x00, 0x0b, 0x08, 0x00, 0x04, 0x00, 0x04, 0x01, 0x01, 0x11,
            0x00, 0xff, 0xda, 0x00, 0x08, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x00,
            0x6c, 0x80, 0x20, 0x8e, 0x01, 0xc0, 0x00, 0x00, 0x57, 0x40, 0x00, 0x00, 0x6e, 0xe6,
            0x00, 0x00, 0x01, 0xbc, 0x18, 0x00, 0x00, 0x05, 0xd8, 0x00, 0x00, 0x91, 0x60, 0xff,
            0xd9,
        ];
        let expected = [0, 0, 90, 74, 68, 50, 43, 205, 64, 145, 145, 145, 100, 145, 145, 145];
        assert_eq!(decode(&bytes).unwrap(), expected);
        for length in 0..bytes.len() - 3 {
            let message = decode(&bytes[..length]).unwrap_err().to_string();
            assert!(message.contains("JPEG"), "{message}");
        }
    }

    #[test]
    fn default_thresholds_are_the_standard_s() {
        assert_eq!(thresholds(255, 0), [3, 7, 21]);
        assert_eq!(thresholds(4095, 0), [18, 67, 276]);
        assert_eq!(thresholds(65_535, 0), [18, 67, 276]);
        assert_eq!(thresholds(255, 3), [12, 22, 42]);
    }
}
