//! How well patches of one kind are told apart.

use std::collections::BTreeMap;

use rayon::prelude::*;

use mammogram::Mammogram;
use metrics::Scored;
use patch::label::Labeller;
use record::Manifest;
use record::training::{Attribute, Subgroup};

/// Fewest positives and negatives that an area is stated of.
const ENOUGH: u32 = 5;

/// Subgroups of the patches in `scores`, which `cases` holds with their truth: by what is known of
/// the mammogram, all its patches; by the lesion that a positive patch holds, those positives against
/// all negatives. A patch that holds two kinds of lesion counts for both. What is not known makes no
/// group.
pub(super) fn subgroups(
    manifest: &Manifest,
    scores: &[(u32, Vec<f32>)],
    cases: &[Scored],
) -> Vec<Subgroup> {
    let mut groups = BTreeMap::<(Attribute, String), Vec<Scored>>::new();
    for ((patch, _), case) in scores.iter().zip(cases) {
        let mammogram = &manifest.member(&manifest.patches[*patch as usize]).mammogram;
        for attribute in [Attribute::Density, Attribute::Scanner, Attribute::Tissue] {
            if let Some(value) = of_mammogram(mammogram, attribute) {
                groups.entry((attribute, value.into())).or_default().push(*case);
            }
        }
    }
    let negatives: Vec<Scored> = cases.iter().filter(|case| !case.positive).copied().collect();
    for (case, key) in of_lesions(manifest, scores, cases) {
        groups.entry(key).or_insert_with(|| negatives.clone()).push(case);
    }
    groups
        .into_iter()
        .map(|((attribute, value), cases)| {
            let positives = cases.iter().filter(|case| case.positive).count() as u32;
            let negatives = cases.len() as u32 - positives;
            let enough = positives.min(negatives) >= ENOUGH;
            let auc = if enough { metrics::auc(&cases) } else { None };
            Subgroup { attribute, value, positives, negatives, auc }
        })
        .collect()
}

fn of_mammogram(mammogram: &Mammogram, attribute: Attribute) -> Option<&str> {
    let fact = |name: &str| mammogram.facts.get(name).map(String::as_str);
    let value = match attribute {
        Attribute::Density => mammogram.density.as_deref(),
        Attribute::Scanner => fact("scanner"),
        Attribute::Tissue => fact("tissue"),
        Attribute::Lesion | Attribute::Subtlety => None,
    };
    value.map(str::trim).filter(|value| !value.is_empty())
}

/// Each positive patch with each distinct kind and subtlety of the lesions it is positive for.
fn of_lesions(
    manifest: &Manifest,
    scores: &[(u32, Vec<f32>)],
    cases: &[Scored],
) -> Vec<(Scored, (Attribute, String))> {
    let mut positives = BTreeMap::<u32, Vec<(u32, Scored)>>::new();
    for ((patch, _), case) in scores.iter().zip(cases).filter(|(_, case)| case.positive) {
        let mammogram = manifest.patches[*patch as usize].mammogram;
        positives.entry(mammogram).or_default().push((*patch, *case));
    }
    // Filling outlines at full size is what takes the time.
    let found: Vec<Vec<_>> = positives
        .into_par_iter()
        .map(|(number, patches)| {
            let mammogram = &manifest.mammograms[number as usize].mammogram;
            let Mammogram { lesions, width, height, .. } = mammogram;
            let labeller = Labeller::new(lesions, *width, *height, &manifest.patching);
            let mut found = Vec::new();
            for (patch, case) in patches {
                let patch = &manifest.patches[patch as usize];
                let held = labeller.cancers(patch.x, patch.y, patch.edge);
                let kinds = held.iter().filter_map(|&i| lesions[i].terms.first());
                let subtleties = held.iter().filter_map(|&i| lesions[i].subtlety);
                let mut keys: Vec<(Attribute, String)> = kinds
                    .map(|kind| (Attribute::Lesion, kind.clone()))
                    .chain(subtleties.map(|s| (Attribute::Subtlety, s.to_string())))
                    .collect();
                keys.sort();
                keys.dedup();
                found.extend(keys.into_iter().map(|key| (case, key)));
            }
            found
        })
        .collect();
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::tests::{lesion, mammogram, manifest};
    use mammogram::Pathology;

    #[test]
    fn by_density_scanner_kind_and_subtlety() {
        let mut mass = lesion(Pathology::Malignant, "mass", Some([5.0, 5.0]));
        mass.subtlety = Some(4);
        let calcifications = lesion(Pathology::Malignant, "calcifications", Some([45.0, 5.0]));
        let mut first = mammogram("a", vec![mass, calcifications]);
        first.density = Some("composition-a".into());
        first.facts.insert("scanner".into(), "LUMISYS".into());
        let mut second = mammogram("b", vec![]);
        second.density = Some("composition-d".into());
        // Five windows on the mass, four on the calcifications, six free of both.
        let mut windows: Vec<_> = (0..5).map(|i| (0, i, 0, true, false)).collect();
        windows.extend((0..4).map(|i| (0, 40 + i, 0, true, false)));
        windows.extend((0..3).map(|i| (0, 70 + i, 60, false, false)));
        windows.extend((0..3).map(|i| (1, i, 0, false, false)));
        let manifest = manifest(2, vec![first, second], &windows);
        let score = |i: usize| {
            if i < 5 {
                0.9
            } else if i < 9 {
                0.1
            } else {
                0.5
            }
        };
        let scores: Vec<_> =
            (0..windows.len()).map(|i| (i as u32, vec![1.0 - score(i), score(i)])).collect();
        let cases: Vec<Scored> = (0..windows.len())
            .map(|i| Scored { score: score(i), positive: windows[i].3 })
            .collect();
        let found = subgroups(&manifest, &scores, &cases);
        let told: Vec<_> = found
            .iter()
            .map(|g| (g.attribute, g.value.as_str(), g.positives, g.negatives, g.auc.is_some()))
            .collect();
        assert_eq!(
            told,
            [
                (Attribute::Density, "composition-a", 9, 3, false),
                (Attribute::Density, "composition-d", 0, 3, false),
                (Attribute::Lesion, "calcifications", 4, 6, false),
                (Attribute::Lesion, "mass", 5, 6, true),
                (Attribute::Subtlety, "4", 5, 6, true),
                (Attribute::Scanner, "LUMISYS", 9, 3, false),
            ]
        );
        assert_eq!(found[3].auc.unwrap().value, 1.0);
    }
}
