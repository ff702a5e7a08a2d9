//! Which mammograms are shown as cases, and why.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;

use base::seed;
use record::Manifest;
use record::explanation::{Explained, Explanation};

use super::pointing::{CANCER, Place, Verdict};

/// A mammogram that is shown as a case.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Of this network.
    pub explanation: &'a Explanation,
    /// Of this mammogram.
    pub explained: &'a Explained,
    /// Why it is shown.
    pub reason: Reason,
    /// How its score stands to the truth, and where the network looked.
    pub verdict: Verdict,
}

/// Why a case is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A mammogram with cancer among those with the highest scores.
    HighCancer,
    /// A mammogram without cancer among those with the highest scores.
    FalseAlarm,
    /// A mammogram with cancer among those with the lowest scores.
    Missed,
    /// The project lists it.
    Listed,
    /// Drawn at random from the others.
    Random,
}

impl Reason {
    /// All of them, in the order in which cases are shown.
    pub const ALL: [Self; 5] =
        [Self::HighCancer, Self::FalseAlarm, Self::Missed, Self::Listed, Self::Random];
}

/// Every case, by network, in the order of [`Reason::ALL`] but for those at random, which come last. Of
/// `wanted` follows how many of each there are; `seed` draws those at random.
pub fn cases<'a>(
    explanations: &'a [Explanation],
    manifest: &Manifest,
    wanted: &config::Cases,
    seed: u64,
) -> Vec<Case<'a>> {
    explanations.iter().flat_map(|of| of_network(of, manifest, wanted, seed)).collect()
}

fn of_network<'a>(
    explanation: &'a Explanation,
    manifest: &Manifest,
    wanted: &config::Cases,
    seed: u64,
) -> Vec<Case<'a>> {
    let mammogram =
        |explained: &Explained| &manifest.mammograms[explained.mammogram as usize].mammogram;
    let case = |explained: &'a Explained, reason| Case {
        explanation,
        explained,
        reason,
        verdict: Verdict::new(
            mammogram(explained).has_cancer(),
            explained.probability,
            Place::of(manifest, explained.patch),
        ),
    };
    let mut falling: Vec<&Explained> = explanation.mammograms.iter().collect();
    // A stable sort: equals stay in the order of the data set.
    falling.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let mut cases: Vec<Case> = Vec::new();
    let mut take = |chosen: &mut dyn Iterator<Item = &'a Explained>, most: usize, reason| {
        for explained in chosen.take(most) {
            if !cases.iter().any(|case| case.explained.mammogram == explained.mammogram) {
                cases.push(case(explained, reason));
            }
        }
    };
    let is = |cancer: bool, high: bool| {
        move |explained: &&'a Explained| {
            mammogram(explained).has_cancer() == cancer && (explained.probability >= CANCER) == high
        }
    };
    let all = || falling.iter().copied();
    take(&mut all().filter(is(true, true)), wanted.found as usize, Reason::HighCancer);
    take(&mut all().filter(is(false, true)), wanted.false_alarms as usize, Reason::FalseAlarm);
    take(&mut all().rev().filter(is(true, false)), wanted.missed as usize, Reason::Missed);
    let listed = |explained: &&Explained| wanted.list.contains(&mammogram(explained).id);
    take(&mut all().filter(listed), usize::MAX, Reason::Listed);
    let mut others: Vec<&Explained> = explanation.mammograms.iter().collect();
    others.shuffle(&mut seed::stream(seed, &format!("atlas/cases/{}", explanation.network)));
    let taken: BTreeSet<u32> = cases.iter().map(|case| case.explained.mammogram).collect();
    others.retain(|explained| !taken.contains(&explained.mammogram));
    let random = others.into_iter().take(wanted.random as usize);
    cases.extend(random.map(|explained| case(explained, Reason::Random)));
    cases
}
