//! Which networks a project file may name, and their probe points.

/// A network that can be built.
pub(super) struct Architecture {
    /// As torchvision names it.
    pub(super) name: &'static str,
    /// Probe points from input to output.
    pub(super) layers: &'static [&'static str],
    /// Those dissected unless the project says otherwise: the last convolutional layer, and for the
    /// deep ResNets also the one before (paper, section 2.3).
    pub(super) dissected: &'static [&'static str],
    /// Smallest input for which every layer keeps at least one location.
    pub(super) min_input: u32,
}

const RESNET: &[&str] = &["bn1", "layer1", "layer2", "layer3", "layer4"];

const fn resnet(name: &'static str) -> Architecture {
    Architecture { name, layers: RESNET, dissected: &["layer3", "layer4"], min_input: 32 }
}

/// Every network, in the order of messages.
pub(super) const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "alexnet",
        layers: &["conv1", "conv2", "conv3", "conv4", "conv5"],
        dissected: &["conv5"],
        min_input: 63,
    },
    resnet("resnet10"),
    resnet("resnet18"),
    resnet("resnet34"),
    resnet("resnet50"),
    resnet("resnet101"),
    resnet("resnet152"),
];

/// Networks of the paper that cannot be built yet.
pub(super) const PLANNED: &[&str] = &["vgg16", "inception_v3"];
