//! Portable greymaps: P5 (binary, 8 or 16 bits) and P2 (text), read strictly.
//!
//! Everything the header promises is checked against the bytes that are there before anything is
//! allocated, so that a truncated or corrupt file gives a message and never a wrong image.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::picture::FILE_LIMIT;
use crate::picture::raster::{Raster, Values};
use base::input;
use mammogram::Grey;

/// Longest side that is believed.
const MAX_SIDE: u32 = 65_535;
/// A header with its comments fits in this many bytes.
const HEADER_LIMIT: u64 = 4096;

/// The first lines of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Whether the pixels are binary (P5) or text (P2).
    binary: bool,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Value of white.
    max: u32,
    /// Where the pixels begin.
    offset: usize,
}

/// Reads only the header of a file.
pub fn header(path: &Path) -> Result<Header> {
    let mut bytes = Vec::new();
    let (file, _) = input::open(path).with_context(|| path.display().to_string())?;
    file.take(HEADER_LIMIT).read_to_end(&mut bytes)?;
    parse_header(&bytes).with_context(|| path.display().to_string())
}

/// Decodes a file to a display image: values of up to 255 are scaled so that the file's white is 255; of
/// greater ones the least is black and the greatest white, as in any image of more than 8 bits.
pub fn read(path: &Path) -> Result<Grey> {
    let bytes = whole(path)?;
    decode(&bytes).map(Raster::shown).with_context(|| path.display().to_string())
}

/// All of a file that is not too large to be one image.
fn whole(path: &Path) -> Result<Vec<u8>> {
    input::read(path, FILE_LIMIT).with_context(|| path.display().to_string())
}

/// Decodes a file to its own values.
pub(crate) fn raster(path: &Path) -> Result<Raster> {
    let bytes = whole(path)?;
    decode(&bytes).with_context(|| path.display().to_string())
}

fn parse_header(bytes: &[u8]) -> Result<Header> {
    let binary = match bytes.get(..2) {
        Some(b"P5") => true,
        Some(b"P2") => false,
        _ => bail!("is not a PGM image: it should begin with P5 or P2"),
    };
    let mut at = 2;
    let mut number = |what: &str| -> Result<u32> {
        let start = at;
        loop {
            match bytes.get(at) {
                Some(b'#') => at += bytes[at..].iter().take_while(|&&b| b != b'\n').count(),
                Some(b) if b.is_ascii_whitespace() => at += 1,
                _ => break,
            }
        }
        let digits = bytes[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        ensure!(at > start && digits > 0, "its PGM header has no {what} at byte {at}");
        let text = std::str::from_utf8(&bytes[at..at + digits])?;
        at += digits;
        text.parse().with_context(|| format!("its PGM header has an impossible {what}, {text}"))
    };
    let (width, height, max) = (number("width")?, number("height")?, number("maximum")?);
    ensure!(
        (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height),
        "its PGM header gives an impossible size, {width} x {height}"
    );
    ensure!(
        (1..=65_535).contains(&max),
        "its PGM header gives an impossible maximum, {max}; expected 1 to 65535"
    );
    ensure!(
        bytes.get(at).is_some_and(u8::is_ascii_whitespace),
        "its PGM header does not end with a white space at byte {at}"
    );
    Ok(Header { binary, width, height, max, offset: at + 1 })
}

fn decode(bytes: &[u8]) -> Result<Raster> {
    let header = parse_header(bytes)?;
    let Header { width, height, max, .. } = header;
    let count = width as usize * height as usize;
    let body = &bytes[header.offset..];
    let values = if header.binary {
        let each = if max > 255 { 2 } else { 1 };
        let expected = count as u64 * each;
        let found = body.len() as u64;
        ensure!(
            found >= expected,
            "is truncated: {width} x {height} pixels take {expected} bytes, found {found}"
        );
        let (body, rest) = body.split_at(expected as usize);
        ensure!(
            rest.iter().all(u8::is_ascii_whitespace),
            "is corrupt: {width} x {height} pixels take {expected} bytes, found {found}"
        );
        match each {
            1 => Values::Bytes(body.to_vec()),
            _ => Values::Words(
                body.as_chunks::<2>().0.iter().map(|&v| u16::from_be_bytes(v)).collect(),
            ),
        }
    } else {
        // Each number takes a digit and a separator, so that a short file cannot ask for much memory.
        ensure!(
            body.len() as u64 + 1 >= 2 * count as u64,
            "is truncated: {width} x {height} numbers do not fit in the {} bytes found",
            body.len()
        );
        let mut values = Vec::with_capacity(count);
        for word in body.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()) {
            let value = std::str::from_utf8(word).ok().and_then(|w| w.parse::<u16>().ok());
            let Some(value) = value.filter(|&v| u32::from(v) <= max) else {
                bail!(
                    "is corrupt: pixel {} is {:?}, expected a number from 0 to {max}",
                    values.len() + 1,
                    String::from_utf8_lossy(&word[..word.len().min(20)])
                );
            };
            values.push(value);
        }
        ensure!(
            values.len() == count,
            "is {}: {width} x {height} = {count} numbers expected, found {}",
            if values.len() < count { "truncated" } else { "corrupt" },
            values.len()
        );
        match max {
            ..256 => Values::Bytes(values.into_iter().map(|v| v as u8).collect()),
            _ => Values::Words(values),
        }
    };
    Ok(Raster { width, height, values, white: max })
}

#[cfg(test)]
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    crate::fuzz::Target {
        name: "pgm",
        seeds: vec![
            b"P5\n3 2\n255\n\x00\x80\xff\x01\x02\x03".into(),
            b"P2\n# text\n3 2\n255\n0 128 255\n1 2 3\n".into(),
            b"P5 3 1 65535\n\x00\x07\x0f\x01\x02\x03".into(),
        ],
        words: &["P5", "P2", "P6", "#", "\n", " ", "65535", "255", "1 1 ", "9 9 "],
        read: |bytes| {
            crate::fuzz::outcome(decode(bytes).map_err(|e| format!("{e:#}")), |image| {
                let image = image.shown();
                assert_eq!(image.pixels.len(), image.width as usize * image.height as usize);
                "read".into()
            })
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(bytes: &[u8]) -> String {
        match decode(bytes) {
            Err(error) => format!("{error:#}"),
            Ok(_) => panic!("is read"),
        }
    }

    fn shown(bytes: &[u8]) -> Grey {
        decode(bytes).unwrap().shown()
    }

    #[test]
    fn binary_and_text_in_8_and_16_bits_agree() {
        let expected = Grey { width: 3, height: 2, pixels: vec![0, 128, 255, 1, 2, 3] };
        assert_eq!(shown(b"P5\n3 2\n255\n\x00\x80\xff\x01\x02\x03"), expected);
        assert_eq!(
            shown(b"P5 # made by hand\n3 # and\n# again\n2 255 \x00\x80\xff\x01\x02\x03\n"),
            expected
        );
        assert_eq!(shown(b"P2\n3 2\n255\n0 128 255\n1 2 3\n"), expected);
        let wide: Vec<u8> =
            expected.pixels.iter().flat_map(|&v| (u16::from(v) * 257).to_be_bytes()).collect();
        assert_eq!(shown(&[b"P5 3 2 65535\n".as_slice(), &wide].concat()), expected);
        // 4 bits: white is 255 and the middle rounds to nearest.
        assert_eq!(shown(b"P5 3 1 15\n\x00\x07\x0f").pixels, [0, 119, 255]);
    }

    #[test]
    fn of_more_than_8_bits_the_least_value_is_black_and_the_greatest_white() {
        // 12 bits in 16, whatever the header calls white.
        for max in ["4095", "65535"] {
            let values = [40u16, 1820, 3600, 930].map(u16::to_be_bytes).concat();
            let file = [format!("P5 2 2 {max}\n").as_bytes(), &values].concat();
            assert_eq!(shown(&file).pixels, [0, 128, 255, 64]);
            let text = format!("P2 2 2 {max}\n40 1820\n3600 930\n");
            assert_eq!(shown(text.as_bytes()).pixels, [0, 128, 255, 64]);
        }
        // Whatever they may be, values of one byte keep their place between black and white.
        assert_eq!(shown(b"P5 2 1 100\n\x0a\x14").pixels, [26, 51]);
        let Ok(Raster { values: Values::Words(values), .. }) = decode(b"P2 2 1 300\n1 299\n")
        else {
            panic!("no words")
        };
        assert_eq!(values, [1, 299]);
    }

    #[test]
    fn the_image_crate_reads_the_same() {
        let bytes =
            [b"P5\n7 5\n255\n".as_slice(), &(0..35).map(|i| i * 7).collect::<Vec<u8>>()].concat();
        let theirs = image::load_from_memory_with_format(&bytes, image::ImageFormat::Pnm).unwrap();
        assert_eq!(shown(&bytes).pixels, theirs.into_luma8().into_raw());
    }

    #[test]
    fn broken_files_say_what_is_wrong() {
        assert!(message(b"P5\n3 2\n255\n\x00\x80").contains("take 6 bytes, found 2"));
        assert!(message(b"P5\n3 2\n255\n123456789").contains("take 6 bytes, found 9"));
        assert!(message(b"P5\n99999 99999\n255\n").contains("99999 x 99999"));
        assert!(message(b"P5\n60000 60000\n255\nx").contains("truncated"));
        assert!(message(b"P2\n60000 60000\n255\n1 2 3").contains("truncated"));
        assert!(message(b"P2\n3 1\n255\n1 2 300").contains("pixel 3 is \"300\""));
        assert!(message(b"P5\n99999999999 1\n255\n").contains("width"));
        assert!(message(b"P5\n3 2\n0\n123456").contains("maximum, 0"));
        assert!(message(b"\xff\xd8\xff").contains("not a PGM"));
        assert!(message(b"").contains("not a PGM"));
        assert!(message(b"P5\n3 2\n").contains("no maximum"));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(
            magic in prop::sample::select(vec!["P5", "P2", "P5 9 9 255 ", "P2 2 2 9 ", ""]),
            rest in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let _ = decode(&[magic.as_bytes(), &rest].concat());
        }
    }
}
