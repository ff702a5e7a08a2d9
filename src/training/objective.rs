//! What a training makes smaller, and how it is told whether it got better.

use candle_core::{DType, Result, Tensor};

use super::evaluate::{Verdict, likeliest, mean_auc};
use super::loss::{CrossEntropy, class_weights};
use super::pooling::{self, Pooling};
use config::Training;
use record::Manifest;

/// The loss of a training and what belongs to it; see [`config::Objective`].
#[derive(Debug)]
pub(super) struct Objective<'a> {
    manifest: &'a Manifest,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Patches(CrossEntropy),
    /// As cross-entropy, over mammograms.
    Mammograms {
        weights: Vec<f64>,
        pooling: Pooling,
    },
}

/// What the epoch is judged by.
pub(super) struct Judged {
    /// Mean −log of the probability of the true class, every example alike.
    pub(super) loss: f64,
    /// Share of the examples whose likeliest class is the true one.
    pub(super) accuracy: f64,
    /// Area under the ROC curve; of three classes the mean. `None` unless every class occurs.
    pub(super) auc: Option<f64>,
}

/// Outputs that a network with so many classes needs for this objective.
pub(super) fn outputs(objective: config::Objective, classes: usize) -> usize {
    match objective {
        config::Objective::Patches => classes,
        config::Objective::Mil(mil) => classes + pooling::beside(mil),
    }
}

/// How a mammogram is scored by its patches, where a network is trained so.
pub(super) fn pooling(manifest: &Manifest, objective: config::Objective) -> Option<Pooling> {
    match objective {
        config::Objective::Patches => None,
        config::Objective::Mil(mil) => Some(Pooling { mil, classes: manifest.classes().len() }),
    }
}

/// Patches by their mammogram, of which all follow one another.
fn by_mammogram<'a>(manifest: &'a Manifest, patches: &'a [u32]) -> impl Iterator<Item = &'a [u32]> {
    let of = |patch: u32| manifest.patches[patch as usize].mammogram;
    patches.chunk_by(move |&a, &b| of(a) == of(b))
}

impl<'a> Objective<'a> {
    /// For epochs with so many examples of each class, at least one of each.
    pub(super) fn new(manifest: &'a Manifest, settings: &Training, counts: &[usize]) -> Self {
        let weights = class_weights(&settings.class_weights, counts);
        let kind = match pooling(manifest, settings.objective) {
            None => Kind::Patches(CrossEntropy { weights }),
            Some(pooling) => {
                let sum: f64 = weights.iter().zip(counts).map(|(w, &n)| w * n as f64).sum();
                let mean = sum / counts.iter().sum::<usize>() as f64;
                Kind::Mammograms { weights: weights.iter().map(|w| w / mean).collect(), pooling }
            }
        };
        Self { manifest, kind }
    }

    /// The classes of the examples that these patches are, in order.
    fn truth(&self, patches: &[u32]) -> Vec<usize> {
        match &self.kind {
            Kind::Patches(_) => patches.iter().map(|&n| self.manifest.class(n)).collect(),
            Kind::Mammograms { .. } => {
                let class = |own: &[u32]| {
                    self.manifest.class_of(self.manifest.patches[own[0] as usize].mammogram)
                };
                by_mammogram(self.manifest, patches).map(class).collect()
            }
        }
    }

    /// What the loss of these patches counts for in the mean over an epoch.
    pub(super) fn weight(&self, patches: &[u32]) -> f64 {
        match &self.kind {
            Kind::Patches(CrossEntropy { weights }) => {
                self.truth(patches).iter().map(|&class| weights[class]).sum()
            }
            Kind::Mammograms { .. } => self.examples(patches) as f64,
        }
    }

    /// The loss of a network's outputs for these patches as a scalar, in single precision whatever theirs is.
    pub(super) fn of(&self, outputs: &Tensor, patches: &[u32]) -> Result<Tensor> {
        let truth = self.truth(patches);
        let (weights, pooling) = match &self.kind {
            Kind::Patches(loss) => return loss.of(outputs, &truth),
            Kind::Mammograms { weights, pooling } => (weights, pooling),
        };
        let outputs = outputs.to_dtype(DType::F32)?;
        let rows = outputs.to_vec2::<f32>()?;
        let count = truth.len() as f64;
        let (mut value, mut gradient) = (0.0, Vec::with_capacity(rows.len() * rows[0].len()));
        let mut rest = rows.as_slice();
        for (own, class) in by_mammogram(self.manifest, patches).zip(truth) {
            let (of_mammogram, others) = rest.split_at(own.len());
            rest = others;
            let of_mammogram: Vec<&[f32]> = of_mammogram.iter().map(Vec::as_slice).collect();
            let (loss, by_output) = pooling.loss(&of_mammogram, class);
            let share = weights[class] / count;
            value += share * loss;
            gradient.extend(by_output.iter().flatten().map(|by| (share * by) as f32));
        }
        // What Candle differentiates is linear, and has this value and gradient.
        let inner = |(z, by): (&f32, &f32)| f64::from(*z) * f64::from(*by);
        let linear: f64 = rows.iter().flatten().zip(&gradient).map(inner).sum();
        let gradient = Tensor::from_vec(gradient, outputs.shape(), outputs.device())?;
        (outputs * gradient)?.sum_all()?.affine(1.0, value - linear)
    }

    /// How many of the examples that these patches are have the true class as their likeliest.
    pub(super) fn correct(&self, outputs: &[Vec<f32>], patches: &[u32]) -> usize {
        let truth = self.truth(patches);
        match &self.kind {
            Kind::Patches(_) => {
                outputs.iter().zip(&truth).filter(|(row, truth)| likeliest(row) == **truth).count()
            }
            Kind::Mammograms { pooling, .. } => {
                let pooled = pooled(self.manifest, pooling, patches, outputs);
                pooled.iter().zip(&truth).filter(|(one, truth)| one.likeliest() == **truth).count()
            }
        }
    }

    /// How many examples these patches are.
    pub(super) fn examples(&self, patches: &[u32]) -> usize {
        match &self.kind {
            Kind::Patches(_) => patches.len(),
            Kind::Mammograms { .. } => by_mammogram(self.manifest, patches).count(),
        }
    }

    /// What a network's output on the validation split comes to.
    pub(super) fn judge(&self, verdict: &Verdict, patches: &[u32]) -> Judged {
        let classes = self.manifest.classes().len();
        let truth = self.truth(patches);
        match &self.kind {
            Kind::Patches(_) => Judged {
                loss: verdict.loss,
                accuracy: verdict.accuracy,
                auc: mean_auc(&verdict.probabilities, &truth, classes),
            },
            Kind::Mammograms { pooling, .. } => {
                let pooled = pooled(self.manifest, pooling, patches, &verdict.outputs);
                let count = pooled.len().max(1) as f64;
                let each = || pooled.iter().zip(&truth);
                let right = each().filter(|(one, truth)| one.likeliest() == **truth).count();
                let odds: Vec<Vec<f32>> = pooled
                    .iter()
                    .map(|one| (0..classes).map(|class| one.odds(class)).collect())
                    .collect();
                Judged {
                    loss: -each().map(|(one, truth)| one.log[*truth]).sum::<f64>() / count,
                    accuracy: right as f64 / count,
                    auc: mean_auc(&odds, &truth, classes),
                }
            }
        }
    }
}

/// A mammogram by its patches.
pub(super) struct Pooled {
    pub(super) mammogram: u32,
    /// Logarithms of the probabilities of its classes.
    log: Vec<f64>,
}

impl Pooled {
    /// The logarithm of the odds of a class against all others: it tells apart what probabilities of almost 1 do not.
    pub(super) fn odds(&self, class: usize) -> f32 {
        let others = self.log.iter().enumerate().filter(|(other, _)| *other != class);
        let rest: f64 = others.map(|(_, log)| log.exp()).sum();
        // Where the others are too unlikely for a number, the likeliest of them stands for all.
        let rest = match rest > 0.0 {
            true => rest.ln(),
            false => {
                let others = self.log.iter().enumerate().filter(|(other, _)| *other != class);
                others.fold(f64::NEG_INFINITY, |most, (_, log)| most.max(*log))
            }
        };
        (self.log[class] - rest) as f32
    }

    fn likeliest(&self) -> usize {
        likeliest(&self.log.iter().map(|log| *log as f32).collect::<Vec<_>>())
    }
}

/// Each mammogram of these patches.
pub(super) fn pooled(
    manifest: &Manifest,
    pooling: &Pooling,
    patches: &[u32],
    outputs: &[Vec<f32>],
) -> Vec<Pooled> {
    let mut rest = outputs;
    let of = |own: &[u32]| {
        let (of_mammogram, others) = rest.split_at(own.len());
        rest = others;
        let rows: Vec<&[f32]> = of_mammogram.iter().map(Vec::as_slice).collect();
        let mammogram = manifest.patches[own[0] as usize].mammogram;
        Pooled { mammogram, log: pooling.log_probabilities(&rows) }
    };
    by_mammogram(manifest, patches).map(of).collect()
}
