//! How close a set of patches is to each term.

use config::Scoring;

/// Cosines of patches and terms.
pub struct Similarities {
    /// Of each term the place of the one that it refines.
    general: Vec<Option<usize>>,
    /// A row for each patch, a column for each term; of a term that refines another, what the other leaves open.
    cosines: Vec<f32>,
    /// The cosines as probabilities: a softmax over the terms.
    probabilities: Vec<f32>,
    /// Sum of the cosines of all patches, by term.
    sums: Vec<f64>,
}

/// What cosines are multiplied by before their softmax, in the code of CLIP-Dissect (`similarity.soft_wpmi`).
const SHARPNESS: f32 = 10.0;
/// Probabilities that the first patch of a unit, and nearly the last, belong to what it stands for: CLIP-Dissect's.
const BELONGS: [f64; 2] = [0.998, 0.97];
/// What lies nearer to each other than this, cosines of a term or numbers of embeddings, differs by rounding.
pub(crate) const ROUNDING: f32 = 1e-5;
/// Added to probabilities before their logarithm: CLIP-Dissect's.
const LEAST: f64 = 1e-7;

impl Similarities {
    /// Of cosines, a row for each patch and a column for each term; `general` is the place of the term that a term
    /// refines.
    ///
    /// A finer term counts by what its general term leaves open of it: the residual of its cosines' linear regression
    /// on those of the general term, over all patches. Soft WPMI stays as published.
    pub fn new(mut cosines: Vec<f32>, general: Vec<Option<usize>>) -> Self {
        let terms = general.len();
        let mut probabilities = cosines.clone();
        for row in probabilities.chunks_mut(terms.max(1)) {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|value| *value = (SHARPNESS * (*value - most)).exp());
            let total: f32 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= total);
        }
        let mut left = cosines.clone();
        for (term, general) in (0..).zip(&general).filter_map(|(term, g)| Some((term, (*g)?))) {
            let column = |at: usize| cosines.iter().skip(at).step_by(terms);
            let slope = slope(column(general), column(term));
            let rows = left.chunks_mut(terms).zip(cosines.chunks(terms));
            rows.for_each(|(left, row)| left[term] -= slope * row[general]);
        }
        cosines = left;
        // What varies by rounding alone is close to all patches alike.
        for term in 0..terms {
            let column = || cosines.iter().skip(term).step_by(terms).copied();
            let range = column().fold(f32::MIN, f32::max) - column().fold(f32::MAX, f32::min);
            if range < ROUNDING {
                cosines.iter_mut().skip(term).step_by(terms).for_each(|value| *value = 0.0);
            }
        }
        let mut sums = vec![0.0; terms];
        for row in cosines.chunks(terms.max(1)) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        Self { general, cosines, probabilities, sums }
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.general.len()
    }

    /// Whether a term refines no other.
    pub(crate) fn is_broad(&self, term: usize) -> bool {
        self.general[term].is_none()
    }

    /// The terms that refine one.
    pub(crate) fn finer(&self, general: usize) -> Vec<usize> {
        (0..self.terms()).filter(|&term| self.general[term] == Some(general)).collect()
    }

    /// All patches, those first that are furthest from a term; of equals the first.
    pub(crate) fn by_closeness(&self, term: usize) -> Vec<u32> {
        let cosine = |patch: &u32| self.row(&self.cosines, *patch)[term];
        let mut patches: Vec<u32> = (0..self.patches() as u32).collect();
        patches.sort_by(|a, b| cosine(a).total_cmp(&cosine(b)));
        patches
    }

    /// How many patches there are.
    pub fn patches(&self) -> usize {
        self.cosines.len().checked_div(self.terms()).unwrap_or(0)
    }

    fn row<'s>(&self, of: &'s [f32], patch: u32) -> &'s [f32] {
        let from = patch as usize * self.terms();
        &of[from..from + self.terms()]
    }

    /// How close patches, best first, are to each term.
    pub(crate) fn score(&self, scoring: Scoring, patches: &[u32]) -> Vec<f64> {
        match scoring {
            Scoring::Difference => self.difference(patches),
            Scoring::SoftWpmi => self.likelihood(patches),
        }
    }

    /// Mean cosine of these patches minus that of all others, by term.
    fn difference(&self, patches: &[u32]) -> Vec<f64> {
        let mut own = vec![0.0; self.terms()];
        for &patch in patches {
            let row = self.row(&self.cosines, patch);
            own.iter_mut().zip(row).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let inside = patches.len().max(1) as f64;
        let outside = self.patches().saturating_sub(patches.len()).max(1) as f64;
        let of = |(own, all): (&f64, &f64)| own / inside - (all - own) / outside;
        own.iter().zip(&self.sums).map(of).collect()
    }

    /// Logarithm of the probability that these patches show each term, up to what is the same for all patches: the
    /// first term of soft WPMI (Oikarinen and Weng 2023, appendix; the prior is `prior`).
    fn likelihood(&self, patches: &[u32]) -> Vec<f64> {
        let mut sums = vec![0.0; self.terms()];
        let [first, last] = BELONGS;
        for (place, &patch) in patches.iter().enumerate() {
            let belongs = first - place as f64 / patches.len() as f64 * (first - last);
            let row = self.row(&self.probabilities, patch);
            for (sum, probability) in sums.iter_mut().zip(row) {
                *sum += (1.0 + belongs * (f64::from(*probability) - 1.0) + LEAST).ln();
            }
        }
        sums
    }
}

/// Slope of the linear regression of `y` on `x`; 0 where `x` does not vary.
fn slope<'a>(
    x: impl Iterator<Item = &'a f32> + Clone,
    y: impl Iterator<Item = &'a f32> + Clone,
) -> f32 {
    let count = x.clone().count().max(1) as f64;
    let mean = |values: &mut dyn Iterator<Item = &'a f32>| {
        values.map(|value| f64::from(*value)).sum::<f64>() / count
    };
    let (mean_x, mean_y) = (mean(&mut x.clone()), mean(&mut y.clone()));
    let (mut common, mut own) = (0.0, 0.0);
    for (x, y) in x.zip(y) {
        let x = f64::from(*x) - mean_x;
        common += x * (f64::from(*y) - mean_y);
        own += x * x;
    }
    if own > 0.0 { (common / own) as f32 } else { 0.0 }
}

/// Logarithm of the mean over units of what `Similarities::likelihood` is the logarithm of, by term: subtracted from
/// it, soft WPMI is left (with a weight of one, as CLIP-Dissect has it).
pub(crate) fn prior<'a>(
    likelihoods: impl Iterator<Item = &'a [f64]> + Clone,
    terms: usize,
) -> Vec<f64> {
    let count = likelihoods.clone().count().max(1) as f64;
    (0..terms)
        .map(|term| {
            let of = likelihoods.clone().map(|row| row[term]);
            let most = of.clone().fold(f64::NEG_INFINITY, f64::max);
            most + (of.map(|value| (value - most).exp()).sum::<f64>() / count).ln()
        })
        .collect()
}
