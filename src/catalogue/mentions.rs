//! Whether explanations mean anything: how often they mention a term where the source describes a lesion
//! by it, against chance.

use std::collections::BTreeSet;

use super::chance::hypergeometric;

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
    Mention {
        mammograms: all,
        with,
        mentioned,
        both,
        p: hypergeometric(all, with, mentioned, both),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
