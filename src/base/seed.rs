//! Random streams: one seed, as many independent streams as there are names for them.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The number that `seed` and `name` stand for: the same on every machine.
pub fn derive(seed: u64, name: &str) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(name.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// A generator for one purpose, independent of every other name's.
pub fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(derive(seed, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_seeds_give_different_numbers() {
        assert_eq!(derive(123, "split"), derive(123, "split"));
        assert_ne!(derive(123, "split"), derive(124, "split"));
        assert_ne!(derive(123, "split"), derive(123, "order/1"));
    }
}
