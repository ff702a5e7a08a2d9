//! Where networks look, over a data set made up here.

use base::Split;
use config::{Patches, Shares};
use mammogram::{About, Lesion, Mammogram, Pathology};
use record::Patch;
use record::{Given, Member};

use super::*;
use crate::{Reason, cases};

/// Mammograms of four patches: the first malignant, the second benign, the others without a lesion.
fn manifest(cancers: &[bool]) -> Manifest {
    let member = |(at, cancer): (usize, &bool)| Member {
        mammogram: Mammogram {
            id: format!("m{at}"),
            patient: format!("p{at}"),
            laterality: None,
            view: None,
            modifier: None,
            width: 4,
            height: 1,
            micron: None,
            density: None,
            facts: Default::default(),
            lesions: vec![Lesion {
                pathology: if *cancer { Pathology::Malignant } else { Pathology::Benign },
                terms: Vec::new(),
                source_words: String::new(),
                outlines: Vec::new(),
                subtlety: None,
                assessment: None,
            }],
            assigned: None,
            regions: Vec::new(),
        },
        split: Split::Validation,
        preview: None,
        breast: Vec::new(),
    };
    let patch = |(at, cancer): (usize, &bool)| {
        let cancer = *cancer;
        (0..4).map(move |x| Patch {
            mammogram: at as u32,
            x,
            y: 0,
            edge: 1,
            positive: cancer && x == 0,
            benign: x <= 1,
            fractions: None,
            held: None,
        })
    };
    Manifest {
        format: 3,
        source: About {
            kind: "phantom".into(),
            name: String::new(),
            description: String::new(),
            citation: String::new(),
            licence: None,
            phantom: true,
        },
        patching: Patches {
            window: 0.25,
            stride: 0.5,
            size: 1,
            min_lesion: 0.3,
            min_patch: 0.3,
            min_breast: 0.5,
            classes: 2,
            spot_views: false,
            labels: Default::default(),
        },
        shares: Shares { train: 0.0, validation: 1.0, test: 0.0 },
        seed: 1,
        given: Given::default(),
        summary: Vec::new(),
        notices: Vec::new(),
        mammograms: cancers.iter().enumerate().map(member).collect(),
        patches: cancers.iter().enumerate().flat_map(patch).collect(),
    }
}

/// Mammograms as (deciding patch of its four, probability, shares of the first unit's region and of the
/// patch).
fn explanation(decided: &[(u32, f32, Option<[Covered; 2]>)]) -> Explanation {
    let mammogram = |(at, &(patch, probability, covered)): (usize, &(u32, f32, _))| {
        let covered: Option<[Covered; 2]> = covered;
        let part = |inside| Part {
            unit: 1,
            contribution: 1.0,
            adds: vec![-0.5, 0.5],
            without: None,
            score: 1.0,
            overlay: String::new(),
            inside,
        };
        Explained {
            mammogram: at as u32,
            patch: 4 * at as u32 + patch,
            probability,
            logits: vec![-0.5, 0.5],
            margin: 1.0,
            rest: 0.0,
            evidence: 1.0,
            lesions: covered.map(|both| both[1]),
            units: vec![part(covered.map(|both| both[0]))],
            positive: vec![(1, 1.0)],
        }
    };
    Explanation {
        format: 3,
        network: "alexnet".into(),
        layer: "conv5".into(),
        weights_blake3: String::new(),
        split: Split::Validation,
        exact: true,
        evidence: vec![1.0],
        mean: vec![vec![-0.5, 0.5]],
        mammograms: decided.iter().enumerate().map(mammogram).collect(),
    }
}

#[test]
fn a_cancer_is_found_only_where_the_malignant_lesion_decides() {
    // Three cancers with a high score, by a patch on the malignant lesion, a benign one, and neither; one
    // missed; one false alarm at a benign lesion and one elsewhere; one at peace.
    let manifest = manifest(&[true, true, true, true, false, false, false]);
    let explanation = explanation(&[
        (0, 0.9, None),
        (1, 0.99, None),
        (3, 0.5, None),
        (0, 0.4, None),
        (1, 0.8, None),
        (2, 0.7, None),
        (2, 0.1, None),
    ]);
    let found = pointing(&explanation, &manifest);
    assert_eq!(found.len(), 2);
    let [cancers, alarms] = &found[..] else { panic!("{found:?}") };
    assert_eq!((cancers.group, cancers.mammograms), (Group::HighCancers, 3));
    assert_eq!(cancers.rates.map(|rate| rate.count), [1, 1, 1]);
    assert_eq!(cancers.rates.map(|rate| rate.place), Place::ALL);
    // Of four patches one is on the malignant lesion, one on the benign alone, two on neither.
    assert_eq!(cancers.rates.map(|rate| rate.expected), [0.75, 0.75, 1.5]);
    // One or more of three with a quarter each.
    assert!((cancers.rates[0].p - (1.0 - 0.75f64.powi(3))).abs() < 1e-12);
    assert_eq!(alarms.rates.map(|rate| rate.count), [0, 1, 1]);
    assert_eq!(alarms.rates[0].expected, 0.0);
    assert_eq!(alarms.rates[1].expected, 1.0);

    let wanted =
        config::Cases { found: 3, false_alarms: 2, missed: 1, random: 1, list: Vec::new() };
    let explanations = [explanation];
    let shown = cases(&explanations, &manifest, &wanted, 1);
    let told: Vec<(u32, Reason, &str)> = shown
        .iter()
        .map(|case| (case.explained.mammogram, case.reason, case.verdict.words()))
        .collect();
    assert_eq!(
        told,
        [
            (1, Reason::HighCancer, "score high, but at a benign lesion"),
            (0, Reason::HighCancer, "found, at the malignant lesion"),
            (2, Reason::HighCancer, "score high, but away from the lesions"),
            (4, Reason::FalseAlarm, "false alarm at a benign lesion"),
            (5, Reason::FalseAlarm, "false alarm"),
            (3, Reason::Missed, "missed"),
            (6, Reason::Random, "no alarm"),
        ]
    );
}

#[test]
fn regions_in_malignant_and_benign_lesions_are_told_apart() {
    let covered = |malignant, benign| Covered { malignant, benign, any: malignant + benign };
    let manifest = manifest(&[true, true, true, false]);
    let explanation = explanation(&[
        (0, 0.9, Some([covered(0.5, 0.0), covered(0.25, 0.0)])),
        // All of the region lies in a lesion, but in a benign one.
        (1, 0.9, Some([covered(0.0, 1.0), covered(0.0, 0.5)])),
        // No region, or no lesion in the patch.
        (3, 0.9, None),
        // No cancer.
        (1, 0.9, Some([covered(0.0, 1.0), covered(0.0, 0.5)])),
    ]);
    let found = regions(&explanation, &manifest, |_| true).unwrap();
    assert_eq!((found.mammograms, found.above), (2, 1));
    assert_eq!((found.inside.malignant, found.inside.benign), (0.25, 0.5));
    assert_eq!((found.chance.malignant, found.chance.benign), (0.125, 0.25));
    assert!(regions(&explanation, &manifest, |part| part.unit == 2).is_none());
}

#[test]
fn where_the_source_does_not_say_where_nothing_is_said_of_it() {
    let mut manifest = manifest(&[true, true, false]);
    manifest.patching.labels = config::Labels::Image;
    let held = |malignant, n: usize| Held { malignant, benign: Some(n == 1) };
    // The second mammogram has a cancer somewhere; of the others it is known what their patches hold.
    for (n, patch) in manifest.patches.iter_mut().enumerate() {
        patch.positive = n < 8;
        patch.held = Some(held((n / 4 != 1).then_some(n % 4 == 0), n % 4));
    }
    let explanation = explanation(&[(3, 0.9, None), (0, 0.99, None), (1, 0.7, None)]);
    let verdict = |at: usize| {
        let explained = &explanation.mammograms[at];
        let place = Place::of(&manifest, explained.patch);
        Verdict::new(at < 2, explained.probability, place)
    };
    assert_eq!(verdict(0), Verdict::HighCancer(Place::Elsewhere));
    assert_eq!(verdict(1), Verdict::HighCancer(Place::Unknown));
    assert_eq!(verdict(1).words(), "score high; the source does not say where the cancer is");
    assert_eq!(unplaced(&explanation, &manifest), 1);
    let [cancers, alarms] = &pointing(&explanation, &manifest)[..] else { panic!() };
    assert_eq!((cancers.mammograms, alarms.mammograms), (1, 1));
    assert_eq!(cancers.rates.map(|rate| rate.count), [0, 0, 1]);
    assert_eq!(cancers.rates.map(|rate| rate.expected), [0.25, 0.25, 0.5]);
}
