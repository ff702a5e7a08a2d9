//! What each kind of figure shows: the numbers and words of the pages, as drawings and tables for
//! papers.

mod case;
mod files;
mod training;
mod units;

use anyhow::{Result, ensure};

pub use self::files::{Drawn, Kept, draw, keep};
pub(crate) use self::files::{files, paths};
use crate::facts::coefficients::{Cell, lists};
use crate::facts::words::category_word;
use crate::facts::{Atlas, areas};
use crate::{chart, text};
use agreement::{Coefficient, Estimate as Coefficiency};
use catalogue::Entry;
use config::figures::{Format, Kind, Look, Wanted};
use figure::plot::{Axis, Bars, Estimate, Forest, Legend, Lines, Series};
use figure::{Column, Figure, Row, Table, Words};
use metrics::RESAMPLES;
use record::dissection::Category;

/// Detail of overlays that print does not show, in patch pixels.
const TOLERANCE: f32 = 0.4;
/// Kinds of concepts that a unit may detect.
const CATEGORIES: [Category; 3] = [Category::Pathology, Category::Finding, Category::Region];

/// Draws one.
///
/// # Errors
/// When the atlas does not have what it is to show.
pub(crate) fn figure(atlas: &Atlas, wanted: &Wanted) -> Result<Figure> {
    let width = wanted.look.width;
    match &wanted.kind {
        Kind::Unit { unit, patches, columns } => {
            units::of_unit(atlas, unit, *patches, *columns, width)
        }
        Kind::Table { units, patches } => units::of_units(atlas, units, *patches, width),
        Kind::Case { mammogram, network, patches } => {
            case::of_case(atlas, mammogram, network.as_deref(), *patches, width)
        }
        Kind::Roc => roc(atlas, width),
        Kind::Performance => performance(atlas, width),
        Kind::Concepts => concepts(atlas, width),
        Kind::Agreement => agreement(atlas, width),
        Kind::Training { network } => training::training(atlas, network.as_deref(), width),
    }
}

/// Folder of the ready-made figures in the site.
const FOLDER: &str = "figures";

/// The figures that the site has ready-made: those of pages that show their numbers. Units and cases
/// have none: with a figure each, the site would be several times as large.
pub(crate) fn ready_made(atlas: &Atlas) -> Vec<Wanted> {
    let mut kinds = Vec::new();
    if atlas.inputs.exhibits.iter().any(|exhibit| exhibit.evaluation.auc.is_some()) {
        kinds.push(Kind::Roc);
    }
    kinds.push(Kind::Performance);
    if atlas.layers().next().is_some() {
        kinds.push(Kind::Concepts);
    }
    if !alphas(atlas).is_empty() {
        kinds.push(Kind::Agreement);
    }
    if !units::selection(atlas).is_empty() {
        kinds.push(Kind::Table { units: Vec::new(), patches: 4 });
    }
    for exhibit in atlas.inputs.exhibits.iter().filter(|e| e.history.len() > 1) {
        kinds.push(Kind::Training { network: Some(exhibit.config.name.clone()) });
    }
    let wanted = |kind: Kind| {
        let formats = match kind {
            // Its patches would be in the site three times more.
            Kind::Table { .. } => vec![Format::Pdf, Format::Tex, Format::Csv],
            _ => vec![Format::Svg, Format::Pdf, Format::Png, Format::Tex, Format::Csv],
        };
        let look = Look { width: kind.width(), dpi: config::figures::DPI, font: None, formats };
        Wanted { name: kind.stem(), kind, look }
    };
    kinds.into_iter().map(wanted).collect()
}

/// Path of a ready-made file in the site.
pub(crate) fn path(file: &str) -> String {
    format!("{FOLDER}/{file}")
}

/// A downloadable figure of a page.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Download {
    title: String,
    /// Format in capitals, and the file.
    files: Vec<(String, String)>,
}

/// The ready-made figures that `of` picks.
pub(crate) fn downloads(atlas: &Atlas, of: impl Fn(&Kind) -> bool) -> Vec<Download> {
    ready_made(atlas)
        .iter()
        .filter(|wanted| of(&wanted.kind))
        .map(|wanted| Download {
            title: match &wanted.kind {
                Kind::Roc => "ROC curves".into(),
                Kind::Performance => "Table of areas".into(),
                Kind::Concepts => "Detectors per layer and category".into(),
                Kind::Agreement => "Agreement of the readers".into(),
                Kind::Table { .. } => "Table of units".into(),
                Kind::Training { .. } => "Training".into(),
                Kind::Unit { unit, .. } => unit.to_string(),
                Kind::Case { mammogram, .. } => mammogram.clone(),
            },
            files: wanted
                .files()
                .iter()
                .filter_map(|file| Some((word(file)?, path(file))))
                .collect(),
        })
        .collect()
}

/// What a link to a file says; none for the alternative text, which is in the pages.
fn word(file: &str) -> Option<String> {
    Some(match file.rsplit_once('.')? {
        (stem, "tex") if stem.ends_with("-table") => "LaTeX table".into(),
        (_, "tex") => "LaTeX".into(),
        (stem, "txt") => stem.strip_suffix(".caption").map(|_| "caption".into())?,
        (_, ending) => ending.to_uppercase(),
    })
}

/// What every caption ends with.
fn source(atlas: &Atlas) -> String {
    let about = &atlas.inputs.manifest.source;
    let synthetic = if about.phantom { "; the images are synthetic" } else { "" };
    format!("Data: {}{synthetic}.", about.name.trim_end_matches('.'))
}

/// From 0 to 1.
fn shares(label: &str) -> Axis {
    Axis { label: label.into(), range: [0.0, 1.0], ticks: chart::round_ticks([0.0, 1.0], 5.0) }
}

fn roc(atlas: &Atlas, width: f64) -> Result<Figure> {
    let curves = areas::curves(atlas);
    ensure!(!curves.is_empty(), "no network was evaluated on patches of both classes");
    let named: Vec<String> = curves.iter().map(|(name, _)| name.clone()).collect();
    let split = areas::splits(atlas);
    let words = Words {
        title: "ROC curves".into(),
        caption: format!(
            "Receiver operating characteristics per patch on the {split} split, with the areas under \
             them. The dashed diagonal is chance. {}",
            source(atlas)
        ),
        alt: format!("ROC curves per patch, with their areas: {}.", text::and(&named)),
    };
    let lines = Lines {
        x: shares("False positive rate"),
        y: shares("True positive rate"),
        series: curves
            .into_iter()
            .map(|(label, points)| Series { label, points: points.to_vec() })
            .collect(),
        guide: vec![[0.0, 0.0], [1.0, 1.0]],
        legend: Legend::LowerRight,
        aspect: 1.0,
    };
    Figure::drawn(words, width, None, |canvas, width| Ok(lines.draw(canvas, [0.0, 0.0], width)))
}

fn performance(atlas: &Atlas, width: f64) -> Result<Figure> {
    let rows: Vec<Row> = areas::rows(atlas)
        .iter()
        .map(|row| Row {
            cells: vec![
                row.name.clone(),
                row.auc
                    .as_ref()
                    .map_or("–".into(), |auc| format!("{} ({})", auc.value, auc.interval)),
                row.bootstrap.clone(),
                row.positives.clone(),
                row.negatives.clone(),
                row.published.into(),
            ],
            patches: Vec::new(),
        })
        .collect();
    let known = rows.iter().filter(|row| row.cells[1] != "–");
    let known: Vec<String> =
        known.map(|row| format!("{} {}", row.cells[0], row.cells[1])).collect();
    let comparable = match areas::comparable(atlas) {
        true => "",
        false => " Not comparable: the published areas are of DDSM.",
    };
    let words = Words {
        title: "Areas under the ROC curve".into(),
        caption: format!(
            "Networks and their performance as the area under the ROC curve (AUC) per patch on the {} \
             split, with DeLong\u{2019}s 95% interval and the one of {} draws of whole patients; \
             patches with and without cancer; and the area that Wu et al. (2018) \
             published.{comparable} {}",
            areas::splits(atlas),
            text::count(RESAMPLES),
            source(atlas)
        ),
        alt: format!("Table of areas under the ROC curve: {}.", text::and(&known)),
    };
    let table = Table {
        columns: vec![
            Column::words("Network"),
            Column::numbers("AUC (95% interval)"),
            Column::numbers("By patient"),
            Column::numbers("With cancer"),
            Column::numbers("Without"),
            Column::numbers("Published"),
        ],
        rows,
        patches: String::new(),
    };
    Figure::table(words, width, table)
}

fn concepts(atlas: &Atlas, width: f64) -> Result<Figure> {
    let mut table = Table {
        columns: vec![Column::words("Layer"), Column::numbers("Units")],
        ..Table::default()
    };
    for category in CATEGORIES {
        table.columns.push(Column::numbers(&capital(category_word(category))));
    }
    for title in ["Detectors", "Concepts", "Dead or constant"] {
        table.columns.push(Column::numbers(title));
    }
    let mut groups = Vec::new();
    for layer in atlas.catalogue.layers() {
        let counts = CATEGORIES.map(|category| {
            let detects =
                |entry: &&Entry| entry.detections().any(|found| found.concept.category == category);
            layer.units.iter().filter(detects).count() as u64
        });
        let detectors = layer.detectors().count();
        let name = format!("{}/{}", layer.record.network, layer.record.layer);
        let mut cells = vec![name.clone(), text::count(layer.units.len() as u64)];
        cells.extend(counts.map(text::count));
        let lifeless = layer.units.len() - layer.count(catalogue::Kind::Live);
        let last = [detectors, layer.detected().len(), lifeless];
        cells.extend(last.map(|count| text::count(count as u64)));
        table.rows.push(Row { cells, patches: Vec::new() });
        let bars = CATEGORIES.map(category_word).map(String::from).into_iter().zip(counts);
        groups
            .push((format!("{name}: {detectors} of {} units", layer.units.len()), bars.collect()));
    }
    ensure!(!groups.is_empty(), "no layer is dissected");
    let words = Words {
        title: "Detectors per layer and category".into(),
        caption: format!(
            "Units that detect a concept: their regions overlap its outlines by an intersection over union \
             above {} and, where chance was measured, beyond chance; by the category of the concept. A unit \
             may detect several. {}",
            atlas.catalogue.detector(),
            source(atlas)
        ),
        alt: format!(
            "Bars of the number of detectors. {}.",
            groups
                .iter()
                .map(|(name, bars): &(String, Vec<(String, u64)>)| {
                    let bars: Vec<String> = bars.iter().map(|(c, n)| format!("{c} {n}")).collect();
                    format!("{name} ({})", bars.join(", "))
                })
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    let bars = Bars { groups, label: "Units".into() };
    Figure::drawn(words, width, Some(table), |canvas, width| Ok(bars.draw(canvas, width)))
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |c| c.to_uppercase().chain(letters).collect())
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

fn agreement(atlas: &Atlas, width: f64) -> Result<Figure> {
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
    let x = Axis {
        label: "Krippendorff\u{2019}s alpha".into(),
        range,
        ticks: chart::round_ticks(range, 5.0),
    };
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
