//! Everything that is said of a network follows from the probabilities it gave to the patches.

use std::collections::BTreeMap;

use super::evaluate::likeliest;
use super::objective::Pooled;
use super::subgroups::subgroups;
use metrics::Scored;
use record::Manifest;
use record::training::{Assessment, ClassResult, Classes, Heads, Level, Levels};

/// Assesses probabilities of the classes per patch, as (patch number, probabilities); the last class
/// is cancer. Of patches without probabilities, as those of a network that tells no classes, nothing is said.
/// `seed` is the bootstrap's.
pub fn assess(manifest: &Manifest, scores: &[(u32, Vec<f32>)], seed: u64) -> Assessment {
    let told = scores.first().is_none_or(|(_, probabilities)| !probabilities.is_empty());
    let scores = if told { scores } else { &[] };
    let cases: Vec<Scored> = scores.iter().map(|score| cancer(manifest, score)).collect();
    Assessment {
        levels: levels(manifest, scores, &cases, seed),
        calibration: metrics::calibration(&cases),
        subgroups: subgroups(manifest, scores, &cases),
        classes: (told && manifest.classes().len() > 2).then(|| classes(manifest, scores)),
        heads: Heads::default(),
    }
}

/// A patch's probability of cancer with its truth.
fn cancer(manifest: &Manifest, (patch, probabilities): &(u32, Vec<f32>)) -> Scored {
    let score = probabilities.last().copied().unwrap_or_default();
    Scored { score, positive: manifest.patches[*patch as usize].positive }
}

/// Patches of one mammogram or patient.
struct Gathered {
    patient: u32,
    positive: bool,
    patches: Vec<f32>,
}

fn levels(manifest: &Manifest, scores: &[(u32, Vec<f32>)], cases: &[Scored], seed: u64) -> Levels {
    // A lesion whose place is not known makes its patient positive too, though it labels no patch.
    let mut has_cancer = BTreeMap::<&str, bool>::new();
    let malignant = |number: usize| manifest.mammograms[number].mammogram.has_cancer();
    for (number, member) in manifest.mammograms.iter().enumerate() {
        *has_cancer.entry(&member.mammogram.patient).or_default() |= malignant(number);
    }
    let mut numbers = BTreeMap::<&str, u32>::new();
    let mut mammograms = BTreeMap::<u32, Gathered>::new();
    let mut patients = BTreeMap::<u32, Gathered>::new();
    let mut of_patches = Vec::with_capacity(cases.len());
    for ((patch, _), case) in scores.iter().zip(cases) {
        let patch = &manifest.patches[*patch as usize];
        let name = manifest.member(patch).mammogram.patient.as_str();
        let next = numbers.len() as u32;
        let patient = *numbers.entry(name).or_insert(next);
        of_patches.push(patient);
        let gathered = |positive| Gathered { patient, positive, patches: Vec::new() };
        let mammogram = mammograms
            .entry(patch.mammogram)
            .or_insert_with(|| gathered(malignant(patch.mammogram as usize)));
        mammogram.patches.push(case.score);
        let person = patients.entry(patient).or_insert_with(|| gathered(has_cancer[name]));
        person.patches.push(case.score);
    }
    let gathered = |groups: &BTreeMap<u32, Gathered>, aggregate: fn(&[f32]) -> f32| {
        let scored = |g: &Gathered| Scored { score: aggregate(&g.patches), positive: g.positive };
        let cases: Vec<Scored> = groups.values().map(scored).collect();
        let patients: Vec<u32> = groups.values().map(|g| g.patient).collect();
        level_of_probabilities(&cases, &patients, seed)
    };
    Levels {
        patch: level_of_probabilities(cases, &of_patches, seed),
        mammogram_max: gathered(&mammograms, maximum),
        mammogram_mean: gathered(&mammograms, mean),
        mammogram_pooled: None,
        patient_max: gathered(&patients, maximum),
        patient_mean: gathered(&patients, mean),
    }
}

fn maximum(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

fn mean(values: &[f32]) -> f32 {
    (values.iter().copied().map(f64::from).sum::<f64>() / values.len() as f64) as f32
}

/// Mammograms as a network was trained to score them by their patches.
pub(super) fn pooled(manifest: &Manifest, scores: &[Pooled], seed: u64) -> Level {
    let mut numbers = BTreeMap::<&str, u32>::new();
    let (mut cases, mut patients) = (Vec::new(), Vec::new());
    let cancer = manifest.classes().len() - 1;
    for pooled in scores {
        let mammogram = &manifest.mammograms[pooled.mammogram as usize].mammogram;
        let next = numbers.len() as u32;
        patients.push(*numbers.entry(&mammogram.patient).or_insert(next));
        cases.push(Scored { score: pooled.odds(cancer), positive: mammogram.has_cancer() });
    }
    // By odds, which keep an order among what is all but certain; told as probabilities.
    let probability = |odds: f32| 1.0 / (1.0 + (-odds).exp());
    let mut level = level(&cases, &patients, seed);
    for point in &mut level.operating_points {
        point.threshold = point.threshold.map(probability);
    }
    cases.iter_mut().for_each(|case| case.score = probability(case.score));
    Level { probabilistic_f1: metrics::probabilistic_f1(&cases), ..level }
}

/// As [`level`], of scores that are probabilities.
fn level_of_probabilities(cases: &[Scored], patients: &[u32], seed: u64) -> Level {
    let probabilistic_f1 = metrics::probabilistic_f1(cases);
    Level { probabilistic_f1, ..level(cases, patients, seed) }
}

/// `patients` holds the number of each case's patient.
pub(super) fn level(cases: &[Scored], patients: &[u32], seed: u64) -> Level {
    let positives = cases.iter().filter(|case| case.positive).count() as u32;
    let curve = metrics::precision_recall(cases);
    let auc = metrics::auc(cases);
    Level {
        positives,
        negatives: cases.len() as u32 - positives,
        auc,
        bootstrap: auc.and_then(|_| metrics::by_patient(cases, patients, seed)),
        roc: metrics::roc(cases),
        precision_recall: curve.points,
        average_precision: curve.average,
        probabilistic_f1: None,
        operating_points: metrics::operating_points(cases),
    }
}

fn classes(manifest: &Manifest, scores: &[(u32, Vec<f32>)]) -> Classes {
    let names = manifest.classes();
    let truth: Vec<usize> = scores.iter().map(|(patch, _)| manifest.class(*patch)).collect();
    let each: Vec<ClassResult> = names
        .iter()
        .enumerate()
        .map(|(class, name)| {
            let cases: Vec<Scored> = scores
                .iter()
                .zip(&truth)
                .map(|((_, p), &truth)| Scored { score: p[class], positive: truth == class })
                .collect();
            ClassResult {
                name: (*name).into(),
                patches: cases.iter().filter(|case| case.positive).count() as u32,
                auc: metrics::auc(&cases),
                roc: metrics::roc(&cases),
            }
        })
        .collect();
    let areas = each.iter().map(|class| class.auc.map(|auc| auc.value));
    let mean_auc = areas.sum::<Option<f64>>().map(|sum| sum / names.len() as f64);
    let mut confusion = vec![vec![0; names.len()]; names.len()];
    for ((_, probabilities), &truth) in scores.iter().zip(&truth) {
        confusion[truth][likeliest(probabilities)] += 1;
    }
    let right: u32 = (0..names.len()).map(|class| confusion[class][class]).sum();
    Classes { each, mean_auc, confusion, accuracy: f64::from(right) / scores.len().max(1) as f64 }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use base::Split;
    use config::{Patches, Shares};
    use mammogram::{About, Lesion, Mammogram, Outline, Pathology};
    use record::{Member, Patch};

    /// A mammogram of 100 x 100 pixels.
    pub(crate) fn mammogram(patient: &str, lesions: Vec<Lesion>) -> Mammogram {
        Mammogram {
            id: String::new(),
            patient: patient.into(),
            laterality: None,
            view: None,
            modifier: None,
            width: 100,
            height: 100,
            micron: None,
            density: None,
            facts: BTreeMap::new(),
            lesions,
            assigned: None,
            regions: Vec::new(),
        }
    }

    /// A square of ten pixels, or, without a place, none.
    pub(crate) fn lesion(pathology: Pathology, term: &str, at: Option<[f32; 2]>) -> Lesion {
        let square = |[x, y]: [f32; 2]| {
            Outline::Polygon(vec![[x, y], [x + 10.0, y], [x + 10.0, y + 10.0], [x, y + 10.0]])
        };
        Lesion {
            pathology,
            terms: vec![term.into()],
            source_words: String::new(),
            outlines: at.map(square).into_iter().collect(),
            subtlety: None,
            assessment: None,
        }
    }

    /// Windows of 20 pixels as (mammogram, x, y, positive, benign).
    pub(crate) fn manifest(
        classes: u32,
        mammograms: Vec<Mammogram>,
        windows: &[(u32, u32, u32, bool, bool)],
    ) -> Manifest {
        let member = |mammogram| Member {
            mammogram,
            split: Split::Test,
            preview: Some([100, 100]),
            breast: vec![],
        };
        let patch = |&(mammogram, x, y, positive, benign): &(u32, u32, u32, bool, bool)| Patch {
            mammogram,
            x,
            y,
            edge: 20,
            positive,
            benign,
            fractions: None,
            held: None,
        };
        Manifest {
            format: 3,
            source: About {
                kind: "test".into(),
                name: "test".into(),
                description: String::new(),
                citation: String::new(),
                licence: None,
                phantom: true,
            },
            patching: Patches {
                window: 0.2,
                stride: 0.5,
                size: 32,
                min_lesion: 0.3,
                min_patch: 0.3,
                min_breast: 0.5,
                classes: classes as _,
                spot_views: false,
                labels: Default::default(),
            },
            shares: Shares { train: 0.8, validation: 0.1, test: 0.1 },
            seed: 1,
            given: Default::default(),
            summary: Vec::new(),
            notices: Vec::new(),
            mammograms: mammograms.into_iter().map(member).collect(),
            patches: windows.iter().map(patch).collect(),
        }
    }

    #[test]
    fn mammograms_and_patients_are_gathered_from_their_patches() {
        use Pathology::{Benign, Malignant};
        let manifest = manifest(
            2,
            vec![
                mammogram("a", vec![lesion(Malignant, "mass", Some([5.0, 5.0]))]),
                mammogram("a", vec![]),
                mammogram("b", vec![lesion(Benign, "mass", Some([5.0, 5.0]))]),
                // Cancer without a place: no patch, but its patient has cancer.
                mammogram("c", vec![lesion(Malignant, "mass", None)]),
                mammogram("c", vec![]),
                // No patch, not counted.
                mammogram("d", vec![lesion(Malignant, "mass", Some([5.0, 5.0]))]),
            ],
            &[
                (0, 0, 0, true, false),
                (0, 40, 0, false, false),
                (1, 0, 0, false, false),
                (2, 0, 0, false, true),
                (2, 40, 0, false, false),
                (4, 0, 0, false, false),
            ],
        );
        let cancer = [0.9, 0.1, 0.2, 0.6, 0.55, 0.58];
        let scores: Vec<_> =
            cancer.iter().enumerate().map(|(i, &p)| (i as u32, vec![1.0 - p, p])).collect();
        let Assessment { levels, classes, .. } = assess(&manifest, &scores, 1);
        let counts = levels.each().map(|(_, _, level)| (level.positives, level.negatives));
        assert_eq!(counts.collect::<Vec<_>>(), [(1, 5), (1, 3), (1, 3), (2, 1), (2, 1)]);
        let areas: Vec<f64> = levels.each().map(|(_, _, level)| level.auc.unwrap().value).collect();
        // Mammograms: 0.9 against 0.2, 0.6 and 0.58; the means: 0.5 against 0.2, 0.575 and 0.58.
        assert_eq!(areas[..3], [1.0, 1.0, 1.0 / 3.0]);
        // Patients: 0.9 and 0.58 against 0.6; the means: 0.4 and 0.58 against 0.575.
        assert_eq!(areas[3..], [0.5, 0.5]);
        assert_eq!(classes, None);
    }

    #[test]
    fn three_classes_each_against_the_others() {
        let windows = [(0, 0, 0, false, false), (0, 20, 0, false, true), (0, 40, 0, true, true)];
        let manifest = manifest(3, vec![mammogram("a", vec![])], &windows);
        let scores =
            vec![(0, vec![0.5, 0.3, 0.2]), (1, vec![0.6, 0.3, 0.1]), (2, vec![0.1, 0.2, 0.7])];
        let classes = assess(&manifest, &scores, 1).classes.unwrap();
        let areas: Vec<f64> = classes.each.iter().map(|c| c.auc.unwrap().value).collect();
        assert_eq!(areas, [0.5, 0.75, 1.0]);
        assert_eq!(classes.mean_auc, Some(0.75));
        assert_eq!(classes.confusion, [[1, 0, 0], [1, 0, 0], [0, 0, 1]]);
        assert_eq!(classes.accuracy, 2.0 / 3.0);
        let none = assess(&manifest, &[], 1);
        assert_eq!(none.calibration, None);
        assert_eq!(none.levels.patch.auc, None);
        assert_eq!(none.classes.unwrap().mean_auc, None);
    }
}
