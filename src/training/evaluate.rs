//! What a network says of a split.

use anyhow::Result;
use candle_core::Tensor;

use super::metrics::{self, Scored};
use crate::network::{self, Mode, Network};
use crate::patch::{Manifest, Store};

/// Patches per forward pass where nothing is trained.
const BATCH: usize = 64;

/// A network's output on some patches.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Probability of cancer per patch, in order.
    pub probabilities: Vec<f32>,
    /// Mean cross-entropy.
    pub loss: f64,
    /// Share classified correctly (at probability 0.5).
    pub accuracy: f64,
}

impl Verdict {
    /// Scores with their truth.
    pub fn cases(&self, manifest: &Manifest, patches: &[u32]) -> Vec<Scored> {
        let truth = patches.iter().map(|&n| manifest.patches[n as usize].positive);
        let scores = self.probabilities.iter();
        scores.zip(truth).map(|(&score, positive)| Scored { score, positive }).collect()
    }

    /// Area under the ROC curve; `None` unless both classes occur.
    pub fn auc(&self, manifest: &Manifest, patches: &[u32]) -> Option<super::record::Auc> {
        metrics::auc(&self.cases(manifest, patches))
    }
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
    let mut probabilities = Vec::with_capacity(patches.len());
    let (mut loss, mut correct) = (0.0, 0_usize);
    for batch in patches.chunks(BATCH) {
        let pixels: Vec<&[u8]> = batch.iter().map(|&n| store.pixels(n)).collect();
        let images = network::images(&pixels, store.edge(), network.input(), network.device())?;
        let log = log_softmax(&network.logits(&images, Mode::Inference)?)?.to_vec2::<f32>()?;
        for (&n, log) in batch.iter().zip(&log) {
            let class = usize::from(manifest.patches[n as usize].positive);
            loss -= f64::from(log[class]);
            correct += usize::from((log[1] > log[0]) == (class == 1));
            probabilities.push(log[1].exp());
        }
        advance(batch.len() as u64);
    }
    let count = patches.len().max(1) as f64;
    Ok(Verdict { probabilities, loss: loss / count, accuracy: correct as f64 / count })
}

/// Logarithm of the softmax over classes: `[n, classes]` to the same shape.
///
/// # Errors
/// When the device fails.
pub fn log_softmax(logits: &Tensor) -> candle_core::Result<Tensor> {
    let shifted = logits.broadcast_sub(&logits.max_keepdim(1)?.detach())?;
    shifted.broadcast_sub(&shifted.exp()?.sum_keepdim(1)?.log()?)
}
