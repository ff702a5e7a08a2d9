//! Pictures of units' synthetic images, each beside its unit's page. PNG: what is shown is what the activation on
//! the page was measured of, to the last grey level.

use anyhow::{Context, Result};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use rayon::prelude::*;

use super::inputs::Inputs;
use super::keys::Keys;
use super::site::Writer;
use base::UnitId;
use base::artifact::Fingerprint;
use record::Synthetic;
use record::provenance::SYNTHETIC;

/// Path of a unit's picture in the site.
pub(super) fn path(unit: &UnitId) -> String {
    format!("networks/{unit}/{SYNTHETIC}")
}

/// What became of a unit's image; none where none was asked for.
pub(super) fn of<'a>(inputs: &Inputs<'a>, unit: &UnitId) -> Option<Synthetic<'a>> {
    let layer = format!("{}/{}", unit.network(), unit.layer());
    inputs.visualisations.of(&layer, unit.index() as u32 + 1)
}

/// Units with an image, its grey levels, and its rows and columns.
fn images<'a>(inputs: &Inputs<'a>) -> impl Iterator<Item = (UnitId, &'a [u8], u32)> {
    let layers = inputs.exhibits.iter().flat_map(|exhibit| exhibit.layers);
    let units = layers.flat_map(|layer| {
        layer.units.iter().map(move |unit| UnitId::new(&layer.network, &layer.layer, unit.unit))
    });
    units.filter_map(move |unit| match of(inputs, &unit)? {
        Synthetic::Image { pixels, edge, .. } => Some((unit, pixels, edge)),
        Synthetic::Silent => None,
    })
}

/// Paths of all of them.
pub(super) fn paths(inputs: &Inputs) -> impl Iterator<Item = String> {
    images(inputs).map(|(unit, ..)| path(&unit))
}

/// Encodes those that are not there yet.
pub(super) fn write(inputs: &Inputs, keys: &Keys, writer: &Writer) -> Result<()> {
    let images: Vec<_> = images(inputs).collect();
    images.par_iter().try_for_each(|(unit, pixels, edge)| {
        let path = path(unit);
        let key = keys.picture(&("synthetic", Fingerprint::of_bytes(pixels)));
        writer.write_made_from(&path, key, || {
            encode(pixels, *edge).with_context(|| format!("cannot encode {path}"))
        })
    })
}

fn encode(pixels: &[u8], edge: u32) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(pixels.len());
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Best, FilterType::Adaptive);
    encoder.write_image(pixels, edge, edge, ExtendedColorType::L8)?;
    Ok(bytes)
}
