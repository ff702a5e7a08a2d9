//! How many units and readers a study needs, for the 95% intervals of its coefficients to be as narrow as wanted.
//!
//! Studies are simulated and computed as real ones are: answers are drawn, and `agreement` gives Fleiss' kappa and
//! Krippendorff's alpha with their bootstrap intervals. In the model each unit has a category, drawn by the
//! prevalences; a reader answers with it with probability a, and otherwise with any category by the same prevalences.
//! Two readers then agree as often as chance alone gives, but for a share a² of the units, in which both see the same:
//! kappa is a², whatever the categories.
//!
//! Pure: every simulated study is a stream of its own, which follows from the seed, its design and its number.

use agreement::{Coefficient, Ratings, estimate_by};
use base::progress::Progress;
use base::seed;
use rand::RngExt;
use rayon::prelude::*;
use serde::Serialize;

/// Bootstrap draws of a simulated study. Widths are averages over many studies, so that fewer are enough than
/// for the one study that is reported.
pub const DRAWS: u32 = 500;

/// The coefficients that a plan looks at.
pub const COEFFICIENTS: [Coefficient; 2] = [Coefficient::Fleiss, Coefficient::Alpha];

/// What is planned for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Wanted {
    /// How often each category is right; at least two, above 0, of sum 1.
    pub prevalence: Vec<f64>,
    /// The kappa of any two readers, from 0 to below 1.
    pub agreement: f64,
    /// Intervals are to be narrower than this.
    pub width: f64,
    /// In at least this share of the studies.
    pub assurance: f64,
    /// Numbers of readers to try.
    pub readers: Vec<usize>,
    /// Numbers of units to try.
    pub units: Vec<usize>,
    /// Simulated studies of each design.
    pub simulations: u32,
    /// What the random numbers follow from.
    pub seed: u64,
}

/// So many readers answer so many units each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Design {
    /// Readers.
    pub readers: usize,
    /// Units.
    pub units: usize,
}

/// What the intervals of a coefficient came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Widths {
    /// Mean width of the intervals; `None` where no study had one.
    pub mean: Option<f64>,
    /// Share of the studies with an interval that is narrow enough.
    pub narrow: f64,
    /// Studies without an interval, as when nearly all answers are the same.
    pub without: u32,
}

/// A design, and what its studies came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tried {
    /// The design.
    #[serde(flatten)]
    pub design: Design,
    /// Of Fleiss' kappa.
    pub kappa: Widths,
    /// Of Krippendorff's alpha.
    pub alpha: Widths,
}

/// What was tried, and what follows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// What was planned for.
    pub wanted: Wanted,
    /// Every design, by readers and then by units.
    pub tried: Vec<Tried>,
    /// Of the designs that do, the one with the fewest answers in all, and then the fewest readers.
    pub recommended: Option<Tried>,
}

impl Tried {
    /// Whether both coefficients are narrow often enough.
    pub fn does(&self, assurance: f64) -> bool {
        [self.kappa, self.alpha].iter().all(|widths| widths.narrow >= assurance)
    }
}

impl Plan {
    /// Units that a number of readers would need where all that were tried are too few: widths fall with the square
    /// root of the units. By the mean width of the most that were tried; `None` where it has none.
    pub fn extrapolated(&self, readers: usize) -> Option<usize> {
        let of = self.tried.iter().filter(|tried| tried.design.readers == readers);
        let most = of.max_by_key(|tried| tried.design.units)?;
        let width = most.kappa.mean?.max(most.alpha.mean?);
        Some((most.design.units as f64 * (width / self.wanted.width).powi(2)).ceil() as usize)
    }
}

/// Simulates the studies of every design.
pub fn plan(wanted: Wanted, progress: &dyn Progress) -> Plan {
    let designs = wanted
        .readers
        .iter()
        .flat_map(|&readers| wanted.units.iter().map(move |&units| Design { readers, units }))
        .collect::<Vec<_>>();
    progress.start("simulated studies", designs.len() as u64 * u64::from(wanted.simulations));
    let tried: Vec<Tried> =
        designs.into_iter().map(|design| tried(&wanted, design, progress)).collect();
    progress.finish();
    let good = tried.iter().filter(|tried| tried.does(wanted.assurance));
    let recommended =
        good.min_by_key(|of| (of.design.readers * of.design.units, of.design.readers)).copied();
    Plan { wanted, tried, recommended }
}

fn tried(wanted: &Wanted, design: Design, progress: &dyn Progress) -> Tried {
    let found: Vec<[Option<f64>; 2]> = (0..wanted.simulations)
        .into_par_iter()
        .map(|number| {
            let name = format!("plan/{}/{}/{number}", design.readers, design.units);
            let ratings = drawn(wanted, design, &name);
            let seed = seed::derive(wanted.seed, &name);
            estimate_by(&ratings, COEFFICIENTS, seed, DRAWS)
                .map(|estimate| estimate.interval().map(|[low, high]| high - low))
        })
        .collect();
    progress.advance(u64::from(wanted.simulations));
    let widths = |at: usize| {
        let known: Vec<f64> = found.iter().filter_map(|of| of[at]).collect();
        let narrow = known.iter().filter(|width| **width < wanted.width).count();
        Widths {
            mean: (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64),
            narrow: narrow as f64 / f64::from(wanted.simulations),
            without: (found.len() - known.len()) as u32,
        }
    };
    Tried { design, kappa: widths(0), alpha: widths(1) }
}

/// The answers of a study.
fn drawn(wanted: &Wanted, design: Design, name: &str) -> Ratings {
    let mut stream = seed::stream(wanted.seed, name);
    let seen = wanted.agreement.sqrt();
    let mut category = || -> (f64, usize) {
        let (certain, at) = (stream.random::<f64>(), stream.random::<f64>());
        let mut sum = 0.0;
        let found = wanted.prevalence.iter().position(|share| {
            sum += share;
            at < sum
        });
        // Where rounding leaves the sum below 1.
        (certain, found.unwrap_or(wanted.prevalence.len() - 1))
    };
    let items: Vec<Vec<(usize, usize)>> = (0..design.units)
        .map(|_| {
            let (_, own) = category();
            (0..design.readers)
                .map(|reader| match category() {
                    (certain, _) if certain < seen => (reader, own),
                    (_, any) => (reader, any),
                })
                .collect()
        })
        .collect();
    Ratings::nominal(items, design.readers, wanted.prevalence.len())
}

#[cfg(test)]
mod tests {
    use base::progress::Silent;

    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            prevalence: vec![0.2, 0.5, 0.3],
            agreement: 0.6,
            width: 0.3,
            assurance: 0.8,
            readers: vec![2, 4],
            units: vec![20, 80],
            simulations: 40,
            seed: 7,
        }
    }

    #[test]
    fn the_models_kappa_is_what_was_asked_for() {
        for (prevalence, agreement) in
            [(vec![0.2, 0.5, 0.3], 0.6), (vec![0.9, 0.1], 0.3), (vec![0.25; 4], 0.0)]
        {
            let wanted = Wanted { prevalence, agreement, ..wanted() };
            let design = Design { readers: 3, units: 40_000 };
            let ratings = drawn(&wanted, design, "one");
            let found = estimate_by(&ratings, COEFFICIENTS, 1, 0);
            for (coefficient, estimate) in COEFFICIENTS.iter().zip(found) {
                let value = estimate.value().unwrap();
                assert!((value - agreement).abs() < 0.015, "{coefficient:?} {value} {agreement}");
            }
            for (category, share) in wanted.prevalence.iter().enumerate() {
                assert!((ratings.share(category).unwrap() - share).abs() < 0.01, "{category}");
            }
        }
    }

    #[test]
    fn more_units_and_more_readers_make_intervals_narrower() {
        let plan = plan(wanted(), &Silent);
        let width = |readers, units| {
            let design = Design { readers, units };
            let tried = plan.tried.iter().find(|tried| tried.design == design).unwrap();
            assert_eq!((tried.kappa.without, tried.alpha.without), (0, 0));
            [tried.kappa, tried.alpha].map(|widths| widths.mean.unwrap())
        };
        for at in 0..2 {
            assert!(width(2, 20)[at] > width(2, 80)[at] && width(2, 80)[at] > width(4, 80)[at]);
            // Four times the units halve the width.
            assert!((width(4, 20)[at] / width(4, 80)[at] - 2.0).abs() < 0.2);
        }
        // The normal approximation of Fleiss, Cohen and Everitt (Psychological Bulletin 1969) for two readers, by the
        // cells of the model: the standard error of kappa times 2 · 1.96.
        let expected = 2.0 * 1.96 * standard_error(&wanted(), 80);
        assert!((width(2, 80)[0] / expected - 1.0).abs() < 0.05, "{} {expected}", width(2, 80)[0]);
    }

    fn standard_error(wanted: &Wanted, units: usize) -> f64 {
        let (p, k) = (&wanted.prevalence, wanted.agreement);
        let cell =
            |i: usize, j: usize| f64::from(u8::from(i == j)) * k * p[i] + (1.0 - k) * p[i] * p[j];
        let chance: f64 = p.iter().map(|share| share * share).sum();
        let (mut a, mut b) = (0.0, 0.0);
        for i in 0..p.len() {
            a += cell(i, i) * (1.0 - 2.0 * p[i] * (1.0 - k)).powi(2);
            b += (0..p.len())
                .filter(|j| *j != i)
                .map(|j| cell(i, j) * (p[i] + p[j]).powi(2))
                .sum::<f64>();
        }
        let c = (k - chance * (1.0 - k)).powi(2);
        ((a + (1.0 - k).powi(2) * b - c) / units as f64).sqrt() / (1.0 - chance)
    }

    #[test]
    fn the_least_work_that_does_is_recommended() {
        let mut plan = plan(wanted(), &Silent);
        let recommended = plan.recommended.unwrap();
        assert_eq!(recommended.design, Design { readers: 4, units: 80 });
        assert!(recommended.kappa.narrow >= 0.8 && recommended.alpha.narrow >= 0.8);
        // What many units say of how many are needed, few say too.
        let by_many = plan.extrapolated(4).unwrap();
        plan.tried.retain(|tried| tried.design.units == 20);
        let by_few = plan.extrapolated(4).unwrap();
        assert!((30..50).contains(&by_many) && by_many.abs_diff(by_few) < 8, "{by_many} {by_few}");
        assert_eq!(plan.extrapolated(3), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_plan_and_another_another() {
        let few = Wanted { simulations: 5, units: vec![20], ..wanted() };
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let first = one.install(|| plan(few.clone(), &Silent));
        assert_eq!(first, plan(few.clone(), &Silent));
        assert_ne!(first.tried, plan(Wanted { seed: 8, ..few }, &Silent).tried);
    }

    #[test]
    fn studies_without_an_interval_are_not_narrow() {
        let rare = Wanted {
            prevalence: vec![0.999, 0.001],
            width: 1.9,
            simulations: 20,
            units: vec![5],
            readers: vec![2],
            ..wanted()
        };
        let plan = plan(rare, &Silent);
        assert!(plan.tried[0].kappa.without > 10 && plan.tried[0].kappa.narrow < 0.5);
        assert_eq!(plan.recommended, None);
    }
}
