//! What training leaves for the pages: `history.jsonl` and `evaluation.json`. Format 3.

use serde::{Deserialize, Serialize};

use crate::config::Split;

/// One line of `history.jsonl`: an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: u32,
    /// Learning rate at its last step.
    pub lr: f64,
    /// Mean cross-entropy over the training patches as they were met, by the class weights.
    pub loss: f64,
    /// Share of training patches classified correctly as they were met.
    pub accuracy: f64,
    /// Mean cross-entropy over the validation split, every patch alike.
    pub validation_loss: f64,
    /// Share of the validation split classified correctly.
    pub validation_accuracy: f64,
    /// Area under the ROC curve on the validation split; of three classes the mean over each against
    /// the others. Absent when a class is missing.
    pub validation_auc: Option<f64>,
    /// Wall-clock seconds of the epoch.
    pub seconds: f64,
    /// Whether training ended here because the AUC had not risen for as long as `early_stopping`
    /// allows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped_early: bool,
}

/// `evaluation.json`: how well the kept weights tell cancer from no cancer, per patch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Always 3.
    pub format: u32,
    /// Network.
    pub network: String,
    /// Split evaluated.
    pub split: Split,
    /// Edge of the network's input in pixels.
    pub input: u32,
    /// Count of trainable parameters.
    pub parameters: u64,
    /// What the weights were before training, in words; `None` is random initialisation.
    pub pretrained: Option<String>,
    /// BLAKE3 of the kept weights, 32 hexadecimal digits.
    pub weights_blake3: String,
    /// Device that computed it: `cpu`, `cuda:0`, …
    pub device: String,
    /// Epoch whose weights were kept; `None` when the network was not trained here.
    pub best_epoch: Option<u32>,
    /// Count of positive patches.
    pub positives: u32,
    /// Count of negative patches.
    pub negatives: u32,
    /// Area under the ROC curve with its interval; absent when one class is missing.
    pub auc: Option<Auc>,
    /// Points of the ROC curve from (0, 0) to (1, 1): false positive rate, true positive rate.
    pub roc: Vec<[f64; 2]>,
    /// Probability of each class per patch of the split, as (patch number, probabilities).
    pub scores: Vec<(u32, Vec<f32>)>,
}

/// An area under the ROC curve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Auc {
    /// Ties count half.
    pub value: f64,
    /// Lower end of the 95% interval (DeLong).
    pub low: f64,
    /// Upper end of the 95% interval (DeLong).
    pub high: f64,
}
