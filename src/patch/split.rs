//! Parts of the patients for training, validation and test.
//!
//! By patient, so that no breast is both learnt from and tested on (paper, section 2.1). Stratified:
//! patients with cancer, with other lesions only, and without lesions are dealt out one kind after
//! the other, each patient to the part that is furthest behind its share, so that every part holds
//! its share of every kind, as near as whole patients allow. Within a kind the order is shuffled by
//! the seed. Where there are enough patients with cancer, every part gets one, since without any a
//! part cannot be evaluated; where there are enough patients, no part with a share stays empty.
//!
//! Where the source has a split of its own, it is kept. One that names no patient for validation
//! gives some of its training patients to it, dealt in the same way. A patient whom it puts in
//! several parts counts for the one held out furthest; their images in the other parts are left out.

use std::collections::{BTreeMap, BTreeSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use base::{Notice, Split, counted, seed};
use config::Shares;
use mammogram::{Mammogram, Pathology};

const PARTS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

/// The worst that is known of a patient; the order is that of dealing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Cancer,
    OtherLesion,
    NoLesion,
}

/// The part of each patient; the same for the same mammograms, shares and seed.
pub(super) fn split(
    mammograms: &[Mammogram],
    shares: Shares,
    seed: u64,
) -> BTreeMap<String, Split> {
    let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
    for mammogram in mammograms {
        let kind = match &mammogram.lesions[..] {
            [] => Kind::NoLesion,
            all if all.iter().any(|l| l.pathology == Pathology::Malignant) => Kind::Cancer,
            _ => Kind::OtherLesion,
        };
        kinds.entry(&mammogram.patient).and_modify(|k| *k = kind.min(*k)).or_insert(kind);
    }
    let mut parts = assigned(mammograms);
    let shares = [shares.train, shares.validation, shares.test];
    let open = kinds.iter().filter(|(patient, _)| !parts.contains_key(**patient));
    let dealt = deal(open, shares, ChaCha8Rng::seed_from_u64(seed));
    if !parts.values().any(|&part| part == Split::Validation) {
        let [train, validation, _] = shares;
        let theirs =
            kinds.iter().filter(|(patient, _)| parts.get(**patient) == Some(&Split::Train));
        let shares = [train / (train + validation), validation / (train + validation), 0.0];
        let divided = deal(theirs, shares, seed::stream(seed, "validation"));
        parts.extend(divided);
    }
    parts.extend(dealt);
    parts.into_iter().map(|(patient, part)| (patient.to_owned(), part)).collect()
}

/// The parts that the source itself puts patients in.
fn assigned<'a>(mammograms: impl IntoIterator<Item = &'a Mammogram>) -> BTreeMap<&'a str, Split> {
    let mut parts: BTreeMap<&str, Split> = BTreeMap::new();
    for mammogram in mammograms {
        if let Some(part) = mammogram.assigned {
            // In the order of the splits, the later ones are held out further.
            parts.entry(&mammogram.patient).and_modify(|p| *p = part.max(*p)).or_insert(part);
        }
    }
    parts
}

/// Removes the images that the source assigns to another part than their patient's, and says so: a
/// patient shares no split with themselves.
pub(super) fn settle(
    mammograms: &mut Vec<Mammogram>,
    place: impl Fn(&Mammogram) -> String,
) -> Option<Notice> {
    let parts: BTreeMap<String, Split> = assigned(&*mammograms)
        .into_iter()
        .map(|(patient, part)| (patient.to_owned(), part))
        .collect();
    let misplaced =
        |m: &Mammogram| m.assigned.is_some_and(|part| parts.get(&m.patient) != Some(&part));
    let left_out: Vec<&Mammogram> = mammograms.iter().filter(|m| misplaced(m)).collect();
    let place = place(left_out.first()?);
    let patients: BTreeSet<&str> = left_out.iter().map(|m| m.patient.as_str()).collect();
    let message = format!(
        "the source's own split has {} in several parts; who is counts for the one held out furthest, and \
         the other parts lose {}",
        counted(patients.len(), "patient", "patients"),
        counted(left_out.len(), "image", "images")
    );
    mammograms.retain(|m| !misplaced(m));
    Some(Notice { place, message, skipped: true })
}

/// Deals patients out by their kind.
fn deal<'a>(
    kinds: impl Iterator<Item = (&'a &'a str, &'a Kind)> + Clone,
    shares: [f64; 3],
    mut rng: ChaCha8Rng,
) -> Vec<(&'a str, Split)> {
    let mut deal = Deal { shares, counts: [0; 3], dealt: Vec::new() };
    for kind in [Kind::Cancer, Kind::OtherLesion, Kind::NoLesion] {
        let mut patients: Vec<&str> =
            kinds.clone().filter(|(_, k)| **k == kind).map(|(patient, _)| *patient).collect();
        patients.shuffle(&mut rng);
        for patient in patients {
            deal.next(patient);
        }
        if kind == Kind::Cancer {
            deal.fill_empty_parts();
        }
    }
    deal.fill_empty_parts();
    deal.dealt.into_iter().map(|(patient, part)| (patient, PARTS[part])).collect()
}

struct Deal<'a> {
    shares: [f64; 3],
    counts: [usize; 3],
    dealt: Vec<(&'a str, usize)>,
}

impl<'a> Deal<'a> {
    /// Gives the patient to the part furthest behind its share; the first one of equals.
    fn next(&mut self, patient: &'a str) {
        let total = (self.dealt.len() + 1) as f64;
        let behind = |part: usize| self.shares[part] * total - self.counts[part] as f64;
        let part =
            (1..3).fold(0, |best, part| if behind(part) > behind(best) { part } else { best });
        self.counts[part] += 1;
        self.dealt.push((patient, part));
    }

    /// Moves patients, where there are enough, from the fullest part to wanted parts that are empty.
    fn fill_empty_parts(&mut self) {
        let wanted: Vec<usize> = (0..3).filter(|&part| self.shares[part] > 0.0).collect();
        if self.dealt.len() < wanted.len() {
            return;
        }
        for &part in &wanted {
            if self.counts[part] == 0 {
                let fullest = (0..3).rev().max_by_key(|&p| self.counts[p]).unwrap_or(0);
                if let Some(last) = self.dealt.iter_mut().rev().find(|(_, p)| *p == fullest) {
                    last.1 = part;
                    self.counts[fullest] -= 1;
                    self.counts[part] += 1;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mammogram::Lesion;
    use proptest::prelude::*;

    const SHARES: Shares = Shares { train: 0.8, validation: 0.1, test: 0.1 };

    /// Two mammograms per patient; cancer patients first, then benign ones, then normal ones.
    fn patients(cancer: usize, benign: usize, normal: usize) -> Vec<Mammogram> {
        let lesion = |pathology| Lesion {
            pathology,
            terms: vec![],
            source_words: String::new(),
            outlines: vec![],
            subtlety: None,
            assessment: None,
        };
        let mammogram = |i: usize| Mammogram {
            id: format!("m{i:04}"),
            patient: format!("p{:04}", i / 2),
            laterality: None,
            view: None,
            modifier: None,
            width: 1,
            height: 1,
            micron: None,
            density: None,
            facts: BTreeMap::new(),
            assigned: None,
            regions: Vec::new(),
            lesions: match i / 2 {
                // Only one of the two images shows it.
                p if p < cancer && i % 2 == 1 => vec![lesion(Pathology::Malignant)],
                p if p < cancer + benign => vec![lesion(Pathology::Benign)],
                _ => vec![],
            },
        };
        (0..2 * (cancer + benign + normal)).map(mammogram).collect()
    }

    fn dealt(mammograms: &[Mammogram], shares: Shares, seed: u64) -> BTreeMap<String, Split> {
        split(mammograms, shares, seed)
    }

    fn counts(parts: &BTreeMap<String, Split>, range: std::ops::Range<usize>) -> [usize; 3] {
        let patients: Vec<_> = parts.values().collect();
        PARTS.map(|part| patients[range.clone()].iter().filter(|p| ***p == part).count())
    }

    #[test]
    fn every_kind_is_spread_in_proportion() {
        let parts = dealt(&patients(20, 30, 50), SHARES, 7);
        assert_eq!(counts(&parts, 0..20), [16, 2, 2]);
        assert_eq!(counts(&parts, 20..50), [24, 3, 3]);
        assert_eq!(counts(&parts, 50..100), [40, 5, 5]);
    }

    #[test]
    fn the_seed_decides_and_the_order_of_images_does_not() {
        let mut mammograms = patients(9, 9, 30);
        let parts = dealt(&mammograms, SHARES, 1);
        assert_ne!(parts, dealt(&mammograms, SHARES, 2));
        mammograms.reverse();
        assert_eq!(parts, dealt(&mammograms, SHARES, 1));
    }

    #[test]
    fn few_cancers_reach_every_part() {
        let parts = dealt(&patients(3, 0, 27), SHARES, 5);
        assert_eq!(counts(&parts, 0..3), [1, 1, 1]);
        assert_eq!(counts(&parts, 0..30), [24, 3, 3]);
    }

    /// Assigned by the first letters: `t` train, `v` validation, `e` test, anything else not.
    fn assign(mammograms: &mut [Mammogram], letters: &str) {
        for (mammogram, letter) in mammograms.iter_mut().zip(letters.chars()) {
            mammogram.assigned = match letter {
                't' => Some(Split::Train),
                'v' => Some(Split::Validation),
                'e' => Some(Split::Test),
                _ => None,
            };
        }
    }

    #[test]
    fn a_split_of_the_source_is_kept() {
        let mut all = patients(2, 2, 2);
        assign(&mut all, "ttvv--eett--");
        let parts = dealt(&all, SHARES, 1);
        assert_eq!(parts["p0000"], Split::Train);
        assert_eq!(parts["p0001"], Split::Validation);
        assert_eq!(parts["p0003"], Split::Test);
        assert_eq!(parts["p0004"], Split::Train);
        assert_eq!(parts.len(), 6);
    }

    #[test]
    fn validation_is_taken_from_the_source_s_training_patients() {
        let mut all = patients(10, 10, 30);
        let letters: String = (0..50).map(|p| if p % 5 == 0 { "ee" } else { "tt" }).collect();
        assign(&mut all, &letters);
        let parts = dealt(&all, SHARES, 1);
        // A ninth of the forty training patients, each kind its share.
        assert_eq!(counts(&parts, 0..50), [36, 4, 10]);
        assert_eq!(counts(&parts, 0..10), [7, 1, 2]);
        for (number, part) in (0..50).zip(parts.values()) {
            assert_eq!(*part == Split::Test, number % 5 == 0);
        }
        assert_ne!(parts, dealt(&all, SHARES, 2));
        // Without a share for validation all of them train.
        let shares = Shares { train: 0.9, validation: 0.0, test: 0.1 };
        assert_eq!(counts(&dealt(&all, shares, 1), 0..50), [40, 0, 10]);
    }

    #[test]
    fn a_patient_in_two_parts_is_tested_and_not_trained_on() {
        let mut all = patients(0, 0, 3);
        assign(&mut all, "tetttt");
        let notice = settle(&mut all, |m| format!("t:1 ({})", m.id)).unwrap();
        assert!(notice.message.contains("has 1 patient in") && notice.message.ends_with("1 image"));
        assert_eq!((notice.place.as_str(), notice.skipped), ("t:1 (m0000)", true));
        assert_eq!(all.len(), 5);
        assert_eq!(dealt(&all, SHARES, 1)["p0000"], Split::Test);
        assert!(settle(&mut all, |m| m.id.clone()).is_none());
    }

    proptest! {
        #[test]
        fn no_patient_is_in_two_parts(letters in "[tve-]{60}", seed: u64) {
            let mut all = patients(8, 8, 14);
            assign(&mut all, &letters);
            settle(&mut all, |m| m.id.clone());
            let parts = dealt(&all, SHARES, seed);
            for mammogram in &all {
                let part = parts[&mammogram.patient];
                match mammogram.assigned {
                    // Only training patients give to validation, and only where there are none.
                    Some(Split::Train) => prop_assert!(part == Split::Train
                        || part == Split::Validation && all.iter().all(|m| m.assigned != Some(Split::Validation))),
                    Some(other) => prop_assert_eq!(part, other),
                    None => {}
                }
            }
        }

        #[test]
        fn no_wanted_part_is_empty_and_shares_are_kept(
            cancer in 0usize..9, benign in 0usize..9, normal in 0usize..30, seed: u64,
        ) {
            let total = cancer + benign + normal;
            for shares in [SHARES, Shares { train: 0.5, validation: 0.5, test: 0.0 }] {
                let parts = dealt(&patients(cancer, benign, normal), shares, seed);
                prop_assert_eq!(parts.len(), total);
                let found = counts(&parts, 0..total);
                for (n, share) in found.iter().zip([shares.train, shares.validation, shares.test]) {
                    prop_assert!(share == 0.0 || total < 3 || *n > 0, "{found:?}");
                    prop_assert!(share > 0.0 || *n == 0);
                    prop_assert!((*n as f64 - share * total as f64).abs() <= 3.0, "{found:?}");
                }
            }
        }
    }
}
