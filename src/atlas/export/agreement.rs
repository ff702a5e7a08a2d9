//! `agreement.csv`.

use anyhow::Result;

use super::cell::{Number, Text, several};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use agreement::Estimate;
use study::statistics::{Agreement, Pair};

table! {
    "agreement.csv",
    /// one coefficient of agreement
    struct Estimated {
        /// readers, or a reader with themself
        who: &'static str,
        /// the reader, or the two of a pair separated by a semicolon; empty for all
        reader: Text,
        /// question, set, category or term
        kind: &'static str,
        /// what was agreed upon
        id: Text,
        /// the same in words
        name: Text,
        /// units with two ratings or more
        units: usize,
        /// raters of these
        raters: usize,
        /// share of the answers that say yes; empty where there is more than yes and no
        share: Option<Number<f64>>,
        /// percent_agreement, cohen_kappa (mean over pairs where there are several), fleiss_kappa,
        /// krippendorff_alpha or gwet_ac1
        coefficient: &'static str,
        /// its value; empty where it is undefined
        value: Option<Number<f64>>,
        /// lower end of its 95% bootstrap interval over units; may be empty
        low: Option<Number<f64>>,
        /// upper end of that interval; may be empty
        high: Option<Number<f64>>,
        /// why there is no value
        undefined: String,
    }
}

impl Row for Estimated {
    const OF_READERS: bool = true;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let s = &atlas.study.statistics;
        for (kind, list) in [
            ("question", &s.questions),
            ("set", &s.sets),
            ("category", &s.categories),
            ("term", &s.terms),
        ] {
            // One reader cannot agree or disagree.
            for agreement in list.iter().filter(|_| s.readers.len() > 1) {
                coefficients("readers", "", kind, agreement).try_for_each(&mut *write)?;
                let mut pairs = agreement.pairs.iter().map(|pair| paired(kind, agreement, pair));
                pairs.try_for_each(&mut *write)?;
            }
        }
        for repeats in &s.repeats {
            for agreement in &repeats.agreement {
                let kind = if agreement.id.starts_with("terms") { "set" } else { "question" };
                let reader = repeats.reader.as_deref().unwrap_or_default();
                coefficients("reader with themself", reader, kind, agreement)
                    .try_for_each(&mut *write)?;
            }
        }
        Ok(())
    }
}

/// Every coefficient of one agreement.
fn coefficients(
    who: &'static str,
    reader: &str,
    kind: &'static str,
    agreement: &Agreement,
) -> impl Iterator<Item = Estimated> {
    agreement.estimates.iter().map(move |(coefficient, estimate)| Estimated {
        who,
        reader: Text::from(reader),
        kind,
        id: Text::from(&agreement.id),
        name: Text::from(&agreement.name),
        units: agreement.units,
        raters: agreement.readers,
        share: agreement.share.map(Number),
        coefficient: coefficient.id(),
        value: estimate.value().map(Number),
        low: estimate.interval().map(|[low, _]| Number(low)),
        high: estimate.interval().map(|[_, high]| Number(high)),
        undefined: undefined(*estimate),
    })
}

fn paired(kind: &'static str, agreement: &Agreement, pair: &Pair) -> Estimated {
    Estimated {
        who: "readers",
        reader: Text::from(several(&pair.readers)),
        kind,
        id: Text::from(&agreement.id),
        name: Text::from(&agreement.name),
        units: pair.units,
        raters: 2,
        share: None,
        coefficient: "cohen_kappa",
        value: pair.kappa.value().map(Number),
        low: pair.kappa.interval().map(|[low, _]| Number(low)),
        high: pair.kappa.interval().map(|[_, high]| Number(high)),
        undefined: undefined(pair.kappa),
    }
}

fn undefined(estimate: Estimate) -> String {
    match estimate {
        Estimate::Undefined(reason) => reason.to_string(),
        Estimate::Value { .. } => String::new(),
    }
}
