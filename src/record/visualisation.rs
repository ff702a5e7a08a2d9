//! Synthetic images of units: `visualisation/<network>/<layer>/images.json` and `images.safetensors`. Format 1.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use memmap2::Mmap;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

use crate::dissection::{Category, Layer, Unit};
use base::artifact::Sealed;
use config::Visualised;

/// Version of the files and of the computation behind them.
pub const FORMAT: u32 = 1;
/// What is known of the images, as JSON.
pub const IMAGES: &str = "images.json";
/// Their grey levels: one tensor `pixels`, `[images, rows, columns]`, of bytes.
pub const PIXELS: &str = "images.safetensors";
/// Units of a layer that are [`Visualised::Best`] by influence, and as many by a concept.
pub const BEST: usize = 16;

/// The synthetic images of a layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Visualisation {
    /// Always 1.
    pub format: u32,
    /// Network.
    pub network: String,
    /// Probe point.
    pub layer: String,
    /// Rows and columns of an image: those of the network's input.
    pub edge: u32,
    /// Steps that each was made in.
    pub steps: u32,
    /// The images, in the order of their units.
    pub images: Vec<Image>,
    /// Units that were silent wherever the search began, and have no image, from 1.
    pub silent: Vec<u32>,
}

/// The synthetic image of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// From 1.
    pub unit: u32,
    /// The unit's greatest activation in it, as a score of a patch is the greatest in the patch.
    pub activation: f32,
}

/// What became of a unit's synthetic image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Synthetic<'a> {
    /// There is one.
    Image {
        /// Grey levels, row by row.
        pixels: &'a [u8],
        /// Rows and columns.
        edge: u32,
        /// Steps that it was made in.
        steps: u32,
        /// The unit's greatest activation in it.
        activation: f32,
    },
    /// The unit was silent wherever the search began.
    Silent,
}

/// The units of a layer that get an image, from 1, in order. Only live ones: the image stands beside the best
/// of their patches.
pub fn visualised(layer: &Layer, which: Visualised) -> Vec<u32> {
    let live = || layer.units.iter().filter(|unit| unit.kind().is_live());
    let mut units: Vec<u32> = match which {
        Visualised::None => vec![],
        Visualised::All => live().map(|unit| unit.unit).collect(),
        Visualised::Best => {
            let ranks = layer.ranks();
            let first = |unit: &&Unit| {
                ranks[unit.unit as usize - 1].is_some_and(|rank| rank as usize <= BEST)
            };
            let mut matched: Vec<(f32, u32)> =
                live().filter_map(|unit| Some((best_match(layer, unit)?, unit.unit))).collect();
            matched.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            let matched = matched.into_iter().take(BEST).map(|(_, unit)| unit);
            live().filter(first).map(|unit| unit.unit).chain(matched).collect()
        }
    };
    units.sort_unstable();
    units.dedup();
    units
}

/// The highest IoU of a unit with a concept, breast and background aside, beyond chance where that was measured.
fn best_match(layer: &Layer, unit: &Unit) -> Option<f32> {
    let matches = layer.concepts.iter().zip(&unit.matches);
    let counted = matches.filter(|(concept, found)| {
        concept.category != Category::Breast
            && found.iou > 0.0
            && found.is_beyond_chance().unwrap_or(true)
    });
    counted.map(|(_, found)| found.iou).max_by(f32::total_cmp)
}

/// The synthetic images of several layers, read one at a time, for the pages.
#[derive(Debug, Default)]
pub struct Visualisations(BTreeMap<String, Opened>);

#[derive(Debug)]
struct Opened {
    record: Visualisation,
    bytes: Mmap,
    /// Where the pixels begin.
    start: usize,
}

impl Visualisations {
    /// Opens those of layers, given as (`<network>/<layer>`, folder).
    ///
    /// # Errors
    /// When a file is missing, not what was sealed, or not what is written there.
    pub fn open<P: AsRef<Path>>(layers: impl Iterator<Item = (String, P)>) -> Result<Self> {
        let opened = layers.map(|(name, folder)| {
            let opened = Opened::new(&Sealed::open(folder.as_ref())?);
            Ok((
                name.clone(),
                opened.with_context(|| format!("the images of {name} cannot be read"))?,
            ))
        });
        Ok(Self(opened.collect::<Result<_>>()?))
    }

    /// Of a unit, from 1; none where none was asked for.
    pub fn of(&self, layer: &str, unit: u32) -> Option<Synthetic<'_>> {
        let Opened { record, bytes, start } = self.0.get(layer)?;
        if let Ok(at) = record.images.binary_search_by_key(&unit, |image| image.unit) {
            let length = (record.edge as usize).pow(2);
            return Some(Synthetic::Image {
                pixels: &bytes[start + at * length..][..length],
                edge: record.edge,
                steps: record.steps,
                activation: record.images[at].activation,
            });
        }
        record.silent.contains(&unit).then_some(Synthetic::Silent)
    }
}

impl Opened {
    fn new(sealed: &Sealed) -> Result<Self> {
        let record: Visualisation = sealed.json(IMAGES)?;
        ensure!(record.images.is_sorted_by(|a, b| a.unit < b.unit), "its units are not in order");
        let bytes = sealed.map(PIXELS)?;
        let tensors = SafeTensors::deserialize(&bytes)?;
        let pixels = tensors.tensor("pixels")?;
        let edge = record.edge as usize;
        ensure!(
            pixels.dtype() == Dtype::U8 && pixels.shape() == [record.images.len(), edge, edge],
            "its pixels have another shape"
        );
        let start = pixels.data().as_ptr() as usize - bytes.as_ptr() as usize;
        Ok(Self { record, bytes, start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::artifact::{self, Stamp};

    #[test]
    fn an_image_is_found_by_its_unit() {
        let folder = tempfile::tempdir().unwrap();
        let write = |images: &[u32], shape: Vec<usize>| {
            let record = Visualisation {
                format: FORMAT,
                network: "net".into(),
                layer: "layer".into(),
                edge: 2,
                steps: 8,
                images: images
                    .iter()
                    .map(|&unit| Image { unit, activation: unit as f32 })
                    .collect(),
                silent: vec![5],
            };
            artifact::write_json(&folder.path().join(IMAGES), &record).unwrap();
            let bytes: Vec<u8> = (0..8).collect();
            let view = safetensors::tensor::TensorView::new(Dtype::U8, shape, &bytes).unwrap();
            let file = safetensors::serialize([("pixels", view)], None).unwrap();
            std::fs::write(folder.path().join(PIXELS), file).unwrap();
            Stamp::new(1).seal(folder.path(), &[IMAGES, PIXELS], "cpu").unwrap();
        };
        let open = || Visualisations::open([("net/layer".to_owned(), folder.path())].into_iter());
        write(&[3, 7], vec![2, 2, 2]);
        let found = open().unwrap();
        let image = |pixels, activation| Synthetic::Image { pixels, edge: 2, steps: 8, activation };
        assert_eq!(found.of("net/layer", 3), Some(image(&[0, 1, 2, 3], 3.0)));
        assert_eq!(found.of("net/layer", 7), Some(image(&[4, 5, 6, 7], 7.0)));
        assert_eq!(found.of("net/layer", 5), Some(Synthetic::Silent));
        assert_eq!((found.of("net/layer", 4), found.of("other", 3)), (None, None));
        for (images, shape) in [(&[7, 3][..], vec![2, 2, 2]), (&[3, 7], vec![4, 2, 1])] {
            write(images, shape);
            assert!(format!("{:#}", open().unwrap_err()).contains("images of net/layer"));
        }
    }
}
