//! Pictures of the site: each patch once, each mammogram in context once, and only those that a
//! page shows.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

use super::Inputs;
use super::site::Writer;
use crate::artifact::Fingerprint;
use crate::patch::Patch;

/// Quality of the patches' JPEG, out of 100: fine calcifications survive it.
pub(super) const QUALITY: u8 = 88;

/// The pictures that the units and the data page show.
pub(super) struct Pictures<'a> {
    inputs: &'a Inputs<'a>,
    patches: BTreeSet<u32>,
    mammograms: BTreeSet<u32>,
}

/// Path of a patch's picture in the site.
pub(super) fn patch_path(inputs: &Inputs, patch: &Patch) -> String {
    format!("patches/{}.jpg", inputs.manifest.patch_name(patch))
}

/// Path of a mammogram's picture in the site.
pub(super) fn mammogram_path(id: &str) -> String {
    format!("mammograms/{id}.jpg")
}

impl<'a> Pictures<'a> {
    /// Every patch that a unit shows, the mammograms that they were cut from, and those of the data
    /// page's contact sheet.
    pub(super) fn of(inputs: &'a Inputs<'a>) -> Self {
        let patches: BTreeSet<u32> = inputs
            .exhibits
            .iter()
            .flat_map(|exhibit| exhibit.layers)
            .flat_map(|layer| &layer.units)
            .flat_map(|unit| unit.shown().map(|top| top.patch))
            .collect();
        let mammograms = patches.iter().map(|&n| inputs.manifest.patches[n as usize].mammogram);
        let mut mammograms: BTreeSet<u32> = mammograms.collect();
        mammograms.extend(super::pages::sheet(inputs.manifest));
        // There are only patches of some.
        mammograms.retain(|&n| inputs.manifest.mammograms[n as usize].preview.is_some());
        Self { inputs, patches, mammograms }
    }

    /// Paths of all pictures.
    pub(super) fn paths(&self) -> impl Iterator<Item = String> {
        let manifest = self.inputs.manifest;
        let patches =
            self.patches.iter().map(|&n| patch_path(self.inputs, &manifest.patches[n as usize]));
        let mammograms = self
            .mammograms
            .iter()
            .map(|&n| mammogram_path(&manifest.mammograms[n as usize].mammogram.id));
        patches.chain(mammograms)
    }

    /// Encodes the patches and copies the mammograms.
    pub(super) fn write(&self, writer: &Writer) -> Result<()> {
        let manifest = self.inputs.manifest;
        let edge = self.inputs.store.edge();
        self.patches.par_iter().try_for_each(|&number| {
            let pixels = self.inputs.store.pixels(number);
            let path = patch_path(self.inputs, &manifest.patches[number as usize]);
            let source = Fingerprint::of(&(
                "jpeg",
                QUALITY,
                edge,
                env!("CARGO_PKG_VERSION"),
                Fingerprint::of_bytes(pixels),
            ));
            writer.write_made_from(&path, source, || {
                let mut bytes = Vec::with_capacity(16 << 10);
                JpegEncoder::new_with_quality(&mut bytes, QUALITY)
                    .encode(pixels, edge, edge, ExtendedColorType::L8)
                    .with_context(|| format!("cannot encode {path}"))?;
                Ok(bytes)
            })
        })?;
        self.mammograms.par_iter().try_for_each(|&number| {
            let id = &manifest.mammograms[number as usize].mammogram.id;
            let preview = self.inputs.previews.join(format!("{id}.jpg"));
            let bytes = fs_err::read(&preview).with_context(|| {
                format!("mammogram {id} has no preview; run `prepare` to make it again")
            })?;
            writer.write(&mammogram_path(id), &bytes)
        })
    }
}
