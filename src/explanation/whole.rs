//! A network over a whole mammogram in one pass: a map finer than that of the patches, beside how far it is
//! from what they say.

use anyhow::{Result, ensure};

use mammogram::{Grey, breast, resample};
use network::{Inference, Sliding};
use patch::Area;
use record::{Difference, Patch, WholeMap};
use training::evaluate::log_softmax;

/// Pixels of the network's input that one pass takes: several gigabytes of maps in the widest networks.
const MOST: u32 = 8_000_000;

/// Runs a network over a mammogram, scaled so that a window of `edge` pixels is an input of the network,
/// by way of patches of `size` pixels. Windows with less than `min_breast` of breast have no probability.
/// `patches` have their own probabilities of cancer.
///
/// # Errors
/// When the device fails, or the mammogram is smaller than a window or too large for one pass.
pub fn whole_map<'a>(
    inference: &Inference,
    mammogram: &Grey,
    (edge, size): (u32, u32),
    min_breast: f64,
    patches: impl Iterator<Item = (&'a Patch, f32)>,
) -> Result<WholeMap> {
    let (network, input) = (inference.network(), inference.network().input());
    let sides = [mammogram.width, mammogram.height];
    ensure!(edge > 0 && sides.iter().all(|side| *side >= edge), "it is smaller than a window");
    // As patches are made: first to their size, in whole grey levels, then to the network's input.
    let scaled = |side: u32, to: u32| (f64::from(side) * f64::from(to) / f64::from(edge)).round();
    let stored = sides.map(|side| scaled(side, size) as u32);
    let seen = sides.map(|side| (scaled(side, input) as u32).max(input));
    ensure!(
        seen[0].checked_mul(seen[1]).is_some_and(|pixels| pixels <= MOST),
        "{} x {} pixels, as large as windows of {edge} pixels make it for the network, are too many for \
         one pass",
        seen[0],
        seen[1]
    );
    let small = resample(mammogram, [0, 0, sides[0], sides[1]], stored[0], stored[1])?;
    let x = network.image(&small.pixels, stored, seen)?;
    let Sliding { size: [rows, columns], step, logits } = inference.sliding(&x)?;
    let cancer: Vec<f32> = log_softmax(&logits)?
        .to_vec2::<f32>()?
        .iter()
        .map(|classes| classes.last().map_or(f32::NAN, |log| log.exp()))
        .collect();
    let step = step as f64 * f64::from(edge) / f64::from(input);
    let difference = difference(patches.filter(|(patch, _)| patch.edge == edge), |x, y| {
        interpolated(&cancer, [rows, columns], [x, y].map(|at| f64::from(at) / step))
    });
    let breast = Area::of(&breast(mammogram).mask);
    let holds_breast = |row: usize, column: usize| {
        let [x, y] = [column, row].map(|at| (at as f64 * step).round() as u32);
        f64::from(breast.within([x, y, edge, edge])) >= min_breast * f64::from(edge).powi(2)
    };
    let probabilities = (0..rows * columns)
        .map(|at| holds_breast(at / columns, at % columns).then_some(cancer[at]))
        .collect();
    Ok(WholeMap { edge: edge.into(), step, rows, columns, probabilities, difference })
}

/// How far probabilities of patches are from those of a map at the same left and top edge.
fn difference<'a>(
    patches: impl Iterator<Item = (&'a Patch, f32)>,
    map: impl Fn(u32, u32) -> f32,
) -> Difference {
    let off: Vec<f32> = patches.map(|(patch, own)| (map(patch.x, patch.y) - own).abs()).collect();
    Difference {
        patches: off.len(),
        mean: off.iter().sum::<f32>() / off.len().max(1) as f32,
        greatest: off.iter().copied().fold(0.0, f32::max),
    }
}

/// A map's value between its places, which are counted `x` across and `y` down; beyond the last, the last.
fn interpolated(map: &[f32], [rows, columns]: [usize; 2], [x, y]: [f64; 2]) -> f32 {
    let place = |at: f64, length: usize| {
        let at = at.clamp(0.0, (length - 1) as f64);
        (at as usize, (at as usize + 1).min(length - 1), at.fract() as f32)
    };
    let ((left, right, across), (top, bottom, down)) = (place(x, columns), place(y, rows));
    let along = |row: usize| {
        let row = &map[row * columns..][..columns];
        row[left] + (row[right] - row[left]) * across
    };
    along(top) + (along(bottom) - along(top)) * down
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn between_places_a_map_is_linear() {
        let map = [0.0, 1.0, 2.0, 10.0, 11.0, 12.0];
        for (at, value) in [
            ([0.0, 0.0], 0.0),
            ([0.5, 0.0], 0.5),
            ([1.5, 0.5], 6.5),
            ([2.0, 1.0], 12.0),
            ([9.0, 9.0], 12.0),
        ] {
            assert_eq!(interpolated(&map, [2, 3], at), value, "{at:?}");
        }
    }

    #[test]
    fn the_highest_place_is_the_first_of_equals_with_breast() {
        let map = |probabilities| WholeMap {
            edge: 100.0,
            step: 12.5,
            rows: 2,
            columns: 2,
            probabilities,
            difference: Difference { patches: 0, mean: 0.0, greatest: 0.0 },
        };
        let found = map(vec![None, Some(0.2), Some(0.7), Some(0.7)]).highest();
        assert_eq!(found, Some((0.7, [0.0, 12.5])));
        assert_eq!(map(vec![None; 4]).highest(), None);
    }

    #[test]
    fn differences_are_of_patches_and_map() {
        let patch = |x| Patch {
            mammogram: 0,
            x,
            y: 0,
            edge: 8,
            positive: false,
            benign: false,
            fractions: None,
            held: None,
        };
        let patches = [patch(0), patch(4)];
        let found = difference(patches.iter().zip([0.5, 0.25]), |x, _| x as f32 / 4.0);
        assert_eq!(found, Difference { patches: 2, mean: 0.625, greatest: 0.75 });
        assert_eq!(difference(std::iter::empty(), |_, _| 0.0).mean, 0.0);
    }
}
