//! Where a network looked: whether the patch that decides a mammogram's score lies on the malignant lesion,
//! on a benign one or elsewhere, and how much of the regions of the units that contribute most lies in each;
//! against chance.

use record::explanation::{Covered, Explained, Explanation, Part};
use record::{Held, Manifest};

use super::chance::poisson_binomial;

/// From this probability on, a mammogram counts as scored as cancer.
pub const CANCER: f32 = 0.5;

/// Where a patch lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// On a malignant lesion, whether or not on a benign one too.
    Malignant,
    /// On a benign lesion alone.
    Benign,
    /// On neither.
    Elsewhere,
    /// The source does not say where the malignant lesion is.
    Unknown,
}

impl Place {
    /// All that a patch can be seen to have.
    pub const ALL: [Self; 3] = [Self::Malignant, Self::Benign, Self::Elsewhere];

    /// Where the patch of this number lies. It is on a lesion where it holds enough of it to count as such a patch (the
    /// paper's section 2.2).
    pub fn of(manifest: &Manifest, patch: u32) -> Self {
        match manifest.held(&manifest.patches[patch as usize]) {
            Held { malignant: None, .. } => Self::Unknown,
            Held { malignant: Some(true), .. } => Self::Malignant,
            Held { benign: Some(true), .. } => Self::Benign,
            Held { .. } => Self::Elsewhere,
        }
    }

    /// In one word, for tables.
    pub fn id(self) -> &'static str {
        match self {
            Self::Malignant => "malignant",
            Self::Benign => "benign",
            Self::Elsewhere => "elsewhere",
            Self::Unknown => "unknown",
        }
    }

    /// Where, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Malignant => "on the malignant lesion",
            Self::Benign => "on a benign lesion",
            Self::Elsewhere => "elsewhere",
            Self::Unknown => "where the source does not say",
        }
    }
}

/// How a mammogram's score stands to the truth, and where the network looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Cancer, scored as such. Only on the malignant lesion, where that is known, is it found.
    HighCancer(Place),
    /// Cancer, with a low score.
    Missed,
    /// No cancer, scored as cancer; never on a malignant lesion.
    FalseAlarm(Place),
    /// No cancer, with a low score.
    NoAlarm,
}

impl Verdict {
    /// Of a mammogram with or without cancer, by its probability of cancer and where its deciding patch
    /// lies.
    pub fn new(cancer: bool, probability: f32, place: Place) -> Self {
        match (cancer, probability >= CANCER) {
            (true, true) => Self::HighCancer(place),
            (true, false) => Self::Missed,
            (false, true) => Self::FalseAlarm(place),
            (false, false) => Self::NoAlarm,
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::HighCancer(Place::Malignant) => "found, at the malignant lesion",
            Self::HighCancer(Place::Benign) => "score high, but at a benign lesion",
            Self::HighCancer(Place::Elsewhere) => "score high, but away from the lesions",
            Self::HighCancer(Place::Unknown) => {
                "score high; the source does not say where the cancer is"
            }
            Self::Missed => "missed",
            Self::FalseAlarm(Place::Benign) => "false alarm at a benign lesion",
            Self::FalseAlarm(_) => "false alarm",
            Self::NoAlarm => "no alarm",
        }
    }
}

/// Which mammograms are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// With cancer, scored as cancer.
    HighCancers,
    /// Without cancer, scored as cancer.
    FalseAlarms,
}

/// Where the deciding patches of some mammograms lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Pointing {
    /// Which mammograms.
    pub group: Group,
    /// How many there are.
    pub mammograms: usize,
    /// How often each place decides, in the order of [`Place::ALL`].
    pub rates: [Rate; 3],
}

/// How often the deciding patch lies in a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// The place.
    pub place: Place,
    /// Mammograms whose deciding patch lies there.
    pub count: usize,
    /// Mammograms of which it would lie there if any patch of the mammogram decided with the same
    /// probability.
    pub expected: f64,
    /// Probability of as many or more by that chance: a permutation of the patches within each mammogram,
    /// exactly (Poisson binomial distribution).
    pub p: f64,
}

/// Where a network looked, in the groups that have a mammogram whose lesions have a place.
pub fn pointing(explanation: &Explanation, manifest: &Manifest) -> Vec<Pointing> {
    // Patches of each mammogram, by place.
    let mut patches = vec![[0usize; 3]; manifest.mammograms.len()];
    for (number, patch) in (0..).zip(&manifest.patches) {
        if let Some(count) =
            patches[patch.mammogram as usize].get_mut(Place::of(manifest, number) as usize)
        {
            *count += 1;
        }
    }
    let group = |group: Group| {
        let wanted = |explained: &&Explained| {
            let mammogram = &manifest.mammograms[explained.mammogram as usize].mammogram;
            explained.probability >= CANCER
                && mammogram.has_cancer() == (group == Group::HighCancers)
                && Place::of(manifest, explained.patch) != Place::Unknown
        };
        let all: Vec<&Explained> = explanation.mammograms.iter().filter(wanted).collect();
        let rate = |place: Place| {
            let decides = |explained: &&&Explained| Place::of(manifest, explained.patch) == place;
            let chances: Vec<f64> = all
                .iter()
                .map(|explained| {
                    let patches = patches[explained.mammogram as usize];
                    patches[place as usize] as f64 / patches.iter().sum::<usize>() as f64
                })
                .collect();
            let count = all.iter().filter(decides).count();
            Rate {
                place,
                count,
                expected: chances.iter().sum(),
                p: poisson_binomial(&chances, count),
            }
        };
        (!all.is_empty()).then(|| Pointing {
            group,
            mammograms: all.len(),
            rates: Place::ALL.map(rate),
        })
    };
    [Group::HighCancers, Group::FalseAlarms].into_iter().filter_map(group).collect()
}

/// Cancers scored as such of which the source does not say where they are.
pub fn unplaced(explanation: &Explanation, manifest: &Manifest) -> usize {
    let is = |explained: &&Explained| {
        let verdict = Verdict::new(
            manifest.mammograms[explained.mammogram as usize].mammogram.has_cancer(),
            explained.probability,
            Place::of(manifest, explained.patch),
        );
        verdict == Verdict::HighCancer(Place::Unknown)
    };
    explanation.mammograms.iter().filter(is).count()
}

/// How much of the regions of units that contribute to cancers scored as such lies in lesions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Regions {
    /// Mammograms in which such a unit has a region and the deciding patch an outlined lesion.
    pub mammograms: usize,
    /// Mean shares of the regions.
    pub inside: Covered,
    /// Mean shares of the patches: what a region anywhere in the patch would have.
    pub chance: Covered,
    /// Mammograms in which more of the region lies in the malignant lesion than of the patch.
    pub above: usize,
}

/// Of the first unit that `of` picks in each mammogram with cancer that is scored as such, by what it
/// contributes; none where there is no such unit.
pub fn regions(
    explanation: &Explanation,
    manifest: &Manifest,
    of: impl Fn(&Part) -> bool,
) -> Option<Regions> {
    let cancer = |explained: &&Explained| {
        explained.probability >= CANCER
            && manifest.mammograms[explained.mammogram as usize].mammogram.has_cancer()
    };
    let shares: Vec<[Covered; 2]> = explanation
        .mammograms
        .iter()
        .filter(cancer)
        .filter_map(|explained| {
            let part = explained.units.iter().find(|part| of(part))?;
            Some([part.inside?, explained.lesions?])
        })
        .collect();
    let mean = |at: usize| {
        let sum = |share: fn(&Covered) -> f32| {
            shares.iter().map(|both| share(&both[at])).sum::<f32>() / shares.len() as f32
        };
        Covered { malignant: sum(|c| c.malignant), benign: sum(|c| c.benign), any: sum(|c| c.any) }
    };
    let above = |both: &&[Covered; 2]| both[0].malignant > both[1].malignant;
    (!shares.is_empty()).then(|| Regions {
        mammograms: shares.len(),
        inside: mean(0),
        chance: mean(1),
        above: shares.iter().filter(above).count(),
    })
}

#[cfg(test)]
#[path = "pointing_tests.rs"]
mod tests;
