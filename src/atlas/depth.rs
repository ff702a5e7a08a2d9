//! A mammogram's values for the viewer: what they mean ([`greys`]), and a tile of them packed without loss ([`packed`]).
//!
//! A page from a disk may read no pixel of a picture, so the values lie in scripts, as text in base 64. What it holds is
//! deflated: for each pixel, row by row, how far its code is from a prediction by its neighbours, as a whole number
//! from 0 (0, -1, 1, -2, 2, …); first the lower byte of all, then the higher. The prediction is the median of left, upper and
//! left plus upper minus upper left (LOCO-I; Weinberger, Seroussi and Sapiro 2000, as in JPEG-LS), modulo 65,536.
//! viewer-depth.js unpacks it.

use std::io::Write;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::DeflateEncoder;

use crate::script;
use mammogram::{Shape, Values};

/// What the codes of a mammogram's tiles mean, and how they are shown.
pub(crate) fn greys(values: &Values) -> script::Greys {
    let most = values.codes.iter().copied().filter(|code| values.padding != Some(*code)).max();
    let (function, curve) = match &values.shape {
        Shape::Linear => ("linear", None),
        Shape::LinearExact => ("linear_exact", None),
        Shape::Sigmoid => ("sigmoid", None),
        Shape::Curve(curve) => ("curve", Some(STANDARD.encode(curve))),
    };
    script::Greys {
        first: values.first,
        step: values.step,
        greatest: most.unwrap_or(0),
        padding: values.padding,
        windows: values.windows.iter().map(|window| [window.centre, window.width]).collect(),
        function,
        curve,
        inverted: values.inverted,
    }
}

/// The codes of a part of an image whose rows are `stride` long; the part begins at `x`, `y`.
///
/// # Errors
/// None but those of the library, which writes to memory.
pub(crate) fn packed(
    codes: &[u16],
    stride: u32,
    [x, y]: [u32; 2],
    [width, height]: [u32; 2],
) -> Result<String> {
    let rows: Vec<&[u16]> = codes
        .chunks(stride as usize)
        .skip(y as usize)
        .take(height as usize)
        .map(|row| &row[x as usize..][..width as usize])
        .collect();
    let pixels = width as usize * height as usize;
    let mut bytes = vec![0; 2 * pixels];
    let (low, high) = bytes.split_at_mut(pixels);
    let mut at = 0;
    for (number, row) in rows.iter().enumerate() {
        let above = number.checked_sub(1).map(|above| rows[above]);
        for (column, &code) in row.iter().enumerate() {
            let left = column.checked_sub(1).map(|left| row[left]);
            let up = above.map(|above| above[column]);
            let corner = above.zip(column.checked_sub(1)).map(|(above, left)| above[left]);
            let off = code.wrapping_sub(predicted(left, up, corner)) as i16;
            let [first, second] = (((off << 1) ^ (off >> 15)) as u16).to_le_bytes();
            (low[at], high[at]) = (first, second);
            at += 1;
        }
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&bytes)?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// By its neighbours, as far as there are any.
fn predicted(left: Option<u16>, up: Option<u16>, corner: Option<u16>) -> u16 {
    match (left, up, corner) {
        (Some(left), Some(up), Some(corner)) => {
            let (least, most) = (left.min(up), left.max(up));
            if corner >= most {
                least
            } else if corner <= least {
                most
            } else {
                left.wrapping_add(up).wrapping_sub(corner)
            }
        }
        (one, other, _) => one.or(other).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use flate2::read::DeflateDecoder;

    /// As viewer-depth.js does it.
    fn unpacked(text: &str, [width, height]: [usize; 2]) -> Vec<u16> {
        let bytes = STANDARD.decode(text).unwrap();
        let mut both = Vec::new();
        DeflateDecoder::new(&bytes[..]).read_to_end(&mut both).unwrap();
        let pixels = width * height;
        assert_eq!(both.len(), 2 * pixels);
        let mut codes: Vec<u16> = Vec::with_capacity(pixels);
        for at in 0..pixels {
            let whole = u16::from(both[at]) | u16::from(both[pixels + at]) << 8;
            let off = (whole >> 1) ^ 0_u16.wrapping_sub(whole & 1);
            let (x, y) = (at % width, at / width);
            let of = |there: bool, back: usize| there.then(|| codes[at - back]);
            let near = [of(x > 0, 1), of(y > 0, width), of(x > 0 && y > 0, width + 1)];
            codes.push(predicted(near[0], near[1], near[2]).wrapping_add(off));
        }
        codes
    }

    /// tests/scripts/viewer.test.js unpacks the same.
    #[test]
    fn the_scripts_are_tested_with_what_is_packed() {
        let codes = [0, 65535, 7, 4095, 12, 13, 14, 15, 500, 400, 300, 65535];
        let tested = script::tested();
        assert_eq!(unpacked(tested["packed"].as_str().unwrap(), [4, 3]), codes);
        assert_eq!(unpacked(&packed(&codes, 4, [0, 0], [4, 3]).unwrap(), [4, 3]), codes);
    }

    #[test]
    fn a_tile_loses_nothing() {
        let (width, height) = (40_u32, 30_u32);
        let noise = |at: u32| at.wrapping_mul(2_654_435_761) >> 16;
        for codes in [
            (0..width * height).map(|at| noise(at) as u16).collect::<Vec<u16>>(),
            (0..width * height).map(|at| 3000 + (noise(at) % 40) as u16).collect(),
            (0..width * height).map(|at| if at % 7 == 0 { u16::MAX } else { 0 }).collect(),
        ] {
            let text = packed(&codes, width, [3, 5], [33, 20]).unwrap();
            let part: Vec<u16> =
                (5..25).flat_map(|y| codes[(y * width + 3) as usize..][..33].to_vec()).collect();
            assert_eq!(unpacked(&text, [33, 20]), part);
        }
    }
}
