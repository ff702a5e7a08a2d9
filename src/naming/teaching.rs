//! Teaching a small pair of towers on a project's own patches: images and captions of what is annotated in them are
//! brought together, others apart (Radford et al. 2021, with every caption that is true of an image counted as its own,
//! since many patches show the same: Yang et al. 2022, UniCL).

use anyhow::{Result, ensure};
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::ops::log_softmax;
use candle_nn::{AdamW, Optimizer, ParamsAdamW};
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::embeddings::Embeddings;
use super::terms::{Term, candidates};
use base::Split;
use base::progress::Progress;
use config::Augment;
use lexicon::Lexicons;
use metrics::{Auc, Placements};
use network::Network;
use network::namer::{Bag, Demonstration, Pair};
use record::dissection::Category;
use record::{Manifest, Patch, Store};
use training::Change;

/// The architecture that sees images.
const NETWORK: &str = "mobilenet_v3_small";
/// Numbers of an embedding.
const WIDTH: usize = 64;
/// What cosines are multiplied by before their softmax.
const SHARPNESS: f64 = 16.0;
/// Patches of a step.
const BATCH: usize = 64;
/// Probability that a caption mentions a term that is there.
const MENTIONED: f64 = 0.6;
/// Share of a patch that a finding takes up, at least, to be mentioned.
const LEAST: f32 = 0.002;
/// Shares of a patch outside the breast: at most so much of normal tissue, at least so much of background.
const OUTSIDE: [f32; 2] = [0.05, 0.8];
/// Steps in which the rate rises.
const WARMUP: usize = 100;
/// Batches whose statistics inference normalises by.
const SETTLING: usize = 32;
/// Patches of the validation split that a pair is examined on, at most.
const EXAMINED: usize = 4096;
/// Fewest of them with a term, and without, that say how well it is known.
const FEWEST: usize = 5;

/// Patches with what is annotated in them, and the words for it.
#[derive(Clone, Copy)]
pub struct Annotated<'a> {
    /// Mammograms and patches.
    pub manifest: &'a Manifest,
    /// Their pixels.
    pub store: &'a Store,
    /// Lexicons of the terms.
    pub lexicons: &'a Lexicons,
    /// Templates of the sentences.
    pub prompts: &'a [String],
    /// Seed of everything random.
    pub seed: u64,
}

/// What is taught, and how.
pub struct Lesson<'a> {
    /// By which images.
    pub annotated: Annotated<'a>,
    /// Edge of the input in pixels.
    pub input: u32,
    /// How often each patch with a finding is seen; as many others are seen.
    pub epochs: u32,
    /// Learning rate at its greatest.
    pub rate: f64,
}

/// A patch with what is true of it, as places among the terms.
struct Example {
    patch: u32,
    terms: Vec<usize>,
    finding: bool,
}

/// Teaches a pair on the training patches.
///
/// # Errors
/// When nothing is annotated in them or the device fails.
pub fn teach(lesson: &Lesson, device: &Device, progress: &dyn Progress) -> Result<Demonstration> {
    let Annotated { store, lexicons, prompts, seed, .. } = lesson.annotated;
    let all = candidates(lexicons, &[], prompts);
    let (examples, terms) = examples(&lesson.annotated, Split::Train, all);
    let [findings, others] = [true, false].map(|finding| {
        let own = examples.iter().filter(|example| example.finding == finding);
        own.collect::<Vec<_>>()
    });
    ensure!(
        !findings.is_empty(),
        "nothing is annotated in the training patches: there is nothing to teach"
    );
    let bag = Bag::of(terms.iter().flat_map(|term| &term.prompts).map(String::as_str));
    let network = Network::new(NETWORK, WIDTH, lesson.input, seed, device)?;
    let mut random = base::seed::stream(seed, "naming/words");
    let start: Vec<f32> = (0..bag.len() * WIDTH).map(|_| random.random_range(-0.1..0.1)).collect();
    let vectors = Var::from_vec(start, (bag.len(), WIDTH), &Device::Cpu)?;
    let mut parameters: Vec<Var> =
        network.parameters().iter().map(|(_, var)| var.clone()).collect();
    parameters.push(vectors.clone());
    let mut optimiser =
        AdamW::new(parameters, ParamsAdamW { weight_decay: 0.01, ..ParamsAdamW::default() })?;
    let steps_each = 2 * findings.len() / BATCH;
    let steps = steps_each * lesson.epochs as usize;
    ensure!(steps > 0, "{} patches with a finding are too few to teach", findings.len());
    progress.start("teaching the namer", steps as u64);
    let mut step = 0;
    // Every patch with a finding, and as many others.
    let order = |random: &mut ChaCha8Rng| {
        let mut order: Vec<&Example> = findings.clone();
        order.extend(
            (0..findings.len())
                .filter_map(|_| others.get(random.random_range(0..others.len().max(1)))),
        );
        order.shuffle(random);
        order
    };
    let images = |batch: &[&Example], random: &mut ChaCha8Rng| {
        let edge = store.edge();
        let changed = |example: &&Example| {
            Change::draw(Augment { intensity: 0.1, ..Augment::SYMMETRIES }, random)
                .apply(store.pixels(example.patch), edge as usize)
        };
        let pixels: Vec<Vec<u8>> = batch.iter().map(changed).collect();
        let pixels: Vec<&[u8]> = pixels.iter().map(Vec::as_slice).collect();
        network.images(&pixels, edge)
    };
    let stream = |epoch: u32| base::seed::stream(seed, &format!("naming/epoch/{epoch}"));
    for epoch in 0..lesson.epochs {
        let mut random = stream(epoch);
        let order = order(&mut random);
        let mut sum = 0.0;
        for batch in order.chunks_exact(BATCH).take(steps_each) {
            let warm = ((step + 1) as f64 / WARMUP as f64).min(1.0);
            let along = step as f64 / steps as f64;
            optimiser.set_learning_rate(
                lesson.rate * warm * 0.5 * (1.0 + (std::f64::consts::PI * along).cos()),
            );
            let images = images(batch, &mut random)?;
            let logits = network.training_logits(
                &images,
                base::seed::derive(seed, &format!("naming/step/{step}")),
            )?;
            let said: Vec<Vec<usize>> =
                batch.iter().map(|example| mentioned(example, &mut random)).collect();
            let texts = texts(&said, &terms, &bag, &mut random)?.matmul(vectors.as_tensor())?;
            let loss = loss(&logits.main, &texts, &truths(batch, &said)?)?;
            let value = f64::from(loss.to_scalar::<f32>()?);
            ensure!(
                value.is_finite(),
                "the loss is no number any more at step {}: teach slower",
                step + 1
            );
            sum += value;
            let gradients = logits.backward(&loss, network.parameters())?;
            optimiser.step(&gradients)?;
            step += 1;
            progress.advance(1);
            progress
                .note(&format!("loss {:.3}", sum / (step - epoch as usize * steps_each) as f64));
        }
    }
    progress.finish();
    // By the weights as they are now: what the steps have left follows them slowly.
    let mut random = stream(lesson.epochs);
    let order = order(&mut random);
    let batches = order.chunks_exact(BATCH).take(SETTLING);
    network.average_statistics(batches.map(|batch| images(batch, &mut random)))?;
    let taught = terms.into_iter().map(|term| term.id).collect();
    Demonstration::new(network, bag, &vectors, taught)
}

/// How well a pair tells the patches of a term from all others.
#[derive(Debug, Clone, PartialEq)]
pub struct Grade {
    /// Id of the term.
    pub term: String,
    /// How many of the patches are of it.
    pub patches: usize,
    /// Area under the ROC curve of the patches' cosines with it: 0.5 is chance.
    pub auc: Auc,
}

/// Examines a pair on patches of the validation split, a random part where there are many: a grade for each term that
/// it was taught, or all of one that takes any text, and that enough of them show, best first.
///
/// # Errors
/// When the device fails.
pub fn examine(pair: &Pair, annotated: &Annotated, progress: &dyn Progress) -> Result<Vec<Grade>> {
    let mut terms = candidates(annotated.lexicons, &[], annotated.prompts);
    terms.retain(|term| pair.taught().is_none_or(|taught| taught.contains(&term.id)));
    let (mut examples, terms) = examples(annotated, Split::Validation, terms);
    examples.shuffle(&mut base::seed::stream(annotated.seed, "naming/examined"));
    examples.truncate(EXAMINED);
    let patches: Vec<u32> = examples.iter().map(|example| example.patch).collect();
    let seen = Embeddings::of(pair, annotated.store, &patches, progress)?;
    let cosines = seen.cosines(pair, &terms, progress)?;
    let grade = |(at, term): (usize, &Term)| {
        let with = |shown: bool| -> Vec<f32> {
            let own = examples.iter().zip(cosines.chunks(terms.len()));
            own.filter(|(example, _)| example.terms.contains(&at) == shown)
                .map(|(_, row)| row[at])
                .collect()
        };
        let [shown, other] = [true, false].map(with);
        let auc = Placements::of(&shown, &other)?.auc();
        let enough = shown.len().min(other.len()) >= FEWEST;
        enough.then(|| Grade { term: term.id.clone(), patches: shown.len(), auc })
    };
    let mut grades: Vec<Grade> = terms.iter().enumerate().filter_map(grade).collect();
    grades.sort_by(|a, b| b.auc.value.total_cmp(&a.auc.value));
    Ok(grades)
}

/// The patches of a split with what is true of them, and the terms that are true of any.
fn examples(annotated: &Annotated, split: Split, all: Vec<Term>) -> (Vec<Example>, Vec<Term>) {
    let place = |id: &str| all.iter().position(|term| term.id == id);
    let numbers = annotated.manifest.of_split(split);
    let mut examples: Vec<Example> = numbers
        .iter()
        .map(|&number| {
            let patch = &annotated.manifest.patches[number as usize];
            let (ids, finding) = shown(annotated.manifest, patch);
            Example {
                patch: number,
                terms: ids.iter().filter_map(|id| place(id)).collect(),
                finding,
            }
        })
        .collect();
    examples.retain(|example| !example.terms.is_empty());
    // Terms without an example are not taught: their places close up.
    let used: std::collections::BTreeSet<usize> =
        examples.iter().flat_map(|example| example.terms.iter().copied()).collect();
    let new: std::collections::BTreeMap<usize, usize> = used.iter().copied().zip(0..).collect();
    for example in &mut examples {
        example.terms.iter_mut().for_each(|term| *term = new[term]);
    }
    let terms =
        all.into_iter().enumerate().filter(|(at, _)| used.contains(at)).map(|(_, term)| term);
    (examples, terms.collect())
}

/// Ids of the terms that are true of a patch, and whether a finding is among them.
fn shown(manifest: &Manifest, patch: &Patch) -> (Vec<String>, bool) {
    let (mut ids, mut outside) = (Vec::new(), None);
    for (kind, id, share) in dissection::in_patch(manifest, patch) {
        match kind {
            Category::Finding | Category::Region if share >= LEAST => ids.push(id),
            Category::Breast if id == "breast" => outside = Some(1.0 - share),
            _ => {}
        }
    }
    let finding = !ids.is_empty();
    let [tissue, background] = OUTSIDE;
    let breast = !manifest.member(patch).breast.is_empty();
    // No pixel of the breast at all is background too.
    let around = match outside.or(breast.then_some(1.0)) {
        Some(share) if share >= background => Some("background"),
        Some(share) if share > tissue => Some("skin-line"),
        Some(_) if !finding => Some("normal-tissue"),
        _ => None,
    };
    ids.extend(around.map(str::to_owned));
    (ids, finding)
}

/// Some of the terms of an example, at least one.
fn mentioned(example: &Example, random: &mut ChaCha8Rng) -> Vec<usize> {
    let mut terms = example.terms.clone();
    terms.retain(|_| random.random_bool(MENTIONED));
    if terms.is_empty() {
        terms.push(example.terms[random.random_range(0..example.terms.len())]);
    }
    terms
}

/// A caption for each list of terms, as shares of the words: captions x words.
fn texts(
    said: &[Vec<usize>],
    terms: &[Term],
    bag: &Bag,
    random: &mut ChaCha8Rng,
) -> Result<Tensor> {
    let mut shares = vec![0.0_f32; said.len() * bag.len()];
    for (row, mentioned) in shares.chunks_mut(bag.len()).zip(said) {
        for &term in mentioned {
            let prompts = &terms[term].prompts;
            let places = bag.places(&prompts[random.random_range(0..prompts.len())]);
            places.iter().for_each(|&place| row[place] += 1.0 / places.len() as f32);
        }
    }
    Ok(Tensor::from_vec(shares, (said.len(), bag.len()), &Device::Cpu)?)
}

/// Which captions are true of which patches, patches x captions.
fn truths(batch: &[&Example], said: &[Vec<usize>]) -> Result<Tensor> {
    let is_true = |example: &Example, caption: &Vec<usize>| {
        caption.iter().all(|term| example.terms.contains(term))
    };
    let of = |example: &&Example| -> Vec<f32> {
        said.iter().map(|caption| f32::from(u8::from(is_true(example, caption)))).collect()
    };
    let values: Vec<f32> = batch.iter().flat_map(of).collect();
    Ok(Tensor::from_vec(values, (batch.len(), said.len()), &Device::Cpu)?)
}

/// How far images and captions are from each other's that are true of them: the mean of both directions' cross entropy.
fn loss(images: &Tensor, texts: &Tensor, truths: &Tensor) -> candle_core::Result<Tensor> {
    let images = images.to_device(&Device::Cpu)?.to_dtype(DType::F32)?;
    let close = (unit(&images)?.matmul(&unit(texts)?.t()?)? * SHARPNESS)?;
    let towards = |close: &Tensor, truths: &Tensor| -> candle_core::Result<Tensor> {
        let shares = truths.broadcast_div(&truths.sum_keepdim(1)?)?;
        (log_softmax(close, 1)? * shares)?.sum(1)?.mean(0)?.neg()
    };
    (towards(&close, truths)? + towards(&close.t()?.contiguous()?, &truths.t()?.contiguous()?)?)?
        * 0.5
}

/// Rows of length 1.
fn unit(rows: &Tensor) -> candle_core::Result<Tensor> {
    let length = (rows.sqr()?.sum_keepdim(1)? + 1e-12)?.sqrt()?;
    rows.broadcast_div(&length)
}
