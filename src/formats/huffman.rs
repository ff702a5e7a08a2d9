//! Huffman tables of JPEG streams (ITU-T T.81, annex C).

/// Codes of 1 to 16 bits and the symbols they stand for.
#[derive(Debug, Clone)]
pub(crate) struct Codes {
    /// First code of each length after the last one of that length, aligned to 16 bits.
    limits: [u32; 17],
    /// What to add to a code of each length to find its symbol.
    offsets: [i32; 17],
    symbols: Vec<u8>,
}

impl Codes {
    /// By how many codes there are of each length, and their symbols in order; `None` when there are more
    /// codes than fit.
    pub(crate) fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let (mut limits, mut offsets) = ([0; 17], [0; 17]);
        let (mut code, mut index) = (0u32, 0i32);
        for (length, &count) in (1..).zip(counts) {
            code <<= 1;
            offsets[length] = index - code as i32;
            code += u32::from(count);
            index += i32::from(count);
            if code > 1 << length {
                return None;
            }
            limits[length] = code << (16 - length);
        }
        Some(Self { limits, offsets, symbols: symbols.to_vec() })
    }

    /// The symbol whose code the next 16 bits begin with, and the length of that code; `None` where there is
    /// no such code.
    pub(crate) fn symbol(&self, next: u32) -> Option<(u8, u32)> {
        let length = (1..=16).find(|&length| next < self.limits[length])?;
        let code = (next >> (16 - length)) as i32;
        let symbol = self.symbols.get(usize::try_from(code + self.offsets[length]).ok()?)?;
        Some((*symbol, length as u32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_dealt_by_length_and_order() {
        // T.81, K.3.1, the differences of luminance: 00 is 0, 010 is 1, 1110 is 6.
        let counts = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let codes = Codes::new(&counts, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]).unwrap();
        let at = |bits: u32, length: u32| codes.symbol(bits << (16 - length) | 1);
        assert_eq!(at(0b00, 2), Some((0, 2)));
        assert_eq!(at(0b010, 3), Some((1, 3)));
        assert_eq!(at(0b110, 3), Some((5, 3)));
        assert_eq!(at(0b1110, 4), Some((6, 4)));
        assert_eq!(codes.symbol(0xffff), None, "all ones are no code");
        assert!(Codes::new(&[3; 16], &[0; 48]).is_none());
        // Fewer symbols than codes.
        assert_eq!(Codes::new(&counts, &[0]).unwrap().symbol(0b010 << 13), None);
    }
}
