//! Probability of cancer by place: what overlapping patches say of each place of a mammogram, once.

use std::collections::{BTreeMap, BTreeSet};

use record::Patch;
use serde::Serialize;

/// How opaque a place with a probability of 1 is drawn: what lies below stays visible.
const OPACITY: f64 = 0.6;

/// A rectangle of a mammogram whose places have the same probability, in its pixels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Cell {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The highest of the patches that cover it, in hundredths: as the mammogram's is the highest of all.
    pub(crate) percent: u32,
    /// How opaque it is drawn.
    pub(crate) opacity: f64,
}

/// The places that patches cover, none of them twice.
pub(crate) fn map<'a>(scored: impl Iterator<Item = (&'a Patch, f32)>) -> Vec<Cell> {
    let scored: Vec<(&Patch, u32)> =
        scored.map(|(patch, of)| (patch, (100.0 * of).round() as u32)).collect();
    let bounds = |at: fn(&Patch) -> u32| -> Vec<u32> {
        let both = scored.iter().flat_map(|(patch, _)| [at(patch), at(patch) + patch.edge]);
        both.collect::<BTreeSet<u32>>().into_iter().collect()
    };
    let (xs, ys) = (bounds(|patch| patch.x), bounds(|patch| patch.y));
    let columns = xs.len().saturating_sub(1);
    let mut cells = vec![None; columns * ys.len().saturating_sub(1)];
    for (patch, percent) in &scored {
        let within = |bounds: &[u32], from: u32| {
            let place = |at: u32| bounds.partition_point(|&bound| bound < at);
            place(from)..place(from + patch.edge)
        };
        for row in within(&ys, patch.y) {
            for cell in &mut cells[row * columns..][within(&xs, patch.x)] {
                *cell = (*cell).max(Some(*percent));
            }
        }
    }
    let mut risk: Vec<Cell> = Vec::new();
    // The lowest of each run of cells, by where it lies and what it says.
    let mut lowest = BTreeMap::new();
    for (row, cells) in cells.chunks(columns.max(1)).enumerate() {
        let (y, height) = (ys[row], ys[row + 1] - ys[row]);
        let mut column = 0;
        for run in cells.chunk_by(|a, b| a == b) {
            let (x, end) = (xs[column], xs[column + run.len()]);
            column += run.len();
            let Some(percent) = run[0] else { continue };
            let width = end - x;
            // The same run of the row above grows.
            let key = (x, width, percent);
            let above = lowest.get(&key).map(|&at: &usize| &mut risk[at]);
            match above.filter(|above| above.y + above.height == y) {
                Some(above) => above.height += height,
                None => {
                    lowest.insert(key, risk.len());
                    let opacity = OPACITY * f64::from(percent) / 100.0;
                    risk.push(Cell { x, y, width, height, percent, opacity });
                }
            }
        }
    }
    risk
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patch(x: u32, y: u32, edge: u32) -> Patch {
        Patch {
            mammogram: 0,
            x,
            y,
            edge,
            positive: false,
            benign: false,
            fractions: None,
            held: None,
        }
    }

    #[test]
    fn a_place_has_the_highest_of_its_patches_and_is_there_once() {
        let patches = [patch(0, 0, 4), patch(2, 0, 4), patch(0, 2, 4), patch(2, 2, 4)];
        let scores = [0.1_f32, 0.1, 0.1, 0.8];
        let found = map(patches.iter().zip(scores));
        let told: Vec<[u32; 5]> =
            found.iter().map(|p| [p.x, p.y, p.width, p.height, p.percent]).collect();
        assert_eq!(told, [[0, 0, 6, 2, 10], [0, 2, 2, 4, 10], [2, 2, 4, 4, 80]]);
        assert!((found[2].opacity - 0.48).abs() < 1e-9);
        // Every pixel of the union, and none twice.
        let area: u32 = found.iter().map(|p| p.width * p.height).sum();
        assert_eq!(area, 36);
    }

    #[test]
    fn places_between_patches_are_left_out() {
        let patches = [patch(0, 0, 2), patch(5, 1, 2)];
        let found = map(patches.iter().zip([0.5_f32, 0.5]));
        let area: u32 = found.iter().map(|p| p.width * p.height).sum();
        assert_eq!(area, 8);
        assert!(map(std::iter::empty()).is_empty());
    }
}
