//! Training as a whole, on patches small enough to train in a moment.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;

use super::*;
use crate::config::{Patches, Schedule, Shares, Training};
use crate::mammogram::Mammogram;
use crate::patch::{Member, Patch};
use crate::progress::Silent;
use crate::source::About;

const EDGE: u32 = 32;

/// Six patients of twelve patches; positives hold a faint bright disc.
fn dataset(folder: &Path) -> (Manifest, Store) {
    let mut rng = seed::stream(7, "test patches");
    let mut bytes = crate::patch::store_header(EDGE, 72).to_vec();
    let mut patches = Vec::new();
    let mut mammograms = Vec::new();
    for patient in 0..6_u32 {
        mammograms.push(Member {
            mammogram: Mammogram {
                id: format!("m{patient}"),
                patient: format!("p{patient}"),
                laterality: None,
                view: None,
                width: 200,
                height: 200,
                micron: None,
                density: None,
                facts: Default::default(),
                lesions: Vec::new(),
            },
            split: match patient {
                0..4 => Split::Train,
                4 => Split::Validation,
                _ => Split::Test,
            },
            preview: [200, 200],
        });
        for i in 0..12_u32 {
            let positive = i % 3 == 0;
            let (cx, cy) = (rng.random_range(10..22), rng.random_range(10..22));
            for y in 0..EDGE as i32 {
                for x in 0..EDGE as i32 {
                    let disc = positive && (x - cx).pow(2) + (y - cy).pow(2) < 36;
                    bytes.push(rng.random_range(60..140) + if disc { 70 } else { 0 });
                }
            }
            patches.push(Patch {
                mammogram: patient,
                x: 10 * i,
                y: 0,
                edge: 32,
                positive,
                benign: false,
                lesion_fraction: 0.0,
                patch_fraction: 0.0,
                breast_fraction: 1.0,
            });
        }
    }
    let path = folder.join("patches.bin");
    artifact::write(&path, &bytes).unwrap();
    let manifest = Manifest {
        format: 2,
        source: About {
            kind: "test".into(),
            name: "test".into(),
            description: String::new(),
            citation: String::new(),
            phantom: true,
        },
        patching: Patches {
            window: 0.25,
            stride: 0.5,
            size: EDGE,
            min_lesion: 0.3,
            min_patch: 0.3,
            min_breast: 0.5,
            classes: 2,
        },
        shares: Shares { train: 0.8, validation: 0.1, test: 0.1 },
        seed: 1,
        summary: Vec::new(),
        notices: Vec::new(),
        mammograms,
        patches,
    };
    (manifest, Store::open(&path).unwrap())
}

fn network(lr: f64) -> config::Network {
    config::Network {
        name: "resnet10".into(),
        weights: config::Start::Random,
        layers: vec!["layer4".into()],
        input: EDGE,
        pooling: crate::network::Pooling::Global,
        training: Some(Training {
            epochs: 4,
            batch: 8,
            lr,
            momentum: 0.9,
            weight_decay: 1e-4,
            lr_decay_epochs: vec![],
            schedule: Schedule::Cosine,
            warmup: 2,
            augment: true,
            balance: false,
            auxiliary: false,
            precision: crate::network::Precision::F32,
        }),
    }
}

fn run(network: &config::Network, folder: &Path, progress: &dyn Progress) -> Result<Evaluation> {
    let data = tempfile::tempdir()?;
    let (manifest, store) = dataset(data.path());
    let stamp = stamp(network, 5, &Fingerprint::of(&"dataset"))?;
    let job = Job { network, manifest: &manifest, store: &store, device: &Device::Cpu, seed: 5 };
    train(&job, folder, &stamp, progress)?;
    assert!(stamp.matches(folder));
    read_evaluation(folder)
}

/// Panics after so many patches, as a kill would strike.
struct Killer(AtomicU64);

impl Progress for Killer {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, n: u64) {
        let left = self.0.fetch_sub(n, Ordering::Relaxed);
        assert!(left > n, "killed");
    }
    fn note(&self, _: &str) {}
    fn finish(&self) {}
    fn say(&self, _: &str) {}
}

#[test]
fn learns_and_a_killed_training_ends_the_same_bit_by_bit() {
    let network = network(0.02);
    let whole = tempfile::tempdir().unwrap();
    let evaluation = run(&network, whole.path(), &Silent).unwrap();
    assert!(evaluation.auc.unwrap().value > 0.9, "{:?}", evaluation.auc);
    assert_eq!((evaluation.positives, evaluation.negatives), (4, 8));
    let history = read_history(whole.path()).unwrap();
    assert_eq!(history.len(), 4);
    assert!(!whole.path().join("checkpoint.safetensors").exists());

    let broken = tempfile::tempdir().unwrap();
    for patches in [30, 80, 90] {
        let killer = Killer(AtomicU64::new(patches));
        let killed = catch_unwind(AssertUnwindSafe(|| run(&network, broken.path(), &killer)));
        assert!(killed.is_err());
        assert!(Stamp::read(broken.path()).is_err(), "a killed training looks finished");
    }
    let resumed = run(&network, broken.path(), &Silent).unwrap();
    assert_eq!(resumed, evaluation);
    let weights = |folder: &Path| std::fs::read(folder.join(WEIGHTS)).unwrap();
    assert!(weights(broken.path()) == weights(whole.path()));
    for (a, b) in read_history(broken.path()).unwrap().iter().zip(&history) {
        assert_eq!(Epoch { seconds: 0.0, ..a.clone() }, Epoch { seconds: 0.0, ..b.clone() });
    }
}

#[test]
fn a_loss_that_explodes_stops_with_the_step_and_advice() {
    let folder = tempfile::tempdir().unwrap();
    let message = format!("{:#}", run(&network(1e30), folder.path(), &Silent).unwrap_err());
    assert!(message.contains("step") && message.contains("learning rate"), "{message}");
}

#[test]
fn weights_used_as_they_are_are_only_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    run(&network(0.02), folder.path(), &Silent).unwrap();
    let weights = folder.path().join(WEIGHTS);
    let asis = config::Network {
        weights: config::Start::File(weights.clone()),
        training: None,
        ..network(0.02)
    };
    let other = tempfile::tempdir().unwrap();
    let evaluation = run(&asis, other.path(), &Silent).unwrap();
    assert_eq!(evaluation.best_epoch, None);
    assert_eq!(evaluation.pretrained.as_deref(), Some(WEIGHTS));
    assert_eq!(evaluation.auc, read_evaluation(folder.path()).unwrap().auc);
    assert!(read_history(other.path()).unwrap().is_empty());
}
