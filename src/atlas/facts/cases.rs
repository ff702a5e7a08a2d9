//! Which mammograms have a page of their own, and what is known of an explanation beyond itself.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;

use super::Atlas;
use crate::inputs::Inputs;
use base::seed;
use catalogue::carried;
use record::explanation::{Explained, Explanation};

/// From this probability on, a mammogram counts as scored as cancer.
pub(crate) const CANCER: f32 = 0.5;

/// A mammogram with a page, and why.
#[derive(Clone, Copy)]
pub(crate) struct Case<'a> {
    pub(crate) explanation: &'a Explanation,
    pub(crate) explained: &'a Explained,
    /// `found`, `false alarm`, `missed`, `random`, `listed`.
    pub(crate) kind: &'static str,
}

/// Every case, by network and kind.
pub(crate) fn cases<'a>(inputs: &Inputs<'a>) -> Vec<Case<'a>> {
    inputs.explanations.iter().flat_map(|explanation| of_network(inputs, explanation)).collect()
}

fn of_network<'a>(inputs: &Inputs<'a>, explanation: &'a Explanation) -> Vec<Case<'a>> {
    let (manifest, wanted) = (inputs.manifest, &inputs.config.cases);
    let mammogram =
        |explained: &Explained| &manifest.mammograms[explained.mammogram as usize].mammogram;
    let mut falling: Vec<&Explained> = explanation.mammograms.iter().collect();
    // A stable sort: equals stay in the order of the data set.
    falling.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let mut cases: Vec<Case> = Vec::new();
    let mut take = |chosen: &mut dyn Iterator<Item = &'a Explained>, most: usize, kind| {
        for explained in chosen.take(most) {
            if !cases.iter().any(|case| case.explained.mammogram == explained.mammogram) {
                cases.push(Case { explanation, explained, kind });
            }
        }
    };
    let is = |cancer: bool, high: bool| {
        move |explained: &&'a Explained| {
            mammogram(explained).has_cancer() == cancer && (explained.probability >= CANCER) == high
        }
    };
    let all = || falling.iter().copied();
    take(&mut all().filter(is(true, true)), wanted.found as usize, "found");
    take(&mut all().filter(is(false, true)), wanted.false_alarms as usize, "false alarm");
    take(&mut all().rev().filter(is(true, false)), wanted.missed as usize, "missed");
    let listed = |explained: &&Explained| wanted.list.contains(&mammogram(explained).id);
    take(&mut all().filter(listed), usize::MAX, "listed");
    let mut others: Vec<&Explained> = explanation.mammograms.iter().collect();
    others.shuffle(&mut seed::stream(
        inputs.config.seed,
        &format!("atlas/cases/{}", explanation.network),
    ));
    let taken: BTreeSet<u32> = cases.iter().map(|case| case.explained.mammogram).collect();
    others.retain(|explained| !taken.contains(&explained.mammogram));
    let random = others.into_iter().take(wanted.random as usize);
    cases.extend(random.map(|explained| Case { explanation, explained, kind: "random" }));
    cases
}

/// Units without a name with their share of the evidence, most first.
pub(crate) fn next(atlas: &Atlas, explanation: &Explanation) -> Vec<(u32, f32)> {
    let all: f32 = explanation.evidence.iter().sum();
    let named = atlas.names.of_layer(&explanation.network, &explanation.layer);
    let mut units: Vec<(u32, f32)> = (1..)
        .zip(&explanation.evidence)
        .filter(|(unit, evidence)| **evidence > 0.0 && named(*unit).is_none())
        .map(|(unit, evidence)| (unit, evidence / all))
        .collect();
    units.sort_by(|a, b| b.1.total_cmp(&a.1));
    units
}

/// Share of a mammogram's evidence that named units carry.
pub(crate) fn named_share(atlas: &Atlas, of: &Explanation, explained: &Explained) -> f32 {
    carried(explained, atlas.names.of_layer(&of.network, &of.layer))
}
