//! One evaluation of a network: what it leaves behind, where it may stop, how its layers are computed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{Result, Tensor, TensorId, Var};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::Design;
use super::layers::{Engine, Fixed, survivors};
use super::parameters::stream;
use super::tower;

/// What of a network is made once in inference, at its first use.
#[derive(Debug, Default)]
pub(super) struct Kernels {
    convolutions: Mutex<HashMap<TensorId, Arc<Fixed>>>,
    tower: Mutex<Option<Arc<tower::Prepared>>>,
}

impl Kernels {
    /// Forgets them all.
    pub(super) fn clear(&self) {
        self.convolutions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.tower.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// By which statistics batches are normalised, and what of the network is still to change.
enum Aim<'a> {
    /// By their own; gradients by parameters are tracked.
    Training,
    /// By the running ones, which are part of the convolutions' weights.
    Inference(&'a Kernels),
}

/// What a pass does with the layers that end in a probe point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    /// Nothing: the pass begins behind them.
    Skipped,
    /// Nothing, and their output is what the pass was given: what follows them is computed.
    Given,
    /// It computes them.
    Computed,
}

/// What a step of training draws, all of it from one seed.
pub(super) struct Chance {
    seed: u64,
    /// Where dropout draws from.
    pub(super) dropout: ChaCha8Rng,
}

impl Chance {
    /// That of a step.
    pub(super) fn of(seed: u64) -> Chance {
        Chance { seed, dropout: ChaCha8Rng::seed_from_u64(seed) }
    }

    /// One factor per image for the residual branch of this name, which a share of the images goes without
    /// (stochastic depth; Huang et al. 2016): 0, or one over the share of those that keep it. Every branch
    /// draws from a stream of its own, so that what one draws does not depend on the others.
    pub(super) fn rows(&self, name: &str, share: f32, images: usize) -> Vec<f32> {
        survivors(images, share, &mut stream(self.seed, name))
    }
}

/// One evaluation.
pub(super) struct Pass<'a> {
    aim: Aim<'a>,
    /// How layers are computed.
    pub(super) engine: Engine,
    /// What is drawn; nothing is dropped without.
    pub(super) chance: Option<Chance>,
    probes: Vec<(&'a str, Option<Tensor>)>,
    /// The probe point that the pass begins at, until it is reached: its input is that layer's maps.
    entry: Option<&'a str>,
    pub(super) design: Design,
    /// The auxiliary logits, once they are there.
    pub(super) auxiliary: Option<Tensor>,
    /// Whether the logits are to be differentiated by the maps that are kept, and so must be reached.
    differentiates: bool,
    /// Zeros added to the maps that are kept, where Candle differentiates: it takes gradients by them.
    taps: Vec<(&'a str, Var)>,
    /// Share of this batch's statistics in the running ones, where it is not that of each layer.
    pub(super) share: Option<f64>,
}

impl<'a> Pass<'a> {
    /// A pass that keeps the maps of `layers`.
    pub(super) fn inference(
        design: Design,
        engine: Engine,
        layers: &[&'a str],
        kernels: &'a Kernels,
    ) -> Pass<'a> {
        let probes = layers.iter().map(|layer| (*layer, None)).collect();
        let aim = Aim::Inference(kernels);
        Pass {
            aim,
            engine,
            chance: None,
            probes,
            entry: None,
            design,
            auxiliary: None,
            differentiates: false,
            taps: vec![],
            share: None,
        }
    }

    /// A pass of inference whose logits can be differentiated by the maps that it keeps.
    pub(super) fn differentiable(self) -> Pass<'a> {
        Pass { engine: self.engine.recording(), differentiates: true, ..self }
    }

    /// A pass whose logits can be differentiated by the parameters.
    pub(super) fn training(design: Design, engine: Engine, chance: Option<Chance>) -> Pass<'a> {
        Pass {
            aim: Aim::Training,
            engine: engine.recording(),
            chance,
            probes: vec![],
            entry: None,
            design,
            auxiliary: None,
            differentiates: false,
            taps: vec![],
            share: None,
        }
    }

    /// The same pass, whose batch has this share in all running statistics.
    pub(super) fn sharing(self, share: f64) -> Pass<'a> {
        Pass { share: Some(share), ..self }
    }

    /// The same pass, given the maps of a layer in the place of images.
    pub(super) fn entering(self, layer: Option<&'a str>) -> Pass<'a> {
        Pass { entry: layer, ..self }
    }

    /// Whether the pass begins behind what comes before all probe points that are still to come.
    pub(super) fn is_ahead(&self) -> bool {
        self.entry.is_some()
    }

    /// What is to be done with the layers that end in this probe point, or in none. Asked of all of a trunk, in
    /// their order.
    pub(super) fn section(&mut self, layer: Option<&str>) -> Section {
        match self.entry {
            None => Section::Computed,
            Some(entry) if layer == Some(entry) => {
                self.entry = None;
                Section::Given
            }
            Some(_) => Section::Skipped,
        }
    }

    /// Whether batches are normalised by their own statistics.
    pub(super) fn trains(&self) -> bool {
        matches!(self.aim, Aim::Training)
    }

    /// The fixed convolution of a weight, `make` where it is needed first; `None` in training.
    pub(super) fn fixed(
        &self,
        weight: &Var,
        make: impl FnOnce() -> Result<Fixed>,
    ) -> Result<Option<Arc<Fixed>>> {
        let Aim::Inference(kernels) = &self.aim else { return Ok(None) };
        let mut kernels = kernels.convolutions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(fixed) = kernels.get(&weight.id()) {
            return Ok(Some(Arc::clone(fixed)));
        }
        let fixed = Arc::new(make()?);
        kernels.insert(weight.id(), Arc::clone(&fixed));
        Ok(Some(fixed))
    }

    /// The vision transformer that is ready for its images, `make` where it is needed first; in training every
    /// time.
    pub(super) fn prepared(
        &self,
        make: impl FnOnce() -> Result<Arc<tower::Prepared>>,
    ) -> Result<Arc<tower::Prepared>> {
        let Aim::Inference(Kernels { tower, .. }) = &self.aim else { return make() };
        let mut tower = tower.lock().unwrap_or_else(PoisonError::into_inner);
        match &*tower {
            Some(ready) => Ok(Arc::clone(ready)),
            None => Ok(Arc::clone(tower.insert(make()?))),
        }
    }

    /// Whether auxiliary logits are wanted.
    pub(super) fn wants_auxiliary(&self) -> bool {
        self.trains() && self.design.auxiliary
    }

    /// A parameter as the pass should see it: tracked only for training.
    pub(super) fn weight(&mut self, var: &Var) -> Tensor {
        match self.aim {
            Aim::Inference(_) => var.as_detached_tensor(),
            Aim::Training => {
                self.engine.watch(var);
                var.as_tensor().clone()
            }
        }
    }

    /// Whether the layer's maps are still to be kept.
    pub(super) fn wants(&self, layer: &str) -> bool {
        self.probes.iter().any(|(wanted, map)| *wanted == layer && map.is_none())
    }

    /// Keeps the map where it is wanted. Whether the pass has all that it wants.
    pub(super) fn probe(&mut self, layer: &str, map: &mut Tensor) -> Result<bool> {
        if !self.wants(layer) {
            return Ok(false);
        }
        for (wanted, found) in &mut self.probes {
            if *wanted == layer {
                *found = Some(map.clone());
            }
        }
        match &self.engine {
            Engine::Composed(_) if self.differentiates => {
                let tap = Var::zeros(map.shape(), map.dtype(), map.device())?;
                *map = (&*map + tap.as_tensor())?;
                let wanted = self.probes.iter().find(|(wanted, _)| *wanted == layer);
                self.taps.extend(wanted.map(|(wanted, _)| (*wanted, tap)));
            }
            _ => self.engine.watch(map),
        }
        Ok(!self.differentiates && self.probes.iter().all(|(_, map)| map.is_some()))
    }

    /// What was added to each of the maps that were kept, in their order.
    pub(super) fn taps(&self) -> impl Iterator<Item = &Var> {
        let of = |layer: &'a str| self.taps.iter().find(|(tapped, _)| *tapped == layer);
        self.probes.iter().filter_map(move |(layer, _)| of(layer)).map(|(_, tap)| tap)
    }

    /// The maps that were kept, with their layers.
    pub(super) fn probes(&self) -> &[(&'a str, Option<Tensor>)] {
        &self.probes
    }
}
