//! Probe points and least input of the ResNets.

/// Probe points.
pub const LAYERS: &[&str] = &["bn1", "layer1", "layer2", "layer3", "layer4"];
