//! BERT (Devlin et al. 2019) as a text tower, by candle-transformers' own model of it: what its last block makes of the
//! token that marks the end of a text is the text's.
//!
//! Tokens see each other and not the places that fill a text up. The pooling layer, which some files have, is not used.

use std::collections::HashMap;
use std::fmt;

use anyhow::Result;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};

use super::reader::{Reader, Reads};
use crate::parameters::{Parameters, Start};

/// The vectors of its tokens.
pub(super) const TOKENS: &str = "embeddings.word_embeddings.weight";
/// First and second texts of a pair: there is no second here.
const TYPES: usize = 2;

/// Sizes of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Blocks.
    pub(super) depth: usize,
    /// Values of a token.
    pub(super) width: usize,
    pub(super) heads: usize,
    /// Tokens that there are.
    pub(super) vocabulary: usize,
    /// Places that have a vector.
    pub(super) positions: usize,
    /// Tokens of a text at most, which may be fewer.
    pub(super) places: usize,
}

impl Plan {
    /// Names and shapes of its tensors, those of Hugging Face's files.
    fn tensors(self) -> Vec<(String, Vec<usize>)> {
        let Plan { depth, width, vocabulary, positions, .. } = self;
        let tables = [("word", vocabulary), ("position", positions), ("token_type", TYPES)]
            .map(|(of, rows)| (format!("embeddings.{of}_embeddings.weight"), vec![rows, width]));
        let affine = |name: String, dims: Vec<usize>| {
            let bias = dims[..1].to_vec();
            [(format!("{name}.weight"), dims), (format!("{name}.bias"), bias)]
        };
        let block = |number: usize| {
            let square = || vec![width, width];
            let parts = [
                ("attention.self.query", square()),
                ("attention.self.key", square()),
                ("attention.self.value", square()),
                ("attention.output.dense", square()),
                ("attention.output.LayerNorm", vec![width]),
                ("intermediate.dense", vec![4 * width, width]),
                ("output.dense", vec![width, 4 * width]),
                ("output.LayerNorm", vec![width]),
            ];
            parts.map(|(part, dims)| affine(format!("encoder.layer.{number}.{part}"), dims))
        };
        let first = affine("embeddings.LayerNorm".into(), vec![width]);
        let blocks = (0..depth).flat_map(block).flatten();
        tables.into_iter().chain(first).chain(blocks).collect()
    }

    fn config(self) -> Config {
        let Plan { depth, width, heads, vocabulary, positions, .. } = self;
        Config {
            vocab_size: vocabulary,
            hidden_size: width,
            num_hidden_layers: depth,
            num_attention_heads: heads,
            intermediate_size: 4 * width,
            max_position_embeddings: positions,
            type_vocab_size: TYPES,
            ..Config::default()
        }
    }
}

/// Its parameters.
#[derive(Debug)]
pub(super) struct Bert {
    plan: Plan,
    stored: Vec<(String, Var)>,
}

impl Bert {
    pub(super) fn new(plan: Plan, parameters: &mut Parameters) -> Result<Bert> {
        let add = |(name, dims): (String, Vec<usize>)| {
            let var = parameters.add_fixed(name.clone(), &dims, Start::Normal(0.02))?;
            Ok((name, var))
        };
        let stored = plan.tensors().into_iter().map(add).collect::<Result<_>>()?;
        Ok(Bert { plan, stored })
    }

    /// A tower of the parameters as they are, which live on `device`.
    pub(super) fn ready(&self, device: &Device) -> candle_core::Result<Reader> {
        let tensor = |(name, var): &(String, Var)| (name.clone(), var.as_detached_tensor());
        let tensors: HashMap<String, Tensor> = self.stored.iter().map(tensor).collect();
        let weights = VarBuilder::from_tensors(tensors, DType::F32, device);
        let model = BertModel::load(weights, &self.plan.config())?;
        Ok(Reader::new(Ready(model), device.clone()))
    }
}

/// One that is ready to run.
struct Ready(BertModel);

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bert").finish_non_exhaustive()
    }
}

impl Reads for Ready {
    fn at_once(&self, texts: &[&Vec<u32>], padding: u32) -> candle_core::Result<Tensor> {
        let Ready(model) = self;
        let count = texts.len();
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        let (mut ids, mut seen) = (Vec::new(), Vec::new());
        for text in texts {
            let empty = longest - text.len();
            ids.extend(text.iter().copied().chain(std::iter::repeat_n(padding, empty)));
            seen.extend(std::iter::repeat_n(1u32, text.len()).chain(std::iter::repeat_n(0, empty)));
        }
        let all = |values: Vec<u32>| Tensor::from_vec(values, (count, longest), &model.device);
        let (ids, seen) = (all(ids)?, all(seen)?);
        let x = model.forward(&ids, &ids.zeros_like()?, Some(&seen))?;
        let last = |(at, text): (usize, &&Vec<u32>)| {
            x.narrow(0, at, 1)?.narrow(1, text.len().saturating_sub(1), 1)?.squeeze(1)
        };
        let last = texts.iter().enumerate().map(last).collect::<candle_core::Result<Vec<_>>>()?;
        Tensor::cat(&last, 0)
    }
}
