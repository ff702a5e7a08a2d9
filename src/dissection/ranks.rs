//! Ranks of scores, and what follows from them.

/// Rank of each value from 1; tied values share the mean of their ranks.
pub(super) fn midranks(values: &[f32]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = below as f64 + (tied.len() as f64 + 1.0) / 2.0;
        tied.iter().for_each(|&i| ranks[i] = rank);
        below += tied.len();
    }
    ranks
}

/// Area under the ROC curve of some scores, ties counted half; `None` where all or none is positive.
pub(super) fn auc(scores: &[f32], positive: &[bool]) -> Option<f32> {
    let count = positive.iter().filter(|p| **p).count() as f64;
    let rest = scores.len() as f64 - count;
    if count == 0.0 || rest == 0.0 {
        return None;
    }
    let ranks = midranks(scores);
    let sum: f64 = ranks.iter().zip(positive).filter(|(_, p)| **p).map(|(rank, _)| rank).sum();
    Some(((sum - count * (count + 1.0) / 2.0) / (count * rest)) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_area_counts_pairs() {
        let scores = [0.1, 0.4, 0.35, 0.8, 0.4];
        let positive = [false, false, true, true, true];
        // Of 6 pairs: 0.35 > 0.1; 0.8 > both; 0.4 > 0.1 and equals 0.4.
        assert!((auc(&scores, &positive).unwrap() - 4.5 / 6.0).abs() < 1e-7);
        assert_eq!(auc(&scores, &[true; 5]), None);
        assert_eq!(midranks(&[2.0, 1.0, 2.0]), [2.5, 1.0, 2.5]);
    }
}
