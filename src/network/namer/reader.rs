//! A text tower at work: which texts it is given together.

use std::fmt::Debug;

use anyhow::Result;
use candle_core::{Device, Tensor};
use rayon::prelude::*;

use crate::device::Parts as Batches;

/// Texts that an accelerator looks at together, at most.
const TOGETHER: usize = 256;

/// A text tower that is ready to run.
pub(super) trait Reads: Debug + Send + Sync {
    /// What is seen of texts, texts x width; see [`Reader::run`].
    fn at_once(&self, texts: &[&Vec<u32>], padding: u32) -> candle_core::Result<Tensor>;
}

/// A text tower with the device that it lives on.
#[derive(Debug)]
pub(super) struct Reader {
    tower: Box<dyn Reads>,
    device: Device,
    batches: Batches,
}

impl Reader {
    pub(super) fn new(tower: impl Reads + 'static, device: Device) -> Reader {
        Reader { tower: Box::new(tower), device, batches: Batches::default() }
    }

    /// What is seen of texts, each given by its tokens, at least one and no more than there are places, none of them
    /// outside of the vocabulary; texts x width. `padding` is the token that fills empty places.
    ///
    /// On the processor what becomes of a text does not depend on the texts beside it.
    ///
    /// # Errors
    /// When the device fails.
    pub(super) fn run(&self, texts: &[Vec<u32>], padding: u32) -> Result<Tensor> {
        if self.device.is_cpu() {
            let one = |text: &Vec<u32>| self.at_once(&[text], padding);
            let all = texts.par_iter().map(one).collect::<candle_core::Result<Vec<Tensor>>>()?;
            return Ok(Tensor::cat(&all, 0)?);
        }
        let mut all = Vec::new();
        for texts in texts.chunks(TOGETHER) {
            all.extend(self.batches.each(texts.len(), |part| {
                let texts: Vec<&Vec<u32>> = texts[part].iter().collect();
                Ok(self.at_once(&texts, padding)?)
            })?);
        }
        Ok(Tensor::cat(&all, 0)?)
    }

    /// What is seen of texts that are looked at together.
    pub(super) fn at_once(&self, texts: &[&Vec<u32>], padding: u32) -> candle_core::Result<Tensor> {
        self.tower.at_once(texts, padding)
    }
}
