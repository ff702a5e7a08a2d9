//! A network with weights that stay as they are: its logits, its maps, and how the ones depend on the others.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Tensor, Var};

use crate::device::Parts;
use crate::pass::{Kernels, Pass};
use crate::tape::{self, Tape};
use crate::{Network, input};

/// How logits depend on the maps of some layers.
#[derive(Debug)]
pub struct Sensitivity {
    /// One row per image, one column per class.
    pub logits: Tensor,
    /// By layer.
    pub maps: Vec<Tensor>,
    /// By class and layer: the gradient of the class's logit, in the shape of the map.
    pub gradients: Vec<Vec<Tensor>>,
}

/// A network with weights that stay as they are; see [`Network::inference`].
#[derive(Debug)]
pub struct Inference<'a> {
    pub(super) network: &'a Network,
    pub(super) kernels: Arc<Kernels>,
    pub(super) parts: Arc<Parts>,
}

impl Inference<'_> {
    /// The network.
    pub fn network(&self) -> &Network {
        self.network
    }

    /// Logits of images, n x 3 x input x input, one row per image, one column per class.
    ///
    /// # Errors
    /// When the images have another shape.
    pub fn logits(&self, images: &Tensor) -> Result<Tensor> {
        self.network.of_classes(&self.outputs(images)?)
    }

    /// What the network gives for images before it is asked what its outputs stand for: one column per output.
    ///
    /// # Errors
    /// When the images have another shape.
    pub fn outputs(&self, images: &Tensor) -> Result<Tensor> {
        join(&self.in_parts(images, |images| self.outputs_at_once(images))?)
    }

    /// [`Inference::outputs`] that follow from maps of `layer`, as [`Inference::maps`] gives them.
    ///
    /// # Errors
    /// When the maps have another shape or there is no such layer.
    pub fn outputs_of_maps(&self, layer: &str, maps: &Tensor) -> Result<Tensor> {
        self.network.check_maps(layer, maps)?;
        let run = |maps: &Tensor| {
            let mut pass = self.pass(&[])?.entering(Some(layer));
            self.network.run_through(maps, &mut pass)
        };
        join(&self.in_parts(maps, run)?)
    }

    /// What the classifier sees of images: maps, or whatever stands for them.
    pub(crate) fn last_maps(&self, images: &Tensor) -> Result<Tensor> {
        let run = |images: &Tensor| {
            self.network.check_images(images)?;
            let maps = self.network.body.trunk(images, &mut self.pass(&[])?)?;
            maps.context("the network stopped before its last layer")
        };
        join(&self.in_parts(images, run)?)
    }

    /// Maps of `layers`, in that order, each n x units x rows x columns. Computes nothing after the last
    /// of them.
    ///
    /// # Errors
    /// When the images have another shape or there is no such layer.
    pub fn maps(&self, images: &Tensor, layers: &[&str]) -> Result<Vec<Tensor>> {
        let parts = self.in_parts(images, |images| self.maps_at_once(images, layers))?;
        join_each(&parts.iter().collect::<Vec<_>>())
    }

    /// Logits, maps of `layers` and the gradients of every class's summed logit by them.
    ///
    /// # Errors
    /// When the images have another shape or there is no such layer.
    pub fn sensitivity(&self, images: &Tensor, layers: &[&str]) -> Result<Sensitivity> {
        let mut parts = self.in_parts(images, |images| {
            let found = self.sensitivity_at_once(images, layers)?;
            let Some(meaning) = &self.network.meaning else { return Ok(found) };
            let gradients = meaning.gradients(&found.logits, &found.gradients)?;
            Ok(Sensitivity { logits: meaning.classes(&found.logits)?, gradients, ..found })
        })?;
        if parts.len() == 1 {
            return Ok(parts.remove(0));
        }
        let classes = parts.first().map_or(0, |part| part.gradients.len());
        let gradients = (0..classes).map(|class| {
            join_each(&parts.iter().map(|part| &part.gradients[class]).collect::<Vec<_>>())
        });
        Ok(Sensitivity {
            logits: join(&parts.iter().map(|part| part.logits.clone()).collect::<Vec<_>>())?,
            gradients: gradients.collect::<Result<_>>()?,
            maps: join_each(&parts.iter().map(|part| &part.maps).collect::<Vec<_>>())?,
        })
    }

    /// Maps of a layer for grey images of values 0 to 255, n x input x input, and the gradient of something by
    /// those images, of their shape. `by_maps` is given the maps, n x units x rows x columns, and returns the
    /// gradient of that something by them. Computes nothing after the layer. Only on the processor: elsewhere
    /// no gradient is kept by what the first layer sees.
    ///
    /// # Errors
    /// When the images have another shape, there is no such layer or the network lives elsewhere; those of
    /// `by_maps`.
    pub fn gradient_by_grey(
        &self,
        grey: &Tensor,
        layer: &str,
        by_maps: impl FnOnce(&Tensor) -> Result<Tensor>,
    ) -> Result<(Tensor, Tensor)> {
        let normal = self.network.normal();
        let images = input::as_inputs(grey, normal)?;
        self.network.check_images(&images)?;
        self.network.check_layer(layer)?;
        let layers = [layer];
        let mut pass = self.pass(&layers)?;
        pass.engine = pass.engine.recording();
        pass.engine.watch(&images);
        self.network.body.trunk(&images, &mut pass)?;
        let map = kept(&pass)?.remove(0);
        let Some(tape) = pass.engine.tape().map(std::mem::take) else {
            bail!("gradients by images are computed on the processor alone");
        };
        let by = by_maps(&map)?;
        ensure!(by.dims() == map.dims(), "a gradient of shape {:?} by {:?}", by.dims(), map.dims());
        let mut gradients = tape.backward(vec![(map.id(), by.flatten_all()?.to_vec1()?)])?;
        let by_images = gradients.take(&images)?.map_or_else(|| images.zeros_like(), Ok)?;
        Ok((map, input::by_grey(&by_images, normal)?))
    }

    /// What `run` gives of all images at once, or of parts of them where the device lacks memory.
    fn in_parts<T>(&self, images: &Tensor, run: impl Fn(&Tensor) -> Result<T>) -> Result<Vec<T>> {
        let count = images.dim(0)?;
        if count == 0 {
            return Ok(vec![run(images)?]);
        }
        self.parts.each(count, |part| run(&images.narrow(0, part.start, part.len())?))
    }

    fn outputs_at_once(&self, images: &Tensor) -> Result<Tensor> {
        self.network.check_images(images)?;
        self.network.run_through(images, &mut self.pass(&[])?)
    }

    fn maps_at_once(&self, images: &Tensor, layers: &[&str]) -> Result<Vec<Tensor>> {
        self.network.check_images(images)?;
        for layer in layers {
            self.network.check_layer(layer)?;
        }
        if layers.is_empty() {
            return Ok(vec![]);
        }
        let mut pass = self.pass(layers)?;
        self.network.body.trunk(images, &mut pass)?;
        kept(&pass)
    }

    fn sensitivity_at_once(&self, images: &Tensor, layers: &[&str]) -> Result<Sensitivity> {
        self.network.check_images(images)?;
        for layer in layers {
            self.network.check_layer(layer)?;
        }
        let mut pass = self.pass(layers)?.differentiable();
        let logits = self.network.run_through(images, &mut pass)?;
        let meaning = self.network.meaning.as_ref();
        let asked = |output: usize| meaning.is_none_or(|meaning| meaning.asks(output));
        #[cfg(feature = "cuda")]
        if let crate::layers::Engine::Cuda(engine) = &mut pass.engine {
            let record = engine.record(vec![logits.clone()]).context("nothing was recorded")?;
            let (images, classes) = logits.dims2()?;
            let of = |class: usize| {
                if !asked(class) {
                    return Ok(Vec::new());
                }
                let by = Tensor::from_vec(
                    of_class(images, classes, class),
                    logits.shape(),
                    &candle_core::Device::Cpu,
                )?;
                by_maps(record.rewind(&[Some(by)])?, &pass)
            };
            let gradients = (0..classes).map(of).collect::<Result<Vec<_>>>()?;
            return Ok(Sensitivity { logits, maps: kept(&pass)?, gradients });
        }
        let Some(tape) = pass.engine.tape().map(std::mem::take) else {
            return composed_sensitivity(&pass, &logits, asked);
        };
        let of = |class: usize| match asked(class) {
            true => walked(&tape, &pass, &logits, class),
            false => Ok(Vec::new()),
        };
        let gradients = (0..logits.dim(1)?).map(of).collect::<Result<Vec<_>>>()?;
        Ok(Sensitivity { logits, maps: kept(&pass)?, gradients })
    }

    pub(crate) fn pass<'a>(&'a self, layers: &[&'a str]) -> Result<Pass<'a>> {
        let Network { design, .. } = self.network;
        let engine = self.network.engine(design.precision.of_inference())?;
        Ok(Pass::inference(*design, engine, layers, &self.kernels))
    }
}

/// Gradients of a class's summed logit by the maps that a pass kept.
fn walked(tape: &Tape, pass: &Pass<'_>, logits: &Tensor, class: usize) -> Result<Vec<Tensor>> {
    let (images, classes) = logits.dims2()?;
    by_maps(tape.rewind(vec![(logits.id(), of_class(images, classes, class))])?, pass)
}

/// The gradient of a class's summed logit by all logits.
fn of_class(images: usize, classes: usize, class: usize) -> Vec<f32> {
    (0..images * classes).map(|i| f32::from(u8::from(i % classes == class))).collect()
}

/// Those of the gradients that are by the maps that a pass kept.
fn by_maps<G: tape::Gradient>(
    mut gradients: tape::Gradients<G>,
    pass: &Pass<'_>,
) -> Result<Vec<Tensor>> {
    let by = |(_, map): &(&str, Option<Tensor>)| -> Result<Tensor> {
        let map = map.as_ref().context("a layer was not reached")?;
        let gradient = gradients.take(map)?.map_or_else(|| map.zeros_like(), Ok)?;
        Ok(pass.engine.plain(&gradient)?)
    };
    pass.probes().iter().map(by).collect()
}

/// What depends on the maps that a pass kept, as Candle differentiates; of the outputs that are `asked` for.
pub(crate) fn composed_sensitivity(
    pass: &Pass<'_>,
    logits: &Tensor,
    asked: impl Fn(usize) -> bool,
) -> Result<Sensitivity> {
    let mut gradients = Vec::new();
    for class in 0..logits.dim(1)? {
        if !asked(class) {
            gradients.push(Vec::new());
            continue;
        }
        let store = logits.narrow(1, class, 1)?.sum_all()?.backward()?;
        let by = |tap: &Var| -> Result<Tensor> {
            Ok(store.get(tap).map_or_else(|| tap.zeros_like(), |gradient| Ok(gradient.clone()))?)
        };
        gradients.push(pass.taps().map(by).collect::<Result<Vec<_>>>()?);
    }
    Ok(Sensitivity { logits: logits.detach(), maps: kept(pass)?, gradients })
}

/// What parts gave, as of the whole.
fn join(parts: &[Tensor]) -> Result<Tensor> {
    match parts {
        [whole] => Ok(whole.clone()),
        parts => Ok(Tensor::cat(parts, 0)?),
    }
}

/// [`join`] of each of the tensors that every part gave.
fn join_each(parts: &[&Vec<Tensor>]) -> Result<Vec<Tensor>> {
    let count = parts.first().map_or(0, |part| part.len());
    let of = |at: usize| join(&parts.iter().map(|part| part[at].clone()).collect::<Vec<_>>());
    (0..count).map(of).collect()
}

/// The maps that a pass kept.
pub(crate) fn kept(pass: &Pass<'_>) -> Result<Vec<Tensor>> {
    let probes = pass.probes().iter();
    probes
        .map(|(layer, map)| {
            let map = map.as_ref().with_context(|| format!("layer {layer} was not reached"))?;
            Ok(pass.engine.plain(map)?)
        })
        .collect()
}

#[cfg(test)]
#[path = "by_image_tests.rs"]
mod tests;
