//! `top_patches.csv`.

use anyhow::Result;

use super::cell::{Number, Text, UnitNumber, parts};
use super::row::{Row, Sink, table};
use crate::facts::Atlas;
use crate::text::coordinate;

table! {
    "top_patches.csv",
    /// one patch at the top of one unit
    struct TopPatch {
        /// name of the network
        network: Text,
        /// name of the layer
        layer: Text,
        /// number of the unit, from 1, four digits
        unit: UnitNumber,
        /// 1 is the patch with the greatest score
        rank: usize,
        /// name of the patch
        patch: Text,
        /// greatest activation of the unit in the patch
        score: Number<f32>,
        /// the mammogram it was cut from
        mammogram: Text,
        /// left edge of the patch in pixels of the mammogram
        x: u32,
        /// top edge
        y: u32,
        /// width
        width: u32,
        /// height
        height: u32,
        /// true when the patch counts as cancer
        positive: bool,
        /// left edge of the receptive field of the best activation, in the mammogram
        roi_x: String,
        /// its top edge
        roi_y: String,
        /// its width, within the patch
        roi_width: String,
        /// its height, within the patch
        roi_height: String,
    }
}

impl Row for TopPatch {
    const OF_READERS: bool = false;

    fn each(atlas: &Atlas, write: &mut Sink<Self>) -> Result<()> {
        let manifest = atlas.inputs.manifest;
        for entry in atlas.catalogue.units() {
            for (rank, top) in (1..).zip(&entry.record.top) {
                let (network, layer, unit) = parts(&entry.id);
                let patch = &manifest.patches[top.patch as usize];
                // From pixels of the patch to pixels of the mammogram.
                let scale = patch.edge as f32 / atlas.inputs.store.edge() as f32;
                write(Self {
                    network,
                    layer,
                    unit,
                    rank,
                    patch: Text::from(manifest.patch_name(patch)),
                    score: Number(top.score),
                    mammogram: Text::from(&manifest.member(patch).mammogram.id),
                    x: patch.x,
                    y: patch.y,
                    width: patch.edge,
                    height: patch.edge,
                    positive: patch.positive,
                    roi_x: coordinate(patch.x as f32 + top.roi[0] * scale),
                    roi_y: coordinate(patch.y as f32 + top.roi[1] * scale),
                    roi_width: coordinate(top.roi[2] * scale),
                    roi_height: coordinate(top.roi[3] * scale),
                })?;
            }
        }
        Ok(())
    }
}
