//! The networks there are, by name, with their probe points.

use std::ops::RangeInclusive;

use anyhow::{Context, Result, bail};

use crate::tower::{self, Tower};
use crate::{alexnet, convnext, densenet, efficientnet, inception, mobilenet, resnet, vgg};

/// Networks that share their construction and their options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Krizhevsky 2014.
    AlexNet,
    /// Simonyan & Zisserman 2015.
    Vgg,
    /// Szegedy et al. 2016: the only one with an auxiliary classifier.
    Inception,
    /// He et al. 2016, with ResNeXt (Xie et al. 2017) and wide ResNets (Zagoruyko & Komodakis 2016): the
    /// only one with a choice of pooling.
    ResNet,
    /// Huang et al. 2017.
    DenseNet,
    /// Tan & Le 2019.
    EfficientNet,
    /// The third of them, Howard et al. 2019.
    MobileNet,
    /// Liu et al. 2022.
    ConvNext,
    /// Vision transformers: the only ones whose tokens all see the whole image, and whose last layer alone is
    /// trained.
    Tower(Tower),
}

/// A kind of network that can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// As torchvision names it; of a vision transformer as those who published its weights do.
    pub name: &'static str,
    /// What it is a member of.
    pub family: Family,
    /// Probe points from input to output.
    pub layers: &'static [&'static str],
    /// Those dissected unless the project says otherwise: the last convolutional layer, and for the
    /// deep networks also one before (paper, section 2.3).
    pub dissected: &'static [&'static str],
    /// Edge of the input in pixels unless the project says otherwise.
    pub input: u32,
    /// Smallest input for which every layer keeps at least one location.
    pub min_input: u32,
    /// Largest.
    pub max_input: u32,
    /// What the input must be a multiple of: the edge of a vision transformer's patches, 1 elsewhere.
    pub step: u32,
}

/// Largest edge of an input in pixels: maps of a larger one do not fit into the memory of one machine.
pub const MAX_INPUT: u32 = 2048;

/// Edge of the paper's patches in pixels.
const INPUT: u32 = 227;

const fn vgg(
    name: &'static str,
    layers: &'static [&'static str],
    dissected: &'static [&'static str],
) -> Architecture {
    convolutional(name, Family::Vgg, layers, dissected, INPUT, vgg::SMALLEST_INPUT)
}

const fn residual(name: &'static str) -> Architecture {
    halving(name, Family::ResNet, resnet::LAYERS, &["layer3", "layer4"], INPUT)
}

const fn dense(name: &'static str) -> Architecture {
    let dissected = &["denseblock3", "denseblock4"];
    halving(name, Family::DenseNet, densenet::LAYERS, dissected, INPUT)
}

const fn efficient(name: &'static str, input: u32) -> Architecture {
    let dissected = &["stage8", "stage9"];
    halving(name, Family::EfficientNet, efficientnet::LAYERS, dissected, input)
}

const fn convnext(name: &'static str) -> Architecture {
    halving(name, Family::ConvNext, convnext::LAYERS, &["stage3", "stage4"], INPUT)
}

/// A network whose maps halve five times.
const fn halving(
    name: &'static str,
    family: Family,
    layers: &'static [&'static str],
    dissected: &'static [&'static str],
    input: u32,
) -> Architecture {
    convolutional(name, family, layers, dissected, input, 32)
}

const fn convolutional(
    name: &'static str,
    family: Family,
    layers: &'static [&'static str],
    dissected: &'static [&'static str],
    input: u32,
    min_input: u32,
) -> Architecture {
    let (max_input, step) = (MAX_INPUT, 1);
    Architecture { name, family, layers, dissected, input, min_input, max_input, step }
}

/// A vision transformer with patches of `step` pixels and 12 blocks.
const fn small_tower(name: &'static str, tower: Tower, step: u32) -> Architecture {
    of_tokens(name, tower, step, tower::LAYERS_12, tower::DISSECTED_12)
}

/// The same with 24 blocks.
const fn large_tower(name: &'static str, tower: Tower, step: u32) -> Architecture {
    of_tokens(name, tower, step, tower::LAYERS_24, tower::DISSECTED_24)
}

const fn of_tokens(
    name: &'static str,
    tower: Tower,
    step: u32,
    layers: &'static [&'static str],
    dissected: &'static [&'static str],
) -> Architecture {
    let (min_input, max_input) = tower::inputs(step);
    let (family, input) = (Family::Tower(tower), tower::INPUT);
    Architecture { name, family, layers, dissected, input, min_input, max_input, step }
}

/// Networks whose convolutions come with the program, trained on phantoms.
pub const BUILTIN: &[&str] = &["alexnet", "resnet18"];

/// Every network, in the order of messages.
pub const ARCHITECTURES: &[Architecture] = &[
    convolutional(
        "alexnet",
        Family::AlexNet,
        alexnet::LAYERS,
        &["conv5"],
        INPUT,
        alexnet::SMALLEST_INPUT,
    ),
    vgg("vgg11", vgg::LAYERS_11, &["conv5_2"]),
    vgg("vgg13", vgg::LAYERS_13, &["conv5_2"]),
    vgg("vgg16", vgg::LAYERS_16, &["conv5_3"]),
    vgg("vgg19", vgg::LAYERS_19, &["conv5_4"]),
    convolutional(
        "inception_v3",
        Family::Inception,
        inception::LAYERS,
        &["mixed_7a", "mixed_7c"],
        299,
        inception::SMALLEST_INPUT,
    ),
    residual("resnet10"),
    residual("resnet18"),
    residual("resnet34"),
    residual("resnet50"),
    residual("resnet101"),
    residual("resnet152"),
    residual("resnext50_32x4d"),
    residual("resnext101_32x8d"),
    residual("wide_resnet50_2"),
    residual("wide_resnet101_2"),
    dense("densenet121"),
    dense("densenet169"),
    dense("densenet201"),
    // Each at the resolution that it was scaled to (their code's; the paper's own from B0 to B7).
    efficient("efficientnet_b0", 224),
    efficient("efficientnet_b1", 240),
    efficient("efficientnet_b2", 260),
    efficient("efficientnet_b3", 300),
    efficient("efficientnet_b4", 380),
    efficient("efficientnet_b5", 456),
    efficient("efficientnet_b6", 528),
    efficient("efficientnet_b7", 600),
    halving(
        "mobilenet_v3_small",
        Family::MobileNet,
        mobilenet::LAYERS_SMALL,
        &["bneck11", "conv_last"],
        INPUT,
    ),
    halving(
        "mobilenet_v3_large",
        Family::MobileNet,
        mobilenet::LAYERS_LARGE,
        &["bneck15", "conv_last"],
        INPUT,
    ),
    convnext("convnext_tiny"),
    convnext("convnext_small"),
    convnext("convnext_base"),
    small_tower("vit_tiny_patch16_224", Tower::Vit, 16),
    small_tower("vit_small_patch16_224", Tower::Vit, 16),
    small_tower("vit_base_patch16_224", Tower::Vit, 16),
    large_tower("vit_large_patch16_224", Tower::Vit, 16),
    small_tower("dinov2_vits14", Tower::DinoV2, 14),
    small_tower("dinov2_vitb14", Tower::DinoV2, 14),
    large_tower("dinov2_vitl14", Tower::DinoV2, 14),
    small_tower("clip_vit_base_patch32", Tower::Clip, 32),
    small_tower("clip_vit_base_patch16", Tower::Clip, 16),
    large_tower("clip_vit_large_patch14", Tower::Clip, 14),
    small_tower("siglip_base_patch16_224", Tower::SigLip, 16),
];

impl Architecture {
    /// The network of this name.
    ///
    /// # Errors
    /// When there is none; lists those there are.
    pub fn find(name: &str) -> Result<&'static Architecture> {
        let found = ARCHITECTURES.iter().find(|architecture| architecture.name == name);
        found.with_context(|| {
            let known: Vec<&str> = ARCHITECTURES.iter().map(|a| a.name).collect();
            format!("unknown network {name:?}; known are {}", known.join(", "))
        })
    }

    /// The place of a probe point among them, from 0.
    pub fn place(&self, layer: &str) -> Option<usize> {
        self.layers.iter().position(|known| *known == layer)
    }

    /// Whether the kernels for NVIDIA cards compute all of its layers. The others are composed of single
    /// operations there, as on every other accelerator: the same results, slower, and without TF32.
    pub fn has_kernels(&self) -> bool {
        match self.family {
            Family::AlexNet | Family::Vgg | Family::Inception => true,
            Family::ResNet => !self.name.starts_with("resnext"),
            Family::DenseNet
            | Family::EfficientNet
            | Family::MobileNet
            | Family::ConvNext
            | Family::Tower(_) => false,
        }
    }

    /// Edges of the inputs that it takes, in pixels; of them only multiples of [`Architecture::step`].
    pub fn inputs(&self) -> RangeInclusive<u32> {
        self.min_input..=self.max_input
    }

    /// Refuses an input, in pixels, that is too small, too large or no multiple of the edge of its patches.
    ///
    /// # Errors
    /// Says which inputs there are.
    pub fn check_input(&self, input: u32) -> Result<()> {
        let Self { name, min_input, max_input, step, .. } = self;
        if !self.inputs().contains(&input) {
            bail!(
                "{name} takes an input of {min_input} to {max_input} pixels on a side; {input} were asked for"
            );
        }
        if !input.is_multiple_of(*step) {
            let below = input / step * step;
            bail!(
                "{name} cuts its input into patches of {step} x {step} pixels, so the input must be a multiple \
                 of {step}, such as {} or {}; {input} were asked for",
                below.max(*min_input),
                (below + step).min(*max_input)
            );
        }
        Ok(())
    }

    /// Whether all of it can be trained; of a vision transformer only the last layer is.
    pub fn is_trained_whole(&self) -> bool {
        !matches!(self.family, Family::Tower(_))
    }
}
