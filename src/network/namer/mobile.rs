//! The image towers of MobileCLIP (Vasu et al. 2024): FastViT, by candle-transformers' own model of it.
//!
//! That model takes what it finds of the branches of a layer and goes without what it does not find, a tensor of another
//! shape included. So it is asked what it took: all that a file holds, and as much as the published towers have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, bail};
use candle_core::{DType, Device, Module, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Func, Init, VarBuilder};
use candle_transformers::models::fastvit;
use rayon::prelude::*;

use crate::weights::printable;

/// What names of the tower begin with.
pub(super) const PREFIX: &str = "visual.trunk.";
/// The count of batches that normalisation has seen in training.
const COUNTER: &str = ".num_batches_tracked";
/// Names that a message lists.
const SHOWN: usize = 6;

/// A member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Channels of the first stage.
    pub(super) channels: usize,
    /// Blocks of the stages.
    pub(super) blocks: [usize; 4],
    /// How many tensors it has, counters of batches left out.
    pub(super) tensors: usize,
}

impl Plan {
    /// Of MobileCLIP-S1.
    pub(super) const S1: Plan = Plan { channels: 64, blocks: [4, 12, 20, 4], tensors: 1228 };
    /// Of MobileCLIP-S2.
    pub(super) const S2: Plan = Plan { channels: 80, blocks: [4, 12, 24, 4], tensors: 1344 };
}

/// A tower that is ready to run, with what projects what it sees.
#[derive(Debug)]
pub(super) struct Mobile(Func<'static>);

impl Mobile {
    /// Of so many numbers of an embedding, from the tensors of a file under [`PREFIX`], without it.
    ///
    /// # Errors
    /// When tensors are missing, unknown or of another shape.
    pub(super) fn new(
        plan: Plan,
        width: usize,
        tensors: BTreeMap<String, Tensor>,
        device: &Device,
    ) -> Result<Mobile> {
        let all: BTreeSet<String> =
            tensors.keys().filter(|name| !name.ends_with(COUNTER)).cloned().collect();
        let taken: Arc<Mutex<BTreeSet<String>>> = Arc::default();
        let backend = Watched { tensors, taken: Arc::clone(&taken) };
        let weights = VarBuilder::from_backend(Box::new(backend), DType::F32, device.clone());
        let Plan { channels, blocks, tensors } = plan;
        let config = fastvit::Config {
            exp_ratio: 3,
            in_channels: channels,
            blocks,
            attn: true,
            lkc_use_act: true,
        };
        let tower = fastvit::fastvit(&config, width, weights)?;
        let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        let left: Vec<String> = all.difference(&taken).map(|name| printable(name)).collect();
        if !left.is_empty() {
            let shown = left[..left.len().min(SHOWN)].join(", ");
            let more = if left.len() > SHOWN { ", …" } else { "" };
            bail!("{} tensors are unknown or of another shape: {shown}{more}", left.len());
        }
        if taken.len() != tensors {
            bail!("{} tensors where {tensors} are expected", taken.len());
        }
        Ok(Mobile(tower))
    }

    /// Images, n x 3 x rows x columns, to n x width; on the processor each on its own.
    pub(super) fn run(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        if !images.device().is_cpu() {
            return self.0.forward(images);
        }
        let one = |at| self.0.forward(&images.narrow(0, at, 1)?);
        let all = (0..images.dim(0)?).into_par_iter().map(one);
        Tensor::cat(&all.collect::<candle_core::Result<Vec<_>>>()?, 0)
    }
}

/// Tensors of a file, with which of them were taken.
struct Watched {
    tensors: BTreeMap<String, Tensor>,
    taken: Arc<Mutex<BTreeSet<String>>>,
}

impl SimpleBackend for Watched {
    fn get(
        &self,
        shape: Shape,
        name: &str,
        _: Init,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        match self.tensors.get(name) {
            Some(tensor) if *tensor.shape() == shape => self.get_unchecked(name, dtype, device),
            Some(tensor) => candle_core::bail!(
                "{PREFIX}{name} has the shape {:?} where {:?} is expected",
                tensor.dims(),
                shape.dims()
            ),
            None => candle_core::bail!("{PREFIX}{name} is missing"),
        }
    }

    fn get_unchecked(
        &self,
        name: &str,
        dtype: DType,
        device: &Device,
    ) -> candle_core::Result<Tensor> {
        let Some(tensor) = self.tensors.get(name) else {
            candle_core::bail!("{PREFIX}{name} is missing")
        };
        let tensor = tensor.to_dtype(dtype)?.to_device(device)?;
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Ok(tensor)
    }

    fn contains_tensor(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}
