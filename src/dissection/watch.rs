//! One unit while a group of patches passes by: what is kept of it, and the bounds that say what can
//! be dropped.
//!
//! Of all activations only the greatest are kept, for the exact threshold, and of the maps only those
//! that can still exceed the threshold or rank among the top patches. Both bounds only rise, so
//! nothing that matters is ever dropped.

use super::buckets::{BUCKETS, bucket};
use super::largest::Largest;
use super::segment::Segment;
use config::Threshold;

/// How many of the greatest activations say the threshold: P(a > T) = q, so T is the activation below
/// the floor(q n) greatest.
pub(super) fn keep(rule: Threshold, patches: usize, cells: usize) -> usize {
    match rule {
        Threshold::Quantile(q) => (q * (patches * cells) as f64).floor() as usize + 1,
        Threshold::FractionOfMax(_) => 1,
    }
}

/// The threshold that follows from the kept activations, the bound that those dropped did not exceed
/// and the greatest of all.
pub(super) fn threshold(rule: Threshold, activations: &Largest, bound: f32, greatest: f32) -> f32 {
    match rule {
        // The bound is a value that the threshold is known to reach. Where the threshold exceeds it,
        // all that the quantile counts was kept; else it is the bound.
        Threshold::Quantile(_) => match activations.least() {
            Some(least) if activations.full() => least.max(bound),
            least if bound == f32::NEG_INFINITY => least.unwrap_or(greatest),
            _ => bound,
        },
        Threshold::FractionOfMax(share) => share as f32 * greatest,
    }
}

/// One unit, during the pass.
#[derive(Debug)]
pub(super) struct Watch {
    rule: Threshold,
    greatest: f32,
    activations: Largest,
    /// What earlier groups are known to have dropped does not exceed this.
    bound: f32,
    ranks: Largest,
    // Of the group of patches under way:
    scores: Vec<f32>,
    at: Vec<u32>,
    maps: Vec<(u32, Box<[f32]>)>,
    buckets: Vec<u32>,
    positive: u32,
    least: f32,
}

impl Watch {
    /// For `patches` maps of `cells` activations each, of which the `top` are shown.
    pub(super) fn new(rule: Threshold, top: usize, patches: usize, cells: usize) -> Self {
        Self {
            rule,
            greatest: f32::NEG_INFINITY,
            activations: Largest::new(keep(rule, patches, cells)),
            bound: f32::NEG_INFINITY,
            ranks: Largest::new(top),
            scores: Vec::new(),
            at: Vec::new(),
            maps: Vec::new(),
            buckets: vec![0; BUCKETS],
            positive: 0,
            least: f32::INFINITY,
        }
    }

    /// Takes the unit's map of the next patch. Returns whether every activation was a number.
    pub(super) fn add(&mut self, map: &[f32]) -> bool {
        let (mut score, mut at, mut sum) = (f32::NEG_INFINITY, 0, 0.0);
        for (place, &value) in map.iter().enumerate() {
            self.activations.offer(value);
            self.buckets[bucket(value)] += 1;
            self.positive += u32::from(value > 0.0);
            self.least = self.least.min(value);
            sum += value;
            if value > score {
                (score, at) = (value, place as u32);
            }
        }
        self.greatest = self.greatest.max(score);
        // Equal scores rank in the order of the patches, so an equal one comes too late.
        if score > self.floor() || score > self.ranks.floor() {
            self.maps.push((self.scores.len() as u32, map.into()));
        }
        self.ranks.offer(score);
        self.scores.push(score);
        self.at.push(at);
        sum.is_finite()
    }

    /// Learns the bounds from a unit's part of a segment that was made before.
    pub(super) fn recall(&mut self, segment: &Segment, unit: usize, start: usize) {
        for &score in segment.scores_of(unit) {
            self.greatest = self.greatest.max(score);
            self.ranks.offer(score);
        }
        self.bound = self.bound.max(segment.bounds[unit]);
        segment.kept(unit, start, |_, _, values| {
            values.iter().for_each(|&value| self.activations.offer(value));
        });
    }

    /// What the threshold is known to reach.
    fn floor(&self) -> f32 {
        match self.rule {
            Threshold::Quantile(_) => self.activations.floor().max(self.bound),
            Threshold::FractionOfMax(share) => share as f32 * self.greatest,
        }
    }

    /// Hands over what is to be kept of the group, and forgets it.
    fn close(&mut self, map: [u32; 2]) -> Closed {
        let (floor, rank) = (self.floor(), self.ranks.floor());
        let mut closed = Closed {
            scores: std::mem::take(&mut self.scores),
            at: std::mem::take(&mut self.at),
            buckets: std::mem::replace(&mut self.buckets, vec![0; BUCKETS]),
            positive: std::mem::take(&mut self.positive),
            least: std::mem::replace(&mut self.least, f32::INFINITY),
            bound: floor,
            ..Closed::default()
        };
        closed.counts = vec![0; closed.scores.len()];
        for (patch, values) in std::mem::take(&mut self.maps) {
            let score = closed.scores[patch as usize];
            if score > floor {
                for place in around(&values, map, |value| value > floor) {
                    closed.counts[patch as usize] += 1;
                    closed.places.push(place);
                    closed.values.push(values[place as usize]);
                }
            }
            if score >= rank {
                closed.map_patches.push(patch);
                closed.maps.extend_from_slice(&values);
            }
        }
        closed
    }
}

/// One unit's part of a segment.
#[derive(Default)]
struct Closed {
    scores: Vec<f32>,
    at: Vec<u32>,
    counts: Vec<u32>,
    places: Vec<u32>,
    values: Vec<f32>,
    map_patches: Vec<u32>,
    maps: Vec<f32>,
    buckets: Vec<u32>,
    positive: u32,
    least: f32,
    bound: f32,
}

/// Places of the activations that are `high` and of their eight neighbours, which is all that the
/// region of the high ones depends on.
pub(super) fn around(
    values: &[f32],
    [rows, columns]: [u32; 2],
    high: impl Fn(f32) -> bool,
) -> Vec<u32> {
    let (rows, columns) = (rows as usize, columns as usize);
    let mut near = vec![false; values.len()];
    for row in 0..rows {
        for column in 0..columns {
            if high(values[row * columns + column]) {
                for row in row.saturating_sub(1)..(row + 2).min(rows) {
                    let from = row * columns + column.saturating_sub(1);
                    near[from..row * columns + (column + 2).min(columns)].fill(true);
                }
            }
        }
    }
    (0..values.len()).filter(|&at| near[at]).map(|at| at as u32).collect()
}

/// Closes the group for all units of a layer.
pub(super) fn close(watches: &mut [Watch], map: [u32; 2]) -> Segment {
    use rayon::prelude::*;
    let closed: Vec<Closed> = watches.par_iter_mut().map(|watch| watch.close(map)).collect();
    let mut segment = Segment {
        units: closed.len(),
        patches: closed.first().map_or(0, |closed| closed.scores.len()),
        map,
        ..Segment::default()
    };
    for (unit, closed) in closed.into_iter().enumerate() {
        segment.scores.extend(closed.scores);
        segment.at.extend(closed.at);
        segment.counts.extend(closed.counts);
        segment.places.extend(closed.places);
        segment.values.extend(closed.values);
        segment.map_units.extend(closed.map_patches.iter().map(|_| unit as u32));
        segment.map_patches.extend(closed.map_patches);
        segment.maps.extend(closed.maps);
        segment.buckets.extend(closed.buckets);
        segment.positive.push(closed.positive);
        segment.least.push(closed.least);
        segment.bounds.push(closed.bound);
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_neighbours_of_what_exceeds_are_kept() {
        let mut values = [0.0; 25];
        values[6] = 1.0;
        values[24] = 1.0;
        let places = around(&values, [5, 5], |v| v > 0.5);
        assert_eq!(places, [0, 1, 2, 5, 6, 7, 10, 11, 12, 18, 19, 23, 24]);
        assert!(around(&values, [5, 5], |v| v > 1.0).is_empty());
    }
}
