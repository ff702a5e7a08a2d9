//! How far a study is: what each reader has answered of what is asked, how long that takes, and which units take
//! longest.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::about::About;
use super::answer::{Answer, ReaderFile};
use super::selection::Selection;
use super::statistics::median;
use super::time;

/// How far a study is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standing {
    /// What each reader is asked: units, and units shown a second time.
    pub asked: usize,
    /// Readers in the order of their files.
    pub readers: Vec<ReaderStanding>,
    /// The units that are asked about, those that take longest first; those that nobody answered last.
    pub units: Vec<UnitStanding>,
}

/// How far a reader is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReaderStanding {
    /// Pseudonym.
    pub reader: String,
    /// What of that which is asked is answered.
    pub answered: usize,
    /// Median of the active seconds per answer, where they were measured.
    pub seconds: Option<f64>,
    /// Active seconds of all answers.
    pub spent: f64,
    /// When the last answer was given or received, as the file says it.
    pub last: Option<String>,
    /// Whether the reader agreed to the text that the survey asks to agree to; none where it asks for none.
    pub agreed: Option<bool>,
    /// What the reader said of themselves.
    pub about: Option<About>,
}

/// How far a unit is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnitStanding {
    /// Its name.
    pub unit: String,
    /// Readers who answered it.
    pub readers: usize,
    /// Median of the active seconds of first answers, where they were measured.
    pub seconds: Option<f64>,
}

/// What stands of a study. `repeats` is the share of the units that are shown a second time.
pub fn standing(selection: &Selection, repeats: f64, readers: &[ReaderFile]) -> Standing {
    let units: BTreeSet<String> =
        selection.units.iter().map(|chosen| chosen.unit.to_string()).collect();
    // As the survey's page counts them (`survey-order.js`).
    let again = if units.len() < 2 { 0 } else { (repeats * units.len() as f64).round() as usize };
    Standing {
        asked: units.len() + again,
        readers: readers.iter().map(|reader| of_reader(reader, selection, &units)).collect(),
        units: of_units(readers, units),
    }
}

fn measured<'a>(answers: impl Iterator<Item = &'a Answer>) -> Vec<f64> {
    answers.filter_map(|answer| answer.seconds).collect()
}

fn of_reader(
    reader: &ReaderFile,
    selection: &Selection,
    units: &BTreeSet<String>,
) -> ReaderStanding {
    let asked = || reader.answers.iter().filter(|answer| units.contains(&answer.unit));
    let when = |answer: &Answer| answer.received_at.clone().or(answer.answered_at.clone());
    let given = reader.about.as_ref().and_then(|about| about.consent.as_ref());
    let last = reader.answers.iter().filter_map(when);
    ReaderStanding {
        reader: reader.reader.clone(),
        answered: asked().count(),
        seconds: median(measured(asked())),
        // The sum of nothing is no negative zero.
        spent: measured(asked()).iter().fold(0.0, |sum, seconds| sum + seconds),
        last: last.max_by_key(|text| time::nanoseconds(text)),
        agreed: selection.consent.as_ref().map(|wanted| given == Some(wanted)),
        about: reader.about.clone(),
    }
}

fn of_units(readers: &[ReaderFile], units: BTreeSet<String>) -> Vec<UnitStanding> {
    let mut answers: BTreeMap<String, Vec<&Answer>> =
        units.into_iter().map(|unit| (unit, Vec::new())).collect();
    for answer in readers.iter().flat_map(|r| &r.answers).filter(|answer| !answer.repeat) {
        if let Some(of_unit) = answers.get_mut(&answer.unit) {
            of_unit.push(answer);
        }
    }
    let mut units: Vec<UnitStanding> = answers
        .into_iter()
        .map(|(unit, answers)| UnitStanding {
            unit,
            readers: answers.len(),
            seconds: median(measured(answers.into_iter())),
        })
        .collect();
    // A stable sort: equals stay in the order of their names.
    units.sort_by(|a, b| b.seconds.unwrap_or(-1.0).total_cmp(&a.seconds.unwrap_or(-1.0)));
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selection::{Chosen, Reason};
    use base::UnitId;

    #[test]
    fn what_is_answered_of_what_is_asked_and_how_long_it_took() {
        let chosen = |unit| Chosen {
            unit: UnitId::new("alexnet", "conv5", unit),
            code: format!("u-{unit}"),
            reason: Reason::Random,
            cancer: 0,
            shown: 8,
            influence: Some(unit),
        };
        let selection = Selection {
            format: 1,
            study: "s".into(),
            lexicon: "bi-rads-5".into(),
            blind: true,
            consent: None,
            units: (1..=4).map(chosen).collect(),
        };
        let reader = |name: &str, answers: &str| -> ReaderFile {
            let text = format!(
                "schema: 1\nstudy: s\nreader: {name}\nlexicon: bi-rads-5\n\
                 about: {{ given_at: 2026-11-20T09:00:00Z, years: 12 }}\nanswers:\n{answers}"
            );
            serde_yaml::from_str(&text).unwrap()
        };
        let readers = [
            reader(
                "a",
                "- { unit: alexnet/conv5/0001, recognizable: no, seconds: 20, answered_at: 2026-11-20T10:00:00Z }\n\
                 - { unit: alexnet/conv5/0001, repeat: true, recognizable: no, seconds: 4, answered_at: 2026-11-20T10:30:00+02:00 }\n\
                 - { unit: alexnet/conv5/0003, recognizable: no, seconds: 90 }\n\
                 - { unit: alexnet/conv5/0009, recognizable: no, seconds: 900 }\n",
            ),
            reader("b", "- { unit: alexnet/conv5/0001, recognizable: no, seconds: 40 }\n"),
        ];
        let found = standing(&selection, 0.25, &readers);
        assert_eq!(found.asked, 5);
        let a = &found.readers[0];
        assert_eq!((a.answered, a.seconds, a.spent), (3, Some(20.0), 114.0));
        assert_eq!(a.last.as_deref(), Some("2026-11-20T10:00:00Z"), "the later moment");
        assert_eq!(a.about.as_ref().and_then(|about| about.years), Some(12));
        assert_eq!(a.agreed, None, "there is nothing to agree to");
        let agreed = |text: &str| {
            let asking = Selection { consent: Some(text.into()), ..selection.clone() };
            let mut readers = readers.clone();
            readers[0].about.as_mut().unwrap().consent = Some("a".into());
            standing(&asking, 0.25, &readers).readers[0].agreed
        };
        assert_eq!((agreed("a"), agreed("b")), (Some(true), Some(false)));
        let units: Vec<(&str, usize, Option<f64>)> =
            found.units.iter().map(|u| (&u.unit[14..], u.readers, u.seconds)).collect();
        assert_eq!(
            units,
            [
                ("0003", 1, Some(90.0)),
                ("0001", 2, Some(30.0)),
                ("0002", 0, None),
                ("0004", 0, None)
            ]
        );
        // Nothing is shown again of a single unit.
        let single = Selection { units: vec![chosen(1)], ..selection };
        assert_eq!(standing(&single, 1.0, &readers).asked, 1);
    }
}
