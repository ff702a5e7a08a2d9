//! Pairs of towers that put images and texts into one space, where a cosine says how well they fit: CLIP (Radford et al.
//! 2021), as OpenAI and OpenCLIP trained it, SigLIP (Zhai et al. 2023), MobileCLIP (Vasu et al. 2024) and Mammo-CLIP
//! (Ghosh et al. 2024), by their published weights.
//!
//! The image towers are those of `tower/`, MobileCLIP's candle-transformers' (`mobile.rs`), Mammo-CLIP's our
//! EfficientNet (`mammo_clip.rs`). Text towers of candle-transformers' do not serve as they are (`texts.rs` says why),
//! so they are built of the same blocks; its BERT does (`bert.rs`).

mod bert;
mod demonstration;
mod file;
mod images;
mod mammo_clip;
mod mobile;
mod open_clip;
mod pair;
mod plan;
mod projection;
mod reader;
mod texts;
mod tokens;

use std::path::Path;

use anyhow::{Context, Result, bail};
use candle_core::{Device, Tensor};

pub use self::demonstration::{Bag, Demonstration, unit};
pub use self::pair::Pair;
use crate::parameters::Parameters;
use crate::weights::Scope;
use architecture::namer::NAMERS;
use file::File;
use images::{Eye, Images};
use mobile::Mobile;
use plan::{Image, Parts, Plan, TEXT};
use projection::Projection;
use reader::Reader;
use tokens::Tokens;

/// An image tower and a text tower whose embeddings are compared by their cosine.
#[derive(Debug)]
pub struct Namer {
    images: Images,
    texts: Reader,
    /// From what the text tower sees to the space of both.
    of_texts: Projection,
    tokens: Tokens,
    /// Edge of the images in pixels.
    input: u32,
    width: usize,
    scale: f32,
}

impl Namer {
    /// Reads one: `kind` is a name of [`NAMERS`], `weights` a file in any form that [`crate::weights::Weights::read`]
    /// reads, in Hugging Face's layout, OpenCLIP's or Mammo-CLIP's, and `tokenizer` the `tokenizer.json` that lies
    /// beside them, or `vocab.txt` of a BERT. The towers live on `device`.
    ///
    /// # Errors
    /// When there is no such kind, a file cannot be read, holds something else, lacks tensors or has others of the kind
    /// or values that are not finite (what, and what to use instead), or the tokenizer is that of another model.
    pub fn open(kind: &str, weights: &Path, tokenizer: &Path, device: &Device) -> Result<Namer> {
        let plan = Plan::of(kind).with_context(|| {
            let known: Vec<&str> = NAMERS.iter().map(|namer| namer.name).collect();
            format!("unknown pair of image and text tower {kind:?}; known are {}", known.join(", "))
        })?;
        Namer::of_plan(kind, &plan, weights, tokenizer, device)
    }

    fn of_plan(
        kind: &str,
        plan: &Plan,
        weights: &Path,
        tokenizer: &Path,
        device: &Device,
    ) -> Result<Namer> {
        // First what is read in no time.
        let [vocabulary, places] = [plan.text.vocabulary(), plan.text.places()];
        let tokens = Tokens::open(tokenizer, plan.marks, vocabulary, places)?;
        let file = File::read(weights, kind, plan)?;
        let mut parts = Parts::new(|| Parameters::new(None, device));
        let built = plan.build(&mut parts)?;
        let set = || -> Result<Eye> {
            parts.text.set(&file.under(TEXT), Scope::Whole)?;
            parts.joint.set(&file.joint(), Scope::Whole)?;
            let tensors = file.under(plan.image.prefix());
            match (plan.image, built.image) {
                (Image::Mobile(image), _) => {
                    Ok(Eye::Mobile(Mobile::new(image, plan.width, tensors, device)?))
                }
                (_, Some(eye)) => {
                    parts.image.set(&tensors, Scope::Trunk { heads: plan.heads() })?;
                    Ok(eye)
                }
                (_, None) => bail!("an image tower without parameters"),
            }
        };
        let eye = set().with_context(|| format!("{} cannot be used as {kind}", file.shown))?;
        Ok(Namer {
            images: Images::new(plan, eye, built.of_images, device),
            texts: built.text.ready(device)?,
            of_texts: built.of_texts,
            tokens,
            input: plan.input,
            width: plan.width,
            scale: file.scale,
        })
    }

    /// Edge in pixels of the images it sees.
    pub fn input(&self) -> u32 {
        self.input
    }

    /// Numbers of an embedding.
    pub fn width(&self) -> usize {
        self.width
    }

    /// What cosines are multiplied by before a softmax, more than 0: the exponential of the file's `logit_scale`.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Embeddings of grey patches of `edge` x `edge` pixels, row by row, one each and in their order, of
    /// [`Namer::width`] numbers and length 1. Patches are resized as [`crate::Network::images`] resizes them and
    /// normalised as the image tower was trained.
    ///
    /// On the processor what becomes of a patch does not depend on the patches beside it.
    ///
    /// # Errors
    /// When a patch has another size, the device fails, or an embedding has no direction.
    pub fn images(&self, patches: &[&[u8]], edge: u32) -> Result<Vec<Vec<f32>>> {
        match patches.is_empty() {
            true => Ok(vec![]),
            false => directions(&self.images.run(patches, edge)?),
        }
    }

    /// Embeddings of texts, one each and in their order, of [`Namer::width`] numbers and length 1. A text of more tokens
    /// than the text tower takes is cut behind the last that fits.
    ///
    /// On the processor what becomes of a text does not depend on the texts beside it.
    ///
    /// # Errors
    /// When the tokenizer fails or is that of another model, the device fails, or an embedding has no direction.
    pub fn texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        if texts.is_empty() {
            return Ok(vec![]);
        }
        let tokens = texts.iter().map(|text| self.tokens.of(text)).collect::<Result<Vec<_>>>()?;
        let seen = self.texts.run(&tokens, self.tokens.padding)?;
        directions(&self.of_texts.run(&seen)?)
    }
}

/// The rows of a matrix, each divided by its length.
fn directions(rows: &Tensor) -> Result<Vec<Vec<f32>>> {
    let mut rows: Vec<Vec<f32>> = rows.to_vec2()?;
    for row in &mut rows {
        let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        if !length.is_finite() || length == 0.0 {
            bail!(
                "an embedding of length {length} has no direction: are these the weights of a trained model?"
            );
        }
        row.iter_mut().for_each(|v| *v = (f64::from(*v) / length) as f32);
    }
    Ok(rows)
}

#[cfg(test)]
mod mammo_clip_tests;
#[cfg(test)]
mod tests;
