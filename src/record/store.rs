//! `dataset/patches.bin`: every patch's pixels, memory-mapped; or a few patches in memory alone.
//!
//! A header of 16 bytes (`uapatch1`, then the edge and the count as little-endian u32), then
//! `edge * edge` bytes per patch in the order of the manifest, row by row.

use anyhow::{Context, Result, bail, ensure};
use base::artifact::{Fingerprint, Layout, Sealed};
use memmap2::Mmap;

use crate::manifest::MANIFEST;

/// Name of the file in the data set's folder.
pub const PATCHES: &str = "patches.bin";
const MAGIC: &[u8; 8] = b"uapatch1";
/// Bytes before the first patch.
pub const HEADER: usize = 16;

/// The header of a store.
pub fn header(edge: u32, count: u32) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&edge.to_le_bytes());
    bytes[12..].copy_from_slice(&count.to_le_bytes());
    bytes
}

/// What a data set holds, whatever it was made from: networks and their units follow from that.
pub fn content(dataset: &Sealed) -> Fingerprint {
    dataset.content(&[MANIFEST, PATCHES])
}

/// Pixels of all patches.
#[derive(Debug)]
pub struct Store {
    bytes: Bytes,
    edge: u32,
    count: u32,
}

/// A file's bytes, or the same in memory.
#[derive(Debug)]
enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Store {
    /// Maps the file of a project's data set.
    ///
    /// # Errors
    /// When it is missing, not what was sealed, or not a patch store.
    pub fn open(layout: &Layout) -> Result<Self> {
        let map = Sealed::open(&layout.dataset())?.map(PATCHES)?;
        let path = layout.dataset().join(PATCHES);
        let word = |at: usize| Some(u32::from_le_bytes(map.get(at..at + 4)?.try_into().ok()?));
        let (Some(true), Some(edge), Some(count)) =
            (map.get(..8).map(|m| m == MAGIC), word(8), word(12))
        else {
            bail!("{} is not a patch store", path.display());
        };
        let expected = HEADER as u64 + u64::from(edge) * u64::from(edge) * u64::from(count);
        if map.len() as u64 != expected {
            bail!(
                "{} holds {} bytes where its header promises {expected}",
                path.display(),
                map.len()
            );
        }
        Ok(Self { bytes: Bytes::Mapped(map), edge, count })
    }

    /// Patches of `edge` pixels, one after the other, that are kept in memory.
    ///
    /// # Errors
    /// When there are more than a store holds, or the last is not whole.
    pub fn in_memory(edge: u32, pixels: &[u8]) -> Result<Self> {
        let area = (edge as usize).pow(2).max(1);
        ensure!(pixels.len().is_multiple_of(area), "the last patch is not whole");
        let count =
            u32::try_from(pixels.len() / area).context("more patches than a store holds")?;
        let bytes = [&header(edge, count)[..], pixels].concat();
        Ok(Self { bytes: Bytes::Owned(bytes), edge, count })
    }

    /// Edge of a patch in pixels.
    pub fn edge(&self) -> u32 {
        self.edge
    }

    /// How many patches there are.
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Pixels of patch `number`, row by row.
    ///
    /// # Panics
    /// When there is no such patch.
    pub fn pixels(&self, number: u32) -> &[u8] {
        let area = (self.edge * self.edge) as usize;
        let bytes = match &self.bytes {
            Bytes::Mapped(map) => &map[..],
            Bytes::Owned(bytes) => bytes,
        };
        &bytes[HEADER + number as usize * area..][..area]
    }
}
