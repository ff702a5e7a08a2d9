//! What compressed pixel data are, by their first bytes: whatever the transfer syntax says of them.

use super::syntax::Syntax;
use crate::jpeg::{self, Process};
use crate::jpeg2000;

/// A compressed image of one frame, before it is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) syntax: Syntax,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bits of a sample.
    pub(super) bits: u8,
    pub(super) signed: bool,
    pub(super) components: u16,
}

impl Stream {
    /// By the beginning of the pixel data; `None` where that tells nothing, as with run lengths.
    pub(super) fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(&jpeg2000::JP2) || start.starts_with(&[0xff, 0x4f]) {
            let jpeg2000::Size { width, height, bits, signed, components, .. } =
                jpeg2000::size(start)?;
            let syntax = Syntax::Jpeg2000;
            return Some(Self { syntax, width, height, bits, signed, components });
        }
        let jpeg::Frame { process, bits, width, height, components } = jpeg::frame(start)?;
        let syntax = match process {
            Process::Sequential | Process::Progressive => Syntax::Jpeg,
            Process::Lossless => Syntax::JpegLossless,
            Process::Ls => Syntax::JpegLs,
            Process::Other(_) => return None,
        };
        Some(Self { syntax, width, height, bits, signed: false, components: components.into() })
    }
}
