//! Patches made ready for the network by a thread of their own while the network computes.
//!
//! The thread reads pixels (from disk, the first time) and changes them; it touches no device. What
//! it makes and in which order does not depend on when it makes it.

use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::Result;
use candle_core::Tensor;

use super::augment::Change;
use super::frozen::Outputs;
use base::seed;
use config::Augment;
use network::{Inference, Logits, Network};
use record::Store;

/// Batches that wait, ready, beside the one in use and the one in the making.
const AHEAD: usize = 2;

/// Patches of one step, ready to be computed on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Batch {
    /// Their numbers in the manifest.
    pub(crate) patches: Vec<u32>,
    content: Content,
}

/// What of patches a network is given.
#[derive(Debug, Clone, PartialEq)]
enum Content {
    /// Their pixels, `edge * edge` each.
    Pixels { pixels: Vec<Vec<u8>>, edge: u32 },
    /// What its frozen part has made of them, one after the other: units, rows and columns.
    Maps { values: Vec<f32>, shape: [usize; 3] },
}

/// Where what a network is given of patches comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Feed<'a> {
    /// Pixels.
    Pixels(&'a Store),
    /// What its frozen part has made of them.
    Outputs(&'a Outputs),
}

impl Feed<'_> {
    /// Patches as they are stored.
    pub(crate) fn batch(self, patches: &[u32]) -> Batch {
        match self {
            Self::Pixels(store) => Batch::read(store, patches),
            Self::Outputs(outputs) => Batch::kept(outputs, patches),
        }
    }
}

impl Batch {
    /// Patches as they are stored.
    pub(crate) fn read(store: &Store, patches: &[u32]) -> Self {
        let pixels = patches.iter().map(|&n| store.pixels(n).to_vec()).collect();
        let content = Content::Pixels { pixels, edge: store.edge() };
        Self { patches: patches.to_vec(), content }
    }

    /// Patches as a network's frozen part has left them.
    fn kept(outputs: &Outputs, patches: &[u32]) -> Self {
        let content = Content::Maps { values: outputs.maps(patches), shape: outputs.shape() };
        Self { patches: patches.to_vec(), content }
    }

    /// Patches changed at random; the first is at `position` of its epoch. What happens to a patch
    /// follows from `seed` (of training), the epoch and its position, and from nothing else.
    pub(super) fn augmented(
        store: &Store,
        patches: &[u32],
        augment: Augment,
        (seed, epoch, position): (u64, u32, usize),
    ) -> Self {
        let mut batch = Self::read(store, patches);
        if let Content::Pixels { pixels, edge } = &mut batch.content
            && augment != Augment::NONE
        {
            for (i, pixels) in pixels.iter_mut().enumerate() {
                let mut rng = seed::stream(seed, &format!("augment/{epoch}/{}", position + i));
                *pixels = Change::draw(augment, &mut rng).apply(pixels, *edge as usize);
            }
        }
        batch
    }

    /// What `network` is given, on its device: [`Network::images`], or maps of its last frozen layer.
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn input(&self, network: &Network) -> Result<Tensor> {
        match &self.content {
            Content::Pixels { pixels, edge } => {
                let pixels: Vec<&[u8]> = pixels.iter().map(Vec::as_slice).collect();
                network.images(&pixels, *edge)
            }
            Content::Maps { values, shape: [units, rows, columns] } => {
                let shape = (self.patches.len(), *units, *rows, *columns);
                Ok(Tensor::from_slice(values, shape, network.device())?)
            }
        }
    }

    /// Logits of an input of this batch, or of its first images, to be trained on; see
    /// [`Network::training_logits`].
    ///
    /// # Errors
    /// When the device fails.
    pub(super) fn training_logits(
        &self,
        network: &Network,
        input: &Tensor,
        seed: u64,
    ) -> Result<Logits> {
        match self.content {
            Content::Pixels { .. } => network.training_logits(input, seed),
            Content::Maps { .. } => network.training_logits_of_maps(input, seed),
        }
    }

    /// What the network gives for the batch; see [`Inference::outputs`].
    ///
    /// # Errors
    /// When the device fails.
    pub(crate) fn outputs(&self, inference: &Inference<'_>) -> Result<Tensor> {
        let network = inference.network();
        let input = self.input(network)?;
        match (&self.content, network.frozen()) {
            (Content::Maps { .. }, Some(layer)) => inference.outputs_of_maps(layer, &input),
            _ => inference.outputs(&input),
        }
    }
}

/// Lets a thread of its own run through `items`, a few ahead of `consume`, which receives them in
/// their order.
pub(crate) fn ahead<T: Send, R>(
    items: impl Iterator<Item = T> + Send,
    consume: impl FnOnce(&mut dyn Iterator<Item = T>) -> R,
) -> R {
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(AHEAD);
        scope.spawn(move || {
            for item in items {
                if sender.send(item).is_err() {
                    // The other side stopped early.
                    break;
                }
            }
        });
        consume(&mut receiver.into_iter())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[test]
    fn items_arrive_in_order_made_ahead_but_not_without_bound() {
        let made = AtomicUsize::new(0);
        let items = (0..50).inspect(|_| {
            made.fetch_add(1, Ordering::SeqCst);
        });
        ahead(items, |items| {
            assert_eq!(items.next(), Some(0));
            // Two wait in the channel, one in the hands of the thread, one is here.
            let deadline = std::time::Instant::now() + Duration::from_secs(20);
            while made.load(Ordering::SeqCst) < 4 && std::time::Instant::now() < deadline {
                thread::yield_now();
            }
            thread::sleep(Duration::from_millis(20));
            assert_eq!(made.load(Ordering::SeqCst), AHEAD + 2);
            assert!(items.eq(1..50));
        });
    }

    #[test]
    fn a_patch_is_changed_by_its_place_in_the_epoch_alone() {
        let pixels: Vec<u8> = (0..48).collect();
        let store = Store::in_memory(4, &pixels).unwrap();
        let augment = Augment { intensity: 0.1, ..Augment::SYMMETRIES };
        let pixels = |batch: Batch| match batch.content {
            Content::Pixels { pixels, .. } => pixels,
            Content::Maps { .. } => panic!("no pixels"),
        };
        let batch = |patches: &[u32], epoch, position| {
            pixels(Batch::augmented(&store, patches, augment, (9, epoch, position)))
        };
        let whole = batch(&[2, 0, 1], 1, 30);
        assert_eq!(whole, [batch(&[2, 0], 1, 30), batch(&[1], 1, 32)].concat());
        assert_ne!(whole, batch(&[2, 0, 1], 2, 30));
        assert_ne!(whole, batch(&[2, 0, 1], 1, 31));
        assert_eq!(pixels(Batch::read(&store, &[1])), [(16..32).collect::<Vec<u8>>()]);
    }

    #[test]
    fn stopping_early_stops_the_thread() {
        let first = ahead(0.., |items| items.next());
        assert_eq!(first, Some(0));
    }
}
