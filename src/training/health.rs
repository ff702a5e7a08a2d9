//! Whether a training has gone wrong in a way that its loss does not show at once.

use config::Rate;
use record::training::Epoch;

/// Probabilities of a class that differ by less over all validation patches are one value: the network no longer
/// looks at the patch.
const ONE_VALUE: f64 = 1e-4;
/// Epochs in a row that make it certain: a slow start may pass.
const CERTAIN: usize = 3;
/// A loss of the training patches so many times that of the first epoch does not come back.
const DIVERGING: f64 = 3.0;
/// Epochs after which an AUC must have left chance, while the loss of the training patches falls.
const PATIENCE: usize = 5;
/// As near to 0.5 as this an AUC is at chance.
const CHANCE: f64 = 0.03;
/// The share of the first epoch's loss below which the training patches are learned by heart.
const BY_HEART: f64 = 0.6;

/// What is wrong with a training.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Trouble {
    /// Every patch gets the same probabilities.
    Collapsed,
    /// The loss of the training patches grows and grows.
    Diverging,
    /// The training patches are learned, and nothing that holds for others.
    ByHeart,
}

impl Trouble {
    /// What the epochs so far show; none where nothing is wrong. Epochs of version 0.1 do not say how far apart their
    /// probabilities were, and count as sound.
    pub(super) fn of(epochs: &[Epoch]) -> Option<Self> {
        let lately = |wrong: &dyn Fn(&Epoch) -> bool| {
            epochs.len() >= CERTAIN && epochs[epochs.len() - CERTAIN..].iter().all(wrong)
        };
        let first = epochs.first()?.loss;
        if lately(&|epoch| epoch.spread.is_some_and(|spread| spread < ONE_VALUE)) {
            return Some(Self::Collapsed);
        }
        let rising =
            epochs[epochs.len().saturating_sub(CERTAIN)..].is_sorted_by(|a, b| a.loss < b.loss);
        if rising && lately(&|epoch| epoch.loss > DIVERGING * first) {
            return Some(Self::Diverging);
        }
        let at_chance =
            |epoch: &Epoch| epoch.validation_auc.is_some_and(|auc| (auc - 0.5).abs() < CHANCE);
        let learned = epochs.last().is_some_and(|epoch| epoch.loss < BY_HEART * first);
        let by_heart = learned && epochs.len() >= PATIENCE && epochs.iter().all(at_chance);
        by_heart.then_some(Self::ByHeart)
    }

    /// Whether it came after an epoch, where the last is `last`.
    pub(super) fn came_after(epoch: u32, last: u32) -> bool {
        epoch + CERTAIN as u32 <= last
    }

    /// Whether more epochs are of no use.
    pub(super) fn is_final(self) -> bool {
        matches!(self, Self::Collapsed | Self::Diverging)
    }

    /// In words, with what usually helps. `lr` is the learning rate.
    pub(super) fn words(self, lr: Rate) -> String {
        let slower = format!(
            "a smaller learning rate (`lr` is {lr}), a longer `warmup`, or a start from trained weights usually helps"
        );
        match self {
            Self::Collapsed => format!(
                "every validation patch gets the same probabilities, and has for {CERTAIN} epochs: the network no \
                 longer looks at the patch, and more epochs bring nothing; {slower}"
            ),
            Self::Diverging => format!(
                "the loss of the training patches has grown for {CERTAIN} epochs, each more than {DIVERGING:.0} times \
                 that of the first; {slower}"
            ),
            Self::ByHeart => "the training patches are learned by heart: their loss falls, and the validation AUC has \
                 been at chance in every epoch; more or other patients, `augment`, more `weight_decay` or a start from \
                 trained weights may help, and labels that are right"
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Epochs of (loss, AUC, spread).
    fn epochs(all: &[(f64, f64, f64)]) -> Vec<Epoch> {
        let epoch = |(at, &(loss, auc, spread)): (usize, &(f64, f64, f64))| Epoch {
            epoch: at as u32 + 1,
            lr: 1e-3,
            lr_rest: None,
            loss,
            accuracy: 0.5,
            validation_loss: 0.7,
            validation_accuracy: 0.5,
            validation_auc: Some(auc),
            spread: Some(spread),
            seconds: 1.0,
            stopped_early: false,
        };
        all.iter().enumerate().map(epoch).collect()
    }

    #[test]
    fn a_training_that_has_gone_wrong_is_told_from_a_slow_one() {
        let of = |all: &[(f64, f64, f64)]| Trouble::of(&epochs(all));
        assert_eq!(of(&[]), None);
        let fine = (0.6, 0.7, 0.4);
        assert_eq!(of(&[fine, fine, fine]), None);
        // Two epochs may be a slow start; three are a collapse, and a network that wakes up is well.
        let one_value = (0.693, 0.5, 1e-6);
        assert_eq!(of(&[one_value, one_value]), None);
        assert_eq!(of(&[one_value, one_value, fine]), None);
        assert_eq!(of(&[fine, one_value, one_value, one_value]), Some(Trouble::Collapsed));
        // A loss that jumps once comes back.
        let wild = |loss| (loss, 0.6, 0.9);
        assert_eq!(of(&[fine, wild(2.0), wild(3.0)]), None);
        assert_eq!(of(&[fine, wild(2.0), wild(3.0), wild(2.9)]), None, "it falls again");
        assert_eq!(of(&[wild(0.02), wild(0.07), wild(0.065), wild(0.061)]), None);
        assert_eq!(of(&[fine, wild(2.0), wild(3.0), wild(4.0)]), Some(Trouble::Diverging));
        // What was best before it went wrong is no part of it.
        assert!(Trouble::came_after(1, 4) && !Trouble::came_after(2, 4));
        // Five epochs at chance while the training patches are learned.
        let falling: Vec<_> = (0..5).map(|at| (0.7 - 0.1 * f64::from(at), 0.51, 0.6)).collect();
        assert_eq!(of(&falling), Some(Trouble::ByHeart));
        assert_eq!(of(&falling[..4]), None);
        let mut risen = falling.clone();
        risen[2].1 = 0.6;
        assert_eq!(of(&risen), None);
        assert!(Trouble::Collapsed.is_final() && !Trouble::ByHeart.is_final());
    }
}
