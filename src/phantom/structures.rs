//! Normal structures that cross the parenchyma: Cooper's ligaments, ducts, vessels, lymph nodes.

use super::anatomy::{
    Anatomy, FILM_HEIGHT, Point, Projection, add, direction, dot, length, scaled, sub,
};
use super::dice::Dice;
use super::layer::{Layer, Station};
use super::patient::{Composition, Patient};
use super::texture::{Noise, smoothstep};

/// The normal structures of one view, in two layers that add where they cross.
pub(super) struct Structures {
    /// Ligaments and ducts.
    pub(super) strands: Layer,
    /// Vessels, lymph nodes and nodules.
    pub(super) vessels: Layer,
}

impl Structures {
    /// Draws the structures of a view.
    pub(super) fn draw(
        patient: &Patient,
        projection: Projection,
        mut layers: [Layer; 2],
        dice: &mut Dice,
    ) -> Self {
        let anatomy = patient.anatomy(projection);
        let [strands, vessels] = &mut layers;
        let inside = |dice: &mut Dice| point_in(anatomy, 3.0, dice);
        // Ligaments run roughly with the ducts.
        let ligaments = match patient.composition {
            Composition::A => 90,
            Composition::B => 130,
            Composition::C => 150,
            Composition::D => 120,
        };
        for _ in 0..ligaments {
            let from = inside(dice);
            let ductal = patient.ductal(projection, from);
            let angle = ductal[1].atan2(ductal[0]) + dice.between(-0.6, 0.6);
            let span = dice.between(8.0, 38.0);
            let strength = 0.02 + 0.06 * dice.unit() * dice.unit();
            curve(strands, anatomy, from, angle, span, dice.between(0.25, 0.6), strength, dice);
        }
        // Ducts fan out from the nipple.
        for _ in 0..dice.count(6, 11) {
            let into = anatomy.axis[1].atan2(anatomy.axis[0]) + dice.between(-0.75, 0.75);
            let from = add(anatomy.nipple, scaled(direction(into), 3.0));
            let span = dice.between(18.0, 45.0);
            curve(
                strands,
                anatomy,
                from,
                into,
                span,
                dice.between(0.4, 0.8),
                dice.between(0.05, 0.1),
                dice,
            );
        }
        // Chance crossings of strands look like distortion; they do not radiate evenly.
        for _ in 0..dice.count(1, 3) {
            let centre = inside(dice);
            let turn = dice.angle();
            for _ in 0..dice.count(3, 5) {
                let angle = turn + dice.between(-0.5, 0.5);
                let span = dice.between(14.0, 34.0);
                let aside = add(centre, [dice.between(-2.0, 2.0), dice.between(-2.0, 2.0)]);
                let from = sub(aside, scaled(direction(angle), dice.between(0.2, 0.8) * span));
                let strength = dice.between(0.06, 0.12);
                curve(strands, anatomy, from, angle, span, dice.between(0.35, 0.7), strength, dice);
            }
        }
        for _ in 0..dice.count(2, 5) {
            let y = dice.between(0.05, 0.9) * FILM_HEIGHT;
            let from = [dice.between(0.0, 15.0), y];
            let to = patient.ductal(projection, from);
            let angle = to[1].atan2(to[0]) + dice.between(-0.5, 0.5);
            let calibre = dice.between(0.6, 1.1);
            let span = dice.between(50.0, 110.0);
            vessel(vessels, anatomy, from, angle, span, calibre, 2, dice);
        }
        // Intramammary lymph nodes and small nodules of normal tissue.
        for _ in 0..dice.count(0, 2) {
            let at = inside(dice);
            node(vessels, at, dice.between(2.2, 4.5), dice);
        }
        if anatomy.muscle_distance([0.0, 0.0]) > 0.0 && dice.chance(0.6) {
            let at = [dice.between(8.0, 55.0), dice.between(12.0, 60.0)];
            node(vessels, at, dice.between(3.5, 7.0), dice);
        }
        let [strands, vessels] = layers;
        Self { strands, vessels }
    }

    /// Single benign calcifications and specks of dust, which every film has.
    pub(super) fn specks(anatomy: &Anatomy, calcium: &mut Layer, dice: &mut Dice) {
        for _ in 0..dice.count(3, 16) {
            let at = point_in(anatomy, 4.0, dice);
            calcium.dot(at, dice.between(0.2, 0.7), 0.0, dice.between(0.25, 0.55));
        }
    }
}

/// A point at least `skin` mm inside the breast.
fn point_in(anatomy: &Anatomy, skin: f32, dice: &mut Dice) -> Point {
    for _ in 0..100 {
        let p = [dice.between(0.0, anatomy.nipple[0]), dice.between(0.0, FILM_HEIGHT)];
        if anatomy.skin_distance(p) > skin {
            return p;
        }
    }
    anatomy.along(0.5 * anatomy.depth)
}

/// A gently curving strand, fading at both ends, that ends at the skin.
#[expect(clippy::too_many_arguments, reason = "a strand has this many independent properties")]
fn curve(
    layer: &mut Layer,
    anatomy: &Anatomy,
    from: Point,
    angle: f32,
    span: f32,
    half_width: f32,
    strength: f32,
    dice: &mut Dice,
) {
    let steps = (span / 3.0).ceil().max(3.0) as u32;
    let (mut at, mut angle) = (from, angle);
    let mut turn = dice.between(-0.06, 0.06);
    let mut stations = Vec::new();
    for i in 0..=steps {
        if i % 3 == 0 && anatomy.skin_distance(at) < 0.5 {
            break;
        }
        let t = i as f32 / steps as f32;
        let strength = strength * smoothstep(0.0, 0.25, t) * smoothstep(1.0, 0.7, t);
        stations.push(Station { at, half_width, strength });
        turn = (turn + dice.between(-0.06, 0.06)).clamp(-0.15, 0.15);
        angle += turn;
        at = add(at, scaled(direction(angle), span / steps as f32));
    }
    layer.stroke(&stations);
}

/// A tube that wanders, tapers and branches.
#[expect(clippy::too_many_arguments, reason = "a vessel has this many independent properties")]
fn vessel(
    layer: &mut Layer,
    anatomy: &Anatomy,
    from: Point,
    angle: f32,
    span: f32,
    calibre: f32,
    generations: u32,
    dice: &mut Dice,
) {
    let steps = (span / 3.0).ceil() as u32;
    let (mut at, mut angle, mut turn) = (from, angle, 0.0f32);
    let mut stations = Vec::new();
    for i in 0..=steps {
        if anatomy.skin_distance(at) < 1.5 {
            break;
        }
        let t = i as f32 / steps as f32;
        let half_width = calibre * (1.0 - 0.55 * t);
        stations.push(Station { at, half_width, strength: 0.05 + 0.07 * half_width });
        if generations > 0 && i > 3 && dice.chance(0.09) {
            let fork = angle + dice.between(0.4, 0.8) * if dice.chance(0.5) { 1.0 } else { -1.0 };
            let rest = span * (1.0 - t) * dice.between(0.5, 0.9);
            vessel(layer, anatomy, at, fork, rest, 0.75 * half_width, generations - 1, dice);
        }
        turn = 0.75 * turn + dice.between(-0.14, 0.14);
        angle += turn;
        at = add(at, scaled(direction(angle), 3.0));
    }
    layer.stroke(&stations);
}

/// A lymph node: a small smooth bean, lucent at its hilum.
fn node(layer: &mut Layer, centre: Point, radius: f32, dice: &mut Dice) {
    let along = direction(dice.angle());
    let across = [-along[1], along[0]];
    let aspect = dice.between(1.2, 1.8);
    let hilum = dice.between(0.2, 0.5);
    let strength = dice.between(0.12, 0.24);
    let noise = Noise::new(dice);
    let reach = 1.1 * radius * aspect;
    layer.visit(centre, centre, reach, |p, value| {
        let offset = sub(p, centre);
        let (u, v) = (dot(offset, along) / (radius * aspect), dot(offset, across) / radius);
        let uneven = noise.at(0.35 * p[0], 0.35 * p[1]) + 0.5 * noise.at(0.9 * p[0], 0.9 * p[1]);
        let share = length([u, v]) + 0.05 * uneven;
        if share < 1.05 {
            let fat = 1.0 - smoothstep(0.1, 0.75, length([u * 1.2, v - hilum]));
            let body = smoothstep(1.05, 0.6, share) * (1.0 - 0.7 * fat) * (1.0 + 0.15 * uneven);
            *value = value.max(strength * body);
        }
    });
}
