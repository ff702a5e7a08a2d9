//! What training leaves for the pages: `history.jsonl` and `evaluation.json`. Format 3.

use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use base::Split;
use base::artifact::Sealed;
use config::Scale;
use metrics::{Auc, Calibration, OperatingPoint, Spread};

/// Version of the files below and of the computation behind them.
pub const FORMAT: u32 = 3;
/// The kept weights, in torchvision's names.
pub const WEIGHTS: &str = "weights.safetensors";
/// What follows from the kept weights, on the validation split.
pub const EVALUATION: &str = "evaluation.json";
/// Share of false positives up to which the partial area counts: a reader recalls about one in ten.
pub const FEW_ALARMS: f64 = 0.1;
/// An [`Epoch`] per line.
pub const HISTORY: &str = "history.jsonl";

/// Patches by number, each with its probability of every class, or none of a network that tells no classes.
pub type PatchScores = Vec<(u32, Vec<f32>)>;

/// One line of `history.jsonl`: an epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: u32,
    /// Learning rate at its last step; of a network whose parts have rates of their own, the head's.
    pub lr: f64,
    /// That of everything before the head, where it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lr_rest: Option<f64>,
    /// Mean cross-entropy over the training patches, or mammograms where these are trained on, as they were met, by the
    /// class weights.
    pub loss: f64,
    /// Share of these classified correctly as they were met.
    pub accuracy: f64,
    /// Mean cross-entropy over the validation split, every patch alike.
    pub validation_loss: f64,
    /// Share of the validation split classified correctly.
    pub validation_accuracy: f64,
    /// Area under the ROC curve on the validation split; of three classes the mean over each against
    /// the others. Absent when a class is missing.
    pub validation_auc: Option<f64>,
    /// How far apart the probabilities of a class are over the validation split: the greatest less the least, of the
    /// class in which that is most. Absent in what version 0.1 trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<f64>,
    /// Wall-clock seconds of the epoch.
    pub seconds: f64,
    /// Whether training ended here because the AUC had not risen for as long as `early_stopping`
    /// allows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped_early: bool,
}

/// `evaluation.json`: how well the kept weights tell cancer from no cancer.
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
    /// Where what was evaluated comes from.
    #[serde(flatten)]
    pub origin: Origin,
    /// BLAKE3 of the kept weights, 32 hexadecimal digits; of a recorded network, of all that was recorded.
    pub weights_blake3: String,
    /// What computed it: `cpu`, or a device with its card, driver, libraries and precision.
    pub device: String,
    /// Count of positive patches.
    pub positives: u32,
    /// Count of negative patches.
    pub negatives: u32,
    /// Area under the ROC curve of the patches with its interval; absent when one class is missing.
    pub auc: Option<Auc>,
    /// Everything that follows from the scores.
    pub assessment: Assessment,
    /// Probability of each class per patch of the split, as (patch number, probabilities); no probabilities where
    /// the network tells no classes.
    pub scores: PatchScores,
}

impl Evaluation {
    /// Whether any of the network's outputs says something of cancer.
    pub fn tells_cancer(&self) -> bool {
        self.scores.first().is_none_or(|(_, probabilities)| !probabilities.is_empty())
    }

    /// Epoch whose weights were kept; `None` when the network was not trained here.
    pub fn best_epoch(&self) -> Option<u32> {
        match self.origin {
            Origin::Run { best_epoch, .. } => best_epoch,
            Origin::Recorded { .. } => None,
        }
    }
}

/// Where a network that was evaluated comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Origin {
    /// Its activations and logits were recorded elsewhere.
    Recorded {
        /// What was recorded.
        recorded: Recorded,
    },
    /// It was run here.
    Run {
        /// What the weights were before training, in words; `None` is random initialisation.
        pretrained: Option<String>,
        /// Epoch whose weights were kept; `None` when the network was not trained here.
        best_epoch: Option<u32>,
    },
}

/// What is known of a recorded network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// What it is, in words.
    pub name: String,
    /// How it was recorded, in words.
    pub made: String,
    /// What is to be known besides, a sentence each.
    pub notes: Vec<String>,
}

/// What follows from the probabilities of cancer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// Per patch, per mammogram and per patient.
    pub levels: Levels,
    /// Whether the patches' probabilities are right as numbers; absent without a patch.
    pub calibration: Option<Calibration>,
    /// Patches of one kind each, by attribute, then value.
    pub subgroups: Vec<Subgroup>,
    /// Of more than two classes, each against the others.
    pub classes: Option<Classes>,
    /// What outputs beside the classes tell.
    #[serde(default, skip_serializing_if = "Heads::is_empty")]
    pub heads: Heads,
}

/// What outputs beside the classes tell, as far as the data set says what is true.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Heads {
    /// Categories in an order.
    pub scales: Vec<ScaleResult>,
    /// Findings.
    pub findings: Vec<FindingResult>,
}

impl Heads {
    /// Whether the network has none.
    pub fn is_empty(&self) -> bool {
        self.scales.is_empty() && self.findings.is_empty()
    }
}

/// How a network's categories of a scale agree with the data set's. Compositions are those of mammograms, by the mean
/// probabilities of their patches; assessments are those of patches, the highest of the lesions that each holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScaleResult {
    /// The scale.
    pub scale: Scale,
    /// Its categories that the network knows, in their order: a lexicon's terms, or BI-RADS categories.
    pub categories: Vec<String>,
    /// Mammograms or patches by true category (row) and likeliest category (column).
    pub confusion: Vec<Vec<u32>>,
    /// Mammograms or patches whose category the data set states and the network does not know.
    pub others: u32,
    /// Share that is called right; absent without any.
    pub accuracy: Option<f64>,
    /// Share that is called right or by a neighbouring category.
    pub near: Option<f64>,
    /// Cohen's kappa with quadratic weights; absent where all are of one category and called so.
    pub kappa: Option<f64>,
    /// Its 95% interval by drawing whole patients.
    pub spread: Option<Spread>,
}

impl ScaleResult {
    /// How many are counted.
    pub fn count(&self) -> u32 {
        self.confusion.iter().flatten().sum()
    }
}

/// How well a network tells the patches that hold a finding from those that do not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FindingResult {
    /// The lexicon's term of it.
    pub term: String,
    /// By its output, before the sigmoid.
    pub level: Level,
}

/// What is called positive or not. A mammogram or a patient is positive when it has a malignant
/// lesion, and counts when a patch was cut from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// A patch by its own probability.
    pub patch: Level,
    /// A mammogram by the greatest probability of its patches.
    pub mammogram_max: Level,
    /// A mammogram by the mean probability of its patches.
    pub mammogram_mean: Level,
    /// A mammogram by the pooling of its patches that the network was trained with; absent where every patch had a
    /// label of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mammogram_pooled: Option<Level>,
    /// A patient by the greatest probability of the patches of all mammograms.
    pub patient_max: Level,
    /// A patient by the mean probability of the patches of all mammograms.
    pub patient_mean: Level,
}

impl Levels {
    /// Every level: what is scored, by which of its probabilities, and how well.
    pub fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, &Level)> {
        self.places().into_iter().filter_map(|(what, score, level)| Some((what, score, level?)))
    }

    /// As [`Levels::each`], with those that a network need not have.
    pub fn places(&self) -> [(&'static str, &'static str, Option<&Level>); 6] {
        [
            ("patch", "its own", Some(&self.patch)),
            ("mammogram", "as trained", self.mammogram_pooled.as_ref()),
            ("mammogram", "greatest patch", Some(&self.mammogram_max)),
            ("mammogram", "mean of patches", Some(&self.mammogram_mean)),
            ("patient", "greatest patch", Some(&self.patient_max)),
            ("patient", "mean of patches", Some(&self.patient_mean)),
        ]
    }
}

/// How well a score tells positives from negatives. All but the counts are absent or empty when one
/// class is missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Count of positives.
    pub positives: u32,
    /// Count of negatives.
    pub negatives: u32,
    /// Area under the ROC curve with DeLong's interval, which takes the cases as independent.
    pub auc: Option<Auc>,
    /// 95% interval of the area by drawing whole patients.
    pub bootstrap: Option<Spread>,
    /// Points of the ROC curve from (0, 0) to (1, 1): false positive rate, true positive rate.
    pub roc: Vec<[f64; 2]>,
    /// Points of the precision-recall curve from (0, 1): recall, precision.
    pub precision_recall: Vec<[f64; 2]>,
    /// Average precision.
    pub average_precision: Option<f64>,
    /// The F1 score of probabilities ([`metrics::probabilistic_f1`]); absent where the score is none, and in what was
    /// evaluated before it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probabilistic_f1: Option<f64>,
    /// At specificities, then at sensitivities, of 80%, 90% and 95%.
    pub operating_points: Vec<OperatingPoint>,
}

impl Level {
    /// Area under the part of the ROC curve with at most [`FEW_ALARMS`] false positives, standardised: 0.5 by chance,
    /// 1 at best.
    pub fn partial_auc(&self) -> Option<f64> {
        metrics::partial_auc(&self.roc, FEW_ALARMS)
    }
}

/// What patches are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribute {
    /// Breast composition, as a lexicon term: all patches of the mammograms that have it.
    Density,
    /// Most general term of the malignant lesion that the patch holds, against all negatives.
    Lesion,
    /// Subtlety of that lesion, from 1 (subtle) to 5 (obvious), against all negatives.
    Subtlety,
    /// Scanner that digitised the film: all patches of its mammograms.
    Scanner,
    /// Background tissue in the source's own words: all patches of the mammograms that have it.
    Tissue,
}

impl Attribute {
    /// In words, as the heading of what is grouped by it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Density => "Breast composition",
            Self::Lesion => "Kind of the malignant lesion",
            Self::Subtlety => "Subtlety of the malignant lesion, 1 (subtle) to 5 (obvious)",
            Self::Scanner => "Scanner",
            Self::Tissue => "Background tissue, in the source’s words",
        }
    }

    /// Whether its values are ids of terms.
    pub fn is_coded(self) -> bool {
        matches!(self, Self::Density | Self::Lesion)
    }
}

/// Patches that share an attribute.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Subgroup {
    /// The attribute.
    pub attribute: Attribute,
    /// Its value.
    pub value: String,
    /// Count of positive patches.
    pub positives: u32,
    /// Count of negative patches.
    pub negatives: u32,
    /// Area under the ROC curve; absent with fewer than five patches of a class.
    pub auc: Option<Auc>,
}

/// Several classes, each against the others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Classes {
    /// Each class, in the order of the network's outputs.
    pub each: Vec<ClassResult>,
    /// Mean of their areas; absent when a class is missing.
    pub mean_auc: Option<f64>,
    /// Patches by true class (row) and likeliest class (column).
    pub confusion: Vec<Vec<u32>>,
    /// Share of the patches whose likeliest class is the true one.
    pub accuracy: f64,
}

/// One class against all others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassResult {
    /// Name of the class.
    pub name: String,
    /// Patches of the class.
    pub patches: u32,
    /// Area under the ROC curve of its probability; absent without patches of it, or of others.
    pub auc: Option<Auc>,
    /// ROC curve.
    pub roc: Vec<[f64; 2]>,
}

/// The epochs of a finished training.
///
/// # Errors
/// When the file cannot be read or a line is not an epoch.
pub fn read_history(folder: &Path) -> Result<Vec<Epoch>> {
    let path = folder.join(HISTORY);
    let text = String::from_utf8(Sealed::open(folder)?.read(HISTORY)?)?;
    let parse = |(i, line): (usize, &str)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}:{} is not an epoch", path.display(), i + 1))
    };
    text.lines().enumerate().map(parse).collect()
}

/// The evaluation of a finished training on the validation split.
///
/// # Errors
/// When it cannot be read.
pub fn read_evaluation(folder: &Path) -> Result<Evaluation> {
    Sealed::open(folder)?.json(EVALUATION)
}
