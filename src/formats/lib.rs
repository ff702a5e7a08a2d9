//! Readers of files, which know no data set. Image files: DICOM, lossless JPEG, portable greymaps, and any of
//! them, PNG, TIFF or JPEG as a [`picture`]; as masks, [`masks`]. Tables of every form: [`table`], and what
//! stands in their cells: [`value`].
//!
//! Of images bytes go in, and [`mammogram::Grey`] comes out. Nothing a file says is believed before the bytes
//! are there.

pub mod dicom;
mod htj2k;
mod huffman;
mod jpeg;
mod jpeg12;
mod jpeg2000;
mod jpegls;
pub mod ljpeg;
pub mod masks;
pub mod pgm;
pub mod picture;
pub mod pseudonym;
pub mod room;
pub mod table;
pub mod value;

/// Pixels that an image is believed to have; a mammogram has at most 55 million.
pub const MAX_PIXELS: u64 = 1 << 26;

#[cfg(test)]
#[path = "../../tests/support/dicom.rs"]
mod dicom_files;
#[cfg(test)]
mod differential;
#[cfg(test)]
#[path = "../../tests/support/ljpeg.rs"]
mod encoder;
#[cfg(test)]
#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "handed_in_tests.rs"]
mod handed_in;
#[cfg(test)]
#[path = "../../tests/support/real_data.rs"]
mod real_data;

/// What of the formats is fuzzed.
#[cfg(test)]
fn fuzz_targets() -> Vec<fuzz::Target> {
    vec![
        pgm::fuzz_target(),
        dicom::fuzz_target(),
        ljpeg::fuzz_target(),
        jpegls::fuzz_target(),
        jpeg12::fuzz_target(),
        htj2k::fuzz_target(),
        picture::fuzz_target(),
        table::fuzz_target(),
        masks::fuzz_target(),
    ]
}
