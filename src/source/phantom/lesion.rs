//! Drawing a lesion's finding into the attenuation layers.

use std::f32::consts::{PI, TAU};

use super::anatomy::{Point, add, direction, length, scaled, sub};
use super::dice::Dice;
use super::finding::{Density, Distribution, Finding, Margin, Morphology, Shape};
use super::form::Form;
use super::layer::{Layer, Station};
use super::texture::{Noise, smoothstep};

/// How far the annotated boundary lies outside the form.
pub(super) fn outline_factor(finding: Finding) -> f32 {
    match finding {
        // Half-way down an indistinct margin; the roots of the spicules.
        Finding::Mass(_, Margin::Indistinct, _) => 1.05,
        Finding::Mass(_, Margin::Spiculated, _) => 1.25,
        Finding::Mass(..) => 1.03,
        Finding::Calcifications(..) => 1.08,
        Finding::ArchitecturalDistortion => 1.0,
    }
}

/// Range of mean radii in millimetres.
pub(super) fn radius_range(finding: Finding) -> (f32, f32) {
    match finding {
        Finding::Mass(_, Margin::Spiculated, _) => (6.5, 12.0),
        Finding::Mass(..) => (6.5, 14.0),
        Finding::Calcifications(_, Distribution::Grouped) => (6.0, 12.0),
        Finding::Calcifications(_, Distribution::Linear) => (9.0, 13.0),
        Finding::Calcifications(_, Distribution::Segmental) => (11.0, 16.0),
        Finding::Calcifications(_, Distribution::Regional) => (16.0, 22.0),
        Finding::Calcifications(_, Distribution::Diffuse) => (22.0, 30.0),
        Finding::ArchitecturalDistortion => (11.0, 17.0),
    }
}

/// Draws a finding: soft tissue into `tissue`, calcium into `calcium`.
pub(super) fn draw(
    finding: Finding,
    form: &Form,
    tissue: &mut Layer,
    calcium: &mut Layer,
    dice: &mut Dice,
) {
    match finding {
        Finding::Mass(shape, margin, density) => mass(shape, margin, density, form, tissue, dice),
        Finding::Calcifications(morphology, _) => calcifications(morphology, form, calcium, dice),
        Finding::ArchitecturalDistortion => distortion(form, tissue, dice),
    }
}

fn mass(
    shape: Shape,
    margin: Margin,
    density: Density,
    form: &Form,
    tissue: &mut Layer,
    dice: &mut Dice,
) {
    let strength = match density {
        Density::Low => dice.between(0.12, 0.15),
        Density::Equal => dice.between(0.17, 0.22),
        Density::High => dice.between(0.23, 0.29),
    };
    // Where the edge begins and ends, in reaches.
    let (inner, outer) = match margin {
        Margin::Circumscribed => (0.95, 1.03),
        Margin::Microlobulated => (0.92, 1.04),
        Margin::Obscured => (0.88, 1.05),
        Margin::Indistinct => (0.45, 1.35),
        Margin::Spiculated => (0.6, 1.15),
    };
    // The side on which an obscured margin fades into its surroundings.
    let hidden = direction(dice.angle());
    let noise = Noise::new(dice);
    let grain = if shape == Shape::Irregular { 0.22 } else { 0.12 };
    let extent = form.extent() * outer;
    let a = sub(form.centre, [extent, extent]);
    let b = add(form.centre, [extent, extent]);
    tissue.visit(a, b, 0.0, |p, value| {
        let offset = sub(p, form.centre);
        let distance = length(offset);
        if distance > extent {
            return;
        }
        let share = distance / form.reach(offset);
        let (mut inner, mut outer) = (inner, outer);
        if margin == Margin::Obscured {
            let facing = (offset[0] * hidden[0] + offset[1] * hidden[1]) / distance.max(0.1);
            let fade = smoothstep(-0.5, 0.6, facing);
            inner -= 0.6 * fade;
            outer += 0.15 * fade;
        }
        let body = 1.0 - smoothstep(inner, outer, share);
        // Thicker in the middle, as a ball is.
        let thickness = 0.72 + 0.28 * (1.0 - share * share).max(0.0).sqrt();
        let texture = 1.0
            + grain * noise.at(p[0] * 0.4, p[1] * 0.4)
            + 0.6 * grain * noise.at(p[0] * 0.9 + 20.0, p[1] * 0.9);
        *value += strength * body * thickness * texture;
    });
    if margin == Margin::Spiculated {
        let turn = dice.angle();
        let count = dice.count(18, 28);
        for i in 0..count {
            let angle = turn + (i as f32 + dice.between(-0.8, 0.8)) * TAU / count as f32;
            let out = direction(angle);
            let reach = form.reach(out);
            let root = add(form.centre, scaled(out, 0.7 * reach));
            // Few reach far.
            let span = form.radius * (0.45 + 1.2 * dice.unit() * dice.unit()) + 0.3 * reach;
            let half = dice.between(0.4, 0.85);
            let strength = (0.5 * strength + 0.14) * dice.between(0.6, 1.25);
            spicule(root, angle, span, half, strength, tissue, dice);
        }
    }
}

/// A strand that tapers from its root to its tip.
fn spicule(
    root: Point,
    angle: f32,
    span: f32,
    half_width: f32,
    strength: f32,
    tissue: &mut Layer,
    dice: &mut Dice,
) {
    let bend = dice.between(-0.5, 0.5);
    let steps = 5;
    let mut at = root;
    let stations: Vec<Station> = (0..=steps)
        .map(|i| {
            let t = i as f32 / steps as f32;
            let station = Station {
                at,
                half_width: half_width * (1.0 - 0.55 * t),
                strength: strength * (1.0 - 0.8 * t * t),
            };
            at = add(at, scaled(direction(angle + bend * t), span / steps as f32));
            station
        })
        .collect();
    tissue.stroke(&stations);
}

fn distortion(form: &Form, tissue: &mut Layer, dice: &mut Dice) {
    let turn = dice.angle();
    let count = dice.count(18, 28);
    let strength = dice.between(0.22, 0.3);
    for i in 0..count {
        let angle = turn + (i as f32 + dice.between(-0.7, 0.7)) * TAU / count as f32;
        let out = direction(angle);
        // They draw towards a region, not to one point.
        let aside = scaled(direction(dice.angle()), dice.between(0.0, 1.6));
        let root = add(form.centre, add(aside, scaled(out, dice.between(0.3, 2.6))));
        let span = form.reach(out) * dice.between(0.7, 1.15);
        let half = dice.between(0.35, 0.75);
        spicule(root, angle, span, half, strength * dice.between(0.55, 1.1), tissue, dice);
    }
}

fn calcifications(morphology: Morphology, form: &Form, calcium: &mut Layer, dice: &mut Dice) {
    // More of them where there is more room, but not in proportion.
    let crowd = (form.radius / 9.0).max(0.6);
    let each = |low: u32, high: u32, dice: &mut Dice, place: &mut dyn FnMut(Point, &mut Dice)| {
        let count = (dice.count(low, high) as f32 * crowd).round() as u32;
        for _ in 0..count {
            let at = form.sample(0.95, dice);
            place(at, dice);
        }
    };
    match morphology {
        Morphology::Amorphous => each(40, 70, dice, &mut |at, dice| {
            calcium.dot(at, dice.between(0.3, 0.5), 0.5, dice.between(0.2, 0.36));
        }),
        Morphology::CoarseHeterogeneous => each(14, 24, dice, &mut |at, dice| {
            let strength = dice.between(0.28, 0.45);
            for _ in 0..dice.count(2, 4) {
                let part = add(at, scaled(direction(dice.angle()), dice.between(0.0, 0.6)));
                calcium.dot(part, dice.between(0.3, 0.6), 0.1, strength * dice.between(0.8, 1.1));
            }
        }),
        Morphology::FinePleomorphic => each(34, 58, dice, &mut |at, dice| {
            let strength = dice.between(0.3, 0.6);
            for _ in 0..dice.count(1, 3) {
                let part = add(at, scaled(direction(dice.angle()), dice.between(0.1, 0.45)));
                calcium.dot(
                    part,
                    dice.between(0.18, 0.38),
                    0.05,
                    strength * dice.between(0.7, 1.1),
                );
            }
        }),
        Morphology::FineLinear => each(20, 36, dice, &mut |at, dice| {
            let along = form.ductal[1].atan2(form.ductal[0]) + dice.between(-0.7, 0.7);
            let strength = dice.between(0.38, 0.6);
            branch(at, along, dice.between(1.5, 4.0), strength, calcium, dice);
            if dice.chance(0.4) {
                let fork =
                    along + dice.between(0.5, 0.9) * if dice.chance(0.5) { 1.0 } else { -1.0 };
                branch(at, fork, dice.between(1.0, 2.2), strength, calcium, dice);
            }
        }),
        Morphology::Round => each(5, 12, dice, &mut |at, dice| {
            calcium.dot(at, dice.between(0.35, 0.75), 0.0, dice.between(0.3, 0.45));
        }),
        Morphology::Coarse => {
            // Popcorn: a few large clumps, wherever the finding's region is.
            for _ in 0..dice.count(1, 3) {
                let at = form.sample(0.6, dice);
                let strength = dice.between(0.35, 0.5);
                let size = dice.between(1.2, 2.6);
                for _ in 0..dice.count(5, 9) {
                    let part = add(at, scaled(direction(dice.angle()), dice.between(0.0, size)));
                    calcium.dot(part, size * dice.between(0.3, 0.6), 0.3, strength);
                }
            }
        }
        Morphology::Rim => each(1, 4, dice, &mut |at, dice| {
            let strength = dice.between(0.3, 0.45);
            calcium.ring(at, dice.between(1.2, 3.2), dice.between(0.2, 0.35), strength);
        }),
        Morphology::Rod => each(3, 7, dice, &mut |at, dice| {
            let along = form.ductal[1].atan2(form.ductal[0]) + dice.between(-0.15, 0.15);
            let half_span = scaled(direction(along), dice.between(1.5, 3.5));
            let (strength, half_width) = (dice.between(0.3, 0.5), dice.between(0.28, 0.5));
            let station = |at| Station { at, half_width, strength };
            calcium.stroke(&[station(sub(at, half_span)), station(add(at, half_span))]);
        }),
        Morphology::Vascular => vascular(form, calcium, dice),
    }
}

/// One fine linear calcification, broken here and there.
fn branch(from: Point, angle: f32, span: f32, strength: f32, calcium: &mut Layer, dice: &mut Dice) {
    let pieces = (span / 0.5).ceil() as u32;
    for i in 0..pieces {
        if dice.chance(0.85) {
            let at = add(from, scaled(direction(angle), 0.5 * i as f32 - 0.5 * span));
            calcium.dot(at, dice.between(0.2, 0.32), 0.05, strength * dice.between(0.7, 1.0));
        }
    }
}

/// Two parallel broken lines along a gently curving vessel.
fn vascular(form: &Form, calcium: &mut Layer, dice: &mut Dice) {
    let along = form.ductal;
    let across = [-along[1], along[0]];
    let half_span = 0.9 * form.reach(along).min(form.reach(scaled(along, -1.0)));
    let wave = 0.5 * form.reach(across).min(form.reach(scaled(across, -1.0)));
    let (phase, calibre) = (dice.angle(), dice.between(0.7, 1.1));
    let mut s = -half_span;
    while s < half_span {
        let middle = wave * (phase + s / half_span * PI).sin();
        for side in [-calibre, calibre] {
            if dice.chance(0.75) {
                let offset = middle + side;
                let at = add(form.centre, add(scaled(along, s), scaled(across, offset)));
                calcium.dot(at, dice.between(0.2, 0.35), 0.05, dice.between(0.25, 0.4));
            }
        }
        s += 0.55;
    }
}
