//! A block of a vision transformer: tokens attend to each other, and each is changed by two fully connected layers.
//!
//! The blocks of all kinds are candle-transformers' of its ViT, each on its own, for there alone activation and epsilon
//! can be chosen and blocks be had one by one: [`super::names`] says how the others become such blocks. What computes
//! them has no gradients, and says so to nobody: its softmax and its layer normalisation end Candle's record, and
//! everything before has a gradient of zero. So where gradients are asked for, a block is also written out
//! in operations that Candle differentiates.

use std::collections::HashMap;

use candle_core::{D, DType, Module, Result, Tensor, Var};
use candle_nn::{Activation, VarBuilder, ops};
use candle_transformers::models::vit;
use rayon::prelude::*;

use crate::cpu;
use crate::layers::Engine;

/// How much each token attends to each other in each head, for all images that an accelerator looks at together: so
/// many values at most, unless one image has more.
const ATTENTION: usize = 1 << 26;

/// What the blocks of a transformer have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Form {
    /// Values of a token.
    pub(crate) width: usize,
    /// Heads of the attention, each with its share of the width.
    pub(crate) heads: usize,
    /// Added to the variance.
    pub(crate) epsilon: f64,
    /// Between the two fully connected layers; SiLU stands for CLIP's ([`Parts::with_quick_gelu`]).
    pub(crate) activation: Activation,
}

impl Form {
    /// Values of a token between the two fully connected layers.
    pub(crate) fn hidden(self) -> usize {
        4 * self.width
    }
}

/// Weight and bias.
pub(crate) type Affine = [Tensor; 2];

/// The parameters of a block, by what candle-transformers calls them.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(super) layernorm_before: Affine,
    pub(super) query: Affine,
    pub(super) key: Affine,
    pub(super) value: Affine,
    pub(super) attention_output: Affine,
    pub(super) layernorm_after: Affine,
    pub(super) intermediate: Affine,
    pub(super) output: Affine,
}

impl Parts {
    fn named(&self) -> [(&'static str, &Affine); 8] {
        [
            ("layernorm_before", &self.layernorm_before),
            ("attention.attention.query", &self.query),
            ("attention.attention.key", &self.key),
            ("attention.attention.value", &self.value),
            ("attention.output.dense", &self.attention_output),
            ("layernorm_after", &self.layernorm_after),
            ("intermediate.dense", &self.intermediate),
            ("output.dense", &self.output),
        ]
    }

    /// The same block with CLIP's activation x σ(1.702 x) between its fully connected layers, where its form has SiLU:
    /// it is SiLU of 1.702 x, divided by that.
    pub(crate) fn with_quick_gelu(self) -> Result<Parts> {
        const FACTOR: f64 = 1.702;
        let ([widen, widen_bias], [narrow, narrow_bias]) = (self.intermediate, self.output);
        Ok(Parts {
            intermediate: [(widen * FACTOR)?, (widen_bias * FACTOR)?],
            output: [(narrow / FACTOR)?, narrow_bias],
            ..self
        })
    }

    /// Tokens of images or texts, images x tokens x width, after the block, in operations that Candle differentiates.
    /// `mask`, queries x tokens, is added to how much each token attends to each.
    pub(crate) fn run(&self, x: &Tensor, form: Form, mask: Option<&Tensor>) -> Result<Tensor> {
        let y = layer_norm(x, &self.layernorm_before, form.epsilon)?;
        let [query, key, value] =
            [&self.query, &self.key, &self.value].map(|part| split(&linear(&y, part)?, form.heads));
        let seen = attention(&query?, &key?, &value?, mask)?;
        let x = (x + linear(&seen, &self.attention_output)?)?;
        let y = layer_norm(&x, &self.layernorm_after, form.epsilon)?;
        let y = form.activation.forward(&linear(&y, &self.intermediate)?)?;
        x + linear(&y, &self.output)?
    }
}

/// A block that is ready to run.
#[derive(Debug)]
pub(super) struct Block {
    form: Form,
    parts: Parts,
    encoder: vit::Encoder,
}

impl Block {
    pub(super) fn new(parts: Parts, form: Form) -> Result<Block> {
        let Form { width, heads, epsilon, activation } = form;
        let config = vit::Config {
            hidden_size: width,
            num_hidden_layers: 1,
            num_attention_heads: heads,
            intermediate_size: form.hidden(),
            hidden_act: activation,
            layer_norm_eps: epsilon,
            // Of the embedding, which is not among the blocks.
            image_size: 0,
            patch_size: 1,
            num_channels: 0,
            qkv_bias: true,
        };
        let mut tensors: HashMap<String, Tensor> = HashMap::new();
        for (name, [weight, bias]) in parts.named() {
            tensors.insert(format!("layer.0.{name}.weight"), weight.clone());
            tensors.insert(format!("layer.0.{name}.bias"), bias.clone());
        }
        let device = parts.query[0].device();
        let weights = VarBuilder::from_tensors(tensors, DType::F32, device);
        let encoder = vit::Encoder::new(&config, weights)?;
        Ok(Block { form, parts, encoder })
    }

    /// Tokens of images, images x tokens x width, after the block.
    pub(super) fn run(&self, x: &Tensor, engine: &mut Engine) -> Result<Tensor> {
        if x.track_op() {
            return self.parts.run(x, self.form, None);
        }
        let y = image_by_image(x, self.form, |x| self.encoder.forward(x))?;
        if let Some(tape) = engine.tape() {
            let (x, form, parts) = (x.clone(), self.form, self.parts.clone());
            // Run again rather than kept: the intermediate results of an image in one block are enough.
            tape.record(&[&x.clone()], &y, move |grad, gradients| {
                let grad = cpu::tensor(grad, x.dims())?;
                let both = Tensor::stack(&[&x, &grad], 1)?;
                let by_image = each(&both, form, |both| {
                    let half = |at| both.narrow(1, at, 1)?.squeeze(1)?.contiguous();
                    let (leaf, grad) = (Var::from_tensor(&half(0)?)?, half(1)?);
                    let store = (parts.run(&leaf, form, None)? * grad)?.sum_all()?.backward()?;
                    match store.get(&leaf) {
                        Some(by_leaf) => by_leaf.flatten_all()?.to_vec1::<f32>(),
                        None => candle_core::bail!("a block without a gradient by its tokens"),
                    }
                })?;
                gradients.add(&x, by_image.concat())
            });
        }
        Ok(y)
    }
}

/// [`each`] of what becomes of some images, together.
pub(crate) fn image_by_image(
    x: &Tensor,
    form: Form,
    run: impl Fn(&Tensor) -> Result<Tensor> + Sync,
) -> Result<Tensor> {
    match each(x, form, run)?.as_slice() {
        [whole] => Ok(whole.clone()),
        parts => Tensor::cat(parts, 0),
    }
}

/// Calls `run` with parts of some images, in their order: on the processor with one image each, as many at a time as
/// there are threads, so that what becomes of an image depends on no other and on no number of threads.
fn each<T: Send>(
    x: &Tensor,
    form: Form,
    run: impl Fn(&Tensor) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let images = x.dim(0)?;
    if x.device().is_cpu() {
        return (0..images).into_par_iter().map(|image| run(&x.narrow(0, image, 1)?)).collect();
    }
    let tokens = x.dim(1)?;
    let together = (ATTENTION / (form.heads * tokens * tokens)).max(1);
    let part = |first: usize| run(&x.narrow(0, first, together.min(images - first))?);
    (0..images).step_by(together).map(part).collect()
}

/// Normalises every token over its values, in operations that Candle differentiates.
pub(crate) fn layer_norm(x: &Tensor, [gain, offset]: &Affine, epsilon: f64) -> Result<Tensor> {
    let centred = x.broadcast_sub(&x.mean_keepdim(D::Minus1)?)?;
    let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
    let y = centred.broadcast_div(&(variance + epsilon)?.sqrt()?)?;
    y.broadcast_mul(gain)?.broadcast_add(offset)
}

/// Images x tokens x inputs to images x tokens x outputs.
pub(crate) fn linear(x: &Tensor, [weight, bias]: &Affine) -> Result<Tensor> {
    let (images, tokens, inputs) = x.dims3()?;
    let y = x.reshape((images * tokens, inputs))?.matmul(&weight.t()?)?.broadcast_add(bias)?;
    y.reshape((images, tokens, weight.dim(0)?))
}

/// Images x tokens x width to images x heads x tokens x share of the width.
pub(super) fn split(x: &Tensor, heads: usize) -> Result<Tensor> {
    let (images, tokens, width) = x.dims3()?;
    x.reshape((images, tokens, heads, width / heads))?.transpose(1, 2)?.contiguous()
}

/// What each query sees of the values, images x queries x width. `mask`, queries x keys, is added to how much it attends
/// to each.
pub(super) fn attention(
    query: &Tensor,
    key: &Tensor,
    value: &Tensor,
    mask: Option<&Tensor>,
) -> Result<Tensor> {
    let (images, heads, queries, share) = query.dims4()?;
    let mut scores = (query.matmul(&key.t()?)? / (share as f64).sqrt())?;
    if let Some(mask) = mask {
        scores = scores.broadcast_add(mask)?;
    }
    let seen = ops::softmax(&scores, D::Minus1)?.matmul(value)?;
    seen.transpose(1, 2)?.reshape((images, queries, heads * share))
}
