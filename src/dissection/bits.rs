//! Sets of a patch's pixels, 64 to a word.

/// A set of pixels, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// The empty set of `len` pixels.
    pub(super) fn empty(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)] }
    }

    /// From one membership per pixel.
    pub(super) fn from_bools(pixels: &[bool]) -> Self {
        let word = |chunk: &[bool]| {
            chunk.iter().enumerate().fold(0, |word, (i, &bit)| word | u64::from(bit) << i)
        };
        Self { words: pixels.chunks(64).map(word).collect() }
    }

    /// Adds the pixels `from + i` for which `values[i] > threshold`.
    pub(super) fn add_above(&mut self, from: usize, values: &[f32], threshold: f32) {
        for (i, &value) in values.iter().enumerate() {
            let at = from + i;
            self.words[at / 64] |= u64::from(value > threshold) << (at % 64);
        }
    }

    /// Whether a pixel is in the set.
    pub(super) fn holds(&self, at: usize) -> bool {
        self.words[at / 64] >> (at % 64) & 1 == 1
    }

    /// Adds the pixels of another set.
    pub(super) fn add(&mut self, other: &Self) {
        if self.words.is_empty() {
            self.words.resize(other.words.len(), 0);
        }
        self.words.iter_mut().zip(&other.words).for_each(|(a, b)| *a |= b);
    }

    /// How many pixels are in the set.
    pub(super) fn count(&self) -> u64 {
        self.words.iter().map(|w| u64::from(w.count_ones())).sum()
    }

    /// How many pixels are in both sets.
    pub(super) fn common(&self, other: &Self) -> u64 {
        self.words.iter().zip(&other.words).map(|(a, b)| u64::from((a & b).count_ones())).sum()
    }

    /// Empties the set.
    pub(super) fn clear(&mut self) {
        self.words.fill(0);
    }
}

impl FromIterator<bool> for Bits {
    /// From one membership per pixel.
    fn from_iter<I: IntoIterator<Item = bool>>(pixels: I) -> Self {
        let mut words = Vec::new();
        for (at, pixel) in pixels.into_iter().enumerate() {
            if at % 64 == 0 {
                words.push(0);
            }
            if let Some(word) = words.last_mut() {
                *word |= u64::from(pixel) << (at % 64);
            }
        }
        Self { words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_intersects_like_bools() {
        let a: Vec<bool> = (0..200).map(|i| i % 3 == 0).collect();
        let values: Vec<f32> = (0..200).map(|i| (i % 5) as f32).collect();
        let (set, mut other) = (Bits::from_bools(&a), Bits::empty(200));
        other.add_above(0, &values[..90], 2.0);
        other.add_above(90, &values[90..], 2.0);
        assert_eq!(set.count(), 67);
        assert_eq!(other.count(), 80);
        let common = (0..200).filter(|i| i % 3 == 0 && i % 5 > 2).count() as u64;
        assert_eq!(set.common(&other), common);
        assert_eq!(Bits::from_iter(a.iter().copied()), set);
        assert!(set.holds(66) && !set.holds(67));
        let mut both = Bits::default();
        both.add(&set);
        both.add(&other);
        assert_eq!(both.count(), 67 + 80 - common);
        other.clear();
        assert_eq!(other.count(), 0);
    }
}
