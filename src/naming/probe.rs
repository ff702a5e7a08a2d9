//! Which patches stand for a unit.

use std::collections::{BTreeMap, HashSet};

/// Fewest mammograms for each patch that stands for a unit: with more, what is best among them is what any is.
const MAMMOGRAMS_EACH: usize = 4;
/// Fewer patches stand for nothing.
const LEAST: usize = 3;

/// How many patches stand for a unit, of at most `most`: a quarter of the mammograms, but at least three where there are
/// as many.
pub(crate) fn count(mammograms: &[u32], most: usize) -> usize {
    let all = mammograms.iter().collect::<HashSet<_>>().len();
    (all / MAMMOGRAMS_EACH).clamp(LEAST.min(most), most).min(all)
}

/// Positions of the patches with a unit's best scores, best first, one of each mammogram; of equals the first. None
/// where all patches have the same score: no patch stands for such a unit.
pub(crate) fn best(scores: &[f32], mammograms: &[u32], count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    order.sort_by(|a, b| scores[*b as usize].total_cmp(&scores[*a as usize]));
    let [Some(first), Some(last)] = [order.first(), order.last()] else { return Vec::new() };
    if scores[*first as usize] == scores[*last as usize] {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    order.retain(|position| seen.len() < count && seen.insert(mammograms[*position as usize]));
    order
}

/// Positions of the patches of each mammogram.
pub(crate) fn by_mammogram(mammograms: &[u32]) -> Vec<Vec<u32>> {
    let mut groups: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (position, mammogram) in (0..).zip(mammograms) {
        groups.entry(*mammogram).or_default().push(position);
    }
    groups.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_patches_are_of_mammograms_of_their_own() {
        let mammograms = [0, 0, 1, 1, 2, 3];
        assert_eq!(best(&[5.0, 6.0, 1.0, 4.0, 4.0, 0.0], &mammograms, 3), [1, 3, 4]);
        assert_eq!(best(&[5.0, 6.0, 1.0, 4.0, 4.0, 0.0], &mammograms, 9), [1, 3, 4, 5]);
        assert!(best(&[2.0; 6], &mammograms, 3).is_empty());
        assert!(best(&[], &[], 3).is_empty());
        assert_eq!(by_mammogram(&mammograms), [vec![0, 1], vec![2, 3], vec![4], vec![5]]);
        let many: Vec<u32> = (0..100).collect();
        assert_eq!([count(&many, 16), count(&many, 64), count(&many[..8], 16)], [16, 25, 3]);
        assert_eq!([count(&many, 2), count(&[7, 7], 16)], [2, 1]);
    }
}
