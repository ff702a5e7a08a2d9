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
            Some(pooling) => Kind::Mammograms { weights, pooling },
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

    /// Sum of the weights of the examples that these patches are.
    pub(super) fn weight(&self, patches: &[u32]) -> f64 {
        let (Kind::Patches(CrossEntropy { weights }) | Kind::Mammograms { weights, .. }) =
            &self.kind;
        self.truth(patches).iter().map(|&class| weights[class]).sum()
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
        let total: f64 = truth.iter().map(|&class| weights[class]).sum();
        let (mut value, mut gradient) = (0.0, Vec::with_capacity(rows.len() * rows[0].len()));
        let mut rest = rows.as_slice();
        for (own, class) in by_mammogram(self.manifest, patches).zip(truth) {
            let (of_mammogram, others) = rest.split_at(own.len());
            rest = others;
            let of_mammogram: Vec<&[f32]> = of_mammogram.iter().map(Vec::as_slice).collect();
            let (loss, by_output) = pooling.loss(&of_mammogram, class);
            let share = weights[class] / total;
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
                pooled.iter().zip(&truth).filter(|((_, p), truth)| likeliest(p) == **truth).count()
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
                let probabilities: Vec<Vec<f32>> = pooled.into_iter().map(|(_, p)| p).collect();
                let count = probabilities.len().max(1) as f64;
                let each = || probabilities.iter().zip(&truth);
                let log = |(p, truth): (&Vec<f32>, &usize)| {
                    -f64::from(p[*truth]).max(f64::from(f32::MIN_POSITIVE)).ln()
                };
                let right = each().filter(|(p, truth)| likeliest(p) == **truth).count();
                Judged {
                    loss: each().map(log).sum::<f64>() / count,
                    accuracy: right as f64 / count,
                    auc: mean_auc(&probabilities, &truth, classes),
                }
            }
        }
    }
}

/// Each mammogram of these patches with the probabilities of its classes.
pub(super) fn pooled(
    manifest: &Manifest,
    pooling: &Pooling,
    patches: &[u32],
    outputs: &[Vec<f32>],
) -> Vec<(u32, Vec<f32>)> {
    let mut rest = outputs;
    let of = |own: &[u32]| {
        let (of_mammogram, others) = rest.split_at(own.len());
        rest = others;
        let rows: Vec<&[f32]> = of_mammogram.iter().map(Vec::as_slice).collect();
        let probabilities = pooling.probabilities(&rows).into_iter().map(|p| p as f32).collect();
        (manifest.patches[own[0] as usize].mammogram, probabilities)
    };
    by_mammogram(manifest, patches).map(of).collect()
}
