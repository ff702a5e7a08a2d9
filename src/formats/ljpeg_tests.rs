//! Lossless JPEG of every predictor, whole and broken.

use proptest::prelude::*;

use super::*;
use crate::{encoder, real_data};

fn samples(bytes: &[u8]) -> Result<Vec<u16>, Mistake> {
    decode(bytes, Rule::Ddsm, |v| v).map(|(_, pixels)| pixels)
}

#[test]
fn the_first_rows_of_a_real_scan_are_exact_and_its_end_is_reported() {
    let Some(folder) = real_data::folder("ddsm") else { return };
    let path = folder.join("cases/normals/normal_01/case0002/A_0002_1.RIGHT_CC.LJPEG");
    let bytes = std::fs::read(path).unwrap();
    let golden = folder.join("golden/A_0002_1.RIGHT_CC.first175rows.1874w.u16le.raw");
    let golden = std::fs::read(golden).unwrap();
    let expected: Vec<u16> =
        golden.as_chunks::<2>().0.iter().map(|&b| u16::from_le_bytes(b)).collect();
    let expected_frame = Frame { width: 1874, height: 4334, bits: 16 };
    assert_eq!(frame(&bytes[..64]).unwrap(), expected_frame);
    let mut decoder = Decoder::new(&bytes, Rule::Ddsm).unwrap();
    for row in expected.chunks(1874) {
        assert!(decoder.next_row().unwrap() == row);
    }
    let mistake = samples(&bytes).unwrap_err();
    let Mistake::Data { what, at, rows, height } = mistake else { panic!("{mistake}") };
    assert_eq!((what, rows, height), ("the data end", 175, 4334));
    assert!((204_700..=204_800).contains(&at), "{at}");
}

#[test]
fn a_first_row_is_predicted_below_a_virtual_row() {
    // 4 x 1 pixels of 8 bits, predictor 7, differences of 2 bits with the code 0: -2, 3, 2, -3.
    let data = [0b0010_1101, 0b0000_1111];
    let header: &[&[u8]] = &[
        &[0xff, 0xd8, 0xff, 0xc3, 0, 11, 8, 0, 1, 0, 4, 1, 1, 0x11, 0],
        &[0xff, 0xc4, 0, 20, 0, 1],
        &[0; 15],
        &[2],
        &[0xff, 0xda, 0, 8, 1, 1, 0, 7, 0, 0],
        &data,
    ];
    let expected = [126, 130, 131, 126];
    assert_eq!(samples(&header.concat()).unwrap(), expected);
    // The standard predicts it from the left.
    let (_, standard) = decode(&header.concat(), Rule::Standard, |v| v).unwrap();
    assert_eq!(standard, [126, 129, 131, 128]);
}

#[test]
fn broken_headers_say_what_is_wrong() {
    let good = encoder::encode(&[1, 2, 3, 4, 5, 6], 3, 8, 7);
    assert_eq!(samples(&good).unwrap(), [1, 2, 3, 4, 5, 6]);
    let scan = good.windows(2).position(|w| w == [0xff, SOS]).unwrap();
    let with = |at: usize, value: u8| {
        let mut bytes = good.clone();
        bytes[at] = value;
        samples(&bytes).unwrap_err().to_string()
    };
    assert!(with(0, 0x47).contains("not a JPEG"));
    assert!(with(3, 0xc0).contains("SOF0"));
    assert!(with(6, 17).contains("17 bits"));
    assert!(with(8, 0).contains("3 x 0"));
    assert!(with(11, 3).contains("3 components"));
    assert!(with(scan + 6, 0x30).contains("table 3"));
    assert!(with(scan + 7, 0).contains("predictor 0"));
    assert!(with(scan + 9, 8).contains("point transform 8"));
    let mut crowded = good.clone();
    (crowded[20], crowded[23]) = (14, 0);
    assert!(samples(&crowded).unwrap_err().to_string().contains("more codes"));
    for length in 0..good.len() - 3 {
        let message = samples(&good[..length]).unwrap_err().to_string();
        assert!(message.contains("at byte"), "{length}: {message}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(
        width in 1usize..40, bits in 8u8..=16, predictor in 1u8..=7, smooth in any::<bool>(),
        noise in prop::collection::vec(any::<u16>(), 1..600),
    ) {
        let most = u32::from(u16::MAX >> (16 - bits));
        let count = noise.len().div_ceil(width) * width;
        let pixels: Vec<u16> = noise.iter().cycle().take(count).enumerate().map(|(i, &v)| {
            let value = if smooth { i as u32 * 5 + u32::from(v % 8) } else { v.into() };
            (value % (most + 1)) as u16
        }).collect();
        let bytes = encoder::encode(&pixels, width, bits, predictor);
        let (frame, decoded) = decode(&bytes, Rule::Ddsm, |v| v).unwrap();
        prop_assert_eq!(frame.width as usize, width);
        prop_assert_eq!(frame.bits, bits);
        prop_assert_eq!(decoded, pixels);
        // Cut anywhere, it is told how many rows are left.
        if let Err(Mistake::Data { rows, height, .. }) = samples(&bytes[..bytes.len() * 2 / 3]) {
            prop_assert!(rows < height);
        }
    }

    #[test]
    fn no_bytes_cause_a_panic(
        noise in prop::collection::vec(any::<u8>(), 0..300), from in 0usize..300,
    ) {
        let _ = samples(&noise);
        let _ = frame(&noise);
        let mut bytes = encoder::encode(&[9; 200], 20, 12, 5);
        let from = from.min(bytes.len());
        bytes.splice(from.., noise);
        let _ = samples(&bytes);
    }
}

/// Rows in intervals of some, which are as images of their own.
fn with_restarts(pixels: &[u16], width: usize, rows: usize, says: usize) -> Vec<u8> {
    let whole = encoder::encode(pixels, width, 12, 1);
    let scan = whole.windows(2).position(|w| w == [0xff, SOS]).unwrap();
    let mut bytes = whole[..scan].to_vec();
    bytes.extend([0xff, DRI, 0, 4]);
    bytes.extend((says as u16).to_be_bytes());
    bytes.extend(&whole[scan..scan + 10]);
    for (number, band) in pixels.chunks(width * rows).enumerate() {
        if number > 0 {
            bytes.extend([0xff, 0xd0 + (number as u8 - 1) % 8]);
        }
        let band = encoder::encode(band, width, 12, 1);
        bytes.extend(&band[scan + 10..band.len() - 2]);
    }
    bytes.extend([0xff, 0xd9]);
    bytes
}

#[test]
fn decoding_begins_anew_after_every_restart() {
    let pixels: Vec<u16> = (0..23 * 41).map(|i| (i * 37 % 4096) as u16).collect();
    for rows in [1, 2, 5, 40, 41, 60] {
        let bytes = with_restarts(&pixels, 23, rows, 23 * rows);
        for rule in [Rule::Standard, Rule::Ddsm] {
            assert!(decode(&bytes, rule, |v| v).unwrap().1 == pixels, "{rows}");
        }
    }
    // A marker that is out of order, missing, or early, and intervals that end within rows.
    let good = with_restarts(&pixels, 23, 5, 23 * 5);
    let marker = good.windows(2).position(|w| w == [0xff, 0xd1]).unwrap();
    let mut other = good.clone();
    other[marker + 1] = 0xd2;
    assert!(samples(&other).unwrap_err().to_string().contains("10 of 41 rows"));
    for from in [good.len() - 300, marker] {
        let mut short = good.clone();
        short.drain(marker.min(from)..marker.min(from) + 2);
        assert!(samples(&short).is_err());
    }
    assert!(samples(&with_restarts(&pixels, 23, 5, 23 * 4)).is_err());
    assert!(samples(&with_restarts(&pixels, 23, 5, 23 * 6)).is_err());
    let within = samples(&with_restarts(&pixels, 23, 5, 7)).unwrap_err().to_string();
    assert!(within.contains("end within a row"), "{within}");
}

#[test]
fn a_header_alone_asks_for_no_memory() {
    let mut bytes = encoder::encode(&[1], 1, 16, 1);
    bytes[7..11].fill(0xff);
    let mistake = samples(&bytes).unwrap_err();
    assert!(mistake.to_string().ends_with("0 of 65535 rows could be read"), "{mistake}");
}

/// Prints the speed; measure with `--release -- --nocapture`.
#[test]
fn decoding_is_fast() {
    let (width, height) = (1500, 1000);
    let mut state = 1u32;
    let pixels: Vec<u16> = (0..width * height)
        .map(|i| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y) = (i % width, i / width);
            (1500.0 + 900.0 * (x as f32 / 211.0).sin() * (y as f32 / 173.0).cos()) as u16
                + (state >> 28) as u16
        })
        .collect();
    let bytes = encoder::encode(&pixels, width, 12, 7);
    let start = std::time::Instant::now();
    let (_, decoded) = decode(&bytes, Rule::Ddsm, |v| (v >> 4) as u8).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(decoded.len(), pixels.len());
    let speed = 2e-6 * pixels.len() as f64 / seconds;
    let per_pixel = 8.0 * bytes.len() as f64 / pixels.len() as f64;
    println!("{speed:.0} MB/s of decoded samples, {per_pixel:.1} bits each");
    // Far below what is measured, so that a busy machine passes.
    assert!(speed > 10.0, "{speed}");
}
