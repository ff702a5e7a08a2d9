//! `events/events.out.tfevents.…`: the course of training for TensorBoard.
//!
//! A file is a sequence of TFRecords (length, its checksum, data, its checksum; little-endian, masked
//! CRC-32C), each holding an `Event` in protobuf: the first says the file's version, every other one
//! scalar. Tags `loss/train`, `loss/validation`, `auc/validation` and `lr` count epochs, `loss/step`
//! counts steps.
//!
//! Unlike every other file these grow in place: TensorBoard follows them, and the checksums tell it
//! where a torn record begins. A resumed training begins a file of its own and leaves out the steps
//! that an earlier one holds already.

use std::collections::HashMap;
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
pub(super) struct Events {
    file: fs_err::File,
    /// Last step written per tag.
    written: HashMap<String, u64>,
}

impl Events {
    /// Begins a file in the events folder below `folder`, after what is there.
    ///
    /// # Errors
    /// When the folder cannot be read or written.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let folder = folder.join(FOLDER);
        fs_err::create_dir_all(&folder)?;
        let mut written = HashMap::new();
        for path in files(&folder)? {
            for scalar in records(&fs_err::read(&path)?).filter_map(decode) {
                let last = written.entry(scalar.tag).or_insert(scalar.step);
                *last = scalar.step.max(*last);
            }
        }
        let mut second = now() as u64;
        let file = loop {
            let path = folder.join(format!("{PREFIX}{second:010}.unit-atlas"));
            match fs_err::File::create_new(&path) {
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => second += 1,
                file => break file?,
            }
        };
        let mut events = Self { file, written };
        // Event { wall_time: 1, file_version: 3 }
        let mut event = double(1, now());
        event.extend(bytes(3, b"brain.Event:2"));
        events.append(&event)?;
        Ok(events)
    }

    /// Adds a value, unless the tag has one for this step or a later one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<()> {
        if self.written.get(tag).is_some_and(|&last| step <= last) {
            return Ok(());
        }
        self.append(&encode(now(), tag, step, value as f32))?;
        self.written.insert(tag.to_owned(), step);
        Ok(())
    }

    fn append(&mut self, event: &[u8]) -> Result<()> {
        // One call, so that a kill between two leaves whole records.
        self.file.write_all(&record(event)).context("the event file cannot be written")
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

#[derive(Debug, Clone, PartialEq)]
struct Scalar {
    tag: String,
    step: u64,
    value: f32,
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

/// The scalar of an event, if it holds one as [`encode`] writes it.
fn decode(event: &[u8]) -> Option<Scalar> {
    let (mut step, mut summary) = (0, None);
    for field in Fields(event) {
        match field {
            (2, Field::Varint(n)) => step = n,
            (5, Field::Bytes(bytes)) => summary = Some(bytes),
            _ => {}
        }
    }
    let value = Fields(summary?).find_map(|field| match field {
        (1, Field::Bytes(bytes)) => Some(bytes),
        _ => None,
    })?;
    let (mut tag, mut number) = (None, None);
    for field in Fields(value) {
        match field {
            (1, Field::Bytes(bytes)) => tag = Some(String::from_utf8(bytes.to_vec()).ok()?),
            (2, Field::Single(value)) => number = Some(value),
            _ => {}
        }
    }
    Some(Scalar { tag: tag?, step, value: number? })
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

/// The value of a protobuf field by its wire type.
enum Field<'a> {
    Varint(u64),
    Double,
    Bytes(&'a [u8]),
    Single(f32),
}

/// The fields of a protobuf message with their numbers, as far as they can be read.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut n = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            n |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(n);
            }
        }
        None
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(count).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => self.take(8).map(|_| Field::Double)?,
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.take(length)?)
            }
            5 => Field::Single(f32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((key >> 3, field))
    }
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

/// The data of the records of a file, up to the first that is torn.
fn records(mut file: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length: [u8; 8] = file.get(..8)?.try_into().ok()?;
        let word = |at: usize| Some(u32::from_le_bytes(file.get(at..at + 4)?.try_into().ok()?));
        if word(8)? != masked(&length) {
            return None;
        }
        let end = usize::try_from(u64::from_le_bytes(length)).ok()?.checked_add(12)?;
        let data = file.get(12..end)?;
        if word(end)? != masked(data) {
            return None;
        }
        file = &file[end + 4..];
        Some(data)
    })
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

/// The scalars in the events folder below `folder`, in order.
#[cfg(test)]
pub(super) fn read(folder: &Path) -> Vec<(String, u64, f32)> {
    let files = files(&folder.join(FOLDER)).unwrap();
    let contents: Vec<Vec<u8>> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let scalars = contents.iter().flat_map(|file| records(file).filter_map(decode));
    scalars.map(|Scalar { tag, step, value }| (tag, step, value)).collect()
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
        let read: Vec<Scalar> = records(golden).filter_map(decode).collect();
        assert_eq!(read.len(), 3);
        assert_eq!((read[2].tag.as_str(), read[2].step, read[2].value), ("lr", 1 << 40, 1e-4));
    }

    #[test]
    fn a_resumed_file_goes_on_where_the_last_one_ended_even_if_torn() {
        let folder = tempfile::tempdir().unwrap();
        let mut events = Events::open(folder.path()).unwrap();
        for step in [20, 40, 60] {
            events.scalar("loss/step", step, step as f64).unwrap();
        }
        drop(events);
        let path = files(&folder.path().join(FOLDER)).unwrap().remove(0);
        let whole = std::fs::read(&path).unwrap();
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();

        let mut events = Events::open(folder.path()).unwrap();
        for step in [20, 40, 60, 80] {
            events.scalar("loss/step", step, step as f64).unwrap();
        }
        events.scalar("lr", 1, 0.5).unwrap();
        let steps: Vec<u64> = read(folder.path()).iter().map(|(_, step, _)| *step).collect();
        assert_eq!(steps, [20, 40, 60, 80, 1]);
        assert_eq!(files(&folder.path().join(FOLDER)).unwrap().len(), 2);
        clear(folder.path()).unwrap();
        assert!(read(folder.path()).is_empty());
        clear(Path::new("nowhere")).unwrap();
    }
}
