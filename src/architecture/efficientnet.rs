//! Probe points of the EfficientNets.

/// Probe points: the outputs of the stages of Tan & Le 2019, table 1, which counts them from 1;
/// torchvision counts from 0, so that stage 5 is its `features.4`. Stages 1 and 9 are convolutions, whose
/// output is probed after the activation; the last block of the others ends without one.
pub const LAYERS: &[&str] =
    &["stage1", "stage2", "stage3", "stage4", "stage5", "stage6", "stage7", "stage8", "stage9"];
