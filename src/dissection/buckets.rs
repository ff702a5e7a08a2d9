//! Counts of any number of values in little memory: four buckets to a power of two, exact to merge.

/// Powers of two told apart: from 2^-LOW to 2^HIGH.
const LOW: i32 = 20;
const HIGH: i32 = 20;
/// Buckets of one sign.
const SIDE: usize = ((HIGH + LOW + 1) * 4) as usize;
/// All buckets: negative ones from the largest magnitude, zero, positive ones.
pub(super) const BUCKETS: usize = 2 * SIDE + 1;

/// Bucket of a value. What is nearer to zero than 2^-20 counts as zero; what is beyond 2^20 belongs to
/// the outermost.
#[inline]
pub(super) fn bucket(value: f32) -> usize {
    let bits = value.to_bits();
    let quarter = ((bits >> 21) & 0x3ff) as i32 - ((127 - LOW) << 2);
    if quarter < 0 {
        return SIDE;
    }
    let side = (quarter as usize).min(SIDE - 1);
    if bits >> 31 == 0 { SIDE + 1 + side } else { SIDE - 1 - side }
}

/// Least and greatest value of a bucket.
fn bounds(bucket: usize) -> [f64; 2] {
    let edge = |side: usize| 2f64.powi((side / 4) as i32 - LOW) * (1.0 + (side % 4) as f64 / 4.0);
    match bucket.cmp(&SIDE) {
        std::cmp::Ordering::Equal => [-edge(0), edge(0)],
        std::cmp::Ordering::Greater => [edge(bucket - SIDE - 1), edge(bucket - SIDE)],
        std::cmp::Ordering::Less => [-edge(SIDE - bucket), -edge(SIDE - 1 - bucket)],
    }
}

/// Counts in `bins` equal bins over `range`: a bucket's count is spread evenly over what it covers.
pub(super) fn histogram(counts: &[u64], [low, high]: [f32; 2], bins: usize) -> Vec<u32> {
    let (low, high) = (f64::from(low), f64::from(high));
    let mut out = vec![0.0; bins];
    let width = (high - low) / bins as f64;
    for (bucket, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let [from, to] = bounds(bucket);
        let (from, to) = (from.clamp(low, high), to.clamp(low, high));
        let bin = |value: f64| {
            if width > 0.0 { (((value - low) / width) as usize).min(bins - 1) } else { 0 }
        };
        let (first, last) = (bin(from), bin(to));
        for (at, out) in out.iter_mut().enumerate().take(last + 1).skip(first) {
            let (left, right) = (low + at as f64 * width, low + (at + 1) as f64 * width);
            let share = if to > from {
                (to.min(right) - from.max(left)).max(0.0) / (to - from)
            } else {
                1.0 / (last - first + 1) as f64
            };
            *out += count as f64 * share;
        }
    }
    out.into_iter().map(|count| count.round() as u32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_value_lies_within_its_bucket(value in -2e5_f32..2e5) {
            let [low, high] = bounds(bucket(value));
            prop_assert!(low <= f64::from(value) && f64::from(value) <= high, "{low} {value} {high}");
        }
    }

    #[test]
    fn bins_hold_every_value() {
        let values: Vec<f32> = (0..1000).map(|i| (i as f32 / 100.0) - 3.0).collect();
        let mut counts = vec![0; BUCKETS];
        values.iter().for_each(|v| counts[bucket(*v)] += 1);
        let bins = histogram(&counts, [-3.0, 6.99], 10);
        assert!(bins.iter().sum::<u32>().abs_diff(1000) <= 5, "{bins:?}");
        assert!(bins.iter().all(|bin| bin.abs_diff(100) < 30), "{bins:?}");
        assert_eq!(histogram(&counts, [1.0, 1.0], 3).iter().sum::<u32>(), 1000);
    }
}
