//! High-Throughput JPEG 2000 (HTJ2K, ISO/IEC 15444-15): JPEG 2000 whose code-blocks are coded in another way.
//! Reversible streams of one component are decoded, by `dicom-toolkit-jpeg2000`.
//!
//! That crate believes what a stream says of itself, takes tiles that are not there for grey, and rounds what is
//! quantised to the wrong side. So a stream is gone through before: what it would cost, whether all of it is
//! there, and whether it has anything that was not tried.

use anyhow::{Context, Result, anyhow, bail, ensure};
use dicom_toolkit_jpeg2000::{DecodeSettings, Image};

use crate::MAX_PIXELS;

/// Code-blocks and precincts of all tiles; an image of 55 million pixels in the smallest blocks that encoders
/// offer, 32 x 32, has 54,000.
const MAX_PIECES: u64 = 1 << 18;
/// Tiles: their numbers have 16 bits (A.4.2).
const MAX_TILES: u64 = 1 << 16;

/// Markers (Table A.2), of which the first byte is always 0xff.
mod marker {
    pub(super) const SIZ: u8 = 0x51;
    pub(super) const COD: u8 = 0x52;
    pub(super) const COC: u8 = 0x53;
    pub(super) const QCD: u8 = 0x5c;
    pub(super) const QCC: u8 = 0x5d;
    pub(super) const RGN: u8 = 0x5e;
    pub(super) const POC: u8 = 0x5f;
    pub(super) const PPM: u8 = 0x60;
    pub(super) const PPT: u8 = 0x61;
    pub(super) const SOT: u8 = 0x90;
    pub(super) const SOD: u8 = 0x93;
    pub(super) const EOC: u8 = 0xd9;
}

/// Whether a codestream's main header says that its code-blocks are those of HTJ2K.
pub(crate) fn is_high_throughput(stream: &[u8]) -> bool {
    let mut found = false;
    // What is wrong with the header shows when it is decoded.
    let _ = segments(stream, 2, |marker, body| {
        found |= match marker {
            marker::COD => body.get(8).is_some_and(|style| style & 0x40 != 0),
            marker::COC => body.get(5).is_some_and(|style| style & 0x40 != 0),
            _ => false,
        };
        Ok(())
    });
    found
}

/// Goes through the marker segments of a header from a place on; returns the place of the marker that ends it.
fn segments(
    stream: &[u8],
    mut at: usize,
    mut visit: impl FnMut(u8, &[u8]) -> Result<()>,
) -> Result<usize> {
    let broken = || "breaks off within a header";
    loop {
        let rest = stream.get(at..).with_context(broken)?;
        let &[0xff, marker] = rest.first_chunk().with_context(broken)? else {
            bail!("has no marker at byte {at} of its header");
        };
        match marker {
            marker::SOT | marker::SOD | marker::EOC => return Ok(at),
            // Markers without a segment.
            0x30..=0x3f => at += 2,
            _ => {
                let &length = rest[2..].first_chunk().with_context(broken)?;
                let length = usize::from(u16::from_be_bytes(length));
                visit(marker, rest.get(4..2 + length).with_context(broken)?)?;
                at += 2 + length;
            }
        }
    }
}

/// What the SIZ segment says of the one component and its tiles.
#[derive(Debug, Clone, Copy)]
struct Grid {
    /// Ends and beginnings of the image, of the first tile its extent and beginning: each across and down.
    end: [u32; 2],
    begin: [u32; 2],
    tile: [u32; 2],
    tile_begin: [u32; 2],
}

impl Grid {
    fn of(body: &[u8]) -> Result<Self> {
        let numbers = body.get(2..34).context("has a short SIZ segment")?;
        let mut numbers = numbers.as_chunks::<4>().0.iter().map(|&four| u32::from_be_bytes(four));
        let mut pair = || Some([numbers.next()?, numbers.next()?]);
        let read = || Some((pair()?, pair()?, pair()?, pair()?));
        let (end, begin, tile, tile_begin) = { read }().context("has a short SIZ segment")?;
        ensure!(body.get(37..39) == Some(&[1, 1]), "has a component that is sampled more coarsely");
        for axis in 0..2 {
            let reach = u64::from(tile_begin[axis]) + u64::from(tile[axis]);
            ensure!(
                begin[axis] < end[axis]
                    && tile_begin[axis] <= begin[axis]
                    && reach > u64::from(begin[axis]),
                "has an impossible grid of tiles"
            );
        }
        Ok(Self { end, begin, tile, tile_begin })
    }

    fn pixels(&self) -> u64 {
        let [across, down] = [0, 1].map(|axis| u64::from(self.end[axis] - self.begin[axis]));
        across * down
    }

    fn tiles(&self) -> u64 {
        let [across, down] = [0, 1].map(|axis| {
            u64::from(self.end[axis] - self.tile_begin[axis]).div_ceil(self.tile[axis].into())
        });
        across * down
    }
}

/// What the COD segment says of how tiles are coded.
#[derive(Debug, Clone)]
struct Coding {
    /// Exponents of the sides of code-blocks.
    block: [u32; 2],
    /// Exponents of the sides of precincts, the coarsest resolution first.
    precincts: Vec<[u32; 2]>,
}

impl Coding {
    fn of(body: &[u8]) -> Result<Self> {
        let &[scheme, _, layers_high, layers_low, _, levels, width, height, style, transform] =
            body.first_chunk().context("has a short COD segment")?;
        let layers = u16::from_be_bytes([layers_high, layers_low]);
        ensure!(layers == 1, "has {layers} layers of quality; one is read");
        ensure!(levels <= 32, "has {levels} levels of resolution; at most 32 are allowed");
        // Of the style only the vertically causal context may be chosen (Table A.19).
        ensure!(
            style & 0x40 != 0 && style & !0x48 == 0,
            "has code-blocks of several kinds (style {style:#04x})"
        );
        ensure!(
            transform == 1,
            "is lossy High-Throughput JPEG 2000, which is not read; convert it to lossless, to JPEG 2000 or to plain pixels"
        );
        let block = [width, height].map(|exponent| u32::from(exponent) + 2);
        ensure!(
            block.iter().all(|exponent| *exponent <= 10) && block[0] + block[1] <= 12,
            "has impossible code-blocks"
        );
        let resolutions = usize::from(levels) + 1;
        let precincts = match scheme & 1 {
            0 => vec![[15; 2]; resolutions],
            _ => {
                let sizes = body.get(10..10 + resolutions).context("has a short COD segment")?;
                sizes.iter().map(|size| [size & 0xf, size >> 4].map(u32::from)).collect()
            }
        };
        // Half of a precinct is each band's, but in the coarsest resolution.
        let fine = precincts.iter().skip(1).all(|sides| sides.iter().all(|side| *side > 0));
        ensure!(fine, "has impossible precincts");
        Ok(Self { block, precincts })
    }

    /// At most so many code-blocks and precincts has a tile.
    fn pieces(&self, tile: [u32; 2]) -> u64 {
        let finest = self.precincts.len() - 1;
        let of = |(resolution, precinct): (usize, &[u32; 2])| {
            let parts = |exponents: [u32; 2], halved: usize| {
                let [across, down] = [0, 1].map(|axis| {
                    let side = u64::from(tile[axis]).div_ceil(1 << (finest - resolution + halved));
                    // They lie on a grid of their own: one more may be begun.
                    side.div_ceil(1 << exponents[axis]) + 1
                });
                across * down
            };
            let (bands, halved) = if resolution == 0 { (1, 0) } else { (3, 1) };
            let within = [0, 1].map(|axis| self.block[axis].min(precinct[axis] - halved as u32));
            bands * (parts(*precinct, 0) + parts(within, halved))
        };
        self.precincts.iter().enumerate().map(of).sum()
    }
}

/// Refuses a stream that costs more than its image may, that is not all there, or that has what is not read.
fn check(stream: &[u8]) -> Result<()> {
    let (mut grid, mut coding) = (None, None);
    let mut at = segments(stream, 2, |marker, body| {
        match marker {
            marker::SIZ => grid = Some(Grid::of(body)?),
            marker::COD => coding = Some(Coding::of(body)?),
            marker::QCD => {
                let style = *body.first().context("has an empty QCD segment")?;
                ensure!(style & 0x1f == 0, "is quantised though its transform is reversible");
            }
            marker::COC | marker::QCC | marker::RGN | marker::POC | marker::PPM => {
                bail!("has a marker segment ff{marker:02x} that is not read")
            }
            _ => {}
        }
        Ok(())
    })?;
    let grid = grid.context("has no SIZ segment")?;
    let coding = coding.context("has no COD segment")?;
    let tiles = grid.tiles();
    ensure!(grid.pixels() <= MAX_PIXELS, "has an impossible size");
    ensure!(tiles <= MAX_TILES, "has {tiles} tiles; at most {MAX_TILES} are allowed");
    let largest = [0, 1].map(|axis| grid.tile[axis].min(grid.end[axis] - grid.begin[axis]));
    let pieces = tiles.saturating_mul(coding.pieces(largest));
    ensure!(
        pieces <= MAX_PIECES,
        "is cut into {pieces} code-blocks and precincts, more than any encoder would"
    );

    // Of each tile, how many parts are there, and of how many.
    let mut parts = vec![(0u16, 0u16); tiles as usize];
    loop {
        let start = stream.get(at..).context("breaks off between tiles")?;
        match start {
            [0xff, marker::EOC, ..] => break,
            [0xff, marker::SOT, 0, 10, ..] => {}
            _ => bail!("breaks off at byte {at}, or has no tile there"),
        }
        let &[i0, i1, l0, l1, l2, l3, _, count] =
            start[4..].first_chunk().context("breaks off within a tile's header")?;
        let tile = usize::from(u16::from_be_bytes([i0, i1]));
        let (found, of) = parts.get_mut(tile).with_context(|| format!("has no tile {tile}"))?;
        *found = found.saturating_add(1);
        *of = (*of).max(count.into());
        segments(stream, at + 12, |marker, _| match marker {
            marker::COD
            | marker::COC
            | marker::QCD
            | marker::QCC
            | marker::RGN
            | marker::POC
            | marker::PPT => bail!("has a tile with a marker segment ff{marker:02x} of its own"),
            _ => Ok(()),
        })?;
        let length = u32::from_be_bytes([l0, l1, l2, l3]) as usize;
        // The last tile may leave its length out; how it ends is found by the decoder.
        if length == 0 {
            break;
        }
        at = at.checked_add(length).context("has an impossible tile")?;
    }
    let missing = parts.iter().position(|(found, of)| *found == 0 || found < of);
    if let Some(tile) = missing {
        bail!("breaks off: part of tile {tile} is not there");
    }
    Ok(())
}

/// Decodes a codestream of one component of `bits` bits, at most 16: samples row by row, as two's complement
/// where they are signed.
///
/// # Errors
/// What is wrong with the data, or is not read.
pub(crate) fn decode(stream: &[u8], bits: u8, signed: bool) -> Result<Vec<u16>> {
    check(stream).map_err(|why| anyhow!("High-Throughput JPEG 2000: {why}"))?;
    let wrong = |error| anyhow!("High-Throughput JPEG 2000: {error}");
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = Image::new(stream, &settings).map_err(wrong)?;
    let count = u64::from(image.width()) * u64::from(image.height());
    let decoded = image.decode_native().map_err(wrong)?;
    let each = usize::from(decoded.bytes_per_sample);
    ensure!(
        decoded.num_components == 1
            && decoded.bit_depth == bits
            && (decoded.data.len() / each) as u64 == count,
        "High-Throughput JPEG 2000: has {} bytes of {} bits",
        decoded.data.len(),
        decoded.bit_depth
    );
    // Signed samples come moved up, as the others are.
    let half = if signed { 1 << (bits - 1) } else { 0 };
    let sample = |value: u16| value.wrapping_sub(half);
    Ok(match each {
        1 => decoded.data.iter().map(|&value| sample(value.into())).collect(),
        _ => {
            let pairs = decoded.data.as_chunks::<2>().0;
            pairs.iter().map(|&pair| sample(u16::from_le_bytes(pair))).collect()
        }
    })
}

#[cfg(test)]
fn golden(file: &str) -> Vec<u8> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/htj2k");
    std::fs::read(folder.join(file)).unwrap()
}

/// Streams, and what is around them.
#[cfg(test)]
pub(crate) fn fuzz_target() -> crate::fuzz::Target {
    let files =
        ["rpcl", "lrcp-small-blocks", "pcrl-precincts", "cprl-tiles", "offset", "no-levels"]
            .into_iter()
            .chain(["rlcp-wide-blocks", "one-bit", "signed", "signed-tiles", "lengths", "lossy"]);
    let seeds = files.map(|name| golden(&format!("{name}.jhc")));
    crate::fuzz::Target {
        name: "htj2k",
        seeds: seeds.chain([golden("boxes.jph")]).collect(),
        words: &["\u{1}\u{1}", "\0\0\0\u{1}", "\0\u{7f}", "@\u{1}", "\0\0\u{20}\0", "\u{11}\u{11}"],
        read: |bytes| {
            // As it comes to be decoded: by its header.
            let small = crate::jpeg2000::size(bytes)
                .is_some_and(|size| u64::from(size.width) * u64::from(size.height) <= MAX_PIXELS);
            let decoded = match small {
                true => crate::jpeg2000::decode(bytes).map_err(|error| format!("{error:#}")),
                false => Err("has another size".to_owned()),
            };
            crate::fuzz::outcome(decoded, |samples| format!("{:?}", samples.first()))
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;
    use crate::jpeg2000;

    #[derive(Deserialize)]
    struct Expected {
        file: String,
        size: [u32; 2],
        bits: u8,
        signed: bool,
        crc: u32,
    }

    /// Compares the files of a list in a folder with what OpenJPH decodes; returns how many there are.
    fn compare(list: &str, folder: &Path) -> usize {
        let expected: Vec<Expected> = serde_json::from_str(list).unwrap();
        for Expected { file, size, bits, signed, crc } in &expected {
            let bytes = std::fs::read(folder.join(file)).unwrap();
            let stated = jpeg2000::size(&bytes).unwrap();
            assert_eq!([stated.width, stated.height], *size, "{file}");
            assert_eq!((stated.bits, stated.signed), (*bits, *signed), "{file}");
            let samples = jpeg2000::decode(&bytes).unwrap_or_else(|why| panic!("{file}: {why:#}"));
            assert_eq!(samples.len(), (size[0] * size[1]) as usize, "{file}");
            let mut found = flate2::Crc::new();
            samples.iter().for_each(|sample| found.update(&sample.to_le_bytes()));
            assert_eq!(found.sum(), *crc, "{file}");
        }
        expected.len()
    }

    #[test]
    fn reversible_streams_of_every_kind_equal_what_openjph_decodes() {
        let list = include_str!("../../tests/golden/htj2k.json");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/htj2k");
        assert_eq!(compare(list, &folder), 12);
        if let Some(folder) = std::env::var_os("UNIT_ATLAS_HTJ2K") {
            let folder = Path::new(&folder);
            let list = std::fs::read_to_string(folder.join("files.json")).unwrap();
            println!("{} files are read alike", compare(&list, folder));
        }
    }

    fn refusal(bytes: &[u8]) -> String {
        match jpeg2000::decode(bytes) {
            Err(why) => format!("{why:#}"),
            Ok(_) => panic!("is read"),
        }
    }

    /// A stream with other bytes in a segment, from a place of its body on.
    fn with(file: &str, marker: u8, at: usize, value: &[u8]) -> Vec<u8> {
        let mut bytes = golden(file);
        let start = bytes.windows(2).position(|window| window == [0xff, marker]).unwrap();
        bytes[start + 4 + at..][..value.len()].copy_from_slice(value);
        bytes
    }

    #[test]
    fn what_is_not_read_is_refused_by_what_it_is() {
        let lossy = refusal(&golden("lossy.jhc"));
        assert!(lossy.contains("lossy") && lossy.contains("convert it to lossless"), "{lossy}");
        for (marker, at, value, expected) in [
            (marker::COD, 2, &[0, 2][..], "2 layers of quality"),
            (marker::COD, 8, &[0xc0], "several kinds"),
            (marker::COD, 6, &[9], "impossible code-blocks"),
            (marker::QCD, 0, &[0x22], "quantised"),
            (marker::SIZ, 37, &[2, 2], "sampled more coarsely"),
            // Tiles of one pixel are as many as pixels; blocks of 4 x 4 of a large image more than any has.
            (marker::SIZ, 18, &[0, 0, 0, 1, 0, 0, 0, 0], "impossible grid"),
        ] {
            let message = refusal(&with("rpcl.jhc", marker, at, value));
            assert!(message.contains(expected), "{message}");
        }
        let mut boxes = golden("boxes.jph");
        let at = boxes.windows(4).position(|window| window == b"colr").unwrap();
        boxes[at..at + 4].copy_from_slice(b"pclr");
        assert!(refusal(&boxes).contains("palette"));
    }

    #[test]
    fn what_a_header_says_costs_nothing_before_it_is_believed() {
        let grid = |numbers: [u32; 4]| -> Vec<u8> {
            let [width, height, across, down] = numbers;
            let numbers = [width, height, 0, 0, across, down];
            numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
        };
        let of = |numbers| refusal(&with("lrcp-small-blocks.jhc", marker::SIZ, 2, &grid(numbers)));
        assert!(of([8000, 8000, 8000, 8000]).contains("more than any encoder"));
        assert!(of([8000, 8000, 1, 1]).contains("tiles; at most"));
        assert!(of([20, 20, 1, 1]).contains("not there"), "{}", of([20, 20, 1, 1]));
        assert!(of([u32::MAX, u32::MAX, u32::MAX, u32::MAX]).contains("impossible size"));
        let mut small = with("pcrl-precincts.jhc", marker::SIZ, 2, &grid([8000; 4]));
        let cod = small.windows(2).position(|w| w == [0xff, marker::COD]).unwrap();
        let levels = usize::from(small[cod + 9]);
        small[cod + 14..=cod + 14 + levels].fill(0x11);
        assert!(refusal(&small).contains("more than any encoder"), "{}", refusal(&small));
    }

    #[test]
    fn a_stream_cut_off_anywhere_or_without_a_tile_is_no_image() {
        for file in ["rpcl.jhc", "cprl-tiles.jhc", "lengths.jhc"] {
            let whole = golden(file);
            for length in (0..whole.len() - 1).step_by(3) {
                assert!(!refusal(&whole[..length]).is_empty(), "{file} {length}");
            }
        }
        // The first tile's part is taken out.
        let mut bytes = golden("cprl-tiles.jhc");
        let start = bytes.windows(2).position(|w| w == [0xff, marker::SOT]).unwrap();
        let length = u32::from_be_bytes(*bytes[start + 6..].first_chunk().unwrap()) as usize;
        bytes.drain(start..start + length);
        assert!(refusal(&bytes).contains("part of tile 0 is not there"), "{}", refusal(&bytes));
    }

    proptest! {
        #[test]
        fn no_bytes_cause_a_panic(
            file in 0usize..13,
            noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        ) {
            let mut bytes = fuzz_target().seeds.swap_remove(file);
            for (at, value) in noise {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            let _ = (fuzz_target().read)(&bytes);
        }
    }
}
