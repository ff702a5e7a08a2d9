//! A network of which only a part is trained.
//!
//! What comes up to a probe point is frozen: it is computed as inference computes it, batch normalisation by its
//! running statistics, which stay as they are; no gradient is computed by it or below it, and gradient descent
//! passes it over. What the frozen part makes of an image does not change while the rest is trained, nor with the
//! batch that the image is in, so that whoever trains may compute it once.

use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::{Tensor, Var};

use super::body::Body;
use super::device::Parts;
use super::parameters::Parameters;
use super::pass::{Chance, Kernels};
use super::{Inference, Logits, Network};

/// What is frozen of a network.
#[derive(Debug)]
pub(super) struct Frozen {
    /// The last probe point that is.
    pub(super) layer: &'static str,
    /// How many parameters and buffers are, the first ones.
    count: [usize; 2],
    /// Its convolutions.
    kernels: Arc<Kernels>,
    parts: Arc<Parts>,
}

impl Frozen {
    /// What is frozen from the start: of a network whose last layer alone can be trained all before it.
    pub(super) fn from_start(
        body: &dyn Body,
        layers: &[&'static str],
        parameters: &Parameters,
    ) -> Option<Frozen> {
        body.features()?;
        let count = [0, parameters.fixed().len()];
        let layer = layers.last()?;
        Some(Frozen { layer, count, kernels: Arc::default(), parts: Arc::default() })
    }

    /// Forgets what was prepared from weights that have changed.
    pub(super) fn forget(&self) {
        self.kernels.clear();
    }
}

impl Network {
    /// The same network, with everything up to a layer frozen: training changes only what comes after it.
    ///
    /// # Errors
    /// When there is no such layer.
    pub fn freeze(mut self, layer: &str) -> Result<Network> {
        self.check_layer(layer)?;
        let found = self.layers().iter().find(|known| **known == layer);
        let counted = found.and_then(|layer| Some((*layer, self.parameters.up_to(layer)?)));
        let (layer, count) = counted
            .with_context(|| format!("{} cannot be frozen at {layer}", self.architecture.name))?;
        self.frozen = Some(Frozen { layer, count, kernels: Arc::default(), parts: Arc::default() });
        Ok(self)
    }

    /// The last layer that is frozen; `None` where all of the network is trained.
    pub fn frozen(&self) -> Option<&'static str> {
        self.frozen.as_ref().map(|frozen| frozen.layer)
    }

    fn frozen_count(&self) -> [usize; 2] {
        self.frozen.as_ref().map_or([0; 2], |frozen| frozen.count)
    }

    /// What training changes of the [`parameters`](Network::parameters), in their order: the last of them.
    pub fn trained_parameters(&self) -> &[(String, Var)] {
        &self.parameters()[self.frozen_count()[0]..]
    }

    /// Those of the [`buffers`](Network::buffers) that training changes.
    pub fn trained_buffers(&self) -> Vec<(String, Tensor)> {
        self.buffers().split_off(self.frozen_count()[1])
    }

    /// For each of the [`trained_parameters`](Network::trained_parameters) whether it is part of the head: of the
    /// layers behind the last probe point, or of another last layer whose shape depends on the classes.
    pub fn head(&self) -> Vec<bool> {
        let last = self.layers().last().and_then(|layer| self.parameters.up_to(layer));
        let behind = last.map_or(0, |[parameters, _]| parameters);
        let is_head = |(at, (name, _)): (usize, &(String, Var))| {
            let layer = name.rsplit_once('.').map_or(name.as_str(), |(layer, _)| layer);
            at >= behind || self.heads().contains(&layer)
        };
        let all = self.parameters().iter().enumerate();
        all.skip(self.frozen_count()[0]).map(is_head).collect()
    }

    /// What the frozen part makes of images, n x units x rows x columns; `None` where nothing is frozen. Of a vision
    /// transformer it is what its last layer sees, n x features x 1 x 1.
    ///
    /// # Errors
    /// When the images have another shape.
    pub fn frozen_maps(&self, images: &Tensor) -> Result<Option<Tensor>> {
        let Some(Frozen { layer, kernels, parts, .. }) = &self.frozen else { return Ok(None) };
        let (kernels, parts) = (Arc::clone(kernels), Arc::clone(parts));
        let inference = Inference { network: self, kernels, parts };
        if self.body.features().is_some() {
            return inference.last_maps(images).map(Some);
        }
        Ok(inference.maps(images, &[layer])?.pop())
    }

    /// As [`Network::training_logits`], given what [`Network::frozen_maps`] made of the images.
    ///
    /// # Errors
    /// When nothing is frozen or the maps have another shape.
    pub fn training_logits_of_maps(&self, maps: &Tensor, seed: u64) -> Result<Logits> {
        let layer = self.frozen().context("nothing of the network is frozen")?;
        self.check_maps(layer, maps)?;
        self.train_from(maps, Some(Chance::of(seed)))
    }
}

#[cfg(test)]
#[path = "frozen_tests.rs"]
mod tests;
