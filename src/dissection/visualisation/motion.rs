//! Small movements of what a network sees: an image that holds only where it stands is noise to the eye.

use rand::RngExt;

/// Degrees to either side.
const TURN: f32 = 5.0;
/// Greatest change of size, as a share.
const ZOOM: f32 = 0.1;
/// Greatest shift along an axis, as a share of the edge of what is seen.
const SHIFT: f32 = 1.0 / 16.0;

/// Where in a canvas a network looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Motion {
    /// Radians.
    turn: f32,
    /// Pixels of the canvas for one that is seen.
    zoom: f32,
    /// Columns and rows, from the centre.
    shift: [f32; 2],
}

/// Edge of the canvas in which every movement of a view of this edge has room.
pub(super) fn room(edge: usize) -> usize {
    let (sin, cos) = TURN.to_radians().sin_cos();
    let half = edge as f32 / 2.0;
    let reach = (1.0 + ZOOM) * (sin + cos) * half + SHIFT * edge as f32 + 1.0;
    edge + 2 * (reach - half).ceil() as usize
}

impl Motion {
    /// The view of the middle.
    pub(super) const NONE: Motion = Motion { turn: 0.0, zoom: 1.0, shift: [0.0; 2] };

    /// One at random.
    pub(super) fn draw(rng: &mut impl RngExt, edge: usize) -> Self {
        let mut either = |most: f32| (2.0 * rng.random::<f32>() - 1.0) * most;
        let turn = either(TURN.to_radians());
        let zoom = 1.0 + either(ZOOM);
        let shift = [(); 2].map(|()| either(SHIFT * edge as f32));
        Self { turn, zoom, shift }
    }

    /// What is seen, `edge` x `edge`, of a canvas of `size` x `size`: between its pixels bilinearly.
    pub(super) fn seen(&self, canvas: &[f32], size: usize, edge: usize) -> Vec<f32> {
        let mut seen = Vec::with_capacity(edge * edge);
        self.each(size, edge, |corners| {
            seen.push(corners.iter().map(|&(at, weight)| canvas[at] * weight).sum());
        });
        seen
    }

    /// The gradient by the canvas, given that by what is seen.
    pub(super) fn by_canvas(&self, by_seen: &[f32], size: usize, edge: usize) -> Vec<f32> {
        let mut by_canvas = vec![0.0; size * size];
        let mut by_seen = by_seen.iter();
        self.each(size, edge, |corners| {
            let by = by_seen.next().copied().unwrap_or_default();
            for (at, weight) in corners {
                by_canvas[at] += by * weight;
            }
        });
        by_canvas
    }

    /// Calls `f` for each pixel that is seen, row by row, with the four of the canvas around it and their weights.
    fn each(&self, size: usize, edge: usize, mut f: impl FnMut([(usize, f32); 4])) {
        let (sin, cos) = self.turn.sin_cos();
        let (half, middle) = (edge as f32 / 2.0, size as f32 / 2.0);
        // A place among pixels' centres: the first of two neighbours and how far it is to the other.
        let between = |place: f32| {
            let place = (place - 0.5).clamp(0.0, (size - 1) as f32);
            let first = (place as usize).min(size.saturating_sub(2));
            (first, place - first as f32)
        };
        for row in 0..edge {
            for column in 0..edge {
                let [x, y] = [column, row].map(|at| self.zoom * (at as f32 + 0.5 - half));
                let (left, right) = between(middle + cos * x - sin * y + self.shift[0]);
                let (top, below) = between(middle + sin * x + cos * y + self.shift[1]);
                let at = top * size + left;
                f([
                    (at, (1.0 - right) * (1.0 - below)),
                    (at + 1, right * (1.0 - below)),
                    (at + size, (1.0 - right) * below),
                    (at + size + 1, right * below),
                ]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::seed;

    #[test]
    fn without_movement_the_middle_is_seen() {
        let canvas: Vec<f32> = (0..49).map(|n| n as f32).collect();
        assert_eq!(Motion::NONE.seen(&canvas, 7, 3), [16., 17., 18., 23., 24., 25., 30., 31., 32.]);
        let moved = Motion { shift: [1.0, -1.0], ..Motion::NONE };
        assert_eq!(moved.seen(&canvas, 7, 1), [18.0]);
        let quarter = Motion { turn: std::f32::consts::FRAC_PI_2, ..Motion::NONE };
        let seen = quarter.seen(&canvas, 7, 3);
        let expected = [18., 25., 32., 17., 24., 31., 16., 23., 30.];
        assert!(seen.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3), "{seen:?}");
    }

    #[test]
    fn every_movement_has_room() {
        let mut rng = seed::stream(1, "test");
        for edge in [33, 113] {
            let size = room(edge);
            // A plane: what is seen of it beyond the edge would be clamped.
            let canvas: Vec<f32> =
                (0..size * size).map(|at| (at % size) as f32 + 2.0 * (at / size) as f32).collect();
            for _ in 0..50 {
                let motion = Motion::draw(&mut rng, edge);
                let seen = motion.seen(&canvas, size, edge);
                let corners =
                    [seen[0], seen[edge * edge - 1], seen[edge - 1], seen[edge * (edge - 1)]];
                let off = corners[0] + corners[1] - corners[2] - corners[3];
                assert!(off.abs() < 0.05, "{motion:?}: {off}");
            }
        }
    }

    #[test]
    fn gradients_go_back_the_way_that_pixels_come() {
        let mut rng = seed::stream(2, "test");
        let canvas: Vec<f32> = (0..400).map(|n| (n * 7 % 13) as f32).collect();
        let by: Vec<f32> = (0..64).map(|n| (n * 5 % 11) as f32 - 5.0).collect();
        let product = |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        for _ in 0..5 {
            let motion = Motion::draw(&mut rng, 8);
            let there = product(&motion.seen(&canvas, 20, 8), &by);
            let back = product(&canvas, &motion.by_canvas(&by, 20, 8));
            assert!((there - back).abs() < 1e-2 * there.abs().max(1.0), "{there} and {back}");
        }
    }
}
