//! What a network that was recorded elsewhere says of a split: in the place of a training, which it has not.

use std::path::Path;

use anyhow::Result;

use super::evaluate::{log_softmax, probabilities_of};
use super::{assess, heads};
use base::artifact::{self, Fingerprint, Stamp};
use base::progress::Progress;
use base::{Split, seed};
use record::Store;
use record::training::{EVALUATION, Evaluation, FORMAT, Level, Origin, Recorded};
use recording::Shown;

/// Version of the computation: raised when the same recording gives another evaluation.
const VERSION: u32 = 1;
/// Patches read at a time.
const BATCH: usize = 1024;

/// What a finished evaluation of a recording is: in the folder where a trained network has its weights.
pub const OUTPUTS: [&str; 1] = [EVALUATION];

/// A network that was recorded elsewhere, with a data set.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What the project calls it.
    pub name: &'a str,
    /// What was recorded of it.
    pub shown: &'a Shown<'a>,
    /// Digest of the whole recording.
    pub digest: &'a Fingerprint,
    /// The prepared data set.
    pub manifest: &'a record::Manifest,
    /// Its pixels.
    pub store: &'a Store,
    /// The project's seed.
    pub seed: u64,
}

/// Everything the evaluation depends on: a recording that changes makes it stale, and all that follows from it.
pub fn stamp(name: &str, digest: &Fingerprint, seed: u64, dataset: &Fingerprint) -> Stamp {
    Stamp::new(VERSION)
        .with("dataset", dataset.clone())
        .with("recording", digest.clone())
        .with("settings", Fingerprint::of(&(name, seed)))
        .of_settings("settings", &serde_json::json!({ "seed": seed }))
}

/// Evaluates the recorded logits on the validation split and marks `folder` as finished with `stamp`.
///
/// # Errors
/// As [`evaluate`]; also when a file cannot be written.
pub fn take(job: &Job, folder: &Path, stamp: &Stamp, progress: &dyn Progress) -> Result<()> {
    let evaluation = evaluate(job, Split::Validation, progress)?;
    artifact::write_json(&folder.join(EVALUATION), &evaluation)?;
    stamp.seal(folder, &OUTPUTS, &evaluation.device)
}

/// Evaluates the recorded logits on a split.
///
/// # Errors
/// When a patch of the split was not recorded, or from other pixels, or a file cannot be read.
pub fn evaluate(job: &Job, split: Split, progress: &dyn Progress) -> Result<Evaluation> {
    let Job { name, shown, digest, manifest, store, seed } = *job;
    let patches = manifest.of_split(split);
    shown.check(store, &patches, &format!("the {split} split"))?;
    progress.start(&format!("{name} on the {split} split"), patches.len() as u64);
    let (mut scores, mut given) = (Vec::with_capacity(patches.len()), Vec::new());
    for batch in patches.chunks(BATCH) {
        let numbers = || batch.iter().copied();
        let outputs = shown.outputs(batch)?;
        given.extend(numbers().zip(outputs.to_vec2::<f32>()?));
        if shown.tells() {
            let log = log_softmax(&shown.of_classes(&outputs)?)?.to_vec2::<f32>()?;
            scores.extend(numbers().zip(log.iter().map(|log| probabilities_of(log))));
        } else {
            scores.extend(numbers().map(|patch| (patch, Vec::new())));
        }
        progress.advance(batch.len() as u64);
    }
    progress.finish();
    let header = shown.recording().header();
    let seed = seed::derive(seed, "evaluation");
    let mut assessment = assess::assess(manifest, &scores, seed);
    assessment.heads = heads::heads(manifest, &header.classes, &given, seed);
    let Level { positives, negatives, auc, .. } = assessment.levels.patch;
    Ok(Evaluation {
        format: FORMAT,
        network: name.to_owned(),
        split,
        input: header.input,
        parameters: header.parameters,
        origin: Origin::Recorded {
            recorded: Recorded {
                name: header.name.clone(),
                made: header.made.clone(),
                notes: header.notes.clone(),
            },
        },
        weights_blake3: digest.to_string(),
        device: "cpu".into(),
        positives,
        negatives,
        auc,
        assessment,
        scores,
    })
}
