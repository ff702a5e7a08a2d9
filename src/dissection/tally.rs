//! What is remembered of one unit while the patches pass by, and what it comes to.
//!
//! One pass suffices: of all activations only the top are kept, for the exact threshold, and of the
//! maps only those that can still exceed the threshold or rank among the top patches. Both bounds
//! only rise, so nothing that matters is ever dropped.

use super::bits::Bits;
use super::concepts::Concepts;
use super::largest::Largest;
use super::upsample::Upsampler;
use crate::config::Threshold;

/// Bins of the histogram of scores.
const BINS: usize = 24;

/// A unit's greatest activation in one patch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Score {
    /// The activation.
    pub value: f32,
    /// Index of its first place in the map, row by row.
    pub at: u32,
}

/// One unit, during the pass.
#[derive(Debug)]
pub(super) struct Tally {
    rule: Threshold,
    /// One per patch, in the order shown.
    pub scores: Vec<Score>,
    greatest: f32,
    activations: Largest,
    ranks: Largest,
    /// Maps that may matter, by position of their patch; in order.
    maps: Vec<(u32, Box<[f32]>)>,
    prune_at: usize,
}

impl Tally {
    /// For `patches` maps of `cells` activations each, of which the `top` are shown.
    pub(super) fn new(rule: Threshold, top: usize, patches: usize, cells: usize) -> Self {
        // P(a > T) = q: T is the activation below the floor(q·n) greatest.
        let keep = match rule {
            Threshold::Quantile(q) => (q * (patches * cells) as f64).floor() as usize + 1,
            Threshold::FractionOfMax(_) => 1,
        };
        Self {
            rule,
            scores: Vec::with_capacity(patches),
            greatest: f32::NEG_INFINITY,
            activations: Largest::new(keep),
            ranks: Largest::new(top),
            maps: Vec::new(),
            prune_at: 4 * top.max(16),
        }
    }

    /// Takes the unit's map of the next patch.
    pub(super) fn add(&mut self, map: &[f32]) {
        let mut score = Score { value: f32::NEG_INFINITY, at: 0 };
        for (at, &value) in map.iter().enumerate() {
            self.activations.offer(value);
            if value > score.value {
                score = Score { value, at: at as u32 };
            }
        }
        self.greatest = self.greatest.max(score.value);
        self.ranks.offer(score.value);
        let position = self.scores.len() as u32;
        self.scores.push(score);
        if self.matters(score.value) {
            self.maps.push((position, map.into()));
            if self.maps.len() >= self.prune_at {
                let (scores, mut maps) = (&self.scores, std::mem::take(&mut self.maps));
                maps.retain(|(position, _)| self.matters(scores[*position as usize].value));
                self.prune_at = (2 * maps.len()).max(self.prune_at);
                self.maps = maps;
            }
        }
    }

    /// Whether a patch with this score can still exceed the threshold or be among the top.
    fn matters(&self, score: f32) -> bool {
        let threshold = match self.rule {
            Threshold::Quantile(_) => self.activations.floor(),
            Threshold::FractionOfMax(share) => share as f32 * self.greatest,
        };
        score > threshold || score >= self.ranks.floor()
    }

    /// The threshold T_k, once all patches have passed. Zero for a unit that saw nothing.
    pub(super) fn threshold(&self) -> f32 {
        match self.rule {
            Threshold::Quantile(_) => self.activations.clone().least().unwrap_or(0.0),
            Threshold::FractionOfMax(share) => share as f32 * self.greatest,
        }
    }

    /// Positions of the `top` patches, best first, ties by order.
    pub(super) fn ranking(&self, top: usize) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.scores.len() as u32).collect();
        // Stable: equal scores stay in order.
        order.sort_by(|&a, &b| {
            self.scores[b as usize].value.total_cmp(&self.scores[a as usize].value)
        });
        order.truncate(top);
        order
    }

    /// The map of a top patch, or of one that exceeds the threshold.
    pub(super) fn map(&self, position: u32) -> Option<&[f32]> {
        let found = self.maps.binary_search_by_key(&position, |(position, _)| *position);
        found.ok().map(|i| &*self.maps[i].1)
    }

    /// Intersection over union of the region above `threshold` with each concept, pooled over the
    /// annotated patches (Network Dissection, equation 1).
    pub(super) fn ious(&self, threshold: f32, pixels: &Upsampler, concepts: &Concepts) -> Vec<f32> {
        let edge = pixels.len();
        let mut region = Bits::empty(edge * edge);
        let mut row = vec![0.0; edge];
        let mut area = 0;
        let mut common = vec![0; concepts.list.len()];
        for (position, map) in &self.maps {
            let Some(present) = &concepts.patches[*position as usize] else { continue };
            if self.scores[*position as usize].value <= threshold {
                continue;
            }
            region.clear();
            for y in 0..edge {
                if pixels.reaches(map, y, threshold) {
                    pixels.row(map, y, &mut row);
                    region.add_above(y * edge, &row, threshold);
                }
            }
            area += region.count();
            for (concept, mask) in present {
                common[*concept] += region.common(mask);
            }
        }
        let iou = |(&common, &pixels): (&u64, &u64)| {
            common as f32 / (area + pixels - common).max(1) as f32
        };
        common.iter().zip(&concepts.pixels).map(iou).collect()
    }

    /// Least and greatest score, and counts of the scores in equal bins between them.
    pub(super) fn histogram(&self) -> ([f32; 2], Vec<u32>) {
        let values = || self.scores.iter().map(|score| score.value);
        let range = values()
            .fold([f32::INFINITY, f32::NEG_INFINITY], |[low, high], v| [low.min(v), high.max(v)]);
        let mut bins = vec![0; BINS];
        for value in values() {
            let share = (value - range[0]) / (range[1] - range[0]);
            bins[((share * BINS as f32) as usize).min(BINS - 1)] += 1;
        }
        (range, bins)
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Concept, Field};
    use super::*;
    use rand::RngExt;

    const FIELD: Field = Field { edge: 8.0, stride: 4.0, centre: 2.0 };

    /// Random maps through the tally, and the same by holding everything: thresholds, ranks and
    /// IoUs must be equal, whatever was dropped on the way.
    #[test]
    fn forgetting_changes_nothing() {
        for (seed, rule, top) in [
            (1, Threshold::Quantile(0.05), 5),
            (2, Threshold::Quantile(0.005), 40),
            (3, Threshold::FractionOfMax(0.4), 3),
        ] {
            let mut rng = crate::seed::stream(seed, "tally");
            let maps: Vec<Vec<f32>> = (0..500)
                .map(|_| {
                    let level = rng.random_range(-1.0..1.0_f32);
                    (0..9).map(|_| level + (rng.random_range(-8..8) as f32) / 4.0).collect()
                })
                .collect();
            let masks: Vec<Vec<bool>> =
                (0..500).map(|_| (0..144).map(|_| rng.random_bool(0.1)).collect()).collect();
            let mut tally = Tally::new(rule, top, 500, 9);
            maps.iter().for_each(|map| tally.add(map));
            assert!(tally.maps.len() < 450, "{} maps kept", tally.maps.len());

            let mut all: Vec<f32> = maps.iter().flatten().copied().collect();
            all.sort_by(|a, b| b.total_cmp(a));
            let threshold = match rule {
                Threshold::Quantile(q) => all[(q * 4500.0).floor() as usize],
                Threshold::FractionOfMax(share) => share as f32 * all[0],
            };
            assert_eq!(tally.threshold(), threshold);
            if let Threshold::Quantile(q) = rule {
                let above = all.iter().filter(|&&v| v > threshold).count();
                assert!(above as f64 <= q * 4500.0);
            }

            let best = |map: &[f32]| map.iter().copied().fold(f32::MIN, f32::max);
            let mut order: Vec<u32> = (0..500).collect();
            order.sort_by(|&a, &b| {
                let [a_score, b_score] = [a, b].map(|i| best(&maps[i as usize]));
                b_score.total_cmp(&a_score).then(a.cmp(&b))
            });
            assert_eq!(tally.ranking(top), order[..top]);
            for &position in &order[..top] {
                assert_eq!(tally.map(position), Some(&*maps[position as usize]));
            }

            let pixels = Upsampler::pixels([3, 3], FIELD, 12);
            let concepts = Concepts {
                list: vec![Concept { id: "mass".into(), patches: 500 }],
                pixels: vec![masks[1..].iter().flatten().filter(|&&m| m).count() as u64],
                // The first patch is not annotated.
                patches: (0..500)
                    .map(|i| (i > 0).then(|| vec![(0, Bits::from_bools(&masks[i]))]))
                    .collect(),
            };
            let (mut both, mut either) = (0, 0);
            let mut row = [0.0; 12];
            for (map, mask) in maps.iter().zip(&masks).skip(1) {
                for y in 0..12 {
                    pixels.row(map, y, &mut row);
                    for x in 0..12 {
                        let (a, b) = (row[x] > threshold, mask[y * 12 + x]);
                        both += usize::from(a && b);
                        either += usize::from(a || b);
                    }
                }
            }
            let iou = tally.ious(threshold, &pixels, &concepts)[0];
            assert!((iou - both as f32 / either as f32).abs() < 1e-7);
        }
    }

    #[test]
    fn a_histogram_counts_every_patch_even_where_all_scores_are_equal() {
        let mut tally = Tally::new(Threshold::Quantile(0.005), 4, 3, 2);
        (0..3).for_each(|_| tally.add(&[1.0, 1.0]));
        let (range, bins) = tally.histogram();
        assert_eq!(range, [1.0, 1.0]);
        assert_eq!(bins.iter().sum::<u32>(), 3);
        assert_eq!(tally.scores[0].at, 0);
    }
}
