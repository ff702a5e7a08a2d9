//! An encoder of lossless JPEG as DDSM's: the scan's predictor in the first row too, below a virtual
//! row of `2^(bits - 1)`. Written for the tests, apart from the decoder.
#![allow(unreachable_pub, reason = "shared by unit tests and whole-command tests")]

/// Encodes rows of `width` samples of `bits` bits (8 to 16) with a predictor 1 to 7.
///
/// The Huffman code is fixed: 17 symbols, four bits for the first 14 of them, five to six for the
/// rest; no code is all ones.
pub fn encode(pixels: &[u16], width: usize, bits: u8, predictor: u8) -> Vec<u8> {
    let height = pixels.len() / width;
    assert_eq!(width * height, pixels.len());
    let mut counts = [0u8; 16];
    (counts[3], counts[4], counts[5]) = (14, 2, 1);
    let mut out = vec![0xff, 0xd8, 0xff, 0xc3, 0, 11, bits];
    out.extend((height as u16).to_be_bytes());
    out.extend((width as u16).to_be_bytes());
    out.extend([1, 1, 0x11, 0, 0xff, 0xc4, 0, 2 + 17 + 17, 0]);
    out.extend(counts);
    out.extend(0..=16u8);
    out.extend([0xff, 0xda, 0, 8, 1, 1, 0, predictor, 0, 0]);

    // Codes of consecutive symbols, as the counts give them.
    let code = |symbol: u32| match symbol {
        0..14 => (symbol, 4),
        14..16 => (14 * 2 + symbol - 14, 5),
        _ => ((14 * 2 + 2) * 2, 6),
    };
    let mut writer = Writer { out, buffer: 0, held: 0 };
    let base = 1i64 << (bits - 1);
    let at = |x: usize, y: Option<usize>| y.map_or(base, |y| i64::from(pixels[y * width + x]));
    for y in 0..height {
        let above = y.checked_sub(1);
        for x in 0..width {
            let b = at(x, above);
            let predicted = if x == 0 {
                b
            } else {
                let (a, c) = (at(x - 1, Some(y)), at(x - 1, above));
                match predictor {
                    1 => a,
                    2 => b,
                    3 => c,
                    4 => a + b - c,
                    5 => a + (b - c).div_euclid(2),
                    6 => b + (a - c).div_euclid(2),
                    _ => (a + b).div_euclid(2),
                }
            };
            // The difference modulo 65536, from -32767 to 32768.
            let mut difference = (at(x, Some(y)) - predicted).rem_euclid(65_536);
            if difference > 32_768 {
                difference -= 65_536;
            }
            let size = 64 - difference.unsigned_abs().leading_zeros();
            let (code, length) = code(size);
            writer.put(code, length);
            if (1..16).contains(&size) {
                let extra = if difference < 0 { difference + (1 << size) - 1 } else { difference };
                writer.put(extra as u32, size);
            }
        }
    }
    // Ones up to a whole byte.
    while writer.held > 0 {
        writer.put(1, 1);
    }
    writer.out.extend([0xff, 0xd9]);
    writer.out
}

struct Writer {
    out: Vec<u8>,
    buffer: u32,
    held: u32,
}

impl Writer {
    fn put(&mut self, value: u32, length: u32) {
        for bit in (0..length).rev() {
            self.buffer = self.buffer << 1 | (value >> bit & 1);
            self.held += 1;
            if self.held == 8 {
                self.out.push(self.buffer as u8);
                if self.buffer as u8 == 0xff {
                    self.out.push(0);
                }
                (self.buffer, self.held) = (0, 0);
            }
        }
    }
}
