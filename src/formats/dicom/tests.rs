//! Against what pydicom makes of the same files: tests/golden/dicom.py.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::real_data;

#[derive(Deserialize)]
struct Golden {
    made: BTreeMap<String, Made>,
    real: BTreeMap<String, u32>,
}

#[derive(Deserialize)]
struct Made {
    samples: u32,
    display: Vec<u8>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../../tests/golden/dicom.json")).unwrap()
}

fn made(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/dicom");
    std::fs::read(folder.join(format!("{name}.dcm"))).unwrap()
}

/// Every file that was made up.
pub(super) fn all_made() -> Vec<Vec<u8>> {
    golden().made.keys().map(|name| made(name)).collect()
}

fn read(bytes: &[u8]) -> Result<Dicom> {
    Dicom::read(Cursor::new(bytes))
}

fn refusal(bytes: &[u8]) -> String {
    match read(bytes).and_then(|dicom| dicom.image(Cursor::new(bytes)).map(|_| ())) {
        Err(error) => format!("{error:#}"),
        Ok(()) => panic!("is read"),
    }
}

fn crc(samples: &[u16]) -> u32 {
    let bytes: Vec<u8> = samples.iter().flat_map(|v| v.to_le_bytes()).collect();
    let mut crc = flate2::Crc::new();
    crc.update(&bytes);
    crc.sum()
}

#[test]
fn every_transfer_syntax_and_every_way_of_showing_equals_pydicom() {
    let golden = golden();
    assert_eq!(golden.made.len(), 19);
    for (name, expected) in golden.made {
        let bytes = made(&name);
        let dicom = read(&bytes).unwrap();
        let samples = dicom.samples(Cursor::new(&bytes)).unwrap();
        // Lossy JPEG may differ by rounding.
        let within = if name == "jpeg" { 2 } else { 0 };
        assert!(within > 0 || crc(&samples) == expected.samples, "{name}");
        let image = dicom.image(Cursor::new(&bytes)).unwrap();
        assert_eq!([image.width, image.height], dicom.size(), "{name}");
        assert_eq!(image.pixels.len(), expected.display.len(), "{name}");
        for (place, (found, expected)) in image.pixels.iter().zip(&expected.display).enumerate() {
            // pydicom rounds a window's output to whole values of the device in between.
            let near = found.abs_diff(*expected) <= within.max(1);
            assert!(near, "{name}: {found} instead of {expected} at {place}");
        }
        let exact = image.pixels.iter().zip(&expected.display).filter(|(a, b)| a == b).count();
        assert!(within > 0 || 100 * exact >= 98 * image.pixels.len(), "{name}: {exact} are equal");
    }
}

#[test]
fn lossless_samples_equal_what_pydicom_decodes() {
    let Some(folder) = real_data::folder("dicom") else { return };
    let golden = golden();
    assert!(golden.real.len() >= 12);
    for (name, expected) in golden.real {
        let bytes = std::fs::read(folder.join(&name)).unwrap();
        let decoded = read(&bytes).and_then(|dicom| dicom.samples(Cursor::new(&bytes)));
        if name.ends_with("_bad.dcm") {
            // Its encoder was faulty: told or decoded, never a panic.
            println!("{name}: {:?}", decoded.map(|samples| crc(&samples) == expected));
            continue;
        }
        let decoded = decoded.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(crc(&decoded), expected, "{name}");
    }
    for (name, expected) in [
        ("jpeg_lossless_sel1-8bit.dcm", "12 frames"),
        ("JPEGLosslessP14SV1_3s_2f_u_08_08.dcm", "2 frames"),
        ("SC_rgb_jpeg_gdcm.dcm", "RGB with 3 samples per pixel; expected MONOCHROME1 or 2"),
    ] {
        let message = refusal(&std::fs::read(folder.join(name)).unwrap());
        assert!(message.contains(expected), "{name}: {message}");
    }
    let mammogram = std::fs::read(folder.join("MG_Explicit_Little.dcm")).unwrap();
    assert_eq!(read(&mammogram).unwrap().laterality(), Some(Laterality::Right));
}

#[test]
fn side_view_and_spacing_come_from_their_tags_and_the_patient_s_name_does_not() {
    let dicom = read(&made("tags")).unwrap();
    assert_eq!(dicom.laterality(), Some(Laterality::Left));
    assert_eq!(dicom.view(), Some(View::Mlo));
    assert_eq!(dicom.micron(), Some(70.0));
    let names = Pseudonyms::new(5);
    assert_eq!(dicom.patient(names), Some(names.patient("MADE-UP-1")));
    let plain = read(&made("explicit")).unwrap();
    assert_eq!((plain.laterality(), plain.view(), plain.micron()), (None, None, None));
}

/// A file with one tag's value of two bytes replaced.
fn with(tag: [u8; 4], value: [u8; 2]) -> Vec<u8> {
    let mut bytes = made("explicit");
    let at = bytes.windows(4).rposition(|window| window == tag).unwrap();
    bytes[at + 8..at + 10].copy_from_slice(&value);
    bytes
}

#[test]
fn what_is_not_read_is_refused_with_a_reason() {
    assert_eq!(refusal(b"not a file"), "is not a DICOM file");
    assert_eq!(refusal(&[0; 500]), "is not a DICOM file");
    for (tag, value, expected) in [
        ([0x28, 0, 0x00, 0x01], 32, "32 bits allocated"),
        ([0x28, 0, 0x01, 0x01], 17, "17 bits stored"),
        ([0x28, 0, 0x02, 0x01], 3, "up to bit 3"),
        ([0x28, 0, 0x02, 0x00], 3, "MONOCHROME2 with 3 samples"),
        ([0x28, 0, 0x10, 0x00], 0, "its rows"),
        ([0x28, 0, 0x11, 0x00], 13, "pixels take 234 bytes, found 216"),
    ] {
        let message = refusal(&with(tag, [value, 0]));
        assert!(message.contains(expected), "{message}");
    }
    assert!(refusal(&with([0x28, 0, 0x11, 0], [0xff, 0xff])).contains("take 1179630 bytes"));
    let mut huge = with([0x28, 0, 0x11, 0], [0xff, 0xff]);
    let rows = huge.windows(4).rposition(|w| w == [0x28, 0, 0x10, 0]).unwrap();
    huge[rows + 8..rows + 10].fill(0xff);
    assert!(refusal(&huge).contains("more than any mammogram"));
    let text = |from: &[u8], to: &[u8]| {
        let mut bytes = made("explicit");
        let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to);
        refusal(&bytes)
    };
    assert!(text(b"MONOCHROME2", b"PALETTE COL").contains("is PALETTECOL with 1"));
    let unread = text(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0");
    assert!(unread.contains("unknown (1.2.840.10008.1.2.9)"), "{unread}");
}

#[test]
fn a_file_cut_off_anywhere_says_where() {
    for name in ["explicit", "implicit", "big", "tags", "rle16", "jpeg2000"] {
        let bytes = made(name);
        for length in (0..bytes.len() - 2).step_by(7) {
            let message = refusal(&bytes[..length]);
            assert!(!message.is_empty(), "{name} {length}");
        }
    }
    let deflated = made("deflated");
    assert!(refusal(&deflated[..deflated.len() - 60]).contains("cannot be unpacked"));
}

#[test]
fn a_length_in_a_header_asks_for_no_memory_and_nesting_for_no_stack() {
    let mut bytes = made("explicit");
    let name = bytes.windows(6).position(|w| w == *b"\x10\0\x10\0PN").unwrap();
    // A name of 64 KiB, and then a value of 4 GiB.
    bytes[name + 6..name + 8].fill(0xff);
    assert!(refusal(&bytes).contains("bytes expected"), "{}", refusal(&bytes));
    bytes[name + 4..name + 8].copy_from_slice(b"UT\0\0");
    bytes[name + 8..name + 12].copy_from_slice(&[0xfe, 0xff, 0xff, 0xff]);
    assert!(refusal(&bytes).contains("4294967294 bytes expected"), "{}", refusal(&bytes));
    let mut nested = bytes[..name].to_vec();
    for _ in 0..100_000 {
        nested.extend(b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff");
    }
    assert!(refusal(&nested).contains("nested too deep"), "{}", refusal(&nested));
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(
        file in 0usize..19,
        noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let name: PathBuf = golden().made.keys().nth(file).unwrap().into();
        let mut bytes = made(name.to_str().unwrap());
        for (at, value) in noise {
            let at = 132 + at.index(bytes.len() - 132);
            bytes[at] = value;
        }
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            if let Ok(dicom) = read(bytes) {
                let _ = dicom.image(Cursor::new(bytes));
            }
        }
    }
}
