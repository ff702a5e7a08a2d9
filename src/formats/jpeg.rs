//! What a JPEG stream is, by its frame header (ITU-T T.81, B.2.2; T.87, C.2.2): the process, size and
//! precision, without decoding it.

/// How samples are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Process {
    /// Baseline or extended sequential DCT.
    Sequential,
    /// Progressive DCT.
    Progressive,
    /// Lossless by predictors.
    Lossless,
    /// JPEG-LS.
    Ls,
    /// Another one, by its number.
    Other(u8),
}

/// The frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) process: Process,
    /// Bits of a sample.
    pub(crate) bits: u8,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) components: u8,
}

/// Finds the frame header; `None` when the bytes hold none.
pub(crate) fn frame(bytes: &[u8]) -> Option<Frame> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let (marker, body, after) = segment(rest)?;
        let process = match marker {
            0xc0 | 0xc1 => Process::Sequential,
            0xc2 => Process::Progressive,
            0xc3 => Process::Lossless,
            0xf7 => Process::Ls,
            0xc4 | 0xc8 | 0xcc => {
                rest = after;
                continue;
            }
            0xc5..=0xcf => Process::Other(marker - 0xc0),
            // A scan without a frame, or the end.
            0xd9 | 0xda => return None,
            _ => {
                rest = after;
                continue;
            }
        };
        let &[bits, y1, y0, x1, x0, components, ..] = body else { return None };
        let side = |high, low| u32::from(u16::from_be_bytes([high, low]));
        return Some(Frame {
            process,
            bits,
            width: side(x1, x0),
            height: side(y1, y0),
            components,
        });
    }
}

/// Whether the stream goes on to its end, and was not cut off: the `image` crate's decoder takes what is missing
/// for grey.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let mut rest = bytes.get(2..).unwrap_or_default();
    loop {
        // Over the data of a scan, where there are any, with its stuffed bytes and restarts.
        let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff | 0xd0..=0xd7);
        let Some(at) = rest.windows(2).position(is_marker) else { return false };
        if rest[at + 1] == 0xd9 {
            return true;
        }
        let Some((.., after)) = segment(&rest[at..]) else { return false };
        rest = after;
    }
}

/// The EXIF data before the frame, where there are any.
pub(crate) fn exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(&[0xff, 0xd8])?;
    loop {
        let (marker, body, after) = segment(rest)?;
        match (marker, body.strip_prefix(b"Exif\0\0")) {
            (0xe1, Some(data)) => return Some(data),
            (0xc0..=0xc3 | 0xda, _) => return None,
            _ => rest = after,
        }
    }
}

/// The next marker segment: its marker, what stands after its length, and what follows it.
pub(crate) fn segment(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    if bytes.first() != Some(&0xff) {
        return None;
    }
    // Any number of them may fill up.
    let fill = bytes.iter().take_while(|&&b| b == 0xff).count();
    let (&marker, rest) = bytes.get(fill..)?.split_first()?;
    let &[high, low] = rest.first_chunk::<2>()?;
    let length = usize::from(u16::from_be_bytes([high, low]));
    let body = rest.get(2..length)?;
    Some((marker, body, rest.get(length..)?))
}

/// What comes of a stream for the fuzzer: a decoded one has the size of its frame.
#[cfg(test)]
pub(crate) fn fuzzed(bytes: &[u8], decode: fn(&[u8]) -> anyhow::Result<Vec<u16>>) -> String {
    let area = |frame: Frame| u64::from(frame.width) * u64::from(frame.height);
    if frame(bytes).is_some_and(|frame| area(frame) >= 1 << 24) {
        return "large".into();
    }
    let read = decode(bytes).map_err(|error| format!("{error:#}"));
    crate::fuzz::outcome(read, |pixels| {
        assert_eq!(Some(pixels.len() as u64), frame(bytes).map(area));
        "decoded".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_whole_with_its_own_end_and_not_with_that_of_a_picture_in_it() {
        let image = image::GrayImage::from_fn(40, 30, |x, y| [(x * y % 251) as u8].into());
        let mut stream = std::io::Cursor::new(Vec::new());
        image.write_to(&mut stream, image::ImageFormat::Jpeg).unwrap();
        let stream = stream.into_inner();
        // A small picture within a segment, as cameras write them.
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1];
        bytes.extend((stream.len() as u16 + 2).to_be_bytes());
        bytes.extend(&stream);
        bytes.extend(&stream[2..]);
        assert!(is_whole(&stream) && is_whole(&bytes));
        for length in 0..bytes.len() - 1 {
            assert!(!is_whole(&bytes[..length]), "{length}");
        }
        bytes.extend([0, 0, 0]);
        assert!(is_whole(&bytes));
    }

    #[test]
    fn the_frame_header_is_found_behind_other_segments() {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 0xff, 0xc1, 0xff, 0xff, 0xc1, 0, 11, 12];
        bytes.extend([0, 7, 1, 2, 1, 1, 0x11, 0]);
        let expected =
            Frame { process: Process::Sequential, bits: 12, width: 258, height: 7, components: 1 };
        assert_eq!(frame(&bytes), Some(expected));
        for length in 0..bytes.len() {
            assert_eq!(frame(&bytes[..length]), None);
        }
        assert_eq!(frame(b"\xff\xd8\xff\xd9\0\x02"), None);
    }
}
