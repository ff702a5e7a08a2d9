//! Training and evaluation of networks, as in the paper's section 2.2.

pub mod assess;
mod checkpoint;
pub mod evaluate;
pub mod metrics;
pub mod record;
pub mod sampling;
pub mod schedule;
pub mod sgd;
mod subgroups;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};

use self::checkpoint::Reached;
use self::evaluate::{evaluate, judge, likeliest, log_softmax};
use self::record::{Epoch, Evaluation};
use self::sampling::Turn;
use self::sgd::Sgd;
use crate::artifact::{self, Fingerprint, Stamp};
use crate::config::{self, Split};
use crate::network::{self, Mode, Network};
use crate::patch::{Manifest, Store};
use crate::progress::Progress;
use crate::seed;

/// Version of the files below and of the computation behind them.
pub const FORMAT: u32 = 2;
/// The kept weights, in torchvision's names.
pub const WEIGHTS: &str = "weights.safetensors";
const HISTORY: &str = "history.jsonl";
const EVALUATION: &str = "evaluation.json";

/// What a training reads.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The network and its settings.
    pub network: &'a config::Network,
    /// The prepared data set.
    pub manifest: &'a Manifest,
    /// Its pixels.
    pub store: &'a Store,
    /// Where to compute.
    pub device: &'a Device,
    /// The project's seed.
    pub seed: u64,
}

impl Job<'_> {
    /// How many classes the last layer tells apart.
    fn classes(&self) -> usize {
        self.manifest.classes().len()
    }
}

/// Everything the results depend on.
///
/// # Errors
/// When the starting weights cannot be read.
pub fn stamp(network: &config::Network, seed: u64, dataset: &Fingerprint) -> Result<Stamp> {
    let settings = (&network.name, network.input, &network.training, seed);
    let mut stamp = Stamp::new(FORMAT)
        .with("dataset", dataset.clone())
        .with("settings", Fingerprint::of(&settings));
    if let Some(weights) = &network.weights {
        stamp = stamp.with("weights", Fingerprint::of_file(weights)?);
    }
    Ok(stamp)
}

/// A network as it is before training: the given weights, or random ones.
fn start(job: &Job) -> Result<Network> {
    let Job { network: settings, device, seed, .. } = job;
    let seed = seed::derive(*seed, &format!("weights/{}", settings.name));
    let mut network = Network::new(&settings.name, job.classes(), settings.input, seed, device)?;
    match (&settings.weights, &settings.training) {
        // Fine-tuning replaces the last layer; used as they are, weights must bring it.
        (Some(path), Some(_)) => network.load_trunk(path)?,
        (Some(path), None) => network.load(path)?,
        (None, _) => {}
    }
    Ok(network)
}

/// The network with the weights that training kept; `job` is the one it was trained by.
///
/// # Errors
/// When `folder` holds no finished training of it.
pub fn load(job: &Job, folder: &Path) -> Result<Network> {
    let config::Network { name, input, .. } = job.network;
    let mut network = Network::new(name, job.classes(), *input, 0, job.device)?;
    network.load(&folder.join(WEIGHTS))?;
    Ok(network)
}

/// Trains (or resumes) a network, keeps the epoch that is best on the validation split, evaluates it
/// there, and marks `folder` as finished with `stamp`.
///
/// # Errors
/// When a file cannot be read or written, the device fails, or the loss stops being finite.
pub fn train(job: &Job, folder: &Path, stamp: &Stamp, progress: &dyn Progress) -> Result<()> {
    Stamp::clear(folder)?;
    let mut network = start(job)?;
    let best_epoch = match &job.network.training {
        None => {
            checkpoint::save(&folder.join(WEIGHTS), &network.state()?, None)?;
            write_history(folder, &[])?;
            None
        }
        Some(settings) => Some(descend(job, settings, &mut network, folder, stamp, progress)?),
    };
    let evaluation = evaluate(job, &network, folder, Split::Validation, best_epoch, progress)?;
    artifact::write_json(&folder.join(EVALUATION), &evaluation)?;
    stamp.write(folder)?;
    checkpoint::remove(folder)
}

/// The epochs. Leaves the best weights in `network` and returns their epoch.
fn descend(
    job: &Job,
    settings: &config::Training,
    network: &mut Network,
    folder: &Path,
    stamp: &Stamp,
    progress: &dyn Progress,
) -> Result<u32> {
    let Job { manifest, store, .. } = *job;
    let name = &job.network.name;
    let seed = seed::derive(job.seed, &format!("training/{name}"));
    let validation = manifest.of_split(Split::Validation);
    if manifest.of_split(Split::Train).is_empty() || validation.is_empty() {
        bail!("{name} cannot be trained: the training or the validation split has no patch");
    }
    let inputs = stamp.fingerprint();
    let mut sgd = Sgd::new(network.parameters(), settings.momentum, settings.weight_decay)?;
    let mut history = Vec::new();
    let mut reached = match checkpoint::resume(folder, &inputs, network, &mut sgd)? {
        Some(reached) => {
            history = read_history(folder)?;
            history.truncate(reached.epoch as usize);
            progress.say(&format!("{name}: resumed after epoch {}", reached.epoch));
            reached
        }
        None => Reached { inputs, epoch: 0, best_epoch: 0, best: f64::NEG_INFINITY },
    };

    let per_epoch = sampling::order(manifest, settings.balance, seed, 1).len();
    let steps_per_epoch = per_epoch.div_ceil(settings.batch) as u64;
    let steps = steps_per_epoch * u64::from(settings.epochs);
    for epoch in reached.epoch + 1..=settings.epochs {
        let began = Instant::now();
        progress.start(
            &format!("{name} epoch {epoch}/{}", settings.epochs),
            (per_epoch + validation.len()) as u64,
        );
        let order = sampling::order(manifest, settings.balance, seed, epoch);
        let mut turns = seed::stream(seed, &format!("turns/{epoch}"));
        let (mut loss_sum, mut correct, mut lr) = (0.0, 0, 0.0);
        for (i, batch) in order.chunks(settings.batch).enumerate() {
            let step = u64::from(epoch - 1) * steps_per_epoch + i as u64;
            lr = schedule::rate(settings, step, steps, epoch);
            let edge = store.edge();
            let turned: Vec<Vec<u8>> = batch
                .iter()
                .map(|&n| {
                    let turn = if settings.augment { Turn::draw(&mut turns) } else { Turn::NONE };
                    turn.apply(store.pixels(n), edge as usize)
                })
                .collect();
            let pixels: Vec<&[u8]> = turned.iter().map(Vec::as_slice).collect();
            let images = network::images(&pixels, edge, network.input(), network.device())?;
            let truth: Vec<usize> = batch.iter().map(|&n| manifest.class(n)).collect();
            let dropout_seed = seed::derive(seed, &format!("dropout/{step}"));
            let logits = network.logits(&images, Mode::Training { dropout_seed })?;
            let loss = cross_entropy(&logits, &truth)?;
            let value = f64::from(loss.to_scalar::<f32>()?);
            if !value.is_finite() {
                bail!(
                    "{name}: the loss is {value} at step {} of epoch {epoch}; a smaller learning \
                     rate (lr: {lr:e} now) or a longer warm-up usually helps",
                    i + 1
                );
            }
            sgd.step(network.parameters(), &loss.backward()?, lr)?;
            loss_sum += value * batch.len() as f64;
            let logits = logits.to_vec2::<f32>()?;
            correct += logits.iter().zip(&truth).filter(|(l, t)| likeliest(l) == **t).count();
            progress.note(&format!("loss {value:.3}"));
            progress.advance(batch.len() as u64);
        }
        let verdict = judge(network, manifest, store, &validation, |n| progress.advance(n))?;
        let auc = verdict.mean_auc(manifest, &validation);
        progress.finish();
        let record = Epoch {
            epoch,
            lr,
            loss: loss_sum / order.len() as f64,
            accuracy: correct as f64 / order.len() as f64,
            validation_loss: verdict.loss,
            validation_accuracy: verdict.accuracy,
            validation_auc: auc,
            seconds: began.elapsed().as_secs_f64(),
        };
        progress.say(&describe(name, &record, settings.epochs, order.len()));
        history.push(record);

        // The order of these writes is what makes a kill at any moment harmless: until the
        // checkpoint is replaced, the epoch is done again from the one before, with the same result.
        let merit = auc.unwrap_or(-verdict.loss);
        if merit > reached.best {
            reached = Reached { best: merit, best_epoch: epoch, ..reached };
            checkpoint::save(&folder.join(WEIGHTS), &network.state()?, None)?;
        }
        reached.epoch = epoch;
        write_history(folder, &history)?;
        checkpoint::write(folder, network, &sgd, &reached)?;
    }
    network.load(&folder.join(WEIGHTS))?;
    Ok(reached.best_epoch)
}

/// Mean cross-entropy of `[n, classes]` logits.
fn cross_entropy(logits: &Tensor, truth: &[usize]) -> candle_core::Result<Tensor> {
    let (_, classes) = logits.dims2()?;
    let mut one_hot = vec![0f32; truth.len() * classes];
    truth.iter().enumerate().for_each(|(i, &class)| one_hot[i * classes + class] = 1.0);
    let one_hot = Tensor::from_vec(one_hot, (truth.len(), classes), logits.device())?;
    (log_softmax(logits)? * one_hot)?.sum_all()?.affine(-1.0 / truth.len() as f64, 0.0)
}

fn describe(name: &str, epoch: &Epoch, epochs: u32, patches: usize) -> String {
    let auc = epoch.validation_auc.map_or("-".into(), |auc| format!("{auc:.3}"));
    format!(
        "{name} epoch {}/{epochs}: loss {:.3}, accuracy {:.3}; validation loss {:.3}, accuracy \
         {:.3}, AUC {auc}; {:.0} s, {:.0} patches/s",
        epoch.epoch,
        epoch.loss,
        epoch.accuracy,
        epoch.validation_loss,
        epoch.validation_accuracy,
        epoch.seconds,
        patches as f64 / epoch.seconds,
    )
}

/// The evaluation of a finished training on the validation split.
///
/// # Errors
/// When it cannot be read.
pub fn read_evaluation(folder: &Path) -> Result<Evaluation> {
    artifact::read_json(&folder.join(EVALUATION))
}

/// The epochs of a training, finished or not.
///
/// # Errors
/// When the file cannot be read or a line is not an epoch.
pub fn read_history(folder: &Path) -> Result<Vec<Epoch>> {
    let path = folder.join(HISTORY);
    let text = fs_err::read_to_string(&path)?;
    let parse = |(i, line): (usize, &str)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}:{} is not an epoch", path.display(), i + 1))
    };
    text.lines().enumerate().map(parse).collect()
}

fn write_history(folder: &Path, history: &[Epoch]) -> Result<()> {
    let mut text = String::new();
    for epoch in history {
        text += &serde_json::to_string(epoch)?;
        text.push('\n');
    }
    artifact::write(&folder.join(HISTORY), text.as_bytes())
}

/// `cpu`, `cuda:0`, `metal:0`.
pub fn device_name(device: &Device) -> String {
    match device.location() {
        candle_core::DeviceLocation::Cpu => "cpu".into(),
        candle_core::DeviceLocation::Cuda { gpu_id } => format!("cuda:{gpu_id}"),
        candle_core::DeviceLocation::Metal { gpu_id } => format!("metal:{gpu_id}"),
    }
}

#[cfg(test)]
mod tests;
