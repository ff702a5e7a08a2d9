//! Everything that is computed of a study.

use metrics::{Auc, Comparison, Placements};
use serde::Serialize;

use crate::{Components, Covariances, Crossed, Dbm, Icc, icc};

/// One reader's areas.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reader {
    /// Area in each condition, with DeLong's interval.
    pub areas: [Auc; 2],
    /// The second less the first, with DeLong's test.
    pub difference: Comparison,
}

/// What follows from scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Analysis {
    /// By reader.
    pub readers: Vec<Reader>,
    /// Obuchowski and Rockette's components, with covariances by DeLong.
    pub delong: Components,
    /// The same, with covariances by the jackknife.
    pub jackknife: Components,
    /// Dorfman, Berbaum and Metz's analysis.
    pub dbm: Dbm,
    /// Agreement of the readers' scores in each condition; `None` of one reader, or where nothing varies.
    pub icc: [Option<Icc>; 2],
}

/// Analyses scores.
pub fn analyse(scores: &Crossed) -> Analysis {
    let placements: [Vec<Placements>; 2] = [0, 1].map(|condition| {
        let of = |reader| {
            let [positives, negatives] = scores.split(condition, reader);
            Placements::of(&positives, &negatives).expect("cases of both kinds are left")
        };
        (0..scores.readers()).map(of).collect()
    });
    let pairs = placements[0].iter().zip(&placements[1]);
    let readers = pairs
        .map(|(first, second)| Reader {
            areas: [first.auc(), second.auc()],
            difference: second.compare(first),
        })
        .collect();
    Analysis {
        readers,
        delong: Components::of(&placements, Covariances::DeLong),
        jackknife: Components::of(&placements, Covariances::Jackknife),
        dbm: Dbm::of(&placements),
        icc: [0, 1].map(|condition| icc(scores.of(condition))),
    }
}
