//! The worked example of the home page: one unit with its best patches, its name, and the place of the first
//! patch in its mammogram.

use serde::Serialize;

use super::parts::{MammogramView, PatchView};
use crate::facts::Atlas;
use crate::facts::paths::unit_href;
use catalogue::{Entry, Source, concept_words};

/// Patches shown.
const PATCHES: usize = 6;
/// Detail of their overlays that is left out, in patch pixels.
const TOLERANCE: f32 = 0.4;

/// A unit as an example of all.
#[derive(Serialize)]
pub(super) struct Example {
    /// `vgg16/conv5_3/0063`
    unit: String,
    href: String,
    /// What it is called; empty where it has no name.
    name: String,
    /// Who calls it so: `consensus`, `readers`, `unrecognizable`, `machine`, `automatic` or `none`.
    source: &'static str,
    /// Whether it detects a concept.
    detects: bool,
    /// Its best match with its intersection over union, where it detects none but meets an outline.
    nearest: Option<[String; 2]>,
    patches: Vec<PatchView>,
    /// Where the first patch lies; none where there are only patches.
    whole: Option<Whole>,
}

/// A mammogram with a window.
#[derive(Serialize)]
struct Whole {
    mammogram: MammogramView,
    /// Left, top and edge in the mammogram's pixels.
    x: u32,
    y: u32,
    edge: u32,
}

/// The unit that detects a concept with the highest intersection over union; where none detects anything, the
/// live one that comes closest. None where no unit is live.
pub(super) fn example(atlas: &Atlas) -> Option<Example> {
    let live = || atlas.catalogue.units().filter(|entry| entry.kind.is_live());
    let detected = |entry: &&Entry| entry.best_detection().map(|found| found.found.iou);
    let matched = |entry: &&Entry| entry.best_match().map_or(0.0, |found| found.found.iou);
    let detector = best(live().filter(|entry| detected(entry).is_some()), |entry| {
        detected(entry).unwrap_or_default()
    });
    let entry = detector.or_else(|| best(live(), matched))?;
    let detects = detector.is_some();
    let nearest = entry.best_match().filter(|found| !detects && found.found.iou > 0.0);
    let nearest = nearest.map(|found| {
        let words = concept_words(&found.concept.id, atlas.inputs.lexicons);
        [words, format!("{:.2}", found.found.iou)]
    });
    let top = entry.record.top.iter().take(PATCHES).enumerate();
    Some(Example {
        unit: entry.id.to_string(),
        href: unit_href(&entry.id),
        name: match entry.name.source() {
            Source::Unrecognizable => entry.name.to_string(),
            _ => entry.name.in_sentence().unwrap_or_default(),
        },
        source: entry.name.source().id(),
        detects,
        nearest,
        patches: top.map(|(at, top)| atlas.patch(at + 1, top, TOLERANCE)).collect(),
        whole: entry.record.top.first().and_then(|top| {
            let patch = &atlas.inputs.manifest.patches[top.patch as usize];
            let mammogram = atlas.mammogram(patch.mammogram);
            let (x, y, edge) = (patch.x, patch.y, patch.edge);
            mammogram.preview.is_some().then_some(Whole { mammogram, x, y, edge })
        }),
    })
}

/// The entry with the greatest value; of equals the first.
fn best<'b, 'a: 'b>(
    entries: impl Iterator<Item = &'b Entry<'a>>,
    value: impl Fn(&&'b Entry<'a>) -> f32,
) -> Option<&'b Entry<'a>> {
    entries.fold(None, |best: Option<&Entry>, entry| match best {
        Some(first) if value(&first) >= value(&entry) => best,
        _ => Some(entry),
    })
}
