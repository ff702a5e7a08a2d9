//! Random changes of training patches.

use rand::RngExt;

use config::Augment;

/// One change of a square patch: a symmetry of the square, then a change of brightness.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    transpose: bool,
    flip_x: bool,
    flip_y: bool,
    gain: f64,
    /// In grey levels.
    offset: f64,
}

impl Change {
    const NONE: Change =
        Change { transpose: false, flip_x: false, flip_y: false, gain: 1.0, offset: 0.0 };

    /// Any of the changes that `augment` allows.
    pub fn draw(augment: Augment, rng: &mut impl RngExt) -> Self {
        let mut change = Self::NONE;
        if augment.flips {
            change.flip_x = rng.random();
            change.flip_y = rng.random();
        }
        if augment.rotations {
            // A half turn is both flips; a quarter turn transposes and flips one axis.
            let half: bool = rng.random();
            change.transpose = rng.random();
            change.flip_x ^= half;
            change.flip_y ^= half ^ change.transpose;
        }
        if augment.intensity > 0.0 {
            let share = augment.intensity;
            change.gain = rng.random_range(1.0 - share..=1.0 + share);
            change.offset = 255.0 * rng.random_range(-share..=share);
        }
        change
    }

    /// Applies it to a square patch of `edge` pixels.
    pub fn apply(self, pixels: &[u8], edge: usize) -> Vec<u8> {
        let mut changed = self.turned(pixels, edge);
        if (self.gain, self.offset) != (1.0, 0.0) {
            let level = |p: usize| (self.gain * p as f64 + self.offset).round().clamp(0.0, 255.0);
            let levels: [u8; 256] = std::array::from_fn(|p| level(p) as u8);
            changed.iter_mut().for_each(|p| *p = levels[usize::from(*p)]);
        }
        changed
    }

    fn turned(self, pixels: &[u8], edge: usize) -> Vec<u8> {
        if !(self.transpose || self.flip_x || self.flip_y) {
            return pixels.to_vec();
        }
        let mut turned = Vec::with_capacity(pixels.len());
        for row in 0..edge {
            let y = if self.flip_y { edge - 1 - row } else { row };
            for column in 0..edge {
                let x = if self.flip_x { edge - 1 - column } else { column };
                turned.push(if self.transpose {
                    pixels[x * edge + y]
                } else {
                    pixels[y * edge + x]
                });
            }
        }
        turned
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use base::seed;

    /// How often each outcome occurs on the 3 x 3 patch 0, 1, …, 8.
    fn outcomes(augment: Augment) -> BTreeMap<Vec<u8>, u32> {
        let pixels: Vec<u8> = (0..9).collect();
        let mut rng = seed::stream(1, "turns");
        let mut seen = BTreeMap::new();
        for _ in 0..800 {
            *seen.entry(Change::draw(augment, &mut rng).apply(&pixels, 3)).or_insert(0) += 1;
        }
        seen
    }

    #[test]
    fn flips_make_four_rotations_four_and_both_eight_equally_often() {
        let flips = outcomes(Augment { flips: true, ..Augment::NONE });
        let rotations = outcomes(Augment { rotations: true, ..Augment::NONE });
        let both = outcomes(Augment::SYMMETRIES);
        for (outcomes, count) in [(&flips, 4), (&rotations, 4), (&both, 8)] {
            assert_eq!(outcomes.len(), count);
            let fair = 800 / count as u32;
            assert!(outcomes.values().all(|n| n.abs_diff(fair) < fair / 2), "{outcomes:?}");
        }
        let quarter = vec![2, 5, 8, 1, 4, 7, 0, 3, 6];
        let mirrored = vec![2, 1, 0, 5, 4, 3, 8, 7, 6];
        assert!(rotations.contains_key(&quarter) && !rotations.contains_key(&mirrored));
        assert!(flips.contains_key(&mirrored) && !flips.contains_key(&quarter));
        assert_eq!(outcomes(Augment::NONE).len(), 1);
    }

    #[test]
    fn brightness_stays_in_its_bounds_and_keeps_the_order() {
        let levels: Vec<u8> = (0..=255).collect();
        let augment = Augment { intensity: 0.2, ..Augment::NONE };
        let mut rng = seed::stream(1, "brightness");
        let (mut darkest, mut brightest) = (255.0_f64, 0.0_f64);
        for _ in 0..500 {
            let changed = Change::draw(augment, &mut rng).apply(&levels, 16);
            assert!(changed.is_sorted());
            let middle = f64::from(changed[128]);
            darkest = darkest.min(middle);
            brightest = brightest.max(middle);
        }
        // 128 (1 ± 0.2) ± 51.
        assert!((51.0..65.0).contains(&darkest) && (192.0..=205.0).contains(&brightest));
        let exact = Change { gain: 1.1, offset: 255.0 * -0.1, ..Change::NONE };
        assert_eq!(exact.apply(&[0, 23, 100, 255], 2), [0, 0, 85, 255]);
    }
}
