//! What chance gives for several tests at once, and the correction for how many there are.

/// What chance gives for several things at once: scores of draws, each with one for each thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Chance {
    /// The scores of each thing, in ascending order.
    scores: Vec<Vec<f64>>,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    /// The greatest score of each draw, each thing's in standard deviations, in ascending order.
    greatest: Vec<f64>,
}

impl Chance {
    /// Of draws, each with a score for each of so many things.
    pub fn new<Draw: AsRef<[f64]>>(draws: &[Draw], things: usize) -> Self {
        let count = draws.len().max(1) as f64;
        let mut scores: Vec<Vec<f64>> = (0..things)
            .map(|thing| draws.iter().map(|draw| draw.as_ref()[thing]).collect())
            .collect();
        let mean: Vec<f64> = scores.iter().map(|own| own.iter().sum::<f64>() / count).collect();
        let variance = |(own, mean): (&Vec<f64>, &f64)| {
            own.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / count
        };
        let deviation = scores.iter().zip(&mean).map(|of| variance(of).sqrt()).collect();
        scores.iter_mut().for_each(|own| own.sort_by(f64::total_cmp));
        let mut chance = Self { scores, mean, deviation, greatest: Vec::new() };
        let greatest = |draw: &Draw| {
            let all = draw.as_ref().iter().enumerate();
            let all = all.map(|(thing, score)| chance.standard(thing, *score));
            all.fold(f64::NEG_INFINITY, f64::max)
        };
        let mut all: Vec<f64> = draws.iter().map(greatest).collect();
        all.sort_by(f64::total_cmp);
        chance.greatest = all;
        chance
    }

    /// Mean score of a thing.
    pub fn mean(&self, thing: usize) -> f64 {
        self.mean[thing]
    }

    /// 95th percentile of a thing's scores; 0 without a draw.
    pub fn high(&self, thing: usize) -> f64 {
        let own = &self.scores[thing];
        let at = (0.95 * own.len() as f64).ceil() as usize;
        own.get(at.saturating_sub(1)).copied().unwrap_or(0.0)
    }

    /// A score of a thing in standard deviations from the mean of the draws. What never varies says nothing.
    pub fn standard(&self, thing: usize, score: f64) -> f64 {
        match self.deviation[thing] > 0.0 {
            true => (score - self.mean[thing]) / self.deviation[thing],
            false => 0.0,
        }
    }

    /// Share of the draws, the data counted as one, in which this thing reaches a score: the probability by chance.
    pub fn alone(&self, thing: usize, score: f64) -> f64 {
        share(&self.scores[thing], score)
    }

    /// The same of any thing, each in standard deviations: the probability by chance, corrected for the number of
    /// things (Westfall and Young 1993, single-step maxT).
    pub fn reached(&self, thing: usize, score: f64) -> f64 {
        share(&self.greatest, self.standard(thing, score))
    }
}

/// Share of ascending values, one more counted in, that reach a value.
fn share(values: &[f64], value: f64) -> f64 {
    let below = values.partition_point(|other| *other < value);
    (values.len() - below + 1) as f64 / (values.len() + 1) as f64
}

/// Probabilities corrected for their number: of all that are as small, the share expected by chance (Benjamini and
/// Hochberg, Journal of the Royal Statistical Society B 57, 1995).
pub fn adjusted(p: &[f32]) -> Vec<f32> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let (mut least, mut found) = (1.0_f32, vec![1.0; p.len()]);
    for (below, &at) in order.iter().enumerate().rev() {
        least = least.min(p[at] * p.len() as f32 / (below + 1) as f32);
        found[at] = least;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_of_all_terms_counts() {
        // The second term varies ten times as much.
        let rows: Vec<Vec<f64>> =
            (0..10).map(|n| vec![f64::from(n), f64::from((n * 7) % 10) * 10.0]).collect();
        let chance = Chance::new(&rows, 2);
        assert!((chance.standard(0, 4.5)).abs() < 1e-12);
        assert!((chance.standard(1, 45.0)).abs() < 1e-12);
        assert_eq!(chance.standard(0, 9.0), chance.standard(1, 90.0));
        // Two rows have one term at its greatest.
        assert_eq!(chance.reached(0, 9.0), 3.0 / 11.0);
        assert_eq!(chance.reached(0, 9.1), 1.0 / 11.0);
        assert_eq!(chance.reached(0, -9.0), 1.0);
        let still = Chance::new(&[vec![1.0], vec![1.0]], 1);
        assert_eq!((still.standard(0, 5.0), still.reached(0, 5.0)), (0.0, 1.0));
    }

    #[test]
    fn what_all_reach_is_chance_and_what_none_reaches_is_not() {
        let rows: Vec<[f64; 1]> = (0..99).map(|i| [f64::from(i) / 1000.0]).collect();
        let chance = Chance::new(&rows, 1);
        for (score, p) in [(0.2, 0.01), (0.0, 1.0), (0.090, 0.10)] {
            assert!((chance.alone(0, score) - p).abs() < 1e-6, "{score}");
        }
        assert!((chance.high(0) - 0.094).abs() < 1e-9);
        assert_eq!(Chance::new(&[[0.0]; 0], 1).high(0), 0.0);
    }

    #[test]
    fn probabilities_are_corrected_as_statsmodels_does() {
        // statsmodels.stats.multitest.multipletests(p, method="fdr_bh")
        let found = adjusted(&[0.01, 0.04, 0.03, 0.005, 0.8]);
        for (found, right) in found.iter().zip([0.025, 0.05, 0.05, 0.025, 0.8]) {
            assert!((found - right).abs() < 1e-6, "{found} {right}");
        }
    }
}
