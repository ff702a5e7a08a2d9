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

/// Every file that was made up: of every kind, and as they are found.
pub(super) fn all_made() -> Vec<Vec<u8>> {
    golden().made.keys().map(|name| made(name)).chain(found("").into_iter().map(|f| f.1)).collect()
}

/// Files that depart from the standard, or are coded in other ways, whose names have a word in them.
fn found(word: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/found/dicom");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.retain(|path| name(path).contains(word));
    paths.into_iter().map(|path| (name(&path), std::fs::read(&path).unwrap())).collect()
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
fn values_are_shown_as_the_image_is_under_the_first_window_of_the_file() {
    let mut kinds = std::collections::BTreeSet::new();
    for bytes in all_made() {
        let read = |bytes: &[u8]| read(bytes).ok().filter(|d| d.image(Cursor::new(bytes)).is_ok());
        let Some(dicom) = read(&bytes) else { continue };
        let image = dicom.image(Cursor::new(&bytes)).unwrap();
        let values = dicom.values(Cursor::new(&bytes)).unwrap();
        assert_eq!([values.width, values.height], dicom.size());
        let shown = |&code: &u16| (255.0 * values.brightness(code, values.windows[0])).round();
        for (at, (code, &wanted)) in values.codes.iter().zip(&image.pixels).enumerate() {
            // A last bit of a sum may round the other way.
            let found = shown(code) as u8;
            assert!(found.abs_diff(wanted) <= 1, "{found} instead of {wanted} at {at}: {values:?}");
        }
        let exact = values.codes.iter().zip(&image.pixels).filter(|(c, p)| shown(c) as u8 == **p);
        assert!(100 * exact.count() >= 99 * image.pixels.len());
        kinds.insert((
            matches!(values.shape, mammogram::Shape::Curve(_)),
            values.padding.map(|code| code > 0),
            values.inverted,
        ));
    }
    // A table, padding and an image whose least value is white are among them.
    let (curve, padded, white) = kinds.iter().fold((false, false, false), |has, kind| {
        (has.0 || kind.0, has.1 || kind.1.is_some(), has.2 || kind.2)
    });
    assert!(curve && padded && white, "{kinds:?}");
}

#[test]
fn values_are_those_of_the_file_whatever_their_bits() {
    let bytes = made("window");
    let dicom = read(&bytes).unwrap();
    let samples = dicom.samples(Cursor::new(&bytes)).unwrap();
    let values = dicom.values(Cursor::new(&bytes)).unwrap();
    let (slope, intercept) = dicom.header.rescale();
    for (code, raw) in values.codes.iter().zip(samples) {
        let stored = f64::from(dicom.header.bits.value(raw));
        assert_eq!(values.value(*code), slope * stored + intercept);
    }
    let texts: &[(u16, u16, &[u8; 2], &str)] =
        &[(0x28, 0x1050, b"DS", "2048\\1500\\none\\7"), (0x28, 0x1051, b"DS", "4096\\900\\1\\7")];
    let bytes = crate::dicom_files::file(&[0, 4095, 7, 9], 2, 12, texts);
    let values = read(&bytes).unwrap().values(Cursor::new(&bytes)).unwrap();
    let windows: Vec<_> = values.windows.iter().map(|w| (w.centre, w.width)).collect();
    assert_eq!(windows, [(2048.0, 4096.0), (1500.0, 900.0)]);
    assert_eq!((values.codes, values.first, values.step), (vec![0, 4095, 7, 9], 0.0, 1.0));
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
fn values_outside_the_stated_bits_are_no_image_and_graphics_above_them_are_left_out() {
    let stating = |bits: u8, word: &dyn Fn(usize, u16) -> u16| {
        let mut bytes = with([0x28, 0, 0x01, 0x01], [bits, 0]);
        let high = bytes.windows(4).rposition(|w| w == [0x28, 0, 0x02, 0x01]).unwrap();
        bytes[high + 8] = bits - 1;
        let start = bytes.len() - 216;
        for (at, pair) in bytes[start..].as_chunks_mut::<2>().0.iter_mut().enumerate() {
            *pair = word(at, u16::from_le_bytes(*pair)).to_le_bytes();
        }
        bytes
    };
    let message = refusal(&stating(10, &|_, word| word));
    assert!(message.contains("outside the 10 bits") && message.contains("BitsStored"), "{message}");
    let plain = made("explicit");
    let expected = read(&plain).unwrap().samples(Cursor::new(&plain)).unwrap();
    // Every twelfth pixel has a graphic above it.
    let overlaid = stating(12, &|at, word| if at % 12 == 0 { word | 0x8000 } else { word });
    assert_eq!(read(&overlaid).unwrap().samples(Cursor::new(&overlaid)).unwrap(), expected);
    let more = stating(12, &|at, word| if at % 3 == 0 { word | 0x8000 } else { word });
    assert!(refusal(&more).contains("outside the 12 bits"));
    // Said to lie at the top, where they do not.
    assert!(refusal(&with([0x28, 0, 0x02, 0x01], [15, 0])).contains("outside the 12 bits"));
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

#[test]
fn what_departs_from_the_standard_is_remarked_once_and_no_more() {
    let whole = "names no transfer syntax; it is read as Explicit VR Little Endian";
    for (word, expected) in [
        ("explicit-none", None),
        ("tiff_preamble", None),
        ("no_preamble", None),
        ("no_group_length", None),
        ("lower_case", None),
        ("implicit_meta", None),
        ("no_end", None),
        ("no_table", None),
        ("no_meta", Some(whole)),
        ("no_syntax", Some(whole)),
        ("implicit_says_explicit", Some("written without the kinds of their values (VR)")),
        ("explicit_says_implicit", Some("written with the kinds of their values (VR)")),
        ("no_sequence_end", None),
        ("no_item_ends", None),
        ("ls-other_syntax", Some("holds JPEG-LS where its transfer syntax says JPEG 2000")),
        ("j2k-less_stated", Some("its JPEG 2000 has 16 bits per sample where 14 are stated")),
        ("lossless-less_stated", Some("its lossless JPEG has 16 bits per sample where 14")),
        ("other_sign-16.", Some("is signed where unsigned samples are stated")),
        ("other_sign-16s", Some("is unsigned where signed samples are stated")),
    ] {
        let files = found(word);
        assert!(!files.is_empty(), "{word}");
        for (name, bytes) in files {
            let dicom = read(&bytes).unwrap();
            let remarks = dicom.remarks();
            assert_eq!(remarks.len(), usize::from(expected.is_some()), "{name}: {remarks:?}");
            assert!(remarks.iter().all(|said| said.contains(expected.unwrap())), "{remarks:?}");
        }
    }
}

#[test]
fn a_sequence_without_an_end_before_the_image_hides_nothing() {
    // The view's code lies in the sequence, what follows it is the image's.
    let with = |delimiters: &[u8]| {
        let mut bytes = made("explicit");
        let at = bytes.windows(4).position(|w| w == [0x28, 0, 2, 0]).unwrap();
        let mut sequence =
            b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff".to_vec();
        sequence.extend(b"\x28\0\x10\0US\x02\0\x07\0");
        sequence.extend(delimiters);
        bytes.splice(at..at, sequence);
        bytes
    };
    let expected = read(&made("explicit")).unwrap().samples(Cursor::new(made("explicit"))).unwrap();
    for (delimiters, remarks) in [
        (&b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"[..], 0),
        (b"\xfe\xff\x0d\xe0\0\0\0\0", 0),
        (b"\xfe\xff\xdd\xe0\0\0\0\0", 0),
        (b"", 1),
    ] {
        let bytes = with(delimiters);
        let dicom = read(&bytes).unwrap();
        assert_eq!(dicom.remarks().len(), remarks, "{:?}", dicom.remarks());
        assert_eq!(dicom.samples(Cursor::new(&bytes)).unwrap(), expected);
    }
}

/// A file with further texts in their places.
fn said(texts: &[(u16, u16, &[u8; 2], &[u8])]) -> Vec<u8> {
    let mut bytes = made("explicit");
    for (group, element, kind, value) in texts {
        let tag = [group.to_le_bytes(), element.to_le_bytes()].concat();
        // Tags may stand in any order here.
        let at = bytes.windows(4).position(|w| w == [0x28, 0, 2, 0]).unwrap();
        let length = (value.len() as u16).to_le_bytes();
        bytes.splice(at..at, [&tag, &kind[..], &length, value].concat());
    }
    bytes
}

#[test]
fn detector_values_are_shown_by_how_much_the_breast_weakens_x_rays() {
    let intent = (0x08, 0x68, b"CS", &b"FOR PROCESSING"[..]);
    let with = |relationship: &'static [u8], sign: i16| {
        let sign = sign.to_le_bytes();
        said(&[intent, (0x28, 0x1040, b"CS", relationship), (0x28, 0x1041, b"SS", &sign)])
    };
    let silent = said(&[intent]);
    assert!(read(&silent).unwrap().is_for_processing());
    assert!(!read(&made("explicit")).unwrap().is_for_processing());
    let message = refusal(&silent);
    assert!(message.contains("FOR PROCESSING") && message.contains("Intensity"), "{message}");

    let samples = read(&silent).unwrap().samples(Cursor::new(&silent)).unwrap();
    let shown = |bytes: &[u8]| {
        let dicom = read(bytes).unwrap();
        assert!(dicom.remarks().iter().any(|said| said.starts_with("is FOR PROCESSING")));
        dicom.image(Cursor::new(bytes)).unwrap().pixels
    };
    let [linear, log, falling] =
        [with(b"LIN ", 1), with(b"LOG ", 1), with(b"LOG ", -1)].map(|b| shown(&b));
    let least = samples.iter().position(|&v| v == 0).unwrap();
    let most = samples.iter().position(|&v| v == 4095).unwrap();
    // Few X-rays behind dense tissue: bright.
    assert_eq!((linear[least], linear[most]), (255, 0));
    assert_eq!((log[least], log[most], falling[least], falling[most]), (255, 0, 0, 255));
    // Half of the exposure is one step on the logarithmic scale, wherever it is. Half a per cent of the
    // 108 pixels is none of them.
    let brightness = |v: f64| 255.0 * (1.0 - v.max(1.0).ln() / 4095f64.ln());
    for (raw, shown) in samples.iter().zip(&linear) {
        assert!((f64::from(*shown) - brightness(f64::from(*raw))).abs() <= 0.51, "{raw} {shown}");
    }
    let mirrored = log.iter().zip(&falling).all(|(a, b)| a.abs_diff(255 - b) <= 1);
    assert!(mirrored);
}

#[test]
fn implants_and_images_made_from_tomosynthesis_are_known() {
    let of = |texts: &[(u16, u16, &[u8; 2], &[u8])]| {
        let dicom = read(&said(texts)).unwrap();
        (dicom.has_implant(), dicom.is_tomosynthesis())
    };
    let kind = |kind: &'static [u8]| of(&[(8, 8, b"CS", kind)]).1;
    assert_eq!(of(&[]), (false, false));
    assert_eq!(of(&[(0x28, 0x1300, b"CS", b"YES ")]), (true, false));
    assert_eq!(of(&[(0x28, 0x1300, b"CS", b"NO")]), (false, false));
    assert!(kind(b"DERIVED\\PRIMARY\\TOMOSYNTHESIS\\GENERATED_2D "));
    assert!(kind(b"DERIVED\\PRIMARY\\\\generated_2d "));
    assert!(kind(b"ORIGINAL\\PRIMARY\\TOMO_PROJ\\RIGHT "));
    assert!(!kind(b"DERIVED\\PRIMARY\\\\RIGHT "));
    assert!(!kind(b"ORIGINAL\\PRIMARY "));
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
