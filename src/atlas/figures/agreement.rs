//! Agreement of the readers.

use anyhow::{Result, ensure};

use super::{Ready, capital, source};
use crate::facts::Atlas;
use crate::facts::coefficients::{Cell, lists};
use crate::text;
use agreement::{Coefficient, Estimate as Coefficiency};
use config::figures::Kind;
use figure::plot::{Axis, Estimate, Forest};
use figure::{Column, Figure, Row, Table, Words};

pub(super) fn ready(atlas: &Atlas) -> Option<Ready> {
    (!alphas(atlas).is_empty()).then(|| Ready::new("Agreement of the readers", Kind::Agreement))
}

/// Krippendorff's alpha of everything that has one.
fn alphas(atlas: &Atlas) -> Vec<Estimate> {
    let found = &atlas.study.statistics;
    if found.shared == 0 {
        return Vec::new();
    }
    let all = found.questions.iter().chain(&found.sets).chain(&found.categories);
    all.filter_map(|agreement| {
        let Some(Coefficiency::Value { value, interval }) = agreement.of(Coefficient::Alpha) else {
            return None;
        };
        let shown = study::report::round;
        let between = interval.map(|[low, high]| format!(" ({} to {})", shown(low), shown(high)));
        Some(Estimate {
            name: agreement.name.clone(),
            value,
            interval,
            words: format!("{}{}", shown(value), between.unwrap_or_default()),
        })
    })
    .collect()
}

pub(super) fn draw(atlas: &Atlas, width: f64) -> Result<Figure> {
    let rows = alphas(atlas);
    ensure!(
        !rows.is_empty(),
        "no coefficient of agreement is defined: it needs units that two readers answered, and answers \
         that differ"
    );
    let mut table = Table {
        columns: vec![Column::words("On"), Column::numbers("Units"), Column::numbers("Readers")],
        ..Table::default()
    };
    let lists: Vec<_> = lists(atlas).into_iter().filter(|list| list.id != "terms").collect();
    let mut titles: Vec<&str> = Vec::new();
    for title in lists.iter().flat_map(|list| &list.coefficients) {
        if !titles.contains(title) {
            titles.push(title);
        }
    }
    table.columns.extend(titles.iter().map(|title| Column::numbers(&capital(title))));
    for list in &lists {
        for row in &list.rows {
            let mut cells = vec![row.name.clone(), row.units.to_string(), row.readers.to_string()];
            cells.extend(titles.iter().map(|title| {
                let at = list.coefficients.iter().position(|known| known == title);
                at.and_then(|at| row.cells.get(at)).map_or_else(|| "–".into(), told)
            }));
            table.rows.push(Row { cells, patches: Vec::new() });
        }
    }
    let found = &atlas.study.statistics;
    let words = Words {
        title: "Agreement of the readers".into(),
        caption: format!(
            "Agreement of {} on {} that at least two answered: Krippendorff\u{2019}s alpha with its \
             95% interval. 1 is perfect agreement, 0 (dashed) what chance gives. {}",
            text::counted(found.readers.len(), "reader", "readers"),
            text::counted(found.shared, "unit", "units"),
            source(atlas)
        ),
        alt: format!(
            "Krippendorff\u{2019}s alpha: {}.",
            rows.iter()
                .map(|row| format!("{} {}", row.name, row.words))
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    let values = rows.iter().flat_map(|row| row.interval.into_iter().flatten().chain([row.value]));
    let low = values.fold(0.0, f64::min).max(-1.0);
    let range = [(low * 5.0).floor() / 5.0, 1.0];
    let x = Axis::new("Krippendorff\u{2019}s alpha", range, 5.0);
    let forest = Forest { rows, x, guide: 0.0 };
    Figure::drawn(words, width, Some(table), |canvas, width| Ok(forest.draw(canvas, width)))
}

/// A number of the agreement page with its interval, or a dash.
fn told(cell: &Cell) -> String {
    match (cell.value.as_str(), cell.interval.as_str()) {
        ("", _) => "–".into(),
        (value, "") => value.into(),
        (value, interval) => format!("{value} ({interval})"),
    }
}
