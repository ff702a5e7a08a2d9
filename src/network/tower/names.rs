//! What weight files call the parts of vision transformers, and how their blocks become candle-transformers' ViT's.

use std::collections::HashMap;

use candle_core::{Result, Tensor, Var, bail};
use candle_nn::Activation;

use super::Plan;
use super::block::{Affine, Form, Parts};
use crate::parameters::{Parameters, Start};
use architecture::tower::Tower;

/// Query, key and value.
#[derive(Debug, Clone, Copy)]
enum Qkv {
    /// Layers of their own.
    Each([&'static str; 3]),
    /// One layer, one after the other.
    Together(&'static str),
}

/// Names within a block.
#[derive(Debug, Clone, Copy)]
struct OfBlock {
    before: &'static str,
    qkv: Qkv,
    attended: &'static str,
    after: &'static str,
    widen: &'static str,
    narrow: &'static str,
    /// What the two branches are multiplied by, value by value (layer scale).
    scales: Option<[&'static str; 2]>,
}

/// Names of a kind of vision transformer. A name of two tensors is followed by `weight` and `bias`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names {
    /// The first convolution.
    pub(super) stem: &'static str,
    /// Whether it has a bias.
    pub(super) stem_bias: bool,
    /// The class token, where there is one.
    pub(super) class: Option<&'static str>,
    /// Positions of the tokens.
    pub(super) positions: &'static str,
    /// Whether class token and positions have no dimension for images.
    flat: bool,
    /// Normalisation before the blocks, where there is one.
    pub(super) before: Option<&'static str>,
    blocks: &'static str,
    block: OfBlock,
    /// Normalisation after the blocks.
    pub(super) after: &'static str,
    /// The query of its own, with its attention, normalisation and two fully connected layers, where there is one.
    pub(super) pooling: Option<&'static str>,
    /// The last layer.
    pub(super) head: &'static [&'static str; 1],
}

const VIT: Names = Names {
    stem: "embeddings.patch_embeddings.projection",
    stem_bias: true,
    class: Some("embeddings.cls_token"),
    positions: "embeddings.position_embeddings",
    flat: false,
    before: None,
    blocks: "encoder.layer",
    block: OfBlock {
        before: "layernorm_before",
        qkv: Qkv::Each([
            "attention.attention.query",
            "attention.attention.key",
            "attention.attention.value",
        ]),
        attended: "attention.output.dense",
        after: "layernorm_after",
        widen: "intermediate.dense",
        narrow: "output.dense",
        scales: None,
    },
    after: "layernorm",
    pooling: None,
    head: &["classifier"],
};

const DINO_V2: Names = Names {
    stem: "patch_embed.proj",
    stem_bias: true,
    class: Some("cls_token"),
    positions: "pos_embed",
    flat: false,
    before: None,
    blocks: "blocks",
    block: OfBlock {
        before: "norm1",
        qkv: Qkv::Together("attn.qkv"),
        attended: "attn.proj",
        after: "norm2",
        widen: "mlp.fc1",
        narrow: "mlp.fc2",
        scales: Some(["ls1.gamma", "ls2.gamma"]),
    },
    after: "norm",
    pooling: None,
    head: &["head"],
};

const CLIP: Names = Names {
    stem: "embeddings.patch_embedding",
    stem_bias: false,
    class: Some("embeddings.class_embedding"),
    positions: "embeddings.position_embedding.weight",
    flat: true,
    // Spelt so in every file.
    before: Some("pre_layrnorm"),
    blocks: "encoder.layers",
    block: OfBlock {
        before: "layer_norm1",
        qkv: Qkv::Each(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
        attended: "self_attn.out_proj",
        after: "layer_norm2",
        widen: "mlp.fc1",
        narrow: "mlp.fc2",
        scales: None,
    },
    after: "post_layernorm",
    pooling: None,
    head: &["classifier"],
};

const SIG_LIP: Names =
    Names { stem_bias: true, class: None, before: None, pooling: Some("head"), ..CLIP };

/// Of a text tower: what each token of the vocabulary starts from.
pub(crate) const TOKENS: &str = "embeddings.token_embedding.weight";
/// What is added to it in each place.
pub(crate) const PLACES: &str = "embeddings.position_embedding.weight";
/// The normalisation after the blocks.
pub(crate) const AFTER_TEXT: &str = "final_layer_norm";

/// The names of a kind.
pub(super) fn of(tower: Tower) -> Names {
    match tower {
        Tower::Vit => VIT,
        Tower::DinoV2 => DINO_V2,
        Tower::Clip => CLIP,
        Tower::SigLip => SIG_LIP,
    }
}

/// The parameters of a vision transformer below its last layer, by name.
#[derive(Debug)]
pub(crate) struct Stored(HashMap<String, Var>);

impl Stored {
    /// Adds all that a plan wants, in the order of its parts; none of it is trained.
    pub(super) fn add(
        plan: Plan,
        channels: usize,
        parameters: &mut Parameters,
    ) -> anyhow::Result<Stored> {
        let Plan { tower, form, depth, patch, native } = plan;
        let (names, width) = (of(tower), form.width);
        let mut adding = Adding { parameters, stored: HashMap::new() };
        let leading: &[usize] = if names.flat { &[] } else { &[1] };
        let random = Start::Normal(0.02);
        if let Some(class) = names.class {
            let dims = if names.flat { vec![width] } else { vec![1, 1, width] };
            adding.one(class.to_owned(), &dims, random)?;
        }
        let places = native * native + usize::from(names.class.is_some());
        adding.one(names.positions.to_owned(), &[leading, &[places, width]].concat(), random)?;
        adding.one(format!("{}.weight", names.stem), &[width, channels, patch, patch], random)?;
        if names.stem_bias {
            adding.one(format!("{}.bias", names.stem), &[width], Start::Constant(0.0))?;
        }
        if let Some(before) = names.before {
            adding.norm(before, width)?;
        }
        adding.blocks(names, form, depth)?;
        adding.norm(names.after, width)?;
        if let Some(pooling) = names.pooling {
            let within = |part: &str| format!("{pooling}.{part}");
            adding.one(within("probe"), &[1, 1, width], random)?;
            adding.one(within("attention.in_proj_weight"), &[3 * width, width], random)?;
            adding.one(within("attention.in_proj_bias"), &[3 * width], Start::Constant(0.0))?;
            adding.layer(&within("attention.out_proj"), [width, width])?;
            adding.norm(&within("layernorm"), width)?;
            adding.layer(&within("mlp.fc1"), [form.hidden(), width])?;
            adding.layer(&within("mlp.fc2"), [width, form.hidden()])?;
        }
        Ok(Stored(adding.stored))
    }

    /// Adds what the text tower of CLIP or SigLIP wants: tokens and their positions, the blocks, which have the names of
    /// CLIP's image tower, and the layer after them; none of it is trained.
    pub(crate) fn add_texts(
        form: Form,
        [depth, vocabulary, places]: [usize; 3],
        parameters: &mut Parameters,
    ) -> anyhow::Result<Stored> {
        let mut adding = Adding { parameters, stored: HashMap::new() };
        let random = Start::Normal(0.02);
        for (name, count) in [(TOKENS, vocabulary), (PLACES, places)] {
            adding.one(name.to_owned(), &[count, form.width], random)?;
        }
        adding.blocks(CLIP, form, depth)?;
        adding.norm(AFTER_TEXT, form.width)?;
        Ok(Stored(adding.stored))
    }

    /// A tensor.
    pub(crate) fn one(&self, name: &str) -> Result<Tensor> {
        match self.0.get(name) {
            Some(var) => Ok(var.as_detached_tensor()),
            None => bail!("there is no tensor {name}"),
        }
    }

    /// Weight and bias.
    pub(crate) fn two(&self, name: &str) -> Result<Affine> {
        Ok([self.one(&format!("{name}.weight"))?, self.one(&format!("{name}.bias"))?])
    }

    /// A block, counted from 0, as one of candle-transformers' ViT's: query, key and value apart, scales of branches
    /// as part of what ends them, and CLIP's activation as SiLU.
    pub(crate) fn block(&self, tower: Tower, form: Form, number: usize) -> Result<Parts> {
        let Names { blocks, block, .. } = of(tower);
        let named = |part: &str| format!("{blocks}.{number}.{part}");
        let layer = |part: &str| self.two(&named(part));
        let [query, key, value] = match block.qkv {
            Qkv::Each(each) => each.map(layer),
            Qkv::Together(part) => thirds(&layer(part)?),
        };
        let scaled = |part: &str, scale: Option<&str>| -> Result<Affine> {
            let [weight, bias] = layer(part)?;
            let Some(scale) = scale else { return Ok([weight, bias]) };
            let scale = self.one(&named(scale))?;
            Ok([weight.broadcast_mul(&scale.unsqueeze(1)?)?, (bias * scale)?])
        };
        let parts = Parts {
            layernorm_before: layer(block.before)?,
            query: query?,
            key: key?,
            value: value?,
            attention_output: scaled(block.attended, block.scales.map(|[first, _]| first))?,
            layernorm_after: layer(block.after)?,
            intermediate: layer(block.widen)?,
            output: scaled(block.narrow, block.scales.map(|[_, second]| second))?,
        };
        match form.activation {
            Activation::Silu => parts.with_quick_gelu(),
            _ => Ok(parts),
        }
    }
}

/// Query, key and value of one layer for all three.
pub(super) fn thirds([weight, bias]: &Affine) -> [Result<Affine>; 3] {
    [0, 1, 2].map(|third| {
        let of = |all: &Tensor| {
            let len = all.dim(0)? / 3;
            all.narrow(0, third * len, len)
        };
        Ok([of(weight)?, of(bias)?])
    })
}

/// Parameters that are being added.
struct Adding<'p> {
    parameters: &'p mut Parameters,
    stored: HashMap<String, Var>,
}

impl Adding<'_> {
    /// So many blocks, by a kind's names.
    fn blocks(&mut self, names: Names, form: Form, depth: usize) -> anyhow::Result<()> {
        let (width, block) = (form.width, names.block);
        for number in 0..depth {
            let within = |part: &str| format!("{}.{number}.{part}", names.blocks);
            self.norm(&within(block.before), width)?;
            match block.qkv {
                Qkv::Each(each) => {
                    for part in each {
                        self.layer(&within(part), [width, width])?;
                    }
                }
                Qkv::Together(part) => self.layer(&within(part), [3 * width, width])?,
            }
            self.layer(&within(block.attended), [width, width])?;
            self.norm(&within(block.after), width)?;
            self.layer(&within(block.widen), [form.hidden(), width])?;
            self.layer(&within(block.narrow), [width, form.hidden()])?;
            for scale in block.scales.into_iter().flatten() {
                self.one(within(scale), &[width], Start::Constant(1.0))?;
            }
        }
        Ok(())
    }

    fn one(&mut self, name: String, dims: &[usize], start: Start) -> anyhow::Result<()> {
        let var = self.parameters.add_fixed(name.clone(), dims, start)?;
        self.stored.insert(name, var);
        Ok(())
    }

    fn layer(&mut self, name: &str, dims: [usize; 2]) -> anyhow::Result<()> {
        self.one(format!("{name}.weight"), &dims, Start::Normal(0.02))?;
        self.one(format!("{name}.bias"), &dims[..1], Start::Constant(0.0))
    }

    fn norm(&mut self, name: &str, width: usize) -> anyhow::Result<()> {
        self.one(format!("{name}.weight"), &[width], Start::Constant(1.0))?;
        self.one(format!("{name}.bias"), &[width], Start::Constant(0.0))
    }
}

/// The activation between the fully connected layers of a block, and what is added to variances.
pub(super) fn form(tower: Tower, width: usize, heads: usize) -> Form {
    let (activation, epsilon) = match tower {
        Tower::Vit => (Activation::Gelu, 1e-12),
        Tower::DinoV2 => (Activation::Gelu, 1e-6),
        Tower::Clip => (Activation::Silu, 1e-5),
        Tower::SigLip => (Activation::GeluPytorchTanh, 1e-6),
    };
    Form { width, heads, epsilon, activation }
}
