//! Whether files are read as the field's libraries read them: `tests/differential/pixels.py` writes files
//! in many containers, codings and value types, and what pydicom, Pillow and tifffile make of them. A few
//! of them are checked in; thousands are made and read by hand.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::dicom::Dicom;
use crate::picture::Picture;

/// A file and what it should give.
#[derive(Deserialize)]
struct Expected {
    file: String,
    size: [u32; 2],
    /// How far a value may be off.
    within: u16,
    /// Of all values.
    crc: u32,
    /// Where they may be off.
    #[serde(default)]
    values: Vec<u16>,
}

/// Size, values and their bytes.
type Found = ([u32; 2], Vec<u16>, Vec<u8>);

/// What a file holds: DICOM's stored bits, or a picture's grey values.
fn read(path: &Path) -> Result<Found, String> {
    let message = |error: anyhow::Error| format!("{error:#}");
    let picture = Picture::open(path).map_err(message)?;
    if picture.dicom().is_some() {
        let open = || File::open(path).unwrap();
        let dicom = Dicom::read(open()).map_err(message)?;
        let values = dicom.samples(open()).map_err(message)?;
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        return Ok((picture.size(), values, bytes));
    }
    let image = picture.image().map_err(message)?;
    assert_eq!([image.width, image.height], picture.size(), "{}", path.display());
    let values = image.pixels.iter().map(|&v| v.into()).collect();
    Ok((picture.size(), values, image.pixels))
}

/// Compares all files of a folder; returns how many there are.
fn compare(folder: &Path) -> usize {
    let list = std::fs::read_to_string(folder.join("files.json")).unwrap();
    let files: Vec<Expected> = serde_json::from_str(&list).unwrap();
    let mut wrong = Vec::new();
    for expected in &files {
        let Expected { file, size, within, crc, values } = expected;
        let (found_size, found, bytes) = match read(&folder.join(file)) {
            Ok(read) => read,
            Err(message) => {
                wrong.push(format!("{file}: {message}"));
                continue;
            }
        };
        let mut found_crc = flate2::Crc::new();
        found_crc.update(&bytes);
        let off = found.iter().zip(values).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
        let equal = match within {
            0 => found_crc.sum() == *crc,
            _ => found.len() == values.len() && off <= *within,
        };
        if found_size != *size || !equal {
            wrong.push(format!("{file}: {found_size:?} instead of {size:?}, off by {off}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), files.len(), wrong.join("\n"));
    files.len()
}

/// Those that are checked in, or those of the folder that `UNIT_ATLAS_DIFFERENTIAL` names.
#[test]
fn files_as_they_are_found_equal_what_the_field_s_libraries_read() {
    let checked_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/found");
    let given = std::env::var_os("UNIT_ATLAS_DIFFERENTIAL").map(PathBuf::from);
    let count = compare(&given.unwrap_or(checked_in));
    println!("{count} files are read alike");
    assert!(count >= 40);
}
