//! How well outputs beside the classes tell what they are for: the composition of the breast, BI-RADS assessments,
//! findings.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::assess::level;
use super::evaluate::likeliest;
use config::{Head, Output, Scale};
use mammogram::{Assessment, Lesion};
use metrics::{Called, Scored};
use patch::label::Labeller;
use record::Manifest;
use record::training::{FindingResult, Heads, ScaleResult};

/// Judges what outputs beside the classes say of patches, as (patch number, outputs before any softmax or sigmoid).
/// `seed` is the bootstrap's. Empty where there are no such outputs.
pub(super) fn heads(
    manifest: &Manifest,
    outputs: &[Output],
    given: &[(u32, Vec<f32>)],
    seed: u64,
) -> Heads {
    let mut found = Heads::default();
    let heads = Output::heads(outputs);
    if heads.is_empty() {
        return found;
    }
    let patients = patients(manifest);
    // Of what a patch holds, the composition says nothing.
    let of_lesions = |head: &Head| !matches!(head, Head::Scale(Scale::Composition, _));
    let held = match heads.iter().any(of_lesions) {
        true => held(manifest, given),
        false => vec![Vec::new(); given.len()],
    };
    let split = Judged { manifest, given, patients: &patients, held: &held, seed };
    for head in heads {
        match head {
            Head::Scale(scale, categories) => found.scales.push(split.scale(scale, &categories)),
            Head::Finding(term, output) => found.findings.push(split.finding(term, output)),
        }
    }
    found
}

/// Number of each mammogram's patient.
fn patients(manifest: &Manifest) -> Vec<u32> {
    let mut numbers = BTreeMap::new();
    let number = |member: &record::Member| {
        let next = numbers.len() as u32;
        *numbers.entry(member.mammogram.patient.clone()).or_insert(next)
    };
    manifest.mammograms.iter().map(number).collect()
}

/// Indices of the lesions that each patch holds, by the rule of its label.
fn held(manifest: &Manifest, given: &[(u32, Vec<f32>)]) -> Vec<Vec<usize>> {
    let patches: Vec<u32> = given.iter().map(|(patch, _)| *patch).collect();
    let of = |&patch: &u32| manifest.patches[patch as usize].mammogram;
    // Filling outlines at full size is what takes the time; patches of a mammogram follow one another.
    let groups: Vec<&[u32]> = patches.chunk_by(|a, b| of(a) == of(b)).collect();
    let by_group = groups.into_par_iter().map(|group| {
        let member = &manifest.mammograms[of(&group[0]) as usize];
        let mammogram = &member.mammogram;
        if mammogram.lesions.is_empty() {
            return vec![Vec::new(); group.len()];
        }
        let (width, height) = (mammogram.width, mammogram.height);
        let labeller = Labeller::new(&mammogram.lesions, width, height, &manifest.patching);
        let lesions = |&patch: &u32| {
            let patch = &manifest.patches[patch as usize];
            labeller.lesions(patch.x, patch.y, patch.edge)
        };
        group.iter().map(lesions).collect()
    });
    by_group.collect::<Vec<Vec<_>>>().into_iter().flatten().collect()
}

/// A split with what a network says of it.
struct Judged<'a> {
    manifest: &'a Manifest,
    given: &'a [(u32, Vec<f32>)],
    /// By mammogram.
    patients: &'a [u32],
    /// By patch of `given`.
    held: &'a [Vec<usize>],
    seed: u64,
}

impl Judged<'_> {
    /// Each patch with its mammogram, the lesions that it holds and the outputs for it.
    fn patches(&self) -> impl Iterator<Item = (u32, Vec<&Lesion>, &[f32])> {
        self.given.iter().zip(self.held).map(|((patch, outputs), held)| {
            let mammogram = self.manifest.patches[*patch as usize].mammogram;
            let lesions = &self.manifest.mammograms[mammogram as usize].mammogram.lesions;
            (mammogram, held.iter().map(|&at| &lesions[at]).collect(), outputs.as_slice())
        })
    }

    fn scale(&self, scale: Scale, categories: &[(&'static str, usize)]) -> ScaleResult {
        let likely = |outputs: &[f32]| {
            softmax(&categories.iter().map(|(_, at)| outputs[*at]).collect::<Vec<_>>())
        };
        // What is true of each case, with how likely each category is.
        let cases: Vec<(u32, String, Vec<f32>)> = match scale {
            Scale::Composition => {
                let mut sums = BTreeMap::<u32, Vec<f32>>::new();
                for (mammogram, _, outputs) in self.patches() {
                    let sum = sums.entry(mammogram).or_insert_with(|| vec![0.0; categories.len()]);
                    sum.iter_mut().zip(likely(outputs)).for_each(|(sum, share)| *sum += share);
                }
                let density = |number: u32| {
                    self.manifest.mammograms[number as usize].mammogram.density.clone()
                };
                sums.into_iter()
                    .filter_map(|(number, sum)| Some((number, density(number)?, sum)))
                    .collect()
            }
            Scale::Assessment => self
                .patches()
                .filter_map(|(number, lesions, outputs)| {
                    let highest = lesions.iter().filter_map(|lesion| lesion.assessment).max()?;
                    Some((number, known(highest, categories), likely(outputs)))
                })
                .collect(),
        };
        let place = |name: &str| categories.iter().position(|(category, _)| *category == name);
        let mut confusion = vec![vec![0; categories.len()]; categories.len()];
        let (mut called, mut others) = (Vec::new(), 0);
        for (mammogram, truth, likely) in cases {
            let Some(truth) = place(&truth) else {
                others += 1;
                continue;
            };
            let case = Called {
                truth,
                called: likeliest(&likely),
                patient: self.patients[mammogram as usize],
            };
            confusion[case.truth][case.called] += 1;
            called.push(case);
        }
        let share = |apart: usize| {
            let right = called.iter().filter(|case| case.truth.abs_diff(case.called) <= apart);
            (!called.is_empty()).then(|| right.count() as f64 / called.len() as f64)
        };
        let kappa = metrics::weighted_kappa(&called, self.seed);
        ScaleResult {
            scale,
            categories: categories.iter().map(|(category, _)| (*category).to_owned()).collect(),
            confusion,
            others,
            accuracy: share(0),
            near: share(1),
            kappa: kappa.map(|(value, _)| value),
            spread: kappa.map(|(_, spread)| spread),
        }
    }

    fn finding(&self, term: &str, output: usize) -> FindingResult {
        let has = |lesion: &&Lesion| lesion.terms.iter().any(|own| is_a(own, term));
        let scored = |(mammogram, lesions, outputs): (u32, Vec<&Lesion>, &[f32])| {
            // By the logit: its sigmoid has the same order, but where rounding makes equals of what differs.
            let case = Scored { score: outputs[output], positive: lesions.iter().any(has) };
            (case, self.patients[mammogram as usize])
        };
        let (cases, patients): (Vec<Scored>, Vec<u32>) = self.patches().map(scored).unzip();
        FindingResult { term: term.to_owned(), level: level(&cases, &patients, self.seed) }
    }
}

/// An assessment by the categories that a network knows: 4 takes 4A to 4C in where it is not divided.
fn known(assessment: Assessment, categories: &[(&'static str, usize)]) -> String {
    let has = |name: &str| categories.iter().any(|(category, _)| *category == name);
    let own = assessment.to_string();
    match own.starts_with('4') && !has(&own) {
        true => "4".into(),
        false => own,
    }
}

/// Whether a term of a lesion is another, or a kind of it: `asymmetry-focal` is an `asymmetry`.
fn is_a(own: &str, term: &str) -> bool {
    own.strip_prefix(term).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

fn softmax(logits: &[f32]) -> Vec<f32> {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = logits.iter().map(|logit| (logit - greatest).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::tests::{lesion, mammogram, manifest};
    use mammogram::Pathology;

    /// Two mammograms of one patient and one of another; windows on a mass, on calcifications and on nothing.
    fn split() -> Manifest {
        let graded = |term: &str, at: [f32; 2], grade: &str| {
            let mut lesion = lesion(Pathology::Benign, term, Some(at));
            lesion.assessment = Assessment::of(grade);
            lesion
        };
        let dense = |patient: &str, density: Option<&str>, lesions| {
            let mut mammogram = mammogram(patient, lesions);
            mammogram.density = density.map(Into::into);
            mammogram
        };
        let both =
            vec![graded("mass", [5.0, 5.0], "4B"), graded("asymmetry-focal", [45.0, 5.0], "2")];
        let mammograms = vec![
            dense("a", Some("composition-b"), both),
            dense("a", Some("composition-d"), vec![graded("mass", [5.0, 5.0], "0")]),
            dense("b", None, vec![]),
        ];
        let windows = [(0, 0, 0), (0, 40, 0), (0, 70, 60), (1, 0, 0), (2, 0, 0)];
        manifest(2, mammograms, &windows.map(|(m, x, y)| (m, x, y, false, false)))
    }

    #[test]
    fn scales_are_of_what_the_data_set_states_them_of() {
        use Output::{Birads2, Birads4, Cancer, CompositionB, CompositionC, Normal};
        let manifest = split();
        let outputs = [Cancer, CompositionC, Birads2, CompositionB, Normal, Birads4];
        let row = |c: f32, two: f32, b: f32, four: f32| vec![9.0, c, two, b, 0.0, four];
        let given: Vec<(u32, Vec<f32>)> = (0..)
            .zip([
                // Two patches say C, one says B, and more surely: by the mean it is B.
                row(0.2, 0.0, 0.0, 3.0),
                row(0.2, 0.0, 0.0, 3.0),
                row(0.0, 5.0, 9.0, 0.0),
                row(0.0, 5.0, 9.0, 0.0),
                row(0.0, 5.0, 9.0, 0.0),
            ])
            .collect();
        let found = heads(&manifest, &outputs, &given, 1);
        let [composition, assessment] = &found.scales[..] else { panic!("{found:?}") };
        assert!(found.findings.is_empty());
        assert_eq!(composition.scale, Scale::Composition);
        assert_eq!(composition.categories, ["composition-b", "composition-c"]);
        // The composition D of the second is none that the network knows; the third states none.
        assert_eq!(
            (&composition.confusion, composition.others),
            (&vec![vec![1, 0], vec![0, 0]], 1)
        );
        assert_eq!((composition.accuracy, composition.kappa), (Some(1.0), None));
        // 4B counts as 4; the focal asymmetry of BI-RADS 2 is called 4, too; BI-RADS 0 is not known.
        assert_eq!(assessment.categories, ["2", "4"]);
        assert_eq!((&assessment.confusion, assessment.others), (&vec![vec![0, 1], vec![0, 1]], 1));
        assert_eq!((assessment.accuracy, assessment.near), (Some(0.5), Some(1.0)));
        assert_eq!(assessment.kappa, Some(0.0));
    }

    #[test]
    fn findings_are_of_patches_that_hold_them() {
        use Output::{Asymmetry, Calcifications, Mass};
        let manifest = split();
        let given: Vec<(u32, Vec<f32>)> = (0..)
            .zip([
                vec![2.0, -1.0, 0.0],
                vec![0.0, 1.0, 0.0],
                vec![0.5, 0.0, 0.0],
                vec![1.0, 0.0, 0.0],
                vec![1.5, 0.0, 0.0],
            ])
            .collect();
        let found = heads(&manifest, &[Mass, Asymmetry, Calcifications], &given, 1);
        let [mass, asymmetry, calcifications] = &found.findings[..] else { panic!("{found:?}") };
        let of = |found: &FindingResult| {
            let level = &found.level;
            let auc = level.auc.map(|auc| (auc.value * 6.0).round() as u32);
            (found.term.clone(), level.positives, level.negatives, auc)
        };
        // Patches 0 and 3 hold a mass; of the six pairs one is in the wrong order.
        assert_eq!(of(mass), ("mass".to_owned(), 2, 3, Some(5)));
        assert_eq!(of(asymmetry), ("asymmetry".to_owned(), 1, 4, Some(6)));
        assert_eq!(of(calcifications), ("calcifications".to_owned(), 0, 5, None));
        assert!(heads(&manifest, &[Output::Normal, Output::Cancer], &given, 1).is_empty());
    }
}
