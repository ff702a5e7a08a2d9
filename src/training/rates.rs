//! A rate range test (Smith 2017): what the loss does while the learning rate grows from step to step.
//!
//! The network starts as its training would, takes a step for each of some rates that grow by the same factor, and is
//! thrown away. What is left is the loss by the rate; nothing that a training follows from is touched.
//!
//! One batch is harder than another, which in small batches hides what the rate does. So every batch is also shown to a
//! copy of the network that stays as it starts: by how much the one loses more than the other is what the steps have
//! changed. That is smoothed by a straight line through each rate's neighbours on the logarithmic scale, weighted by a
//! Gaussian (local linear regression; Fan & Gijbels 1996), which, unlike a running mean, does not lag behind, and whose
//! slope is the steepness. The rate at which the loss falls most steeply is suggested.

use anyhow::{Result, bail};
use candle_core::{DType, Tensor};

use super::loader::{self, Batch};
use super::objective::Objective;
use super::sampling::Examples;
use super::session::check_single;
use super::{Job, trainable};
use base::artifact::{Fingerprint, Stamp};
use base::progress::{Progress, Silent};
use base::seed;
use config::{Rate, Rates, Schedule, Training};
use network::Network;
use network::sgd::Sgd;
use record::rates::{FORMAT, RateStep, RateTest};

/// The first rate and the last.
const FROM: f64 = 1e-6;
const TO: f64 = 10.0;
/// Standard deviation of the smoothing in powers of ten; where there are few steps it is as wide as so many of them.
const WIDTH: f64 = 0.25;
const LEAST_STEPS: f64 = 1.5;
/// A running loss so many times its least has diverged.
const DIVERGED: f64 = 4.0;
/// Share of each loss in the running one.
const SHARE: f64 = 0.2;
/// Share of the first loss by which it must fall for the fall to be more than chance.
const FALL: f64 = 0.05;

/// What a test of a network follows from: what its training does, but for the rates and how they move.
///
/// # Errors
/// When the starting weights cannot be read.
pub fn stamp(name: &str, run: &config::Run, seed: u64, dataset: &Fingerprint) -> Result<Stamp> {
    let plain = |training: &Training| Training {
        epochs: 1,
        lr: match training.lr {
            Rate::Same(_) => Rate::Same(1.0),
            Rate::Parts(rates) if rates.head == rates.rest => Rate::Same(1.0),
            Rate::Parts(rates) => Rate::Parts(Rates { head: 1.0, rest: proportion(rates) }),
        },
        lr_decay_epochs: Vec::new(),
        schedule: Schedule::Constant,
        warmup: 0,
        early_stopping: None,
        ..training.clone()
    };
    let run = config::Run { training: run.training.as_ref().map(plain), ..run.clone() };
    Ok(super::stamp(name, &run, seed, dataset)?.with("rates", Fingerprint::of(&FORMAT)))
}

/// Rates of the parts where the head's is `rate`: the others keep their proportion to it.
fn at(Rates { head, rest }: Rates, rate: f64) -> Rates {
    Rates { head: rate, rest: rate * (rest / head) }
}

/// The rest's rate by the head's, in so few digits that it is read back as it was written.
fn proportion(rates: Rates) -> f64 {
    let rest = at(rates, 1.0).rest;
    format!("{rest:.8e}").parse().unwrap_or(rest)
}

/// Tests a network over so many steps, at least two.
///
/// # Errors
/// When it is not trained or cannot be, the device fails, or the loss is no number from the start.
pub fn find(job: &Job, steps: usize, progress: &dyn Progress) -> Result<RateTest> {
    let name = job.name;
    let Some(settings) = &job.run.training else {
        bail!("{name} is not trained (`training: false`): there is no rate to find");
    };
    let (manifest, seed) = (job.manifest, seed::derive(job.seed, &format!("training/{name}")));
    let examples = Examples::new(manifest, settings.objective);
    examples.check(name)?;
    let network = trainable(job, settings, progress)?;
    let still = trainable(job, settings, &Silent)?;
    let parameters = network.trained_parameters();
    let mut sgd = Sgd::new(parameters, settings.momentum, settings.weight_decay)?;
    let head = network.head();
    let first = examples.order(settings.balance, seed, 1);
    if examples.batches(&first, settings.batch).iter().any(|batch| batch.len() == 1) {
        check_single(&network, name)?;
    }
    let objective = Objective::new(manifest, settings, &examples.counts(&first));
    let drawn = |step: usize| seed::derive(seed, &format!("dropout/{step}"));
    // The batches of a training, epoch after epoch.
    let plan = (1..).flat_map(|epoch| {
        let batches = examples.epoch(settings, seed, epoch).into_iter();
        batches.scan(0, move |next, patches: Vec<u32>| {
            let position = *next;
            *next += patches.len();
            Some((epoch, position, patches))
        })
    });
    let batches = plan.take(steps).map(|(epoch, position, patches)| {
        Batch::augmented(job.store, &patches, settings.augment, (seed, epoch, position))
    });
    progress.start(&format!("{name}: learning rates"), steps as u64);
    let mut found: Vec<Found> = Vec::with_capacity(steps);
    let mut running = Running::default();
    let diverged = loader::ahead(batches, |ready| -> Result<bool> {
        for (step, batch) in ready.enumerate() {
            let rate = FROM * (TO / FROM).powf(step as f64 / (steps - 1).max(1) as f64);
            let input = batch.input(&network)?;
            // What is frozen is the same of both.
            let frozen = network.frozen_maps(&input)?;
            let logits_of = |network: &Network| match &frozen {
                Some(maps) => network.training_logits_of_maps(maps, drawn(step)),
                None => network.training_logits(&input, drawn(step)),
            };
            let logits = logits_of(&network)?;
            let loss = logits.loss(|logits| objective.of(logits, &batch.patches))?;
            let value = value_of(&loss)?;
            let start = logits_of(&still)?;
            let start = value_of(&start.loss(|logits| objective.of(logits, &batch.patches))?)?;
            if !value.is_finite() && found.is_empty() {
                bail!(
                    "{name}: the loss is {value} before the first step: look at the weights it starts from"
                );
            }
            if !value.is_finite() {
                return Ok(true);
            }
            found.push(Found { rate, loss: value, start });
            progress.note(&format!("rate {rate:.1e}, loss {value:.3}"));
            progress.advance(1);
            if running.diverges(value) {
                return Ok(true);
            }
            let rates = at(settings.lr.rates(), rate);
            let rates: Vec<f64> =
                head.iter().map(|&is| if is { rates.head } else { rates.rest }).collect();
            let gradients = logits.backward(&loss, parameters)?;
            sgd.step(parameters, &gradients, &rates)?;
        }
        Ok(false)
    })?;
    progress.finish();
    let steps = smoothed(&found);
    let suggested = suggested(&steps);
    Ok(RateTest { format: FORMAT, network: name.to_owned(), steps, diverged, suggested })
}

/// A step of the test.
#[derive(Debug, Clone, Copy)]
struct Found {
    rate: f64,
    /// The batch's loss before the step, and that of the network's start.
    loss: f64,
    start: f64,
}

fn value_of(loss: &Tensor) -> Result<f64> {
    Ok(f64::from(loss.to_dtype(DType::F32)?.to_scalar::<f32>()?))
}

/// The loss as it runs, which single batches do not move much.
#[derive(Default)]
struct Running {
    sum: f64,
    weight: f64,
    least: Option<f64>,
}

impl Running {
    /// Takes a loss in; whether it has grown too much.
    fn diverges(&mut self, loss: f64) -> bool {
        self.sum = (1.0 - SHARE) * self.sum + SHARE * loss;
        self.weight = (1.0 - SHARE) * self.weight + SHARE;
        let mean = self.sum / self.weight;
        let least = self.least.map_or(mean, |least| least.min(mean));
        self.least = Some(least);
        mean > DIVERGED * least
    }
}

/// Losses by rising rates, smoothed.
fn smoothed(found: &[Found]) -> Vec<RateStep> {
    let places: Vec<f64> = found.iter().map(|step| step.rate.log10()).collect();
    let level = found.iter().map(|step| step.start).sum::<f64>() / found.len().max(1) as f64;
    let spacing = match places[..] {
        [first, .., last] => (last - first) / (places.len() - 1) as f64,
        _ => 0.0,
    };
    let width = WIDTH.max(LEAST_STEPS * spacing);
    let step = |(&Found { rate, loss, .. }, &place): (&Found, &f64)| {
        let [mut weight, mut x, mut y, mut xx, mut xy] = [0.0; 5];
        for (other, &at) in found.iter().zip(&places) {
            let (away, change) = (at - place, other.loss - other.start);
            let w = (-0.5 * (away / width).powi(2)).exp();
            weight += w;
            x += w * away;
            y += w * change;
            xx += w * away * away;
            xy += w * away * change;
        }
        let spread = weight * xx - x * x;
        // A single step has no slope.
        let slope = if spread > 0.0 { (weight * xy - x * y) / spread } else { 0.0 };
        RateStep { rate, loss, smoothed: level + (y - slope * x) / weight, slope }
    };
    found.iter().zip(&places).map(step).collect()
}

/// The rate of the steepest fall before the least smoothed loss; none where that is hardly below the first.
fn suggested(steps: &[RateStep]) -> Option<f64> {
    let by_loss =
        |a: &(usize, &RateStep), b: &(usize, &RateStep)| a.1.smoothed.total_cmp(&b.1.smoothed);
    let (least, lowest) = steps.iter().enumerate().min_by(by_loss)?;
    if steps[0].smoothed - lowest.smoothed < FALL * steps[0].smoothed.abs() {
        return None;
    }
    let before = steps[..=least].iter();
    before.min_by(|a, b| a.slope.total_cmp(&b.slope)).map(|step| step.rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{dataset, network};
    use base::progress::Silent;
    use candle_core::Device;

    /// Rates from 1e-6 to 10 with a loss for each, of batches of which every other is harder than the rest.
    fn curve(steps: usize, loss: impl Fn(f64) -> f64) -> Vec<Found> {
        let step = |step: usize| {
            let rate = FROM * (TO / FROM).powf(step as f64 / (steps - 1) as f64);
            let harder = if step.is_multiple_of(2) { 0.5 } else { 0.0 };
            Found { rate, loss: loss(rate.log10()) + harder, start: 0.7 + harder }
        };
        (0..steps).map(step).collect()
    }

    #[test]
    fn the_steepest_fall_is_found_through_noise_and_without_lag() {
        // A smooth step down around 10^-2.5, a rise after 1, and batches that differ.
        let noise = |place: f64| 0.03 * (place * 997.0).sin();
        let loss = |place: f64| {
            let fall = 0.4 / (1.0 + (-6.0 * (place + 2.5)).exp());
            0.7 - fall + (place.max(0.0) * 3.0).exp() - 1.0 + noise(place)
        };
        for steps in [40, 100, 400] {
            let found = smoothed(&curve(steps, loss));
            let place = suggested(&found).unwrap().log10();
            assert!((place + 2.5).abs() < 0.3, "{steps}: {place}");
        }
        // A line stays what it is, to its very ends.
        let line = smoothed(&curve(50, |place| 3.0 - 0.25 * place));
        for step in line {
            let expected = 3.0 - 0.25 * step.rate.log10() + 0.25;
            assert!((step.smoothed - expected).abs() < 1e-9, "{step:?}");
            assert!((step.slope + 0.25).abs() < 1e-9, "{step:?}");
        }
        // What only jumps, or only rises, suggests nothing.
        assert_eq!(suggested(&smoothed(&curve(100, |place| 0.7 + noise(place)))), None);
        assert_eq!(suggested(&smoothed(&curve(100, |place| 10.0 + place))), None);
        assert_eq!(suggested(&smoothed(&curve(2, |_| 0.7)[..1])), None);
        assert_eq!(suggested(&[]), None);
    }

    #[test]
    fn a_loss_that_grows_many_times_over_ends_the_test() {
        let mut running = Running::default();
        assert!((0..50).all(|_| !running.diverges(0.7)));
        // A single bad batch does not.
        assert!(!running.diverges(6.0));
        assert!((0..20).all(|_| !running.diverges(0.7)));
        assert!((0..20).any(|_| running.diverges(6.0)));
    }

    #[test]
    fn a_test_repeats_itself_and_finds_a_rate_that_trains() {
        let (manifest, store) = dataset();
        let run = network(0.02);
        let of = |run: &config::Run| {
            let (name, device) = ("resnet10", &Device::Cpu);
            let job = Job { name, run, manifest: &manifest, store: &store, device, seed: 5 };
            find(&job, 60, &Silent)
        };
        let test = of(&run).unwrap();
        assert_eq!(of(&run).unwrap(), test);
        assert!(test.steps.len() <= 60 && test.steps[0].rate == FROM);
        assert!(test.steps.is_sorted_by(|a, b| a.rate < b.rate));
        let suggested = test.suggested.unwrap();
        assert!((1e-4..1.0).contains(&suggested), "{suggested}");
        // What the rate is set to plays no part, nor how it moves; where the network starts does.
        let other = config::Run {
            training: run.training.clone().map(|t| Training {
                epochs: 9,
                warmup: 7,
                lr: Rate::Same(3.0),
                ..t
            }),
            ..run.clone()
        };
        assert_eq!(of(&other).unwrap(), test);
        let stamped = |run: &config::Run| stamp("resnet10", run, 5, &Fingerprint::of(&1)).unwrap();
        assert_eq!(stamped(&run), stamped(&other));
        let frozen = config::Run {
            training: run.training.clone().map(|t| Training { freeze: Some("layer3".into()), ..t }),
            ..run.clone()
        };
        assert_ne!(stamped(&run), stamped(&frozen));
        assert_ne!(of(&frozen).unwrap(), test);
        let untrained = config::Run { training: None, ..run };
        assert!(of(&untrained).unwrap_err().to_string().contains("`training: false`"));
    }

    #[test]
    fn parts_keep_their_proportion() {
        assert_eq!(proportion(Rates { head: 0.05, rest: 0.02 }), 0.4);
        let Rates { head, rest } = at(Rates { head: 1e-3, rest: 1e-4 }, 0.5);
        assert!(head == 0.5 && (rest - 0.05).abs() < 1e-15);
    }
}
