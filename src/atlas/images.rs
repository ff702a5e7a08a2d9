//! Pictures of the site: each patch once, each mammogram in context once, and only those that a
//! page shows.

use std::collections::BTreeSet;

use anyhow::{Context, Result};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;
use rayon::prelude::*;

use super::facts::sheet;
use super::inputs::Inputs;
use super::keys::Keys;
use super::site::Writer;
use catalogue::cases;
use mammogram::Grey;
use record::{Member, Patch};

/// Quality of the patches' JPEG, out of 100: fine calcifications survive it.
pub(super) const QUALITY: u8 = 88;

/// The patches and mammograms that pages show, as numbers in the manifest.
pub(super) struct Shown {
    /// Every patch that a unit or a case shows.
    pub(super) patches: BTreeSet<u32>,
    /// The mammograms that they were cut from, and those of the data page's contact sheet.
    pub(super) mammograms: BTreeSet<u32>,
}

/// Path of a patch's picture in the site.
pub(super) fn patch_path(inputs: &Inputs, patch: &Patch) -> String {
    format!("patches/{}.jpg", inputs.manifest.patch_name(patch))
}

/// A patch's picture: its pixels as JPEG.
pub(super) fn encode(pixels: &[u8], edge: u32) -> Result<Vec<u8>> {
    encoded(pixels, [edge, edge])
}

/// An image as JPEG.
pub(super) fn jpeg(image: &Grey) -> Result<Vec<u8>> {
    encoded(&image.pixels, [image.width, image.height])
}

fn encoded(pixels: &[u8], [width, height]: [u32; 2]) -> Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(16 << 10);
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, QUALITY);
    encoder.encode(pixels, width, height, ExtendedColorType::L8)?;
    Ok(bytes)
}

/// Path of a mammogram's picture in the site.
pub(super) fn mammogram_path(id: &str) -> String {
    format!("mammograms/{id}.jpg")
}

impl Shown {
    /// What the pages of these inputs show.
    pub(super) fn of(inputs: &Inputs) -> Self {
        let mut seen = vec![false; inputs.manifest.patches.len()];
        let units =
            inputs.exhibits.iter().flat_map(|exhibit| exhibit.layers).flat_map(|l| &l.units);
        for top in units.flat_map(|unit| unit.shown()) {
            seen[top.patch as usize] = true;
        }
        let cases =
            cases(inputs.explanations, inputs.manifest, &inputs.config.cases, inputs.config.seed);
        for case in cases {
            seen[case.explained.patch as usize] = true;
        }
        let patches: BTreeSet<u32> =
            (0..).zip(seen).filter(|(_, seen)| *seen).map(|p| p.0).collect();
        let cut_from = patches.iter().map(|&n| inputs.manifest.patches[n as usize].mammogram);
        let mut mammograms: BTreeSet<u32> = cut_from.collect();
        mammograms.extend(sheet::sheet(inputs.manifest));
        Self { patches, mammograms }
    }

    /// Mammograms with a picture; there are only patches of the others.
    pub(super) fn members<'a>(&'a self, inputs: &'a Inputs) -> impl Iterator<Item = &'a Member> {
        let members = &inputs.manifest.mammograms;
        let whole = self.mammograms.iter().map(|&n| &members[n as usize]);
        whole.filter(|m| m.preview.is_some())
    }

    /// Their ids.
    fn whole<'a>(&'a self, inputs: &'a Inputs) -> impl Iterator<Item = &'a str> {
        self.members(inputs).map(|member| member.mammogram.id.as_str())
    }

    /// Paths of all pictures.
    pub(super) fn paths<'a>(&'a self, inputs: &'a Inputs) -> impl Iterator<Item = String> {
        let patches = &inputs.manifest.patches;
        let patches = self.patches.iter().map(|&n| patch_path(inputs, &patches[n as usize]));
        patches.chain(self.whole(inputs).map(mammogram_path))
    }

    /// Encodes the patches and copies the mammograms.
    pub(super) fn write(&self, inputs: &Inputs, keys: &Keys, writer: &Writer) -> Result<()> {
        let edge = inputs.store.edge();
        let numbers: Vec<u32> = self.patches.iter().copied().collect();
        numbers.par_iter().try_for_each(|&number| {
            let path = patch_path(inputs, &inputs.manifest.patches[number as usize]);
            let key = keys.picture(&("jpeg", QUALITY, number));
            writer.write_made_from(&path, key, || {
                encode(inputs.store.pixels(number), edge)
                    .with_context(|| format!("cannot encode {path}"))
            })
        })?;
        let whole: Vec<&str> = self.whole(inputs).collect();
        whole.par_iter().try_for_each(|id| {
            writer.write_made_from(&mammogram_path(id), keys.picture(&("whole", id)), || {
                inputs.previews.read(id)
            })
        })
    }
}
