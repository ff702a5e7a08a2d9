//! Probe points of the DenseNets.

/// Probe points: the outputs of the dense blocks, their input and all that their layers add, before the
/// normalisation that follows.
pub const LAYERS: &[&str] = &["denseblock1", "denseblock2", "denseblock3", "denseblock4"];
