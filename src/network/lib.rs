//! Networks on Candle: torchvision's AlexNet, VGG, Inception v3, ResNets with ResNeXt and wide ones, DenseNets,
//! EfficientNets, MobileNets v3 and ConvNeXts, by its names and shapes, and vision transformers, whose last layer alone
//! is trained (`tower`).
//!
//! [`Network`] is the whole interface: build it, load weights, and ask for logits to train on
//! ([`Network::training_logits`]) or, with weights that stay ([`Network::inference`]), for logits and for
//! the maps of named layers. Candle computes some gradients wrongly or not at all and is slow on the
//! processor, so the layers are our own, and there the walk back too.

mod alexnet;
mod body;
pub mod builtin;
mod chain;
mod convnext;
mod cpu;
#[cfg(feature = "cuda")]
mod cuda;
mod densenet;
pub mod device;
mod efficientnet;
mod field;
mod frozen;
mod inception;
mod inference;
mod input;
mod inverted;
mod layers;
mod margin;
mod meaning;
mod mobilenet;
pub mod namer;
mod normed;
#[doc(hidden)]
pub mod operations;
mod parameters;
mod pass;
mod plain;
mod resnet;
pub mod sgd;
mod silence;
mod sliding;
mod tape;
mod tower;
mod vgg;
pub mod weights;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};

use architecture::{Architecture, Design, Family, Pooling, Precision};
use base::Field;
use body::{Body, landmarks};
use frozen::Frozen;
pub use inference::{Inference, Sensitivity};
pub use input::images;
use input::{Colours, Normal};
use layers::Engine;
pub use meaning::Meaning;
use parameters::Parameters;
use pass::{Chance, Pass};
pub use sliding::Sliding;
use tape::Tape;
use weights::{Blueprint, Located, Scope, Weights};

/// What a pass of training leaves, one row per image, one column per class.
#[derive(Debug)]
pub struct Logits {
    /// Of the network's last layer.
    pub main: Tensor,
    /// Of Inception's auxiliary classifier, where the [`Design`] asks for them.
    pub auxiliary: Option<Tensor>,
    /// How they came about; where Candle records that, they know it themselves.
    record: Option<Record>,
}

/// How logits came about.
#[derive(Debug)]
enum Record {
    Processor(Tape),
    #[cfg(feature = "cuda")]
    Cuda(cuda::Record),
}

/// Weight of the auxiliary logits' loss beside the main one: TensorFlow's reference training of
/// Inception v3 and PyTorch's fine-tuning tutorial (GoogLeNet's two classifiers had 0.3 each).
pub const AUXILIARY_WEIGHT: f64 = 0.4;

impl Logits {
    /// `loss` of the main logits plus [`AUXILIARY_WEIGHT`] times that of the auxiliary ones.
    ///
    /// # Errors
    /// Those of `loss`.
    pub fn loss(
        &self,
        loss: impl Fn(&Tensor) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let main = loss(&self.main)?;
        match &self.auxiliary {
            Some(auxiliary) => main + (loss(auxiliary)? * AUXILIARY_WEIGHT)?,
            None => Ok(main),
        }
    }

    /// Gradients by the network's parameters of a loss computed from these logits.
    ///
    /// # Errors
    /// When the device fails.
    pub fn backward(
        self,
        loss: &Tensor,
        parameters: &[(String, Var)],
    ) -> candle_core::Result<GradStore> {
        let mut store = loss.backward()?;
        let logits: Vec<Tensor> = [Some(self.main), self.auxiliary].into_iter().flatten().collect();
        match self.record {
            None => {}
            Some(Record::Processor(tape)) => {
                let mut results = Vec::new();
                for logits in logits {
                    if let Some(grad) = store.remove(&logits) {
                        results.push((logits.id(), grad.flatten_all()?.to_vec1()?));
                    }
                }
                collect(tape.backward(results)?, &mut store, parameters)?;
            }
            #[cfg(feature = "cuda")]
            Some(Record::Cuda(record)) => {
                let by: Vec<_> = logits.iter().map(|logits| store.remove(logits)).collect();
                collect(record.backward(&by)?, &mut store, parameters)?;
            }
        }
        Ok(store)
    }
}

/// Moves the gradients by `parameters` to where Candle has its own.
fn collect<G: tape::Gradient>(
    mut gradients: tape::Gradients<G>,
    store: &mut GradStore,
    parameters: &[(String, Var)],
) -> candle_core::Result<()> {
    for (_, parameter) in parameters {
        if let Some(gradient) = gradients.take(parameter)? {
            store.insert(parameter, gradient);
        }
    }
    Ok(())
}

/// What a network takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ends {
    /// Of an image: 3, or 1 where weights are for grey images.
    channels: usize,
    /// Of the last layer.
    outputs: usize,
}

impl Ends {
    fn colour(outputs: usize) -> Ends {
        Ends { channels: 3, outputs }
    }
}

/// A network with its weights.
#[derive(Debug)]
pub struct Network {
    architecture: &'static Architecture,
    design: Design,
    body: Box<dyn Body>,
    parameters: Parameters,
    /// What training leaves as it is, if anything.
    frozen: Option<Frozen>,
    ends: Ends,
    /// What the outputs stand for, where they are not the classes in order.
    meaning: Option<Meaning>,
    input: u32,
    device: Device,
}

impl Network {
    /// What the tensors of an architecture are called.
    fn blueprint(name: &str) -> Result<Blueprint> {
        let architecture = Architecture::find(name)?;
        let mut parameters = Parameters::sketch();
        body::body(architecture, Ends::colour(1), &mut parameters)?;
        let body::Landmarks { stem, heads, optional, adopts } = landmarks(architecture.family);
        let tensors = parameters.into_sketch();
        Ok(Blueprint { network: architecture.name, tensors, stem, heads, optional, adopts })
    }

    /// A network with random weights that follow from `seed` and each parameter's name.
    ///
    /// They start as torchvision's do, but for AlexNet's: its convolutions and hidden linear layers
    /// start from the normal distribution of He et al. 2015 (fan in, zero bias), for PyTorch's default
    /// shrinks the signal from layer to layer, so that training from scratch takes very long to begin.
    ///
    /// `input` is the edge of the images in pixels.
    ///
    /// # Errors
    /// When there is no such network, `classes` is zero or `input` is too small for it.
    pub fn new(
        name: &str,
        classes: usize,
        input: u32,
        seed: u64,
        device: &Device,
    ) -> Result<Network> {
        Network::build(name, Ends::colour(classes), input, Some(seed), device)
    }

    /// A network of zeros, for weights that are loaded whole: random ones of a large network take
    /// longer to draw than to read.
    ///
    /// # Errors
    /// Those of [`Network::new`].
    pub fn blank(name: &str, classes: usize, input: u32, device: &Device) -> Result<Network> {
        Network::build(name, Ends::colour(classes), input, None, device)
    }

    fn build(
        name: &str,
        ends: Ends,
        input: u32,
        seed: Option<u64>,
        device: &Device,
    ) -> Result<Network> {
        let architecture = Architecture::find(name)?;
        if ends.outputs == 0 {
            bail!("{name} needs at least one class");
        }
        architecture.check_input(input)?;
        if device.is_cpu() {
            base::memory::keep_freed();
        }
        let mut parameters = Parameters::new(seed, device);
        let body = body::body(architecture, ends, &mut parameters)?;
        let frozen = Frozen::from_start(&*body, architecture.layers, &parameters);
        let network = Network {
            architecture,
            design: Design::default(),
            body,
            parameters,
            frozen,
            ends,
            meaning: None,
            input,
            device: device.clone(),
        };
        network.with_design(Design::default())
    }

    /// The same network in another design; the weights stay.
    ///
    /// # Errors
    /// When the network, its input or its device does not allow it; says what does.
    pub fn with_design(mut self, design: Design) -> Result<Network> {
        design.check(self.architecture, self.input, self.device.is_cpu())?;
        if design.precision == Precision::Tf32 && !self.device.is_cuda() {
            bail!(
                "precision: tf32 needs an NVIDIA card; write `precision: f32`, or choose a card with \
                 `device: cuda:0`"
            );
        }
        if design.precision == Precision::Tf32 && !self.architecture.has_kernels() {
            bail!(
                "precision: tf32 is not for {}, which has no kernels of its own on an NVIDIA card; write \
                 `precision: f32` or `precision: bf16`",
                self.architecture.name
            );
        }
        self.parameters.may_lack((!design.auxiliary).then_some(inception::AUXILIARY));
        self.design = design;
        Ok(self)
    }

    /// The same network, to be used as it is, with logits of `classes` instead of those of its outputs.
    /// `outputs` has for each of its outputs, in order, the class that it stands for, or `None` where it is
    /// left out; without it there are as many outputs as classes, in their order, or one, for the second
    /// of two classes.
    ///
    /// # Errors
    /// When it is not known what each output stands for, or no output stands for one of the classes.
    pub fn with_classes(
        mut self,
        outputs: Option<&[Option<usize>]>,
        classes: usize,
    ) -> Result<Network> {
        self.meaning = Meaning::of(outputs, self.ends.outputs, classes)?;
        Ok(self)
    }

    /// The network that a weight file holds, with as many outputs as its last layer has, for grey images
    /// where its first convolution has one channel.
    ///
    /// # Errors
    /// Those of [`Network::new`] and [`Network::load`], and when the file has no last layer.
    pub fn open(name: &str, input: u32, path: &Path, device: &Device) -> Result<Network> {
        Network::of_weights(&Weights::read(path)?.locate(name)?, input, device)
    }

    /// As [`Network::open`], of weights that were read before.
    ///
    /// # Errors
    /// Those of [`Network::open`].
    pub fn of_weights(weights: &Located, input: u32, device: &Device) -> Result<Network> {
        // Without a last layer, loading fails, and says what else is missing or what the file is.
        let outputs = weights.outputs().unwrap_or(2);
        let ends = Ends { outputs, channels: channels(weights)? };
        let network = Network::build(weights.network, ends, input, None, device)?;
        network.take(weights, Scope::Whole)?;
        Ok(network)
    }

    /// A network to be trained from weights: all of them are taken but a last layer for another number
    /// of classes, which starts at random as in [`Network::new`]. The file may also lack all fully
    /// connected layers (a trunk, as [`weights::save_trunk`] writes it).
    ///
    /// # Errors
    /// Those of [`Network::new`] and [`Network::load_trunk`].
    pub fn from_trunk(
        weights: &Located,
        classes: usize,
        input: u32,
        seed: u64,
        design: Design,
        device: &Device,
    ) -> Result<Network> {
        let ends = Ends { outputs: classes, channels: channels(weights)? };
        let network = Network::build(weights.network, ends, input, Some(seed), device)?
            .with_design(design)?;
        network.take(weights, Scope::Trunk { heads: network.heads() })?;
        Ok(network)
    }

    /// Loads weights of any form that [`Weights::read`] reads. Nothing changes unless all fit.
    /// Inception's auxiliary classifier may be absent from the file, as a whole, unless the [`Design`]
    /// trains it; it then stays as it is.
    ///
    /// # Errors
    /// When the file cannot be read, or tensors are missing, unknown or of another shape (they are
    /// listed, after what the file has).
    pub fn load(&mut self, path: &Path) -> Result<()> {
        self.take(&Weights::read(path)?.locate(self.architecture.name)?, Scope::Whole)
    }

    /// As [`Network::load`], but the last layer of the file may have another number of classes or be
    /// absent, and all fully connected layers may be absent together (a trunk, as
    /// [`weights::save_trunk`] writes it): this network then keeps its own.
    ///
    /// # Errors
    /// Those of [`Network::load`].
    pub fn load_trunk(&mut self, path: &Path) -> Result<()> {
        let weights = Weights::read(path)?.locate(self.architecture.name)?;
        self.take(&weights, Scope::Trunk { heads: self.heads() })
    }

    fn take(&self, weights: &Located, scope: Scope) -> Result<()> {
        let Ends { channels, outputs } = self.ends;
        let fitting = weights.foreign(scope).map_err(anyhow::Error::new);
        fitting
            .and_then(|()| self.assign(weights.tensors(), scope))
            .with_context(|| weights.mismatch(outputs, channels, scope))
    }

    /// Sets parameters and buffers in `scope`, all or nothing.
    fn assign(&self, tensors: &BTreeMap<String, Tensor>, scope: Scope) -> Result<()> {
        self.parameters.set(tensors, scope)?;
        if let Some(frozen) = &self.frozen {
            frozen.forget();
        }
        Ok(())
    }

    /// Takes the convolutions that come with this program; what follows them stays as it is.
    ///
    /// # Errors
    /// When there are none for this network.
    pub fn load_builtin(&mut self) -> Result<()> {
        let name = self.architecture.name;
        let trunk = builtin::trunk(name)
            .with_context(|| format!("there are no built-in weights for {name}"))?;
        let scope = Scope::Trunk { heads: self.heads() };
        self.assign(&Weights::parse(trunk)?, scope)
            .with_context(|| format!("the built-in weights do not fit {name}"))
    }

    /// Names of the last layers, whose shape depends on the classes.
    fn heads(&self) -> &'static [&'static str] {
        landmarks(self.architecture.family).heads
    }

    /// How layers are computed in a precision: by the kernels of the device, where they compute all of the
    /// network's.
    fn engine(&self, precision: Precision) -> candle_core::Result<Engine> {
        match self.device.is_cuda() && !self.architecture.has_kernels() {
            true => Ok(Engine::Composed(precision)),
            false => Engine::of(&self.device, precision),
        }
    }

    /// This network with its weights as they are now, to be evaluated: what every batch would prepare
    /// anew is prepared once. Weights that change later do not count.
    pub fn inference(&self) -> Inference<'_> {
        Inference { network: self, kernels: Arc::default(), parts: Arc::default() }
    }

    /// Logits of images, n x 3 x input x input, one row per image, one column per class, to be trained
    /// on: batches are normalised by their own statistics, and the running ones are updated. What is frozen
    /// ([`Network::freeze`]) is computed as inference computes it.
    /// `seed` is that of what is drawn, values and branches that are left out; another for every step.
    ///
    /// # Errors
    /// When the images have another shape.
    pub fn training_logits(&self, images: &Tensor, seed: u64) -> Result<Logits> {
        self.train(images, Some(Chance::of(seed)))
    }

    /// Sets the running statistics to the mean of those of batches of images, n x 3 x input x input, by the weights as
    /// they are (`update_bn` of PyTorch). What training leaves of them follows the weights slowly: with MobileNet's
    /// share of a hundredth a short training has hardly moved them, and inference sees all images alike.
    ///
    /// # Errors
    /// When images have another shape or the device fails.
    pub fn average_statistics(
        &self,
        batches: impl IntoIterator<Item = Result<Tensor>>,
    ) -> Result<()> {
        for (count, images) in (1_u32..).zip(batches) {
            let images = images?;
            self.check_images(&images)?;
            let engine = self.engine(self.design.precision)?;
            let share = 1.0 / f64::from(count);
            let mut pass = Pass::training(self.design, engine, None).sharing(share);
            self.run_through(&images, &mut pass)?;
        }
        Ok(())
    }

    fn train(&self, images: &Tensor, chance: Option<Chance>) -> Result<Logits> {
        self.check_images(images)?;
        match self.frozen_maps(images)? {
            Some(maps) => self.train_from(&maps, chance),
            None => self.train_from(images, chance),
        }
    }

    /// Logits of images or, of a network that is frozen, of what the frozen part makes of them.
    fn train_from(&self, x: &Tensor, chance: Option<Chance>) -> Result<Logits> {
        let engine = self.engine(self.design.precision)?;
        let entry = self.frozen.as_ref().map(|frozen| frozen.layer);
        let mut pass = Pass::training(self.design, engine, chance).entering(entry);
        let main = self.run_through(x, &mut pass)?;
        #[cfg(feature = "cuda")]
        if let Engine::Cuda(engine) = &mut pass.engine {
            let results = [Some(main), pass.auxiliary].into_iter().flatten().collect();
            let record = engine.record(results).context("nothing was recorded")?;
            // The loss is computed by Candle on the processor: it is a few numbers.
            let mut leaves = record.results()?.into_iter().map(|logits| Var::from_tensor(&logits));
            let main = leaves.next().context("no logits")??.into_inner();
            let auxiliary = leaves.next().transpose()?.map(Var::into_inner);
            drop(leaves);
            return Ok(Logits { main, auxiliary, record: Some(Record::Cuda(record)) });
        }
        let Some(tape) = pass.engine.tape() else {
            return Ok(Logits { main, auxiliary: pass.auxiliary, record: None });
        };
        // What Candle differentiates begins here.
        let tape = std::mem::take(tape);
        let leaf = |logits: Tensor, tape: &mut Tape| -> Result<Tensor> {
            let leaf = Var::from_tensor(&logits)?.into_inner();
            tape.record(&[&logits], &leaf, {
                let logits = logits.clone();
                move |grad, gradients| gradients.add(&logits, grad)
            });
            Ok(leaf)
        };
        let mut tape = tape;
        let main = leaf(main, &mut tape)?;
        let auxiliary = pass.auxiliary.map(|logits| leaf(logits, &mut tape)).transpose()?;
        Ok(Logits { main, auxiliary, record: Some(Record::Processor(tape)) })
    }

    fn run_through(&self, images: &Tensor, pass: &mut Pass<'_>) -> Result<Tensor> {
        let maps =
            self.body.trunk(images, pass)?.context("the network stopped before its last layer")?;
        if pass.is_ahead() {
            bail!("{} cannot go on from a layer in its middle", self.architecture.name);
        }
        Ok(self.body.classify(&maps, pass)?)
    }

    /// What the classes are weighted by, classes x units, where the layer's maps are averaged over
    /// their locations and weighted into the logits with nothing between.
    pub fn linear_head(&self, layer: &str) -> Option<Tensor> {
        let last = self.layers().last().is_some_and(|last| *last == layer);
        let name = format!("{}.weight", self.body.linear_head()?);
        let (_, var) = self.parameters().iter().find(|(known, _)| last && *known == name)?;
        let weights = var.as_detached_tensor();
        match &self.meaning {
            None => Some(weights),
            Some(meaning) => meaning.rows(&weights)?.ok(),
        }
    }

    /// Whether [`Network::silenced`] serves a layer: the last before a classifier with hidden layers.
    pub fn silences(&self, layer: &str) -> bool {
        self.body.silences() && self.layers().last() == Some(&layer)
    }

    /// The classifier over the maps of such a layer.
    fn silence(&self, layer: &str, maps: &Tensor) -> Result<silence::Silence> {
        let silence = self.silences(layer).then(|| self.body.silence(maps)).flatten();
        Ok(silence.with_context(|| format!("the units of {layer} cannot be silenced"))??)
    }

    /// Logits that follow from the maps of a layer that [`Network::silences`], without each of its
    /// units: units x images x classes.
    ///
    /// # Errors
    /// When there is no such layer or the maps have another shape.
    pub fn silenced(&self, layer: &str, maps: &Tensor) -> Result<Tensor> {
        self.of_classes(&self.silence(layer, maps)?.logits()?)
    }

    /// The same for pairs of an image and the one unit of it that is silent, both from 0: pairs x classes.
    ///
    /// # Errors
    /// As [`Network::silenced`].
    pub fn silenced_pairs(
        &self,
        layer: &str,
        maps: &Tensor,
        pairs: &[(usize, usize)],
    ) -> Result<Tensor> {
        self.of_classes(&self.silence(layer, maps)?.of_pairs(pairs)?)
    }

    /// Logits of the classes from those of the outputs, as [`Inference::outputs`] gives them.
    ///
    /// # Errors
    /// When the device fails.
    pub fn of_classes(&self, outputs: &Tensor) -> Result<Tensor> {
        match &self.meaning {
            None => Ok(outputs.clone()),
            Some(meaning) => Ok(meaning.classes(outputs)?),
        }
    }

    /// Whether any of its outputs says something of the classes.
    pub fn tells(&self) -> bool {
        self.meaning.as_ref().is_none_or(Meaning::tells)
    }

    fn check_images(&self, images: &Tensor) -> Result<()> {
        let edge = self.input as usize;
        match images.dims() {
            &[_, depth, rows, columns]
                if depth == self.ends.channels && [rows, columns] == [edge; 2] =>
            {
                Ok(())
            }
            other => {
                let depth = self.ends.channels;
                bail!("expected images of shape [n, {depth}, {edge}, {edge}], found {other:?}")
            }
        }
    }

    fn check_maps(&self, layer: &str, maps: &Tensor) -> Result<()> {
        let units = match self.body.features() {
            Some(features) => features,
            None => self.units(layer)?,
        };
        match maps.dims() {
            &[_, depth, _, _] if depth == units => Ok(()),
            other => {
                bail!("expected maps of {layer}, [n, {units}, rows, columns], found {other:?}")
            }
        }
    }

    fn check_layer(&self, layer: &str) -> Result<()> {
        if !self.layers().contains(&layer) {
            bail!("no layer {layer:?}; there are {}", self.layers().join(", "));
        }
        Ok(())
    }

    /// Probe points, from the input on. What is probed is a convolution's or `bn1`'s output before
    /// the ReLU, and the output of a block, of a ResNet's layer or of a stage as torchvision's module of it
    /// has it: after an activation, where it ends with one. Of a vision transformer's blocks it is the tokens of the
    /// image, without the class token.
    pub fn layers(&self) -> &'static [&'static str] {
        self.architecture.layers
    }

    /// How many units a layer has.
    ///
    /// # Errors
    /// When there is no such layer.
    pub fn units(&self, layer: &str) -> Result<usize> {
        self.check_layer(layer)?;
        self.body.units(layer).with_context(|| format!("no layer {layer:?}"))
    }

    /// Receptive field of a layer in pixels of the network's input, whose first pixel is centred on
    /// 0.5: what the windows of its convolutions and poolings reach. Gates of whole channels (squeeze and
    /// excitation) are left out: they see the whole image, and say how much a unit counts, not where.
    ///
    /// # Errors
    /// When there is no such layer.
    pub fn field(&self, layer: &str) -> Result<Field> {
        self.check_layer(layer)?;
        Ok(self.body.field(layer, self.input))
    }

    /// Whether [`Inference::sliding`] serves it: vision transformers see images of one size alone.
    pub fn slides(&self) -> bool {
        self.body.slides()
    }

    /// What can be trained, in torchvision's order and by its names, of a vision transformer its last layer; what of
    /// it is: [`Network::trained_parameters`].
    pub fn parameters(&self) -> &[(String, Var)] {
        self.parameters.trained()
    }

    /// What of the network is not trained: weights of a vision transformer, and running statistics of batch
    /// normalisation, in torchvision's order and by its names. They share memory with the network.
    pub fn buffers(&self) -> Vec<(String, Tensor)> {
        let all = self.parameters.fixed().iter().chain(self.parameters.buffers());
        all.map(|(n, b)| (n.clone(), b.as_detached_tensor())).collect()
    }

    /// A copy of parameters and buffers on the processor.
    ///
    /// # Errors
    /// When the device fails.
    pub fn state(&self) -> Result<BTreeMap<String, Tensor>> {
        self.parameters.state()
    }

    /// Sets parameters and buffers, all or nothing.
    ///
    /// # Errors
    /// When tensors are missing, unknown or of another shape (they are listed).
    pub fn set_state(&mut self, state: &BTreeMap<String, Tensor>) -> Result<()> {
        let name = self.architecture.name;
        self.assign(state, Scope::Whole)
            .with_context(|| format!("the tensors are not those of {name}"))
    }

    /// Where the tensors live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Edge of the images in pixels.
    pub fn input(&self) -> u32 {
        self.input
    }

    /// Channels of an image: 3, or 1 where the weights are for grey images.
    pub fn channels(&self) -> usize {
        self.ends.channels
    }

    /// Grey patches of `edge` x `edge` pixels, row by row, as this network sees them, on its device.
    ///
    /// # Errors
    /// When a patch has another size.
    pub fn images(&self, patches: &[&[u8]], edge: u32) -> Result<Tensor> {
        let to = [self.input; 2];
        input::grey(patches, [edge; 2], to, self.normal(), &self.device)
    }

    /// One grey image, row by row, of `from` width and height as one of `to`, as this network sees it.
    ///
    /// # Errors
    /// When the image has another size.
    pub fn image(&self, pixels: &[u8], from: [u32; 2], to: [u32; 2]) -> Result<Tensor> {
        input::grey(&[pixels], from, to, self.normal(), &self.device)
    }

    /// How a grey image becomes an input.
    fn normal(&self) -> Normal {
        match self.ends.channels {
            // From -1 to 1.
            1 if self.architecture.family == Family::Inception => Colours::HALF.grey(),
            1 => self.colours().grey(),
            _ => Normal::Colour(self.colours()),
        }
    }

    fn colours(&self) -> Colours {
        match self.architecture.family {
            Family::Tower(kind) => tower::colours(kind),
            _ => Colours::IMAGENET,
        }
    }

    /// Colour images of `edge` x `edge` pixels as this network sees them, on its device: red, green and blue of a
    /// pixel follow each other.
    ///
    /// # Errors
    /// When an image has another size.
    pub fn colour_images(&self, pixels: &[&[u8]], edge: u32) -> Result<Tensor> {
        input::colour(pixels, edge, self.input, self.colours(), &self.device)
    }

    /// How many numbers it has learned, here or where its weights come from; running statistics do not count.
    pub fn parameter_count(&self) -> u64 {
        let all = self.parameters.trained().iter().chain(self.parameters.fixed());
        all.map(|(_, var)| var.elem_count() as u64).sum()
    }
}

/// Channels of the images that weights are for.
fn channels(weights: &Located) -> Result<usize> {
    match weights.channels() {
        None | Some(3) => Ok(3),
        Some(1) => Ok(1),
        Some(other) => bail!(
            "{}: the first convolution takes {other} channels; images have 3, or 1 where weights are \
             for grey images",
            weights.shown()
        ),
    }
}

/// What of the networks is fuzzed.
#[cfg(test)]
fn fuzz_targets() -> Vec<fuzz::Target> {
    vec![weights::fuzz::target()]
}

#[cfg(test)]
mod family_tests;
#[cfg(test)]
#[path = "../../tests/support/fuzz.rs"]
mod fuzz;
#[cfg(test)]
#[path = "../../tests/support/shipped.rs"]
mod shipped;
#[cfg(test)]
mod tests;
