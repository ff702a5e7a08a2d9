//! What follows from the ranks of scores.

use metrics::midranks;

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
