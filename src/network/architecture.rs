//! The networks there are, by name, with their probe points.

use anyhow::{Context, Result};

use super::{alexnet, resnet};

/// A kind of network that can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Architecture {
    /// As torchvision names it.
    pub name: &'static str,
    /// Probe points from input to output.
    pub layers: &'static [&'static str],
    /// Those dissected unless the project says otherwise: the last convolutional layer, and for the
    /// deep ResNets also the one before (paper, section 2.3).
    pub dissected: &'static [&'static str],
    /// Smallest input for which every layer keeps at least one location.
    pub min_input: u32,
}

const fn residual(name: &'static str) -> Architecture {
    Architecture { name, layers: resnet::LAYERS, dissected: &["layer3", "layer4"], min_input: 32 }
}

/// Every network, in the order of messages.
pub const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "alexnet",
        layers: alexnet::LAYERS,
        dissected: &["conv5"],
        min_input: alexnet::SMALLEST_INPUT,
    },
    residual("resnet10"),
    residual("resnet18"),
    residual("resnet34"),
    residual("resnet50"),
    residual("resnet101"),
    residual("resnet152"),
];

/// Networks of the paper that cannot be built yet.
pub const PLANNED: &[&str] = &["vgg16", "inception_v3"];

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
}
