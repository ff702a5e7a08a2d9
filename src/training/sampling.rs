//! Which patches an epoch trains on, in which order, and how they are turned.

use rand::RngExt;
use rand::seq::SliceRandom;

use crate::config::Split;
use crate::patch::Manifest;
use crate::seed;

/// The training patches of an epoch in order: every one once, or, `balance`d, as many of every
/// class as the rarest one has, drawn anew each epoch. Depends on nothing but its arguments, so that
/// a resumed run meets the same patches.
pub fn order(manifest: &Manifest, balance: bool, seed: u64, epoch: u32) -> Vec<u32> {
    let mut rng = seed::stream(seed, &format!("order/{epoch}"));
    let mut order = manifest.of_split(Split::Train);
    if balance {
        let mut classes = vec![Vec::new(); manifest.classes().len()];
        order.into_iter().for_each(|n| classes[manifest.class(n)].push(n));
        let each = classes.iter().map(Vec::len).min().unwrap_or(0);
        // From the last class, cancer, to the first.
        for class in classes.iter_mut().rev() {
            class.shuffle(&mut rng);
            class.truncate(each);
        }
        order = classes.into_iter().rev().flatten().collect();
    }
    order.shuffle(&mut rng);
    order
}

/// One of the eight symmetries of the square.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    transpose: bool,
    flip_x: bool,
    flip_y: bool,
}

impl Turn {
    /// Leaves the patch as it is.
    pub const NONE: Turn = Turn { transpose: false, flip_x: false, flip_y: false };

    /// Any of the eight, equally likely.
    pub fn draw(rng: &mut impl RngExt) -> Self {
        Self { transpose: rng.random(), flip_x: rng.random(), flip_y: rng.random() }
    }

    /// Applies it to a square patch of `edge` pixels.
    pub fn apply(self, pixels: &[u8], edge: usize) -> Vec<u8> {
        if self == Self::NONE {
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
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_eight_turns_are_eight_and_keep_every_pixel() {
        let pixels: Vec<u8> = (0..9).collect();
        let mut rng = seed::stream(1, "turns");
        let seen: HashSet<Vec<u8>> =
            (0..200).map(|_| Turn::draw(&mut rng).apply(&pixels, 3)).collect();
        assert_eq!(seen.len(), 8);
        for turned in &seen {
            assert_eq!(turned[4], 4);
            let mut sorted = turned.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, pixels);
        }
        let quarter = Turn { transpose: true, flip_x: false, flip_y: true };
        assert_eq!(quarter.apply(&pixels, 3), [2, 5, 8, 1, 4, 7, 0, 3, 6]);
    }
}
