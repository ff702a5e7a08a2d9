//! How much each unit moves the classes.
//!
//! Measured on all patches of the split, or on a sample with as many patches with as without cancer
//! where there are many. For a patch, a class and a unit, *gradient times activation* is the sum over
//! the locations of the activation times the gradient of the class's logit by it. Where the layer is
//! averaged and weighted into the logits, that is exactly what the unit adds to the logit; elsewhere
//! it is the first order of it. *Silenced*, a unit's activations are zero in all patches.

use anyhow::Result;
use candle_core::{Device, Tensor};
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::{Activations, BATCH, ranks};
use base::progress::Progress;
use base::seed;
use network::Network;
use record::dissection::{Basis, Influence, SAMPLE};
use record::{Manifest, Store};
use recording::Shown;

/// A unit counts in a patch when it is among so many (the paper group's ranking).
const AMONG: usize = 8;

/// The patches of a split that influence is measured on, as positions in order: all, or half with
/// cancer and half without as far as there are as many.
pub(super) fn sample(manifest: &Manifest, patches: &[u32]) -> Vec<u32> {
    let all = 0..patches.len() as u32;
    if patches.len() <= SAMPLE {
        return all.collect();
    }
    let (mut with, mut without): (Vec<u32>, Vec<u32>) =
        all.partition(|&at| manifest.patches[patches[at as usize] as usize].positive);
    let mut rng = seed::stream(manifest.seed, "dissection/influence");
    with.shuffle(&mut rng);
    without.shuffle(&mut rng);
    let half = SAMPLE / 2;
    let some = with.len().min(half.max(SAMPLE.saturating_sub(without.len())));
    with.truncate(some);
    without.truncate(SAMPLE - some);
    let mut drawn = [with, without].concat();
    drawn.sort_unstable();
    drawn
}

/// What each unit of one layer adds to each class in each patch of the sample.
pub(super) struct Contributions<'a> {
    units: usize,
    classes: usize,
    /// Patch by patch, class by class, unit by unit.
    values: Vec<f32>,
    /// Logits, patch by patch.
    logits: Vec<f32>,
    /// What the classes are weighted by, class by class, where the layer is averaged and weighted into them.
    weights: Option<Vec<Vec<f32>>>,
    /// The classifier that can be run again without a unit.
    silence: Option<Silence<'a>>,
}

/// A network whose classifier follows from the maps of a layer, and those maps, batch by batch.
struct Silence<'a> {
    network: &'a Network,
    maps: Vec<Tensor>,
}

/// What is known of the patches that influence is measured on.
pub(super) struct Sample<'a> {
    /// Which of them have cancer.
    pub positive: &'a [bool],
    /// The units' scores in them, unit by unit.
    pub scores: &'a [f32],
}

/// Measures the contributions of the units of some layers; none of a layer of which they were not recorded, and none
/// where the network says nothing of the classes.
pub(super) fn measure<'a>(
    activations: Activations<'a>,
    store: &Store,
    layers: &[&str],
    patches: &[u32],
    progress: &dyn Progress,
) -> Result<Vec<Option<Contributions<'a>>>> {
    if !activations.tells() {
        return Ok(layers.iter().map(|_| None).collect());
    }
    match activations {
        Activations::Run(network) => {
            let found = run(network, store, layers, patches, progress)?;
            Ok(found.into_iter().map(Some).collect())
        }
        Activations::Recorded(shown) => {
            layers.iter().map(|layer| recorded(shown, layer, patches)).collect()
        }
    }
}

/// From the gradients of a network that is run.
fn run<'a>(
    network: &'a Network,
    store: &Store,
    layers: &[&str],
    patches: &[u32],
    progress: &dyn Progress,
) -> Result<Vec<Contributions<'a>>> {
    let inference = network.inference();
    let mut found: Vec<Contributions> = Vec::new();
    progress.start("influence of units", patches.len() as u64);
    for batch in patches.chunks(BATCH) {
        let pixels: Vec<&[u8]> = batch.iter().map(|&n| store.pixels(n)).collect();
        let images = network.images(&pixels, store.edge())?;
        let sensitivity = inference.sensitivity(&images, layers)?;
        let classes = sensitivity.gradients.len();
        let logits = sensitivity.logits.flatten_all()?.to_vec1::<f32>()?;
        for (at, (layer, maps)) in layers.iter().zip(&sensitivity.maps).enumerate() {
            let units = maps.dim(1)?;
            let of_class = |class: usize| -> Result<Vec<f32>> {
                let product = (maps * &sensitivity.gradients[class][at])?;
                Ok(product.flatten_from(2)?.sum(2)?.flatten_all()?.to_vec1::<f32>()?)
            };
            let by_class = (0..classes).map(of_class).collect::<Result<Vec<_>>>()?;
            if found.len() <= at {
                let weights = match network.linear_head(layer) {
                    Some(weights) => Some(weights.to_device(&Device::Cpu)?.to_vec2::<f32>()?),
                    None => None,
                };
                let silence =
                    network.silences(layer).then(|| Silence { network, maps: Vec::new() });
                let (values, logits) = (Vec::new(), Vec::new());
                found.push(Contributions { units, classes, values, logits, weights, silence });
            }
            let own = &mut found[at];
            own.add(&by_class, batch.len());
            own.logits.extend_from_slice(&logits);
            if let Some(silence) = &mut own.silence {
                silence.maps.push(maps.clone());
            }
        }
        progress.advance(batch.len() as u64);
    }
    progress.finish();
    Ok(found)
}

/// From what was recorded, where it was.
fn recorded<'a>(shown: &Shown, layer: &str, patches: &[u32]) -> Result<Option<Contributions<'a>>> {
    let Some(by_class) = shown.contributions(layer, patches)? else { return Ok(None) };
    let flat = |tensor: &Tensor| Ok(tensor.flatten_all()?.to_vec1::<f32>()?);
    let by_class = by_class.iter().map(flat).collect::<Result<Vec<_>>>()?;
    let mut found = Contributions {
        units: shown.layer(layer)?.units,
        classes: by_class.len(),
        values: Vec::new(),
        logits: flat(&shown.logits(patches)?)?,
        weights: shown.weights(layer, patches)?,
        silence: None,
    };
    found.add(&by_class, patches.len());
    Ok(Some(found))
}

impl Contributions<'_> {
    /// Takes what the units add in more patches, class by class, each patch by patch.
    fn add(&mut self, by_class: &[Vec<f32>], patches: usize) {
        for patch in 0..patches {
            for values in by_class {
                self.values.extend_from_slice(&values[patch * self.units..][..self.units]);
            }
        }
    }

    /// Contribution of every unit to the last class, cancer, in a patch.
    fn for_cancer(&self, patch: usize) -> &[f32] {
        self.of(patch, self.classes - 1)
    }

    fn of(&self, patch: usize, class: usize) -> &[f32] {
        &self.values[(patch * self.classes + class) * self.units..][..self.units]
    }

    /// What follows for every unit; `greatest` are the units' greatest scores in the split.
    pub(super) fn conclude(
        &self,
        layer: &str,
        sample: &Sample,
        greatest: &[f32],
        classes: &[&str],
    ) -> Result<(Basis, Vec<Influence>)> {
        let Sample { positive, scores } = *sample;
        let patches = positive.len();
        let weights = &self.weights;
        let full = ranks::auc(&log_odds(&self.logits, self.classes), positive);
        let (ablations, ablated) = self.ablations(layer, positive, full)?;
        let mut influences: Vec<Influence> = (0..self.units)
            .map(|unit| Influence {
                gradient: (0..self.classes)
                    .map(|class| {
                        let sum: f64 =
                            (0..patches).map(|p| f64::from(self.of(p, class)[unit])).sum();
                        (sum / patches.max(1) as f64) as f32
                    })
                    .collect(),
                weighted: weights.as_ref().map(|weights| {
                    weights.iter().map(|of_class| of_class[unit] * greatest[unit]).collect()
                }),
                ablation: ablations[unit],
                ..Influence::default()
            })
            .collect();
        for patch in 0..patches {
            let worth: Vec<f32> = match weights.as_ref().and_then(|weights| weights.last()) {
                Some(weights) => {
                    (0..self.units).map(|u| scores[u * patches + patch] * weights[u]).collect()
                }
                None => self.for_cancer(patch).to_vec(),
            };
            let mut order: Vec<usize> = (0..self.units).collect();
            order.sort_by(|&a, &b| worth[b].total_cmp(&worth[a]));
            for &unit in order.iter().take(AMONG).filter(|unit| worth[**unit] > 0.0) {
                influences[unit].top8 += 1;
            }
        }
        let mut order: Vec<usize> = (0..self.units).collect();
        order.sort_by(|&a, &b| {
            let (a, b) = (&influences[a], &influences[b]);
            let last = |influence: &Influence| influence.gradient.last().copied().unwrap_or(0.0);
            b.top8.cmp(&a.top8).then(last(b).total_cmp(&last(a)))
        });
        for (place, unit) in order.into_iter().enumerate() {
            influences[unit].rank = place as u32 + 1;
        }
        let basis = Basis {
            patches: patches as u32,
            positives: positive.iter().filter(|p| **p).count() as u32,
            classes: classes.iter().map(|class| (*class).to_string()).collect(),
            linear: weights.is_some(),
            auc: full,
            ablated,
        };
        Ok((basis, influences))
    }

    /// By how much the area under the ROC curve falls without each unit, where that is known.
    fn ablations(
        &self,
        layer: &str,
        positive: &[bool],
        full: Option<f32>,
    ) -> Result<(Vec<Option<f32>>, bool)> {
        let Some(full) = full else { return Ok((vec![None; self.units], false)) };
        let fall = |logits: &[f32]| {
            ranks::auc(&log_odds(logits, self.classes), positive).map(|auc| full - auc)
        };
        if self.weights.is_some() {
            let falls = (0..self.units).into_par_iter().map(|unit| {
                let logits: Vec<f32> = (0..positive.len())
                    .flat_map(|p| (0..self.classes).map(move |class| (p, class)))
                    .map(|(p, class)| {
                        self.logits[p * self.classes + class] - self.of(p, class)[unit]
                    })
                    .collect();
                fall(&logits)
            });
            return Ok((falls.collect(), true));
        }
        let Some(Silence { network, maps }) = &self.silence else {
            return Ok((vec![None; self.units], false));
        };
        let logits = network.silenced(layer, &Tensor::cat(maps, 0)?)?;
        let logits = logits.flatten_all()?.to_vec1::<f32>()?;
        let of_unit = positive.len() * self.classes;
        Ok((logits.par_chunks_exact(of_unit).map(fall).collect(), true))
    }
}

/// Logarithm of the odds of the last class in every row.
fn log_odds(logits: &[f32], classes: usize) -> Vec<f32> {
    logits
        .chunks_exact(classes)
        .map(|row| {
            let (others, last) = row.split_at(classes - 1);
            let most = others.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum: f32 = others.iter().map(|logit| (logit - most).exp()).sum();
            last[0] - most - sum.ln()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_of_the_last_class() {
        let odds = log_odds(&[0.0, 1.0, 2.0, 1.0, 1.0, 0.0], 3);
        assert!((odds[0] - (2.0 - (1.0_f32 + 1.0_f32.exp()).ln())).abs() < 1e-6);
        assert!((odds[1] - (-1.0 - 2.0_f32.ln())).abs() < 1e-6);
    }
}
