//! How the regions of a unit agree with the concepts' masks, and what chance would give.
//!
//! Intersections and unions are pooled over the patches before they are divided (Network Dissection,
//! equation 1). Chance is measured by a permutation test: the masks are dealt out anew among the
//! patches annotated for them, which keeps how often, how large and where in a patch a concept is and
//! breaks only its tie to the image. Correction for the number of concepts is by the greatest
//! standardised IoU of each permutation (Westfall and Young's single-step maxT). It counts patches as
//! exchangeable; patches of one mammogram overlap, so it is the more lenient the fewer mammograms.

use super::bits::Bits;
use super::concepts::{CATEGORIES, Concepts, DOMAINS, Masks, coarse, domain};
use record::dissection::{Chance, Match};

/// Pixels of one unit's regions, counted while patches pass.
pub(super) struct Agreement {
    /// Pixels of the regions, by domain, over the patches annotated for it.
    area: [u64; DOMAINS],
    /// By category, over the patches that hold some concept of it.
    area_within: [u64; CATEGORIES],
    /// Pixels in common, by concept.
    common: Vec<u64>,
    coarse_area: [u64; DOMAINS],
    coarse_common: Vec<u32>,
    /// By permutation and concept.
    dealt_common: Vec<u32>,
}

/// Whose masks each patch gets, by domain, permutation and position.
pub(super) type Shuffles = [Vec<Vec<u32>>; DOMAINS];

impl Agreement {
    /// Nothing counted yet.
    pub(super) fn new(concepts: usize, permutations: u32) -> Self {
        Self {
            area: [0; DOMAINS],
            area_within: [0; CATEGORIES],
            common: vec![0; concepts],
            coarse_area: [0; DOMAINS],
            coarse_common: vec![0; concepts],
            dealt_common: vec![0; concepts * permutations as usize],
        }
    }

    /// Counts the unit's region in the patch at a position.
    pub(super) fn add(
        &mut self,
        region: &Bits,
        position: usize,
        masks: &Masks,
        concepts: &Concepts,
        shuffles: &Shuffles,
        edge: u32,
    ) {
        let area = region.count();
        if area == 0 {
            return;
        }
        for (category, _) in masks.holds.iter().enumerate().filter(|(_, holds)| **holds) {
            self.area_within[category] += area;
        }
        for (concept, mask) in &masks.present {
            self.common[*concept] += region.common(mask);
        }
        let few = coarse(region, edge);
        let few_area = few.count();
        let count = self.common.len();
        for domain in (0..DOMAINS).filter(|&domain| masks.annotated[domain]) {
            self.area[domain] += area;
            self.coarse_area[domain] += few_area;
            for (concept, mask) in &concepts.coarse[domain][position] {
                self.coarse_common[*concept as usize] += few.common(mask) as u32;
            }
            for (shuffle, common) in
                shuffles[domain].iter().zip(self.dealt_common.chunks_exact_mut(count.max(1)))
            {
                for (concept, mask) in &concepts.coarse[domain][shuffle[position] as usize] {
                    common[*concept as usize] += few.common(mask) as u32;
                }
            }
        }
    }

    /// What it comes to, concept by concept; the areas under the ROC curves are not this module's.
    pub(super) fn finish(&self, concepts: &Concepts) -> Vec<Match> {
        let count = concepts.list.len();
        let coarse_iou = |concept: usize, common: u32| {
            let area = self.coarse_area[domain(concepts.list[concept].category)];
            share(u64::from(common), area, concepts.coarse_pixels[concept])
        };
        let dealt: Vec<Vec<f64>> = self
            .dealt_common
            .chunks_exact(count.max(1))
            .map(|row| {
                (0..).zip(row).map(|(concept, common)| coarse_iou(concept, *common)).collect()
            })
            .collect();
        let chance = metrics::Chance::new(&dealt, count);
        (0..count)
            .map(|concept| {
                let category = concepts.list[concept].category;
                let (common, pixels) = (self.common[concept], concepts.pixels[concept]);
                let own = coarse_iou(concept, self.coarse_common[concept]);
                Match {
                    iou: share(common, self.area[domain(category)], pixels) as f32,
                    within: share(common, self.area_within[category as usize], pixels) as f32,
                    auc: None,
                    chance: (!dealt.is_empty()).then(|| Chance {
                        mean: chance.mean(concept) as f32,
                        high: chance.high(concept) as f32,
                        p: chance.alone(concept, own) as f32,
                        adjusted: chance.reached(concept, own) as f32,
                    }),
                }
            })
            .collect()
    }
}

/// IoU of what has `common` pixels in common; zero of nothing.
fn share(common: u64, area: u64, pixels: u64) -> f64 {
    common as f64 / (area + pixels - common).max(1) as f64
}
