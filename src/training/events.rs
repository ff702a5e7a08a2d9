//! `events/events.out.tfevents.…`: the course of training for TensorBoard.
//!
//! A file is a sequence of TFRecords (length, its checksum, data, its checksum; little-endian, masked
//! CRC-32C), each holding an `Event` in protobuf: the first says the file's version, every other one
//! scalar. Tags `loss/train`, `loss/validation`, `auc/validation` and `lr` count epochs, `loss/step`
//! counts steps.
//!
//! Unlike every other file these grow in place: TensorBoard follows them, and the checksums tell it
//! where a torn record begins. A resumed training begins a file of its own, in which the steps since the
//! last checkpoint stand again: with the same values, as the training is the same.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

/// Folder beside the weights.
const FOLDER: &str = "events";
/// How the names of event files begin, as TensorBoard expects.
const PREFIX: &str = "events.out.tfevents.";

/// A place to write scalars to.
#[derive(Debug)]
pub(super) struct Events(fs_err::File);

impl Events {
    /// Begins a file in the events folder below `folder`.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let folder = folder.join(FOLDER);
        fs_err::create_dir_all(&folder)?;
        // TensorBoard reads files in the order of these numbers.
        let mut second = now() as u64;
        let file = loop {
            let path = folder.join(format!("{PREFIX}{second:010}.unit-atlas"));
            match fs_err::File::create_new(&path) {
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => second += 1,
                file => break file?,
            }
        };
        let mut events = Self(file);
        // Event { wall_time: 1, file_version: 3 }
        let mut event = double(1, now());
        event.extend(bytes(3, b"brain.Event:2"));
        events.append(&event)?;
        Ok(events)
    }

    /// Adds a value.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<()> {
        self.append(&encode(now(), tag, step, value as f32))
    }

    fn append(&mut self, event: &[u8]) -> Result<()> {
        // One call, so that a kill between two leaves whole records.
        self.0.write_all(&record(event)).context("the event file cannot be written")
    }
}

/// Removes the event files of an earlier training.
///
/// # Errors
/// When one cannot be removed.
pub(super) fn clear(folder: &Path) -> Result<()> {
    let folder = folder.join(FOLDER);
    if folder.is_dir() {
        files(&folder)?.into_iter().try_for_each(fs_err::remove_file)?;
    }
    Ok(())
}

/// The event files of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Event { wall_time: 1, step: 2, summary: 5 { value: 1 { tag: 1, simple_value: 2 } } }
fn encode(wall_time: f64, tag: &str, step: u64, value: f32) -> Vec<u8> {
    let mut inner = bytes(1, tag.as_bytes());
    inner.push(2 << 3 | 5);
    inner.extend(value.to_le_bytes());
    let mut event = double(1, wall_time);
    event.push(2 << 3);
    event.extend(varint(step));
    event.extend(bytes(5, &bytes(1, &inner)));
    event
}

fn varint(mut n: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n >= 0x80 {
        bytes.push(n as u8 | 0x80);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

fn double(field: u8, value: f64) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 1];
    bytes.extend(value.to_le_bytes());
    bytes
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![field << 3 | 2];
    bytes.extend(varint(value.len() as u64));
    bytes.extend(value);
    bytes
}

/// A TFRecord.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked(&length).to_le_bytes());
    record.extend(data);
    record.extend(masked(data).to_le_bytes());
    record
}

/// CRC-32C, masked as TFRecords store it.
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli; RFC 3720), bit by bit: records are short.
fn crc32c(data: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in data {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
        }
    }
    !crc
}

/// The scalars in the events folder below `folder`: of each event all but its time.
#[cfg(test)]
pub(super) fn scalars(folder: &Path) -> Vec<Vec<u8>> {
    let mut scalars = Vec::new();
    for path in files(&folder.join(FOLDER)).unwrap() {
        let file = std::fs::read(path).unwrap();
        let mut rest = &file[..];
        while let Some((length, data)) = rest.split_first_chunk::<8>() {
            let (data, after) = data[4..].split_at(u64::from_le_bytes(*length) as usize);
            // The first byte after the time is the key of the step, or of the version.
            if data[9] == 2 << 3 {
                scalars.push(data[9..].to_vec());
            }
            rest = &after[4..];
        }
    }
    scalars
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check values of RFC 3720, appendix B.4, and the classic one.
    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(&[0xff; 32]), 0x62a8_ab43);
        let rising: Vec<u8> = (0..32).collect();
        assert_eq!(crc32c(&rising), 0x46dd_794e);
    }

    /// A file that TensorBoard's own writer made: tests/golden/events.py.
    #[test]
    fn records_equal_tensorboards_own() {
        let golden = include_bytes!("../../tests/golden/events.tfevents");
        let mut version = double(1, 1.5);
        version.extend(bytes(3, b"brain.Event:2"));
        let mut ours = record(&version);
        for (tag, step, value) in
            [("loss/train", 1, 0.625), ("auc/validation", 300, 0.875), ("lr", 1 << 40, 1e-4)]
        {
            ours.extend(record(&encode(1e9 + 0.25, tag, step, value)));
        }
        assert_eq!(ours, golden);
    }

    #[test]
    fn each_session_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        for steps in [20..=40, 40..=60] {
            let mut events = Events::open(folder.path()).unwrap();
            for step in steps.step_by(20) {
                events.scalar("loss/step", step, step as f64).unwrap();
            }
        }
        assert_eq!(files(&folder.path().join(FOLDER)).unwrap().len(), 2);
        let expected = [20u64, 40, 40, 60].map(|step| {
            let event = encode(0.0, "loss/step", step, step as f32);
            event[9..].to_vec()
        });
        assert_eq!(scalars(folder.path()), expected);
        clear(folder.path()).unwrap();
        assert!(scalars(folder.path()).is_empty());
        clear(Path::new("nowhere")).unwrap();
    }
}
