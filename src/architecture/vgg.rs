//! Probe points and least input of VGG.

/// Below it the last pooling has nothing to pool.
pub const SMALLEST_INPUT: u32 = 32;
/// Probe points of each depth: the last convolution of each block.
pub const LAYERS_11: &[&str] = &["conv1_1", "conv2_1", "conv3_2", "conv4_2", "conv5_2"];
/// See [`LAYERS_11`].
pub const LAYERS_13: &[&str] = &["conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2"];
/// See [`LAYERS_11`].
pub const LAYERS_16: &[&str] = &["conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"];
/// See [`LAYERS_11`].
pub const LAYERS_19: &[&str] = &["conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4"];
