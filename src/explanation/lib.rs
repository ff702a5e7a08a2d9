//! Explaining a network's scores by its units (the question that the paper ends with: "can we create
//! networks that explain their decision making?").
//!
//! A mammogram is scored by its patch with the greatest probability of cancer. At the last dissected
//! layer, a unit's *contribution* in that patch is gradient times activation of the *margin*, cancer's
//! logit less the mean of the others, summed over the locations. Where the layer is averaged and weighted
//! into the logits, contributions and a rest (the biases) add up to the margin. Nothing here knows what
//! readers call the units: names are put to them when pages are made.

mod evidence;
mod whole;

use std::path::Path;

use anyhow::Result;
use rayon::prelude::*;

use self::evidence::Evidence;
use base::Split;
use base::artifact::{self, Fingerprint, Stamp};
use base::progress::Progress;
use dissection::{Job, Regions};
use mammogram::{Pathology, rasterise};
use record::Patch;
use record::dissection::Layer;
use record::explanation::{Covered, Explained, Explanation, FILE, FORMAT, Part};
use record::training::Evaluation;

pub use whole::whole_map;

/// Patches per pass.
const BATCH: usize = 32;
/// Units kept of a mammogram.
const UNITS: usize = 12;

/// Everything an explanation depends on: the dissection of its layer, which depends on the rest.
pub fn stamp(dissected: Fingerprint) -> Stamp {
    Stamp::new(FORMAT).with("dissection", dissected)
}

/// Explains every mammogram of the split that `evaluation` scored by the units of `layer`, and writes
/// `folder` with its stamp.
///
/// # Errors
/// When the device fails, the artifacts do not fit together or a file cannot be written.
pub fn explain(
    job: &Job,
    layer: &Layer,
    evaluation: &Evaluation,
    folder: &Path,
    stamp: &Stamp,
    progress: &dyn Progress,
) -> Result<()> {
    let explanation = explanation(job, layer, (evaluation.split, &evaluation.scores), progress)?;
    artifact::write_json(&folder.join(FILE), &explanation)?;
    stamp.seal(folder, &[FILE], &job.activations.computed_on())
}

/// Explains every mammogram that a patch was scored of: `scored` is a split, and probabilities of the
/// classes of its patches. `layer` was dissected in the same network, over whatever patches.
///
/// # Errors
/// When the device fails or the artifacts do not fit together.
pub fn explanation(
    job: &Job,
    layer: &Layer,
    scored: (Split, &[(u32, Vec<f32>)]),
    progress: &dyn Progress,
) -> Result<Explanation> {
    let Job { manifest, store, .. } = *job;
    let regions = Regions::of(layer, store.edge());
    let (split, scores) = scored;
    let deciding = deciding(scores, &manifest.patches)?;
    let mut mammograms = Vec::with_capacity(deciding.len());
    let mut evidence = vec![0.0; layer.units.len()];
    let exact = layer.influence.as_ref().is_some_and(|basis| basis.linear);
    let mut sums: Vec<Vec<f64>> = Vec::new();
    let look = evidence::source(job, layer);
    progress.start(&format!("explaining {}", job.name), deciding.len() as u64);
    for batch in deciding.chunks(BATCH) {
        let numbers: Vec<u32> = batch.iter().map(|&(n, _)| n).collect();
        let Evidence { maps, logits, adds, contributions, without } = look(&numbers)?;
        let classes = adds.len();
        let (units, cells) = (layer.units.len(), (layer.map[0] * layer.map[1]) as usize);
        sums.resize(units, vec![0.0; classes]);
        for (class, adds) in adds.iter().enumerate() {
            for (at, added) in adds.iter().enumerate() {
                sums[at % units][class] += f64::from(*added);
            }
        }
        let shown: Vec<Vec<usize>> = contributions.chunks_exact(units).map(greatest).collect();
        let without = without(&shown)?;
        let explained: Vec<Explained> = batch
            .par_iter()
            .enumerate()
            .map(|(at, &(patch, probability))| {
                let window = &manifest.patches[patch as usize];
                let contributions = &contributions[at * units..][..units];
                let map = |unit: usize| &maps[(at * units + unit) * cells..][..cells];
                let lesions =
                    Lesions::of(&manifest.member(window).mammogram.lesions, window, store.edge());
                let own = &logits[at * classes..][..classes];
                let part = |(rank, &unit): (usize, &usize)| {
                    let threshold = layer.units[unit].threshold;
                    let adds: Vec<f32> = adds.iter().map(|adds| adds[at * units + unit]).collect();
                    let without = match exact {
                        true => {
                            let left: Vec<f32> =
                                own.iter().zip(&adds).map(|(logit, adds)| logit - adds).collect();
                            Some(probability_of_last(&left))
                        }
                        false => without[at].get(rank).copied(),
                    };
                    Part {
                        unit: unit as u32 + 1,
                        contribution: contributions[unit],
                        adds,
                        without,
                        score: map(unit).iter().copied().fold(f32::NEG_INFINITY, f32::max),
                        overlay: regions.path(map(unit), threshold),
                        inside: lesions
                            .as_ref()
                            .and_then(|lesions| lesions.cover(&regions.mask(map(unit), threshold))),
                    }
                };
                let (others, cancer) = own.split_at(classes - 1);
                let margin = cancer[0] - others.iter().sum::<f32>() / others.len() as f32;
                Explained {
                    mammogram: window.mammogram,
                    patch,
                    probability,
                    logits: own.to_vec(),
                    margin,
                    rest: margin - contributions.iter().sum::<f32>(),
                    evidence: contributions.iter().filter(|adds| **adds > 0.0).sum(),
                    lesions: lesions
                        .as_ref()
                        .and_then(|lesions| lesions.cover(&vec![true; lesions.any.len()])),
                    units: shown[at].iter().enumerate().map(part).collect(),
                    positive: (1..)
                        .zip(contributions.iter().copied())
                        .filter(|(_, contribution)| *contribution > 0.0)
                        .collect(),
                }
            })
            .collect();
        for contributions in contributions.chunks_exact(units) {
            for (sum, contribution) in evidence.iter_mut().zip(contributions) {
                *sum += contribution.max(0.0);
            }
        }
        mammograms.extend(explained);
        progress.advance(batch.len() as u64);
    }
    progress.finish();
    mammograms.sort_by_key(|explained| explained.mammogram);
    Ok(Explanation {
        format: FORMAT,
        network: job.name.to_string(),
        layer: layer.layer.clone(),
        weights_blake3: job.weights_blake3.to_string(),
        split,
        exact,
        evidence,
        mean: sums
            .into_iter()
            .map(|sums| sums.into_iter().map(|sum| (sum / deciding.len() as f64) as f32).collect())
            .collect(),
        mammograms,
    })
}

/// The units that add most to the margin in a patch, most first; none that adds nothing.
fn greatest(contributions: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> =
        (0..contributions.len()).filter(|&unit| contributions[unit] > 0.0).collect();
    order.sort_by(|&a, &b| contributions[b].total_cmp(&contributions[a]));
    order.truncate(UNITS);
    order
}

/// Of the last class, by its logits.
fn probability_of_last(logits: &[f32]) -> f32 {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let parts: Vec<f32> = logits.iter().map(|logit| (logit - most).exp()).collect();
    parts.last().map_or(0.0, |last| last / parts.iter().sum::<f32>())
}

/// The patch that each mammogram is scored by, with its probability of cancer; in the order of the
/// mammograms.
fn deciding(scores: &[(u32, Vec<f32>)], patches: &[Patch]) -> Result<Vec<(u32, f32)>> {
    let mut best: std::collections::BTreeMap<u32, (u32, f32)> = Default::default();
    for (patch, probabilities) in scores {
        let (Some(window), Some(&probability)) =
            (patches.get(*patch as usize), probabilities.last())
        else {
            anyhow::bail!("the evaluation is of another data set; run `unit-atlas train` again");
        };
        let best = best.entry(window.mammogram).or_insert((*patch, probability));
        if probability > best.1 {
            *best = (*patch, probability);
        }
    }
    Ok(best.into_values().collect())
}

/// Which pixels of a patch lie in outlined lesions.
struct Lesions {
    malignant: Vec<bool>,
    benign: Vec<bool>,
    any: Vec<bool>,
}

impl Lesions {
    /// Of a patch of `edge` pixels; none where no outline meets it.
    fn of(lesions: &[mammogram::Lesion], window: &Patch, edge: u32) -> Option<Self> {
        let frame = [window.x, window.y, window.edge, window.edge].map(|n| n as f32);
        let mask = |pathology: Option<Pathology>| {
            let wanted =
                |lesion: &&mammogram::Lesion| pathology.is_none_or(|p| p == lesion.pathology);
            let outlines: Vec<_> =
                lesions.iter().filter(wanted).flat_map(|lesion| lesion.outlines.clone()).collect();
            rasterise(&outlines, frame, edge, edge).pixels
        };
        let any = mask(None);
        any.contains(&true).then(|| Self {
            malignant: mask(Some(Pathology::Malignant)),
            benign: mask(Some(Pathology::Benign)),
            any,
        })
    }

    /// How much of an area they cover; none of an empty one.
    fn cover(&self, area: &[bool]) -> Option<Covered> {
        let all = area.iter().filter(|inside| **inside).count();
        let share = |lesions: &[bool]| {
            let both = area.iter().zip(lesions).filter(|(a, b)| **a && **b);
            both.count() as f32 / all as f32
        };
        (all > 0).then(|| Covered {
            malignant: share(&self.malignant),
            benign: share(&self.benign),
            any: share(&self.any),
        })
    }
}

#[cfg(test)]
#[path = "../../tests/support/planted.rs"]
mod planted;
#[cfg(test)]
mod tests;
