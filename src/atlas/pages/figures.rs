//! What each kind of figure shows: the numbers and words of the pages, as drawings and tables for
//! papers.

use anyhow::{Context, Result, bail, ensure};

use super::agreement::{Cell, lists};
use super::birads;
use super::layer::detects;
use super::{Atlas, auc_view, best_concept, category_word, performance, unit};
use crate::atlas::{Exhibit, chart, text};
use crate::config::figures::{Format, Kind, Look, Wanted};
use crate::dissection::record::{Category, Layer, TopPatch, Unit, unit_name};
use crate::figure::plot::{Axis, Bars, Estimate, Forest, Legend, Lines, Series};
use crate::figure::{Anchor, Column, Figure, Row, Table, Thumb, Words};
use crate::study::agreement::{Coefficient, Estimate as Coefficiency};

/// Detail of overlays that print does not show, in patch pixels.
const TOLERANCE: f32 = 0.4;
/// Rows of a table of units that were not chosen one by one.
const MOST_ROWS: usize = 12;
/// Kinds of concepts that a unit may detect.
const CATEGORIES: [Category; 3] = [Category::Pathology, Category::Finding, Category::Region];

/// Draws one.
///
/// # Errors
/// When the atlas does not have what it is to show.
pub(in crate::atlas) fn figure(atlas: &Atlas, wanted: &Wanted) -> Result<Figure> {
    let width = wanted.look.width;
    match &wanted.kind {
        Kind::Unit { unit, patches, columns } => of_unit(atlas, unit, *patches, *columns, width),
        Kind::Table { units, patches } => of_units(atlas, units, *patches, width),
        Kind::Roc => roc(atlas, width),
        Kind::Performance => performance(atlas, width),
        Kind::Concepts => concepts(atlas, width),
        Kind::Agreement => agreement(atlas, width),
        Kind::Training { network } => training(atlas, network.as_deref(), width),
    }
}

/// Folder of the ready-made figures in the site.
const FOLDER: &str = "figures";

/// The figures that the site has ready-made: those of pages that show their numbers. A unit has none:
/// with a figure each, the site would be several times as large.
pub(in crate::atlas) fn ready_made(atlas: &Atlas) -> Vec<Wanted> {
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
    if !selection(atlas).is_empty() {
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
        let look = Look { width: kind.width(), dpi: crate::config::figures::DPI, formats };
        Wanted { name: kind.stem(), kind, look }
    };
    kinds.into_iter().map(wanted).collect()
}

/// Path of a ready-made file in the site.
pub(in crate::atlas) fn path(file: &str) -> String {
    format!("{FOLDER}/{file}")
}

/// A downloadable figure of a page.
#[derive(Debug, Clone, serde::Serialize)]
pub(super) struct Download {
    title: String,
    /// Format in capitals, and the file.
    files: Vec<(String, String)>,
}

/// The ready-made figures that `of` picks.
pub(super) fn downloads(atlas: &Atlas, of: impl Fn(&Kind) -> bool) -> Vec<Download> {
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
                Kind::Unit { unit, .. } => unit.clone(),
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

type Found<'a> = (&'a Exhibit<'a>, &'a Layer, &'a Unit);

fn find<'a>(atlas: &Atlas<'a>, name: &str) -> Result<Found<'a>> {
    let layers = || atlas.layers();
    for (exhibit, layer) in layers() {
        for unit in &layer.units {
            if unit_name(&exhibit.config.name, &layer.layer, unit.unit) == name {
                return Ok((exhibit, layer, unit));
            }
        }
    }
    let known: Vec<String> = layers()
        .map(|(exhibit, layer)| {
            format!("{}/{} with {} units", exhibit.config.name, layer.layer, layer.units.len())
        })
        .collect();
    bail!("{name} is not a unit of this atlas; it has {}", text::and(&known))
}

fn thumb(atlas: &Atlas, top: &TopPatch) -> Thumb {
    let inputs = atlas.inputs;
    let patch = &inputs.manifest.patches[top.patch as usize];
    let micron = inputs.manifest.member(patch).mammogram.micron;
    Thumb {
        pixels: inputs.store.pixels(top.patch).to_vec(),
        edge: inputs.store.edge(),
        overlay: crate::atlas::outline::compact(&top.overlay, TOLERANCE),
        millimetres: micron.map(|micron| micron * f64::from(patch.edge) / 1000.0),
    }
}

/// Patches of a row. The first has a scale bar, and so has each of another scale.
fn thumbs(atlas: &Atlas, tops: &[&TopPatch]) -> Vec<Thumb> {
    let mut thumbs: Vec<Thumb> = tops.iter().map(|top| thumb(atlas, top)).collect();
    if let Some((first, rest)) = thumbs.split_first_mut()
        && let Some(scale) = first.millimetres
    {
        for thumb in rest {
            thumb.millimetres = thumb.millimetres.filter(|mm| (mm / scale - 1.0).abs() > 0.005);
        }
    }
    thumbs
}

fn of_unit(
    atlas: &Atlas,
    name: &str,
    patches: usize,
    columns: usize,
    width: f64,
) -> Result<Figure> {
    let (_, layer, found) = find(atlas, name)?;
    let (label, from) = atlas.call(name, best_concept(layer, found));
    let tops: Vec<&TopPatch> = found.top.iter().take(patches).collect();
    let manifest = atlas.inputs.manifest;
    let positive = |top: &TopPatch| manifest.patches[top.patch as usize].positive;
    let cancer = tops.iter().filter(|top| positive(top)).count();
    let called = match from {
        "consensus" => format!(", which the authors call \u{201c}{label}\u{201d}"),
        "reader" => format!(", which readers call \u{201c}{label}\u{201d}"),
        "concept" => format!(", a detector of {label}"),
        _ => String::new(),
    };
    let measured = tops.iter().any(|top| {
        manifest.member(&manifest.patches[top.patch as usize]).mammogram.micron.is_some()
    });
    let words = Words {
        title: if label.is_empty() { name.into() } else { format!("{name}: {label}") },
        caption: format!(
            "The {} of the {} split with the highest scores of unit {name}{called}. Outlined is where \
             its activation exceeds the threshold {}. Below each patch its score, and whether it \
             counts as cancer.{} {}",
            text::counted(tops.len(), "patch", "patches"),
            layer.split,
            text::significant(f64::from(found.threshold)),
            if measured {
                " Scale bars follow from the stated resolution; a patch without one has the scale of the \
             first of its row."
            } else {
                ""
            },
            source(atlas),
        ),
        alt: format!(
            "{} of mammograms in a grid, {cancer} of them with cancer; scores from {} to {}. Yellow \
             outlines mark where unit {name} responds{called}.",
            text::counted(tops.len(), "patch", "patches"),
            tops.first().map_or("–".into(), |top| text::significant(f64::from(top.score))),
            tops.last().map_or("–".into(), |top| text::significant(f64::from(top.score))),
        ),
    };
    let title = words.title.clone();
    let table = Table {
        columns: vec![
            Column::numbers("Rank"),
            Column::words("Patch"),
            Column::numbers("Score"),
            Column::words("Counts as"),
        ],
        rows: tops
            .iter()
            .enumerate()
            .map(|(at, top)| Row {
                cells: vec![
                    (at + 1).to_string(),
                    manifest.patch_name(&manifest.patches[top.patch as usize]),
                    text::significant(f64::from(top.score)),
                    if positive(top) { "cancer" } else { "no cancer" }.into(),
                ],
                patches: Vec::new(),
            })
            .collect(),
        patches: String::new(),
    };
    Figure::drawn(words, width, Some(table), |canvas, width| {
        let columns = columns.min(tops.len()).max(1);
        let gap = 4.0;
        let edge = (width - gap * (columns - 1) as f64) / columns as f64;
        ensure!(edge >= 12.0, "{columns} patches do not fit into a row; ask for fewer columns");
        let mut y = canvas.lines([0.0, 0.0], width, 8.0, &title) + 3.0;
        let size = (edge / 10.0).clamp(4.0, 6.5);
        for row in tops.chunks(columns) {
            for (at, (top, thumb)) in row.iter().zip(thumbs(atlas, row)).enumerate() {
                let x = at as f64 * (edge + gap);
                canvas.thumb([x, y], edge, &thumb)?;
                let score = text::significant(f64::from(top.score));
                let base = y + edge + 1.1 * size;
                canvas.text([x, base], size, Anchor::Start, &score);
                let says = if positive(top) { "cancer" } else { "no cancer" };
                canvas.text([x + edge, base], size, Anchor::End, says);
            }
            y += edge + 1.7 * size + 3.0;
        }
        Ok(y - 3.0)
    })
}

/// The units of the BI-RADS table: settled ones, those that readers described, or the best detectors.
fn selection<'b>(atlas: &'b Atlas) -> &'b [String] {
    atlas.tabled.get_or_init(|| {
        let mut names: Vec<String> = Vec::new();
        for name in birads::view(atlas).names() {
            if find(atlas, &name).is_ok() && !names.contains(&name) {
                names.push(name);
            }
        }
        names.truncate(MOST_ROWS);
        names
    })
}

fn of_units(atlas: &Atlas, units: &[String], patches: usize, width: f64) -> Result<Figure> {
    let chosen = if units.is_empty() { selection(atlas) } else { units };
    ensure!(
        !chosen.is_empty(),
        "no unit has a label or detects a concept; name units, as in `figure table UNIT…`"
    );
    let mut rows = Vec::new();
    for name in chosen {
        let (_, layer, found) = find(atlas, name)?;
        let (label, _) = atlas.call(name, best_concept(layer, found));
        let categories = unit::categories(atlas, layer, found, name);
        let dash = |words: String| if words.is_empty() { "–".into() } else { words };
        rows.push(Row {
            cells: vec![dash(categories.join(", ")), dash(label), name.clone()],
            patches: thumbs(atlas, &found.top.iter().take(patches).collect::<Vec<_>>()),
        });
    }
    let words = Words {
        title: "Units and what they show".into(),
        caption: format!(
            "Units of the networks with what they are called: the BI-RADS category, the annotation, \
             the unit (network, layer, number), and the patches with its highest scores, outlined \
             where its activation exceeds its threshold. {}",
            source(atlas)
        ),
        alt: format!(
            "Table of {}: {}.",
            text::counted(rows.len(), "unit", "units"),
            rows.iter()
                .map(|row| format!("{}, {}", row.cells[2], row.cells[1]))
                .collect::<Vec<_>>()
                .join("; ")
        ),
    };
    let table = Table {
        columns: ["BI-RADS category", "Annotation", "Unit"].map(Column::words).into(),
        rows,
        patches: "Patches with the highest scores".into(),
    };
    Figure::table(words, width, table)
}

/// From 0 to 1.
fn shares(label: &str) -> Axis {
    Axis { label: label.into(), range: [0.0, 1.0], ticks: chart::round_ticks([0.0, 1.0], 5.0) }
}

fn roc(atlas: &Atlas, width: f64) -> Result<Figure> {
    let curves = performance::curves(atlas);
    ensure!(!curves.is_empty(), "no network was evaluated on patches of both classes");
    let named: Vec<String> = curves.iter().map(|(name, _)| name.clone()).collect();
    let split = performance::splits(atlas);
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
    let view = performance::view(atlas);
    let rows: Vec<Row> = view
        .rows
        .iter()
        .map(|row| Row {
            cells: vec![
                row.name.clone(),
                row.auc.as_ref().map_or("–".into(), |auc| {
                    format!("{} ({}–{})", auc.value, auc.low, auc.high)
                }),
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
    let comparable = match view.comparable {
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
            view.split,
            view.resamples,
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
    for title in ["Detectors", "Beyond chance", "Concepts"] {
        table.columns.push(Column::numbers(title));
    }
    let mut groups = Vec::new();
    for (exhibit, layer) in atlas.layers() {
        let detected: Vec<_> = layer
            .units
            .iter()
            .filter_map(|unit| best_concept(layer, unit))
            .filter(|(_, iou)| *iou > atlas.detector())
            .map(|(concept, _)| concept)
            .collect();
        let counts = CATEGORIES
            .map(|category| detected.iter().filter(|c| c.category == category).count() as u64);
        let mut distinct: Vec<&str> = detected.iter().map(|c| c.id.as_str()).collect();
        distinct.sort_unstable();
        distinct.dedup();
        let beyond = match layer.permutations {
            0 => "–".into(),
            _ => {
                text::count(layer.units.iter().filter(|u| detects(atlas, layer, u)).count() as u64)
            }
        };
        let name = format!("{}/{}", exhibit.config.name, layer.layer);
        let mut cells = vec![name.clone(), text::count(layer.units.len() as u64)];
        cells.extend(counts.map(text::count));
        cells.extend([
            text::count(detected.len() as u64),
            beyond,
            text::count(distinct.len() as u64),
        ]);
        table.rows.push(Row { cells, patches: Vec::new() });
        let bars = CATEGORIES.map(category_word).map(String::from).into_iter().zip(counts);
        groups.push((
            format!("{name}: {} of {} units", detected.len(), layer.units.len()),
            bars.collect(),
        ));
    }
    ensure!(!groups.is_empty(), "no layer is dissected");
    let words = Words {
        title: "Detectors per layer and category".into(),
        caption: format!(
            "Units whose best concept they overlap with by an IoU above {}, by the category of that \
             concept. {}",
            atlas.detector(),
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
        let shown = crate::study::report::round;
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

fn training(atlas: &Atlas, network: Option<&str>, width: f64) -> Result<Figure> {
    let exhibits = atlas.inputs.exhibits.iter();
    let trained: Vec<&Exhibit> = exhibits
        .filter(|exhibit| network.is_none_or(|name| exhibit.config.name == name))
        .filter(|exhibit| exhibit.history.len() > 1)
        .collect();
    let first = trained.first().with_context(|| match network {
        Some(name) => format!("{name} was not trained here for more than one epoch"),
        None => "no network was trained here for more than one epoch".into(),
    })?;
    let split = first.evaluation.split;
    let told: Vec<String> = trained
        .iter()
        .map(|exhibit| {
            let kept = exhibit.evaluation.best_epoch;
            let kept = kept.map_or(String::new(), |epoch| format!(", epoch {epoch} was kept"));
            let auc = auc_view(exhibit);
            let auc = auc
                .map_or(String::new(), |auc| format!(", AUC on the {split} split {}", auc.value));
            format!("{}: {} epochs{kept}{auc}", exhibit.config.name, exhibit.history.len())
        })
        .collect();
    let words = Words {
        title: "Training".into(),
        caption: format!(
            "Training by epoch. Left the cross-entropy on the training patches as they were met and \
             on the validation patches, right the validation accuracy and AUC. {}. {}",
            told.join("; "),
            source(atlas)
        ),
        alt: format!("Curves of loss, accuracy and AUC over the epochs. {}.", told.join("; ")),
    };
    let table = Table {
        columns: vec![
            Column::words("Network"),
            Column::numbers("Epoch"),
            Column::numbers("Learning rate"),
            Column::numbers("Training loss"),
            Column::numbers("Training accuracy"),
            Column::numbers("Validation loss"),
            Column::numbers("Validation accuracy"),
            Column::numbers("Validation AUC"),
        ],
        rows: trained
            .iter()
            .flat_map(|exhibit| exhibit.history.iter().map(move |epoch| (exhibit, epoch)))
            .map(|(exhibit, epoch)| Row {
                cells: vec![
                    exhibit.config.name.clone(),
                    epoch.epoch.to_string(),
                    text::significant(epoch.lr),
                    format!("{:.4}", epoch.loss),
                    format!("{:.3}", epoch.accuracy),
                    format!("{:.4}", epoch.validation_loss),
                    format!("{:.3}", epoch.validation_accuracy),
                    epoch.validation_auc.map_or_else(|| "–".into(), |auc| format!("{auc:.3}")),
                ],
                patches: Vec::new(),
            })
            .collect(),
        patches: String::new(),
    };
    Figure::drawn(words, width, Some(table), |canvas, width| {
        let gap = 14.0;
        let half = (width - gap) / 2.0;
        let mut y = 0.0;
        for exhibit in &trained {
            y = canvas.lines([0.0, y], width, 8.0, &exhibit.config.name) + 3.0;
            let [loss, quality] = epochs(exhibit);
            let left = loss.draw(canvas, [0.0, y], half);
            let right = quality.draw(canvas, [half + gap, y], half);
            y += left.max(right) + 4.0;
        }
        Ok(y - 4.0)
    })
}

/// Loss, and accuracy with AUC, over the epochs.
fn epochs(exhibit: &Exhibit) -> [Lines; 2] {
    let points = |value: fn(&crate::training::record::Epoch) -> Option<f64>| {
        let epochs = exhibit.history.iter();
        epochs.filter_map(|e| Some([f64::from(e.epoch), value(e)?])).collect::<Vec<_>>()
    };
    let last = exhibit.history.last().map_or(1, |epoch| epoch.epoch);
    let lines = |label: &str, series: Vec<(&str, Vec<[f64; 2]>)>| {
        let x = [1.0, f64::from(last)];
        let values = series.iter().flat_map(|(_, points)| points).map(|point| point[1]);
        let values = values.filter(|value| value.is_finite());
        let [low, high] =
            values.fold([f64::INFINITY, f64::NEG_INFINITY], |[l, h], v| [l.min(v), h.max(v)]);
        let margin = if high > low { 0.06 * (high - low) } else { 0.5 };
        let y = if low <= high { [low - margin, high + margin] } else { [0.0, 1.0] };
        let whole = chart::round_ticks(x, 6.0);
        Lines {
            x: Axis {
                label: "Epoch".into(),
                range: x,
                ticks: whole.into_iter().filter(|(value, _)| value.fract() == 0.0).collect(),
            },
            y: Axis { label: label.into(), range: y, ticks: chart::round_ticks(y, 4.0) },
            series: series
                .into_iter()
                .map(|(label, points)| Series { label: label.into(), points })
                .collect(),
            guide: Vec::new(),
            legend: Legend::Below,
            aspect: 0.65,
        }
    };
    [
        lines(
            "Cross-entropy",
            vec![
                ("training", points(|e| Some(e.loss))),
                ("validation", points(|e| Some(e.validation_loss))),
            ],
        ),
        lines(
            "Validation",
            vec![
                ("AUC", points(|e| e.validation_auc)),
                ("accuracy", points(|e| Some(e.validation_accuracy))),
            ],
        ),
    ]
}
