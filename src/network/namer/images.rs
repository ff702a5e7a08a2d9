//! Image towers of pairs.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use super::mammo_clip;
use super::mobile::Mobile;
use super::plan::{Image, Plan};
use super::projection::Projection;
use crate::Design;
use crate::body::Body;
use crate::device::Parts as Batches;
use crate::input::{self, Colours, Normal};
use crate::inverted::Inverted;
use crate::layers::Engine;
use crate::pass::{Kernels, Pass};
use crate::tower::{self, Tower};
use architecture::Precision;

/// Images that are looked at together, at most.
const TOGETHER: usize = 256;
/// The same of an EfficientNet's: B5 widens one of 352 pixels to maps of 18 MB.
const FEW: usize = 16;

/// MobileCLIP sees values from 0 to 1.
const AS_THEY_ARE: Colours = Colours { mean: [0.0; 3], deviation: [1.0; 3] };

/// An image tower.
#[derive(Debug)]
pub(super) enum Eye {
    /// A vision transformer.
    Tower(Tower),
    /// MobileCLIP's, which projects what it sees.
    Mobile(Mobile),
    /// Mammo-CLIP's, whose last layer does.
    Efficient(Box<Inverted>),
}

/// An image tower with what projects what it sees.
#[derive(Debug)]
pub(super) struct Images {
    eye: Eye,
    projection: Option<Projection>,
    normal: Normal,
    /// Edge of the images in pixels.
    input: u32,
    device: Device,
    kernels: Kernels,
    batches: Batches,
}

impl Images {
    pub(super) fn new(
        plan: &Plan,
        eye: Eye,
        projection: Option<Projection>,
        device: &Device,
    ) -> Images {
        Images {
            eye,
            projection,
            normal: Normal::Colour(match plan.image {
                Image::Tower(kind, _) => tower::colours(kind),
                Image::Mobile(_) => AS_THEY_ARE,
                Image::Efficient(_) => mammo_clip::COLOURS,
            }),
            input: plan.input,
            device: device.clone(),
            kernels: Kernels::default(),
            batches: Batches::default(),
        }
    }

    /// What is seen of grey patches of `edge` x `edge` pixels, row by row: patches x width. On the processor what
    /// becomes of a patch does not depend on those beside it.
    pub(super) fn run(&self, patches: &[&[u8]], edge: u32) -> Result<Tensor> {
        let most = match self.eye {
            // How the products of its last layer are added up depends on how many rows there are.
            Eye::Efficient(_) if self.device.is_cpu() => 1,
            Eye::Efficient(_) => FEW,
            Eye::Tower(_) | Eye::Mobile(_) => TOGETHER,
        };
        let mut all = Vec::new();
        for patches in patches.chunks(most) {
            all.extend(self.batches.each(patches.len(), |part| {
                let to = [self.input; 2];
                let images = input::grey(&patches[part], [edge; 2], to, self.normal, &self.device)?;
                self.at_once(&images)
            })?);
        }
        Ok(Tensor::cat(&all, 0)?)
    }

    fn at_once(&self, images: &Tensor) -> Result<Tensor> {
        let tower: &dyn Body = match &self.eye {
            Eye::Tower(tower) => tower,
            Eye::Efficient(network) => &**network,
            Eye::Mobile(mobile) => return Ok(mobile.run(images)?),
        };
        // Vision transformers have no kernels of their own on an NVIDIA card, and an EfficientNet with TensorFlow's
        // paddings would leave the layout of those that there are at every other step.
        let engine = match self.device.is_cpu() {
            true => Engine::Processor(None),
            false => Engine::Composed(Precision::F32),
        };
        let mut pass = Pass::inference(Design::default(), engine, &[], &self.kernels);
        let seen = tower.trunk(images, &mut pass)?;
        let seen = seen.context("the image tower stopped before its end")?;
        Ok(match (&self.eye, &self.projection) {
            (Eye::Efficient(network), _) => network.classify(&seen, &mut pass)?,
            (_, Some(projection)) => projection.run(&seen.flatten_from(1)?)?,
            (_, None) => seen.flatten_from(1)?,
        })
    }
}
