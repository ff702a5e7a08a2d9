//! What a network says of a split.

use std::path::Path;

use anyhow::{Result, bail};
use candle_core::Tensor;

use super::loader::{self, Feed};
use super::{Job, assess, computed_by, heads, objective};
use base::artifact::Fingerprint;
use base::progress::Progress;
use base::{Split, seed};
use metrics::Scored;
use network::Network;
use record::training::{Evaluation, FORMAT, Level, Origin, WEIGHTS};
use record::{Manifest, Store};

/// Patches per forward pass where nothing is trained.
const BATCH: usize = 64;

/// A network's output on some patches.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Probability of each class per patch, in order; none where the network tells no classes.
    pub probabilities: Vec<Vec<f32>>,
    /// What the network gave per patch before it was asked what its outputs stand for.
    pub outputs: Vec<Vec<f32>>,
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share whose likeliest class is the true one.
    pub accuracy: f64,
}

impl Verdict {
    /// How far apart the probabilities of a class are, the greatest less the least, of the class in which that is
    /// most; 0 where there is no patch.
    pub fn spread(&self) -> f32 {
        let classes = self.probabilities.first().map_or(0, Vec::len);
        let of = |class: usize| {
            let values = self.probabilities.iter().map(move |of_patch| of_patch[class]);
            let range = |(low, high): (f32, f32), value: f32| (low.min(value), high.max(value));
            let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), range);
            high - low
        };
        (0..classes).map(of).fold(0.0, f32::max)
    }
}

/// Mean over so many classes of the area under the ROC curve of each against the others, which for two is the area
/// itself; `None` unless every class occurs. In: the probabilities of each case, and its class.
pub(super) fn mean_auc(probabilities: &[Vec<f32>], truth: &[usize], classes: usize) -> Option<f64> {
    // Of two classes one says it all.
    let first = if classes == 2 { 1 } else { 0 };
    let count = (classes - first) as f64;
    let area = |class: usize| {
        let scored =
            |(p, &truth): (&Vec<f32>, &usize)| Scored { score: p[class], positive: truth == class };
        let cases: Vec<Scored> = probabilities.iter().zip(truth).map(scored).collect();
        metrics::auc(&cases).map(|area| area.value)
    };
    (first..classes).map(area).sum::<Option<f64>>().map(|sum| sum / count)
}

/// Runs the network over `patches`, without training it. `advance` hears of each batch.
///
/// # Errors
/// When the device fails.
pub fn judge(
    network: &Network,
    manifest: &Manifest,
    store: &Store,
    patches: &[u32],
    advance: impl Fn(u64),
) -> Result<Verdict> {
    judge_fed(network, manifest, Feed::Pixels(store), patches, advance)
}

/// As [`judge`], of patches that come from `feed`.
///
/// # Errors
/// When the device fails.
pub(super) fn judge_fed(
    network: &Network,
    manifest: &Manifest,
    feed: Feed<'_>,
    patches: &[u32],
    advance: impl Fn(u64),
) -> Result<Verdict> {
    let mut probabilities = Vec::with_capacity(patches.len());
    let mut outputs = Vec::with_capacity(patches.len());
    let (mut loss, mut correct) = (0.0, 0_usize);
    let inference = network.inference();
    let batches = patches.chunks(BATCH).map(|batch| feed.batch(batch));
    loader::ahead(batches, |ready| -> Result<()> {
        for batch in ready {
            let given = batch.outputs(&inference)?;
            outputs.extend(given.to_vec2::<f32>()?);
            if network.tells() {
                let log = log_softmax(&network.of_classes(&given)?)?.to_vec2::<f32>()?;
                for (&n, log) in batch.patches.iter().zip(&log) {
                    let class = manifest.class(n);
                    loss -= f64::from(log[class]);
                    correct += usize::from(likeliest(log) == class);
                    probabilities.push(probabilities_of(log));
                }
            } else {
                probabilities.extend(batch.patches.iter().map(|_| Vec::new()));
            }
            advance(batch.patches.len() as u64);
        }
        Ok(())
    })?;
    let count = patches.len().max(1) as f64;
    let (loss, accuracy) = (loss / count, correct as f64 / count);
    Ok(Verdict { probabilities, outputs, loss, accuracy })
}

/// Probabilities of the classes, by the logarithms that [`log_softmax`] gives.
pub(super) fn probabilities_of(log: &[f32]) -> Vec<f32> {
    log.iter().map(|log| log.exp()).collect()
}

/// The class with the greatest value, of equals the first.
pub(super) fn likeliest(values: &[f32]) -> usize {
    (0..values.len()).rev().max_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0)
}

/// Evaluates a network on a split.
///
/// # Errors
/// When the device fails, the weights in `folder` cannot be read, or the network's output is not
/// finite.
pub fn evaluate(
    job: &Job,
    network: &Network,
    folder: &Path,
    split: Split,
    best_epoch: Option<u32>,
    progress: &dyn Progress,
) -> Result<Evaluation> {
    let patches = job.manifest.of_split(split);
    progress.start(&format!("{} on the {split} split", job.name), patches.len() as u64);
    let verdict = judge(network, job.manifest, job.store, &patches, |n| progress.advance(n))?;
    progress.finish();
    conclude(job, network, folder, split, best_epoch, verdict)
}

/// The evaluation that follows from a network's output on a split.
///
/// # Errors
/// When the weights in `folder` cannot be read, or the output is not finite.
pub(super) fn conclude(
    job: &Job,
    network: &Network,
    folder: &Path,
    split: Split,
    best_epoch: Option<u32>,
    verdict: Verdict,
) -> Result<Evaluation> {
    let Job { manifest, .. } = *job;
    let name = job.name;
    let patches = manifest.of_split(split);
    let Verdict { probabilities, outputs, .. } = verdict;
    let given: Vec<(u32, Vec<f32>)> = patches.iter().copied().zip(outputs).collect();
    let scores: Vec<(u32, Vec<f32>)> = patches.into_iter().zip(probabilities).collect();
    let unusable = |(_, values): &&(u32, Vec<f32>)| values.iter().any(|value| !value.is_finite());
    if let Some((patch, _)) = scores.iter().chain(&given).find(unusable) {
        let patch = manifest.patch_name(&manifest.patches[*patch as usize]);
        bail!(
            "{name} gives no number for patch {patch}: its weights hold values that are not finite, \
             or too large ones; look at the weights it started from"
        );
    }
    let seed = seed::derive(job.seed, "evaluation");
    let mut assessment = assess::assess(manifest, &scores, seed);
    assessment.heads = heads::heads(manifest, &job.run.outputs, &given, seed);
    let objective = job.run.training.as_ref().map_or_else(Default::default, |t| t.objective);
    assessment.levels.mammogram_pooled = objective::pooling(manifest, objective).map(|pooling| {
        let (patches, outputs): (Vec<u32>, Vec<Vec<f32>>) = given.into_iter().unzip();
        assess::pooled(manifest, &objective::pooled(manifest, &pooling, &patches, &outputs), seed)
    });
    let Level { positives, negatives, auc, .. } = assessment.levels.patch;
    Ok(Evaluation {
        format: FORMAT,
        network: name.to_owned(),
        split,
        input: network.input(),
        parameters: network.parameter_count(),
        origin: Origin::Run { pretrained: job.run.weights.name(), best_epoch },
        weights_blake3: Fingerprint::of_file(&folder.join(WEIGHTS))?.to_string(),
        device: computed_by(job)?,
        positives,
        negatives,
        auc,
        assessment,
        scores,
    })
}

/// Logarithm of the softmax over classes: `[n, classes]` to the same shape.
///
/// # Errors
/// When the device fails.
pub fn log_softmax(logits: &Tensor) -> candle_core::Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?.detach())?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(1)?.log()?)
}
