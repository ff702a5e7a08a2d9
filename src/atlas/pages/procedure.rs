//! The methods in pictures, drawn from the run itself: a mammogram with its windows and their labels,
//! the layers of each network with those that were dissected, and one patch on its way through one unit.

use serde::Serialize;

use super::parts::{MammogramView, PatchView};
use crate::facts::Atlas;
use crate::facts::paths::{Link, layer_href, network_href, unit_link};
use crate::facts::words;
use crate::inputs::Exhibit;
use crate::{heat, images, text};
use architecture::Architecture;
use record::Patch;
use record::dissection::{Layer, Unit};

#[derive(Serialize)]
pub(super) struct Procedure {
    grid: Option<Grid>,
    chains: Vec<Chain>,
    passage: Option<Passage>,
}

/// The windows of one mammogram.
#[derive(Serialize)]
struct Grid {
    mammogram: MammogramView,
    windows: Vec<Window>,
    cancer: usize,
    /// Half the length of a label's strokes.
    stroke: u32,
    /// One of the windows as a patch, with cancer where there is one.
    example: Option<Example>,
}

/// A window by its centre.
#[derive(Serialize)]
struct Window {
    x: u32,
    y: u32,
    edge: u32,
    centre: [u32; 2],
    positive: bool,
    example: bool,
}

#[derive(Serialize)]
struct Example {
    src: String,
    positive: bool,
}

/// A network from input to output.
#[derive(Serialize)]
struct Chain {
    network: Link,
    input: u32,
    layers: Vec<Step>,
    classes: String,
}

#[derive(Serialize)]
struct Step {
    name: String,
    dissected: Option<Dissected>,
}

#[derive(Serialize)]
struct Dissected {
    href: String,
    units: String,
    map: [u32; 2],
}

/// A patch, a unit's map of it, and what becomes of that.
#[derive(Serialize)]
struct Passage {
    unit: Link,
    patch: PatchView,
    cells: Vec<Cell>,
    /// The cell with the score.
    greatest: Square,
    map: [u32; 2],
    field: String,
    threshold: String,
}

#[derive(Serialize)]
struct Square {
    x: f32,
    y: f32,
    edge: f32,
}

#[derive(Serialize)]
struct Cell {
    at: Square,
    /// From 0 to 1.
    level: f32,
}

pub(super) fn view(atlas: &Atlas) -> Procedure {
    Procedure {
        grid: grid(atlas),
        chains: atlas.inputs.exhibits.iter().map(|exhibit| chain(atlas, exhibit)).collect(),
        passage: passage(atlas),
    }
}

/// Of the mammograms with a picture the one with most patches with cancer, then most patches; one of
/// which a unit shows patches goes first.
fn grid(atlas: &Atlas) -> Option<Grid> {
    let manifest = atlas.inputs.manifest;
    let mut counts = vec![(false, 0usize, 0usize); manifest.mammograms.len()];
    for (n, patch) in (0..).zip(&manifest.patches) {
        let (shown, cancer, all) = &mut counts[patch.mammogram as usize];
        *shown |= atlas.shown.patches.contains(&n);
        *cancer += usize::from(patch.positive);
        *all += 1;
    }
    let pictured = atlas.shown.mammograms.iter().copied();
    let number = pictured
        .filter(|&n| manifest.mammograms[n as usize].preview.is_some() && counts[n as usize].2 > 0)
        .max_by_key(|&n| (counts[n as usize], std::cmp::Reverse(n)))?;
    let own: Vec<(u32, &Patch)> =
        (0..).zip(&manifest.patches).filter(|(_, patch)| patch.mammogram == number).collect();
    let pictured = |n: &u32| atlas.shown.patches.contains(n);
    let example = own
        .iter()
        .filter(|(n, _)| pictured(n))
        .max_by_key(|(n, patch)| (patch.positive, std::cmp::Reverse(*n)));
    Some(Grid {
        mammogram: atlas.mammogram(number),
        cancer: counts[number as usize].1,
        stroke: own.iter().map(|(_, patch)| patch.edge).min().unwrap_or(0) / 14,
        windows: own
            .iter()
            .map(|(n, patch)| Window {
                x: patch.x,
                y: patch.y,
                edge: patch.edge,
                centre: [patch.x + patch.edge / 2, patch.y + patch.edge / 2],
                positive: patch.positive,
                example: example.is_some_and(|(shown, _)| shown == n),
            })
            .collect(),
        example: example.map(|(_, patch)| Example {
            src: images::patch_path(atlas.inputs, patch),
            positive: patch.positive,
        }),
    })
}

fn chain(atlas: &Atlas, exhibit: &Exhibit) -> Chain {
    let network = &exhibit.config.name;
    let step = |name: &str| Step {
        name: name.to_string(),
        dissected: exhibit.layers.iter().find(|layer| layer.layer == name).map(|layer| Dissected {
            href: layer_href(network, &layer.layer),
            units: text::counted(layer.units.len(), "unit", "units"),
            map: layer.map,
        }),
    };
    // Of a network that was recorded only what was recorded is known, whatever it is called.
    let known = exhibit.config.run().and_then(|_| Architecture::find(network).ok());
    let layers = match known {
        Some(architecture) => architecture.layers.iter().map(|name| step(name)).collect(),
        None => exhibit.layers.iter().map(|layer| step(&layer.layer)).collect(),
    };
    Chain {
        network: Link::new(network, network_href(network)),
        input: exhibit.evaluation.input,
        layers,
        classes: atlas.inputs.manifest.classes().join(" or "),
    }
}

/// Of the units whose maps are at hand the one that matches a concept best, and its best patch.
fn passage(atlas: &Atlas) -> Option<Passage> {
    let units =
        atlas.layers().flat_map(|(_, layer)| layer.units.iter().map(move |unit| (layer, unit)));
    let drawn = |unit: &Unit| unit.top.first().is_some_and(|top| !top.overlay.is_empty());
    let mut ranked: Vec<(f32, &Layer, &Unit)> = units
        .filter(|(_, unit)| drawn(unit))
        .map(|(layer, unit)| {
            let best = atlas.entry(layer, unit).best_match();
            (best.map_or(0.0, |best| best.found.iou), layer, unit)
        })
        .collect();
    // A stable sort: equals stay in the order of their pages.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.into_iter().find_map(|(_, layer, unit)| {
        let levels = heat::levels(atlas.inputs, layer, unit, 0)?;
        let top = unit.top.first()?;
        let field = heat::field(atlas.inputs, layer);
        let square = |row: u32, column: u32| {
            let at = |n: u32| field.centre + (n as f32 - 0.5) * field.stride;
            Square { x: at(column), y: at(row), edge: field.stride }
        };
        let cells = (0..).zip(levels).map(|(at, level): (u32, usize)| Cell {
            at: square(at / layer.map[1], at % layer.map[1]),
            level: level as f32 / (heat::LEVELS - 1) as f32,
        });
        Some(Passage {
            unit: unit_link(&atlas.entry(layer, unit).id),
            patch: atlas.patch(1, top, 0.4),
            cells: cells.collect(),
            greatest: square(top.at[0], top.at[1]),
            map: layer.map,
            field: words::seen(layer, atlas.inputs.store.edge()),
            threshold: text::significant(f64::from(unit.threshold)),
        })
    })
}
