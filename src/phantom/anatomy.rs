//! The breast of one view: skin line, nipple, pectoral muscle.
//!
//! Coordinates are millimetres on the film, x from the chest wall towards the nipple, y down. Every
//! breast lies like this; the images of right breasts are mirrored at the very end.

use super::dice::{Dice, Subject};
use mammogram::{Laterality, View};

/// A point or a vector in millimetres.
pub(super) type Point = [f32; 2];

/// Height of the film in millimetres.
pub(super) const FILM_HEIGHT: f32 = 240.0;
/// Width of the film in millimetres.
pub(super) const FILM_WIDTH: f32 = 192.0;

pub(super) fn add([ax, ay]: Point, [bx, by]: Point) -> Point {
    [ax + bx, ay + by]
}

pub(super) fn sub([ax, ay]: Point, [bx, by]: Point) -> Point {
    [ax - bx, ay - by]
}

pub(super) fn scaled([x, y]: Point, factor: f32) -> Point {
    [x * factor, y * factor]
}

pub(super) fn dot([ax, ay]: Point, [bx, by]: Point) -> f32 {
    ax * bx + ay * by
}

pub(super) fn length(v: Point) -> f32 {
    dot(v, v).sqrt()
}

/// The vector of the same direction and length 1; of zero, the x axis.
pub(super) fn unit(v: Point) -> Point {
    let l = length(v);
    if l > 1e-6 { scaled(v, 1.0 / l) } else { [1.0, 0.0] }
}

/// The unit vector at an angle.
pub(super) fn direction(angle: f32) -> Point {
    let (sin, cos) = angle.sin_cos();
    [cos, sin]
}

/// Distance of a point from the segment between `a` and `b`.
pub(super) fn segment_distance(p: Point, a: Point, b: Point) -> f32 {
    let (ab, ap) = (sub(b, a), sub(p, a));
    let t = (dot(ap, ab) / dot(ab, ab).max(1e-9)).clamp(0.0, 1.0);
    length(sub(ap, scaled(ab, t)))
}

/// One of the four images of a study.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Projection {
    /// Which breast.
    pub(super) side: Laterality,
    /// Which view of it.
    pub(super) view: View,
}

impl Projection {
    /// The four views in the order of the catalogue.
    pub(super) const ALL: [Self; 4] = [
        Self { side: Laterality::Left, view: View::Cc },
        Self { side: Laterality::Left, view: View::Mlo },
        Self { side: Laterality::Right, view: View::Cc },
        Self { side: Laterality::Right, view: View::Mlo },
    ];

    /// Place in [`Self::ALL`].
    pub(super) fn number(self) -> u8 {
        2 * u8::from(self.side == Laterality::Right) + u8::from(self.view == View::Mlo)
    }
}

/// What a patient's four images have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habitus {
    /// Distance from the chest wall to the nipple.
    depth: f32,
    /// Half the height of the breast in the CC view.
    half_height: f32,
    /// Fullness of the contour: exponent of the superellipse.
    fullness: f32,
    /// Width of the pectoral muscle at the top of the MLO view.
    pectoral: f32,
}

impl Habitus {
    pub(super) fn sample(dice: &mut Dice) -> Self {
        Self {
            depth: dice.between(92.0, 138.0),
            half_height: dice.between(88.0, 108.0),
            fullness: dice.between(1.75, 2.2),
            pectoral: dice.between(42.0, 72.0),
        }
    }
}

/// The muscle edge: from `(top, 0)` to `(0, bottom)`, bent by `bulge`.
#[derive(Debug, Clone, Copy)]
struct Pectoral {
    top: f32,
    bottom: f32,
    bulge: f32,
}

/// The breast of one view.
#[derive(Debug, Clone)]
pub(super) struct Anatomy {
    skin: Vec<Point>,
    pectoral: Option<Pectoral>,
    /// Tip of the nipple's base on the skin line.
    pub(super) nipple: Point,
    /// Unit vector from the nipple into the breast (the posterior nipple line).
    pub(super) axis: Point,
    /// Length of the posterior nipple line, to the chest wall or the muscle.
    pub(super) depth: f32,
    /// Half the extent of the breast across that line.
    pub(super) half_width: f32,
}

impl Anatomy {
    /// The breast of `projection` of a patient.
    pub(super) fn new(seed: u64, patient: u32, habitus: &Habitus, projection: Projection) -> Self {
        let mut dice = Dice::new(seed, patient, Subject::Anatomy(projection.number()));
        match projection.view {
            View::Cc => Self::craniocaudal(habitus, &mut dice),
            // Phantoms have these two views.
            _ => Self::oblique(habitus, &mut dice),
        }
    }

    fn craniocaudal(habitus: &Habitus, dice: &mut Dice) -> Self {
        let depth = habitus.depth * dice.between(0.95, 1.02);
        let half = habitus.half_height * dice.between(0.94, 1.02);
        let centre = FILM_HEIGHT / 2.0 + dice.between(-7.0, 7.0);
        let lean = dice.between(-0.07, 0.07);
        // A superellipse, fuller across than towards the nipple.
        let bend = |t: f32, fullness: f32| t.signum() * t.abs().powf(2.0 / fullness);
        let skin = (0..=96)
            .map(|i| {
                let (sin, cos) = ((i as f32 / 96.0 - 0.5) * std::f32::consts::PI).sin_cos();
                let x = depth * bend(cos.max(0.0), habitus.fullness);
                [x, centre + half * bend(sin, 2.0) + lean * x]
            })
            .collect();
        let nipple = [depth, centre + lean * depth];
        Self { skin, pectoral: None, nipple, axis: unit([-1.0, -lean]), depth, half_width: half }
    }

    fn oblique(habitus: &Habitus, dice: &mut Dice) -> Self {
        let depth = habitus.depth * dice.between(0.97, 1.04);
        let top = (habitus.pectoral + dice.between(14.0, 24.0)).min(0.66 * depth);
        let row = dice.between(126.0, 148.0);
        let base = dice.between(214.0, 226.0);
        let room = depth - top;
        let below = base - row;
        let knots = [
            [top + 6.0, -60.0],
            [top, -12.0],
            [top + 0.10 * room, 0.28 * row],
            [top + 0.45 * room, 0.58 * row],
            [top + 0.87 * room, 0.84 * row],
            [depth, row],
            [0.93 * depth, row + 0.38 * below],
            [0.68 * depth, row + 0.72 * below],
            [0.34 * depth, row + 0.93 * below],
            [-4.0, base + dice.between(0.0, 5.0)],
            [-60.0, base + 8.0],
        ];
        let muscle = Pectoral {
            top: (habitus.pectoral * dice.between(0.94, 1.06)).min(top - 10.0),
            bottom: row + dice.between(-12.0, 38.0),
            bulge: dice.between(0.85, 1.25),
        };
        let axis = unit([-muscle.bottom, -0.8 * muscle.top]);
        let mut anatomy = Self {
            skin: spline(&knots, 12),
            pectoral: Some(muscle),
            nipple: [depth, row],
            axis,
            depth,
            half_width: 0.5 * (base - 0.18 * row),
        };
        // The line ends at the muscle.
        while anatomy.depth > 20.0 && anatomy.muscle_distance(anatomy.along(anatomy.depth)) > 0.0 {
            anatomy.depth -= 1.0;
        }
        anatomy
    }

    /// The point of the posterior nipple line at a depth behind the nipple.
    pub(super) fn along(&self, depth: f32) -> Point {
        add(self.nipple, scaled(self.axis, depth))
    }

    /// Unit vector across the posterior nipple line.
    pub(super) fn across(&self) -> Point {
        [-self.axis[1], self.axis[0]]
    }

    /// Distance from the skin, positive inside the breast. The chest wall is no skin.
    pub(super) fn skin_distance(&self, p: Point) -> f32 {
        let mut nearest = f32::INFINITY;
        let mut inside = false;
        for ends in self.skin.windows(2) {
            let (a, b) = (ends[0], ends[1]);
            nearest = nearest.min(segment_distance(p, a, b));
            // The line towards the nipple side crosses the skin once from inside.
            if (a[1] <= p[1]) != (b[1] <= p[1]) {
                inside ^= a[0] + (p[1] - a[1]) / (b[1] - a[1]) * (b[0] - a[0]) > p[0];
            }
        }
        if inside { nearest } else { -nearest }
    }

    /// Distance from the edge of the pectoral muscle, positive inside the muscle; far outside in a
    /// view without it.
    pub(super) fn muscle_distance(&self, [x, y]: Point) -> f32 {
        let Some(Pectoral { top, bottom, bulge }) = self.pectoral else { return -100.0 };
        let share = (1.0 - y / bottom).max(0.0);
        let edge = top * share.powf(bulge);
        let slope = bottom / (bottom * bottom + top * top).sqrt();
        // Below its lower end the muscle goes on behind the film's edge.
        let past = (y - bottom).max(0.0);
        (edge - x - 0.6 * past) * slope
    }

    /// Whether every point lies on the film, in the breast, at least `skin` below its surface and
    /// `muscle` away from the muscle.
    pub(super) fn holds(&self, points: &[Point], skin: f32, muscle: f32) -> bool {
        points.iter().all(|&p| {
            p[0] > 1.0
                && p[1] > 1.0
                && p[1] < FILM_HEIGHT - 1.0
                && self.muscle_distance(p) < -muscle
                && self.skin_distance(p) > skin
        })
    }
}

/// A Catmull-Rom spline through all knots but the first and the last, `steps` segments a span.
fn spline(knots: &[Point], steps: usize) -> Vec<Point> {
    let mut points = Vec::new();
    for k in knots.windows(4) {
        for step in 0..steps {
            let t = step as f32 / steps as f32;
            let blend = |i: usize| {
                let (a, b, c, d) = (k[0][i], k[1][i], k[2][i], k[3][i]);
                0.5 * (2.0 * b
                    + t * (c - a)
                    + t * t * (2.0 * a - 5.0 * b + 4.0 * c - d)
                    + t * t * t * (3.0 * (b - c) + d - a))
            };
            points.push([blend(0), blend(1)]);
        }
    }
    points.extend(knots.len().checked_sub(2).map(|last| knots[last]));
    points
}
