//! A layer of attenuation on which curves and dots are drawn, in millimetres on the film.

use super::anatomy::{Point, dot, length, scaled, sub};

/// Attenuation added by drawn structures, row-major. Strokes of one layer do not add up where they
/// meet: the greater wins, so that the joints of a curve do not show.
pub(super) struct Layer {
    width: usize,
    height: usize,
    /// Pixels per millimetre.
    scale: f32,
    /// `width * height` attenuations.
    pub(super) values: Vec<f32>,
}

/// One point of a curve.
#[derive(Debug, Clone, Copy)]
pub(super) struct Station {
    /// Where, in millimetres.
    pub(super) at: Point,
    /// Half the width at half the height of the profile, in millimetres.
    pub(super) half_width: f32,
    /// Attenuation on the midline.
    pub(super) strength: f32,
}

impl Layer {
    /// An empty layer.
    pub(super) fn new(width: usize, height: usize, scale: f32) -> Self {
        Self { width, height, scale, values: vec![0.0; width * height] }
    }

    /// Visits the pixels within `reach` mm of the box around `a` and `b`: position in mm and value.
    pub(super) fn visit(
        &mut self,
        a: Point,
        b: Point,
        reach: f32,
        mut pixel: impl FnMut(Point, &mut f32),
    ) {
        let range = |axis: usize, size: usize| {
            let edge = |p: f32| (p * self.scale).clamp(0.0, size as f32) as usize;
            edge(a[axis].min(b[axis]) - reach)..(edge(a[axis].max(b[axis]) + reach) + 1).min(size)
        };
        let (columns, rows) = (range(0, self.width), range(1, self.height));
        let mm = 1.0 / self.scale;
        for y in rows {
            let row = &mut self.values[y * self.width..][..self.width];
            for x in columns.clone() {
                pixel([(x as f32 + 0.5) * mm, (y as f32 + 0.5) * mm], &mut row[x]);
            }
        }
    }

    /// Draws a smooth curve with a bell-shaped profile.
    pub(super) fn stroke(&mut self, stations: &[Station]) {
        // A line thinner than a pixel keeps its mass rather than its height.
        let thinnest = 0.6 / self.scale;
        for ends in stations.windows(2) {
            let (from, to) = (ends[0], ends[1]);
            let along = sub(to.at, from.at);
            let squared = dot(along, along).max(1e-9);
            let reach = 2.0 * from.half_width.max(to.half_width).max(thinnest);
            self.visit(from.at, to.at, reach, |p, value| {
                let offset = sub(p, from.at);
                let t = (dot(offset, along) / squared).clamp(0.0, 1.0);
                let away = sub(offset, scaled(along, t));
                let mut half = from.half_width + (to.half_width - from.half_width) * t;
                let mut strength = from.strength + (to.strength - from.strength) * t;
                if half < thinnest {
                    strength *= half / thinnest;
                    half = thinnest;
                }
                *value = value.max(strength * bell(dot(away, away) / (half * half)));
            });
        }
    }

    /// Draws a disc with an edge one pixel soft, or `soft` mm where that is more.
    pub(super) fn dot(&mut self, centre: Point, radius: f32, soft: f32, strength: f32) {
        let edge = soft.max(1.0 / self.scale);
        // A dot smaller than a pixel keeps its mass rather than its height.
        let smallest = 0.55 / self.scale;
        let strength = strength * (radius / smallest).min(1.0).powi(2);
        let radius = radius.max(smallest);
        self.visit(centre, centre, radius + edge, |p, value| {
            let inside = (radius - length(sub(p, centre))) / edge + 0.5;
            *value = value.max(strength * inside.clamp(0.0, 1.0));
        });
    }

    /// Draws a ring.
    pub(super) fn ring(&mut self, centre: Point, radius: f32, wall: f32, strength: f32) {
        let edge = 1.0 / self.scale;
        self.visit(centre, centre, radius + wall + edge, |p, value| {
            let away = (length(sub(p, centre)) - radius).abs();
            let inside = (wall - away) / edge + 0.5;
            *value = value.max(strength * inside.clamp(0.0, 1.0));
        });
    }
}

/// A bell of height 1 that is 1/2 near 1 and 0 from 4 on, in the squared distance.
fn bell(squared: f32) -> f32 {
    let t = (1.0 - 0.25 * squared).max(0.0);
    t * t * (0.25 + 0.75 * t)
}
