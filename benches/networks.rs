//! How fast whole networks run: what `compare.py` starts beside the same network in PyTorch, one process
//! per measurement, so that peak memory is that of the measurement alone.
//!
//! ```text
//! networks NETWORK INPUT BATCH forward|train|maps=LAYER[,LAYER] REPEATS [WEIGHTS.safetensors]
//! ```
//!
//! on the processor, or on the device that UNIT_ATLAS_DEVICE names (as in atlas.yaml),
//! prints one line of JSON: seconds of each repetition, peak memory, and a checksum of what was computed.
//! Without arguments (as `cargo bench` starts it) it runs a small network once in every way.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};
use network::sgd::Sgd;
use network::{Network, device};
use training::evaluate::log_softmax;

fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match &given.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            for mode in ["forward", "train", "maps=layer4"] {
                run("resnet10", 113, 4, mode, 3, None)?;
            }
            Ok(())
        }
        [network, input, batch, mode, repeats, weights @ ..] => {
            let weights = weights.first().map(Path::new);
            run(network, input.parse()?, batch.parse()?, mode, repeats.parse()?, weights)
        }
        _ => bail!("NETWORK INPUT BATCH forward|train|maps=LAYERS REPEATS [WEIGHTS]"),
    }
}

fn run(
    name: &str,
    input: u32,
    batch: usize,
    mode: &str,
    repeats: usize,
    weights: Option<&Path>,
) -> Result<()> {
    let device = match std::env::var("UNIT_ATLAS_DEVICE") {
        Err(_) => Device::Cpu,
        Ok(name) => {
            let asked = base::Device::parse(&name);
            let asked = asked.with_context(|| format!("UNIT_ATLAS_DEVICE={name}: no device"))?;
            device::open(asked, |line| eprintln!("{line}"))?
        }
    };
    let network = match weights {
        Some(path) => Network::open(name, input, path, &device)?,
        None => Network::new(name, 2, input, 1, &device)?,
    };
    let edge = input as usize;
    // compare.py makes the same.
    let pixel = |i: usize| ((i as u64 * 2_654_435_761) % (1 << 32)) as f32 / 2f32.powi(31) - 1.0;
    let images: Vec<f32> = (0..batch * 3 * edge * edge).map(pixel).collect();
    let images = Tensor::from_vec(images, (batch, 3, edge, edge), &device)?;
    let mut seconds = Vec::new();
    let mut checksum = 0.0;
    let mut measure = |step: &mut dyn FnMut() -> Result<Tensor>| -> Result<()> {
        // The first makes what the others use again.
        for repeat in 0..=repeats {
            let began = Instant::now();
            let result = step()?;
            checksum = f64::from(result.abs()?.sum_all()?.to_scalar::<f32>()?);
            if repeat > 0 {
                seconds.push(began.elapsed().as_secs_f64());
            }
        }
        Ok(())
    };
    match mode.split_once('=') {
        None if mode == "forward" => {
            let inference = network.inference();
            measure(&mut || inference.logits(&images))?;
        }
        None if mode == "train" => {
            let parameters = network.parameters();
            let mut sgd = Sgd::new(parameters, 0.9, 1e-4)?;
            let rates = vec![1e-4; parameters.len()];
            let truth: Vec<u32> = (0..batch as u32).map(|i| i % 2).collect();
            let truth = Tensor::from_vec(truth, (batch, 1), &device)?;
            let mut seed = 0;
            measure(&mut || {
                seed += 1;
                let logits = network.training_logits(&images, seed)?;
                let loss = logits.loss(|logits| {
                    let log = log_softmax(logits)?;
                    // Logits may be on the processor where the network is not.
                    log.gather(&truth.to_device(log.device())?, 1)?.mean_all()?.neg()
                })?;
                let gradients = logits.backward(&loss, parameters)?;
                sgd.step(parameters, &gradients, &rates)?;
                Ok(loss.detach())
            })?;
        }
        Some(("maps", layers)) => {
            let layers: Vec<&str> = layers.split(',').collect();
            let inference = network.inference();
            measure(&mut || {
                let maps = inference.maps(&images, &layers)?;
                maps.into_iter().last().context("no layer")
            })?;
        }
        _ => bail!("{mode}: expected forward, train or maps=LAYER"),
    }
    println!(
        "{}",
        serde_json::json!({
            "network": name, "input": input, "batch": batch, "mode": mode,
            "device": device::describe(&device), "threads": rayon::current_num_threads(), "seconds": seconds,
            "peak_bytes": peak_bytes(), "checksum": checksum,
        })
    );
    Ok(())
}

/// Greatest resident memory of this process; `None` where the system does not tell.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}
