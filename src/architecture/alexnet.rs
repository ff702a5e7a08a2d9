//! Probe points and least input of AlexNet.

/// Probe points.
pub const LAYERS: &[&str] = &["conv1", "conv2", "conv3", "conv4", "conv5"];
/// Below it the last pooling has nothing to pool.
pub const SMALLEST_INPUT: u32 = 63;
