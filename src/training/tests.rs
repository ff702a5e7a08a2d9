//! Training as a whole, on patches small enough to train in a moment.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use rand::RngExt;

use super::*;
use base::progress::Silent;
use config::{
    Augment, Bag, ClassWeights, Mil, Objective, Patches, Rate, Rates, Schedule, Shares, Training,
};
use mammogram::{About, Mammogram};
use record::training::{Evaluation, read_evaluation, read_history};
use record::{Member, Patch};

const EDGE: u32 = 32;

/// Six patients of twelve patches; positives hold a faint bright disc, some others a dark one.
pub(super) fn dataset() -> (Manifest, Store) {
    let mut rng = seed::stream(7, "test patches");
    let mut pixels = Vec::new();
    let mut patches = Vec::new();
    let mut mammograms = Vec::new();
    for patient in 0..6_u32 {
        mammograms.push(Member {
            mammogram: Mammogram {
                id: format!("m{patient}"),
                patient: format!("p{patient}"),
                laterality: None,
                view: None,
                modifier: None,
                width: 200,
                height: 200,
                micron: None,
                density: None,
                facts: Default::default(),
                lesions: Vec::new(),
                assigned: None,
                regions: Vec::new(),
            },
            split: match patient {
                0..4 => Split::Train,
                4 => Split::Validation,
                _ => Split::Test,
            },
            preview: Some([200, 200]),
            breast: vec![],
        });
        for i in 0..12_u32 {
            let (positive, dark) = (i % 3 == 0, i % 3 == 2 && (12 * patient + i) % 4 != 0);
            let (cx, cy) = (rng.random_range(10..22), rng.random_range(10..22));
            for y in 0..EDGE as i32 {
                for x in 0..EDGE as i32 {
                    let disc = (x - cx).pow(2) + (y - cy).pow(2) < 36;
                    let level: u8 = rng.random_range(60..140);
                    pixels.push(match disc {
                        true if positive => level + 70,
                        true if dark => level - 50,
                        _ => level,
                    });
                }
            }
            patches.push(Patch {
                mammogram: patient,
                x: 10 * i,
                y: 0,
                edge: 32,
                positive,
                benign: false,
                fractions: None,
                held: None,
            });
        }
    }
    let manifest = Manifest {
        format: 3,
        source: About {
            kind: "test".into(),
            name: "test".into(),
            description: String::new(),
            citation: String::new(),
            licence: None,
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
            spot_views: false,
            labels: Default::default(),
        },
        shares: Shares { train: 0.8, validation: 0.1, test: 0.1 },
        seed: 1,
        given: Default::default(),
        summary: Vec::new(),
        notices: Vec::new(),
        mammograms,
        patches,
    };
    (manifest, Store::in_memory(EDGE, &pixels).unwrap())
}

pub(super) fn network(lr: f64) -> config::Run {
    config::Run {
        weights: config::Start::Random,
        outputs: Vec::new(),
        input: EDGE,
        pooling: architecture::Pooling::Global,
        training: Some(Training {
            epochs: 4,
            batch: 8,
            lr: Rate::Same(lr),
            momentum: 0.9,
            weight_decay: 1e-4,
            lr_decay_epochs: vec![],
            schedule: Schedule::Cosine,
            warmup: 2,
            freeze: None,
            augment: Augment::SYMMETRIES,
            balance: false,
            auxiliary: false,
            precision: architecture::Precision::F32,
            class_weights: ClassWeights::None,
            objective: Default::default(),
            early_stopping: None,
            checkpoint_minutes: 0.0,
            tensorboard: false,
        }),
    }
}

/// The network with changed settings.
fn trained_by(change: impl FnOnce(Training) -> Training) -> config::Run {
    let network = network(0.02);
    config::Run { training: network.training.map(change), ..network }
}

fn run(network: &config::Run, folder: &Path, progress: &dyn Progress) -> Result<Evaluation> {
    run_on(NAME, network, folder, progress, |_| {})
}

/// The network of most tests.
const NAME: &str = "resnet10";

/// Trains a network on a changed data set.
fn run_on(
    name: &str,
    run: &config::Run,
    folder: &Path,
    progress: &dyn Progress,
    change: impl FnOnce(&mut Manifest),
) -> Result<Evaluation> {
    let (mut manifest, store) = dataset();
    change(&mut manifest);
    run_of((name, run), folder, progress, (&manifest, &store))
}

/// Trains on a data set.
fn run_of(
    (name, run): (&str, &config::Run),
    folder: &Path,
    progress: &dyn Progress,
    (manifest, store): (&Manifest, &Store),
) -> Result<Evaluation> {
    let stamp = stamp(name, run, 5, &Fingerprint::of(&"dataset"))?;
    let job = Job { name, run, manifest, store, device: &Device::Cpu, seed: 5 };
    train(&job, folder, &stamp, progress)?;
    assert!(stamp.matches(folder));
    read_evaluation(folder)
}

/// Panics after so many patches, as a kill would strike.
pub(super) struct Killer(pub(super) AtomicU64);

impl Progress for Killer {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, n: u64) {
        let left = self.0.fetch_sub(n, Ordering::Relaxed);
        assert!(left > n, "killed");
    }
    fn note(&self, _: &str) {}
    fn finish(&self) {}
    fn say(&self, _: &str) {}
    fn warn(&self, _: &str) {}
}

#[test]
fn learns_and_a_training_killed_at_any_step_ends_the_same_bit_by_bit() {
    // A checkpoint after every step, and files for TensorBoard.
    let settings = |t: Training| Training { checkpoint_minutes: 1e-9, tensorboard: true, ..t };
    let network = trained_by(settings);
    let whole = tempfile::tempdir().unwrap();
    let evaluation = run(&network, whole.path(), &Silent).unwrap();
    assert!(evaluation.auc.unwrap().value > 0.9, "{:?}", evaluation.auc);
    assert_eq!((evaluation.positives, evaluation.negatives), (4, 8));
    assert_eq!(read_history(whole.path()).unwrap().len(), 4);
    assert!(!whole.path().join("checkpoint.safetensors").exists());

    let broken = tempfile::tempdir().unwrap();
    // An epoch is 48 patches of training and 12 of validation: killed in an epoch (twice in the
    // same one), in a validation, and before the first step of an epoch.
    for patches in [20, 20, 21, 60, 37, 1, 44] {
        let killer = Killer(AtomicU64::new(patches));
        let killed = catch_unwind(AssertUnwindSafe(|| run(&network, broken.path(), &killer)));
        assert!(killed.is_err());
        assert!(Sealed::open(broken.path()).is_err(), "a killed training looks finished");
        assert!(broken.path().join("checkpoint.safetensors").exists());
    }
    let resumed = run(&network, broken.path(), &Silent).unwrap();
    assert_eq!(resumed, evaluation);
    assert_same(broken.path(), whole.path());
    let events = events::scalars(whole.path());
    // Four scalars per epoch, and steps 0 and 20 of 24.
    assert_eq!(events.len(), 4 * 4 + 2);
    // What was done again after a kill came out the same.
    let set = |scalars: Vec<Vec<u8>>| scalars.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(events::scalars(broken.path())), set(events));

    // How often checkpoints are written changes nothing, and makes nothing stale.
    let rare = tempfile::tempdir().unwrap();
    assert_eq!(run(&trained_by(|t| t), rare.path(), &Silent).unwrap(), evaluation);
    assert_same(rare.path(), whole.path());
    assert!(!rare.path().join("events").exists());
    let fingerprint =
        |network: &config::Run| stamp(NAME, network, 5, &Fingerprint::of(&"dataset")).unwrap();
    assert_eq!(fingerprint(&trained_by(settings)), fingerprint(&trained_by(|t| t)));
}

#[test]
fn dropout_goes_on_where_it_was() {
    let alexnet = config::Run {
        input: 63,
        ..trained_by(|t| Training { epochs: 1, batch: 24, checkpoint_minutes: 1e-9, ..t })
    };
    let run = |folder: &Path, progress: &dyn Progress| {
        run_on("alexnet", &alexnet, folder, progress, |_| {})
    };
    let whole = tempfile::tempdir().unwrap();
    let evaluation = run(whole.path(), &Silent).unwrap();
    let broken = tempfile::tempdir().unwrap();
    let killer = Killer(AtomicU64::new(40));
    assert!(catch_unwind(AssertUnwindSafe(|| run(broken.path(), &killer))).is_err(), "not killed");
    assert_eq!(run(broken.path(), &Silent).unwrap(), evaluation);
    assert_same(broken.path(), whole.path());
}

/// Settings that keep what the frozen part makes of the patches, and a checkpoint after every step.
fn frozen(t: Training) -> Training {
    Training {
        freeze: Some("layer2".into()),
        augment: Augment::NONE,
        lr: Rate::Parts(Rates { head: 0.04, rest: 0.02 }),
        checkpoint_minutes: 1e-9,
        ..t
    }
}

#[test]
fn a_frozen_part_stays_as_it_started_and_the_rest_learns_and_resumes_bit_by_bit() {
    let network = trained_by(frozen);
    let whole = tempfile::tempdir().unwrap();
    let evaluation = run(&network, whole.path(), &Silent).unwrap();
    assert!(evaluation.auc.unwrap().value > 0.8, "{:?}", evaluation.auc);
    let history = read_history(whole.path()).unwrap();
    assert!(history.iter().all(|epoch| epoch.lr_rest.unwrap() < epoch.lr));
    // Nothing of what was kept on the way is left.
    let left: BTreeSet<_> = std::fs::read_dir(whole.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = [EVALUATION, HISTORY, WEIGHTS, "run.json", "stamp.json"];
    assert_eq!(left, expected.map(str::to_owned).into());

    let start = Network::new(NAME, 2, EDGE, seed::derive(5, "weights/resnet10"), &Device::Cpu);
    let start = start.unwrap().state().unwrap();
    let end = candle_core::safetensors::load(whole.path().join(WEIGHTS), &Device::Cpu).unwrap();
    let bits = |tensor: &candle_core::Tensor| -> Vec<u64> {
        let wide = tensor.flatten_all().unwrap().to_dtype(candle_core::DType::F64).unwrap();
        wide.to_vec1::<f64>().unwrap().into_iter().map(f64::to_bits).collect()
    };
    assert_eq!(start.len(), end.len());
    for (name, before) in &start {
        let below = !["layer3.", "layer4.", "fc."].iter().any(|part| name.starts_with(part));
        assert_eq!(bits(before) == bits(&end[name]), below, "{name}");
    }

    // Killed while what is frozen is computed, then in epochs and in a validation.
    let broken = tempfile::tempdir().unwrap();
    for patches in [30, 80, 20, 60] {
        let killer = Killer(AtomicU64::new(patches));
        let killed = catch_unwind(AssertUnwindSafe(|| run(&network, broken.path(), &killer)));
        assert!(killed.is_err());
        assert!(broken.path().join("frozen").exists());
    }
    assert_eq!(run(&network, broken.path(), &Silent).unwrap(), evaluation);
    assert_same(broken.path(), whole.path());
    assert!(!broken.path().join("frozen").exists());
}

/// Whether what is frozen is computed once or in every step changes no bit of what is trained.
#[test]
fn outputs_that_are_kept_train_as_those_that_are_computed_again() {
    let kept = trained_by(|t| Training { epochs: 2, ..frozen(t) });
    let a = tempfile::tempdir().unwrap();
    let listener = Listener(Default::default());
    let evaluation = run(&kept, a.path(), &listener).unwrap();
    let said = listener.0.into_inner().unwrap();
    let words = ["layer2", "computed once and kept"];
    assert!(said.iter().any(|line| words.iter().all(|w| line.contains(w))), "{said:?}");
    assert!(said.iter().any(|line| line.contains("starts at random and stays so")), "{said:?}");

    // A change of brightness by next to nothing changes no pixel, and counts as augmentation: nothing is kept.
    let augment = Augment { intensity: 1e-9, ..Augment::NONE };
    let computed = trained_by(|t| Training { epochs: 2, augment, ..frozen(t) });
    let b = tempfile::tempdir().unwrap();
    let listener = Listener(Default::default());
    let other = run(&computed, b.path(), &listener).unwrap();
    let said = listener.0.into_inner().unwrap();
    assert!(!said.iter().any(|line| line.contains("computed once")), "{said:?}");
    assert_eq!(other, evaluation);
    assert_same(a.path(), b.path());
}

/// Batch normalisation that is frozen takes a batch of one, that which is trained does not.
#[test]
fn a_head_is_trained_by_single_patches() {
    let head = |layer: &str| {
        let freeze = Some(layer.into());
        let network = trained_by(|t| Training { freeze, batch: 1, epochs: 1, ..frozen(t) });
        run(&network, tempfile::tempdir().unwrap().path(), &Silent)
    };
    head("layer4").unwrap();
    let message = format!("{:#}", head("layer3").unwrap_err());
    assert!(message.contains("batch of one"), "{message}");
}

/// Asserts that two trainings left the same weights and the same history but for its seconds.
#[track_caller]
fn assert_same(a: &Path, b: &Path) {
    let weights = |folder: &Path| std::fs::read(folder.join(WEIGHTS)).unwrap();
    assert!(weights(a) == weights(b), "the weights differ");
    let history = |folder: &Path| -> Vec<String> {
        let text = std::fs::read_to_string(folder.join("history.jsonl")).unwrap();
        let timeless = |line: &str| {
            let (before, after) = line.split_once("\"seconds\":").unwrap();
            format!("{before}{}", after.trim_start_matches(|c: char| c.is_numeric() || c == '.'))
        };
        text.lines().map(timeless).collect()
    };
    assert_eq!(history(a), history(b));
}

#[test]
fn stops_early_and_says_so() {
    let network = trained_by(|t| Training { epochs: 30, early_stopping: Some(2), ..t });
    let folder = tempfile::tempdir().unwrap();
    let evaluation = run(&network, folder.path(), &Silent).unwrap();
    let history = read_history(folder.path()).unwrap();
    let best = evaluation.best_epoch().unwrap();
    assert_eq!(history.len() as u32, best + 2);
    assert!(history.len() < 30);
    let stopped: Vec<bool> = history.iter().map(|epoch| epoch.stopped_early).collect();
    assert_eq!(stopped.iter().position(|&stopped| stopped), Some(history.len() - 1));
    let auc = |epoch: u32| history[epoch as usize - 1].validation_auc;
    assert!(auc(best + 1) <= auc(best) && auc(best + 2) <= auc(best));
}

#[test]
fn a_network_that_no_longer_looks_at_its_patches_is_not_trained_on() {
    let (manifest, _) = dataset();
    // There is nothing to tell these patches apart by.
    let store = Store::in_memory(EDGE, &vec![100; 72 * (EDGE * EDGE) as usize]).unwrap();
    let network = trained_by(|t| Training { epochs: 30, ..t });
    let folder = tempfile::tempdir().unwrap();
    for _again in 0..2 {
        let refused =
            run_of((NAME, &network), folder.path(), &Silent, (&manifest, &store)).unwrap_err();
        let words = format!("{refused:#}");
        assert!(words.contains("every validation patch gets the same probabilities"), "{words}");
        assert!(words.contains("`lr` is 2e-2"), "{words}");
        let history = std::fs::read_to_string(folder.path().join("history.jsonl")).unwrap();
        assert_eq!(history.lines().count(), 3, "and no epoch more when it is asked for again");
        assert!(history.lines().all(|epoch| epoch.contains("\"spread\":0.0")), "{history}");
    }
}

#[test]
fn three_classes_are_learnt_with_weights_and_intensity() {
    let network = trained_by(|t| Training {
        epochs: 6,
        augment: Augment { intensity: 0.05, ..Augment::SYMMETRIES },
        class_weights: ClassWeights::Balanced,
        ..t
    });
    let folder = tempfile::tempdir().unwrap();
    let evaluation = run_on(NAME, &network, folder.path(), &Silent, |manifest| {
        manifest.patching.classes = 3;
        // Those with a dark disc.
        for patch in (0..72).filter(|i| i % 3 == 2 && i % 4 != 0) {
            manifest.patches[patch].benign = true;
        }
    })
    .unwrap();
    for (_, probabilities) in &evaluation.scores {
        assert_eq!(probabilities.len(), 3);
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
    let history = read_history(folder.path()).unwrap();
    let best = &history[evaluation.best_epoch().unwrap() as usize - 1];
    assert!(best.validation_auc.unwrap() > 0.8, "{history:?}");
    // Another weighting is another training.
    let plain = trained_by(|t| Training { epochs: 1, ..t });
    let weighted = trained_by(|t| Training {
        epochs: 1,
        class_weights: ClassWeights::Given(vec![1., 9.]),
        ..t
    });
    let losses = [plain, weighted].map(|network| {
        let folder = tempfile::tempdir().unwrap();
        run(&network, folder.path(), &Silent).unwrap();
        read_history(folder.path()).unwrap()[0].loss
    });
    assert_ne!(losses[0], losses[1]);
}

#[test]
fn what_cannot_be_trained_is_refused_before_anything_starts() {
    let network = trained_by(|t| t);
    let folder = tempfile::tempdir().unwrap();
    let refused = |network: &config::Run, change: fn(&mut Manifest)| {
        let message =
            format!("{:#}", run_on(NAME, network, folder.path(), &Silent, change).unwrap_err());
        assert!(!folder.path().join("history.jsonl").exists());
        message
    };
    let message = refused(&network, |manifest| {
        manifest.patches[..48].iter_mut().for_each(|patch| patch.positive = false);
    });
    for part in ["train split", "class \"cancer\"", "48 no cancer, 0 cancer"] {
        assert!(message.contains(part), "{message}");
    }
    let message = refused(&network, |manifest| {
        manifest.mammograms.iter_mut().for_each(|member| member.split = Split::Train);
    });
    assert!(message.contains("validation split") && message.contains("best epoch"), "{message}");
    let message = refused(&trained_by(|t| Training { batch: 1, ..t }), |_| {});
    assert!(message.contains("batch of one") && message.contains("larger"), "{message}");
}

/// Remembers what was said.
struct Listener(std::sync::Mutex<Vec<String>>);

impl Progress for Listener {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, text: &str) {
        self.say(&format!("note: {text}"));
    }
    fn finish(&self) {}
    fn say(&self, line: &str) {
        self.0.lock().unwrap().push(line.into());
    }
    fn warn(&self, line: &str) {
        self.say(line);
    }
}

#[test]
fn odd_batches_and_a_validation_of_one_class_still_train() {
    let listener = Listener(Default::default());
    // 47 of 48 leave one, which joins them: a step of 48, whose statistics are sound.
    let network = trained_by(|t| Training { batch: 47, epochs: 2, ..t });
    let folder = tempfile::tempdir().unwrap();
    let evaluation = run_on(NAME, &network, folder.path(), &listener, |manifest| {
        manifest.patches[48..60].iter_mut().for_each(|patch| patch.positive = false);
    })
    .unwrap();
    assert_eq!(evaluation.auc, None);
    let history = read_history(folder.path()).unwrap();
    let best = evaluation.best_epoch().unwrap() as usize - 1;
    assert!(history.iter().all(|e| e.validation_loss >= history[best].validation_loss));
    let network = trained_by(|t| Training { batch: 100, epochs: 2, ..t });
    run(&network, tempfile::tempdir().unwrap().path(), &listener).unwrap();
    let said = listener.0.into_inner().unwrap();
    let heard = |words: &[&str]| said.iter().any(|line| words.iter().all(|w| line.contains(w)));
    assert!(heard(&["lacks a class", "lowest loss"]), "{said:?}");
    assert!(heard(&["batch of 100", "48 patches", "single step"]), "{said:?}");
    assert!(heard(&["note: epoch 2/2, loss", "AUC"]), "{said:?}");
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
    let asis = config::Run {
        weights: config::Start::File(weights.clone()),
        training: None,
        ..network(0.02)
    };
    let other = tempfile::tempdir().unwrap();
    let evaluation = run(&asis, other.path(), &Silent).unwrap();
    let pretrained = Some(WEIGHTS.to_owned());
    assert_eq!(evaluation.origin, record::training::Origin::Run { pretrained, best_epoch: None });
    assert_eq!(evaluation.auc, read_evaluation(folder.path()).unwrap().auc);
    assert!(read_history(other.path()).unwrap().is_empty());

    // One output that is the difference of the two has the same probabilities by its sigmoid; so have
    // the two in another order, where the project says which is which.
    let weights = candle_core::safetensors::load(&weights, &Device::Cpu).unwrap();
    let rows = |name: &str, row: usize| weights[name].narrow(0, row, 1).unwrap();
    let changed = |change: &dyn Fn(&str) -> candle_core::Tensor| {
        let mut changed = weights.clone();
        for name in ["fc.weight", "fc.bias"] {
            changed.insert(name.into(), change(name));
        }
        let path = other.path().join("changed.pth.safetensors");
        candle_core::safetensors::save(&changed, &path).unwrap();
        config::Start::File(path)
    };
    type Change<'a> = &'a dyn Fn(&str) -> candle_core::Tensor;
    let difference: Change = &|name| (rows(name, 1) - rows(name, 0)).unwrap();
    let swapped: Change =
        &|name| candle_core::Tensor::cat(&[rows(name, 1), rows(name, 0)], 0).unwrap();
    use config::Output::{Cancer, Normal};
    for (change, outputs) in [(difference, vec![]), (swapped, vec![Cancer, Normal])] {
        let again = tempfile::tempdir().unwrap();
        let asis = config::Run { weights: changed(change), outputs, ..asis.clone() };
        same_scores(&run(&asis, again.path(), &Silent).unwrap(), &evaluation);
    }
    // Three outputs are not two classes by themselves.
    let three: Change = &|name| {
        candle_core::Tensor::cat(&[rows(name, 1), rows(name, 0), rows(name, 0)], 0).unwrap()
    };
    let asis = config::Run { weights: changed(three), ..asis };
    let message = format!("{:#}", run(&asis, other.path(), &Silent).unwrap_err());
    assert!(message.contains("3 outputs") && message.contains("`outputs`"), "{message}");
}

fn same_scores(found: &Evaluation, expected: &Evaluation) {
    assert_eq!(found.scores.len(), expected.scores.len());
    for ((patch, ours), (other, theirs)) in found.scores.iter().zip(&expected.scores) {
        assert_eq!(patch, other);
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-5, "{patch}: {ours} {theirs}");
        }
    }
}

/// Only mammograms have labels: every third has a cancer, which lies in three of its twelve patches.
fn bags() -> (Manifest, Store) {
    let (mut manifest, store) = dataset();
    let member = manifest.mammograms[0].clone();
    let mut mammograms = Vec::new();
    // Of four patches each: the disc is in those that dataset() calls positive.
    for (number, patch) in (0u32..).zip(&mut manifest.patches) {
        let mammogram = number / 4;
        patch.mammogram = mammogram;
        if number % 4 == 0 {
            let own = assess::tests::lesion(mammogram::Pathology::Malignant, "mass", None);
            let patient = number / 12;
            let lesions = if mammogram % 3 == 1 { vec![own] } else { Vec::new() };
            mammograms.push(Member {
                mammogram: Mammogram {
                    id: format!("m{mammogram}"),
                    patient: format!("p{patient}"),
                    lesions,
                    ..member.mammogram.clone()
                },
                split: if patient < 4 { Split::Train } else { Split::Validation },
                ..member.clone()
            });
        }
    }
    manifest.mammograms = mammograms;
    manifest.patching.labels = config::Labels::Image;
    // Discs in mammograms with cancer alone.
    let edge = store.edge() as usize;
    let mut pixels = Vec::new();
    for (number, patch) in (0u32..).zip(&mut manifest.patches) {
        let cancer = patch.mammogram % 3 == 1;
        let mut own = store.pixels(number).to_vec();
        if patch.positive && !cancer {
            own = store.pixels(number - number % 12 + 1).to_vec();
        } else if cancer && patch.positive {
            for (at, grey) in own.iter_mut().enumerate() {
                let [x, y] = [at % edge, at / edge].map(|v| v as i32 - 16);
                *grey = if x * x + y * y < 60 { 250 } else { *grey };
            }
        }
        patch.positive = cancer;
        pixels.extend(own);
    }
    (manifest, Store::in_memory(EDGE, &pixels).unwrap())
}

#[test]
fn mammograms_with_labels_are_enough_to_learn_from() {
    let (manifest, store) = bags();
    for pooling in [Bag::NoisyOr, Bag::TopK, Bag::Attention] {
        let mil = Mil { pooling, share: 0.25 };
        // A step is a few mammograms: faster, and the network no longer looks at its patches.
        let lr = Rate::Same(0.004);
        let network = trained_by(|t| Training {
            objective: Objective::Mil(mil),
            lr,
            epochs: 20,
            batch: 12,
            checkpoint_minutes: 1e-9,
            ..t
        });
        let run = |folder: &Path, progress: &dyn Progress| {
            run_of((NAME, &network), folder, progress, (&manifest, &store))
        };
        let whole = tempfile::tempdir().unwrap();
        let found = run(whole.path(), &Silent).unwrap();
        // Six mammograms of validation, two of them with cancer.
        let level = found.assessment.levels.mammogram_pooled.as_ref().unwrap();
        assert_eq!((level.positives, level.negatives), (2, 4));
        let history = read_history(whole.path()).unwrap();
        assert!(level.auc.unwrap().value > 0.5, "{pooling:?}: {history:?}");
        // What is kept is what the best epoch had.
        let best = history.iter().filter_map(|epoch| epoch.validation_auc).fold(0.0, f64::max);
        assert_eq!(level.auc.unwrap().value, best, "{pooling:?}");
        let [first, last] = [&history[0], &history[history.len() - 1]].map(|epoch| epoch.loss);
        assert!(last < 0.9 * first, "{pooling:?}: {history:?}");
        assert!(found.scores.iter().all(|(_, of_classes)| of_classes.len() == 2));

        // Killed within an epoch and within a validation.
        let broken = tempfile::tempdir().unwrap();
        for patches in [30, 50, 61] {
            let killer = Killer(AtomicU64::new(patches));
            let killed = catch_unwind(AssertUnwindSafe(|| run(broken.path(), &killer)));
            assert!(killed.is_err());
        }
        assert_eq!(run(broken.path(), &Silent).unwrap(), found);
        assert_same(broken.path(), whole.path());

        // What is loaded again has the classes alone for its logits, and the same probabilities.
        let job = Job {
            name: NAME,
            run: &network,
            manifest: &manifest,
            store: &store,
            device: &Device::Cpu,
            seed: 5,
        };
        let network = load(&job, whole.path()).unwrap();
        let (patches, scores): (Vec<u32>, Vec<_>) = found.scores.iter().cloned().unzip();
        let verdict = evaluate::judge(&network, &manifest, &store, &patches, |_| {}).unwrap();
        assert_eq!(verdict.probabilities, scores);
        let extra = if pooling == Bag::Attention { 128 } else { 0 };
        assert_eq!(verdict.outputs[0].len(), 2 + extra);
    }
}

#[test]
fn what_a_frozen_part_makes_of_whole_mammograms_may_be_kept() {
    let (manifest, store) = bags();
    let settings = |t| Training {
        objective: Objective::Mil(Mil { pooling: Bag::TopK, share: 0.25 }),
        epochs: 2,
        balance: true,
        ..frozen(t)
    };
    let of = |augment: Augment| {
        let folder = tempfile::tempdir().unwrap();
        let run = trained_by(|t| Training { augment, ..settings(t) });
        let found = run_of((NAME, &run), folder.path(), &Silent, (&manifest, &store)).unwrap();
        (folder, found)
    };
    let (kept, found) = of(Augment::NONE);
    // Brightness by nothing is no change, and yet nothing is kept.
    let (computed, again) = of(Augment { intensity: 1e-12, ..Augment::NONE });
    assert_eq!(found.scores, again.scores);
    assert_same(kept.path(), computed.path());
}
