//! A small activation map seen at the patch's resolution: bilinear, each activation anchored at the
//! centre of its receptive field (Network Dissection, section 3.2), level beyond the outermost ones.

use base::Field;

/// Interpolates maps of one size to positions in the patch.
#[derive(Debug, Clone)]
pub(super) struct Upsampler {
    columns: Vec<Tap>,
    rows: Vec<Tap>,
    width: usize,
}

/// Between cells `low` and `low + 1` (or at `low` alone), `weight` of the way.
#[derive(Debug, Clone, Copy)]
struct Tap {
    low: usize,
    high: usize,
    weight: f32,
}

impl Upsampler {
    /// From maps of `height` x `width` cells whose fields lie as `field` says, to the positions
    /// `at(0), at(1) … at(n - 1)` in both directions, in patch pixels (the first pixel's centre is 0.5).
    pub(super) fn new(
        [height, width]: [u32; 2],
        field: Field,
        n: usize,
        at: impl Fn(usize) -> f32,
    ) -> Self {
        let taps = |cells: u32| {
            (0..n)
                .map(|i| {
                    let last = cells.saturating_sub(1);
                    let cell = ((at(i) - field.centre) / field.stride).clamp(0.0, last as f32);
                    let low = (cell as u32).min(last);
                    Tap {
                        low: low as usize,
                        high: (low + 1).min(last) as usize,
                        weight: cell - low as f32,
                    }
                })
                .collect()
        };
        Self { columns: taps(width), rows: taps(height), width: width as usize }
    }

    /// To the centre of every pixel of a patch of `edge` pixels.
    pub(super) fn pixels(map: [u32; 2], field: Field, edge: u32) -> Self {
        Self::new(map, field, edge as usize, |i| i as f32 + 0.5)
    }

    /// Number of positions along an edge.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether any value of row `y` can exceed `threshold`.
    pub(super) fn reaches(&self, map: &[f32], y: usize, threshold: f32) -> bool {
        let tap = self.rows[y];
        [tap.low, tap.high]
            .iter()
            .any(|&row| map[row * self.width..][..self.width].iter().any(|&v| v > threshold))
    }

    /// Writes row `y` of the upsampled `map` into `out` (`len()` values).
    pub(super) fn row(&self, map: &[f32], y: usize, out: &mut [f32]) {
        let tap = self.rows[y];
        let (above, below) = (&map[tap.low * self.width..], &map[tap.high * self.width..]);
        for (out, column) in out.iter_mut().zip(&self.columns) {
            let blend = |row: &[f32]| {
                let (a, b) = (row[column.low], row[column.high]);
                a + (b - a) * column.weight
            };
            let (a, b) = (blend(above), blend(below));
            *out = a + (b - a) * tap.weight;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_cells_at_their_fields_and_is_level_outside() {
        // Two cells centred on 4 and 12 of a 16 pixel patch.
        let field = Field { edge: 8.0, stride: 8.0, centre: 4.0 };
        let up = Upsampler::new([1, 2], field, 5, |i| i as f32 * 4.0);
        let mut row = [0.0; 5];
        up.row(&[1.0, 3.0], 0, &mut row);
        assert_eq!(row, [1.0, 1.0, 2.0, 3.0, 3.0]);
    }

    #[test]
    fn is_linear_in_both_directions() {
        let field = Field { edge: 4.0, stride: 4.0, centre: 2.0 };
        let map: Vec<f32> = (0..9).map(|i| (i % 3 + 10 * (i / 3)) as f32).collect();
        let up = Upsampler::pixels([3, 3], field, 12);
        let mut row = [0.0; 12];
        for y in 2..10 {
            up.row(&map, y, &mut row);
            for (x, value) in row.iter().enumerate().take(10).skip(2) {
                let plane = (x as f32 - 1.5) / 4.0 + 10.0 * (y as f32 - 1.5) / 4.0;
                assert!((value - plane).abs() < 1e-4, "{x} {y} {value} {plane}");
            }
        }
    }
}
