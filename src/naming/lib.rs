//! What a pair of towers for images and texts (a *namer*) calls the units of a network, against chance.
//!
//! In: the patches of a split, scores of units over them ([`record::Scores`]), the terms of the lexicons with their
//! prompts, and a namer ([`network::namer`]). Out: [`record::naming::Names`] of a layer. The method is that of
//! CLIP-Dissect (Oikarinen and Weng, ICLR 2023) with what it lacks:
//!
//! - a unit is what its best patches have in common, one of each mammogram, since patches of a mammogram overlap
//!   (`probe.rs`);
//! - a term is close to them by one of two scores (`score.rs`): the difference of the mean cosine from that of all other
//!   patches, or soft WPMI as published;
//! - both are compared with patches drawn at random, corrected for the number of terms, and with the units of
//!   untrained networks of the same architecture, which respond to light and dark as well as any (`untrained.rs`);
//!   then corrected for the number of units. What chance gives is no name;
//! - a finer term is held against patches that are as close to its general one (`finer.rs`).

mod embeddings;
mod finer;
mod probe;
mod score;
mod teaching;
mod terms;
mod untrained;

use anyhow::{Result, ensure};
use rand::RngExt;
use rayon::prelude::*;

use base::{Split, seed};
use config::Scoring;
use metrics::{Chance, adjusted};
use record::LayerScores;
use record::naming::{self as record_of, Candidate, KEPT, Names};

pub use embeddings::{Embeddings, embed, tidy, unfinished};
pub use score::Similarities;
pub use teaching::{Annotated, Grade, Lesson, examine, teach};
pub use terms::{Term, candidates};
pub use untrained::{Like, untrained};

/// Version of a namer's view of the patches.
pub const FORMAT: u32 = 1;

/// What is to be named.
pub struct Job<'a> {
    /// The network.
    pub network: &'a str,
    /// The layer.
    pub layer: &'a str,
    /// The namer, as `namer.kind` calls it.
    pub namer: &'a str,
    /// Split whose patches the units scored.
    pub split: Split,
    /// Which mammogram each of these patches is of, by any number of its own.
    pub mammograms: &'a [u32],
    /// What a unit may be called, in the order of the similarities.
    pub terms: &'a [Term],
    /// How close the patches are to the terms.
    pub similarities: &'a Similarities,
    /// The units' scores over the patches.
    pub scores: &'a LayerScores,
    /// Scores of units of untrained networks over the same patches; `None` where there are no such networks.
    pub untrained: Option<&'a [Vec<f32>]>,
    /// Patches that stand for a unit, at most.
    pub patches: usize,
    /// By which score units are named.
    pub scoring: Scoring,
    /// How often patches are drawn at random.
    pub deals: u32,
    /// Seed of these draws.
    pub seed: u64,
}

/// A unit's patches and how close they are to each term, by either score.
struct Looked {
    patches: Vec<u32>,
    difference: Vec<f64>,
    likelihood: Vec<f64>,
}

impl Looked {
    fn at(similarities: &Similarities, patches: Vec<u32>) -> Self {
        let score = |scoring| similarities.score(scoring, &patches);
        let [difference, likelihood] = [Scoring::Difference, Scoring::SoftWpmi].map(score);
        Self { patches, difference, likelihood }
    }

    fn by(&self, scoring: Scoring) -> &[f64] {
        match scoring {
            Scoring::Difference => &self.difference,
            Scoring::SoftWpmi => &self.likelihood,
        }
    }
}

/// Names the units of a layer.
///
/// # Errors
/// When scores and similarities are not of the same patches.
pub fn name(job: &Job) -> Result<Names> {
    let Job { similarities, mammograms, scores, terms, .. } = *job;
    fit(similarities, mammograms, scores)?;
    let count = probe::count(mammograms, job.patches);
    let looked = |scores: &[f32]| {
        let best = probe::best(scores, mammograms, count);
        (!best.is_empty()).then(|| Looked::at(similarities, best))
    };
    let units: Vec<Option<Looked>> = (0..scores.units())
        .into_par_iter()
        .map(|unit| scores.of(unit).and_then(|scores| looked(&scores)))
        .collect();
    // What refines another term is asked about later.
    let broad: Vec<usize> = (0..terms.len()).filter(|&term| similarities.is_broad(term)).collect();
    let of_broad = |scores: &[f64]| broad.iter().map(|&term| scores[term]).collect::<Vec<f64>>();
    let score = |patches: &[u32]| of_broad(&similarities.score(job.scoring, patches));
    let dealt = Chance::new(&draws(mammograms, count, (job.deals, job.seed), score), broad.len());
    let rows: Option<Vec<Vec<f64>>> = job.untrained.map(|units| {
        let looked = units.par_iter().filter_map(|scores| looked(scores));
        looked.map(|looked| of_broad(looked.by(job.scoring))).collect()
    });
    let untrained = rows.as_deref().map(|rows| Chance::new(rows, broad.len()));
    let likelihoods = units.iter().flatten().map(|looked| looked.likelihood.as_slice());
    let prior = score::prior(likelihoods, terms.len());
    let candidate = |looked: &Looked, term: usize, standard: f64, chance: f32| Candidate {
        term: terms[term].id.clone(),
        difference: looked.difference[term] as f32,
        wpmi: (looked.likelihood[term] - prior[term]) as f32,
        standard: standard as f32,
        chance,
        untrained: None,
        adjusted: chance,
    };
    let of_any = |looked: &Looked, (at, &term): (usize, &usize)| {
        let score = looked.by(job.scoring)[term];
        let chance = dealt.reached(at, score) as f32;
        let untrained = untrained.as_ref().map(|of| of.reached(at, score) as f32);
        let adjusted = chance.max(untrained.unwrap_or(0.0));
        let found = candidate(looked, term, dealt.standard(at, score), chance);
        Candidate { untrained, adjusted, ..found }
    };
    let mut named: Vec<Vec<Candidate>> = units
        .par_iter()
        .map(|looked| {
            let Some(looked) = looked else { return Vec::new() };
            broad.iter().enumerate().map(|term| of_any(looked, term)).collect()
        })
        .collect();
    correct(&mut named);
    finer::refine(job, &units, &mut named, candidate);
    named.iter_mut().for_each(|candidates| candidates.truncate(KEPT));
    Ok(Names {
        format: record_of::FORMAT,
        network: job.network.into(),
        layer: job.layer.into(),
        namer: job.namer.into(),
        split: job.split,
        terms: terms.iter().map(|term| term.id.clone()).collect(),
        patches: count as u32,
        deals: job.deals,
        untrained: rows.map(|rows| rows.len() as u32),
        scoring: job.scoring,
        units: named,
    })
}

/// What `score` makes of so many patches drawn at random, each of a mammogram of its own; a draw each.
fn draws<S: Send>(
    mammograms: &[u32],
    count: usize,
    (deals, of): (u32, u64),
    score: impl Fn(&[u32]) -> S + Sync,
) -> Vec<S> {
    let groups = probe::by_mammogram(mammograms);
    let draw = |deal: u32| {
        let mut random = seed::stream(of, &format!("naming/deal/{deal}"));
        let chosen = rand::seq::index::sample(&mut random, groups.len(), count.min(groups.len()));
        let patch = |group: usize| {
            let patches = &groups[group];
            patches[random.random_range(0..patches.len())]
        };
        let patches: Vec<u32> = chosen.into_iter().map(patch).collect();
        score(&patches)
    };
    (0..deals).into_par_iter().map(draw).collect()
}

/// How close the units of a layer are to one text: by mean cosine of their patches minus that of all others, in
/// standard deviations above patches drawn at random. A number for each unit; none of one whose score never varies.
///
/// # Errors
/// When scores and cosines are not of the same patches.
pub fn closeness(
    similarities: &Similarities,
    mammograms: &[u32],
    scores: &LayerScores,
    patches: usize,
    (deals, seed): (u32, u64),
) -> Result<Vec<Option<f32>>> {
    fit(similarities, mammograms, scores)?;
    let count = probe::count(mammograms, patches);
    let score = |patches: &[u32]| similarities.score(Scoring::Difference, patches);
    let chance = Chance::new(&draws(mammograms, count, (deals, seed), score), similarities.terms());
    let of_unit = |unit: usize| {
        let best = probe::best(&scores.of(unit)?, mammograms, count);
        (!best.is_empty()).then(|| chance.standard(0, score(&best)[0]) as f32)
    };
    Ok((0..scores.units()).into_par_iter().map(of_unit).collect())
}

/// Refuses scores and cosines that are not of the same patches.
fn fit(similarities: &Similarities, mammograms: &[u32], scores: &LayerScores) -> Result<()> {
    ensure!(
        [similarities.patches(), scores.patches()] == [mammograms.len(); 2],
        "units scored {} patches, and {} were looked at; run `dissect` again",
        scores.patches(),
        similarities.patches()
    );
    Ok(())
}

/// Corrects the probabilities of all units' terms for the number of units that there are: a unit counts by its most
/// remarkable term.
fn correct(units: &mut [Vec<Candidate>]) {
    let least = |candidates: &Vec<Candidate>| {
        candidates.iter().map(|candidate| candidate.adjusted).reduce(f32::min)
    };
    let all: Vec<f32> = units.iter().filter_map(least).collect();
    // What a probability of any term comes to among those of the units.
    let mut table: Vec<(f32, f32)> = all.iter().copied().zip(adjusted(&all)).collect();
    table.sort_by(|a, b| a.0.total_cmp(&b.0));
    for candidate in units.iter_mut().flatten() {
        let at = table.partition_point(|(p, _)| *p < candidate.adjusted);
        candidate.adjusted = table.get(at).map_or(1.0, |(_, adjusted)| *adjusted);
    }
}

#[cfg(test)]
#[path = "../../tests/support/lexicons.rs"]
mod lexicons;
#[cfg(test)]
mod tests;
