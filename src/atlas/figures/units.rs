//! Units: the patches of one, and several with what they are called.

use anyhow::{Context, Result, ensure};

use super::{Ready, TOLERANCE, source};
use crate::facts::Atlas;
use crate::{outline, text};
use base::UnitId;
use catalogue::{Entry, Source};
use config::figures::{Format, Kind};
use figure::{Anchor, Column, Figure, Row, Table, Thumb, Words};
use record::dissection::TopPatch;

/// Rows of a table of units that were not chosen one by one.
const MOST_ROWS: usize = 12;

fn find<'b, 'a>(atlas: &'b Atlas<'a>, unit: &UnitId) -> Result<&'b Entry<'a>> {
    atlas.catalogue.get(unit).with_context(|| {
        let known = atlas.catalogue.layers().iter().map(|layer| {
            let record = layer.record;
            format!("{}/{} with {} units", record.network, record.layer, layer.units.len())
        });
        let known: Vec<String> = known.collect();
        format!("{unit} is not a unit of this atlas; it has {}", text::and(&known))
    })
}

fn thumb(atlas: &Atlas, top: &TopPatch) -> Thumb {
    let inputs = atlas.inputs;
    let patch = &inputs.manifest.patches[top.patch as usize];
    let micron = inputs.manifest.member(patch).mammogram.micron;
    Thumb {
        pixels: inputs.store.pixels(top.patch).to_vec(),
        edge: inputs.store.edge(),
        overlay: outline::compact(&top.overlay, TOLERANCE),
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

pub(super) fn of_unit(
    atlas: &Atlas,
    name: &UnitId,
    patches: usize,
    columns: usize,
    width: f64,
) -> Result<Figure> {
    let entry = find(atlas, name)?;
    let (found, label) = (entry.record, entry.name.to_string());
    ensure!(entry.kind.is_live(), "{name} is dead or constant: it has no top patches");
    let split = atlas.catalogue.layer(name.network(), name.layer());
    let split = split.map(|layer| layer.record.split.to_string()).unwrap_or_default();
    let tops: Vec<&TopPatch> = found.top.iter().take(patches).collect();
    let manifest = atlas.inputs.manifest;
    let positive = |top: &TopPatch| manifest.patches[top.patch as usize].positive;
    let cancer = tops.iter().filter(|top| positive(top)).count();
    let called = match entry.name.source() {
        Source::Consensus => format!(", which the authors call \u{201c}{label}\u{201d}"),
        Source::Readers => format!(", which readers call \u{201c}{label}\u{201d}"),
        Source::Unrecognizable => format!(", in which readers see {label}"),
        Source::Machine | Source::Automatic => format!(" ({label})"),
        Source::None => String::new(),
    };
    let measured = tops.iter().any(|top| {
        manifest.member(&manifest.patches[top.patch as usize]).mammogram.micron.is_some()
    });
    let words = Words {
        title: if label.is_empty() { name.to_string() } else { format!("{name}: {label}") },
        caption: format!(
            "The {} of the {} split with the highest scores of unit {name}{called}. Outlined is where \
             its activation exceeds the threshold {}. Below each patch its score, and whether it \
             counts as cancer.{} {}",
            text::counted(tops.len(), "patch", "patches"),
            split,
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
fn selection<'b>(atlas: &'b Atlas) -> &'b [UnitId] {
    let units = atlas.tabled();
    &units[..units.len().min(MOST_ROWS)]
}

/// The table of the BI-RADS page.
pub(super) fn ready(atlas: &Atlas) -> Option<Ready> {
    let kind = Kind::Table { units: Vec::new(), patches: 4 };
    // As pixels, its patches would be in the site three times more.
    let formats = vec![Format::Pdf, Format::Tex, Format::Csv];
    (!selection(atlas).is_empty()).then(|| Ready::of_formats("Table of units", kind, formats))
}

pub(super) fn of_units(
    atlas: &Atlas,
    units: &[UnitId],
    patches: usize,
    width: f64,
) -> Result<Figure> {
    let chosen = if units.is_empty() { selection(atlas) } else { units };
    ensure!(
        !chosen.is_empty(),
        "no unit has a label or detects a concept; name units, as in `figure table UNIT…`"
    );
    let mut rows = Vec::new();
    for name in chosen {
        let entry = find(atlas, name)?;
        let dash = |words: String| if words.is_empty() { "–".into() } else { words };
        rows.push(Row {
            cells: vec![dash(entry.figure_4()), dash(entry.name.to_string()), name.to_string()],
            patches: thumbs(atlas, &entry.record.top.iter().take(patches).collect::<Vec<_>>()),
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
