//! Choices within an architecture.

use anyhow::{Result, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Architecture, Family, inception};

/// What a network may do in more than one way; nothing of it changes the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Design {
    /// How a ResNet's last maps become one value per unit.
    pub pooling: Pooling,
    /// Whether training asks Inception's auxiliary classifier for logits too. Its weights may be
    /// absent from a weight file only where it does not.
    pub auxiliary: bool,
    /// Precision of training's convolutions and matrix products.
    pub precision: Precision,
}

/// How a ResNet's last maps become one value per unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The average over all locations, as in torchvision today.
    #[default]
    Global,
    /// The average over the 7 x 7 locations at the top left: torchvision 0.1.9, with which the
    /// paper's networks were trained. The maps are 8 x 8 at an input of 227.
    Window7,
}

/// Precision of a computation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Single precision throughout.
    #[default]
    F32,
    /// On NVIDIA cards of the Ampere generation (2020) and later: convolutions and matrix products round
    /// their factors to 11 bits (NVIDIA's TF32), as PyTorch's do there, and sum in single precision, in
    /// training and inference; everything else is in single precision. Three to five times as fast as f32.
    Tf32,
    /// On an accelerator: in training, convolutions and matrix products read and write bfloat16 (half
    /// precision); parameters, gradients of parameters, normalisation and everything else stay in single
    /// precision (PyTorch's `autocast`). Inference computes in single precision.
    Bf16,
}

impl Precision {
    /// That of inference where training has this one.
    pub fn of_inference(self) -> Precision {
        match self {
            Precision::Tf32 => Precision::Tf32,
            Precision::F32 | Precision::Bf16 => Precision::F32,
        }
    }
}

/// Inputs at which [`Pooling::Window7`] has exactly one place: maps of 7 x 7 to 13 x 13.
pub const WINDOW7_INPUTS: std::ops::RangeInclusive<u32> = 193..=416;

/// Smallest input at which Inception's auxiliary classifier has maps to see.
pub const MIN_AUXILIARY_INPUT: u32 = inception::SMALLEST_AUXILIARY_INPUT;

/// The layer that Inception's auxiliary classifier looks at.
pub const AUXILIARY_LAYER: &str = inception::AUXILIARY_LAYER;

impl Design {
    /// Refuses what a network of this kind and input cannot do, or not on the processor.
    ///
    /// # Errors
    /// Says which choice it is, whose it is, and what to write instead.
    pub fn check(&self, architecture: &Architecture, input: u32, on_processor: bool) -> Result<()> {
        let name = architecture.name;
        if self.pooling == Pooling::Window7 {
            let (least, most) = WINDOW7_INPUTS.into_inner();
            if architecture.family != Family::ResNet {
                bail!("pooling: window7 belongs to ResNets, not to {name}");
            }
            if !WINDOW7_INPUTS.contains(&input) {
                bail!("pooling: window7 needs an input of {least} to {most} pixels, not {input}");
            }
        }
        if self.auxiliary {
            if architecture.family != Family::Inception {
                bail!("{name} has no auxiliary classifier; only inception_v3 has");
            }
            if input < MIN_AUXILIARY_INPUT {
                bail!(
                    "the auxiliary classifier needs an input of at least {MIN_AUXILIARY_INPUT} \
                     pixels, not {input}"
                );
            }
        }
        if self.precision == Precision::Bf16 && on_processor {
            bail!(
                "precision: bf16 needs an accelerator; write `precision: f32`, or choose one with \
                 `device: cuda:0` or `device: metal`"
            );
        }
        Ok(())
    }
}
