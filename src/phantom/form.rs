//! The shape of a lesion in one view: a boundary that its finding's terms call for.

use std::f32::consts::TAU;

use super::anatomy::{Point, add, direction, dot, length, scaled, sub, unit};
use super::dice::Dice;
use super::finding::{Distribution, Finding, Margin, Shape};

/// Directions at which the boundary is stored.
const SPOKES: usize = 96;

/// A star-shaped region: how far it reaches from its centre in each direction.
#[derive(Debug, Clone)]
pub(super) struct Form {
    /// Centre in millimetres on the film.
    pub(super) centre: Point,
    /// Mean reach in millimetres.
    pub(super) radius: f32,
    /// Unit vector from the centre to the nipple: ducts run this way.
    pub(super) ductal: Point,
    /// The nipple in millimetres on the film.
    pub(super) nipple: Point,
    /// Reach at the angles `TAU * i / SPOKES`, in millimetres.
    spokes: Vec<f32>,
}

impl Form {
    /// A form of mean reach `radius` for a finding.
    pub(super) fn new(
        finding: Finding,
        centre: Point,
        radius: f32,
        nipple: Point,
        dice: &mut Dice,
    ) -> Self {
        let ductal = unit(sub(nipple, centre));
        let reach = match finding {
            Finding::Mass(shape, margin, _) => mass(shape, margin, dice),
            Finding::Calcifications(_, distribution) => spread(distribution, ductal, dice),
            Finding::ArchitecturalDistortion => lumps(1.0, [1.0, 0.0], 0.06, 2..6, dice),
        };
        let mean = reach.iter().sum::<f32>() / SPOKES as f32;
        let spokes = reach.iter().map(|r| r * radius / mean).collect();
        Self { centre, radius, ductal, nipple, spokes }
    }

    /// Reach in the direction of `offset`.
    pub(super) fn reach(&self, [x, y]: Point) -> f32 {
        let turn = (y.atan2(x) / TAU).rem_euclid(1.0) * SPOKES as f32;
        let (i, f) = (turn as usize % SPOKES, turn.fract());
        self.spokes[i] + (self.spokes[(i + 1) % SPOKES] - self.spokes[i]) * f
    }

    /// The largest reach.
    pub(super) fn extent(&self) -> f32 {
        self.spokes.iter().copied().fold(0.0, f32::max)
    }

    /// The boundary, `factor` times as far out.
    pub(super) fn boundary(&self, factor: f32) -> Vec<Point> {
        (0..SPOKES)
            .step_by(2)
            .map(|i| {
                let out = direction(TAU * i as f32 / SPOKES as f32);
                add(self.centre, scaled(out, self.spokes[i] * factor))
            })
            .collect()
    }

    /// A uniformly drawn point within `factor` times the boundary.
    pub(super) fn sample(&self, factor: f32, dice: &mut Dice) -> Point {
        let extent = self.extent() * factor;
        for _ in 0..200 {
            let offset = [dice.between(-extent, extent), dice.between(-extent, extent)];
            if length(offset) < factor * self.reach(offset) {
                return add(self.centre, offset);
            }
        }
        self.centre
    }
}

/// An ellipse with its long axis along `along`, of aspect `aspect`, with lumps of the given
/// relative size at the given angular frequencies.
fn lumps(
    aspect: f32,
    along: Point,
    size: f32,
    frequencies: std::ops::Range<u32>,
    dice: &mut Dice,
) -> Vec<f32> {
    let waves: Vec<(f32, f32, f32)> =
        frequencies.map(|k| (k as f32, dice.between(0.4, 1.0) * size, dice.angle())).collect();
    let across = [-along[1], along[0]];
    let stretch = aspect.sqrt();
    (0..SPOKES)
        .map(|i| {
            let angle = TAU * i as f32 / SPOKES as f32;
            let d = direction(angle);
            let (u, v) = (dot(d, along) / stretch, dot(d, across) * stretch);
            let wave: f32 = waves.iter().map(|&(k, a, phase)| a * (k * angle + phase).cos()).sum();
            (1.0 + wave).max(0.3) / (u * u + v * v).sqrt()
        })
        .collect()
}

fn mass(shape: Shape, margin: Margin, dice: &mut Dice) -> Vec<f32> {
    let along = direction(dice.angle());
    let mut reach = match shape {
        Shape::Round => lumps(dice.between(1.0, 1.08), along, 0.012, 2..5, dice),
        Shape::Oval => lumps(dice.between(1.35, 1.8), along, 0.02, 2..5, dice),
        Shape::Irregular => {
            // Mostly coarse, with some fine unevenness.
            let coarse = lumps(dice.between(1.1, 1.6), along, 0.14, 2..5, dice);
            let fine = lumps(1.0, along, 0.05, 5..11, dice);
            coarse.into_iter().zip(fine).map(|(a, b)| a * b).collect()
        }
    };
    if margin == Margin::Microlobulated {
        // Round lobules of uneven width, height and spacing on a smaller body.
        let lobules: Vec<(f32, f32, f32)> = (0..dice.count(9, 15))
            .map(|_| {
                let width = dice.between(0.2, 0.55);
                (dice.angle(), width, 0.1 + width * dice.between(0.25, 0.55))
            })
            .collect();
        for (i, r) in reach.iter_mut().enumerate() {
            let angle = TAU * i as f32 / SPOKES as f32;
            let lobule = |&(middle, width, height): &(f32, f32, f32)| {
                let apart = (angle - middle + 0.5 * TAU).rem_euclid(TAU) - 0.5 * TAU;
                height * (1.0 - (apart / width).powi(2)).max(0.0).sqrt()
            };
            *r *= 0.85 + lobules.iter().map(lobule).fold(0.0, f32::max);
        }
    }
    reach
}

fn spread(distribution: Distribution, ductal: Point, dice: &mut Dice) -> Vec<f32> {
    match distribution {
        Distribution::Grouped => {
            lumps(dice.between(1.0, 1.4), direction(dice.angle()), 0.07, 2..6, dice)
        }
        Distribution::Linear => lumps(dice.between(5.0, 7.0), ductal, 0.02, 2..5, dice),
        Distribution::Segmental => {
            // A wedge: narrow towards the nipple.
            let wedge = lumps(dice.between(2.6, 3.4), ductal, 0.04, 2..5, dice);
            let narrowing =
                |i: usize| 1.0 - 0.3 * dot(direction(TAU * i as f32 / SPOKES as f32), ductal);
            wedge.into_iter().enumerate().map(|(i, r)| r * narrowing(i)).collect()
        }
        Distribution::Regional | Distribution::Diffuse => {
            lumps(dice.between(1.0, 1.3), direction(dice.angle()), 0.06, 2..6, dice)
        }
    }
}
