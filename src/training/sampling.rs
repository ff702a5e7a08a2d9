//! What an epoch trains on, in which order, and in which batches.

use anyhow::{Result, bail};
use rand::seq::SliceRandom;

use base::{Split, seed};
use config::{Labels, Objective, Training};
use record::Manifest;

/// What a network is shown with one label, known by a number.
#[derive(Debug)]
pub(super) enum Examples<'a> {
    /// A patch; its number is the patch's.
    Patches(&'a Manifest),
    /// All patches of a mammogram; its number is the mammogram's.
    Mammograms {
        manifest: &'a Manifest,
        /// The patches of each, by its number.
        patches: Vec<Vec<u32>>,
    },
}

impl<'a> Examples<'a> {
    pub(super) fn new(manifest: &'a Manifest, objective: Objective) -> Self {
        match objective {
            Objective::Patches => Self::Patches(manifest),
            Objective::Mil(_) => {
                let mut patches = vec![Vec::new(); manifest.mammograms.len()];
                for (number, patch) in (0..).zip(&manifest.patches) {
                    patches[patch.mammogram as usize].push(number);
                }
                Self::Mammograms { manifest, patches }
            }
        }
    }

    fn manifest(&self) -> &'a Manifest {
        match self {
            Self::Patches(manifest) | Self::Mammograms { manifest, .. } => manifest,
        }
    }

    /// Those of a split that have a patch, in order.
    pub(super) fn of_split(&self, split: Split) -> Vec<u32> {
        match self {
            Self::Patches(manifest) => manifest.of_split(split),
            Self::Mammograms { manifest, patches } => (0..)
                .zip(&manifest.mammograms)
                .filter(|(n, member)| member.split == split && !patches[*n as usize].is_empty())
                .map(|(n, _)| n)
                .collect(),
        }
    }

    /// The class of one, as an index into [`Manifest::classes`].
    fn class(&self, example: u32) -> usize {
        match self {
            Self::Patches(manifest) => manifest.class(example),
            Self::Mammograms { manifest, .. } => manifest.class_of(example),
        }
    }

    /// How many of these each class has.
    pub(super) fn counts(&self, examples: &[u32]) -> Vec<usize> {
        let mut counts = vec![0; self.manifest().classes().len()];
        examples.iter().for_each(|&n| counts[self.class(n)] += 1);
        counts
    }

    /// The training examples of an epoch in order: every one once, or, `balance`d, as many of every
    /// class as the rarest one has, drawn anew each epoch. Depends on nothing but its arguments, so that
    /// a resumed run meets the same examples.
    pub(super) fn order(&self, balance: bool, seed: u64, epoch: u32) -> Vec<u32> {
        let mut rng = seed::stream(seed, &format!("order/{epoch}"));
        let mut order = self.of_split(Split::Train);
        if balance {
            let mut classes = vec![Vec::new(); self.manifest().classes().len()];
            order.into_iter().for_each(|n| classes[self.class(n)].push(n));
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

    /// The patches of these examples, by step: `size` at most, but of one mammogram all.
    pub(super) fn batches(&self, order: &[u32], size: usize) -> Vec<Vec<u32>> {
        match self {
            Self::Patches(_) => batches(order, size).into_iter().map(<[u32]>::to_vec).collect(),
            Self::Mammograms { patches, .. } => {
                let mut batches: Vec<Vec<u32>> = Vec::new();
                for own in order.iter().map(|&n| &patches[n as usize]) {
                    match batches.last_mut() {
                        Some(batch) if batch.len() + own.len() <= size => batch.extend(own),
                        _ => batches.push(own.clone()),
                    }
                }
                batches
            }
        }
    }

    /// The steps of an epoch.
    pub(super) fn epoch(&self, settings: &Training, seed: u64, epoch: u32) -> Vec<Vec<u32>> {
        self.batches(&self.order(settings.balance, seed, epoch), settings.batch)
    }

    /// How many steps come before each epoch from the first, and in the end all: of whole mammograms, epochs differ. And
    /// whether any step is a single patch.
    pub(super) fn plan(&self, settings: &Training, seed: u64) -> (Vec<u64>, bool) {
        let mut before = vec![0];
        let mut single = false;
        let mut steps = 0;
        for epoch in 1..=settings.epochs {
            // Of patches, each is as the first.
            if epoch == 1 || matches!(self, Self::Mammograms { .. }) {
                let batches = self.epoch(settings, seed, epoch);
                single |= batches.iter().any(|batch| batch.len() == 1);
                steps = batches.len() as u64;
            }
            before.push(before[before.len() - 1] + steps);
        }
        (before, single)
    }

    /// Checks that every class can be learnt and something can choose the best epoch.
    ///
    /// # Errors
    /// When the training split lacks a class, or the validation split is empty; says which.
    pub(super) fn check(&self, network: &str) -> Result<()> {
        let classes = self.manifest().classes();
        let counts = self.counts(&self.of_split(Split::Train));
        let one = match self {
            Self::Patches(_) => "patch",
            Self::Mammograms { .. } => "mammogram with patches",
        };
        let described = classes.iter().zip(&counts);
        let described: Vec<String> = described.map(|(name, n)| format!("{n} {name}")).collect();
        if let Some(class) = counts.iter().position(|&n| n == 0) {
            let manifest = self.manifest();
            let placeless = manifest.mammograms.iter().any(|m| m.mammogram.has_placeless_cancer());
            let remedy = match manifest.patching.labels {
                Labels::Lesion if placeless => {
                    "; some of its cancers have no place, and with `patches.labels: image` patches have the label of \
                     their mammogram"
                }
                _ => "",
            };
            bail!(
                "{network} cannot be trained: the train split has no {one} of the class {:?} (it has \
                 {}); more patients, a larger share for `split.train` or another `seed` may give it some{remedy}",
                classes[class],
                described.join(", ")
            );
        }
        if self.of_split(Split::Validation).is_empty() {
            bail!(
                "{network} cannot be trained: the validation split, which chooses the best epoch, has no \
                 patch; give `split.validation` a larger share"
            );
        }
        Ok(())
    }
}

/// Batches of patches: `size` each, the last what is left. A single patch that would be
/// left joins the batch before it: batch normalisation has nothing to normalise it by.
fn batches(order: &[u32], size: usize) -> Vec<&[u32]> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use config::{Bag, Mil};

    #[test]
    fn mammograms_stay_whole() {
        let (mut manifest, _) = crate::tests::dataset();
        // Mammograms of twelve patches, but the second of one.
        manifest.patches.retain(|patch| patch.mammogram != 1 || patch.x == 0);
        for number in [0, 2] {
            let lesion =
                crate::assess::tests::lesion(mammogram::Pathology::Malignant, "mass", None);
            manifest.mammograms[number].mammogram.lesions.push(lesion);
        }
        let objective = Objective::Mil(Mil { pooling: Bag::TopK, share: 0.1 });
        let examples = Examples::new(&manifest, objective);
        examples.check("resnet10").unwrap();
        assert_eq!(examples.of_split(Split::Train), [0, 1, 2, 3]);
        assert_eq!(examples.counts(&[0, 1, 2, 3]), [2, 2]);
        let sizes = |size| -> Vec<usize> {
            examples.batches(&[0, 1, 2, 3], size).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(13), [13, 12, 12]);
        assert_eq!(sizes(25), [25, 12]);
        // One that is larger than a batch is a step of its own.
        assert_eq!(sizes(4), [12, 1, 12, 12]);
        let batch = &examples.batches(&[2, 1], 99)[0];
        let of: Vec<u32> = batch.iter().map(|&n| manifest.patches[n as usize].mammogram).collect();
        assert_eq!(of, [[2; 12].as_slice(), &[1]].concat());
        // Every mammogram once, or as many of each class.
        let order = |balance, epoch| {
            let mut order = examples.order(balance, 9, epoch);
            order.sort_unstable();
            order
        };
        assert_eq!(order(false, 1), [0, 1, 2, 3]);
        assert_eq!(order(true, 1), [0, 1, 2, 3]);
        manifest.mammograms[2].mammogram.lesions.clear();
        let examples = Examples::new(&manifest, objective);
        let balanced = examples.order(true, 9, 1);
        assert_eq!(balanced.len(), 2);
        assert!(balanced.contains(&0));
        manifest.mammograms[0].mammogram.lesions.clear();
        let wrong = Examples::new(&manifest, objective).check("resnet10").unwrap_err().to_string();
        assert!(wrong.contains("no mammogram with patches of the class \"cancer\""), "{wrong}");
    }

    #[test]
    fn who_has_cancers_without_a_place_is_told_what_to_do() {
        let (mut manifest, _) = crate::tests::dataset();
        manifest.patches.iter_mut().for_each(|patch| patch.positive = false);
        let check = |manifest: &Manifest| {
            Examples::new(manifest, Objective::Patches).check("resnet10").unwrap_err().to_string()
        };
        assert!(!check(&manifest).contains("patches.labels"));
        let lesion = crate::assess::tests::lesion(mammogram::Pathology::Malignant, "mass", None);
        manifest.mammograms[0].mammogram.lesions.push(lesion);
        assert!(check(&manifest).contains("`patches.labels: image`"), "{}", check(&manifest));
    }

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
