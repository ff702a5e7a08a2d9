//! Whether explanations mean anything: how often they mention a term where the source describes a lesion
//! by it, against chance.

use std::collections::BTreeSet;

/// How often explanations mention a term.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mention {
    /// Mammograms explained.
    pub mammograms: u64,
    /// Those with a lesion that the source describes by the term.
    pub with: u64,
    /// Those whose explanation mentions it.
    pub mentioned: u64,
    /// Those that both hold for.
    pub both: u64,
    /// Probability that as many or more hold both when explanations are dealt out anew among the
    /// mammograms (hypergeometric distribution).
    pub p: f64,
}

impl Mention {
    /// Mammograms that chance would have both hold for.
    pub fn expected(&self) -> f64 {
        if self.mammograms == 0 {
            return 0.0;
        }
        self.with as f64 * self.mentioned as f64 / self.mammograms as f64
    }
}

/// Terms of one mammogram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms<'a> {
    /// By which the source describes its lesions.
    pub lesions: BTreeSet<&'a str>,
    /// That its explanation mentions.
    pub mentioned: BTreeSet<&'a str>,
}

/// Counts a term over mammograms.
pub fn mentions(term: &str, mammograms: &[Terms<'_>]) -> Mention {
    let described = |terms: &&Terms<'_>| terms.lesions.contains(term);
    let said = |terms: &&Terms<'_>| terms.mentioned.contains(term);
    let with = mammograms.iter().filter(described).count() as u64;
    let mentioned = mammograms.iter().filter(said).count() as u64;
    let both = mammograms.iter().filter(described).filter(said).count() as u64;
    let all = mammograms.len() as u64;
    Mention { mammograms: all, with, mentioned, both, p: at_least(all, with, mentioned, both) }
}

/// Probability of `least` or more marked ones among `drawn` of `all`, of which `marked` are.
fn at_least(all: u64, marked: u64, drawn: u64, least: u64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_scipys() {
        // scipy.stats.hypergeom.sf(k - 1, M, n, N)
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9 * b.max(1e-3), "{a} {b}");
        near(at_least(20, 7, 12, 4), 0.7492260061919505);
        near(at_least(100, 10, 15, 5), 0.00631392472093203);
        near(at_least(10, 10, 4, 4), 1.0);
        near(at_least(10, 0, 4, 0), 1.0);
        assert_eq!(at_least(10, 3, 4, 4), 0.0);
        near(at_least(0, 0, 0, 0), 1.0);
    }

    #[test]
    fn counts_and_what_chance_gives() {
        let terms = |lesions: &[&'static str], mentioned: &[&'static str]| Terms {
            lesions: lesions.iter().copied().collect(),
            mentioned: mentioned.iter().copied().collect(),
        };
        let mammograms = [
            terms(&["mass"], &["mass", "edge"]),
            terms(&["mass"], &[]),
            terms(&[], &["mass"]),
            terms(&["calcifications"], &["edge"]),
        ];
        let found = mentions("mass", &mammograms);
        assert_eq!((found.mammograms, found.with, found.mentioned, found.both), (4, 2, 2, 1));
        assert_eq!(found.expected(), 1.0);
        // 1 - 1/6: only both elsewhere leaves none.
        assert!((found.p - 5.0 / 6.0).abs() < 1e-12);
    }
}
