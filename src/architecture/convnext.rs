//! Probe points of the ConvNeXts.

/// Probe points: the outputs of the stages of Liu et al. 2022, table 9 (`res2` to `res5`), before the
/// downsampling that follows; torchvision's `features` of number 1, 3, 5 and 7.
pub const LAYERS: &[&str] = &["stage1", "stage2", "stage3", "stage4"];
