//! How often someone may ask: a bucket of tokens per key, refilled over time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Keys remembered at once; beyond that, those that have not asked for a while are forgotten.
const KEYS: usize = 10_000;

/// A limit on requests per key.
pub(super) struct Limit<K> {
    /// Requests at once.
    burst: f64,
    /// Requests per second in the long run.
    rate: f64,
    buckets: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Eq + Hash> Limit<K> {
    /// `burst` requests at once, `rate` per second in the long run.
    pub(super) fn new(burst: f64, rate: f64) -> Self {
        Self { burst, rate, buckets: Mutex::default() }
    }

    /// Counts a request, and says whether it may pass.
    pub(super) fn allows(&self, key: K, now: Instant) -> bool {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let level = |(left, then): (f64, Instant)| {
            let passed = now.saturating_duration_since(then).as_secs_f64();
            (left + passed * self.rate).min(self.burst)
        };
        if buckets.len() >= KEYS {
            // A full bucket is as good as none.
            buckets.retain(|_, bucket| level(*bucket) < self.burst);
        }
        if buckets.len() >= KEYS && !buckets.contains_key(&key) {
            return false;
        }
        let bucket = buckets.entry(key).or_insert((self.burst, now));
        let left = level(*bucket);
        let passes = left >= 1.0;
        *bucket = (if passes { left - 1.0 } else { left }, now);
        passes
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn bursts_pass_and_floods_do_not() {
        let limit = Limit::new(3.0, 0.5);
        let start = Instant::now();
        let passed =
            |key, seconds: f64| limit.allows(key, start + Duration::from_secs_f64(seconds));
        assert_eq!([0; 5].map(|_| passed("a", 0.0)), [true, true, true, false, false]);
        assert!(passed("b", 0.0), "others are not held up");
        assert!(!passed("a", 1.0) && passed("a", 2.0) && !passed("a", 2.1));
        // A long silence fills the bucket, and no more.
        assert_eq!([0; 4].map(|_| passed("a", 1000.0)), [true, true, true, false]);
    }

    #[test]
    fn many_keys_take_no_more_than_their_room() {
        let limit = Limit::new(2.0, 1.0);
        let start = Instant::now();
        for key in 0..KEYS {
            assert!(limit.allows(key, start));
        }
        assert!(!limit.allows(KEYS, start), "no room, and nobody has been silent");
        assert!(limit.allows(KEYS, start + Duration::from_secs(5)));
        assert_eq!(limit.buckets.lock().unwrap().len(), 1);
    }
}
