//! `predict`: what a network says of images.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use candle_core::Tensor;
use image::DynamicImage;
use serde::Serialize;

use super::terminal::Terminal;
use super::{Outcome, Project};
use architecture::Architecture;
use base::artifact::{Layout, Sealed};
use config::{Head, Output};
use formats::picture::{Picture, Shown};
use network::weights::Weights;
use network::{Network, device};

/// Images that are computed together.
const BATCH: usize = 32;

/// Options of `predict`.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The network, by name
    #[arg(long, value_name = "NAME")]
    network: String,
    /// Its weights; they say how many classes there are [default: those that the project trained]
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Edge of the network's input in pixels; images of another size are resized to it [default: the
    /// project's, or the network's own: 227 for most]
    #[arg(long, value_name = "PIXELS")]
    input: Option<u32>,
    /// Names of the classes for the table, in order [default: the project's; with --weights `cancer` for a
    /// single output, and numbers for several]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    classes: Vec<String>,
    /// Where to compute: auto, cpu, cuda, cuda:0, metal [default: auto, or the project's]
    #[arg(long, value_name = "DEVICE", value_parser = parse_device)]
    device: Option<base::Device>,
    /// Print `[{"image": …, "logits": […], "probabilities": […]}]`; a single output's probability is its
    /// sigmoid
    #[arg(long)]
    json: bool,
    /// Square images, grey or in colour: PNG, JPEG, TIFF, PGM, DICOM; read as `prepare` reads them
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<PathBuf>,
}

fn parse_device(text: &str) -> Result<base::Device, String> {
    base::Device::parse(text).ok_or_else(|| base::Device::unknown(text))
}

/// What a network says of an image.
struct Said {
    network: Network,
    /// What its classes are called, where that is known.
    classes: Vec<String>,
    /// What its outputs say beside the classes.
    heads: Vec<Head>,
}

impl Said {
    /// What is told, in the order of the predictions; none where it is not known.
    fn names(&self) -> Vec<String> {
        let classes = if self.network.tells() { self.classes.clone() } else { Vec::new() };
        let beside = self.heads.iter().flat_map(Head::tells).map(|(name, _)| name);
        classes.into_iter().chain(beside).collect()
    }
}

/// One image's output, as `--json` prints it: of the classes, then of what is told beside them.
#[derive(Debug, Serialize)]
struct Prediction {
    image: String,
    logits: Vec<f32>,
    probabilities: Vec<f64>,
}

pub(super) fn execute(
    options: &Options,
    project: &Project,
    terminal: &Terminal,
) -> Result<Outcome> {
    let said = open(options, project)?;
    let network = &said.network;
    // With --json, standard output is for the program that reads it.
    if !options.json {
        let on = device::describe(network.device());
        terminal.detail(&format!("{} at {} pixels, on {on}", options.network, network.input()));
    }
    let (predictions, skipped) = predict(&said, &options.images)?;
    for (path, why) in &skipped {
        eprintln!("skipped {}: {why:#}", path.display());
    }
    if options.json {
        terminal.result(&serde_json::to_string(&predictions)?);
    }
    if predictions.is_empty() {
        match &options.images[..] {
            [_] => bail!("the image could not be used"),
            images => bail!("none of the {} images could be used", images.len()),
        }
    }
    if !options.json {
        let names = if options.classes.is_empty() { said.names() } else { options.classes.clone() };
        for line in table(&predictions, &names)? {
            terminal.result(&line);
        }
    }
    Ok(Outcome::skipped_if(!skipped.is_empty()))
}

/// Says something about the device; standard output may be for another program.
fn remark(line: &str) {
    eprintln!("{line}");
}

/// The network with what is known of its outputs.
fn open(options: &Options, project: &Project) -> Result<Said> {
    let name = &options.network;
    if let Some(weights) = &options.weights {
        let device = device::open(options.device.unwrap_or(base::Device::Auto), remark)?;
        let input = options.input.unwrap_or(Architecture::find(name)?.input);
        let weights = Weights::read(weights)?.locate(name)?;
        weights.remarks().iter().for_each(|line| remark(line));
        // A single output is cancer, as in a project.
        let classes = if weights.outputs() == Some(1) { vec!["cancer".to_owned()] } else { vec![] };
        let network = Network::of_weights(&weights, input, &device)?;
        return Ok(Said { network, classes, heads: Vec::new() });
    }
    let (_, config) = project().context("without --weights, the project's network is used")?;
    let settings = config.networks.iter().find(|network| network.name == *name);
    let settings = settings.with_context(|| {
        let known: Vec<&str> = config.networks.iter().map(|n| n.name.as_str()).collect();
        format!(
            "the project has no network {name}, it has {}; for other weights give --weights FILE",
            known.join(", ")
        )
    })?;
    let settings = settings.run().with_context(|| {
        format!(
            "{name} was recorded elsewhere and cannot be run here: it predicts nothing of other images; for \
             weights of an architecture of unit-atlas give --weights FILE"
        )
    })?;
    let device = device::open(options.device.unwrap_or(config.device), remark)?;
    let folder = Layout::new(&config.output).network(name);
    let trained = Sealed::open(&folder).with_context(|| {
        format!("{name} is not trained yet: run `unit-atlas train --network {name}`")
    })?;
    let input = options.input.unwrap_or(settings.input);
    let network = Network::open(name, input, &trained.path(record::training::WEIGHTS)?, &device)?
        .with_design(settings.inference_design())?;
    let names = config.patches.class_names();
    let network = match settings.training {
        Some(_) => network,
        None => {
            let outputs = settings.classes_of_outputs(names.len());
            network.with_classes(outputs.as_deref(), names.len())?
        }
    };
    let classes = names.iter().map(|&name| name.to_owned()).collect();
    Ok(Said { network, classes, heads: Output::heads(&settings.outputs) })
}

/// Predictions of the images that can be used, and why the others cannot.
type Predicted = (Vec<Prediction>, Vec<(PathBuf, anyhow::Error)>);

fn predict(said: &Said, images: &[PathBuf]) -> Result<Predicted> {
    let Said { network, heads, .. } = said;
    let (mut predictions, mut skipped) = (Vec::new(), Vec::new());
    let inference = network.inference();
    for batch in images.chunks(BATCH) {
        let (mut paths, mut inputs) = (Vec::new(), Vec::new());
        for path in batch {
            match read(path, network) {
                Ok(input) => {
                    paths.push(path);
                    inputs.push(input);
                }
                Err(why) => skipped.push((path.clone(), why)),
            }
        }
        if inputs.is_empty() {
            continue;
        }
        let outputs = inference.outputs(&Tensor::cat(&inputs, 0)?)?;
        let classes = network.of_classes(&outputs)?.to_vec2::<f32>()?;
        let outputs = outputs.to_vec2::<f32>()?;
        for ((path, outputs), classes) in paths.into_iter().zip(outputs).zip(classes) {
            let told = network.tells().then_some(classes);
            let beside = heads.iter().map(|head| {
                head.tells().into_iter().map(|(_, at)| outputs[at]).collect::<Vec<_>>()
            });
            let groups: Vec<Vec<f32>> = told.into_iter().chain(beside).collect();
            let logits = groups.concat();
            if logits.iter().all(|logit| logit.is_finite()) {
                let probabilities = groups.iter().flat_map(|group| probabilities(group)).collect();
                let image = path.display().to_string();
                predictions.push(Prediction { image, logits, probabilities });
            } else {
                let why = anyhow::anyhow!("the network's output is not finite: {logits:?}");
                skipped.push((path.clone(), why));
            }
        }
    }
    Ok((predictions, skipped))
}

/// One image as a network sees it, 1 x channels x `input` x `input`.
fn read(path: &Path, network: &Network) -> Result<Tensor> {
    let picture = Picture::open(path)?;
    let [width, height] = picture.size();
    if width != height {
        bail!("it is {width} x {height} pixels; a network sees squares: cut one out of it first");
    }
    for remark in picture.remarks() {
        eprintln!("note: {}: {remark}", path.display());
    }
    match picture.shown()? {
        Shown::Grey(image) => network.images(&[image.pixels.as_slice()], width),
        Shown::Colours(image) if network.channels() == 1 => {
            network.images(&[&DynamicImage::ImageRgb8(image).into_luma8()], width)
        }
        Shown::Colours(image) => network.colour_images(&[image.as_raw().as_slice()], width),
    }
}

/// Probabilities of finite logits: the softmax over several outputs, and of a single one its sigmoid.
fn probabilities(logits: &[f32]) -> Vec<f64> {
    if let [logit] = logits {
        return vec![1.0 / (1.0 + f64::from(-logit).exp())];
    }
    let greatest = logits.iter().fold(f64::NEG_INFINITY, |m, logit| m.max(f64::from(*logit)));
    let powers: Vec<f64> =
        logits.iter().map(|logit| (f64::from(*logit) - greatest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// Lines of probabilities, one column per class; of many classes the five most probable.
fn table(predictions: &[Prediction], names: &[String]) -> Result<Vec<String>> {
    const COLUMNS: usize = 8;
    const BEST: usize = 5;
    let classes = predictions.first().map_or(0, |p| p.logits.len());
    if !names.is_empty() && names.len() != classes {
        bail!("--classes names {} classes, the weights tell {classes} apart", names.len());
    }
    let name = |class: usize| names.get(class).cloned().unwrap_or(format!("class {class}"));
    let widest = predictions.iter().map(|p| p.image.chars().count()).max().unwrap_or(0).max(5);
    if classes > COLUMNS {
        let line = |p: &Prediction| {
            let mut order: Vec<usize> = (0..classes).collect();
            order.sort_by(|a, b| p.probabilities[*b].total_cmp(&p.probabilities[*a]));
            let best =
                order.iter().take(BEST).map(|c| format!("{} {:.4}", name(*c), p.probabilities[*c]));
            format!("{:widest$}  {}", p.image, best.collect::<Vec<_>>().join(", "))
        };
        return Ok(predictions.iter().map(line).collect());
    }
    let header = (0..classes).map(|class| format!("  {:>10}", name(class))).collect::<String>();
    let mut lines = vec![format!("{:widest$}{header}", "image")];
    for p in predictions {
        let cells = p.probabilities.iter().enumerate().map(|(class, probability)| {
            let width = name(class).chars().count().max(10);
            format!("  {probability:>width$.4}")
        });
        lines.push(format!("{:widest$}{}", p.image, cells.collect::<String>()));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_of_extreme_logits_are_finite() {
        assert_eq!(probabilities(&[3e38, -3e38, 3e38]), [0.5, 0.0, 0.5]);
        let of_two = probabilities(&[1.0, 2.0])[1];
        assert!((of_two - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-12);
        assert_eq!(probabilities(&[1.0]), [of_two]);
        assert_eq!(probabilities(&[-3e38]), [0.0]);
    }

    #[test]
    fn tables_name_classes_and_shorten_many() {
        let prediction = |classes: usize| Prediction {
            image: "a.png".into(),
            logits: vec![0.0; classes],
            probabilities: (0..classes).map(|c| c as f64 / 100.0).collect(),
        };
        let names = ["benign".to_string(), "malignant mass".to_string()];
        let lines = table(&[prediction(2)], &names).unwrap();
        assert_eq!(lines[0].chars().count(), lines[1].chars().count());
        assert!(lines[0].ends_with("malignant mass") && lines[1].ends_with("0.0100"));
        assert!(table(&[prediction(3)], &names).is_err());
        let many = table(&[prediction(20)], &[]).unwrap();
        assert_eq!(many.len(), 1);
        assert!(many[0].contains("class 19 0.1900, class 18"), "{}", many[0]);
    }
}
