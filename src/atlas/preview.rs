//! One picture per unit for links to it in other places (OpenGraph, Twitter), where the atlas is
//! published: its best patches, dim outside their overlays, as its page shows them.

use anyhow::{Context, Result};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, GrayImage, Luma};
use rayon::prelude::*;

use super::keys::Keys;
use super::site::Writer;
use super::{Inputs, outline};
use base::UnitId;
use record::dissection::{TopPatch, Unit};

/// Size in pixels: twice as wide as high, as large cards are shown.
pub(super) const SIZE: [u32; 2] = [600, 300];
/// Patches in a row, and edge of each.
const ACROSS: u32 = 4;
const EDGE: u32 = SIZE[0] / ACROSS;
const COUNT: usize = (ACROSS * SIZE[1] / EDGE) as usize;
const QUALITY: u8 = 80;
/// What is left of a patch's brightness outside its overlay.
const DIM: f32 = 0.42;

/// Path of a unit's picture in the site.
pub(super) fn path(unit: &UnitId) -> String {
    format!("embed/{unit}.jpg")
}

fn units<'a>(inputs: &'a Inputs) -> impl Iterator<Item = (UnitId, &'a Unit)> {
    let layers = inputs.exhibits.iter().flat_map(|e| e.layers.iter().map(move |l| (e, l)));
    let published = inputs.config.base_url.is_some();
    layers.filter(move |_| published).flat_map(|(exhibit, layer)| {
        let network = &exhibit.config.name;
        layer.units.iter().map(move |u| (UnitId::new(network, &layer.layer, u.unit), u))
    })
}

/// Paths of all of them; none where the atlas has no address.
pub(super) fn paths(inputs: &Inputs) -> impl Iterator<Item = String> {
    units(inputs).map(|(name, _)| path(&name))
}

/// Draws those that are not there yet.
pub(super) fn write(inputs: &Inputs, keys: &Keys, writer: &Writer) -> Result<()> {
    let units: Vec<(UnitId, &Unit)> = units(inputs).collect();
    units.par_iter().try_for_each(|(name, unit)| {
        let shown: Vec<(u32, &str)> =
            unit.top.iter().take(COUNT).map(|top| (top.patch, top.overlay.as_str())).collect();
        let key = keys.picture(&("preview", SIZE, QUALITY, shown));
        writer.write_made_from(&path(name), key, || draw(inputs, unit))
    })
}

fn draw(inputs: &Inputs, unit: &Unit) -> Result<Vec<u8>> {
    let mut picture = GrayImage::new(SIZE[0], SIZE[1]);
    for (at, top) in (0..).zip(unit.top.iter().take(COUNT)) {
        let patch = patch(inputs, top)?;
        let (x, y) = (at % ACROSS * EDGE, at / ACROSS * EDGE);
        imageops::replace(&mut picture, &patch, i64::from(x), i64::from(y));
    }
    let mut bytes = Vec::with_capacity(32 << 10);
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode(
        picture.as_raw(),
        SIZE[0],
        SIZE[1],
        ExtendedColorType::L8,
    )?;
    Ok(bytes)
}

fn patch(inputs: &Inputs, top: &TopPatch) -> Result<GrayImage> {
    let edge = inputs.store.edge();
    let pixels = inputs.store.pixels(top.patch).to_vec();
    let whole = GrayImage::from_raw(edge, edge, pixels).context("a patch has another size")?;
    // One pixel remains black between neighbours.
    let inner = EDGE - 1;
    let mut shown = imageops::resize(&whole, inner, inner, FilterType::Triangle);
    let inside = outline::filled(&top.overlay, inner, inner as f32 / edge as f32);
    let n = inner as usize;
    for (at, Luma([value])) in shown.pixels_mut().enumerate() {
        let (x, y) = (at % n, at / n);
        let differs = |other: usize| inside[other] != inside[at];
        let rim = (x > 0 && differs(at - 1))
            || (x + 1 < n && differs(at + 1))
            || (y > 0 && differs(at - n))
            || (y + 1 < n && differs(at + n));
        *value = match (rim, inside[at]) {
            (true, _) => 255,
            (false, true) => *value,
            (false, false) => (f32::from(*value) * DIM) as u8,
        };
    }
    Ok(shown)
}
