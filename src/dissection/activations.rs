//! Where activations come from: a network that is run, or what was recorded of one.

use anyhow::Result;
use candle_core::{Device, Tensor};

use base::{Field, Split};
use network::{Network, device};
use record::Store;
use recording::Shown;

/// Where the activations of a network come from.
#[derive(Debug, Clone, Copy)]
pub enum Activations<'a> {
    /// It is run.
    Run(&'a Network),
    /// They were recorded elsewhere.
    Recorded(&'a Shown<'a>),
}

/// Gives the maps of some layers for patches by number, each patches x units x rows x columns.
pub(super) type Maps<'a> = Box<dyn Fn(&[u32]) -> Result<Vec<Tensor>> + 'a>;

impl<'a> Activations<'a> {
    /// Checks that there are activations of all patches of a split.
    ///
    /// # Errors
    /// When some were not recorded, or from other pixels.
    pub(super) fn check(self, store: &Store, split: Split, patches: &[u32]) -> Result<()> {
        match self {
            Self::Run(_) => Ok(()),
            Self::Recorded(shown) => shown.check(store, patches, &format!("the {split} split")),
        }
    }

    /// Whether the network says anything of the classes.
    pub(super) fn tells(self) -> bool {
        match self {
            Self::Run(network) => network.tells(),
            Self::Recorded(shown) => shown.tells(),
        }
    }

    /// What shows patches to some layers.
    pub(super) fn maps(self, store: &'a Store, layers: &'a [&str]) -> Maps<'a> {
        match self {
            Self::Run(network) => {
                let inference = network.inference();
                Box::new(move |batch| {
                    let pixels: Vec<&[u8]> = batch.iter().map(|&n| store.pixels(n)).collect();
                    inference.maps(&network.images(&pixels, store.edge())?, layers)
                })
            }
            Self::Recorded(shown) => {
                Box::new(move |batch| layers.iter().map(|layer| shown.maps(layer, batch)).collect())
            }
        }
    }

    /// Where the units of a layer look, in pixels of a stored patch of `edge`.
    ///
    /// # Errors
    /// When there is no such layer.
    pub(super) fn field(self, layer: &str, edge: u32) -> Result<Field> {
        let (field, input) = match self {
            Self::Run(network) => (network.field(layer)?, network.input()),
            Self::Recorded(shown) => (shown.layer(layer)?.field, shown.recording().header().input),
        };
        Ok(in_patch(field, input, edge))
    }

    /// What computes what follows from them, for its record.
    pub fn computed_on(self) -> String {
        match self {
            Self::Run(network) => device::provenance(network.device()),
            Self::Recorded(_) => device::provenance(&Device::Cpu),
        }
    }
}

/// A field in pixels of the network's input, in pixels of the stored patch.
pub(super) fn in_patch(field: Field, input: u32, edge: u32) -> Field {
    let scale = edge as f32 / input as f32;
    Field { edge: field.edge * scale, stride: field.stride * scale, centre: field.centre * scale }
}
