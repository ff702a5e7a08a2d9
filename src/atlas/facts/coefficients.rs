//! Coefficients of agreement as pages and figures print them.

use serde::Serialize;

use super::Atlas;
use crate::text;
use agreement::{Coefficient, Estimate};
use study::report;
use study::statistics::Agreement;

/// Agreement on several things of a kind.
#[derive(Serialize)]
pub(crate) struct ListView {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) note: &'static str,
    pub(crate) coefficients: Vec<&'static str>,
    pub(crate) shares: bool,
    pub(crate) rows: Vec<AgreementRow>,
}

#[derive(Serialize)]
pub(crate) struct AgreementRow {
    pub(crate) name: String,
    pub(crate) units: usize,
    pub(crate) readers: usize,
    pub(crate) share: String,
    pub(crate) cells: Vec<Cell>,
}

/// A number with its interval, or why there is none.
#[derive(Serialize)]
pub(crate) struct Cell {
    pub(crate) value: String,
    pub(crate) interval: String,
    pub(crate) why: String,
}

/// Every list of the page but the readers with themselves.
pub(crate) fn lists(atlas: &Atlas) -> Vec<ListView> {
    let s = &atlas.study.statistics;
    if s.shared == 0 {
        return Vec::new();
    }
    [
        list(
            "questions",
            "On the questions",
            "Several patterns and association: over the answers that describe something.",
            &s.questions,
        ),
        list(
            "sets",
            "On all terms of a unit at once",
            "Each answer is a set of terms, or of categories; sets that overlap agree in part. Percent \
             agreement counts the same sets only.",
            &s.sets,
        ),
        list(
            "categories",
            "By category",
            "Whether a reader names the category in a unit; a general one (Mass) holds its refinements.",
            &s.categories,
        ),
        list("terms", "By term", "Terms that a reader named at least once.", &s.terms),
    ]
    .into_iter()
    .filter(|list| !list.rows.is_empty())
    .collect()
}

pub(crate) fn list(
    id: &'static str,
    title: &'static str,
    note: &'static str,
    agreements: &[Agreement],
) -> ListView {
    let coefficients: Vec<Coefficient> = Coefficient::ALL
        .into_iter()
        .filter(|c| agreements.iter().any(|agreement| agreement.of(*c).is_some()))
        .collect();
    ListView {
        id,
        title,
        note,
        coefficients: coefficients.iter().map(|c| c.name()).collect(),
        shares: agreements.iter().any(|agreement| agreement.share.is_some()),
        rows: agreements
            .iter()
            .map(|agreement| AgreementRow {
                name: agreement.name.clone(),
                units: agreement.units,
                readers: agreement.readers,
                share: agreement.share.map_or_else(|| "–".into(), text::percent_whole),
                cells: coefficients.iter().map(|c| cell(*c, agreement.of(*c))).collect(),
            })
            .collect(),
    }
}

pub(crate) fn cell(coefficient: Coefficient, estimate: Option<Estimate>) -> Cell {
    let shown = |value: f64| match coefficient {
        Coefficient::Percent => text::percent_whole(value),
        _ => report::round(value),
    };
    let none = || Cell { value: String::new(), interval: String::new(), why: String::new() };
    match estimate {
        Some(Estimate::Value { value, interval }) => Cell {
            value: shown(value),
            interval: interval.map_or_else(String::new, |[low, high]| {
                format!("{} to {}", shown(low), shown(high))
            }),
            ..none()
        },
        Some(Estimate::Undefined(reason)) => Cell { why: reason.to_string(), ..none() },
        None => none(),
    }
}
