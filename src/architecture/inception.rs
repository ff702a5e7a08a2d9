//! Probe points and least input of Inception v3.

/// Probe points: the outputs of the blocks of these names.
pub const LAYERS: &[&str] = &["mixed_5d", "mixed_6a", "mixed_6e", "mixed_7a", "mixed_7c"];
/// The layer that the auxiliary classifier looks at.
pub const AUXILIARY_LAYER: &str = "mixed_6e";
/// Below it the last reduction has nothing to reduce.
pub const SMALLEST_INPUT: u32 = 75;
/// Below it the maps under the auxiliary classifier are too small for its windows.
pub const SMALLEST_AUXILIARY_INPUT: u32 = 299;
