//! JPEG 2000 (ISO/IEC 15444-1), a bare codestream or within a JP2 file: one component, at most 16 bits,
//! signed or not, decoded by `hayro-jpeg2000`; of ISO/IEC 15444-15 by [`htj2k`].

use anyhow::{Context, Result, anyhow, bail, ensure};
use hayro_jpeg2000::{DecodeSettings, DecoderContext};

use crate::htj2k;

/// What a codestream begins with: SOC and SIZ.
const BEGIN: [u8; 4] = [0xff, 0x4f, 0xff, 0x51];
/// What a JP2 file begins with.
pub(crate) const JP2: [u8; 8] = *b"\0\0\0\x0cjP  ";

/// What the SIZ segment says (A.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Bits of a sample of the first component.
    pub(crate) bits: u8,
    pub(crate) signed: bool,
    pub(crate) components: u16,
}

/// The codestream itself: without the boxes of a JP2 file around it.
pub(crate) fn codestream(bytes: &[u8]) -> Option<&[u8]> {
    let begin = bytes.windows(BEGIN.len()).position(|window| window == BEGIN)?;
    bytes.get(begin..)
}

/// What a codestream or JP2 file holds; `None` when its beginning is not there.
pub(crate) fn size(bytes: &[u8]) -> Option<Size> {
    let header = codestream(bytes)?.first_chunk::<43>()?;
    let number = |at: usize| {
        header[at..at + 4].iter().fold(0, |number, &byte| number << 8 | u32::from(byte))
    };
    let side = |end: usize, begin: usize| number(end).checked_sub(number(begin));
    Some(Size {
        width: side(8, 16)?,
        height: side(12, 20)?,
        bits: (header[42] & 0x7f) + 1,
        signed: header[42] & 0x80 != 0,
        components: u16::from_be_bytes([header[40], header[41]]),
    })
}

/// Decodes the one component, row by row: as two's complement where it is signed.
///
/// # Errors
/// What is wrong with the data, or is not read.
pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<u16>> {
    let stream = codestream(bytes).context("JPEG 2000: has no codestream")?;
    let size = size(stream).context("JPEG 2000: breaks off within its header")?;
    let Size { bits, signed, components, .. } = size;
    ensure!(
        components == 1 && bits <= 16,
        "JPEG 2000: has {components} components of {bits} bits; expected one, grey, of at most 16"
    );
    if htj2k::is_high_throughput(stream) {
        let boxes = &bytes[..bytes.len() - stream.len()];
        let has_palette = boxes.windows(4).any(|window| window == b"pclr");
        ensure!(!has_palette, "JPEG 2000: has a palette; expected grey");
        return htj2k::decode(stream, bits, signed);
    }
    let wrong = |error| anyhow!("JPEG 2000: {error}");
    let settings = DecodeSettings { strict: true, ..DecodeSettings::default() };
    let image = hayro_jpeg2000::Image::new(bytes, &settings).map_err(wrong)?;
    let count = u64::from(image.width()) * u64::from(image.height());
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(wrong)?;
    let [component] = decoded.components() else {
        bail!("JPEG 2000: has a palette or several components; expected one, grey");
    };
    let samples = component.samples();
    ensure!(
        samples.len() as u64 == count && component.bit_depth() == bits,
        "JPEG 2000: has {} samples of {} bits",
        samples.len(),
        component.bit_depth()
    );
    // The decoder moves signed samples up as it does the others. They are whole numbers, exact as floats;
    // lossy ones may overshoot.
    let half = if signed { 1u16 << (bits - 1) } else { 0 };
    let most = f32::from(u16::MAX >> (16 - bits));
    let sample = |v: &f32| (v.round().clamp(0.0, most) as u16).wrapping_sub(half);
    Ok(samples.iter().map(sample).collect())
}
