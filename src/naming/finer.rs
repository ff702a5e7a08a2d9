//! Finer terms: what a unit shows beyond its general term, *fine pleomorphic* of calcifications.
//!
//! Whatever is close to a general term is close to each term that refines it, and more so the closer it is. Against
//! patches drawn from all, a unit of any calcifications would be called by one kind of them. A finer term is therefore
//! asked about only where a unit is called its general term, and held against patches that are as close to that as the
//! unit's own: a randomisation within strata, as when two groups are compared at the same age.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::{Job, Looked, correct};
use base::seed;
use metrics::Chance;
use record::naming::Candidate;

/// One of so many patches is next to a unit's by the general term: of these another is drawn in its place.
const ONE_OF: usize = 25;
/// How often another patch is drawn where one is of a mammogram that is there already.
const TRIES: usize = 8;

/// Adds to the units' candidates, corrected for the number of units, the terms that refine what each is called.
pub(super) fn refine(
    job: &Job,
    looked: &[Option<Looked>],
    named: &mut [Vec<Candidate>],
    candidate: impl Fn(&Looked, usize, f64, f32) -> Candidate + Sync,
) {
    let orders: Vec<Option<Order>> = (0..job.terms.len())
        .map(|term| {
            let finer = job.similarities.finer(term);
            (!finer.is_empty()).then(|| Order::new(job.similarities.by_closeness(term), finer))
        })
        .collect();
    let of_unit = |(unit, (looked, candidates)): (usize, (&Option<Looked>, &Vec<Candidate>))| {
        let found = || {
            let (looked, called) = (looked.as_ref()?, first(candidates)?);
            let general = job.terms.iter().position(|term| term.id == candidates[called].term)?;
            let order = orders[general].as_ref()?;
            let random = seed::stream(job.seed, &format!("naming/finer/{unit}"));
            let chance = Chance::new(&order.draws(job, &looked.patches, random), order.finer.len());
            let of_term = |(at, &term): (usize, &usize)| {
                let score = looked.by(job.scoring)[term];
                let reached = chance.reached(at, score) as f32;
                candidate(looked, term, chance.standard(at, score), reached)
            };
            Some(order.finer.iter().enumerate().map(of_term).collect())
        };
        found().unwrap_or_default()
    };
    let mut finer: Vec<Vec<Candidate>> =
        looked.par_iter().zip(&*named).enumerate().map(of_unit).collect();
    correct(&mut finer);
    named.iter_mut().zip(finer).for_each(|(all, finer)| put_first(all, finer));
}

/// Place of the candidate beyond chance that stands out most; of equals the first.
fn first(candidates: &[Candidate]) -> Option<usize> {
    let beyond = candidates.iter().enumerate().filter(|(_, close)| close.is_beyond_chance());
    beyond.rev().max_by(|a, b| a.1.standard.total_cmp(&b.1.standard)).map(|(at, _)| at)
}

/// All candidates by how far they stand out, but what the unit is called at their head: the finer term where one is
/// beyond chance, then the general one.
fn put_first(all: &mut Vec<Candidate>, mut finer: Vec<Candidate>) {
    let mut called = Vec::new();
    if let Some(at) = first(&finer) {
        called.push(finer.remove(at));
    }
    if let Some(at) = first(all) {
        called.push(all.remove(at));
    }
    all.append(&mut finer);
    // A stable sort: equals stay in the order of the lexicons.
    all.sort_by(|a, b| b.standard.total_cmp(&a.standard));
    all.splice(..0, called);
}

/// Patches in the order of their closeness to a general term.
struct Order {
    patches: Vec<u32>,
    /// The place of each patch among them.
    places: Vec<usize>,
    /// The terms that refine it.
    finer: Vec<usize>,
}

impl Order {
    fn new(patches: Vec<u32>, finer: Vec<usize>) -> Self {
        let mut places = vec![0; patches.len()];
        patches.iter().enumerate().for_each(|(place, patch)| places[*patch as usize] = place);
        Self { patches, places, finer }
    }

    /// Scores of the finer terms for patches drawn in the place of a unit's own.
    fn draws(&self, job: &Job, own: &[u32], mut random: ChaCha8Rng) -> Vec<Vec<f64>> {
        let near = (2 * own.len()).max(self.patches.len() / ONE_OF).min(self.patches.len());
        let draw = |_| {
            let mut drawn: Vec<u32> = Vec::with_capacity(own.len());
            for &patch in own {
                let place = self.places[patch as usize];
                let from = place.saturating_sub(near / 2).min(self.patches.len() - near);
                let mut other = patch;
                for _ in 0..TRIES {
                    other = self.patches[from + random.random_range(0..near)];
                    let of = |patch: u32| job.mammograms[patch as usize];
                    if drawn.iter().all(|there| of(*there) != of(other)) {
                        break;
                    }
                }
                drawn.push(other);
            }
            let scores = job.similarities.score(job.scoring, &drawn);
            self.finer.iter().map(|&term| scores[term]).collect()
        };
        (0..job.deals).map(draw).collect()
    }
}
