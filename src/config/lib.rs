//! `atlas.yaml`: what a project is made of. Everything has a default; unknown keys are refused.
//!
//! In: the text of a project file. Out: a [`Config`], whose paths are absolute and whose every value is checked,
//! or a [`Mistake`] with its line, column and a caret. What stages depend on is part of their stamps by its
//! serialised form: a field's name here is part of the artifacts' format.

mod defaults;
pub mod figures;
mod file;
mod form;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use architecture::{Design, Pooling, Precision};
use base::yaml::{self, Mistake, Text};
use base::{Device, Split, UnitId};

/// Name of the project file.
pub const FILE_NAME: &str = "atlas.yaml";

/// The commented project file that `init` writes: the repository's own.
pub const TEMPLATE: &str = include_str!("../../atlas.yaml");

/// A resolved project file: paths are absolute, every value is checked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Config {
    /// Folder of the project file; content, themes and labels are looked up here.
    pub root: PathBuf,
    /// Title of the atlas.
    pub title: String,
    /// Absolute address the site will be published at; links are relative without it.
    pub base_url: Option<String>,
    /// Output folder (absolute).
    pub output: PathBuf,
    /// Seed of everything random.
    pub seed: u64,
    /// Device to compute on.
    pub device: Device,
    /// Where the mammograms come from.
    pub source: Source,
    /// How mammograms are cut into patches.
    pub patches: Patches,
    /// Shares of the patients.
    pub split: Shares,
    /// Networks in the order of their pages.
    pub networks: Vec<Network>,
    /// How units are dissected.
    pub dissection: Dissection,
    /// Mammograms whose scores are explained on pages of their own.
    pub cases: Cases,
    /// What readers are asked.
    pub survey: Survey,
    /// Name of a theme: a folder under `themes/`, or a built-in one.
    pub theme: String,
    /// Options of the theme, as it names them.
    pub theme_options: BTreeMap<String, String>,
    /// How the atlas is to be cited.
    pub citation: Citation,
    /// Figures that are kept up to date.
    pub figures: Vec<figures::Wanted>,
}

/// How the atlas is to be cited; what is not known is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Citation {
    /// Authors, `Family, Given`.
    pub authors: Vec<String>,
    /// Year of publication.
    pub year: Option<u32>,
    /// Digital object identifier.
    pub doi: Option<String>,
}

impl Config {
    /// The project file: `explicit` (a file, or a folder that holds `atlas.yaml`), or the nearest
    /// `atlas.yaml` in `start` or a folder above it, as git looks for its repository.
    ///
    /// # Errors
    /// When there is none; says where it looked.
    pub fn find(explicit: Option<&Path>, start: &Path) -> Result<PathBuf> {
        if let Some(path) = explicit {
            let path = if path.is_dir() { path.join(FILE_NAME) } else { path.to_owned() };
            if !path.is_file() {
                bail!("no project file {}; `unit-atlas init` makes one", path.display());
            }
            return Ok(path);
        }
        let start = std::path::absolute(start)
            .with_context(|| format!("cannot resolve the folder {}", start.display()))?;
        match start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file()) {
            Some(file) => Ok(file),
            None => bail!(
                "no {FILE_NAME} in {} or any folder above it; `unit-atlas init` makes one, \
                 `--config FILE` names one elsewhere",
                start.display()
            ),
        }
    }

    /// Reads a project file.
    ///
    /// # Errors
    /// Names the file, and the line, column and reason where it is not a valid project file.
    pub fn read(path: &Path) -> Result<Self> {
        Ok(Self::parse(&yaml::read(path)?, path)?)
    }

    /// Reads the text of a project file; `path` is where it stands: relative paths in it start from
    /// its folder.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, Mistake> {
        file::parse(Text { path, text })
    }
}

/// A data set in its original layout.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// Procedural mammograms made from the seed.
    Phantom {
        /// How many patients, four views each.
        patients: u32,
        /// Height of an image in pixels.
        height: u32,
    },
    /// DDSM in its original layout, whole or in part.
    Ddsm {
        /// The folder that holds its cases at any depth (absolute).
        path: PathBuf,
    },
    /// The files published with the paper, or a part of them.
    DdsmRelease {
        /// The folder that holds `ddsm_raw`, `ddsm_patches` and the others (absolute).
        path: PathBuf,
    },
    /// CBIS-DDSM, as DICOM or converted, whole or in part.
    CbisDdsm {
        /// The folder that holds its description tables and images at any depth (absolute).
        path: PathBuf,
    },
    /// Any other data set, by a table of its images and lesions.
    Folder {
        /// The table, CSV, JSON lines or YAML (absolute); files in it are relative to its folder.
        #[serde(rename = "path")]
        table: PathBuf,
        /// A table of further regions, such as tissues (absolute).
        regions: Option<PathBuf>,
    },
    /// The mini-MIAS database: `mdbNNN.pgm` and `Info.txt`.
    MiniMias {
        /// Its folder (absolute).
        path: PathBuf,
    },
}

/// How mammograms are cut into patches (paper, section 2.2).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patches {
    /// Edge of the window as a share of the image's shorter side, in (0, 1].
    pub window: f64,
    /// Stride as a share of the window, in (0, 1].
    pub stride: f64,
    /// Edge of the stored patch in pixels.
    pub size: u32,
    /// A patch is positive when it holds at least this share of a malignant lesion …
    pub min_lesion: f64,
    /// … or when malignant lesion covers at least this share of the patch.
    pub min_patch: f64,
    /// A window is kept when breast covers at least this share of it.
    pub min_breast: f64,
    /// 2: no cancer, cancer; 3: no lesion, benign, cancer.
    pub classes: u32,
}

/// Shares of the patients; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// Share trained on.
    pub train: f64,
    /// Share that chooses the epoch and is dissected.
    pub validation: f64,
    /// Share held out.
    pub test: f64,
}

/// One network of the atlas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Network {
    /// Architecture and name: `alexnet`, `resnet18`, …
    pub name: String,
    /// Weights to start from.
    pub weights: Start,
    /// Probe points to dissect, in order; never empty.
    pub layers: Vec<String>,
    /// Edge of the network's input in pixels; stored patches are resized to it.
    pub input: u32,
    /// How a ResNet's last maps become one value per unit.
    pub pooling: Pooling,
    /// How to train; `None` uses the weights as they are.
    pub training: Option<Training>,
}

impl Network {
    /// How the network is built to be trained.
    pub fn design(&self) -> Design {
        let training = self.training.as_ref();
        Design {
            auxiliary: training.is_some_and(|training| training.auxiliary),
            precision: training.map_or(Precision::F32, |training| training.precision),
            ..self.inference_design()
        }
    }

    /// How the network is built to be looked at.
    pub fn inference_design(&self) -> Design {
        Design { pooling: self.pooling, ..Design::default() }
    }
}

/// What a network starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// Random initialisation; every page says so.
    Random,
    /// The convolutions that come with this program, trained on phantoms.
    Builtin,
    /// A file (absolute).
    File(PathBuf),
}

impl Start {
    /// In words, a file by its name alone; `None` for random ones.
    pub fn name(&self) -> Option<String> {
        match self {
            Start::Random => None,
            Start::Builtin => Some("built-in convolutions (trained on phantoms)".to_owned()),
            Start::File(path) => path.file_name().map(|name| name.to_string_lossy().into_owned()),
        }
    }
}

/// Settings of stochastic gradient descent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Passes over the training split.
    pub epochs: u32,
    /// Patches per step.
    pub batch: usize,
    /// Learning rate.
    pub lr: f64,
    /// Momentum, as PyTorch defines it.
    pub momentum: f64,
    /// Weight decay added to the gradient, as PyTorch defines it.
    pub weight_decay: f64,
    /// Epochs (from 1) at whose start the learning rate is divided by ten.
    pub lr_decay_epochs: Vec<u32>,
    /// `constant`, or `cosine` down to zero over all steps.
    pub schedule: Schedule,
    /// Steps over which the learning rate rises linearly from zero.
    pub warmup: u32,
    /// How each training patch is changed at random.
    pub augment: Augment,
    /// Draw as many patches of every class per epoch as the rarest has, instead of every patch once.
    pub balance: bool,
    /// Train Inception's auxiliary classifier too.
    pub auxiliary: bool,
    /// Precision of the convolutions and matrix products of training.
    pub precision: Precision,
    /// Weight of each class in the loss.
    pub class_weights: ClassWeights,
    /// Stop after so many epochs without a better validation AUC.
    pub early_stopping: Option<u32>,
    /// Minutes between checkpoints within an epoch; 0 writes one after each epoch only. Results do
    /// not depend on it, so it is not part of what makes a training stale.
    #[serde(skip)]
    pub checkpoint_minutes: f64,
    /// Whether to write TensorBoard event files. Not part of what makes a training stale.
    #[serde(skip)]
    pub tensorboard: bool,
}

/// Random changes of training patches, drawn anew for every patch of every epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Augment {
    /// Mirrored left to right and top to bottom, each every other time.
    pub flips: bool,
    /// Turned by 0, 90, 180 or 270 degrees, equally often.
    pub rotations: bool,
    /// Largest share s, in [0, 1), by which brightness changes: a pixel p (0 to 255) becomes
    /// g p + 255 o, rounded and cut to 0 to 255, with the gain g uniform in [1 - s, 1 + s] and the
    /// offset o uniform in [-s, s].
    pub intensity: f64,
}

impl Augment {
    /// No change.
    pub const NONE: Augment = Augment { flips: false, rotations: false, intensity: 0.0 };
    /// Any of the eight symmetries of the square.
    pub const SYMMETRIES: Augment = Augment { flips: true, rotations: true, intensity: 0.0 };
}

/// Weight of each class in the loss, as the `weight` of PyTorch's `CrossEntropyLoss`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// All alike.
    None,
    /// Inverse to how often the class occurs in an epoch: patches / (classes x patches of the class).
    Balanced,
    /// These, one per class in the manifest's order, each above 0.
    Given(Vec<f64>),
}

/// How the learning rate moves between steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Stays as it is.
    Constant,
    /// Falls along half a cosine to zero at the last step.
    Cosine,
}

/// How units are dissected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Dissection {
    /// Split whose patches are shown to the units.
    pub split: Split,
    /// Top patches kept per unit.
    pub top: usize,
    /// Rule of the activation threshold.
    pub threshold: Threshold,
    /// Where an activation stands in the patch when its map is upsampled.
    pub anchor: Anchor,
    /// How often the concepts' masks are dealt out anew among the patches to learn what chance gives;
    /// 0: never.
    pub permutations: u32,
    /// A unit whose IoU with a concept exceeds this is a detector of it. Only pages depend on it, so
    /// it is not part of what makes a dissection stale.
    #[serde(skip)]
    pub detector: f64,
}

/// Mammograms whose scores are explained on pages of their own, per network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cases {
    /// Mammograms with cancer that the network is surest of, among those scored 0.5 or more.
    pub found: u32,
    /// Mammograms without cancer that it scores highest, 0.5 or more.
    pub false_alarms: u32,
    /// Mammograms with cancer that it scores lowest, below 0.5.
    pub missed: u32,
    /// Drawn at random from the others.
    pub random: u32,
    /// Ids of further mammograms.
    pub list: Vec<String>,
}

/// What the readers of a study are asked (paper, section 2.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Identifier of the study, part of every reader's file.
    pub study: String,
    /// Layers whose units are put to readers, as (network, layer); none where units are listed.
    pub layers: Vec<(String, String)>,
    /// How units are chosen.
    pub select: Select,
    /// Units put to a reader per network.
    pub units: u32,
    /// Of [`Select::Mixed`], the share of units whose top patches are mostly cancer, in [0, 1].
    pub cancer: f64,
    /// Top patches shown of a unit; at most [`Dissection::top`].
    pub patches: u32,
    /// Share of the units asked a second time, in [0, 1], to measure a reader's own consistency.
    pub repeats: f64,
    /// Whether the network's name, the scores and the truth of the patches are hidden.
    pub blind: bool,
    /// Lexicon offered for the terms.
    pub lexicon: String,
    /// Whom readers send their file to.
    pub contact: Option<String>,
}

/// How the units of a survey are chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Select {
    /// Partly units whose top patches are all or mostly cancer, partly at random (paper, section 2.4).
    Mixed,
    /// At random.
    Random,
    /// By rank of influence.
    Influence,
    /// By the share of the evidence for cancer that they carry, most first; see
    /// `explanation`.
    Evidence,
    /// These, by name.
    Listed(Vec<UnitId>),
}

/// How a unit's activation threshold T_k is set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// P(a > T_k) = q over all locations of all patches (Network Dissection; Bau et al. 2017).
    Quantile(f64),
    /// This share of the unit's best score (the paper's released code, 0.2).
    FractionOfMax(f64),
}

/// Where an activation stands in the patch when its map is upsampled bilinearly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anchor {
    /// At the centre of its receptive field (Network Dissection; Bau et al. 2017).
    ReceptiveField,
    /// Where a plain resize of the map to the patch puts it (the paper's released code).
    Pixel,
}
