//! The grid of windows a mammogram is cut into (paper, section 2.2: a sliding window of 25% of the
//! mammogram with a stride of 50% of the window).
//!
//! The paper leaves two points open, settled here: the 25% are of the shorter side, so that windows
//! are square; and where the grid does not reach the far edge, one last row or column of windows is
//! set flush with it, so that all of the image is covered.

/// Edge of the windows and their left edges and top edges, in pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Edge of every window.
    pub edge: u32,
    /// Left edges, ascending.
    pub columns: Vec<u32>,
    /// Top edges, ascending.
    pub rows: Vec<u32>,
}

impl Grid {
    /// For an image of `width` x `height`; `window` is the edge as a share of the shorter side,
    /// `stride` the step as a share of the edge. An image without pixels has no windows.
    pub fn new(width: u32, height: u32, window: f64, stride: f64) -> Self {
        let (edge, step) = edge_and_step(width, height, window, stride);
        Self { edge, columns: steps(width, edge, step), rows: steps(height, edge, step) }
    }

    /// How many windows [`Grid::new`] would have, without listing them.
    pub fn count(width: u32, height: u32, window: f64, stride: f64) -> u64 {
        let (edge, step) = edge_and_step(width, height, window, stride);
        let along = |length: u32| match length.checked_sub(edge) {
            Some(last) => 1 + u64::from(last.div_ceil(step)),
            None => 0,
        };
        along(width) * along(height)
    }

    /// Top left corners `(x, y)`, top to bottom, then left to right.
    pub fn corners(&self) -> impl Iterator<Item = (u32, u32)> {
        self.rows.iter().flat_map(|&y| self.columns.iter().map(move |&x| (x, y)))
    }
}

/// Edge of the windows and step between them, in pixels.
fn edge_and_step(width: u32, height: u32, window: f64, stride: f64) -> (u32, u32) {
    let shorter = width.min(height);
    let edge = ((window * f64::from(shorter)).round() as u32).clamp(1, shorter.max(1));
    (edge, ((stride * f64::from(edge)).round() as u32).max(1))
}

/// Starts of windows of `edge` along `length`, every `step`, the last one flush with the end.
fn steps(length: u32, edge: u32, step: u32) -> Vec<u32> {
    let Some(last) = length.checked_sub(edge) else { return Vec::new() };
    let mut starts: Vec<u32> = (0..=last).step_by(step as usize).collect();
    if starts.last() != Some(&last) {
        starts.push(last);
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn mini_mias_has_seven_by_seven_windows() {
        let grid = Grid::new(1024, 1024, 0.25, 0.5);
        assert_eq!((grid.edge, grid.corners().count()), (256, 49));
        assert_eq!(grid.columns, [0, 128, 256, 384, 512, 640, 768]);
        assert_eq!(grid.corners().nth(7), Some((0, 128)));
    }

    #[test]
    fn the_last_window_is_flush_with_the_far_edge() {
        let grid = Grid::new(1000, 1300, 0.25, 0.5);
        assert_eq!(grid.edge, 250);
        assert_eq!(grid.columns, [0, 125, 250, 375, 500, 625, 750]);
        assert_eq!(grid.rows, [0, 125, 250, 375, 500, 625, 750, 875, 1000, 1050]);
        assert_eq!(Grid::new(0, 10, 0.25, 0.5).corners().count(), 0);
        assert_eq!(Grid::count(0, 10, 0.25, 0.5), 0);
        assert_eq!(Grid::count(65_535, 65_535, 1e-9, 1.0), 65_535 * 65_535);
    }

    proptest! {
        #[test]
        fn windows_lie_inside_cover_everything_and_do_not_repeat(
            width in 1u32..700, height in 1u32..700, window in 0.01f64..=1.0, stride in 0.05f64..=1.0,
        ) {
            let grid = Grid::new(width, height, window, stride);
            let count = Grid::count(width, height, window, stride);
            prop_assert_eq!(grid.corners().count() as u64, count);
            for (starts, length) in [(&grid.columns, width), (&grid.rows, height)] {
                prop_assert_eq!(starts[0], 0);
                prop_assert_eq!(starts[starts.len() - 1] + grid.edge, length);
                for pair in starts.windows(2) {
                    prop_assert!(pair[0] < pair[1] && pair[1] <= pair[0] + grid.edge);
                }
            }
        }
    }
}
