//! What a reader study found: how much was answered, what was seen, and how far the readers agree.
//!
//! The first answer of a reader to a unit counts everywhere; an answer to the same unit shown again
//! counts only for the agreement of readers with themselves. Terms are those that the reader chose, or
//! those that their words suggest where they chose none; how often that was is stated.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::answer::{Answer, Association, ReaderFile, Recognizable};
use super::consensus::NO_CATEGORY;
use super::expert::{named, terms};
use super::suggest::Matcher;
use agreement::{Coefficient, Estimate, Ratings, SetDistance, estimate, set_ratings};
use lexicon::Lexicons;

/// The numbers of a study.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// Pseudonyms in the order of their files.
    pub readers: Vec<String>,
    /// Networks with an answered unit.
    pub networks: Vec<String>,
    /// Units that anyone answered.
    pub units: usize,
    /// Units that at least two readers answered.
    pub shared: usize,
    /// Described patterns, and those of them whose terms are suggested.
    pub phenomena: usize,
    /// See [`Statistics::phenomena`].
    pub suggested: usize,
    /// Per reader and network, then per reader, then all.
    pub progress: Vec<Progress>,
    /// What was asked of each unit.
    pub questions: Vec<Agreement>,
    /// Which terms, and which categories, a reader named in a unit, as sets.
    pub sets: Vec<Agreement>,
    /// Category by category, whether a reader named it.
    pub categories: Vec<Agreement>,
    /// Term by term, whether a reader named it.
    pub terms: Vec<Agreement>,
    /// Readers with themselves; the last is all of them together.
    pub repeats: Vec<Repeats>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Progress {
    /// The reader; none for all together.
    pub reader: Option<String>,
    /// The network; none for all together.
    pub network: Option<String>,
    /// Units answered, repeats aside.
    pub answered: usize,
    /// Of these, units in which something recognisable was seen.
    pub recognizable: usize,
    /// Nothing recognisable.
    pub unrecognizable: usize,
    /// Not sure.
    pub unsure: usize,
    /// Answers that describe something: [`Progress::single`] and [`Progress::entangled`].
    pub described: usize,
    /// One pattern.
    pub single: usize,
    /// Several.
    pub entangled: usize,
    /// Answers that describe something associated with breast cancer.
    pub malignant: usize,
    /// Answers to a unit shown again.
    pub repeated: usize,
    /// Median of the active seconds per unit, where they were measured.
    pub seconds: Option<f64>,
}

/// How far raters agree on one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// `recognizable`, a category or a term id.
    pub id: String,
    /// The same in words.
    pub name: String,
    /// Units with two ratings or more.
    pub units: usize,
    /// Raters of these.
    pub readers: usize,
    /// Share of the answers that say yes; none where there is more than yes and no.
    pub share: Option<f64>,
    /// The coefficients.
    pub estimates: Vec<(Coefficient, Estimate)>,
    /// Cohen's kappa of each pair of readers with a unit in common, by their names, with the number of
    /// those units.
    pub pairs: Vec<Pair>,
}

/// Two readers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pair {
    /// Their names.
    pub readers: [String; 2],
    /// Units that both answered.
    pub units: usize,
    /// Cohen's kappa.
    pub kappa: Estimate,
}

/// Readers with themselves.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repeats {
    /// The reader; none for all together.
    pub reader: Option<String>,
    /// Units answered twice.
    pub units: usize,
    /// What was asked of each unit, and the terms.
    pub agreement: Vec<Agreement>,
}

impl Agreement {
    /// The value of a coefficient, where it was computed.
    pub fn of(&self, coefficient: Coefficient) -> Option<Estimate> {
        self.estimates.iter().find(|(c, _)| *c == coefficient).map(|(_, estimate)| *estimate)
    }
}

/// Computes everything. `seed` fixes the bootstrap.
pub fn statistics(
    readers: &[ReaderFile],
    lexicons: &Lexicons,
    matcher: &Matcher,
    seed: u64,
) -> Statistics {
    let sheet = Sheet::new(readers, matcher);
    let names: Vec<String> = readers.iter().map(|reader| reader.reader.clone()).collect();
    let first = || readers.iter().flat_map(|r| &r.answers).filter(|answer| !answer.repeat);
    let described = || first().flat_map(|answer| &answer.phenomena);
    let rated = |ratings: &Ratings, id: &str, name: &str, binary: bool| {
        let mut agreement = agree(ratings, id, name, binary, seed);
        agreement.pairs = pairs(ratings, &names, seed);
        agreement
    };
    let raters = readers.len();
    let items = sheet.items();
    let questions = QUESTIONS
        .iter()
        .map(|question| {
            let ratings = question.ratings(&items, raters);
            rated(&ratings, question.id, question.name, question.values == 2)
        })
        .collect();
    let categories = named_categories(lexicons, &items)
        .into_iter()
        .map(|(id, name, members)| rated(&has(&items, raters, &members), &id, &name, true))
        .collect();
    let used: BTreeSet<&String> =
        items.iter().flat_map(|item| item.iter()).flat_map(|rating| &rating.terms).collect();
    let terms = lexicons
        .entries()
        .filter(|entry| used.contains(&entry.term.id))
        .map(|entry| {
            let members = BTreeSet::from([entry.term.id.clone()]);
            rated(&has(&items, raters, &members), &entry.term.id, &entry.term.name, true)
        })
        .collect();
    Statistics {
        networks: sheet.networks(),
        units: items.len(),
        shared: items.iter().filter(|item| item.len() > 1).count(),
        phenomena: described().count(),
        suggested: described().filter(|phenomenon| named(phenomenon, matcher).suggested).count(),
        progress: progress(readers),
        questions,
        sets: sets(&items, raters, lexicons, seed),
        categories,
        terms,
        repeats: repeats(readers, matcher, seed),
        readers: names,
    }
}

/// A reader's answer to a unit.
struct Rated<'a> {
    rater: usize,
    answer: &'a Answer,
    terms: BTreeSet<String>,
}

/// First answers by unit.
struct Sheet<'a> {
    units: BTreeMap<&'a str, Vec<Rated<'a>>>,
}

impl<'a> Sheet<'a> {
    fn new(readers: &'a [ReaderFile], matcher: &Matcher) -> Self {
        let mut units: BTreeMap<&str, Vec<Rated>> = BTreeMap::new();
        for (rater, reader) in readers.iter().enumerate() {
            for answer in reader.answers.iter().filter(|answer| !answer.repeat) {
                let terms = terms(answer, matcher);
                units.entry(&answer.unit).or_default().push(Rated { rater, answer, terms });
            }
        }
        Self { units }
    }

    fn items(&self) -> Vec<&[Rated<'a>]> {
        self.units.values().map(Vec::as_slice).collect()
    }

    fn networks(&self) -> Vec<String> {
        let first = self.units.values().filter_map(|answers| answers.first());
        let networks: BTreeSet<String> = first.map(|rated| network(rated.answer)).collect();
        networks.into_iter().collect()
    }
}

/// The network of an answer's unit.
fn network(answer: &Answer) -> String {
    answer.unit().map(|unit| unit.network().to_owned()).unwrap_or_default()
}

/// Something that is asked of each unit, and the number of its answer.
struct Question {
    id: &'static str,
    name: &'static str,
    values: usize,
    /// None where the answer says nothing of it.
    value: fn(&Answer) -> Option<usize>,
}

const QUESTIONS: [Question; 4] = [
    Question {
        id: "recognizable",
        name: "recognisable: yes, no or unsure",
        values: 3,
        value: |answer| {
            Some(match answer.recognizable {
                Recognizable::Yes => 1,
                Recognizable::No => 0,
                Recognizable::Unsure => 2,
            })
        },
    },
    Question {
        id: "entangled",
        name: "several patterns in one unit",
        values: 2,
        value: |answer| answer.is_entangled().map(usize::from),
    },
    Question {
        id: "malignant",
        name: "associated with breast cancer",
        values: 2,
        value: |answer| answer.association().map(|a| usize::from(a == Association::Malignant)),
    },
    Question {
        id: "association",
        name: "association: malignant, benign, unsure or none",
        values: 4,
        value: |answer| answer.association().map(|association| association as usize),
    },
];

impl Question {
    fn ratings(&self, items: &[&[Rated]], raters: usize) -> Ratings {
        let item = |item: &&[Rated]| {
            item.iter().filter_map(|r| Some((r.rater, (self.value)(r.answer)?))).collect()
        };
        Ratings::nominal(items.iter().map(item), raters, self.values)
    }
}

/// Whether a reader named one of some terms.
fn has(items: &[&[Rated]], raters: usize, members: &BTreeSet<String>) -> Ratings {
    let item = |item: &&[Rated]| {
        item.iter().map(|r| (r.rater, usize::from(!r.terms.is_disjoint(members)))).collect()
    };
    Ratings::nominal(items.iter().map(item), raters, 2)
}

/// Categories with a named term, as (id, name, terms): a general one, such as `Mass`, holds the terms
/// of those that refine it.
fn named_categories(
    lexicons: &Lexicons,
    items: &[&[Rated]],
) -> Vec<(String, String, BTreeSet<String>)> {
    let mut categories: Vec<(String, BTreeSet<String>)> = Vec::new();
    for entry in lexicons.entries() {
        if !categories.iter().any(|(category, _)| category == entry.category) {
            let members = lexicons
                .entries()
                .filter(|e| e.category == entry.category || e.family() == entry.category)
                .map(|e| e.term.id.clone())
                .collect();
            categories.push((entry.category.to_owned(), members));
        }
    }
    categories
        .into_iter()
        .filter(|(_, members)| {
            items.iter().any(|i| i.iter().any(|r| !r.terms.is_disjoint(members)))
        })
        .map(|(category, members)| {
            let name = match category.as_str() {
                NO_CATEGORY => "no counterpart in BI-RADS".to_owned(),
                _ => category.clone(),
            };
            (category, name, members)
        })
        .collect()
}

/// All coefficients of some ratings.
fn agree(ratings: &Ratings, id: &str, name: &str, binary: bool, seed: u64) -> Agreement {
    let found = estimate(ratings, Coefficient::ALL, seed);
    Agreement {
        id: id.to_owned(),
        name: name.to_owned(),
        units: ratings.pairable(),
        readers: ratings.active(),
        share: if binary { ratings.share(1) } else { None },
        estimates: Coefficient::ALL.into_iter().zip(found).collect(),
        pairs: Vec::new(),
    }
}

fn pairs(ratings: &Ratings, names: &[String], seed: u64) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for a in 0..names.len() {
        for b in a + 1..names.len() {
            let both = ratings.pair(a, b);
            if both.pairable() > 0 {
                let [kappa] = estimate(&both, [Coefficient::Cohen], seed);
                let readers = [names[a].clone(), names[b].clone()];
                pairs.push(Pair { readers, units: both.pairable(), kappa });
            }
        }
    }
    pairs
}

/// Agreement on whole sets.
fn sets(items: &[&[Rated]], raters: usize, lexicons: &Lexicons, seed: u64) -> Vec<Agreement> {
    let terms: Vec<Vec<(usize, BTreeSet<String>)>> = items
        .iter()
        .map(|item| item.iter().map(|r| (r.rater, r.terms.clone())).collect())
        .collect();
    let categories: Vec<Vec<(usize, BTreeSet<String>)>> = terms
        .iter()
        .map(|item| {
            let of = |set: &BTreeSet<String>| {
                let terms: Vec<&String> = set.iter().collect();
                lexicons.categories(&terms).into_iter().collect()
            };
            item.iter().map(|(rater, set)| (*rater, of(set))).collect()
        })
        .collect();
    let mut found = Vec::new();
    for (id, name, items) in
        [("terms", "terms of a unit", &terms), ("categories", "categories of a unit", &categories)]
    {
        for distance in [SetDistance::Masi, SetDistance::Jaccard] {
            let ratings = set_ratings(items, raters, distance);
            found.push(agree_on_sets(&ratings, id, name, distance, seed));
        }
    }
    found
}

fn agree_on_sets(
    ratings: &Ratings,
    id: &str,
    name: &str,
    distance: SetDistance,
    seed: u64,
) -> Agreement {
    let coefficients = [Coefficient::Percent, Coefficient::Alpha];
    let found = estimate(ratings, coefficients, seed);
    Agreement {
        id: format!("{id}_{}", distance.id()),
        name: format!("{name}, {}", distance.name()),
        units: ratings.pairable(),
        readers: ratings.active(),
        share: None,
        estimates: coefficients.into_iter().zip(found).collect(),
        pairs: Vec::new(),
    }
}

/// Each reader's first answer and the repeated one, as two raters.
fn repeats(readers: &[ReaderFile], matcher: &Matcher, seed: u64) -> Vec<Repeats> {
    let mut all: Vec<Vec<Rated>> = Vec::new();
    let mut found: Vec<Repeats> = Vec::new();
    for reader in readers {
        let twice: Vec<Vec<Rated>> = reader
            .answers
            .iter()
            .filter(|again| again.repeat)
            .filter_map(|again| {
                let first = reader.answers.iter().find(|a| !a.repeat && a.unit == again.unit)?;
                let rated = |rater, answer| Rated { rater, answer, terms: terms(answer, matcher) };
                Some(vec![rated(0, first), rated(1, again)])
            })
            .collect();
        if !twice.is_empty() {
            found.push(repeated(Some(&reader.reader), &twice, seed));
            all.extend(twice);
        }
    }
    if found.len() > 1 {
        found.push(repeated(None, &all, seed));
    }
    found
}

fn repeated(reader: Option<&str>, twice: &[Vec<Rated>], seed: u64) -> Repeats {
    let items: Vec<&[Rated]> = twice.iter().map(Vec::as_slice).collect();
    let mut agreement: Vec<Agreement> = QUESTIONS
        .iter()
        .map(|question| {
            let ratings = question.ratings(&items, 2);
            agree(&ratings, question.id, question.name, question.values == 2, seed)
        })
        .collect();
    let terms: Vec<Vec<(usize, BTreeSet<String>)>> = items
        .iter()
        .map(|item| item.iter().map(|r| (r.rater, r.terms.clone())).collect())
        .collect();
    let ratings = set_ratings(&terms, 2, SetDistance::Masi);
    agreement.push(agree_on_sets(&ratings, "terms", "terms of a unit", SetDistance::Masi, seed));
    Repeats { reader: reader.map(str::to_owned), units: items.len(), agreement }
}

fn progress(readers: &[ReaderFile]) -> Vec<Progress> {
    let networks: BTreeSet<String> = readers.iter().flat_map(|r| &r.answers).map(network).collect();
    let mut rows = Vec::new();
    for reader in readers {
        for name in &networks {
            let row = count(Some(&reader.reader), Some(name), reader.answers.iter());
            if row.answered + row.repeated > 0 {
                rows.push(row);
            }
        }
    }
    rows.extend(readers.iter().map(|r| count(Some(&r.reader), None, r.answers.iter())));
    rows.push(count(None, None, readers.iter().flat_map(|reader| &reader.answers)));
    rows
}

fn count<'a>(
    reader: Option<&str>,
    of: Option<&str>,
    answers: impl Iterator<Item = &'a Answer>,
) -> Progress {
    let mut row = Progress {
        reader: reader.map(str::to_owned),
        network: of.map(str::to_owned),
        answered: 0,
        recognizable: 0,
        unrecognizable: 0,
        unsure: 0,
        described: 0,
        single: 0,
        entangled: 0,
        malignant: 0,
        repeated: 0,
        seconds: None,
    };
    let mut seconds: Vec<f64> = Vec::new();
    for answer in answers.filter(|answer| of.is_none_or(|name| network(answer) == name)) {
        if answer.repeat {
            row.repeated += 1;
            continue;
        }
        row.answered += 1;
        match answer.recognizable {
            Recognizable::Yes => row.recognizable += 1,
            Recognizable::No => row.unrecognizable += 1,
            Recognizable::Unsure => row.unsure += 1,
        }
        if let Some(entangled) = answer.is_entangled() {
            row.described += 1;
            row.single += usize::from(!entangled);
            row.entangled += usize::from(entangled);
        }
        row.malignant += usize::from(answer.association() == Some(Association::Malignant));
        seconds.extend(answer.seconds);
    }
    row.seconds = median(seconds);
    row
}

/// Median of the active seconds that readers spent on a unit, shown again or not; `None` where none were measured.
pub fn median_seconds(readers: &[ReaderFile]) -> Option<f64> {
    let answers = readers.iter().flat_map(|reader| &reader.answers);
    let measured = answers.filter_map(|answer| answer.seconds);
    median(measured.filter(|seconds| seconds.is_finite() && *seconds > 0.0).collect())
}

pub(super) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        count if count % 2 == 1 => Some(values[half]),
        _ => Some(f64::midpoint(values[half - 1], values[half])),
    }
}

#[cfg(test)]
#[path = "statistics_tests.rs"]
mod tests;
