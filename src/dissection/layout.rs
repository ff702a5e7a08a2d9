//! Units of a layer in the plane: those that respond to the same patches lie near each other.
//!
//! t-SNE (van der Maaten and Hinton, JMLR 9, 2008) from a start by classical scaling (Torgerson,
//! Psychometrika 17, 1952), as Kobak and Berens advise (Nature Communications 10, 2019). It is computed
//! exactly, in a fixed number of steps and without a random number; each sum has a fixed order, whatever the
//! number of threads. So the same similarities give the same places.

use rayon::prelude::*;

use record::similar::NEIGHBOURS;

/// How many neighbours a unit is held to, in effect.
const PERPLEXITY: f64 = 30.0;
/// Steps in which similarities are exaggerated, and steps after those.
const STEPS: [usize; 2] = [250, 500];
const EXAGGERATION: f32 = 12.0;
/// Steps of the iteration that finds the two main axes.
const AXES: usize = 100;
/// Standard deviation of the start, along the longer axis.
const START: f64 = 1e-4;
/// Sums that run beside each other, so that a processor may add several numbers at once.
const LANES: usize = 8;

/// Similarities of a number of units: a square table of correlations.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    values: &'a [f32],
    units: usize,
}

impl<'a> Table<'a> {
    /// Of so many units, a row for each.
    pub(super) fn new(values: &'a [f32], units: usize) -> Self {
        assert_eq!(values.len(), units * units, "a row of similarities for each unit");
        Self { values, units }
    }

    fn row(self, unit: usize) -> &'a [f32] {
        &self.values[unit * self.units..][..self.units]
    }

    /// The other units in the order of a distance to one; of equals the first is nearer. Only which are the
    /// `count` nearest is certain, not their order.
    fn nearest(self, unit: usize, count: usize, distance: impl Fn(usize) -> f32) -> Vec<usize> {
        let mut others: Vec<(f32, usize)> =
            (0..self.units).filter(|&other| other != unit).map(|at| (distance(at), at)).collect();
        if count < others.len() {
            others.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            others.truncate(count);
        }
        others.into_iter().map(|(_, at)| at).collect()
    }

    /// Those that are most like a unit.
    fn alike(self, unit: usize, count: usize) -> Vec<usize> {
        let row = self.row(unit);
        let mut found = self.nearest(unit, count, |other| -row[other]);
        found.sort_unstable();
        found
    }
}

/// Where units lie, x and y in [-1, 1], the middle at 0: nearer, the more similar they are.
pub(super) fn place(table: Table) -> Vec<[f32; 2]> {
    let start = scaled(table);
    // With fewer, any plane holds their distances.
    let places = if table.units < 4 { start } else { embedded(table, &start) };
    fitted(&places)
}

/// Share of each unit's [`NEIGHBOURS`] most similar units that are its nearest in the plane, averaged over
/// the units; none where there are too few units to tell.
pub(super) fn kept(table: Table, places: &[[f32; 2]]) -> Option<f32> {
    if table.units <= 2 * NEIGHBOURS {
        return None;
    }
    let of_unit = |unit: usize| {
        let distance = |other: usize| {
            let [x, y] = [0, 1].map(|axis| places[other][axis] - places[unit][axis]);
            x * x + y * y
        };
        let near = table.nearest(unit, NEIGHBOURS, distance);
        let alike = table.alike(unit, NEIGHBOURS);
        near.iter().filter(|&other| alike.binary_search(other).is_ok()).count()
    };
    let found: usize = (0..table.units).into_par_iter().map(of_unit).sum();
    Some(found as f32 / (table.units * NEIGHBOURS) as f32)
}

/// The same places around 0, turned so that they reach furthest along x, and within 1 of it along either axis.
fn fitted(places: &[[f64; 2]]) -> Vec<[f32; 2]> {
    let count = places.len().max(1) as f64;
    let mean = [0, 1].map(|axis| places.iter().map(|place| place[axis]).sum::<f64>() / count);
    let [mut across, mut along, mut both] = [0.0; 3];
    for place in places {
        let [x, y] = [place[0] - mean[0], place[1] - mean[1]];
        across += x * x;
        along += y * y;
        both += x * y;
    }
    let (sin, cos) = ((2.0 * both).atan2(across - along) / 2.0).sin_cos();
    let turned = places.iter().map(|[x, y]| [cos * x + sin * y, cos * y - sin * x]);
    let turned: Vec<[f64; 2]> = turned.collect();
    let [x, y] = [0, 1].map(|axis| {
        let ends = [f64::INFINITY, f64::NEG_INFINITY];
        let places = turned.iter().map(|place| place[axis]);
        places.fold(ends, |[low, high], at| [low.min(at), high.max(at)])
    });
    let middle = [x, y].map(|[low, high]| (low + high) / 2.0);
    let reach = (x[1] - x[0]).max(y[1] - y[0]) / 2.0;
    let scale = if reach > 0.0 { 1.0 / reach } else { 0.0 };
    let fit = |place: &[f64; 2]| {
        // Finer than any screen, and short in a file.
        [0, 1].map(|axis| (((place[axis] - middle[axis]) * scale * 1e4).round() / 1e4) as f32)
    };
    turned.iter().map(fit).collect()
}

/// Classical scaling: the two main axes of the units as points whose inner products are their similarities.
fn scaled(table: Table) -> Vec<[f64; 2]> {
    let count = table.units;
    // Any start that is not across an axis; Weyl's sequences leave no direction out.
    let weyl = |step: f64| (1..=count).map(|at| (at as f64 * step).fract() - 0.5).collect();
    let mut axes: [Vec<f64>; 2] = [weyl(0.618_033_988_749_894_9), weyl(0.754_877_666_246_692_8)];
    let mut lengths = [0.0; 2];
    for _ in 0..AXES {
        for axis in 0..2 {
            centre(&mut axes[axis]);
            let old = &axes[axis];
            let mut new: Vec<f64> = (0..count)
                .into_par_iter()
                .map(|unit| table.row(unit).iter().zip(old).map(|(s, at)| f64::from(*s) * at).sum())
                .collect();
            centre(&mut new);
            if axis == 1 {
                let shared: f64 = new.iter().zip(&axes[0]).map(|(a, b)| a * b).sum();
                new.iter_mut().zip(&axes[0]).for_each(|(a, b)| *a -= shared * b);
            }
            let length = new.iter().map(|at| at * at).sum::<f64>().sqrt();
            lengths[axis] = length;
            // What is left of units that are all alike is rounding.
            let scale = if length > 1e-6 { 1.0 / length } else { 0.0 };
            axes[axis] = new.into_iter().map(|at| at * scale).collect();
        }
    }
    for (axis, length) in axes.iter_mut().zip(lengths) {
        // An axis has no sign by itself: its greatest value is positive.
        let greatest =
            axis.iter().fold(0.0_f64, |most, at| if at.abs() > most.abs() { *at } else { most });
        let scale = if greatest < 0.0 { -length.sqrt() } else { length.sqrt() };
        axis.iter_mut().for_each(|at| *at *= scale);
    }
    let [x, y] = axes;
    x.into_iter().zip(y).map(|(x, y)| [x, y]).collect()
}

fn centre(values: &mut [f64]) {
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    values.iter_mut().for_each(|value| *value -= mean);
}

/// t-SNE of four units or more, from a start.
fn embedded(table: Table, start: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let count = table.units;
    let affinities = affinities(table);
    let spread = start.iter().map(|place| place[0] * place[0]).sum::<f64>() / count as f64;
    let scale = if spread > 0.0 { START / spread.sqrt() } else { 0.0 };
    let mut places: [Vec<f32>; 2] = [0, 1].map(|axis| {
        let spot = |(unit, place): (usize, &[f64; 2])| {
            // Units that are alike in everything start beside each other, on a spiral, or would never part.
            let (angle, reach) =
                (unit as f64 * 2.399_963_229_728_653, (unit as f64 + 1.0) / count as f64);
            let turned = if axis == 0 { angle.cos() } else { angle.sin() };
            (place[axis] * scale + 0.01 * START * reach * turned) as f32
        };
        start.iter().enumerate().map(spot).collect()
    });
    let mut speed = [vec![0.0_f32; count], vec![0.0; count]];
    let mut gains = [vec![1.0_f32; count], vec![1.0; count]];
    // Of scikit-learn (Belkina and others, Nature Communications 10, 2019).
    let rate = (count as f32 / EXAGGERATION / 4.0).max(50.0);
    for step in 0..STEPS[0] + STEPS[1] {
        let early = step < STEPS[0];
        let (exaggeration, momentum) = if early { (EXAGGERATION, 0.5) } else { (1.0, 0.8) };
        let forces: Vec<Force> = (0..count)
            .into_par_iter()
            .map(|unit| force(unit, &places[0], &places[1], &affinities[unit]))
            .collect();
        let all: f64 = forces.iter().map(|force| f64::from(force.weight)).sum();
        let all = all.max(f64::MIN_POSITIVE) as f32;
        for axis in 0..2 {
            for (unit, force) in forces.iter().enumerate() {
                let slope = 4.0 * (exaggeration * force.towards[axis] - force.apart[axis] / all);
                let (speed, gain) = (&mut speed[axis][unit], &mut gains[axis][unit]);
                *gain = if slope * *speed < 0.0 { *gain + 0.2 } else { (*gain * 0.8).max(0.01) };
                *speed = momentum * *speed - rate * *gain * slope;
                places[axis][unit] += *speed;
            }
        }
    }
    let [x, y] = places;
    x.into_iter().zip(y).map(|(x, y)| [f64::from(x), f64::from(y)]).collect()
}

/// What acts on a unit in the plane.
struct Force {
    /// Sum of the weights of all others.
    weight: f32,
    /// What draws it towards those that are like it, and what drives it apart from all.
    towards: [f32; 2],
    apart: [f32; 2],
}

fn force(unit: usize, xs: &[f32], ys: &[f32], affinities: &[(u32, f32)]) -> Force {
    let (x, y) = (xs[unit], ys[unit]);
    let mut towards = [0.0; 2];
    for &(other, affinity) in affinities {
        let (dx, dy) = (x - xs[other as usize], y - ys[other as usize]);
        let pull = affinity / (1.0 + dx * dx + dy * dy);
        towards[0] += pull * dx;
        towards[1] += pull * dy;
    }
    let (mut weights, mut across, mut along) =
        ([0.0_f32; LANES], [0.0_f32; LANES], [0.0_f32; LANES]);
    let (whole_xs, rest_xs) = xs.as_chunks::<LANES>();
    let (whole_ys, rest_ys) = ys.as_chunks::<LANES>();
    let mut add = |lane: usize, at_x: f32, at_y: f32| {
        let (dx, dy) = (x - at_x, y - at_y);
        let weight = 1.0 / (1.0 + dx * dx + dy * dy);
        weights[lane] += weight;
        across[lane] += weight * weight * dx;
        along[lane] += weight * weight * dy;
    };
    for (xs, ys) in whole_xs.iter().zip(whole_ys) {
        for lane in 0..LANES {
            add(lane, xs[lane], ys[lane]);
        }
    }
    for (lane, (&at_x, &at_y)) in rest_xs.iter().zip(rest_ys).enumerate() {
        add(lane, at_x, at_y);
    }
    let sum = |lanes: [f32; LANES]| lanes.iter().sum::<f32>();
    // Its own weight is 1, and drives it nowhere.
    Force { weight: sum(weights) - 1.0, towards, apart: [sum(across), sum(along)] }
}

/// How strongly each unit belongs to others: symmetric, in the order of the others; all of them sum to 1.
fn affinities(table: Table) -> Vec<Vec<(u32, f32)>> {
    let count = table.units;
    let perplexity = PERPLEXITY.min((count - 1) as f64 / 3.0);
    let neighbours = ((3.0 * perplexity) as usize).clamp(1, count - 1);
    let own: Vec<Vec<(u32, f64)>> = (0..count)
        .into_par_iter()
        .map(|unit| {
            let found = table.alike(unit, neighbours);
            // Squared distance of standardised ranks, whose product is the correlation.
            let away = |&other: &usize| 2.0 * (1.0 - f64::from(table.row(unit)[other])).max(0.0);
            let distances: Vec<f64> = found.iter().map(away).collect();
            let weights = perplexed(&distances, perplexity);
            found.into_iter().map(|other| other as u32).zip(weights).collect()
        })
        .collect();
    let mut both: Vec<Vec<(u32, f64)>> = own.clone();
    for (unit, others) in own.iter().enumerate() {
        for &(other, weight) in others {
            both[other as usize].push((unit as u32, weight));
        }
    }
    both.into_par_iter()
        .map(|mut others| {
            // Stable: what the unit gives comes before what it gets.
            others.sort_by_key(|(other, _)| *other);
            let same = others.chunk_by(|a, b| a.0 == b.0);
            let sum = |pair: &[(u32, f64)]| pair.iter().map(|(_, weight)| weight).sum::<f64>();
            same.map(|pair| (pair[0].0, (sum(pair) / (2.0 * count as f64)) as f32)).collect()
        })
        .collect()
}

/// Gaussian weights by squared distance whose entropy is that of so many equal ones; they sum to 1.
fn perplexed(distances: &[f64], perplexity: f64) -> Vec<f64> {
    let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let weigh = |precision: f64| -> Vec<f64> {
        let weights: Vec<f64> =
            distances.iter().map(|distance| (-precision * (distance - nearest)).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / sum).collect()
    };
    let (mut low, mut high, mut precision) = (0.0, f64::INFINITY, 1.0);
    // Sixty-four halvings are as exact as the numbers. Of units that are all alike none is enough.
    for _ in 0..64 {
        let weights = weigh(precision);
        let entropy: f64 = weights.iter().filter(|w| **w > 0.0).map(|w| -w * w.ln()).sum();
        if entropy > perplexity.ln() {
            low = precision;
            precision = if high.is_finite() { (low + high) / 2.0 } else { precision * 2.0 };
        } else {
            high = precision;
            precision = (low + high) / 2.0;
        }
    }
    weigh(precision)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Similarities of units in groups of a size: `within` one, `between` others, a little apart from each other.
    fn groups(count: usize, size: usize, [within, between]: [f32; 2]) -> Vec<f32> {
        let similarity = |a: usize, b: usize| match (a == b, a / size == b / size) {
            (true, _) => 1.0,
            (_, same) => {
                let noise = ((a.min(b) * 31 + a.max(b) * 17) % 13) as f32 / 13.0;
                (if same { within } else { between }) - 0.05 * noise
            }
        };
        (0..count * count).map(|at| similarity(at / count, at % count)).collect()
    }

    fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
        (a[0] - b[0]).hypot(a[1] - b[1])
    }

    #[test]
    fn groups_lie_apart() {
        let values = groups(60, 15, [0.8, 0.0]);
        let table = Table::new(&values, 60);
        let places = place(table);
        assert!(places.iter().flatten().all(|at| at.is_finite() && at.abs() <= 1.0));
        for (unit, &at) in places.iter().enumerate() {
            let nearest = (0..60)
                .filter(|&other| other != unit)
                .min_by(|&a, &b| distance(at, places[a]).total_cmp(&distance(at, places[b])));
            assert_eq!(nearest.unwrap() / 15, unit / 15, "nearest of {unit}");
        }
        // All ten lie in its group of fifteen, so more than by chance are kept.
        let kept = kept(table, &places).unwrap();
        assert!(kept > 10.0 / 14.0 - 0.1 && kept <= 1.0, "{kept}");
    }

    #[test]
    fn neighbours_that_are_kept_are_counted() {
        // A line: the more similar, the nearer; only at its ends are neighbours equally near.
        let count = 40;
        let values: Vec<f32> = (0..count * count)
            .map(|at| 1.0 - ((at / count) as f32 - (at % count) as f32).abs() / count as f32)
            .collect();
        let table = Table::new(&values, count);
        let line: Vec<[f32; 2]> = (0..count).map(|at| [at as f32 / 40.0, 0.0]).collect();
        assert_eq!(kept(table, &line), Some(1.0));
        // Every other unit in another row, far away: of the ten nearest on the line, five either side, only the
        // even distances are still near.
        let split: Vec<[f32; 2]> =
            line.iter().enumerate().map(|(at, [x, _])| [*x, (at % 2) as f32 * 9.0]).collect();
        let found = kept(table, &split).unwrap();
        assert!((0.4..0.55).contains(&found), "{found}");
        assert_eq!(kept(Table::new(&values[..400], 20), &line[..20]), None, "too few to tell");
    }

    #[test]
    fn the_same_places_whatever_the_threads() {
        let values = groups(75, 10, [0.6, 0.1]);
        let places = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| place(Table::new(&values, 75)))
        };
        assert_eq!(places(1), places(3));
    }

    #[test]
    fn few_units_and_equal_units_have_places() {
        assert_eq!(place(Table::new(&[], 0)), [[0.0; 2]; 0]);
        assert_eq!(place(Table::new(&[1.0], 1)), [[0.0; 2]]);
        let two = place(Table::new(&[1.0, 0.5, 0.5, 1.0], 2));
        assert_eq!(distance(two[0], two[1]), 2.0, "{two:?}");
        // Three at equal distances make a triangle.
        let three = place(Table::new(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0], 3));
        let sides = [[0, 1], [1, 2], [2, 0]].map(|[a, b]| distance(three[a], three[b]));
        assert!(sides.iter().all(|side| (side - sides[0]).abs() < 1e-2), "{sides:?}");
        for count in [2, 4, 5, 12, 50] {
            let places = place(Table::new(&vec![1.0; count * count], count));
            assert!(places.iter().flatten().all(|at| at.is_finite()), "{count}: {places:?}");
        }
        // Duplicates among others lie beside each other, and not on each other where there is room.
        let values = groups(30, 2, [1.05, 0.1]);
        let places = place(Table::new(&values, 30));
        let twins = distance(places[0], places[1]);
        let nearest =
            (2..30).map(|at| distance(places[0], places[at])).fold(f32::INFINITY, f32::min);
        assert!(twins < nearest, "{twins} {nearest}");
    }

    #[test]
    fn places_reach_furthest_along_x() {
        // A thin ellipse, aslant and off the middle.
        let slanted: Vec<[f64; 2]> = (0..40)
            .map(|at| f64::from(at) * 0.157)
            .map(|angle| [3.0 + angle.cos() - 0.1 * angle.sin(), angle.cos() + 0.1 * angle.sin()])
            .collect();
        let places = fitted(&slanted);
        let reach = |axis: usize| places.iter().map(|at| at[axis].abs()).fold(0.0_f32, f32::max);
        assert!((reach(0) - 1.0).abs() < 1e-3 && (reach(1) - 0.1).abs() < 0.01, "{places:?}");
    }

    #[test]
    fn weights_have_the_perplexity_that_was_asked_for() {
        let distances: Vec<f64> = (1..=90).map(|at| f64::from(at) / 60.0).collect();
        let weights = perplexed(&distances, 30.0);
        let entropy: f64 = weights.iter().map(|w| -w * w.ln()).sum();
        assert!((entropy.exp() - 30.0).abs() < 1e-6, "{}", entropy.exp());
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(weights.windows(2).all(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn two_thousand_units_take_seconds() {
        let values = groups(2048, 32, [0.7, 0.05]);
        let started = std::time::Instant::now();
        let table = Table::new(&values, 2048);
        let places = place(table);
        let kept = kept(table, &places).unwrap();
        eprintln!(
            "2,048 units: {:.1} s, {:.0}% kept",
            started.elapsed().as_secs_f64(),
            100.0 * kept
        );
        // Ten of the thirty-one of each group: by chance within it a third is kept.
        assert!(kept > 0.2, "{kept}");
    }
}
