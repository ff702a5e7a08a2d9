//! The data elements of a file (DICOM PS3.5 and PS3.10), read as a stream.
//!
//! Files are read as they are found: with any preamble or none, without the file's own group or the
//! transfer syntax in it, with or without kinds of values (VR) whatever the syntax says, without the ends
//! of sequences. What departs from the standard is remembered as an oddity.
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
    pub(in super::super) const IMAGE_TYPE: Tag = Tag(0x0008, 0x0008);
    pub(in super::super) const INTENT: Tag = Tag(0x0008, 0x0068);
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
    pub(in super::super) const RELATIONSHIP: Tag = Tag(0x0028, 0x1040);
    pub(in super::super) const RELATIONSHIP_SIGN: Tag = Tag(0x0028, 0x1041);
    pub(in super::super) const WINDOW_CENTER: Tag = Tag(0x0028, 0x1050);
    pub(in super::super) const WINDOW_WIDTH: Tag = Tag(0x0028, 0x1051);
    pub(in super::super) const INTERCEPT: Tag = Tag(0x0028, 0x1052);
    pub(in super::super) const SLOPE: Tag = Tag(0x0028, 0x1053);
    pub(in super::super) const VOI_FUNCTION: Tag = Tag(0x0028, 0x1056);
    pub(in super::super) const IMPLANT: Tag = Tag(0x0028, 0x1300);
    pub(in super::super) const MODALITY_LUTS: Tag = Tag(0x0028, 0x3000);
    pub(in super::super) const LUT_DESCRIPTOR: Tag = Tag(0x0028, 0x3002);
    pub(in super::super) const LUT_DATA: Tag = Tag(0x0028, 0x3006);
    pub(in super::super) const VOI_LUTS: Tag = Tag(0x0028, 0x3010);
    pub(in super::super) const VIEW_CODES: Tag = Tag(0x0054, 0x0220);
    pub(in super::super) const ICON: Tag = Tag(0x0088, 0x0200);
    pub(in super::super) const VIEW_MODIFIERS: Tag = Tag(0x0054, 0x0222);
    pub(in super::super) const PIXEL_DATA: Tag = Tag(0x7fe0, 0x0010);
    pub(in super::super) const ITEM: Tag = Tag(0xfffe, 0xe000);
    pub(in super::super) const ITEM_END: Tag = Tag(0xfffe, 0xe00d);
    pub(in super::super) const SEQUENCE_END: Tag = Tag(0xfffe, 0xe0dd);
}
use tags::{ICON, ITEM, ITEM_END, PIXEL_DATA, SEQUENCE_END};

/// Not in a sequence.
pub(super) const TOP: Tag = Tag(0, 0);
/// Sequences whose first item is read. A tag without its kind (implicit VR) is known from here.
const SEQUENCES: [Tag; 4] =
    [tags::MODALITY_LUTS, tags::VOI_LUTS, tags::VIEW_CODES, tags::VIEW_MODIFIERS];
/// The tags whose values are read, with the sequence they lie in.
const WANTED: [(Tag, Tag); 34] = [
    (TOP, tags::IMAGE_TYPE),
    (TOP, tags::INTENT),
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
    (TOP, tags::RELATIONSHIP),
    (TOP, tags::RELATIONSHIP_SIGN),
    (TOP, tags::WINDOW_CENTER),
    (TOP, tags::WINDOW_WIDTH),
    (TOP, tags::INTERCEPT),
    (TOP, tags::SLOPE),
    (TOP, tags::VOI_FUNCTION),
    (TOP, tags::IMPLANT),
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

/// The beginning of compressed pixel data that is looked at for its size and precision.
const PEEKED: u64 = 1 << 16;

const IMPLICIT_LITTLE: &str = "1.2.840.10008.1.2";
const EXPLICIT_LITTLE: &str = "1.2.840.10008.1.2.1";
const EXPLICIT_BIG: &str = "1.2.840.10008.1.2.2";
const DEFLATED: &str = "1.2.840.10008.1.2.1.99";

/// Kinds of values (PS3.5, 6.2) whose length takes two bytes.
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN",
    b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
];
/// Kinds whose length takes four, after two that are reserved.
const LONG: [&[u8; 2]; 13] =
    [b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"];

/// What was read of a file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Elements {
    /// UID of the transfer syntax; where none is named, of the one that the elements are written in.
    pub(super) syntax: String,
    /// Whether numbers have their most significant byte first.
    pub(super) big: bool,
    /// The beginning of compressed pixel data; empty where they are not compressed.
    pub(super) start: Vec<u8>,
    /// Where the file departs from the standard, and how it was read.
    pub(super) oddities: Vec<String>,
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

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Without the kinds of their values.
    Implicit,
    Explicit,
    /// With kinds, and the most significant byte first.
    Big,
}

impl Written {
    /// By the first bytes of an element.
    fn of(first: [u8; 8]) -> Self {
        let [low, high, .., a, b, _, _] = first;
        // The first group is 2 or 8, or another one below 256.
        match (known([a, b]), low < high) {
            (true, false) => Written::Explicit,
            (true, true) => Written::Big,
            (false, _) => Written::Implicit,
        }
    }

    /// The transfer syntax with its name.
    fn syntax(self) -> (&'static str, &'static str) {
        match self {
            Written::Implicit => (IMPLICIT_LITTLE, "Implicit VR Little Endian"),
            Written::Explicit => (EXPLICIT_LITTLE, "Explicit VR Little Endian"),
            Written::Big => (EXPLICIT_BIG, "Explicit VR Big Endian"),
        }
    }
}

/// Whether two bytes are the kind of a value.
fn known(kind: [u8; 2]) -> bool {
    SHORT.contains(&&kind) || LONG.contains(&&kind)
}

/// Where the elements begin in a file that starts so; `None` when it is not DICOM. [`START`] bytes
/// suffice.
pub(super) fn begin(start: &[u8]) -> Option<u64> {
    if start.get(128..132) == Some(b"DICM") {
        return Some(132);
    }
    is_first(start).then_some(0)
}

/// Bytes that tell whether a file is DICOM.
pub(super) const START: usize = 132;

/// Whether a file without a preamble begins with an element: one of the file's own group, or of the group
/// that every data set begins with.
fn is_first(start: &[u8]) -> bool {
    let Some(&first) = start.first_chunk::<8>() else { return false };
    let [a, b, c, d, _, _, e, f] = first;
    match (Written::of(first), [a, b], [c, d]) {
        (Written::Explicit, [2 | 8, 0], _) | (Written::Big, [0, 8], _) => true,
        // A length without a kind could be anything: only short ones of the first elements.
        (Written::Implicit, [2 | 8, 0], [0..=0x18, 0]) => [e, f] == [0, 0],
        _ => false,
    }
}

impl Elements {
    /// Reads everything before the pixel data.
    ///
    /// # Errors
    /// When it is no DICOM file, or breaks off or contradicts itself at a byte that is named.
    pub(super) fn read<R: Read + Seek>(source: R) -> Result<Self> {
        let (named, mut stream) = meta(source)?;
        let mut elements = Self {
            syntax: named.unwrap_or_default(),
            big: false,
            start: Vec::new(),
            oddities: Vec::new(),
            values: BTreeMap::new(),
            pixels: None,
        };
        if elements.syntax == DEFLATED {
            let mut inflated = Stream::new(Cursor::new(stream.inflate()?))?;
            return elements.dataset(&mut inflated);
        }
        if elements.syntax.is_empty() {
            let first = stream.peek()?.context("has no element")?;
            let (uid, name) = Written::of(first).syntax();
            elements.syntax = uid.to_owned();
            elements.oddities.push(format!("names no transfer syntax; it is read as {name}"));
        }
        elements.big = elements.syntax == EXPLICIT_BIG;
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
        while let Some(length) = stream.fragment(std::mem::take(&mut first))? {
            ensure!(
                joined.len() as u64 + u64::from(length) <= DATA_LIMIT,
                "has more than {DATA_LIMIT} bytes of pixel data"
            );
            joined.append(&mut stream.take(length.into())?);
        }
        Ok(PixelData::Encapsulated(joined))
    }

    fn dataset<R: Read + Seek>(mut self, stream: &mut Stream<R>) -> Result<Self> {
        let big = self.big;
        let implicit = self.is_implicit(stream)?;
        let mut open: Vec<Open> = Vec::new();
        let mut stray = Stray::default();
        loop {
            while open.last().is_some_and(|inner| stream.at >= inner.end) {
                open.pop();
            }
            if stream.at == stream.length && open.iter().all(|outer| outer.end == u64::MAX) {
                return Ok(self.with(stray, stream));
            }
            ensure!(open.len() < MAX_DEPTH, "at byte {}: sequences are nested too deep", stream.at);
            let tag = stream.tag(big)?;
            let implicit = open.last().map_or(implicit, |inner| inner.implicit);
            let inner = open.last().copied();
            match (tag, inner) {
                (ITEM, Some(Open { kind: Kind::Sequence(tag), implicit, .. })) => {
                    let length = stream.u32(big)?;
                    if tag == PIXEL_DATA {
                        // A fragment of an icon, say.
                        stream.skip(length.into())?;
                    } else {
                        let end = stream.end(length)?;
                        let implicit = stream.item_is_implicit(implicit)?;
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
                // The end of a sequence that holds nothing is missing, or that of its last item was there.
                (_, Some(Open { kind: Kind::Sequence(sequence), end: u64::MAX, .. }))
                    if sequence != PIXEL_DATA =>
                {
                    open.pop();
                    stream.back()?;
                }
                (_, Some(Open { kind: Kind::Sequence(_), .. })) => {
                    bail!("at byte {}: expected an item of a sequence", stream.at)
                }
                _ => {
                    let (kind, length) =
                        if implicit { (None, stream.u32(big)?) } else { stream.kind(big)? };
                    if tag == PIXEL_DATA && open.is_empty() {
                        self.pixels = Some((stream.at, length));
                        self.start = stream.start_of_fragments(length);
                        return Ok(self);
                    }
                    let unended = open.iter().all(|outer| outer.end == u64::MAX);
                    let icon = Kind::Sequence(ICON);
                    if tag == PIXEL_DATA && unended && open.iter().all(|outer| outer.kind != icon) {
                        stray.pixels = Some((stream.at, length));
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
                    let strays = wanted.is_none() && unended && WANTED.contains(&(TOP, tag));
                    if u64::from(length) > VALUE_LIMIT || wanted.is_none() && !strays {
                        stream.skip(length.into())?;
                        continue;
                    }
                    let value = stream.take(length.into())?;
                    match wanted {
                        // Of several items the first counts.
                        Some(parent) => drop(self.values.entry((parent, tag)).or_insert(value)),
                        // The item's own come before those that follow the sequence.
                        None => drop(stray.values.insert(tag, value)),
                    }
                }
            }
        }
    }

    /// Whether the data set is written without kinds; the first element tells, whatever the transfer
    /// syntax says.
    fn is_implicit<R: Read + Seek>(&mut self, stream: &mut Stream<R>) -> Result<bool> {
        let stated = self.syntax == IMPLICIT_LITTLE;
        let Some(first) = stream.peek()? else { return Ok(stated) };
        let found = Written::of(first) == Written::Implicit;
        if found != stated {
            let [are, say] = if found { ["without", "with"] } else { ["with", "without"] };
            self.oddities.push(format!(
                "its elements are written {are} the kinds of their values (VR), where its transfer syntax says {say}; they are read as they are"
            ));
        }
        Ok(found)
    }

    /// At the end of a file without pixel data of its own: with what lies in sequences that never end.
    fn with<R: Read + Seek>(mut self, stray: Stray, stream: &mut Stream<R>) -> Self {
        let Some((at, length)) = stray.pixels else { return self };
        self.pixels = stray.pixels;
        for (tag, value) in stray.values {
            self.values.entry((TOP, tag)).or_insert(value);
        }
        if stream.seek(at).is_ok() {
            self.start = stream.start_of_fragments(length);
        }
        let message = "lacks the end of a sequence; what follows it is read as the image's";
        self.oddities.push(message.to_owned());
        self
    }
}

/// What lies in sequences without an end, and may be the image's own where there is no other.
#[derive(Default)]
struct Stray {
    values: BTreeMap<Tag, Vec<u8>>,
    pixels: Option<(u64, u32)>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sequence(Tag),
    Item,
}

/// Reads the preamble and the file's own group, and the transfer syntax where it names one; the stream is
/// left where the data set begins.
fn meta<R: Read + Seek>(source: R) -> Result<(Option<String>, Stream<R>)> {
    let mut stream = Stream::new(source)?;
    let mut start = [0; START];
    let there = stream.length.min(START as u64) as usize;
    stream.exact(&mut start[..there])?;
    stream.seek(begin(&start[..there]).context("is not a DICOM file")?)?;
    let mut syntax = None;
    while let Some(first) = stream.peek()? {
        if first[..2] != [2, 0] {
            break;
        }
        let begin = stream.at;
        let tag = stream.tag(false)?;
        let length = match Written::of(first) {
            Written::Implicit => stream.u32(false)?,
            _ => stream.kind(false)?.1,
        };
        if tag == tags::TRANSFER_SYNTAX {
            ensure!(length <= 128, "at byte {begin}: the transfer syntax is no UID");
            let uid = stream.take(length.into())?;
            let uid = String::from_utf8_lossy(&uid).trim_matches(['\0', ' ']).to_owned();
            let plain = |b: u8| b.is_ascii_digit() || b == b'.';
            ensure!(uid.bytes().all(plain), "names a transfer syntax that is no UID");
            syntax = Some(uid).filter(|uid| !uid.is_empty());
        } else {
            stream.skip(length.into())?;
        }
    }
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

    /// The next eight bytes, which are read again; `None` where fewer are left.
    fn peek(&mut self) -> Result<Option<[u8; 8]>> {
        if self.length.saturating_sub(self.at) < 8 {
            return Ok(None);
        }
        let mut next = [0; 8];
        self.source.read_exact(&mut next)?;
        self.source.seek_relative(-8)?;
        Ok(Some(next))
    }

    /// Goes back to before the tag that was just read.
    fn back(&mut self) -> Result<()> {
        self.source.seek_relative(-4)?;
        self.at -= 4;
        Ok(())
    }

    /// Whether the elements of the item that begins here are written without kinds; as `around` it where
    /// it has none.
    fn item_is_implicit(&mut self, around: bool) -> Result<bool> {
        let first = self.peek()?.filter(|first| !matches!(first[..2], [0xfe, 0xff] | [0xff, 0xfe]));
        Ok(first.map_or(around, |first| !known([first[4], first[5]])))
    }

    /// Goes to the next fragment of compressed pixel data, and gives its length; `None` at their end, or
    /// that of the file. The `first` item is a table of offsets, unless the data begin in it.
    fn fragment(&mut self, first: bool) -> Result<Option<u32>> {
        if self.at == self.length {
            return Ok(None);
        }
        let tag = self.tag(false)?;
        let length = self.u32(false)?;
        match tag {
            ITEM if first => {
                let begins = |next: [u8; 8]| {
                    next.starts_with(&[0xff, 0xd8, 0xff])
                        || next.starts_with(&[0xff, 0x4f, 0xff])
                        || next == *b"\0\0\0\x0cjP  "
                };
                if length >= 8 && self.peek()?.is_some_and(begins) {
                    return Ok(Some(length));
                }
                self.skip(length.into())?;
                self.fragment(false)
            }
            ITEM => Ok(Some(length)),
            SEQUENCE_END => Ok(None),
            Tag(group, element) => bail!(
                "at byte {}: expected a fragment of pixel data, found ({group:04x},{element:04x})",
                self.at
            ),
        }
    }

    /// The beginning of compressed pixel data of the given length, as far as it is there.
    fn start_of_fragments(&mut self, length: u32) -> Vec<u8> {
        if length != UNDEFINED {
            return Vec::new();
        }
        let mut start = Vec::new();
        let mut first = true;
        while let Ok(Some(length)) = self.fragment(std::mem::take(&mut first)) {
            let wanted = PEEKED - start.len() as u64;
            let left = self.length.saturating_sub(self.at);
            let Ok(mut bytes) = self.take(u64::from(length).min(left).min(wanted)) else { break };
            start.append(&mut bytes);
            if u64::from(length) >= wanted {
                break;
            }
        }
        start
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
