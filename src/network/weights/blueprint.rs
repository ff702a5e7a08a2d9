//! What the tensors of an architecture are called and how they are shaped, before there is a network.

/// The tensors that an architecture wants. First and last layers have one channel and one output here;
/// a file says how many there are.
#[derive(Debug)]
pub(crate) struct Blueprint {
    /// Name of the architecture.
    pub(crate) network: &'static str,
    /// Names and shapes, parameters and buffers, in torchvision's order of modules.
    pub(crate) tensors: Vec<(String, Vec<usize>)>,
    /// The first convolution.
    pub(crate) stem: &'static str,
    /// The last layers, the network's own first.
    pub(crate) heads: &'static [&'static str],
    /// A part that inference does without.
    pub(crate) optional: Option<&'static str>,
    /// Whether the one layer that takes the network's features is its last layer under any name.
    pub(crate) adopts: bool,
}

impl Blueprint {
    /// The network's direct parts, in order.
    pub(super) fn children(&self) -> Vec<&str> {
        let mut children: Vec<&str> = Vec::new();
        for (name, _) in &self.tensors {
            let child = first(name);
            if !children.contains(&child) {
                children.push(child);
            }
        }
        children
    }

    /// The shape of a tensor.
    pub(super) fn dims(&self, name: &str) -> Option<&[usize]> {
        self.tensors.iter().find(|(known, _)| known == name).map(|(_, dims)| dims.as_slice())
    }

    /// Names without which there is no such network: neither counters nor the optional part, nor the
    /// last layers.
    pub(super) fn needed(&self) -> impl Iterator<Item = &str> {
        let names = self.tensors.iter().map(|(name, _)| name.as_str());
        names.filter(|name| {
            !name.ends_with(super::COUNTER)
                && self.optional.is_none_or(|part| first(name) != part)
                && !self.heads.contains(&super::layer(name))
        })
    }
}

/// The first part of a name.
pub(super) fn first(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
