//! Lossless JPEG (process 14, SOF3; ITU-T T.81, annex H) as DICOM and DDSM have it: one component,
//! 8 to 16 bits, predictors 1 to 7, decoded row by row.
//!
//! DDSM's encoder departs from the standard in the first row: where T.81 predicts from the left
//! alone, DDSM uses the scan's predictor there too, below a virtual row of `2^(P - Pt - 1)`. With
//! predictor 1 the two agree.
//!
//! Nothing is allocated on a header's word: [`decode`] grows its image as rows arrive.

use thiserror::Error;

use crate::huffman;

/// Bits that one table look-up decodes, code and difference together.
const LOOK: u32 = 12;

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Mistake {
    /// Before the first pixel.
    #[error("at byte {at}: {message}")]
    Header {
        /// Where, in bytes from the start.
        at: usize,
        /// What is wrong.
        message: String,
    },
    /// The data end, or are no codes, within a row.
    #[error("{what} at byte {at}: {rows} of {height} rows could be read")]
    Data {
        /// What is wrong.
        what: &'static str,
        /// Where, in bytes from the start.
        at: usize,
        /// Rows that could be read.
        rows: u32,
        /// Rows that the header promises.
        height: u32,
    },
}

/// How the first row is predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// From the left, as the standard has it.
    Standard,
    /// By the scan's predictor below a virtual row, as DDSM's encoder has it.
    Ddsm,
}

/// The frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Bits of a sample.
    pub bits: u8,
}

/// Reads only the frame header; the beginning of a file suffices.
pub fn frame(bytes: &[u8]) -> Result<Frame, Mistake> {
    let mut segments = Segments::new(bytes)?;
    loop {
        let segment = segments.next()?;
        if let Some(frame) = segment.frame()? {
            return Ok(frame);
        }
        if segment.marker == SOS {
            return Err(segment.wrong("the scan begins before any frame header"));
        }
    }
}

/// Decodes a whole file, mapping each sample.
pub fn decode<T>(
    bytes: &[u8],
    rule: Rule,
    mut map: impl FnMut(u16) -> T,
) -> Result<(Frame, Vec<T>), Mistake> {
    let mut decoder = Decoder::new(bytes, rule)?;
    let frame = decoder.frame;
    // Each sample takes at least one bit.
    let most = bytes.len().saturating_mul(8);
    let mut pixels = Vec::with_capacity(most.min(frame.width as usize * frame.height as usize));
    for _ in 0..frame.height {
        pixels.extend(decoder.next_row()?.iter().map(|&v| map(v)));
    }
    Ok((frame, pixels))
}

const SOS: u8 = 0xda;
/// Marker of the segment that says after how many samples decoding begins anew.
const DRI: u8 = 0xdd;

/// The marker segments of the header, one by one.
struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// One marker segment: what stands after its length.
struct Segment<'a> {
    marker: u8,
    at: usize,
    body: &'a [u8],
}

impl<'a> Segments<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, Mistake> {
        if bytes.get(..2) != Some(&[0xff, 0xd8]) {
            let message = "is not a JPEG file: it should begin with the bytes ff d8".into();
            return Err(Mistake::Header { at: 0, message });
        }
        Ok(Self { bytes, at: 2 })
    }

    fn next(&mut self) -> Result<Segment<'a>, Mistake> {
        let wrong = |at, message: &str| Err(Mistake::Header { at, message: message.into() });
        if self.bytes.get(self.at) != Some(&0xff) {
            return wrong(self.at, "expected a marker; the header is cut off or corrupt");
        }
        while self.bytes.get(self.at) == Some(&0xff) {
            self.at += 1;
        }
        let at = self.at;
        let Some(&[marker, high, low]) = self.bytes.get(at..at + 3) else {
            return wrong(at, "the header is cut off");
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        match self.bytes.get(at + 3..(at + 1).saturating_add(length)) {
            Some(body) if length >= 2 => {
                self.at = at + 1 + length;
                Ok(Segment { marker, at, body })
            }
            _ => wrong(at, "the header is cut off, or a length in it is wrong"),
        }
    }
}

impl Segment<'_> {
    fn wrong(&self, message: impl Into<String>) -> Mistake {
        Mistake::Header { at: self.at, message: message.into() }
    }

    /// The frame header, if this is one.
    fn frame(&self) -> Result<Option<Frame>, Mistake> {
        match self.marker {
            0xc3 => {}
            0xc4 | 0xc8 | 0xcc => return Ok(None),
            other @ 0xc0..=0xcf => {
                let process = other - 0xc0;
                return Err(self.wrong(format!(
                    "is JPEG of process SOF{process}; expected lossless JPEG, SOF3"
                )));
            }
            _ => return Ok(None),
        }
        let &[bits, y1, y0, x1, x0, components, ..] = self.body else {
            return Err(self.wrong("the frame header is too short"));
        };
        let (width, height) = (u16::from_be_bytes([x1, x0]), u16::from_be_bytes([y1, y0]));
        if components != 1 {
            return Err(self.wrong(format!("has {components} components; expected 1, grey")));
        }
        if !(8..=16).contains(&bits) {
            return Err(self.wrong(format!("has {bits} bits per sample; expected 8 to 16")));
        }
        if width == 0 || height == 0 {
            return Err(self.wrong(format!("gives an impossible size, {width} x {height}")));
        }
        Ok(Some(Frame { width: width.into(), height: height.into(), bits }))
    }
}

/// Decodes row after row.
pub struct Decoder<'a> {
    frame: Frame,
    rule: Rule,
    predictor: u8,
    shift: u32,
    codes: Codes,
    bits: Bits<'a>,
    /// The row before, and the one being decoded, before the point transform is undone.
    above: Vec<u16>,
    row: Vec<u16>,
    /// Rows decoded.
    rows: u32,
    /// Rows between restarts; 0 for none.
    interval: u32,
}

impl<'a> Decoder<'a> {
    /// Reads the header.
    pub fn new(bytes: &'a [u8], rule: Rule) -> Result<Self, Mistake> {
        let mut segments = Segments::new(bytes)?;
        let mut tables: [Option<Codes>; 4] = Default::default();
        let (mut frame, mut interval) = (None, 0u32);
        loop {
            let segment = segments.next()?;
            frame = match (frame, segment.frame()?) {
                (Some(_), Some(_)) => return Err(segment.wrong("has two frame headers")),
                (before, now) => now.or(before),
            };
            match segment.marker {
                0xc4 => Codes::read_all(&segment, &mut tables)?,
                DRI => {
                    let number = segment.body.first_chunk().copied().unwrap_or_default();
                    interval = u16::from_be_bytes(number).into();
                }
                SOS => {
                    let frame = frame
                        .ok_or_else(|| segment.wrong("the scan begins before any frame header"))?;
                    let &[1, _, table, predictor, _, transform] = segment.body else {
                        return Err(segment.wrong("the scan header is not that of one component"));
                    };
                    if !(1..=7).contains(&predictor) {
                        return Err(
                            segment.wrong(format!("has predictor {predictor}; expected 1 to 7"))
                        );
                    }
                    let shift = transform & 15;
                    if shift >= frame.bits {
                        return Err(segment.wrong(format!("has point transform {shift}")));
                    }
                    let table = usize::from(table >> 4);
                    let codes = tables.get_mut(table).and_then(Option::take).ok_or_else(|| {
                        segment.wrong(format!("uses the Huffman table {table}, which it lacks"))
                    })?;
                    if !interval.is_multiple_of(frame.width) {
                        let what =
                            "has restart intervals that end within a row, which are not read";
                        return Err(segment.wrong(what));
                    }
                    let width = frame.width as usize;
                    return Ok(Self {
                        frame,
                        rule,
                        predictor,
                        shift: shift.into(),
                        codes,
                        bits: Bits::new(bytes, segments.at),
                        above: vec![1 << (frame.bits - shift - 1); width],
                        row: vec![0; width],
                        rows: 0,
                        interval: interval / frame.width,
                    });
                }
                _ => {}
            }
        }
    }

    /// The next row of samples. To be called [`Frame::height`] times.
    pub fn next_row(&mut self) -> Result<&[u16], Mistake> {
        let begins =
            self.rows == 0 || (self.interval > 0 && self.rows.is_multiple_of(self.interval));
        let mut is_whole = true;
        if begins && self.rows > 0 {
            let number = self.rows / self.interval - 1;
            is_whole = self.bits.restart(number as u8 & 7).is_some();
            // As at the beginning (H.1.1).
            self.above.fill(1 << (u32::from(self.frame.bits) - self.shift - 1));
        }
        let predictor = match self.rule {
            Rule::Standard if begins => 1,
            _ => self.predictor,
        };
        let read = match predictor {
            _ if !is_whole => None,
            1 => self.read_row::<1>(),
            2 => self.read_row::<2>(),
            3 => self.read_row::<3>(),
            4 => self.read_row::<4>(),
            5 => self.read_row::<5>(),
            6 => self.read_row::<6>(),
            _ => self.read_row::<7>(),
        };
        let wrong = |what| {
            let (rows, height) = (self.rows, self.frame.height);
            Err(Mistake::Data { what, at: self.bits.place(), rows, height })
        };
        if self.bits.overrun() {
            return wrong("the data end");
        }
        if read.is_none() {
            return wrong("the data are corrupt");
        }
        self.rows += 1;
        std::mem::swap(&mut self.above, &mut self.row);
        if self.shift > 0 {
            let shift = self.shift;
            self.row.iter_mut().zip(&self.above).for_each(|(out, &v)| *out = v << shift);
            return Ok(&self.row);
        }
        Ok(&self.above)
    }

    /// Decodes into `row`; `None` where there is no code.
    fn read_row<const PREDICTOR: u8>(&mut self) -> Option<()> {
        // A copy stays in registers.
        let (codes, mut bits) = (&self.codes, self.bits);
        // The first pixel of a row is predicted from above.
        let mut left = *self.above.first()?;
        let mut corner = left;
        let mut first = true;
        for (out, &above) in self.row.iter_mut().zip(&self.above) {
            let (a, b, c) = (i32::from(left), i32::from(above), i32::from(corner));
            let predicted = if first {
                b
            } else {
                match PREDICTOR {
                    1 => a,
                    2 => b,
                    3 => c,
                    4 => a + b - c,
                    5 => a + ((b - c) >> 1),
                    6 => b + ((a - c) >> 1),
                    _ => (a + b) >> 1,
                }
            };
            first = false;
            // Modulo 65536.
            let value = (predicted as u16).wrapping_add(codes.difference(&mut bits)?);
            (left, corner) = (value, above);
            *out = value;
        }
        self.bits = bits;
        Some(())
    }
}

/// A Huffman table for differences.
#[derive(Debug)]
struct Codes {
    /// By the next `LOOK` bits: bits used in all in the low byte and the difference in the high
    /// half; 0 when more bits are needed.
    look: Vec<u32>,
    /// Each symbol is how many bits the difference has.
    sizes: huffman::Codes,
}

impl Codes {
    /// Reads the tables of a DHT segment.
    fn read_all(segment: &Segment, tables: &mut [Option<Self>; 4]) -> Result<(), Mistake> {
        let mut rest = segment.body;
        while let Some((&[place, ref counts @ ..], after)) = rest.split_first_chunk::<17>() {
            let count = counts.iter().map(|&n| usize::from(n)).sum();
            let Some((symbols, after)) = after.split_at_checked(count) else {
                return Err(segment.wrong("a Huffman table is cut off"));
            };
            rest = after;
            // Tables of another class belong to other processes.
            if let Some(table) = tables.get_mut(usize::from(place)) {
                *table = Some(Self::new(segment, counts, symbols)?);
            }
        }
        if rest.is_empty() { Ok(()) } else { Err(segment.wrong("a Huffman table is cut off")) }
    }

    fn new(segment: &Segment, counts: &[u8; 16], symbols: &[u8]) -> Result<Self, Mistake> {
        if let Some(symbol) = symbols.iter().find(|&&s| s > 16) {
            return Err(
                segment.wrong(format!("a Huffman table has the symbol {symbol}; expected 0 to 16"))
            );
        }
        let Some(sizes) = huffman::Codes::new(counts, symbols) else {
            return Err(segment.wrong("a Huffman table has more codes than fit"));
        };
        let mut codes = Self { look: Vec::new(), sizes };
        codes.look = (0..1u32 << LOOK)
            .map(|bits| match codes.slow(u64::from(bits) << (64 - LOOK)) {
                Some((difference, used)) if used <= LOOK => u32::from(difference) << 16 | used,
                _ => 0,
            })
            .collect();
        Ok(codes)
    }

    /// The difference at the top of `bits`, and how many bits it took; `None` where there is no code.
    fn slow(&self, bits: u64) -> Option<(u16, u32)> {
        let (size, length) = self.sizes.symbol((bits >> 48) as u32)?;
        let size = u32::from(size);
        Some(match size {
            0 => (0, length),
            // 32768 has no further bits.
            16 => (0x8000, length),
            _ => {
                let extra = ((bits << length) >> (64 - size)) as u32;
                // The lower half are the negative differences.
                let negative = extra >> (size - 1) == 0;
                let base = if negative { (1 << size) - 1 } else { 0 };
                (extra.wrapping_sub(base) as u16, length + size)
            }
        })
    }

    #[inline(always)]
    fn difference(&self, bits: &mut Bits) -> Option<u16> {
        bits.fill();
        let entry = self.look[(bits.buffer >> (64 - LOOK)) as usize];
        let (difference, used) = match entry {
            0 => self.slow(bits.buffer)?,
            _ => ((entry >> 16) as u16, entry & 0xff),
        };
        bits.buffer <<= used;
        bits.held = bits.held.wrapping_sub(used);
        Some(difference)
    }
}

/// The bits of the scan, most significant first, without the zeros stuffed after each `ff`.
#[derive(Clone, Copy)]
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The next bits from the top.
    buffer: u64,
    /// How many of them are held; zeros past the end included.
    held: u32,
    /// Zeros added past the end.
    padding: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at, buffer: 0, held: 0, padding: 0 }
    }

    /// Makes sure of the 32 bits that a difference can take: a code of 16 and 15 more.
    #[inline(always)]
    fn fill(&mut self) {
        if self.held >= 32 {
            return;
        }
        if let Some(&next) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let next = u64::from_be_bytes(next);
            let inverted = !next;
            let has_ff =
                inverted.wrapping_sub(0x0101_0101_0101_0101) & next & 0x8080_8080_8080_8080;
            if has_ff == 0 {
                // Whole bytes are counted; what is left over is taken again the next time, and is the
                // same then.
                self.buffer |= next >> self.held;
                let taken = (63 - self.held) / 8;
                self.at += taken as usize;
                self.held += taken * 8;
                return;
            }
        }
        *self = self.filled_slowly();
    }

    /// Byte by byte: around an `ff`, and at the end.
    #[cold]
    #[inline(never)]
    fn filled_slowly(mut self) -> Self {
        while self.held <= 56 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xff), Some(0)) => {
                    self.at += 2;
                    0xff
                }
                // A marker, or the end: zeros from here.
                (Some(0xff) | None, _) => {
                    self.padding = self.padding.saturating_add(8);
                    0
                }
                (Some(&byte), _) => {
                    self.at += 1;
                    byte
                }
            };
            self.buffer |= u64::from(byte) << (56 - self.held);
            self.held += 8;
        }
        self
    }

    /// Goes on behind a restart marker, which must come next; `None` where it does not.
    fn restart(&mut self, number: u8) -> Option<()> {
        // What is held are the ones that fill the last byte.
        let rest = self.bytes.get(self.at..)?;
        let fill = rest.iter().take_while(|&&byte| byte == 0xff).count();
        if fill == 0
            || *rest.get(fill)? != 0xd0 + number
            || self.held >= self.padding.saturating_add(8)
        {
            return None;
        }
        *self = Self::new(self.bytes, self.at + fill + 1);
        Some(())
    }

    /// Whether more bits were taken than there are.
    fn overrun(&self) -> bool {
        self.held < self.padding
    }

    /// Byte of the file that the next bit comes from, about.
    fn place(&self) -> usize {
        self.at - (self.held.saturating_sub(self.padding) / 8) as usize
    }
}

/// Lossless JPEG as DDSM has it, of every predictor.
#[cfg(test)]
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    use crate::fuzz::outcome;
    let scans = (1..=7).map(|predictor| {
        let pixels: Vec<u16> = (0..120).map(|i| i * 37 % 251).collect();
        crate::encoder::encode(&pixels, 12, 8 + predictor, predictor)
    });
    crate::fuzz::Target {
        name: "ljpeg",
        seeds: scans.collect(),
        words: &["\u{0}", "\u{1}\u{1}", "\u{8}", "\u{11}", "\u{7f}"],
        read: |bytes| {
            let header = outcome(frame(bytes), |_| "frame".into());
            let all = outcome(decode(bytes, Rule::Ddsm, |v| v), |(frame, pixels)| {
                assert_eq!(pixels.len(), frame.width as usize * frame.height as usize);
                "decoded".into()
            });
            format!("{header}; {all}")
        },
    }
}

#[cfg(test)]
#[path = "ljpeg_tests.rs"]
mod tests;
