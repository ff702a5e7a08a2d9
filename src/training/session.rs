//! The epochs of a training, from the start or from where an interrupted one had come.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Error, Result, bail, ensure};

use super::checkpoint::{self, Best, Partial, Reached};
use super::evaluate::{Verdict, judge_fed};
use super::events::{self, Events};
use super::frozen::Outputs;
use super::health::Trouble;
use super::history::History;
use super::loader::{self, Batch, Feed};
use super::objective::{Judged, Objective};
use super::sampling::Examples;
use super::{Job, schedule};
use base::artifact::{Fingerprint, Stamp};
use base::progress::Progress;
use base::{Split, seed};
use config::{Augment, Rates, Training};
use network::Network;
use network::device::Shortage;
use network::sgd::Sgd;
use record::training::{Epoch, WEIGHTS};

/// Steps from one loss in the event files to the next.
const EVENT_EVERY: u64 = 20;

/// A training at work.
pub(super) struct Session<'a> {
    job: &'a Job<'a>,
    settings: &'a Training,
    folder: &'a Path,
    progress: &'a dyn Progress,
    /// Of this training.
    seed: u64,
    validation: Vec<u32>,
    examples: Examples<'a>,
    objective: Objective<'a>,
    /// Patches of an epoch.
    patches: usize,
    /// Steps before each epoch from the first, and in the end all.
    before: Vec<u64>,
    network: &'a mut Network,
    /// What its frozen part makes of the patches, where that is kept.
    outputs: Option<Outputs>,
    sgd: Sgd,
    /// For each parameter that is trained whether it is part of the head.
    head: Vec<bool>,
    reached: Reached,
    history: History,
    events: Option<Events>,
    /// Validation AUC of the last epoch, where there was one.
    last_auc: Option<f64>,
    saved: Instant,
    /// Output of the best weights on the validation split, unless an earlier run found them.
    verdict: Option<Verdict>,
}

/// What a training came to.
pub(super) struct Kept {
    /// The epoch whose weights were kept.
    pub(super) epoch: u32,
    /// Their output on the validation split, where this run computed it.
    pub(super) verdict: Option<Verdict>,
}

impl<'a> Session<'a> {
    /// Checks that `network` can be trained, and resumes what `folder` holds of this training.
    ///
    /// # Errors
    /// When a class or the validation split is missing, or the checkpoint cannot be read.
    pub(super) fn begin(
        job: &'a Job<'a>,
        settings: &'a Training,
        network: &'a mut Network,
        folder: &'a Path,
        stamp: &Stamp,
        progress: &'a dyn Progress,
    ) -> Result<Self> {
        let Job { manifest, .. } = *job;
        let name = job.name;
        let examples = Examples::new(manifest, settings.objective);
        examples.check(name)?;
        let validation = manifest.of_split(Split::Validation);
        if examples.counts(&examples.of_split(Split::Validation)).contains(&0) {
            progress.say(&format!(
                "{name}: the validation split lacks a class, so the epoch with the lowest loss there \
                 is kept instead of the one with the highest AUC"
            ));
        }
        let seed = seed::derive(job.seed, &format!("training/{name}"));
        // Every epoch has as many examples of each class as the first.
        let order = examples.order(settings.balance, seed, 1);
        let batches = examples.batches(&order, settings.batch);
        let patches = batches.iter().map(Vec::len).sum();
        let (before, single) = examples.plan(settings, seed);
        if settings.batch > patches {
            progress.say(&format!(
                "{name}: a batch of {} is more than the {patches} patches of an epoch; each epoch is \
                 a single step",
                settings.batch
            ));
        }
        if single {
            check_single(network, name)?;
        }
        let objective = Objective::new(manifest, settings, &examples.counts(&order));

        let inputs = stamp.fingerprint();
        let mut sgd =
            Sgd::new(network.trained_parameters(), settings.momentum, settings.weight_decay)?;
        let resumed = checkpoint::resume(folder, &inputs, network, &mut sgd)?;
        if resumed.is_none() {
            events::clear(folder)?;
        }
        let reached = resumed.unwrap_or_else(|| Reached {
            inputs,
            epoch: 0,
            partial: Partial::default(),
            best: None,
            history: History::default().content(),
        });
        let history = History::resume(folder, reached.epoch, &reached.history)?;
        match (reached.epoch, reached.partial.steps) {
            (0, 0) => {}
            (epoch, 0) => progress.say(&format!("{name}: resumed after epoch {epoch}")),
            (epoch, step) => progress.say(&format!(
                "{name}: resumed in epoch {} after step {step} of {}",
                epoch + 1,
                steps_of(&before, epoch + 1)
            )),
        }
        Ok(Self {
            job,
            settings,
            folder,
            progress,
            seed,
            validation,
            examples,
            objective,
            patches,
            before,
            outputs: None,
            sgd,
            head: network.head(),
            network,
            last_auc: history.last_auc(),
            history,
            reached,
            events: settings.tensorboard.then(|| Events::open(folder)).transpose()?,
            saved: Instant::now(),
            verdict: None,
        })
    }

    /// Runs the epochs that are left and leaves the best weights in the network.
    ///
    /// # Errors
    /// When a file cannot be written, the device fails, the loss stops being finite, or the training has gone wrong
    /// before anything was learned.
    pub(super) fn run(mut self) -> Result<Kept> {
        let epochs = u64::from(self.settings.epochs - self.reached.epoch.min(self.settings.epochs));
        let lost = Trouble::of(self.history.epochs()).is_some_and(Trouble::is_final);
        if epochs > 0 && !lost && !self.stalled(self.reached.epoch) {
            self.keep()?;
        }
        let each = (self.patches + self.validation.len()) as u64;
        // Of an epoch that was begun; its steps may differ in size.
        let steps = self.steps(self.reached.epoch + 1).max(1);
        let done = (self.patches * self.reached.partial.steps / steps) as u64;
        // One bar for all that is left, so that its time left is the training's.
        self.progress.start(self.job.name, (epochs * each).saturating_sub(done));
        let mut trouble = None;
        while self.reached.epoch < self.settings.epochs && !self.stalled(self.reached.epoch) {
            // Also of a training that is asked for again.
            let found = Trouble::of(self.history.epochs());
            if let Some(new) = found.filter(|_| found != trouble) {
                self.progress.say(&format!("{}: {}", self.job.name, new.words(self.settings.lr)));
            }
            trouble = found;
            if found.is_some_and(Trouble::is_final) {
                break;
            }
            self.epoch(self.reached.epoch + 1)?;
        }
        self.progress.finish();
        let Some(best) = self.reached.best.take() else { bail!("no epoch was trained") };
        let (name, last) = (self.job.name, self.reached.epoch);
        let trouble = trouble.filter(|trouble| trouble.is_final());
        if let Some(trouble) = trouble.filter(|_| !Trouble::came_after(best.epoch, last)) {
            bail!("{name}: {}", trouble.words(self.settings.lr));
        }
        if last < self.settings.epochs {
            let why = match trouble {
                Some(_) => "what was learned before it went wrong is kept: the weights of",
                None => "none was better after",
            };
            self.progress.say(&format!(
                "{name}: stopped after epoch {last} of {}; {why} epoch {}",
                self.settings.epochs, best.epoch
            ));
        }
        let weights = self.folder.join(WEIGHTS);
        ensure!(
            Fingerprint::of_file(&weights)? == best.weights,
            "{} is damaged: it is not what was written; remove its folder to train from the start",
            weights.display()
        );
        self.network.load(&weights)?;
        Ok(Kept { epoch: best.epoch, verdict: self.verdict })
    }

    /// Computes what the frozen part of the network makes of the patches, where that is less work than to compute
    /// it in each epoch.
    fn keep(&mut self) -> Result<()> {
        let Training { epochs, augment, .. } = *self.settings;
        if self.network.frozen().is_none() || augment != Augment::NONE {
            return Ok(());
        }
        let manifest = self.job.manifest;
        let all = manifest.of_split(Split::Train).len();
        let mut met = BTreeSet::new();
        for epoch in 1..=epochs {
            met.extend(self.examples.epoch(self.settings, self.seed, epoch).into_iter().flatten());
            // Balanced epochs draw some of a class each, and after some epochs have drawn all.
            if met.len() == all {
                break;
            }
        }
        let met: Vec<u32> = met.into_iter().chain(self.validation.iter().copied()).collect();
        if u64::from(epochs) * (self.patches + self.validation.len()) as u64 > met.len() as u64 {
            let place = (self.folder, &self.reached.inputs);
            self.outputs = Outputs::of(self.job, self.network, &met, place, self.progress)?;
        }
        Ok(())
    }

    /// Whether no epoch up to this one was better for as long as `early_stopping` allows.
    fn stalled(&self, epoch: u32) -> bool {
        match (self.settings.early_stopping, &self.reached.best) {
            (Some(patience), Some(best)) => epoch >= best.epoch.saturating_add(patience),
            _ => false,
        }
    }

    /// One epoch, from where it was interrupted, with its validation and its files.
    fn epoch(&mut self, epoch: u32) -> Result<()> {
        let Job { manifest, store, .. } = *self.job;
        let augment = self.settings.augment;
        let began = Instant::now();
        let (seed, before) = (self.seed, self.reached.partial.seconds);
        let batches = self.examples.epoch(self.settings, seed, epoch);
        let positions = batches.iter().scan(0, |next, patches| {
            let position = *next;
            *next += patches.len();
            Some(position)
        });
        let left = positions.zip(&batches).skip(self.reached.partial.steps);
        // Taken, that steps may change the rest of this.
        let outputs = self.outputs.take();
        let feed = outputs.as_ref().map_or(Feed::Pixels(store), Feed::Outputs);
        let left = left.map(|(position, patches)| match feed {
            Feed::Pixels(store) => {
                Batch::augmented(store, patches, augment, (seed, epoch, position))
            }
            Feed::Outputs(_) => feed.batch(patches),
        });
        loader::ahead(left, |ready| -> Result<()> {
            for batch in ready {
                self.step(epoch, &batch).map_err(|error| self.explained(error, &batch))?;
                self.reached.partial.seconds = before + began.elapsed().as_secs_f64();
                self.progress.note(&self.figures(epoch));
                self.progress.advance(batch.patches.len() as u64);
                // The last step's checkpoint is the epoch's.
                if self.reached.partial.steps < self.steps(epoch) && self.is_due() {
                    self.save()?;
                }
            }
            Ok(())
        })?;
        let verdict = judge_fed(self.network, manifest, feed, &self.validation, |n| {
            self.progress.advance(n);
        })?;
        self.outputs = outputs;
        let Judged { loss: validation_loss, accuracy: validation_accuracy, auc } =
            self.objective.judge(&verdict, &self.validation);
        if !validation_loss.is_finite() {
            let place = format!("on the validation split after epoch {epoch}");
            bail!("{}", self.diverged(validation_loss, &place));
        }
        self.last_auc = auc;

        let spread = Some(f64::from(verdict.spread()));
        // The order of these writes is what makes a kill at any moment harmless: until the
        // checkpoint is replaced, what follows the one before is done again, with the same result.
        let merit = self.last_auc.unwrap_or(-validation_loss);
        if self.reached.best.as_ref().is_none_or(|best| merit > best.merit) {
            let path = self.folder.join(WEIGHTS);
            checkpoint::save(&path, &self.network.state()?)?;
            let weights = Fingerprint::of_file(&path)?;
            self.reached.best = Some(Best { epoch, merit, weights });
            self.verdict = Some(verdict);
        }
        let examples: usize = batches.iter().map(|patches| self.objective.examples(patches)).sum();
        let Partial { loss, weight, correct, seconds, .. } = self.reached.partial;
        let last = self.before[epoch as usize] - 1;
        let Rates { head, rest } = self.rates(last, epoch);
        let record = Epoch {
            epoch,
            lr: head,
            lr_rest: (rest != head).then_some(rest),
            loss: loss / weight,
            accuracy: correct as f64 / examples as f64,
            validation_loss,
            validation_accuracy,
            validation_auc: self.last_auc,
            spread,
            seconds: before + began.elapsed().as_secs_f64(),
            stopped_early: epoch < self.settings.epochs && self.stalled(epoch),
        };
        self.progress.say(&self.describe(&record, self.patches as f64 / seconds));
        self.history.push(self.folder, &record)?;
        self.reached.history = self.history.content();
        self.reached.epoch = epoch;
        self.reached.partial = Partial::default();
        self.tell(&record)?;
        self.save()
    }

    /// One step of gradient descent.
    fn step(&mut self, epoch: u32, batch: &Batch) -> Result<()> {
        let in_epoch = self.reached.partial.steps;
        let step = self.before[epoch as usize - 1] + in_epoch as u64;
        let input = batch.input(self.network)?;
        let dropout_seed = seed::derive(self.seed, &format!("dropout/{step}"));
        let logits = batch.training_logits(self.network, &input, dropout_seed)?;
        let loss = logits.loss(|logits| self.objective.of(logits, &batch.patches))?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            bail!(
                "{}",
                self.diverged(value, &format!("at step {} of epoch {epoch}", in_epoch + 1))
            );
        }
        let main = logits.main.detach();
        let Rates { head, rest } = self.rates(step, epoch);
        let rates: Vec<f64> = self.head.iter().map(|&is| if is { head } else { rest }).collect();
        let parameters = self.network.trained_parameters();
        let gradients = logits.backward(&loss, parameters)?;
        self.sgd.step(parameters, &gradients, &rates)?;

        let partial = &mut self.reached.partial;
        let weight = self.objective.weight(&batch.patches);
        let logits = main.to_dtype(candle_core::DType::F32)?.to_vec2::<f32>()?;
        partial.steps += 1;
        partial.loss += value * weight;
        partial.weight += weight;
        partial.correct += self.objective.correct(&logits, &batch.patches);
        match &mut self.events {
            Some(events) if step.is_multiple_of(EVENT_EVERY) => {
                events.scalar("loss/step", step, value)
            }
            _ => Ok(()),
        }
    }

    /// An error of a step; where the device has no memory for one, with what it would have.
    fn explained(&self, error: Error, batch: &Batch) -> Error {
        let network = &*self.network;
        let step = |patches: usize| -> Result<()> {
            let input = batch.input(network)?.narrow(0, 0, patches)?;
            let logits = batch.training_logits(network, &input, 0)?;
            let loss =
                logits.loss(|logits| self.objective.of(logits, &batch.patches[..patches]))?;
            logits.backward(&loss, network.trained_parameters())?;
            Ok(())
        };
        match Shortage::of(&error, network.device(), batch.patches.len(), step) {
            // A smaller batch is no help where it is one mammogram.
            Some(shortage) if self.objective.examples(&batch.patches) < batch.patches.len() => error
                .context(format!(
                    "{}: {shortage}; a mammogram is never divided, so a smaller `input` or a larger \
                     `patches.stride` may be what helps",
                    self.job.name
                )),
            Some(shortage) => error.context(format!("{}: {shortage}", self.job.name)),
            None => error,
        }
    }

    fn rates(&self, step: u64, epoch: u32) -> Rates {
        let steps = self.before.last().copied().unwrap_or_default();
        schedule::rates(self.settings, step, steps, epoch)
    }

    /// Steps of an epoch.
    fn steps(&self, epoch: u32) -> usize {
        steps_of(&self.before, epoch)
    }

    /// Whether the last checkpoint is old enough for another.
    fn is_due(&self) -> bool {
        let minutes = self.settings.checkpoint_minutes;
        minutes > 0.0 && self.saved.elapsed().as_secs_f64() >= 60.0 * minutes
    }

    /// Writes a checkpoint.
    fn save(&mut self) -> Result<()> {
        let began = Instant::now();
        checkpoint::write(self.folder, self.network, &self.sgd, &self.reached)?;
        self.saved = Instant::now();
        if began.elapsed() > Duration::from_secs(10) {
            self.progress.say(&format!(
                "{}: writing the checkpoint took {:.0} s",
                self.job.name,
                began.elapsed().as_secs_f64()
            ));
        }
        Ok(())
    }

    /// Writes an epoch's scalars for TensorBoard, if asked for.
    fn tell(&mut self, record: &Epoch) -> Result<()> {
        let Some(events) = &mut self.events else { return Ok(()) };
        let epoch = u64::from(record.epoch);
        events.scalar("loss/train", epoch, record.loss)?;
        events.scalar("loss/validation", epoch, record.validation_loss)?;
        if let Some(auc) = record.validation_auc {
            events.scalar("auc/validation", epoch, auc)?;
        }
        events.scalar("lr", epoch, record.lr)
    }

    /// What is shown beside the bar.
    fn figures(&self, epoch: u32) -> String {
        let Partial { loss, weight, .. } = self.reached.partial;
        let auc = self.last_auc.map_or(String::new(), |auc| format!(", AUC {auc:.3}"));
        format!("epoch {epoch}/{}, loss {:.3}{auc}", self.settings.epochs, loss / weight)
    }

    fn describe(&self, epoch: &Epoch, speed: f64) -> String {
        let auc = epoch.validation_auc.map_or("-".into(), |auc| format!("{auc:.3}"));
        format!(
            "{} epoch {}/{}: loss {:.3}, accuracy {:.3}; validation loss {:.3}, accuracy {:.3}, AUC \
             {auc}; {:.0} s, {speed:.0} patches/s",
            self.job.name,
            epoch.epoch,
            self.settings.epochs,
            epoch.loss,
            epoch.accuracy,
            epoch.validation_loss,
            epoch.validation_accuracy,
            epoch.seconds,
        )
    }

    fn diverged(&self, loss: f64, place: &str) -> String {
        format!(
            "{}: the loss is {loss} {place}; a smaller learning rate (lr: {} now) or a longer \
             warm-up usually helps",
            self.job.name, self.settings.lr
        )
    }
}

/// Steps of an epoch, by those before each; none after the last.
fn steps_of(before: &[u64], epoch: u32) -> usize {
    let [Some(start), Some(end)] = [epoch - 1, epoch].map(|at| before.get(at as usize)) else {
        return 0;
    };
    (end - start) as usize
}

/// Checks that `network` can be trained on a batch of one image.
///
/// # Errors
/// When it would normalise a single value by itself, which PyTorch refuses too.
pub(super) fn check_single(network: &Network, name: &str) -> Result<()> {
    let (Some(last), false) = (network.layers().last(), network.trained_buffers().is_empty())
    else {
        return Ok(());
    };
    let edge = network.input() as usize;
    let image =
        candle_core::Tensor::zeros((1, 3, edge, edge), candle_core::DType::F32, network.device())?;
    if let [.., 1, 1] = *network.inference().maps(&image, &[last])?[0].dims() {
        bail!(
            "{name} cannot be trained on a batch of one patch: at input {edge} its last maps are a \
             single pixel, which batch normalisation has nothing to compare with; use a larger \
             `batch`"
        );
    }
    Ok(())
}
