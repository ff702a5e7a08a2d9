//! Distributions that counts are held against.

/// Probability of `least` or more marked ones among `drawn` of `all`, of which `marked` are
/// (hypergeometric distribution).
pub(crate) fn hypergeometric(all: u64, marked: u64, drawn: u64, least: u64) -> f64 {
    let logs: Vec<f64> = (0..=all)
        .scan(0.0, |sum, n| {
            *sum += (n.max(1) as f64).ln();
            Some(*sum)
        })
        .collect();
    let choose = |n: u64, k: u64| logs[n as usize] - logs[k as usize] - logs[(n - k) as usize];
    let most = marked.min(drawn);
    // At least so many must be marked, for there are not enough others.
    let first = least.max((marked + drawn).saturating_sub(all));
    let chance =
        |k: u64| (choose(marked, k) + choose(all - marked, drawn - k) - choose(all, drawn)).exp();
    (first..=most).map(chance).sum::<f64>().min(1.0)
}

/// Probability of `least` or more successes in independent trials with these probabilities
/// (Poisson binomial distribution), exactly.
pub(crate) fn poisson_binomial(trials: &[f64], least: usize) -> f64 {
    // By the number of successes.
    let mut chances = vec![0.0; trials.len() + 1];
    chances[0] = 1.0;
    for (done, success) in trials.iter().enumerate() {
        for count in (0..=done + 1).rev() {
            let stays = if count <= done { chances[count] * (1.0 - success) } else { 0.0 };
            let rises = if count > 0 { chances[count - 1] * success } else { 0.0 };
            chances[count] = stays + rises;
        }
    }
    chances.iter().skip(least).sum::<f64>().min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_scipys() {
        // scipy.stats.hypergeom.sf(k - 1, M, n, N)
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b.max(1e-3), "{a} {b}");
        near(hypergeometric(20, 7, 12, 4), 0.7492260061919505);
        near(hypergeometric(100, 10, 15, 5), 0.00631392472093203);
        near(hypergeometric(10, 10, 4, 4), 1.0);
        near(hypergeometric(10, 0, 4, 0), 1.0);
        assert_eq!(hypergeometric(10, 3, 4, 4), 0.0);
        near(hypergeometric(0, 0, 0, 0), 1.0);
    }

    #[test]
    fn unequal_trials_are_counted_by_hand() {
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} {b}");
        // Both 1/4 · 1/2; one or both 1 - 3/4 · 1/2.
        near(poisson_binomial(&[0.25, 0.5], 2), 0.125);
        near(poisson_binomial(&[0.25, 0.5], 1), 0.625);
        near(poisson_binomial(&[0.25, 0.5], 0), 1.0);
        assert_eq!(poisson_binomial(&[0.25, 0.5], 3), 0.0);
        // Equal ones are binomial: ten coins, eight heads or more.
        near(poisson_binomial(&[0.5; 10], 8), 56.0 / 1024.0);
        near(poisson_binomial(&[], 0), 1.0);
    }
}
