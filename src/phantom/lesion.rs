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
        Density::Low => dice.between(0.15, 0.18),
        Density::Equal => dice.between(0.21, 0.26),
        Density::High => dice.between(0.28, 0.34),
    };
    // Where the edge begins and ends, in reaches, how far it strays, and how much softer it is where
    // it is least distinct.
    let (inner, outer, stray, blur) = match margin {
        Margin::Circumscribed => (0.92, 1.04, 0.02, 0.03),
        Margin::Microlobulated => (0.9, 1.04, 0.03, 0.1),
        Margin::Obscured => (0.86, 1.06, 0.03, 0.06),
        Margin::Indistinct => (0.45, 1.33, 0.1, 0.08),
        Margin::Spiculated => (0.55, 1.15, 0.08, 0.05),
    };
    let (stray, blur, grain) = match (shape, margin) {
        (Shape::Irregular, _) => (stray + 0.04, blur + 0.05, 0.32),
        (_, Margin::Microlobulated | Margin::Spiculated) => (stray, blur, 0.26),
        _ => (stray, blur, 0.16),
    };
    // The side on which an obscured margin fades into its surroundings.
    let hidden = direction(dice.angle());
    let noise = Noise::new(dice);
    let extent = form.extent() * (outer + blur + stray);
    let a = sub(form.centre, [extent, extent]);
    let b = add(form.centre, [extent, extent]);
    tissue.visit(a, b, 0.0, |p, value| {
        let offset = sub(p, form.centre);
        let distance = length(offset);
        if distance > extent {
            return;
        }
        let [u, v] = scaled(p, 0.16);
        let bumps = noise.at(2.6 * u + 9.0, 2.6 * v) + 0.6 * noise.at(6.0 * u, 6.0 * v + 31.0);
        let share = (distance / form.reach(offset) + stray * bumps).max(0.0);
        let unclear = blur * smoothstep(-0.2, 0.7, noise.at(0.8 * u + 40.0, 0.8 * v));
        let (mut inner, mut outer) = (inner - 2.0 * unclear, outer + unclear);
        if margin == Margin::Obscured {
            let facing = (offset[0] * hidden[0] + offset[1] * hidden[1]) / distance.max(0.1);
            let fade = smoothstep(-0.5, 0.6, facing);
            inner -= 0.6 * fade;
            outer += 0.15 * fade;
        }
        let body = 1.0 - smoothstep(inner, outer, share);
        // Thicker in the middle, as a ball is.
        let thickness = 0.8 + 0.42 * (1.0 - share * share).max(0.0).sqrt();
        let texture = (1.0 + grain * cloud(&noise, u, v)).max(0.25);
        *value += strength * body * thickness * texture;
    });
    if margin == Margin::Spiculated {
        let crowded = dice.angle();
        for _ in 0..dice.count(30, 46) {
            let angle = crowded + uneven(0.75, dice);
            let out = direction(angle);
            let reach = form.reach(out);
            let root = add(form.centre, scaled(out, dice.between(0.2, 0.7) * reach));
            // Few reach far.
            let span = form.radius * (0.35 + 1.35 * dice.unit() * dice.unit()) + 0.4 * reach;
            let half = dice.between(0.38, 0.8);
            let strength = (0.5 * strength + 0.16) * dice.between(0.6, 1.3);
            let angle = angle + dice.between(-0.2, 0.2);
            tissue.stroke(&spicule(root, angle, span, half, strength, dice));
        }
    }
}

/// Power-law texture of four octaves, about within [-1, 1].
fn cloud(noise: &Noise, u: f32, v: f32) -> f32 {
    0.62 * noise.at(u, v)
        + 0.42 * noise.at(2.1 * u + 20.0, 2.1 * v + 3.0)
        + 0.28 * noise.at(4.3 * u + 5.0, 4.3 * v + 50.0)
        + 0.19 * noise.at(8.9 * u, 8.9 * v + 17.0)
}

/// An angle in [-pi, pi) that is the more often near 0 the greater `lean` is, from 0 to 1.
fn uneven(lean: f32, dice: &mut Dice) -> f32 {
    let angle = dice.between(-PI, PI);
    if dice.chance(0.5 * lean * (1.0 - angle.cos())) { 0.5 * angle } else { angle }
}

/// A strand that curves, tapers and fades from its root to its tip.
fn spicule(
    root: Point,
    angle: f32,
    span: f32,
    half_width: f32,
    strength: f32,
    dice: &mut Dice,
) -> [Station; 8] {
    let bend = dice.between(-0.55, 0.55);
    let wave = dice.between(-0.3, 0.3);
    let mut at = root;
    std::array::from_fn(|i| {
        let t = i as f32 / 7.0;
        let station = Station {
            at,
            half_width: half_width * (1.0 - 0.5 * t),
            strength: strength * (1.0 - 0.9 * t * t),
        };
        let turn = bend * t + wave * (TAU * t).sin();
        at = add(at, scaled(direction(angle + turn), span / 7.0));
        station
    })
}

/// Few, uneven strands towards a region rather than a point, and the parenchyma around it drawn in.
fn distortion(form: &Form, tissue: &mut Layer, dice: &mut Dice) {
    let aside = scaled(direction(dice.angle()), dice.between(0.05, 0.2) * form.radius);
    let focus = add(form.centre, aside);
    let strength = dice.between(0.27, 0.35);
    let noise = Noise::new(dice);
    // A faint density without a border.
    let haze = dice.between(0.02, 0.07);
    let reach = dice.between(0.35, 0.6) * form.radius;
    tissue.visit(focus, focus, reach, |p, value| {
        let share = length(sub(p, focus)) / reach;
        let body = 1.0 - smoothstep(0.0, 1.0, share);
        *value += haze * body * (1.0 + 0.8 * cloud(&noise, 0.16 * p[0], 0.16 * p[1])).max(0.0);
    });
    let crowded = dice.angle();
    for _ in 0..dice.count(14, 22) {
        let angle = crowded + uneven(0.9, dice);
        let out = direction(angle);
        let off = scaled(direction(dice.angle()), dice.between(0.0, 2.5));
        let root = add(focus, add(off, scaled(out, dice.between(0.5, 4.0))));
        let span = form.reach(out) * dice.between(0.45, 1.1);
        let (half, strength) = (dice.between(0.38, 0.75), strength * dice.between(0.5, 1.1));
        let mut strand = spicule(root, angle + dice.between(-0.2, 0.2), span, half, strength, dice);
        // No bright hub where roots meet.
        strand[0].strength *= 0.4;
        strand[1].strength *= 0.85;
        tissue.stroke(&strand);
    }
    // Strands that pass by, pulled towards the focus.
    for _ in 0..dice.count(5, 9) {
        let out = direction(dice.angle());
        let across = [-out[1], out[0]];
        let reach = form.reach(out);
        let away = dice.between(0.3, 0.85) * reach;
        let pull = dice.between(0.25, 0.6) * away;
        let half_span = dice.between(0.45, 0.8) * reach;
        let lean = dice.between(-0.3, 0.3);
        let (half_width, strength) = (dice.between(0.25, 0.55), strength * dice.between(0.3, 0.65));
        let stations: Vec<Station> = (0..=10)
            .map(|i| {
                let t = i as f32 / 5.0 - 1.0;
                let near = away - pull * (1.0 - t * t).powi(2);
                let aside = scaled(across, (t + lean) * half_span);
                let at = add(focus, add(scaled(out, near), aside));
                Station { at, half_width, strength: strength * (1.0 - t.powi(4)) }
            })
            .collect();
        tissue.stroke(&stations);
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
            calcium.dot(at, dice.between(0.3, 0.5), 0.5, dice.between(0.27, 0.43));
        }),
        Morphology::CoarseHeterogeneous => each(14, 24, dice, &mut |at, dice| {
            let strength = dice.between(0.28, 0.45);
            for _ in 0..dice.count(2, 4) {
                let part = add(at, scaled(direction(dice.angle()), dice.between(0.0, 0.6)));
                calcium.dot(part, dice.between(0.3, 0.6), 0.1, strength * dice.between(0.8, 1.1));
            }
        }),
        Morphology::FinePleomorphic => each(34, 58, dice, &mut |at, dice| {
            let strength = dice.between(0.4, 0.7);
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
            let strength = dice.between(0.45, 0.7);
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
        Morphology::Rod => {
            for _ in 0..dice.count(4, 9) {
                let at = form.sample(0.88, dice);
                rod(at, form, calcium, dice);
            }
        }
        Morphology::Vascular => vascular(form, calcium, dice),
    }
}

/// A rod in a duct around `middle`, tapered at both ends.
fn rod(middle: Point, form: &Form, calcium: &mut Layer, dice: &mut Dice) {
    let duct = sub(form.nipple, middle);
    let mut angle = duct[1].atan2(duct[0]) + dice.between(-0.3, 0.3);
    let half_span = 0.9 + 3.1 * dice.unit() * dice.unit();
    let (half_width, strength) = (dice.between(0.2, 0.4), dice.between(0.28, 0.56));
    let steps = 8;
    let turn = dice.between(-0.5, 0.5) / steps as f32;
    let mut at = sub(middle, scaled(direction(angle + 0.5 * turn * steps as f32), half_span));
    let mut stations = Vec::new();
    for i in 0..=steps {
        let t = 2.0 * i as f32 / steps as f32 - 1.0;
        let wear = dice.between(0.75, 1.1);
        let half_width = half_width * (1.0 - 0.45 * t.powi(4)) * dice.between(0.85, 1.15);
        stations.push(Station { at, half_width, strength: strength * wear });
        angle += turn;
        at = add(at, scaled(direction(angle), 2.0 * half_span / steps as f32));
    }
    calcium.stroke(&stations);
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
