//! Whether the patches that a unit responds to most fall into two groups: then it may stand for two patterns,
//! and a single name will not do (units that are polysemantic: Olah and others, Distill, 2020, *Zoom In*).
//!
//! A patch is described by what the other units of the layer make of it, the ranks of their scores; of each
//! patient, the patch with the best score is taken, since patches of one breast resemble each other. The
//! patches are cut in two across the main axis of their descriptions, where that leaves least of their
//! variance within the groups (the relaxation of 2-means; Ding and He, ICML 2004). Any patches can be cut so:
//! what is left is compared with what is left of draws from one Gaussian of the same covariance, as in SigClust
//! (Liu, Hayes, Nobel and Marron, JASA 103, 2008). With fewer patches than units that errs on the side of one
//! group (Huang, Liu, Yuan and Marron, Journal of Computational and Graphical Statistics 24, 2015).

use std::collections::{BTreeMap, BTreeSet};

use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use metrics::{adjusted, below_normal};
use record::Manifest;
use record::dissection::Layer;
use record::similar::Groups;

/// Fewer patches are no group.
const LEAST: usize = 3;
/// Patches, one of each patient, that are looked at.
const MOST: usize = 32;
/// Draws from one Gaussian.
const DRAWS: usize = 200;
/// Steps of the iteration that finds the main axis.
const AXIS: usize = 60;

/// What is known so far of the top patches of a layer's units.
#[derive(Default)]
pub(super) struct Described(Vec<Top>);

/// Of one unit.
struct Top {
    /// Number of the unit, from 1.
    unit: u32,
    /// Places of its patches in `Unit::top`.
    places: Vec<u32>,
    /// Where they stand among the patches of the split.
    columns: Vec<usize>,
    /// Inner products of their descriptions.
    products: Vec<f64>,
}

impl Described {
    /// Of a layer's units that have patches of enough patients; nothing is known of the patches yet.
    pub(super) fn new(layer: &Layer, manifest: &Manifest) -> Self {
        let order = manifest.of_split(layer.split);
        let of_unit = |unit: &record::dissection::Unit| {
            let mut patients = BTreeSet::new();
            // What it does not respond to is no kind of what it responds to.
            let tops =
                (0..).zip(&unit.top).filter(|(_, top)| top.score > 0.0).filter(|(_, top)| {
                    let patch = &manifest.patches[top.patch as usize];
                    patients.insert(&manifest.member(patch).mammogram.patient)
                });
            let found = tops
                .filter_map(|(place, top)| Some((place, order.binary_search(&top.patch).ok()?)));
            let (places, columns): (Vec<u32>, Vec<usize>) = found.take(MOST).unzip();
            let products = vec![0.0; places.len().pow(2)];
            let top = Top { unit: unit.unit, places, columns, products };
            (top.places.len() >= 2 * LEAST).then_some(top)
        };
        Self(layer.units.iter().filter(|unit| unit.kind().is_live()).filter_map(of_unit).collect())
    }

    /// Adds what some units make of the patches: a row of ranks for each, of all patches of the split; the first
    /// is of the unit at `first`, from 0.
    pub(super) fn add(&mut self, ranks: &[f32], first: usize, patches: usize) {
        self.0.par_iter_mut().for_each(|top| {
            let count = top.columns.len();
            for (unit, row) in (first..).zip(ranks.chunks(patches)) {
                // A unit's own ranks are high in all of its patches.
                if unit + 1 == top.unit as usize {
                    continue;
                }
                let own: Vec<f64> = top.columns.iter().map(|&at| f64::from(row[at])).collect();
                for (products, a) in top.products.chunks_mut(count).zip(&own) {
                    products.iter_mut().zip(&own).for_each(|(product, b)| *product += a * b);
                }
            }
        });
    }

    /// How the patches of each unit fall into two groups, by its number from 1.
    pub(super) fn groups(self) -> Vec<(u32, Groups)> {
        let counts: BTreeSet<usize> = self.0.iter().map(|top| top.places.len()).collect();
        let draws: BTreeMap<usize, Vec<Vec<f64>>> =
            counts.into_iter().map(|count| (count, draws(count))).collect();
        let mut found: Vec<(u32, Groups)> = self
            .0
            .into_par_iter()
            .filter_map(|top| {
                let table = Centred::new(top.products, top.places.len());
                let cut = table.cut()?;
                let p = probability(&table, cut.within, &draws[&top.places.len()])?;
                let of =
                    cut.groups.map(|group| group.into_iter().map(|at| top.places[at]).collect());
                Some((top.unit, Groups { p: p as f32, adjusted: 1.0, of }))
            })
            .collect();
        let adjusted = adjusted(&found.iter().map(|(_, groups)| groups.p).collect::<Vec<_>>());
        found
            .iter_mut()
            .zip(adjusted)
            .for_each(|((_, groups), adjusted)| groups.adjusted = adjusted);
        found
    }
}

/// Tables of standard normal numbers: the same for all units.
fn draws(count: usize) -> Vec<Vec<f64>> {
    let mut random = base::seed::stream(0, &format!("groups/{count}"));
    let mut table = || (0..count * count).map(|_| StandardNormal.sample(&mut random)).collect();
    (0..DRAWS).map(|_| table()).collect()
}

/// Inner products of a number of patches about their mean.
struct Centred {
    values: Vec<f64>,
    count: usize,
}

/// Patches in two groups.
struct Cut {
    /// Their places in order, the group of the first patch before the other.
    groups: [Vec<usize>; 2],
    /// Share of the variance within the groups.
    within: f64,
}

impl Centred {
    fn new(mut values: Vec<f64>, count: usize) -> Self {
        let mean = |row: &[f64]| row.iter().sum::<f64>() / count as f64;
        let means: Vec<f64> = values.chunks(count).map(mean).collect();
        let all = mean(&means);
        for (row, own) in values.chunks_mut(count).zip(&means) {
            row.iter_mut().zip(&means).for_each(|(value, other)| *value += all - own - other);
        }
        Self { values, count }
    }

    fn row(&self, at: usize) -> &[f64] {
        &self.values[at * self.count..][..self.count]
    }

    fn times(&self, vector: &[f64]) -> Vec<f64> {
        let product = |at| self.row(at).iter().zip(vector).map(|(a, b)| a * b).sum();
        (0..self.count).map(product).collect()
    }

    /// The variance of all, times their number.
    fn total(&self) -> f64 {
        (0..self.count).map(|at| self.row(at)[at]).sum()
    }

    /// Where each lies on the main axis, to a factor; none where all are alike.
    fn axis(&self) -> Option<Vec<f64>> {
        let widest = (0..self.count).max_by(|&a, &b| self.row(a)[a].total_cmp(&self.row(b)[b]))?;
        let mut axis = self.row(widest).to_vec();
        for _ in 0..AXIS {
            axis = self.times(&axis);
            let length = axis.iter().map(|at| at * at).sum::<f64>().sqrt();
            if !(length > 0.0 && length.is_finite()) {
                return None;
            }
            axis.iter_mut().for_each(|at| *at /= length);
        }
        Some(axis)
    }

    /// The cut across the main axis that leaves least variance within, with enough on either side.
    fn cut(&self) -> Option<Cut> {
        let (axis, total) = (self.axis()?, self.total());
        let mut order: Vec<usize> = (0..self.count).collect();
        order.sort_by(|&a, &b| axis[a].total_cmp(&axis[b]));
        // The square of the sum of the descriptions so far: of those after them it is the same.
        let (mut square, mut best) = (0.0, None::<(f64, usize)>);
        for (before, &at) in order.iter().enumerate() {
            let crossed: f64 = order[..before].iter().map(|&other| self.row(at)[other]).sum();
            square += self.row(at)[at] + 2.0 * crossed;
            let [low, high] = [before + 1, self.count - before - 1];
            let between = square / low as f64 + square / high.max(1) as f64;
            if low.min(high) >= LEAST && best.is_none_or(|(most, _)| between > most) {
                best = Some((between, low));
            }
        }
        let (between, low) = best?;
        let mut groups = [order[..low].to_vec(), order[low..].to_vec()];
        groups.iter_mut().for_each(|group| group.sort_unstable());
        groups.sort_by_key(|group| group[0]);
        Some(Cut { groups, within: (1.0 - between / total).max(f64::MIN_POSITIVE) })
    }

    /// As many patches drawn from one Gaussian of the same covariance: Z K Zᵀ is all that a cut needs of them.
    fn drawn(&self, normal: &[f64]) -> Self {
        let half: Vec<f64> = normal.chunks(self.count).flat_map(|row| self.times(row)).collect();
        let product = |(a, b): (&[f64], &[f64])| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let rows = normal.chunks(self.count);
        let values =
            rows.flat_map(|row| half.chunks(self.count).map(move |other| product((row, other))));
        Self::new(values.collect(), self.count)
    }
}

/// How probable it is that a cut of patches from one Gaussian leaves so little within: by a normal law of the
/// logarithm, fitted to the draws, since a layer has more units than there are draws.
fn probability(table: &Centred, within: f64, draws: &[Vec<f64>]) -> Option<f64> {
    let left = draws.iter().filter_map(|normal| Some(table.drawn(normal).cut()?.within.ln()));
    let left: Vec<f64> = left.collect();
    let mean = left.iter().sum::<f64>() / left.len() as f64;
    let variance =
        left.iter().map(|at| (at - mean).powi(2)).sum::<f64>() / (left.len() as f64 - 1.0);
    (variance > 0.0).then(|| below_normal((within.ln() - mean) / variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inner products of points.
    fn products(points: &[Vec<f64>]) -> Vec<f64> {
        let product = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(a, b)| a * b).sum();
        points.iter().flat_map(|a| points.iter().map(move |b| product(a, b))).collect()
    }

    /// Points from one Gaussian whose variances fall as 1/k; the first ones moved aside.
    fn points(seed: u64, count: usize, moved: usize, by: f64) -> Vec<Vec<f64>> {
        let mut random = base::seed::stream(seed, "points");
        let mut point = |at: usize| -> Vec<f64> {
            let value = |k: usize| {
                let value: f64 = StandardNormal.sample(&mut random);
                value / (k as f64).sqrt()
            };
            let mut point: Vec<f64> = (1..=100).map(value).collect();
            point[40] += if at < moved { by } else { 0.0 };
            point
        };
        (0..count).map(&mut point).collect()
    }

    fn found(points: &[Vec<f64>]) -> (Cut, f64) {
        let table = Centred::new(products(points), points.len());
        let cut = table.cut().unwrap();
        let p = probability(&table, cut.within, &draws(points.len())).unwrap();
        (cut, p)
    }

    #[test]
    fn a_cut_is_the_best_of_all_across_the_axis() {
        let line = |at: &[f64]| at.iter().map(|x| vec![*x, 1.0]).collect::<Vec<_>>();
        let points = line(&[5.0, 0.0, 0.5, 5.5, 1.0, 4.5, 0.1]);
        let cut = Centred::new(products(&points), 7).cut().unwrap();
        assert_eq!(cut.groups, [vec![0, 3, 5], vec![1, 2, 4, 6]]);
        // Sums of squares: within 0.5 and 0.62, in all 37.394285714.
        assert!((cut.within - 1.12 / 37.394_285_714).abs() < 1e-9, "{}", cut.within);
        // One that lies apart makes no group, and patches that are all alike none either.
        let apart =
            Centred::new(products(&line(&[0.0, 0.1, 0.2, 0.3, 0.4, 9.0])), 6).cut().unwrap();
        assert_eq!(apart.groups, [vec![0, 1, 2], vec![3, 4, 5]]);
        assert!(Centred::new(products(&line(&[1.0; 6])), 6).cut().is_none());
    }

    #[test]
    fn one_cloud_is_rarely_two_and_two_are() {
        for count in [11, 32] {
            let alone: Vec<f64> =
                (0..40).map(|seed| found(&points(seed, count, 0, 0.0)).1).collect();
            let small = alone.iter().filter(|p| **p < 0.05).count();
            assert!(small <= 2, "{alone:?}");
            let (cut, p) = found(&points(1, count, count / 2, 12.0));
            assert!(p < 1e-4, "{p}");
            let halves = [(0..count / 2).collect::<Vec<_>>(), (count / 2..count).collect()];
            assert_eq!(cut.groups, halves);
        }
    }
}
