//! Probe points of the MobileNets.

/// Probe points: the last bottleneck of each size of the maps (`bneck`, counted as in Howard et al. 2019,
/// table 1; torchvision's `features` of the same number), which ends without an activation, and the
/// convolution after them, after its activation.
pub const LAYERS_LARGE: &[&str] =
    &["bneck1", "bneck3", "bneck6", "bneck12", "bneck15", "conv_last"];
/// The same of the small network (table 2).
pub const LAYERS_SMALL: &[&str] = &["bneck1", "bneck3", "bneck8", "bneck11", "conv_last"];
