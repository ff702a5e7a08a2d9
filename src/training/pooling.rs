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
//! A few numbers per patch, so all of it is computed in double precision on the host, gradients included, and by
//! logarithms: of sixty patches that may each be anything, noisy-or is certain of cancer to the last bit, and must yet learn.

use config::{Bag, Mil};

/// Gates of the attention: outputs of v, and as many of g.
const GATES: usize = 64;

/// The logarithm of the least number above 0.
const LEAST: f64 = -745.0;

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
    /// Logarithms of the probabilities of the classes of a mammogram: the probabilities themselves are soon 0 and 1, where
    /// it has many patches.
    pub(super) fn log_probabilities(&self, patches: &[Outputs]) -> Vec<f64> {
        let mut log: Vec<f64> = match self.mil.pooling {
            Bag::Attention => log_softmax(&Attention::of(patches, self.classes).logits),
            Bag::NoisyOr => {
                let below = self.log_below(patches);
                (0..self.classes)
                    .map(|class| log_difference(below[class + 1], below[class]))
                    .collect()
            }
            Bag::TopK => {
                let above = self.above(patches);
                let of = |class: usize| match class {
                    // Of what is left the logarithm is exact where almost nothing is.
                    0 => self.mean(patches, 1, 0..1).ln(),
                    _ => (above[class] - above[class + 1]).ln(),
                };
                (0..self.classes).map(of).collect()
            }
        };
        // No class is impossible, however certain a network is; what is no number stays none.
        log.iter_mut().filter(|log| **log < LEAST).for_each(|log| *log = LEAST);
        log
    }

    /// −log of the probability of the true class, and its gradient by the outputs of each patch.
    pub(super) fn loss(&self, patches: &[Outputs], truth: usize) -> (f64, Vec<Vec<f64>>) {
        let log = self.log_probabilities(patches)[truth];
        let gradient = match self.mil.pooling {
            Bag::Attention => Attention::of(patches, self.classes).gradient(patches, truth),
            Bag::NoisyOr => self.noisy_gradient(patches, truth),
            Bag::TopK => self.top_gradient(patches, truth, log),
        };
        (-log, gradient)
    }

    /// log bₖ for every k from 0, where bₖ is 0, to the count of classes, where it is 1.
    fn log_below(&self, patches: &[Outputs]) -> Vec<f64> {
        let at = |cut: usize| match cut {
            0 => f64::NEG_INFINITY,
            cut if cut == self.classes => 0.0,
            cut => patches.iter().map(|z| self.log_share_below(z, cut)).sum::<f64>(),
        };
        (0..=self.classes).map(at).collect()
    }

    fn noisy_gradient(&self, patches: &[Outputs], truth: usize) -> Vec<Vec<f64>> {
        let below = self.log_below(patches);
        // How much of what is below the class above is below the class itself.
        let ratio = (below[truth] - below[truth + 1]).exp();
        let rest = (-(below[truth] - below[truth + 1]).exp_m1()).max(f64::MIN_POSITIVE);
        let by_cut = [(truth + 1, -1.0 / rest), (truth, ratio / rest)];
        let of_patch = |z: &Outputs| {
            let mut gradient = vec![0.0; z.len()];
            for (cut, by_log) in by_cut {
                // b of no class is 0 and of all is 1, whatever the patches are.
                if !(1..self.classes).contains(&cut) {
                    continue;
                }
                for (class, by_output) in gradient.iter_mut().enumerate() {
                    // Of the classes below, this one's part.
                    let within = match class < cut {
                        true => (f64::from(z[class]) - log_sum(&z[..cut])).exp(),
                        false => 0.0,
                    };
                    *by_output += by_log * (within - self.share(z, class..class + 1));
                }
            }
            gradient
        };
        patches.iter().map(of_patch).collect()
    }

    /// 1 − bₖ of [`Bag::TopK`], for every k from 0, where it is 1, to the count of classes, where it is 0.
    fn above(&self, patches: &[Outputs]) -> Vec<f64> {
        let at = |cut: usize| match cut {
            0 => 1.0,
            cut if cut == self.classes => 0.0,
            cut => self.mean(patches, cut, cut..self.classes),
        };
        (0..=self.classes).map(at).collect()
    }

    /// The mean share of some classes in the patches most likely to be of class `cut` or above.
    fn mean(&self, patches: &[Outputs], cut: usize, classes: std::ops::Range<usize>) -> f64 {
        let top = self.top(patches, cut);
        top.iter().map(|&i| self.share(patches[i], classes.clone())).sum::<f64>() / top.len() as f64
    }

    fn top_gradient(&self, patches: &[Outputs], truth: usize, log: f64) -> Vec<Vec<f64>> {
        let mut gradient: Vec<Vec<f64>> = patches.iter().map(|z| vec![0.0; z.len()]).collect();
        for (cut, sign) in [(truth, -1.0), (truth + 1, 1.0)] {
            if !(1..self.classes).contains(&cut) {
                continue;
            }
            let top = self.top(patches, cut);
            for &i in &top {
                let z = patches[i];
                let [above, below] = [cut..self.classes, 0..cut].map(|own| self.log_share(z, own));
                for (class, by_output) in gradient[i].iter_mut().enumerate() {
                    let own = self.log_share(z, class..class + 1);
                    // P (1 − above) where the class is above the cut, else −P above; over the probability of the true
                    // class, all by their logarithms.
                    let (direction, other) =
                        if class >= cut { (1.0, below) } else { (-1.0, above) };
                    *by_output += sign * direction * (own + other - log).exp() / top.len() as f64;
                }
            }
        }
        gradient
    }

    /// Places of the patches most likely to be of class `cut` or above; of equals the first.
    fn top(&self, patches: &[Outputs], cut: usize) -> Vec<usize> {
        // Odds tell apart what probabilities of almost 1 do not.
        let odds = |z: &Outputs| log_sum(&z[cut..self.classes]) - log_sum(&z[..cut]);
        let mut all: Vec<(usize, f64)> = patches.iter().map(odds).enumerate().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        // A share such as 0.07 of 100 is 7, whatever its last bit says.
        let count = (self.mil.share * patches.len() as f64 - 1e-9).ceil() as usize;
        all.truncate(count.max(1));
        all.into_iter().map(|(place, _)| place).collect()
    }

    /// The logarithm of the probability that a patch is of one of these classes.
    fn log_share(&self, z: Outputs, classes: std::ops::Range<usize>) -> f64 {
        log_sum(&z[classes]) - log_sum(&z[..self.classes])
    }

    /// The same of being below a class, to the last bit where it is almost certain.
    fn log_share_below(&self, z: Outputs, cut: usize) -> f64 {
        let above = self.share(z, cut..self.classes);
        if above < 0.5 { (-above).ln_1p() } else { self.log_share(z, 0..cut) }
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

/// The logarithm of the difference of two numbers, by theirs; the second is the smaller.
fn log_difference(more: f64, less: f64) -> f64 {
    more + (-(less - more).exp_m1()).ln()
}

fn log_softmax(values: &[f64]) -> Vec<f64> {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = values.iter().map(|value| (value - most).exp()).sum();
    values.iter().map(|value| value - most - sum.ln()).collect()
}

fn softmax(values: &[f64]) -> Vec<f64> {
    log_softmax(values).into_iter().map(f64::exp).collect()
}

/// Gated attention over the patches of a mammogram.
struct Attention {
    classes: usize,
    /// Per patch; they sum to 1.
    weights: Vec<f64>,
    /// Of the mammogram.
    logits: Vec<f64>,
}

impl Attention {
    fn of(patches: &[Outputs], classes: usize) -> Self {
        let score = |z: &Outputs| gates(z, classes).map(|(v, g)| v * g).sum();
        let weights = softmax(&patches.iter().map(score).collect::<Vec<f64>>());
        let logit = |class: usize| -> f64 {
            weights.iter().zip(patches).map(|(a, z)| a * f64::from(z[class])).sum()
        };
        Self { classes, logits: (0..classes).map(logit).collect(), weights }
    }

    fn gradient(&self, patches: &[Outputs], truth: usize) -> Vec<Vec<f64>> {
        let probabilities = softmax(&self.logits).into_iter().enumerate();
        let by_logit: Vec<f64> =
            probabilities.map(|(class, p)| p - f64::from(u8::from(class == truth))).collect();
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
        patches.iter().zip(&self.weights).zip(by_weight).map(of_patch).collect()
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
            let ours = pooling.log_probabilities(&outputs);
            ours.iter().zip(&golden.probabilities).for_each(|(a, b)| near(a.exp(), *b));
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
            Pooling { mil, classes: 3 }.log_probabilities(&[&z])
        };
        let patch = softmax(&[0.3, -1.2, 0.8]);
        for (pooling, beside) in [(Bag::NoisyOr, 0), (Bag::TopK, 0), (Bag::Attention, 2 * GATES)] {
            for (ours, theirs) in of(pooling, beside).iter().zip(&patch) {
                assert!((ours.exp() - theirs).abs() < 1e-6, "{pooling:?}: {ours} {theirs}");
            }
        }
    }

    /// Logits of a network that is certain: probabilities of 0 and 1 to the last bit.
    #[test]
    fn certainty_has_a_loss_and_a_gradient() {
        let one: [Outputs; 3] = [&[800.0, -800.0], &[-800.0, 800.0], &[0.0, 0.0]];
        // All are sure that there is no cancer, as far as single precision tells and beyond.
        let none: [Outputs; 3] = [&[800.0, -800.0], &[40.0, 0.0], &[25.0, -25.0]];
        let cases = [&one, &none].into_iter().flat_map(|patches| {
            [Bag::NoisyOr, Bag::TopK].into_iter().map(move |pooling| (patches, pooling))
        });
        for (patches, pooling) in cases {
            let pooling = Pooling { mil: Mil { pooling, share: 0.3 }, classes: 2 };
            for truth in 0..2 {
                let (loss, gradient) = pooling.loss(patches, truth);
                assert!(loss.is_finite() && (0.0..2000.0).contains(&loss), "{loss}");
                assert!(gradient.iter().flatten().all(|value| value.is_finite()), "{gradient:?}");
            }
        }
    }

    /// As at the start of a training: no patch says anything.
    #[test]
    fn many_patches_that_say_nothing_still_teach() {
        let patches: Vec<Vec<f32>> = (0..400).map(|n| vec![0.01 * (n as f32).sin(), 0.0]).collect();
        let patches: Vec<Outputs> = patches.iter().map(Vec::as_slice).collect();
        let pooling = Pooling { mil: Mil { pooling: Bag::NoisyOr, share: 0.1 }, classes: 2 };
        // None has cancer: each is half of it too much.
        let (loss, gradient) = pooling.loss(&patches, 0);
        assert!((loss - 400.0 * 2f64.ln()).abs() < 1.0, "{loss}");
        assert!(gradient.iter().all(|by| (by[1] - 0.5).abs() < 0.01));
        assert!(gradient.iter().all(|by| (by[0] + by[1]).abs() < 1e-12));
        // That one of them has it is certain.
        let (loss, gradient) = pooling.loss(&patches, 1);
        assert!(loss < 1e-100 && gradient.iter().flatten().all(|by| by.abs() < 1e-100), "{loss}");
        // Which mammogram is likelier to have it is known though neither can be told from 1.
        let fewer = pooling.log_probabilities(&patches[..300]);
        let more = pooling.log_probabilities(&patches);
        assert!(more[0] < fewer[0] - 50.0);
    }
}
