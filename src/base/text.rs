//! Bytes as text: UTF-8, and UTF-16 as spreadsheets and PowerShell write it, are known by what they hold;
//! an older encoding must be named, since its bytes could be any. Nothing is replaced: what is no text
//! in an encoding is refused with its line.

use std::fmt;
use std::str::FromStr;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
use serde::{Serialize, Serializer};

/// How characters are written as bytes, where a file does not tell it itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

impl Encoding {
    /// Names to choose from, in messages; every name of the web's Encoding Standard is known.
    pub const EXAMPLES: &str = "windows-1252, iso-8859-2 or gb18030";
}

impl FromStr for Encoding {
    type Err = String;

    /// # Errors
    /// When no encoding has this name.
    fn from_str(name: &str) -> Result<Self, String> {
        // Names that programs write for encodings which the standard knows by others.
        let known = match name.trim().to_ascii_lowercase().as_str() {
            "ansi" | "mbcs" => "windows-1252".to_owned(),
            "mac-roman" | "mac_roman" => "macintosh".to_owned(),
            other => match other.strip_prefix("cp12") {
                Some(page) => format!("windows-12{page}"),
                None => other.to_owned(),
            },
        };
        // `replacement` stands for encodings that nothing may be read in.
        let found = encoding_rs::Encoding::for_label_no_replacement(known.as_bytes());
        found.map(Self).ok_or_else(|| {
            format!("`{name}` is no encoding; expected one such as {}", Self::EXAMPLES)
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name().to_ascii_lowercase())
    }
}

impl Serialize for Encoding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Bytes that are no text in their encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotText {
    /// Line of the first of them, from 1.
    pub line: u64,
    /// What they are not: `UTF-8`.
    pub encoding: String,
    /// Whether naming an encoding would help.
    pub unnamed: bool,
}

impl fmt::Display for NotText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is not {}", self.encoding)
    }
}

/// The text that bytes stand for, without a byte order mark. Bytes that begin with such a mark, or are
/// UTF-16 by the zeros among them, are read as they say; others in `given`, or else as UTF-8.
///
/// # Errors
/// When they are none.
pub fn decode(bytes: Vec<u8>, given: Option<Encoding>) -> Result<String, NotText> {
    let marked = encoding_rs::Encoding::for_bom(&bytes);
    let (encoding, from) = match (marked, given) {
        (Some((encoding, from)), _) => (encoding, from),
        (None, Some(Encoding(encoding))) => (encoding, 0),
        (None, None) => (wide(&bytes).unwrap_or(UTF_8), 0),
    };
    let wrong = |bytes: &[u8]| NotText {
        line: first_wrong_line(bytes, encoding),
        encoding: encoding.name().to_owned(),
        unnamed: given.is_none() && encoding == UTF_8,
    };
    let text = if encoding == UTF_8 {
        let mut text =
            String::from_utf8(bytes).map_err(|error| wrong(&error.as_bytes()[from..]))?;
        text.drain(..from);
        text
    } else {
        let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes[from..]);
        text.ok_or_else(|| wrong(&bytes[from..]))?.into_owned()
    };
    Ok(text)
}

/// UTF-16 without a mark: text of Latin letters, digits and commas has a zero in most pairs of bytes, always
/// in the same place.
fn wide(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let pairs = &bytes[..bytes.len().min(512)].as_chunks::<2>().0;
    let zeros = |place: usize| pairs.iter().filter(|pair| pair[place] == 0).count();
    let [first, second] = [zeros(0), zeros(1)];
    match pairs.len() {
        0 | 1 => None,
        all if first == 0 && 2 * second > all => Some(UTF_16LE),
        all if second == 0 && 2 * first > all => Some(UTF_16BE),
        _ => None,
    }
}

/// The line of the first bytes that are no text.
fn first_wrong_line(bytes: &[u8], encoding: &'static encoding_rs::Encoding) -> u64 {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(1 << 12);
    let (mut at, mut lines, mut after_return) = (0, 1, false);
    loop {
        let (result, read) =
            decoder.decode_to_string_without_replacement(&bytes[at..], &mut text, true);
        for c in text.drain(..) {
            lines += u64::from(c == '\r' || c == '\n' && !after_return);
            after_return = c == '\r';
        }
        at += read;
        if result != encoding_rs::DecoderResult::OutputFull {
            return lines;
        }
    }
}

/// A count of bytes as people read it: `1.2 MB`.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn marks_and_zeros_tell_the_encoding() {
        let text = "image,patient\r\na.png,Jäger\r\n";
        let marked = format!("\u{feff}{text}");
        for bytes in [
            text.as_bytes().to_vec(),
            marked.as_bytes().to_vec(),
            utf16(&marked, false),
            utf16(&marked, true),
            utf16(text, false),
            utf16(text, true),
        ] {
            assert_eq!(decode(bytes.clone(), None).as_deref(), Ok(text));
            // What a file says of itself counts more than what is said of it.
            if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xef, 0xbb]) {
                assert_eq!(decode(bytes, "cp1252".parse().ok()).as_deref(), Ok(text));
            }
        }
        assert_eq!(decode(Vec::new(), None).as_deref(), Ok(""));
        assert_eq!(decode(b"x".to_vec(), None).as_deref(), Ok("x"));
    }

    #[test]
    fn older_encodings_are_named() {
        let old = b"image,patient\r\na.png,J\xe4ger\r\n".to_vec();
        let error = decode(old.clone(), None).unwrap_err();
        assert_eq!(
            (error.line, error.unnamed, error.to_string()),
            (2, true, "is not UTF-8".into())
        );
        for name in ["windows-1252", "cp1252", "Latin1", "iso-8859-1", "ANSI"] {
            let text = decode(old.clone(), Some(name.parse().unwrap())).unwrap();
            assert!(text.ends_with("Jäger\r\n"), "{name}: {text}");
        }
        let polish = decode(b"\xb1".to_vec(), Some("iso-8859-2".parse().unwrap())).unwrap();
        assert_eq!(polish, "ą");
        let message = "klingon".parse::<Encoding>().unwrap_err();
        assert!(message.contains("windows-1252"), "{message}");
        assert!("utf-7".parse::<Encoding>().is_err() && "iso-2022-kr".parse::<Encoding>().is_err());
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        let lines = [b"a\rb\r\nc\n".as_slice(), &[0xff], b"\n"].concat();
        assert_eq!(decode(lines, None).unwrap_err().line, 4);
        // Half a character at the end, and half a pair of UTF-16.
        let cut = decode(b"a\nb\xc3".to_vec(), None).unwrap_err();
        assert_eq!(cut.line, 2);
        let odd = [utf16("\u{feff}a\nb", false), vec![0x41]].concat();
        let error = decode(odd, None).unwrap_err();
        assert_eq!((error.line, error.encoding.as_str(), error.unnamed), (2, "UTF-16LE", false));
        let lone = [utf16("\u{feff}ab", false), vec![0x00, 0xd8]].concat();
        assert!(decode(lone, None).is_err());
    }
}
