//! Transfer syntaxes: which are decoded, and the names of those that are not.

use anyhow::{Result, bail};

/// How pixel data are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Uncompressed.
    Native,
    /// Run lengths (PS3.5, annex G).
    Rle,
    /// JPEG with 8 or 12 bits, lossy.
    Jpeg,
    /// Lossless JPEG (process 14) of any predictor.
    JpegLossless,
    /// JPEG-LS, lossless or nearly.
    JpegLs,
    /// JPEG 2000, reversible or not.
    Jpeg2000,
}

/// Names of those that are refused.
const OTHERS: [(&str, &str); 14] = [
    ("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical"),
    ("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical"),
    ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Lossless"),
    ("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component"),
    ("1.2.840.10008.1.2.4.94", "JPIP Referenced"),
    ("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate"),
    ("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level"),
    ("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level"),
    ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1"),
    ("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1"),
    ("1.2.840.10008.1.2.4.110", "JPEG XL Lossless"),
    ("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression"),
    ("1.2.840.10008.1.2.4.112", "JPEG XL"),
    ("1.2.840.10008.1.20", "Papyrus 3 Implicit VR Little Endian"),
];

impl Syntax {
    /// In words.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Native => "plain pixel data",
            Self::Rle => "run lengths",
            Self::Jpeg => "lossy JPEG",
            Self::JpegLossless => "lossless JPEG",
            Self::JpegLs => "JPEG-LS",
            Self::Jpeg2000 => "JPEG 2000",
        }
    }

    /// By its UID.
    ///
    /// # Errors
    /// Names one that is not decoded.
    pub(super) fn of(uid: &str) -> Result<Self> {
        let Some(short) = uid.strip_prefix("1.2.840.10008.1.2") else { return refuse(uid) };
        Ok(match short {
            "" | ".1" | ".1.99" | ".2" => Self::Native,
            ".5" => Self::Rle,
            ".4.50" | ".4.51" => Self::Jpeg,
            ".4.57" | ".4.70" => Self::JpegLossless,
            ".4.80" | ".4.81" => Self::JpegLs,
            // High-Throughput JPEG 2000 is known by its stream.
            ".4.90" | ".4.91" | ".4.201" | ".4.202" | ".4.203" => Self::Jpeg2000,
            _ => return refuse(uid),
        })
    }
}

fn refuse(uid: &str) -> Result<Syntax> {
    let name = OTHERS.iter().find(|(other, _)| *other == uid).map_or("unknown", |(_, name)| name);
    bail!(
        "has the transfer syntax {name} ({uid}), which is not read; convert it to Explicit VR Little Endian, as with `dcmdjpeg` or `gdcmconv --raw`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_decoded_is_refused_by_its_name() {
        for (uid, parts) in [
            ("1.2.840.10008.1.2.4.110", ["JPEG XL Lossless", "(1.2.840.10008.1.2.4.110)"]),
            ("1.2.840.10008.1.2.4.100", ["MPEG2", "convert it"]),
            ("1.2.3", ["unknown (1.2.3)", "convert it"]),
        ] {
            let message = Syntax::of(uid).unwrap_err().to_string();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
        assert_eq!(Syntax::of("1.2.840.10008.1.2").unwrap(), Syntax::Native);
        assert!(OTHERS.iter().all(|(uid, _)| Syntax::of(uid).is_err()));
    }
}
