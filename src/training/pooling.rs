//! What a mammogram is, by what a network gave for its patches: multiple-instance learning.
//!
//! Classes have an order, from none to cancer. Patch i has the probabilities Pᵢ of them, the softmax of its logits; bₖ is
//! the probability that the mammogram is of a class below k, and its classes follow as bₖ₊₁ − bₖ:
//!
//! - noisy-or: bₖ = Πᵢ Pᵢ(below k): it is below k where every patch is;
//! - top-k: 1 − bₖ is the mean of the greatest Pᵢ(k or above);
//! - gated attention (Ilse, Tomczak and Welling, ICML 2018, equation 9): the softmax of Σᵢ aᵢ zᵢ, the logits weighted by
//!   a = softmax(s) with sᵢ = Σₗ tanh(vᵢₗ) σ(gᵢₗ), where v and g are outputs of the network beside the classes. The
//!   last layer is linear, so weighted logits are the logits of weighted features, which the paper has; its weights w of
//!   the gates are 1 here, since v and g can grow instead.
//!
//! A few numbers per patch, so all of it is computed in double precision on the host, gradients included.

use config::{Bag, Mil};

/// Gates of the attention: outputs of v, and as many of g.
const GATES: usize = 64;
/// The least probability whose logarithm is taken.
const LEAST: f64 = 1e-12;

/// How mammograms are scored, of so many classes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pooling {
    pub(super) mil: Mil,
    pub(super) classes: usize,
}

/// The outputs of a patch, the classes first.
pub(super) type Outputs<'a> = &'a [f32];

/// Outputs that a pooling needs beside the classes.
pub(super) fn beside(mil: Mil) -> usize {
    match mil.pooling {
        Bag::Attention => 2 * GATES,
        Bag::NoisyOr | Bag::TopK => 0,
    }
}

impl Pooling {
    /// Probabilities of the classes of a mammogram.
    pub(super) fn probabilities(&self, patches: &[Outputs]) -> Vec<f64> {
        match self.mil.pooling {
            Bag::Attention => Attention::of(patches, self.classes).probabilities,
            Bag::NoisyOr | Bag::TopK => {
                let below = self.below(patches);
                below.windows(2).map(|pair| pair[1] - pair[0]).collect()
            }
        }
    }

    /// −log of the probability of the true class, and its gradient by the outputs of each patch.
    pub(super) fn loss(&self, patches: &[Outputs], truth: usize) -> (f64, Vec<Vec<f64>>) {
        if self.mil.pooling == Bag::Attention {
            return Attention::of(patches, self.classes).loss(patches, truth);
        }
        let below = self.below(patches);
        let probability = (below[truth + 1] - below[truth]).max(LEAST);
        let mut gradient: Vec<Vec<f64>> = patches.iter().map(|z| vec![0.0; z.len()]).collect();
        // Of both bounds of the true class, but not of 0 and 1.
        for (cut, by_below) in [(truth, 1.0 / probability), (truth + 1, -1.0 / probability)] {
            if (1..self.classes).contains(&cut) {
                self.add_gradient(patches, cut, by_below, below[cut], &mut gradient);
            }
        }
        (-probability.ln(), gradient)
    }

    /// bₖ for every k from 0, where it is 0, to the count of classes, where it is 1.
    fn below(&self, patches: &[Outputs]) -> Vec<f64> {
        let at = |cut: usize| match self.mil.pooling {
            Bag::NoisyOr => patches.iter().map(|z| self.log_share(z, 0..cut)).sum::<f64>().exp(),
            _ => {
                let top = self.top(patches, cut);
                1.0 - top.iter().map(|(_, p)| p).sum::<f64>() / top.len() as f64
            }
        };
        let inner = (1..self.classes).map(at);
        std::iter::once(0.0).chain(inner).chain([1.0]).collect()
    }

    /// Adds `by_below` times the gradient of bₖ, k being `cut`.
    fn add_gradient(
        &self,
        patches: &[Outputs],
        cut: usize,
        by_below: f64,
        below: f64,
        gradient: &mut [Vec<f64>],
    ) {
        let noisy_or = self.mil.pooling == Bag::NoisyOr;
        let counted: Vec<(usize, f64)> = match noisy_or {
            true => patches.iter().enumerate().map(|(i, z)| (i, self.share(z, 0..cut))).collect(),
            false => self.top(patches, cut),
        };
        let count = counted.len() as f64;
        for (i, share) in counted {
            // The classes alone: these poolings have no outputs beside them.
            for (class, by_output) in gradient[i].iter_mut().enumerate() {
                let probability = self.share(patches[i], class..class + 1);
                let by_logit = match noisy_or {
                    // Of the logarithm of a patch's share.
                    true => {
                        let within = if class < cut { probability / share.max(LEAST) } else { 0.0 };
                        below * (within - probability)
                    }
                    false => {
                        let within = if class >= cut { 1.0 } else { 0.0 };
                        -probability * (within - share) / count
                    }
                };
                *by_output += by_below * by_logit;
            }
        }
    }

    /// The patches most likely to be of class `cut` or above, with how likely that is; of equals the first.
    fn top(&self, patches: &[Outputs], cut: usize) -> Vec<(usize, f64)> {
        let share = |z: &Outputs| self.share(z, cut..self.classes);
        let mut all: Vec<(usize, f64)> = patches.iter().map(share).enumerate().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        let count = (self.mil.share * patches.len() as f64).ceil() as usize;
        all.truncate(count.max(1));
        all
    }

    /// The logarithm of the probability that a patch is of one of these classes.
    fn log_share(&self, z: Outputs, classes: std::ops::Range<usize>) -> f64 {
        log_sum(&z[classes]) - log_sum(&z[..self.classes])
    }

    fn share(&self, z: Outputs, classes: std::ops::Range<usize>) -> f64 {
        self.log_share(z, classes).exp()
    }
}

/// The logarithm of the sum of the exponentials.
fn log_sum(values: &[f32]) -> f64 {
    let values = || values.iter().copied().map(f64::from);
    let most = values().fold(f64::NEG_INFINITY, f64::max);
    most + values().map(|value| (value - most).exp()).sum::<f64>().ln()
}

fn softmax(values: &[f64]) -> Vec<f64> {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = values.iter().map(|value| (value - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// Gated attention over the patches of a mammogram.
struct Attention {
    classes: usize,
    /// Per patch; they sum to 1.
    weights: Vec<f64>,
    probabilities: Vec<f64>,
}

impl Attention {
    fn of(patches: &[Outputs], classes: usize) -> Self {
        let score = |z: &Outputs| gates(z, classes).map(|(v, g)| v * g).sum();
        let weights = softmax(&patches.iter().map(score).collect::<Vec<f64>>());
        let logit = |class: usize| -> f64 {
            weights.iter().zip(patches).map(|(a, z)| a * f64::from(z[class])).sum()
        };
        let probabilities = softmax(&(0..classes).map(logit).collect::<Vec<_>>());
        Self { classes, weights, probabilities }
    }

    fn loss(&self, patches: &[Outputs], truth: usize) -> (f64, Vec<Vec<f64>>) {
        let by_logit: Vec<f64> = (0..self.classes)
            .map(|class| self.probabilities[class] - f64::from(u8::from(class == truth)))
            .collect();
        let by_weight: Vec<f64> = patches
            .iter()
            .map(|z| z.iter().zip(&by_logit).map(|(z, by)| f64::from(*z) * by).sum())
            .collect();
        let mean: f64 = self.weights.iter().zip(&by_weight).map(|(a, by)| a * by).sum();
        let of_patch = |((z, a), by_weight): ((&Outputs, &f64), f64)| {
            let by_score = a * (by_weight - mean);
            let classes = by_logit.iter().map(|by| a * by);
            let by_v = gates(z, self.classes).map(|(v, g)| by_score * g * (1.0 - v * v));
            let by_g = gates(z, self.classes).map(|(v, g)| by_score * v * g * (1.0 - g));
            classes.chain(by_v).chain(by_g).collect()
        };
        let gradient = patches.iter().zip(&self.weights).zip(by_weight).map(of_patch).collect();
        (-self.probabilities[truth].max(LEAST).ln(), gradient)
    }
}

/// tanh(v) and σ(g) of each gate of a patch.
fn gates(z: Outputs, classes: usize) -> impl Iterator<Item = (f64, f64)> {
    let (v, g) = z[classes..].split_at((z.len() - classes) / 2);
    v.iter().zip(g).map(|(&v, &g)| (f64::from(v).tanh(), 1.0 / (1.0 + (-f64::from(g)).exp())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values and gradients of PyTorch's automatic differentiation: tests/golden/pooling.py.
    #[test]
    fn equals_pytorch_with_its_gradient() {
        #[derive(serde::Deserialize)]
        struct Golden {
            pooling: Bag,
            share: f64,
            classes: usize,
            outputs: Vec<Vec<f32>>,
            truth: usize,
            probabilities: Vec<f64>,
            loss: f64,
            gradient: Vec<Vec<f64>>,
        }
        let goldens: Vec<Golden> =
            serde_json::from_str(include_str!("../../tests/golden/pooling.json")).unwrap();
        for kind in [Bag::NoisyOr, Bag::TopK, Bag::Attention] {
            for classes in [2, 3] {
                let of = |g: &&Golden| g.pooling == kind && g.classes == classes;
                assert!(goldens.iter().filter(of).count() >= 3);
            }
        }
        for golden in goldens {
            let mil = Mil { pooling: golden.pooling, share: golden.share };
            let pooling = Pooling { mil, classes: golden.classes };
            let outputs: Vec<Outputs> = golden.outputs.iter().map(Vec::as_slice).collect();
            let near = |ours: f64, theirs: f64| {
                assert!((ours - theirs).abs() < 1e-9 * theirs.abs().max(1.0), "{ours} {theirs}");
            };
            let ours = pooling.probabilities(&outputs);
            ours.iter().zip(&golden.probabilities).for_each(|(a, b)| near(*a, *b));
            let (loss, gradient) = pooling.loss(&outputs, golden.truth);
            near(loss, golden.loss);
            assert_eq!(gradient.len(), golden.gradient.len());
            for (ours, theirs) in gradient.iter().zip(&golden.gradient) {
                assert_eq!(ours.len(), theirs.len());
                ours.iter().zip(theirs).for_each(|(a, b)| near(*a, *b));
            }
        }
    }

    #[test]
    fn a_mammogram_of_one_patch_is_what_the_patch_is() {
        let of = |pooling, beside: usize| {
            let mut z = vec![0.3, -1.2, 0.8];
            z.extend((0..beside).map(|n| (n as f32).sin()));
            let mil = Mil { pooling, share: 0.2 };
            Pooling { mil, classes: 3 }.probabilities(&[&z])
        };
        let patch = softmax(&[0.3, -1.2, 0.8]);
        for (pooling, beside) in [(Bag::NoisyOr, 0), (Bag::TopK, 0), (Bag::Attention, 2 * GATES)] {
            for (ours, theirs) in of(pooling, beside).iter().zip(&patch) {
                assert!((ours - theirs).abs() < 1e-6, "{pooling:?}: {ours} {theirs}");
            }
        }
    }

    /// Logits of a network that is certain: probabilities of 0 and 1 to the last bit.
    #[test]
    fn certainty_has_a_loss_and_a_gradient() {
        let patches: [Outputs; 3] = [&[800.0, -800.0], &[-800.0, 800.0], &[0.0, 0.0]];
        for pooling in [Bag::NoisyOr, Bag::TopK] {
            let pooling = Pooling { mil: Mil { pooling, share: 0.3 }, classes: 2 };
            for truth in 0..2 {
                let (loss, gradient) = pooling.loss(&patches, truth);
                assert!(loss.is_finite() && (0.0..30.0).contains(&loss), "{loss}");
                assert!(gradient.iter().flatten().all(|value| value.is_finite()), "{gradient:?}");
            }
        }
    }
}
