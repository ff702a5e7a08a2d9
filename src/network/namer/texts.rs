//! Text towers of CLIP, SigLIP and MobileCLIP: tokens attend to each other, block after block, and what one of them has seen is the
//! text's.
//!
//! The blocks are those of the image towers ([`crate::tower::block`]), which have the same parts and, in files, the same
//! names. candle-transformers has both text towers too, and the tests hold this one against them; they do not serve as
//! they are. Its CLIP has no other activation than OpenAI's quick one and finds the end of a text as the greatest of its
//! tokens, which is it in OpenAI's vocabulary alone; its OpenCLIP lets each token see those that follow it; and they
//! compute every place of a text, filled or not, although nothing that comes after the end can be seen from there.

use anyhow::Result;
use candle_core::{Device, Tensor};

use super::reader::{Reader, Reads};
use crate::parameters::Parameters;
use crate::tower::block::{Affine, Form, Parts, layer_norm};
use crate::tower::names::{AFTER_TEXT, PLACES, Stored, TOKENS};
use architecture::tower::Tower;

/// Added to how much a token attends to one that it does not see.
const UNSEEN: f32 = f32::MIN;

/// What tokens of a text see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Those before each, and itself.
    Before,
    /// All in all places, filled or not.
    All,
}

/// Which token tells what a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// The one that marks its end.
    End,
    /// The one in the last place.
    Last,
}

/// Sizes and choices of a text tower.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) form: Form,
    /// Blocks.
    pub(super) depth: usize,
    /// Tokens that there are.
    pub(super) vocabulary: usize,
    /// Tokens of a text at most.
    pub(super) places: usize,
    pub(super) seen: Seen,
    pub(super) told: Told,
}

/// A text tower's parameters.
#[derive(Debug)]
pub(super) struct Texts {
    plan: Plan,
    stored: Stored,
}

impl Texts {
    pub(super) fn new(plan: Plan, parameters: &mut Parameters) -> Result<Texts> {
        let Plan { form, depth, vocabulary, places, .. } = plan;
        let stored = Stored::add_texts(form, [depth, vocabulary, places], parameters)?;
        Ok(Texts { plan, stored })
    }

    /// A tower of the parameters as they are, which live on `device`.
    pub(super) fn ready(&self, device: &Device) -> candle_core::Result<Reader> {
        let Plan { form, depth, .. } = self.plan;
        // The blocks have the names of CLIP's image tower.
        let block = |number| self.stored.block(Tower::Clip, form, number);
        let tower = Ready {
            plan: self.plan,
            tokens: self.stored.one(TOKENS)?,
            places: self.stored.one(PLACES)?,
            blocks: (0..depth).map(block).collect::<candle_core::Result<_>>()?,
            after: self.stored.two(AFTER_TEXT)?,
        };
        Ok(Reader::new(tower, device.clone()))
    }
}

/// A text tower that is ready to run.
#[derive(Debug)]
struct Ready {
    plan: Plan,
    /// Vocabulary x width.
    tokens: Tensor,
    /// Places x width.
    places: Tensor,
    blocks: Vec<Parts>,
    after: Affine,
}

impl Reads for Ready {
    fn at_once(&self, texts: &[&Vec<u32>], padding: u32) -> candle_core::Result<Tensor> {
        let (Plan { form, places, seen, told, .. }, device) = (self.plan, self.tokens.device());
        let count = texts.len();
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        // What comes after the end is not seen from there: no more places than the longest text has.
        let (length, mask) = match seen {
            Seen::Before => (longest, Some(mask(longest, device)?)),
            Seen::All => (places, None),
        };
        let padded = |text: &&Vec<u32>| {
            let more = length.saturating_sub(text.len());
            text.iter().copied().chain(std::iter::repeat_n(padding, more)).collect::<Vec<u32>>()
        };
        let ids: Vec<u32> = texts.iter().flat_map(padded).collect();
        let ids = Tensor::from_vec(ids, count * length, device)?;
        let x = self.tokens.index_select(&ids, 0)?.reshape((count, length, form.width))?;
        let mut x = x.broadcast_add(&self.places.narrow(0, 0, length)?)?;
        for block in &self.blocks {
            x = block.run(&x, form, mask.as_ref())?;
        }
        let of_text = |(at, text): (usize, &&Vec<u32>)| {
            let place = match told {
                Told::End => text.len(),
                Told::Last => length,
            };
            x.narrow(0, at, 1)?.narrow(1, place.saturating_sub(1), 1)
        };
        let told =
            texts.iter().enumerate().map(of_text).collect::<candle_core::Result<Vec<_>>>()?;
        layer_norm(&Tensor::cat(&told, 0)?.contiguous()?, &self.after, form.epsilon)?.squeeze(1)
    }
}

/// What hides from each token those that follow it, tokens x tokens.
fn mask(length: usize, device: &Device) -> candle_core::Result<Tensor> {
    let value = |at: usize| if at % length > at / length { UNSEEN } else { 0.0 };
    let mask: Vec<f32> = (0..length * length).map(value).collect();
    Tensor::from_vec(mask, (length, length), device)
}
