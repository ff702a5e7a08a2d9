//! Which patches an epoch trains on, in which order, and in which batches.

use anyhow::{Result, bail};
use rand::seq::SliceRandom;

use base::{Split, seed};
use record::Manifest;

/// The training patches of an epoch in order: every one once, or, `balance`d, as many of every
/// class as the rarest one has, drawn anew each epoch. Depends on nothing but its arguments, so that
/// a resumed run meets the same patches.
pub(super) fn order(manifest: &Manifest, balance: bool, seed: u64, epoch: u32) -> Vec<u32> {
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

/// The batches of an epoch: `size` patches each, the last what is left. A single patch that would be
/// left joins the batch before it: batch normalisation has nothing to normalise it by.
pub(super) fn batches(order: &[u32], size: usize) -> Vec<&[u32]> {
    let mut batches: Vec<&[u32]> = order.chunks(size).collect();
    if let [.., before, [_]] = batches[..]
        && size > 1
    {
        let together = &order[order.len() - before.len() - 1..];
        batches.truncate(batches.len() - 2);
        batches.push(together);
    }
    batches
}

/// How many of these patches each class has.
pub(super) fn counts(manifest: &Manifest, patches: &[u32]) -> Vec<usize> {
    let mut counts = vec![0; manifest.classes().len()];
    patches.iter().for_each(|&n| counts[manifest.class(n)] += 1);
    counts
}

/// Checks that every class can be learnt and something can choose the best epoch.
///
/// # Errors
/// When the training split lacks a class, or the validation split is empty; says which.
pub(super) fn check(manifest: &Manifest, network: &str) -> Result<()> {
    let counts = counts(manifest, &manifest.of_split(Split::Train));
    let described = manifest.classes().iter().zip(&counts);
    let described: Vec<String> = described.map(|(name, n)| format!("{n} {name}")).collect();
    if let Some(class) = counts.iter().position(|&n| n == 0) {
        bail!(
            "{network} cannot be trained: the train split has no patch of the class {:?} (it has \
             {}); more patients, a larger share for `split.train` or another `seed` may give it some",
            manifest.classes()[class],
            described.join(", ")
        );
    }
    if manifest.of_split(Split::Validation).is_empty() {
        bail!(
            "{network} cannot be trained: the validation split, which chooses the best epoch, has no \
             patch; give `split.validation` a larger share"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lone_last_patch_joins_the_batch_before() {
        let sizes = |count: u32, size| -> Vec<usize> {
            let order: Vec<u32> = (0..count).collect();
            let batches = batches(&order, size);
            assert_eq!(batches.concat(), order);
            batches.iter().map(|batch| batch.len()).collect()
        };
        assert_eq!(sizes(9, 4), [4, 5]);
        assert_eq!(sizes(10, 4), [4, 4, 2]);
        assert_eq!(sizes(8, 4), [4, 4]);
        assert_eq!(sizes(5, 4), [5]);
        assert_eq!(sizes(1, 4), [1]);
        assert_eq!(sizes(3, 1), [1, 1, 1]);
        assert_eq!(sizes(3, 2), [3]);
        assert_eq!(sizes(0, 2), [0; 0]);
    }
}
