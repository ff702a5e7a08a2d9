//! What a device computes and how fast: started by `benches/gpu` where a GPU is, without arguments (as
//! `cargo bench` starts it) a small network on the processor.
//!
//! ```text
//! device check NETWORK[@BATCH]…                  the device beside the processor, on the same weights
//! device step NETWORK BATCH MODE[,MODE] STEPS    milliseconds and memory of a pass
//! ```
//!
//! A mode is `forward` or `train`, with `+` and a precision as in atlas.yaml behind it where another than
//! single is asked for. The device is the one that UNIT_ATLAS_DEVICE names (as in atlas.yaml). Every line
//! printed is JSON.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use architecture::{Design, Precision};
use candle_core::{Device, Tensor};
use network::sgd::Sgd;
use network::{Network, device};
use serde_json::json;
use training::evaluate::log_softmax;

fn main() -> Result<()> {
    let began = Instant::now();
    let given: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let asked = match std::env::var("UNIT_ATLAS_DEVICE") {
        Err(_) => base::Device::Cpu,
        Ok(name) => base::Device::parse(&name)
            .with_context(|| format!("UNIT_ATLAS_DEVICE={name}: no device"))?,
    };
    let device = device::open(asked, |line| eprintln!("{line}"))?;
    let opened = began.elapsed().as_secs_f64();
    match given[..] {
        [] => {
            check("resnet10", 4, &device)?;
            step("resnet10", 4, "train", 2, &device, opened)
        }
        ["check", ref networks @ ..] => {
            for network in networks {
                let (name, batch) = network.split_once('@').unwrap_or((network, "4"));
                check(name, batch.parse()?, &device)?;
            }
            Ok(())
        }
        ["step", name, batch, modes, steps] => {
            for mode in modes.split(',') {
                step(name, batch.parse()?, mode, steps.parse()?, &device, opened)?;
            }
            Ok(())
        }
        _ => bail!("expected check NETWORK[@BATCH]…, or step NETWORK BATCH MODE[,MODE] STEPS"),
    }
}

/// Rows and columns of the images a network is measured with, as in the paper.
fn edge(name: &str) -> usize {
    if name == "inception_v3" { 299 } else { 227 }
}

/// Images of gratings, of each image and channel another, with noise. Of noise alone all images look alike
/// to a deep network, and batch normalisation divides by differences that are rounding.
fn images(name: &str, batch: usize) -> Vec<f32> {
    let edge = edge(name);
    let noise = |i: usize| ((i as u64 * 2_654_435_761) % (1 << 32)) as f32 / 2f32.powi(31) - 1.0;
    let pixel = |i: usize| {
        let (plane, row, column) = (i / (edge * edge), i / edge % edge, i % edge);
        let period = 4.0 + 60.0 * (1.0 + noise(plane + 1));
        let along = noise(3 * plane + 5) * row as f32 + noise(7 * plane + 2) * column as f32;
        (along * std::f32::consts::TAU / period).sin() * (1.0 + noise(plane + 3)) + 0.3 * noise(i)
    };
    (0..batch * 3 * edge * edge).map(pixel).collect()
}

/// A network and images on a device.
struct Subject {
    network: Network,
    images: Tensor,
    truth: Tensor,
}

impl Subject {
    fn new(
        name: &str,
        pixels: &[f32],
        batch: usize,
        precision: Precision,
        device: &Device,
    ) -> Result<Subject> {
        let edge = edge(name);
        let mut network = Network::new(name, 2, edge as u32, 1, device)?
            .with_design(Design { precision, ..Design::default() })?;
        // Branches of a deep ResNet that start small, as they are trained today: at full size its first
        // gradients are mostly rounding.
        let mut state = network.state()?;
        for (_, value) in state.iter_mut().filter(|(name, _)| name.ends_with(".bn3.weight")) {
            *value = value.affine(0.1, 0.0)?;
        }
        network.set_state(&state)?;
        let images = Tensor::from_slice(pixels, (batch, 3, edge, edge), device)?;
        let truth: Vec<u32> = (0..batch as u32).map(|i| i % 2).collect();
        Ok(Subject { network, images, truth: Tensor::from_vec(truth, (batch, 1), device)? })
    }

    /// A whole step of training; its loss, and the gradients handed to `see`.
    fn train(
        &self,
        sgd: &mut Sgd,
        seed: u64,
        lr: f64,
        see: impl FnOnce(&candle_core::backprop::GradStore) -> Result<()>,
    ) -> Result<Tensor> {
        let logits = self.network.training_logits(&self.images, seed)?;
        // Logits may be where the loss is computed, and not where the network is.
        let truth = self.truth.to_device(logits.main.device())?;
        let loss =
            logits.loss(|logits| log_softmax(logits)?.gather(&truth, 1)?.mean_all()?.neg())?;
        let parameters = self.network.parameters();
        let gradients = logits.backward(&loss, parameters)?;
        see(&gradients)?;
        sgd.step(parameters, &gradients, &vec![lr; parameters.len()])?;
        Ok(loss.detach())
    }

    /// Everything the network gives, by name: logits, maps, gradients by maps and by parameters, and all
    /// parameters after three steps.
    fn everything(&self) -> Result<BTreeMap<String, Vec<f32>>> {
        let mut found = BTreeMap::new();
        let mut put = |name: String, tensor: &Tensor| -> Result<()> {
            let values = tensor.detach().to_device(&Device::Cpu)?.flatten_all()?.to_vec1()?;
            found.insert(name, values);
            Ok(())
        };
        let layers = self.network.layers();
        let inference = self.network.inference();
        put("logits".into(), &inference.logits(&self.images)?)?;
        for (layer, maps) in layers.iter().zip(inference.maps(&self.images, layers)?) {
            put(format!("maps {layer}"), &maps)?;
        }
        let sensitivity = inference.sensitivity(&self.images, layers)?;
        for (class, gradients) in sensitivity.gradients.iter().enumerate() {
            for (layer, gradient) in layers.iter().zip(gradients) {
                put(format!("sensitivity {layer} of class {class}"), gradient)?;
            }
        }
        let parameters = self.network.parameters();
        let mut sgd = Sgd::new(parameters, 0.9, 1e-4)?;
        for step in 0..3 {
            let loss = self.train(&mut sgd, 7 + step, 1e-3, |gradients| {
                for (name, parameter) in parameters.iter().filter(|_| step == 0) {
                    // Inception's auxiliary classifier has none.
                    if let Some(gradient) = gradients.get(parameter) {
                        put(format!("gradient {name}"), gradient)?;
                    }
                }
                Ok(())
            })?;
            put(format!("loss {step}"), &loss.reshape(1)?)?;
        }
        for (name, value) in self.network.state()? {
            if !name.ends_with("num_batches_tracked") {
                put(format!("trained {name}"), &value)?;
            }
        }
        Ok(found)
    }
}

/// Norm of the difference over the norm of `theirs`; infinite where a value is no number.
fn distance(ours: &[f32], theirs: &[f32]) -> f64 {
    let square = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>();
    let apart = square(&mut ours.iter().zip(theirs).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    let whole = square(&mut theirs.iter().map(|b| f64::from(*b)));
    let finite = ours.iter().all(|v| v.is_finite());
    if finite && whole > 0.0 {
        (apart / whole).sqrt()
    } else if finite && apart == 0.0 {
        0.0
    } else {
        f64::INFINITY
    }
}

/// The worst distance of each kind of value from the processor's; beside it, how far the processor is
/// from itself when each pixel moves by a unit in its last place: what no device can be held below.
fn check(name: &str, batch: usize, device: &Device) -> Result<()> {
    let pixels = images(name, batch);
    let moved: Vec<f32> = (pixels.iter().zip([f32::next_up, f32::next_down].into_iter().cycle()))
        .map(|(pixel, next)| next(*pixel))
        .collect();
    let of = |pixels: &[f32], device: &Device| {
        Subject::new(name, pixels, batch, Precision::F32, device)?.everything()
    };
    let began = Instant::now();
    let ours = of(&pixels, device)?;
    let seconds = began.elapsed().as_secs_f64();
    let theirs = of(&pixels, &Device::Cpu)?;
    let moved = of(&moved, &Device::Cpu)?;
    ensure!(ours.keys().eq(theirs.keys()), "the device gives other values");
    let mut kinds: BTreeMap<&str, Vec<(f64, f64, &str)>> = BTreeMap::new();
    for (key, values) in &theirs {
        let found = (distance(&ours[key], values), distance(&moved[key], values), key.as_str());
        kinds.entry(key.split(' ').next().unwrap_or(key)).or_default().push(found);
    }
    for (kind, found) in kinds {
        // What no rounding explains is the first to look at; so small a difference always has one.
        let times = |(error, conditioning, _): &(f64, f64, &str)| error / conditioning.max(1e-7);
        let by = |of: &dyn Fn(&(f64, f64, &str)) -> f64| {
            *found.iter().max_by(|a, b| of(a).total_cmp(&of(b))).expect("a kind has a value")
        };
        let (error, conditioning, worst) = by(&|found| found.0);
        let strangest = by(&times);
        println!(
            "{}",
            json!({"network": name, "batch": batch, "device": device::describe(device), "kind": kind,
                "error": format!("{error:.1e}"), "conditioning": format!("{conditioning:.1e}"),
                "worst": worst, "times": times(&strangest).round(), "strangest": strangest.2,
                "seconds": (seconds * 10.0).round() / 10.0})
        );
    }
    Ok(())
}

/// Times a pass by itself, the device idle before and after.
fn step(
    name: &str,
    batch: usize,
    mode: &str,
    steps: usize,
    device: &Device,
    opened: f64,
) -> Result<()> {
    let began = Instant::now();
    let (pass, precision) = mode.split_once('+').unwrap_or((mode, "f32"));
    let precision: Precision = serde_json::from_value(precision.into())?;
    ensure!(["forward", "train"].contains(&pass), "{mode}: expected forward or train");
    let mut milliseconds = Vec::new();
    let (mut checksum, mut first) = (0.0, 0.0);
    let measured = device::peak(device, || -> Result<()> {
        let subject = Subject::new(name, &images(name, batch), batch, precision, device)?;
        let mut sgd = Sgd::new(subject.network.parameters(), 0.9, 1e-4)?;
        let inference = subject.network.inference();
        // Three that are not counted: kernels are compiled, memory is taken, algorithms chosen.
        for turn in 0..steps + 3 {
            let began_step = Instant::now();
            let result = match pass {
                "forward" => inference.logits(&subject.images)?,
                _ => subject.train(&mut sgd, turn as u64, 1e-4, |_| Ok(()))?,
            };
            device.synchronize()?;
            if turn >= 3 {
                milliseconds.push(began_step.elapsed().as_secs_f64() * 1e3);
            }
            if turn == 0 {
                first = began.elapsed().as_secs_f64();
            }
            checksum = f64::from(result.abs()?.sum_all()?.to_scalar::<f32>()?);
        }
        Ok(())
    });
    let (result, peak) = measured;
    result?;
    milliseconds.sort_by(f64::total_cmp);
    let median = milliseconds[milliseconds.len() / 2];
    let round = |v: f64| (v * 100.0).round() / 100.0;
    println!(
        "{}",
        json!({"side": "unit-atlas", "network": name, "batch": batch, "mode": mode,
            "ms": round(median), "least_ms": round(milliseconds[0]),
            "images_s": (batch as f64 / median * 1e3).round(),
            "peak_GB": peak.map(|bytes| round(bytes as f64 / 1e9)), "checksum": checksum,
            "opened_s": round(opened), "first_s": round(first), "device": device::describe(device)})
    );
    Ok(())
}
