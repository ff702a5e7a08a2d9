//! A network over a whole mammogram in one pass, as pages and JSON show it.

use serde::Serialize;

/// Probability of cancer at every place of a mammogram, from one pass. Lengths are in pixels of the
/// mammogram.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WholeMap {
    /// Edge of the window behind a place, that of the patches. The first is flush with the top left corner.
    pub edge: f64,
    /// From one place to the next.
    pub step: f64,
    /// Places below one another.
    pub rows: usize,
    /// Places side by side.
    pub columns: usize,
    /// By place, row by row; none where the window holds less breast than a patch must.
    pub probabilities: Vec<Option<f32>>,
    /// How far the map is from the patches.
    pub difference: Difference,
}

/// How far a [`WholeMap`] is from the probabilities of patches, at their centres.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Patches compared: those as large as the map's windows.
    pub patches: usize,
    /// Mean absolute difference; 0 without patches.
    pub mean: f32,
    /// Greatest absolute difference.
    pub greatest: f32,
}

impl WholeMap {
    /// The greatest probability, with left and top edge of its window; the first of equals.
    pub fn highest(&self) -> Option<(f32, [f64; 2])> {
        let known = self.probabilities.iter().enumerate().filter_map(|(at, p)| Some((at, (*p)?)));
        let (at, highest) =
            known.reduce(|best, other| if other.1 > best.1 { other } else { best })?;
        Some((highest, [at % self.columns, at / self.columns].map(|at| at as f64 * self.step)))
    }
}
