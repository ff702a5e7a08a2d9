//! Tables of the reader study: `data/readers.csv`, `agreement.csv`, `consensus.csv`, `coverage.csv` and
//! `expert_automatic.csv`.

use super::export::{Row, Table};
use super::pages::{Atlas, association_word};
use agreement::Estimate;
use base::UnitId;
use base::spreadsheet::guarded;
use study::statistics::{Agreement, Pair};

/// The tables.
pub(super) const TABLES: [Table; 5] = [
    Table {
        file: "readers.csv",
        row: "one reader and one network; an empty cell stands for all together",
        columns: &[
            ("reader", "pseudonym of the reader; empty for all readers"),
            ("network", "name of the network; empty for all networks"),
            ("answered", "units answered, repeated ones aside"),
            ("recognizable", "of these, units in which something recognisable was seen"),
            ("unrecognizable", "units in which nothing recognisable was seen"),
            ("unsure", "units of which the reader was not sure"),
            ("described", "answers that describe a phenomenon"),
            ("single", "of these, answers with one phenomenon"),
            ("entangled", "answers with several phenomena in one unit"),
            ("malignant", "answers with a phenomenon associated with breast cancer"),
            ("repeated", "answers to units shown again"),
            ("seconds_median", "median of the active seconds per unit; empty where not measured"),
        ],
    },
    Table {
        file: "agreement.csv",
        row: "one coefficient of agreement",
        columns: &[
            ("who", "readers, or a reader with themself"),
            ("reader", "the reader, or the two of a pair separated by a semicolon; empty for all"),
            ("kind", "question, set, category or term"),
            ("id", "what was agreed upon"),
            ("name", "the same in words"),
            ("units", "units with two ratings or more"),
            ("raters", "raters of these"),
            (
                "share",
                "share of the answers that say yes; empty where there is more than yes and no",
            ),
            (
                "coefficient",
                "percent_agreement, cohen_kappa (mean over pairs where there are several), \
                 fleiss_kappa, krippendorff_alpha or gwet_ac1",
            ),
            ("value", "its value; empty where it is undefined"),
            ("low", "lower end of its 95% bootstrap interval over units; may be empty"),
            ("high", "upper end of that interval; may be empty"),
            ("undefined", "why there is no value"),
        ],
    },
    Table {
        file: "consensus.csv",
        row: "one unit that the authors settled",
        columns: &[
            ("network", "name of the network"),
            ("layer", "name of the layer"),
            ("unit", "number of the unit, from 1, four digits"),
            ("label", "what the unit shows, in the authors' words"),
            ("terms", "ids of lexicon terms, separated by semicolons"),
            ("categories", "categories separated by semicolons; - where BI-RADS has none"),
            ("association", "malignant, benign, none or unsure; may be empty"),
            ("note", "remark of the authors"),
            ("in_atlas", "true when the atlas has the unit"),
        ],
    },
    Table {
        file: "coverage.csv",
        row: "one term and one network",
        columns: &[
            ("lexicon", "id of the lexicon"),
            ("category", "category of the term"),
            ("term", "id of the term"),
            ("network", "name of the network"),
            (
                "labelled",
                "units that the consensus, or where there is none at least half of their readers, \
                 named it in",
            ),
            ("detected", "units that detect it; empty where it is not outlined"),
        ],
    },
    Table {
        file: "expert_automatic.csv",
        row: "one unit that detects a concept beyond chance and has an expert label",
        columns: &[
            ("network", "name of the network"),
            ("layer", "name of the layer"),
            ("unit", "number of the unit, from 1, four digits"),
            (
                "concept",
                "concept that the unit detects with the best IoU, beyond measured chance (corrected p at most 0.05)",
            ),
            (
                "relation",
                "how the expert label stands to it; for malignant and benign the association",
            ),
            ("expert_terms", "terms of the expert label, separated by semicolons"),
            ("settled", "true when the label is the consensus, not the readers'"),
        ],
    },
];

/// What makes their rows, in the order of [`TABLES`].
pub(super) const MAKERS: [fn(&Atlas) -> Vec<Row>; 5] =
    [readers, agreement, consensus, covered, compared];

fn readers(atlas: &Atlas) -> Vec<Row> {
    let rows = atlas.study.statistics.progress.iter();
    rows.map(|row| {
        let counts = [
            row.answered,
            row.recognizable,
            row.unrecognizable,
            row.unsure,
            row.described,
            row.single,
            row.entangled,
            row.malignant,
            row.repeated,
        ];
        let mut cells = vec![
            guarded(row.reader.as_deref().unwrap_or_default()),
            guarded(row.network.as_deref().unwrap_or_default()),
        ];
        cells.extend(counts.map(|count| count.to_string()));
        cells.push(row.seconds.map(|s| s.to_string()).unwrap_or_default());
        cells
    })
    .collect()
}

fn agreement(atlas: &Atlas) -> Vec<Row> {
    let s = &atlas.study.statistics;
    let mut rows = Vec::new();
    for (kind, list) in [
        ("question", &s.questions),
        ("set", &s.sets),
        ("category", &s.categories),
        ("term", &s.terms),
    ] {
        // One reader cannot agree or disagree.
        for agreement in list.iter().filter(|_| s.readers.len() > 1) {
            rows.extend(coefficients("readers", "", kind, agreement));
            rows.extend(agreement.pairs.iter().map(|pair| paired(kind, agreement, pair)));
        }
    }
    for repeats in &s.repeats {
        for agreement in &repeats.agreement {
            let kind = if agreement.id.starts_with("terms") { "set" } else { "question" };
            let reader = repeats.reader.as_deref().unwrap_or_default();
            rows.extend(coefficients("reader with themself", reader, kind, agreement));
        }
    }
    rows
}

fn coefficients<'a>(
    who: &'a str,
    reader: &'a str,
    kind: &'a str,
    agreement: &'a Agreement,
) -> impl Iterator<Item = Row> + 'a {
    agreement.estimates.iter().map(move |(coefficient, estimate)| {
        let mut row = vec![
            who.to_owned(),
            guarded(reader),
            kind.to_owned(),
            guarded(&agreement.id),
            guarded(&agreement.name),
            agreement.units.to_string(),
            agreement.readers.to_string(),
            agreement.share.map(|share| share.to_string()).unwrap_or_default(),
            coefficient.id().to_owned(),
        ];
        row.extend(numbers(*estimate));
        row
    })
}

fn paired(kind: &str, agreement: &Agreement, pair: &Pair) -> Row {
    let mut row = vec![
        "readers".to_owned(),
        guarded(&pair.readers.join("; ")),
        kind.to_owned(),
        guarded(&agreement.id),
        guarded(&agreement.name),
        pair.units.to_string(),
        "2".to_owned(),
        String::new(),
        "cohen_kappa".to_owned(),
    ];
    row.extend(numbers(pair.kappa));
    row
}

fn numbers(estimate: Estimate) -> [String; 4] {
    let number = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
    let interval = estimate.interval();
    let why = match estimate {
        Estimate::Undefined(reason) => reason.to_string(),
        Estimate::Value { .. } => String::new(),
    };
    let [low, high] = [0, 1].map(|end: usize| interval.map(|ends| ends[end]));
    [number(estimate.value()), number(low), number(high), why]
}

/// Network, layer and number of a unit.
fn parts(unit: &UnitId) -> [String; 3] {
    [guarded(unit.network()), guarded(unit.layer()), unit.digits()]
}

fn consensus(atlas: &Atlas) -> Vec<Row> {
    let rows = atlas.study.consensus.units.iter();
    rows.map(|settled| {
        let mut row: Row = parts(&settled.unit).into();
        let association = settled.association.map(association_word).unwrap_or_default();
        row.extend([
            guarded(&settled.label),
            guarded(&settled.terms.join("; ")),
            guarded(&settled.categories.join("; ")),
            association.to_owned(),
            guarded(settled.note.as_deref().unwrap_or_default()),
            atlas.catalogue.get(&settled.unit).is_some().to_string(),
        ]);
        row
    })
    .collect()
}

fn covered(atlas: &Atlas) -> Vec<Row> {
    let mut rows = Vec::new();
    for row in atlas.catalogue.coverage() {
        for exhibit in atlas.inputs.exhibits {
            let network = &exhibit.config.name;
            let detecting = row.outlined.then(|| row.detecting_in(network).to_string());
            rows.push(vec![
                guarded(&row.term.lexicon.id),
                guarded(row.term.category),
                guarded(&row.term.term.id),
                guarded(network),
                row.named_in(network).to_string(),
                detecting.unwrap_or_default(),
            ]);
        }
    }
    rows
}

fn compared(atlas: &Atlas) -> Vec<Row> {
    let comparison = &atlas.study.comparison;
    let row = |unit: &UnitId, concept: &str, relation: &str| -> Row {
        let opinion = atlas.catalogue.opinion(unit);
        let terms: Vec<&str> = opinion.iter().flat_map(|o| &o.terms).map(String::as_str).collect();
        let mut row: Row = parts(unit).into();
        row.extend([
            guarded(concept),
            relation.to_owned(),
            guarded(&terms.join("; ")),
            opinion.is_some_and(|opinion| opinion.settled).to_string(),
        ]);
        row
    };
    let mut rows = Vec::new();
    for (concept, cells) in &comparison.terms {
        for (relation, units) in cells {
            rows.extend(units.iter().map(|unit| row(unit, concept, relation.name())));
        }
    }
    for (concept, cells) in &comparison.pathology {
        for (association, units) in cells {
            rows.extend(
                units.iter().map(|unit| row(unit, concept, association_word(*association))),
            );
        }
    }
    rows
}
