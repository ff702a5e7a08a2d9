//! The networks there are, by name, with their probe points.

use std::ops::RangeInclusive;

use anyhow::{Context, Result};

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
}

/// A kind of network that can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// As torchvision names it.
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
    let (family, min_input) = (Family::Vgg, vgg::SMALLEST_INPUT);
    Architecture { name, family, layers, dissected, input: INPUT, min_input }
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
    Architecture { name, family, layers, dissected, input, min_input: 32 }
}

/// Networks whose convolutions come with the program, trained on phantoms.
pub const BUILTIN: &[&str] = &["alexnet", "resnet18"];

/// Every network, in the order of messages.
pub const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "alexnet",
        family: Family::AlexNet,
        layers: alexnet::LAYERS,
        dissected: &["conv5"],
        input: INPUT,
        min_input: alexnet::SMALLEST_INPUT,
    },
    vgg("vgg11", vgg::LAYERS_11, &["conv5_2"]),
    vgg("vgg13", vgg::LAYERS_13, &["conv5_2"]),
    vgg("vgg16", vgg::LAYERS_16, &["conv5_3"]),
    vgg("vgg19", vgg::LAYERS_19, &["conv5_4"]),
    Architecture {
        name: "inception_v3",
        family: Family::Inception,
        layers: inception::LAYERS,
        dissected: &["mixed_7a", "mixed_7c"],
        input: 299,
        min_input: inception::SMALLEST_INPUT,
    },
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
            Family::DenseNet | Family::EfficientNet | Family::MobileNet | Family::ConvNext => false,
        }
    }

    /// Edges of the inputs that it takes, in pixels.
    pub fn inputs(&self) -> RangeInclusive<u32> {
        self.min_input..=MAX_INPUT
    }
}
