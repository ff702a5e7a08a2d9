//! Agreement that others found when radiologists described lesions in words of BI-RADS, for
//! orientation. Their readers saw whole lesions; ours see what units respond to, and kappa depends on
//! how often a term occurs: the figures are no standard to reach.

use serde::Serialize;

/// One published figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Published {
    /// What was described.
    pub what: &'static str,
    /// Kappa as printed.
    pub kappa: &'static str,
    /// The study in short: readers, cases, statistic.
    pub study: &'static str,
    /// Where it was published.
    pub source: &'static str,
}

const BAKER: (&str, &str) = (
    "5 readers, 60 abnormal mammograms, Cohen\u{2019}s kappa",
    "Baker et al., AJR 1996;166(4):773\u{2013}778",
);
const BERG: (&str, &str) = (
    "5 readers, 86 mammograms with diagnostic evaluation, kappa",
    "Berg et al., AJR 2000;174(6):1769\u{2013}1777",
);
const LEE: (&str, &str) = (
    "10 readers, 250 cases of BI-RADS 4 or 5, Fleiss\u{2019} kappa",
    "Lee et al., Acad Radiol 2017;24(1):60\u{2013}66",
);

const fn published(
    (study, source): (&'static str, &'static str),
    what: &'static str,
    kappa: &'static str,
) -> Published {
    Published { what, kappa, study, source }
}

/// The figures, as the abstracts of the papers state them.
pub const PUBLISHED: [Published; 16] = [
    published(LEE, "presence of calcifications", "0.82"),
    published(LEE, "presence of a mass", "0.67"),
    published(LEE, "architectural distortion", "0.28"),
    published(LEE, "focal asymmetry", "0.21"),
    published(LEE, "asymmetry", "0.09"),
    published(BERG, "lesion type", "0.75"),
    published(BERG, "breast density", "0.43"),
    published(BERG, "mass margin", "0.40"),
    published(BERG, "mass density", "0.40"),
    published(BERG, "mass shape", "0.28"),
    published(BERG, "calcification morphology", "0.36"),
    published(BERG, "calcification distribution", "0.47"),
    published(BERG, "special cases", "0.56"),
    published(BAKER, "masses and calcifications, by kind of description", "0.50 to 0.77"),
    published(BAKER, "the same, one reader twice", "0.57 to 0.84"),
    published(BAKER, "associated findings and special cases", "\u{2212}0.02 to 0.38"),
];
