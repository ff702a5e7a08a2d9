//! The data elements of a file (DICOM PS3.5 and PS3.10), read as a stream.
//!
//! Only the values of [`WANTED`] tags are read; all others are skipped unseen, the patient's among
//! them. A length is never believed before the file is known to be that long, and sequences are
//! followed without recursion, so that no file can ask for much memory or stack.

use std::collections::BTreeMap;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};

use anyhow::{Context, Result, bail, ensure};
use flate2::read::DeflateDecoder;

/// Group and element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tag(pub(super) u16, pub(super) u16);

/// Names of the tags that are used here.
pub(super) mod tags {
    use super::Tag;

    pub(in super::super) const TRANSFER_SYNTAX: Tag = Tag(0x0002, 0x0010);
    pub(in super::super) const CODE_VALUE: Tag = Tag(0x0008, 0x0100);
    pub(in super::super) const PATIENT_ID: Tag = Tag(0x0010, 0x0020);
    pub(in super::super) const IMAGER_SPACING: Tag = Tag(0x0018, 0x1164);
    pub(in super::super) const SCANNED_SPACING: Tag = Tag(0x0018, 0x2010);
    pub(in super::super) const VIEW_POSITION: Tag = Tag(0x0018, 0x5101);
    pub(in super::super) const LATERALITY: Tag = Tag(0x0020, 0x0060);
    pub(in super::super) const IMAGE_LATERALITY: Tag = Tag(0x0020, 0x0062);
    pub(in super::super) const SAMPLES: Tag = Tag(0x0028, 0x0002);
    pub(in super::super) const PHOTOMETRIC: Tag = Tag(0x0028, 0x0004);
    pub(in super::super) const FRAMES: Tag = Tag(0x0028, 0x0008);
    pub(in super::super) const ROWS: Tag = Tag(0x0028, 0x0010);
    pub(in super::super) const COLUMNS: Tag = Tag(0x0028, 0x0011);
    pub(in super::super) const SPACING: Tag = Tag(0x0028, 0x0030);
    pub(in super::super) const BITS_ALLOCATED: Tag = Tag(0x0028, 0x0100);
    pub(in super::super) const BITS_STORED: Tag = Tag(0x0028, 0x0101);
    pub(in super::super) const HIGH_BIT: Tag = Tag(0x0028, 0x0102);
    pub(in super::super) const SIGNED: Tag = Tag(0x0028, 0x0103);
    pub(in super::super) const PADDING: Tag = Tag(0x0028, 0x0120);
    pub(in super::super) const PADDING_LIMIT: Tag = Tag(0x0028, 0x0121);
    pub(in super::super) const WINDOW_CENTER: Tag = Tag(0x0028, 0x1050);
    pub(in super::super) const WINDOW_WIDTH: Tag = Tag(0x0028, 0x1051);
    pub(in super::super) const INTERCEPT: Tag = Tag(0x0028, 0x1052);
    pub(in super::super) const SLOPE: Tag = Tag(0x0028, 0x1053);
    pub(in super::super) const VOI_FUNCTION: Tag = Tag(0x0028, 0x1056);
    pub(in super::super) const MODALITY_LUTS: Tag = Tag(0x0028, 0x3000);
    pub(in super::super) const LUT_DESCRIPTOR: Tag = Tag(0x0028, 0x3002);
    pub(in super::super) const LUT_DATA: Tag = Tag(0x0028, 0x3006);
    pub(in super::super) const VOI_LUTS: Tag = Tag(0x0028, 0x3010);
    pub(in super::super) const VIEW_CODES: Tag = Tag(0x0054, 0x0220);
    pub(in super::super) const VIEW_MODIFIERS: Tag = Tag(0x0054, 0x0222);
    pub(in super::super) const PIXEL_DATA: Tag = Tag(0x7fe0, 0x0010);
    pub(in super::super) const ITEM: Tag = Tag(0xfffe, 0xe000);
    pub(in super::super) const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
    pub(in super::super) const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);
}
use tags::{ITEM, ITEM_END, PIXEL_DATA, SEQUENCE_END};

/// Not in a sequence.
pub(super) const TOP: Tag = Tag(0, 0);
/// Sequences whose first item is read. A tag without its kind (implicit VR) is known from here.
const SEQUENCES: [Tag; 4] =
    [tags::MODALITY_LUTS, tags::VOI_LUTS, tags::VIEW_CODES, tags::VIEW_MODIFIERS];
/// The tags whose values are read, with the sequence they lie in.
const WANTED: [(Tag, Tag); 29] = [
    (TOP, tags::PATIENT_ID),
    (TOP, tags::IMAGER_SPACING),
    (TOP, tags::SCANNED_SPACING),
    (TOP, tags::VIEW_POSITION),
    (TOP, tags::LATERALITY),
    (TOP, tags::IMAGE_LATERALITY),
    (TOP, tags::SAMPLES),
    (TOP, tags::PHOTOMETRIC),
    (TOP, tags::FRAMES),
    (TOP, tags::ROWS),
    (TOP, tags::COLUMNS),
    (TOP, tags::SPACING),
    (TOP, tags::BITS_ALLOCATED),
    (TOP, tags::BITS_STORED),
    (TOP, tags::HIGH_BIT),
    (TOP, tags::SIGNED),
    (TOP, tags::PADDING),
    (TOP, tags::PADDING_LIMIT),
    (TOP, tags::WINDOW_CENTER),
    (TOP, tags::WINDOW_WIDTH),
    (TOP, tags::INTERCEPT),
    (TOP, tags::SLOPE),
    (TOP, tags::VOI_FUNCTION),
    (tags::MODALITY_LUTS, tags::LUT_DESCRIPTOR),
    (tags::MODALITY_LUTS, tags::LUT_DATA),
    (tags::VOI_LUTS, tags::LUT_DESCRIPTOR),
    (tags::VOI_LUTS, tags::LUT_DATA),
    (tags::VIEW_CODES, tags::CODE_VALUE),
    (tags::VIEW_MODIFIERS, tags::CODE_VALUE),
];

/// Longest value that is read: a table of 65,536 entries takes half of it.
const VALUE_LIMIT: u64 = 1 << 18;
/// Sequences within sequences that are followed.
const MAX_DEPTH: usize = 64;
/// Longest data set that is unpacked, and longest pixel data that are read.
const DATA_LIMIT: u64 = 1 << 28;
/// The length of what ends with a delimiter.
const UNDEFINED: u32 = u32::MAX;

const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// What was read of a file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Elements {
    /// UID of the transfer syntax.
    pub(super) syntax: String,
    /// Whether numbers have their most significant byte first.
    pub(super) big: bool,
    values: BTreeMap<(Tag, Tag), Vec<u8>>,
    /// Where the pixel data begin in the (unpacked) file, and their length.
    pixels: Option<(u64, u32)>,
}

/// Pixel data as the file has them.
pub(super) enum PixelData {
    /// Rows of samples.
    Native(Vec<u8>),
    /// The fragments of the one frame, joined.
    Encapsulated(Vec<u8>),
}

impl Elements {
    /// Reads everything before the pixel data.
    ///
    /// # Errors
    /// When it is no DICOM file, or breaks off or contradicts itself at a byte that is named.
    pub(super) fn read<R: Read + Seek>(source: R) -> Result<Self> {
        let (syntax, mut stream) = meta(source)?;
        let big = syntax == EXPLICIT_BIG;
        let elements = Self { big, values: BTreeMap::new(), pixels: None, syntax };
        if elements.syntax == DEFLATED {
            let mut inflated = Stream::new(Cursor::new(stream.inflate()?))?;
            return elements.dataset(&mut inflated);
        }
        elements.dataset(&mut stream)
    }

    /// The value of a wanted tag in a sequence, or in [`TOP`].
    pub(super) fn value(&self, parent: Tag, tag: Tag) -> Option<&[u8]> {
        self.values.get(&(parent, tag)).map(Vec::as_slice)
    }

    /// Reads the pixel data of the file these elements were read from.
    ///
    /// # Errors
    /// When there are none, or they break off.
    pub(super) fn pixel_data<R: Read + Seek>(&self, source: R) -> Result<PixelData> {
        let (at, length) = self.pixels.context("has no pixel data")?;
        let mut stream = Stream::new(source)?;
        if self.syntax == DEFLATED {
            let (_, mut packed) = meta(stream.source.into_inner())?;
            return Self::pixels_at(&mut Stream::new(Cursor::new(packed.inflate()?))?, at, length);
        }
        stream.seek(at)?;
        Self::pixels_at(&mut stream, at, length)
    }

    fn pixels_at<R: Read + Seek>(
        stream: &mut Stream<R>,
        at: u64,
        length: u32,
    ) -> Result<PixelData> {
        stream.seek(at)?;
        if length != UNDEFINED {
            ensure!(u64::from(length) <= DATA_LIMIT, "has {length} bytes of pixel data");
            return Ok(PixelData::Native(stream.take(length.into())?));
        }
        let mut joined = Vec::new();
        let mut first = true;
        loop {
            let tag = stream.tag(false)?;
            let length = stream.u32(false)?;
            match tag {
                // The first item is a table of offsets.
                ITEM if first => stream.skip(length.into())?,
                ITEM => {
                    ensure!(
                        joined.len() as u64 + u64::from(length) <= DATA_LIMIT,
                        "has more than {DATA_LIMIT} bytes of pixel data"
                    );
                    joined.append(&mut stream.take(length.into())?);
                }
                SEQUENCE_END => return Ok(PixelData::Encapsulated(joined)),
                Tag(group, element) => bail!(
                    "at byte {}: expected a fragment of pixel data, found ({group:04x},{element:04x})",
                    stream.at
                ),
            }
            first = false;
        }
    }

    fn dataset<R: Read + Seek>(mut self, stream: &mut Stream<R>) -> Result<Self> {
        let (big, all_implicit) = (self.big, self.syntax == IMPLICIT_LITTLE);
        let mut open: Vec<Open> = Vec::new();
        loop {
            while open.last().is_some_and(|inner| stream.at >= inner.end) {
                open.pop();
            }
            if stream.at == stream.length && open.is_empty() {
                return Ok(self);
            }
            ensure!(open.len() < MAX_DEPTH, "at byte {}: sequences are nested too deep", stream.at);
            let tag = stream.tag(big)?;
            let implicit = open.last().map_or(all_implicit, |inner| inner.implicit);
            let inner = open.last().copied();
            match (tag, inner) {
                (ITEM, Some(Open { kind: Kind::Sequence(tag), implicit, .. })) => {
                    let length = stream.u32(big)?;
                    if tag == PIXEL_DATA {
                        // A fragment of an icon, say.
                        stream.skip(length.into())?;
                    } else {
                        let end = stream.end(length)?;
                        open.push(Open { kind: Kind::Item, end, implicit });
                    }
                }
                (ITEM_END | SEQUENCE_END, Some(_)) => {
                    stream.u32(big)?;
                    // A missing end of an item is forgiven.
                    if tag == SEQUENCE_END && matches!(inner, Some(Open { kind: Kind::Item, .. })) {
                        open.pop();
                    }
                    open.pop();
                }
                (Tag(0xfffe, _), _) => {
                    bail!("at byte {}: a delimiter without a sequence", stream.at)
                }
                (_, Some(Open { kind: Kind::Sequence(_), .. })) => {
                    bail!("at byte {}: expected an item of a sequence", stream.at)
                }
                _ => {
                    let (kind, length) =
                        if implicit { (None, stream.u32(big)?) } else { stream.kind(big)? };
                    if tag == PIXEL_DATA && open.is_empty() {
                        self.pixels = Some((stream.at, length));
                        return Ok(self);
                    }
                    let sequence = kind == Some(*b"SQ")
                        || length == UNDEFINED
                        || kind.is_none() && SEQUENCES.contains(&tag);
                    if sequence {
                        // An unknown kind of undefined length is written without kinds.
                        let implicit = implicit || kind == Some(*b"UN");
                        let end = stream.end(length)?;
                        open.push(Open { kind: Kind::Sequence(tag), end, implicit });
                        continue;
                    }
                    let parent = match open[..] {
                        [] => Some(TOP),
                        [Open { kind: Kind::Sequence(tag), .. }, _] => Some(tag),
                        _ => None,
                    };
                    let wanted = parent.filter(|&parent| WANTED.contains(&(parent, tag)));
                    match wanted {
                        Some(parent) if u64::from(length) <= VALUE_LIMIT => {
                            let value = stream.take(length.into())?;
                            // Of several items the first counts.
                            self.values.entry((parent, tag)).or_insert(value);
                        }
                        _ => stream.skip(length.into())?,
                    }
                }
            }
        }
    }
}

/// A sequence or an item that has begun.
#[derive(Debug, Clone, Copy)]
struct Open {
    kind: Kind,
    /// Where it ends; far away when a delimiter ends it.
    end: u64,
    /// Whether its elements are written without their kinds.
    implicit: bool,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Sequence(Tag),
    Item,
}

/// Reads the preamble and the file's own group; the stream is left where the data set begins.
fn meta<R: Read + Seek>(source: R) -> Result<(String, Stream<R>)> {
    let mut stream = Stream::new(source)?;
    let mut start = [0; 132];
    let there = stream.length.min(132) as usize;
    stream.exact(&mut start[..there])?;
    if &start[128..] != b"DICM" {
        // Some files begin with the group itself.
        ensure!(start.starts_with(&[2, 0, 0, 0, b'U', b'L']), "is not a DICOM file");
        stream.seek(0)?;
    }
    let mut syntax = None;
    while stream.at < stream.length {
        let begin = stream.at;
        let tag = stream.tag(false)?;
        if tag.0 != 2 {
            stream.seek(begin)?;
            break;
        }
        let (_, length) = stream.kind(false)?;
        if tag == tags::TRANSFER_SYNTAX {
            ensure!(length <= 128, "at byte {begin}: the transfer syntax is no UID");
            let uid = stream.take(length.into())?;
            syntax = Some(String::from_utf8_lossy(&uid).trim_matches(['\0', ' ']).to_owned());
        } else {
            stream.skip(length.into())?;
        }
    }
    let syntax = syntax.context("does not name its transfer syntax")?;
    let plain = |b: u8| b.is_ascii_digit() || b == b'.';
    ensure!(syntax.bytes().all(plain), "names a transfer syntax that is no UID");
    Ok((syntax, stream))
}

/// A file and how far it has been read.
struct Stream<R> {
    source: BufReader<R>,
    at: u64,
    length: u64,
}

impl<R: Read + Seek> Stream<R> {
    fn new(source: R) -> Result<Self> {
        let mut source = BufReader::with_capacity(1 << 13, source);
        let length = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        Ok(Self { source, at: 0, length })
    }

    fn seek(&mut self, at: u64) -> Result<()> {
        self.source.seek(SeekFrom::Start(at))?;
        self.at = at;
        Ok(())
    }

    /// Checks that so many bytes are left.
    fn left(&self, count: u64) -> Result<()> {
        let left = self.length.saturating_sub(self.at);
        ensure!(
            count <= left,
            "at byte {}: breaks off; {count} bytes expected, {left} left",
            self.at
        );
        Ok(())
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.left(buffer.len() as u64)?;
        self.source.read_exact(buffer)?;
        self.at += buffer.len() as u64;
        Ok(())
    }

    fn take(&mut self, count: u64) -> Result<Vec<u8>> {
        self.left(count)?;
        let mut bytes = vec![0; usize::try_from(count)?];
        self.exact(&mut bytes)?;
        Ok(bytes)
    }

    fn skip(&mut self, count: u64) -> Result<()> {
        self.left(count)?;
        self.source.seek_relative(i64::try_from(count)?)?;
        self.at += count;
        Ok(())
    }

    fn u16(&mut self, big: bool) -> Result<u16> {
        let mut bytes = [0; 2];
        self.exact(&mut bytes)?;
        Ok(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&mut self, big: bool) -> Result<u32> {
        let mut bytes = [0; 4];
        self.exact(&mut bytes)?;
        Ok(if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    fn tag(&mut self, big: bool) -> Result<Tag> {
        Ok(Tag(self.u16(big)?, self.u16(big)?))
    }

    /// The kind of a value (its VR) and its length, where both are written.
    fn kind(&mut self, big: bool) -> Result<(Option<[u8; 2]>, u32)> {
        let mut kind = [0; 2];
        self.exact(&mut kind)?;
        ensure!(
            kind.iter().all(u8::is_ascii_uppercase),
            "at byte {}: expected the kind of a value",
            self.at - 2
        );
        const LONG: [&[u8; 2]; 13] = [
            b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT",
            b"UV",
        ];
        let length = if LONG.contains(&&kind) {
            self.u16(big)?;
            self.u32(big)?
        } else {
            self.u16(big)?.into()
        };
        Ok((Some(kind), length))
    }

    /// Where what has the given length ends.
    fn end(&self, length: u32) -> Result<u64> {
        if length == UNDEFINED {
            return Ok(u64::MAX);
        }
        self.left(length.into())?;
        Ok(self.at + u64::from(length))
    }

    /// The rest of the file, unpacked.
    fn inflate(&mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut limited = DeflateDecoder::new(&mut self.source).take(DATA_LIMIT + 1);
        limited.read_to_end(&mut bytes).context("cannot be unpacked")?;
        ensure!(bytes.len() as u64 <= DATA_LIMIT, "unpacks to more than {DATA_LIMIT} bytes");
        Ok(bytes)
    }
}
