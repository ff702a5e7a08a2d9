//! Any pair of towers that can name units: small ones that were taught here, or published ones.

use std::path::Path;

use anyhow::{Context, Result};
use candle_core::Device;

use super::{Demonstration, Namer};
use crate::builtin;

/// A pair of an image and a text tower.
#[derive(Debug)]
pub enum Pair {
    /// One that `name --teach` has made.
    Small(Box<Demonstration>),
    /// Of published weights.
    Published(Box<Namer>),
}

impl Pair {
    /// The small pair that comes with the program, which was taught on phantoms.
    ///
    /// # Errors
    /// When the program came without it.
    pub fn builtin(device: &Device) -> Result<Pair> {
        Ok(Self::Small(Box::new(Demonstration::parse(builtin::namer()?, device)?)))
    }

    /// A small pair that `name --teach` has made.
    ///
    /// # Errors
    /// When the file is none.
    pub fn taught_by(path: &Path, device: &Device) -> Result<Pair> {
        let read = || Demonstration::parse(&fs_err::read(path)?, device);
        let pair = read().with_context(|| {
            format!("{} is no pair of towers that `unit-atlas name --teach` wrote", path.display())
        })?;
        Ok(Self::Small(Box::new(pair)))
    }

    /// Published ones; see [`Namer::open`].
    ///
    /// # Errors
    /// Those of [`Namer::open`].
    pub fn open(kind: &str, weights: &Path, tokenizer: &Path, device: &Device) -> Result<Pair> {
        Ok(Self::Published(Box::new(Namer::open(kind, weights, tokenizer, device)?)))
    }

    /// Ids of the terms it was taught; `None`: it takes any text.
    pub fn taught(&self) -> Option<&[String]> {
        match self {
            Self::Small(pair) => Some(pair.taught()),
            Self::Published(_) => None,
        }
    }

    /// Numbers of an embedding.
    pub fn width(&self) -> usize {
        match self {
            Self::Small(pair) => pair.width(),
            Self::Published(pair) => pair.width(),
        }
    }

    /// Embeddings, each of length 1, of grey patches of `edge` x `edge` pixels.
    ///
    /// # Errors
    /// When a patch has another size or the device fails.
    pub fn images(&self, patches: &[&[u8]], edge: u32) -> Result<Vec<Vec<f32>>> {
        match self {
            Self::Small(pair) => pair.images(patches, edge),
            Self::Published(pair) => pair.images(patches, edge),
        }
    }

    /// Embeddings of texts, each of length 1, but zero of a text of which a small pair knows no word.
    ///
    /// # Errors
    /// When a text cannot be put into tokens or the device fails.
    pub fn texts(&self, texts: &[&str]) -> Result<Vec<Vec<f32>>> {
        match self {
            Self::Small(pair) => Ok(texts.iter().map(|text| pair.text(text)).collect()),
            Self::Published(pair) => pair.texts(texts),
        }
    }
}
