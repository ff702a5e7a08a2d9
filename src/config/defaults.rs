//! What a project is made of when its file does not say. The repository's `atlas.yaml`, which
//! `init` copies, spells the same values out; a test holds the two together.

use super::{
    Anchor, Augment, Cases, ClassWeights, Dissection, Network, Patches, Schedule, Select, Shares,
    Start, Survey, Threshold, Training,
};
use architecture::{Pooling, Precision};
use base::Split;

/// Title of the atlas.
pub(super) const TITLE: &str = "Unit atlas";
/// Output folder.
pub(super) const OUTPUT: &str = "output";
/// Seed of everything random.
pub(super) const SEED: u64 = 123;
/// Theme.
pub(super) const THEME: &str = "default";
/// Patients of the phantom source.
pub(super) const PATIENTS: u32 = 110;
/// Height of a phantom in pixels.
pub(super) const HEIGHT: u32 = 900;

/// The paper's settings (section 2.2) where it states them; AlexNet's input size.
pub(super) const PATCHES: Patches = Patches {
    window: 0.25,
    stride: 0.5,
    size: 227,
    min_lesion: 0.3,
    min_patch: 0.3,
    min_breast: 0.5,
    classes: 2,
};

/// Shares of the patients (paper, section 2.1).
pub(super) const SHARES: Shares = Shares { train: 0.8, validation: 0.1, test: 0.1 };

/// Network Dissection's threshold; the paper's split.
pub(super) const DISSECTION: Dissection = Dissection {
    split: Split::Validation,
    top: 64,
    threshold: Threshold::Quantile(0.005),
    anchor: Anchor::ReceptiveField,
    permutations: 200,
    detector: 0.04,
};

/// The paper's settings for fine-tuning (section 2.2).
pub(super) fn training() -> Training {
    Training {
        epochs: 12,
        batch: 32,
        lr: 1e-4,
        momentum: 0.9,
        weight_decay: 1e-4,
        lr_decay_epochs: Vec::new(),
        schedule: Schedule::Constant,
        warmup: 0,
        augment: Augment::NONE,
        balance: false,
        class_weights: ClassWeights::None,
        early_stopping: None,
        checkpoint_minutes: 10.0,
        tensorboard: false,
        auxiliary: false,
        precision: Precision::F32,
    }
}

/// A few of each kind.
pub(super) fn cases() -> Cases {
    Cases { found: 4, false_alarms: 4, missed: 4, random: 4, list: Vec::new() }
}

/// The survey of the paper's section 2.4.
pub(super) fn survey() -> Survey {
    Survey {
        study: "unit-atlas".to_owned(),
        // The last layer of each network; `file.rs` fills it in.
        layers: Vec::new(),
        select: Select::Mixed,
        units: 45,
        cancer: 0.5,
        patches: 32,
        repeats: 0.1,
        blind: true,
        lexicon: "bi-rads-5".to_owned(),
        contact: None,
    }
}

/// Networks of a project that names none: fine-tuned from the built-in convolutions within minutes on
/// two processor cores.
pub(super) fn networks() -> Vec<Network> {
    let fine_tuned = |lr: f64, epochs: u32, batch: usize| Training {
        epochs,
        batch,
        lr,
        weight_decay: 5e-4,
        schedule: Schedule::Cosine,
        warmup: 20,
        augment: Augment::SYMMETRIES,
        balance: true,
        ..training()
    };
    vec![
        Network {
            name: "alexnet".to_owned(),
            weights: Start::Builtin,
            layers: vec!["conv5".to_owned()],
            input: 113,
            pooling: Pooling::Global,
            training: Some(fine_tuned(0.004, 1, 32)),
        },
        Network {
            name: "resnet18".to_owned(),
            weights: Start::Builtin,
            layers: vec!["layer3".to_owned(), "layer4".to_owned()],
            input: 113,
            pooling: Pooling::Global,
            training: Some(fine_tuned(0.003, 2, 16)),
        },
    ]
}
