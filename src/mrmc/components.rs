//! Variances of readers' areas: how they differ, and how the draw of cases moves them together.

use metrics::Placements;
use serde::Serialize;

/// How the covariances that the draw of cases brings about are estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Covariances {
    /// By structural components (DeLong, DeLong and Clarke-Pearson 1988).
    DeLong,
    /// By leaving out each case in turn.
    Jackknife,
}

/// What the tests of Obuchowski and Rockette are made of: areas θ(condition, reader), their mean squares, and the
/// averages of the covariances that the draw of cases gives pairs of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Components {
    /// Number of readers.
    pub readers: usize,
    /// Mean area of each condition.
    pub means: [f64; 2],
    /// Mean square of the conditions, MS(T).
    pub ms_t: f64,
    /// Mean square of the readers, MS(R); 0 of one reader.
    pub ms_r: f64,
    /// Mean square of their interaction, MS(TR); 0 of one reader.
    pub ms_tr: f64,
    /// Mean variance of an area.
    pub variance: f64,
    /// Mean covariance of a reader's areas in both conditions.
    pub cov1: f64,
    /// Mean covariance of two readers' areas in one condition; 0 of one reader.
    pub cov2: f64,
    /// Mean covariance of two readers' areas in different conditions; 0 of one reader.
    pub cov3: f64,
    /// By condition alone: the readers' mean square, and the mean covariance of two readers.
    pub single: [Single; 2],
}

/// What is needed for the mean area of one condition.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Single {
    /// Mean square of the readers.
    pub ms_r: f64,
    /// Mean covariance of two readers' areas.
    pub cov2: f64,
}

impl Components {
    /// From the placements of the cases, by condition and reader.
    pub(crate) fn of(placements: &[Vec<Placements>; 2], method: Covariances) -> Self {
        let influences: [Vec<Influence>; 2] =
            [0, 1].map(|t| placements[t].iter().map(|of| Influence::of(of, method)).collect());
        let readers = placements[0].len();
        let (mut variance, mut cov1, mut cov3, mut cov2) = (0.0, 0.0, 0.0, [0.0; 2]);
        for one in 0..readers {
            for other in 0..readers {
                let within = [0, 1].map(|t| influences[t][one].covariance(&influences[t][other]));
                let across = influences[0][one].covariance(&influences[1][other]);
                if one == other {
                    variance += within[0] + within[1];
                    cov1 += across;
                } else {
                    (0..2).for_each(|t| cov2[t] += within[t]);
                    cov3 += across;
                }
            }
        }
        let count = readers as f64;
        // Of one reader there are no pairs, and the sums over them are 0.
        let pairs = (count * (count - 1.0)).max(1.0);
        let areas = [0, 1].map(|t| influences[t].iter().map(|of| of.area).collect::<Vec<f64>>());
        let mut of = Self::of_areas(&[&areas[0], &areas[1]]);
        of.variance = variance / (2.0 * count);
        of.cov1 = cov1 / count;
        of.cov2 = (cov2[0] + cov2[1]) / (2.0 * pairs);
        of.cov3 = cov3 / pairs;
        (0..2).for_each(|t| of.single[t].cov2 = cov2[t] / pairs);
        of
    }

    /// From areas by condition and reader that no draw of cases moves: without covariances.
    pub(crate) fn of_areas(areas: &[impl AsRef<[f64]>; 2]) -> Self {
        let areas = [areas[0].as_ref(), areas[1].as_ref()];
        let count = areas[0].len() as f64;
        let means = areas.map(|of| of.iter().sum::<f64>() / count);
        let grand = f64::midpoint(means[0], means[1]);
        let pairs = areas[0].iter().zip(areas[1]);
        let of_readers: Vec<f64> = pairs.map(|(a, b)| f64::midpoint(*a, *b)).collect();
        // Sums over one reader are 0 themselves.
        let degrees = (count - 1.0).max(1.0);
        let (mut ms_tr, mut single) = (0.0, [Single { ms_r: 0.0, cov2: 0.0 }; 2]);
        for t in 0..2 {
            for (area, of_reader) in areas[t].iter().zip(&of_readers) {
                ms_tr += (area - of_reader - means[t] + grand).powi(2) / degrees;
                single[t].ms_r += (area - means[t]).powi(2) / degrees;
            }
        }
        Self {
            readers: areas[0].len(),
            means,
            ms_t: count * means.iter().map(|mean| (mean - grand).powi(2)).sum::<f64>(),
            ms_r: 2.0 * of_readers.iter().map(|area| (area - grand).powi(2)).sum::<f64>() / degrees,
            ms_tr,
            variance: 0.0,
            cov1: 0.0,
            cov2: 0.0,
            cov3: 0.0,
            single,
        }
    }

    /// The second condition's mean area less the first's.
    pub fn difference(&self) -> f64 {
        self.means[1] - self.means[0]
    }
}

/// How far each case moves an area, scaled such that the sum of products of two is their covariance.
struct Influence {
    area: f64,
    by_case: Vec<f64>,
}

impl Influence {
    fn of(placements: &Placements, method: Covariances) -> Self {
        let (below, above) = (placements.below(), placements.above());
        let (m, n) = (below.len() as f64, above.len() as f64);
        let area = below.iter().sum::<f64>() / m;
        // Leaving out a case of a class of m moves the area by (area - placement) / (m - 1); the mean over all
        // cases is the area itself.
        let scale = |class: f64| match method {
            Covariances::DeLong => 1.0 / (class * (class - 1.0)).sqrt(),
            Covariances::Jackknife => ((m + n - 1.0) / (m + n)).sqrt() / (class - 1.0),
        };
        let moved = |of: &[f64], scale: f64| -> Vec<f64> {
            of.iter().map(|placement| (placement - area) * scale).collect()
        };
        let mut by_case = moved(below, scale(m));
        by_case.extend(moved(above, scale(n)));
        Self { area, by_case }
    }

    fn covariance(&self, other: &Self) -> f64 {
        self.by_case.iter().zip(&other.by_case).map(|(a, b)| a * b).sum()
    }
}
