//! The exact upper quantile of a stream, keeping only its top.

/// Collects the greatest `keep` of any number of values in memory for twice as many.
#[derive(Debug, Clone)]
pub(super) struct Largest {
    keep: usize,
    values: Vec<f32>,
    floor: f32,
}

impl Largest {
    /// For the top `keep` values, at least one.
    pub(super) fn new(keep: usize) -> Self {
        let keep = keep.max(1);
        Self { keep, values: Vec::with_capacity(2 * keep), floor: f32::NEG_INFINITY }
    }

    /// Offers a value.
    #[inline]
    pub(super) fn offer(&mut self, value: f32) {
        if value > self.floor {
            self.values.push(value);
            if self.values.len() == 2 * self.keep {
                self.shrink();
            }
        }
    }

    /// A value that the least of the top values is known to reach; it only rises.
    pub(super) fn floor(&self) -> f32 {
        self.floor
    }

    /// The `keep`-th greatest value offered; the least of all, when fewer were; `None` of nothing.
    pub(super) fn least(&self) -> Option<f32> {
        let mut values = self.values.clone();
        match values.len().checked_sub(self.keep) {
            None => values.into_iter().min_by(f32::total_cmp),
            Some(_) => {
                let order = |a: &f32, b: &f32| b.total_cmp(a);
                Some(*values.select_nth_unstable_by(self.keep - 1, order).1)
            }
        }
    }

    /// Whether as many values are held as are to be kept.
    pub(super) fn full(&self) -> bool {
        self.values.len() >= self.keep
    }

    fn shrink(&mut self) {
        let (_, least, _) =
            self.values.select_nth_unstable_by(self.keep - 1, |a, b| b.total_cmp(a));
        self.floor = *least;
        self.values.truncate(self.keep);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_sorting(values in prop::collection::vec(-50_i16..50, 1..400), keep in 1_usize..40) {
            let mut largest = Largest::new(keep);
            let mut sorted: Vec<f32> = values.iter().map(|&v| f32::from(v)).collect();
            for &v in &sorted {
                largest.offer(v);
            }
            sorted.sort_by(|a, b| b.total_cmp(a));
            prop_assert!(largest.floor() <= sorted[keep.min(sorted.len()) - 1]);
            prop_assert_eq!(largest.least(), Some(sorted[keep.min(sorted.len()) - 1]));
        }
    }

    #[test]
    fn of_nothing_is_nothing() {
        assert_eq!(Largest::new(3).least(), None);
    }
}
