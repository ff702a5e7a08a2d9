//! Vision transformers: ViT (Dosovitskiy et al. 2021), DINOv2 (Oquab et al. 2023) and the image towers of CLIP (Radford
//! et al. 2021) and SigLIP (Zhai et al. 2023), by the names of their published weights. They stay as they are: a linear
//! layer over what they make of an image is all that is trained.
//!
//! Their blocks are candle-transformers' ([`block`]). What lies around them is written here, for its models
//! take no images of another size than they were published for (but DINOv2's, at positions of the nearest), DINOv2 only
//! one at a time, with another activation and normalisation than Meta's, and ViT and SigLIP show no block's tokens.

pub(crate) mod block;
pub(crate) mod names;
mod positions;

use std::sync::Arc;

use anyhow::Result;
use candle_core::{D, Module, Tensor, bail};
use candle_nn::Activation;

use super::Ends;
use super::body::{Body, Landmarks};
use super::input::Colours;
use super::layers::{Engine, Window, flatten};
use super::parameters::{Parameters, Start};
use super::pass::{Pass, Section};
use super::plain::Dense;
use crate::cpu;
use architecture::tower::{LAYERS_24, Tower as Kind};
use base::Field;
use block::{Affine, Block, Form, attention, image_by_image, layer_norm, linear, split};
use names::{Stored, thirds};

/// Added to the edge of DINOv2's grid for the scale of its positions.
const DINO_V2_OFFSET: f64 = 0.1;

/// Which member of which kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    tower: Kind,
    form: Form,
    /// Blocks.
    depth: usize,
    /// Edge of a token's pixels.
    patch: usize,
    /// Edge of the grid of tokens that the positions are for.
    native: usize,
}

impl Plan {
    /// Of so many blocks and tokens of so many values, attended to by so many heads; edges of a token's pixels and of
    /// the positions' grid.
    pub(super) fn new(
        tower: Kind,
        [depth, width, heads]: [usize; 3],
        [patch, native]: [usize; 2],
    ) -> Plan {
        Plan { tower, form: names::form(tower, width, heads), depth, patch, native }
    }

    /// The member of this name.
    pub(super) fn of(name: &str) -> Option<Plan> {
        const TINY: [usize; 3] = [12, 192, 3];
        const SMALL: [usize; 3] = [12, 384, 6];
        const BASE: [usize; 3] = [12, 768, 12];
        const LARGE: [usize; 3] = [24, 1024, 16];
        // Positions for 518 pixels.
        const DINO: [usize; 2] = [14, 37];
        let (tower, size, grid) = match name {
            "vit_tiny_patch16_224" => (Kind::Vit, TINY, [16, 14]),
            "vit_small_patch16_224" => (Kind::Vit, SMALL, [16, 14]),
            "vit_base_patch16_224" => (Kind::Vit, BASE, [16, 14]),
            "vit_large_patch16_224" => (Kind::Vit, LARGE, [16, 14]),
            "dinov2_vits14" => (Kind::DinoV2, SMALL, DINO),
            "dinov2_vitb14" => (Kind::DinoV2, BASE, DINO),
            "dinov2_vitl14" => (Kind::DinoV2, LARGE, DINO),
            "clip_vit_base_patch32" => (Kind::Clip, BASE, [32, 7]),
            "clip_vit_base_patch16" => (Kind::Clip, BASE, [16, 14]),
            "clip_vit_large_patch14" => (Kind::Clip, LARGE, [14, 16]),
            "siglip_base_patch16_224" => (Kind::SigLip, BASE, [16, 14]),
            _ => return None,
        };
        Some(Plan::new(tower, size, grid))
    }

    /// The same with another activation than the kind's: OpenCLIP's own trainings have GELU where OpenAI's CLIP has a
    /// quicker one.
    pub(super) fn with_activation(mut self, activation: Activation) -> Plan {
        self.form.activation = activation;
        self
    }

    /// Tokens before those of the grid.
    fn before_grid(self) -> usize {
        usize::from(names::of(self.tower).class.is_some())
    }

    /// Values of what the last layer sees.
    pub(super) fn features(self) -> usize {
        match self.tower {
            Kind::DinoV2 => 2 * self.form.width,
            Kind::Vit | Kind::Clip | Kind::SigLip => self.form.width,
        }
    }
}

/// What weight files call the ends of a kind.
pub(super) fn landmarks(kind: Kind) -> Landmarks {
    let names::Names { stem, head, .. } = names::of(kind);
    // Hugging Face's classifiers over CLIP and SigLIP see the mean of all tokens, not what these towers were
    // trained to give: the same shape, and another computation.
    let adopts = matches!(kind, Kind::Vit | Kind::DinoV2);
    Landmarks { stem, heads: head, optional: None, adopts }
}

/// How a kind has its images normalised.
pub(super) fn colours(kind: Kind) -> Colours {
    match kind {
        Kind::DinoV2 => Colours::IMAGENET,
        Kind::Vit | Kind::SigLip => Colours::HALF,
        Kind::Clip => Colours {
            mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
            deviation: [0.268_629_54, 0.261_302_58, 0.275_777_11],
        },
    }
}

/// A vision transformer's parameters.
#[derive(Debug)]
pub(super) struct Tower {
    plan: Plan,
    layers: &'static [&'static str],
    stored: Stored,
    head: Dense,
}

impl Tower {
    pub(super) fn new(plan: Plan, ends: Ends, parameters: &mut Parameters) -> Result<Tower> {
        let stored = Stored::add(plan, ends.channels, parameters)?;
        // As DINOv2's linear evaluation starts.
        let (weight, bias) = (Start::Normal(0.01), Start::Constant(0.0));
        let shape = [plan.features(), ends.outputs];
        let [name] = *names::of(plan.tower).head;
        let head = Dense::new(name, shape, weight, bias, parameters)?;
        Ok(Tower { plan, layers: &LAYERS_24[..plan.depth], stored, head })
    }
}

impl Body for Tower {
    fn trunk(&self, images: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Option<Tensor>> {
        if pass.section(self.layers.last().copied()) == Section::Given {
            return Ok(Some(images.clone()));
        }
        let Plan { patch, .. } = self.plan;
        let (_, _, rows, columns) = images.dims4()?;
        if rows != columns || rows % patch != 0 {
            bail!("{rows} x {columns} pixels are no square of patches of {patch} pixels");
        }
        let edge = rows / patch;
        let ready = pass.prepared(|| Prepared::new(self, edge))?;
        if ready.edge != edge {
            bail!("an input of {edge} tokens on a side where {} were expected", ready.edge);
        }
        let embedded = |images: &Tensor| {
            image_by_image(images, self.plan.form, |images| ready.embedded(images))
        };
        let mut tokens = pass.engine.apply(images, embedded)?;
        for (block, layer) in ready.blocks.iter().zip(self.layers) {
            tokens = block.run(&tokens, &mut pass.engine)?;
            if pass.wants(layer) {
                let grid = Grid { before: self.plan.before_grid(), edge };
                let mut map = grid.map(&tokens, &mut pass.engine)?;
                if pass.probe(layer, &mut map)? {
                    return Ok(None);
                }
                tokens = grid.with(&tokens, &map, &mut pass.engine)?;
            }
        }
        let last = Last::new(self)?;
        let seen = |tokens: &Tensor| {
            let run = |tokens: &Tensor| last.features(tokens)?.unsqueeze(2)?.unsqueeze(3);
            image_by_image(tokens, self.plan.form, run)
        };
        pass.engine.apply(&tokens, seen).map(Some)
    }

    /// The last maps are what the last layer sees, images x features x 1 x 1.
    fn classify(&self, features: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let features = flatten(features, &mut pass.engine)?;
        self.head.run(&features, pass)
    }

    fn features(&self) -> Option<usize> {
        Some(self.plan.features())
    }

    fn units(&self, layer: &str) -> Option<usize> {
        self.layers.contains(&layer).then_some(self.plan.form.width)
    }

    fn windows(&self, _layer: &str) -> Vec<Window> {
        vec![Window::square(self.plan.patch, self.plan.patch, 0)]
    }

    /// Every token attends to every other from the first block on: wherever its field is centred, it holds the
    /// whole input.
    fn field(&self, _layer: &str, input: u32) -> Field {
        let (edge, stride) = (2.0 * input as f32, self.plan.patch as f32);
        Field { edge, stride, centre: stride / 2.0 }
    }

    fn slides(&self) -> bool {
        false
    }
}

/// A vision transformer for images of one size.
#[derive(Debug)]
pub(super) struct Prepared {
    plan: Plan,
    /// Edge of the grid of tokens.
    edge: usize,
    stem: Affine,
    /// 1 x 1 x width.
    class: Option<Tensor>,
    /// 1 x tokens x width.
    positions: Tensor,
    before: Option<Affine>,
    blocks: Vec<Block>,
}

impl Prepared {
    fn new(tower: &Tower, edge: usize) -> candle_core::Result<Arc<Prepared>> {
        let Tower { plan, stored, .. } = tower;
        let Plan { tower: kind, form, depth, native, .. } = *plan;
        let names = names::of(kind);
        let weight = stored.one(&format!("{}.weight", names.stem))?.flatten_from(1)?;
        let bias = match names.stem_bias {
            true => stored.one(&format!("{}.bias", names.stem))?,
            false => Tensor::zeros(form.width, weight.dtype(), weight.device())?,
        };
        let class = names.class.map(|name| stored.one(name)?.reshape((1, 1, form.width)));
        let before_grid = plan.before_grid();
        let mut positions =
            stored.one(names.positions)?.reshape((before_grid + native * native, form.width))?;
        if edge != native {
            let more = if kind == Kind::DinoV2 { DINO_V2_OFFSET } else { 0.0 };
            let grid = positions.narrow(0, before_grid, native * native)?;
            let grid = positions::resized(&grid, native, edge, more)?;
            positions = Tensor::cat(&[positions.narrow(0, 0, before_grid)?, grid], 0)?;
        }
        let block = |number| Block::new(stored.block(kind, form, number)?, form);
        Ok(Arc::new(Prepared {
            plan: *plan,
            edge,
            stem: [weight, bias],
            class: class.transpose()?,
            positions: positions.unsqueeze(0)?,
            before: names.before.map(|name| stored.two(name)).transpose()?,
            blocks: (0..depth).map(block).collect::<candle_core::Result<_>>()?,
        }))
    }

    /// The tokens of images before the first block, images x tokens x width.
    fn embedded(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        let Plan { patch, form, .. } = self.plan;
        let (count, channels, _, _) = images.dims4()?;
        let cut: [usize; 6] = [count, channels, self.edge, patch, self.edge, patch];
        let patches = images.reshape(&cut[..])?.permute([0, 2, 4, 1, 3, 5])?;
        let places = self.edge * self.edge;
        let mut tokens =
            linear(&patches.reshape((count, places, channels * patch * patch))?, &self.stem)?;
        if let Some(class) = &self.class {
            let class = class.broadcast_as((count, 1, form.width))?;
            tokens = Tensor::cat(&[&class, &tokens], 1)?;
        }
        let tokens = tokens.broadcast_add(&self.positions)?;
        match &self.before {
            Some(norm) => layer_norm(&tokens, norm, form.epsilon),
            None => Ok(tokens),
        }
    }
}

/// What becomes of the last tokens.
struct Last {
    plan: Plan,
    norm: Affine,
    pooling: Option<Pooling>,
}

impl Last {
    fn new(tower: &Tower) -> candle_core::Result<Last> {
        let Tower { plan, stored, .. } = tower;
        let names = names::of(plan.tower);
        let pooling = names.pooling.map(|name| Pooling::new(name, stored)).transpose()?;
        Ok(Last { plan: *plan, norm: stored.two(names.after)?, pooling })
    }

    /// What the last layer sees, images x features.
    fn features(&self, tokens: &Tensor) -> candle_core::Result<Tensor> {
        let form = self.plan.form;
        let class = |tokens: &Tensor| tokens.narrow(1, 0, 1);
        if let Some(pooling) = &self.pooling {
            return pooling.run(&layer_norm(tokens, &self.norm, form.epsilon)?, form);
        }
        if self.plan.tower == Kind::DinoV2 {
            let tokens = layer_norm(tokens, &self.norm, form.epsilon)?;
            let places = tokens.dim(1)? - 1;
            let mean = tokens.narrow(1, 1, places)?.mean(1)?;
            return Tensor::cat(&[class(&tokens)?.squeeze(1)?, mean], D::Minus1);
        }
        layer_norm(&class(tokens)?.contiguous()?, &self.norm, form.epsilon)?.squeeze(1)
    }
}

/// SigLIP's query of its own: what it sees of the tokens, changed by two fully connected layers.
struct Pooling {
    /// 1 x 1 x width.
    query: Tensor,
    key: Affine,
    value: Affine,
    attended: Affine,
    norm: Affine,
    widen: Affine,
    narrow: Affine,
    own: Affine,
}

impl Pooling {
    fn new(name: &str, stored: &Stored) -> candle_core::Result<Pooling> {
        let named = |part: &str| format!("{name}.{part}");
        let all = [
            stored.one(&named("attention.in_proj_weight"))?,
            stored.one(&named("attention.in_proj_bias"))?,
        ];
        let [own, key, value] = thirds(&all);
        Ok(Pooling {
            query: stored.one(&named("probe"))?,
            own: own?,
            key: key?,
            value: value?,
            attended: stored.two(&named("attention.out_proj"))?,
            norm: stored.two(&named("layernorm"))?,
            widen: stored.two(&named("mlp.fc1"))?,
            narrow: stored.two(&named("mlp.fc2"))?,
        })
    }

    /// Images x tokens x width to images x width.
    fn run(&self, tokens: &Tensor, form: Form) -> candle_core::Result<Tensor> {
        let (images, _, width) = tokens.dims3()?;
        let query = linear(&self.query, &self.own)?.broadcast_as((images, 1, width))?;
        let [query, key, value] =
            [query.contiguous(), linear(tokens, &self.key), linear(tokens, &self.value)]
                .map(|part| split(&part?, form.heads));
        let x = linear(&attention(&query?, &key?, &value?, None)?, &self.attended)?;
        let y = linear(&layer_norm(&x, &self.norm, form.epsilon)?, &self.widen)?;
        let y = linear(&form.activation.forward(&y)?, &self.narrow)?;
        (x + y)?.squeeze(1)
    }
}

/// Where among the tokens those of the image lie.
#[derive(Debug, Clone, Copy)]
struct Grid {
    /// Tokens before them.
    before: usize,
    /// Rows of them, and columns.
    edge: usize,
}

impl Grid {
    /// Tokens of places as maps: images x tokens x width to images x width x rows x columns.
    fn map(self, tokens: &Tensor, engine: &mut Engine) -> candle_core::Result<Tensor> {
        let (images, _, width) = tokens.dims3()?;
        let Grid { before, edge } = self;
        let places = tokens.narrow(1, before, edge * edge)?;
        let map = places.transpose(1, 2)?.reshape((images, width, edge, edge))?;
        if let Some(tape) = engine.tape() {
            let tokens = tokens.clone();
            tape.record(&[&tokens.clone()], &map, move |grad, gradients| {
                let grad = cpu::tensor(grad, &[images, width, edge * edge])?.transpose(1, 2)?;
                let all = grad.pad_with_zeros(1, before, 0)?;
                gradients.add(&tokens, all.flatten_all()?.to_vec1()?)
            });
        }
        Ok(map)
    }

    /// The tokens with these maps in their places: what follows depends on the maps.
    fn with(
        self,
        tokens: &Tensor,
        map: &Tensor,
        engine: &mut Engine,
    ) -> candle_core::Result<Tensor> {
        let (images, count, width) = tokens.dims3()?;
        let Grid { before, edge } = self;
        let places = map.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        let all = match before {
            0 => places,
            // Joined as they lie, the tokens would be strided, and blocks compute those in another order.
            _ => Tensor::cat(&[&tokens.narrow(1, 0, before)?, &places], 1)?.contiguous()?,
        };
        if let Some(tape) = engine.tape() {
            let (tokens, map) = (tokens.clone(), map.clone());
            tape.record(&[&tokens.clone(), &map.clone()], &all, move |grad, gradients| {
                let grad = cpu::tensor(grad, &[images, count, width])?;
                if before > 0 {
                    let others = grad.narrow(1, 0, before)?;
                    let others = others.pad_with_zeros(1, 0, edge * edge)?;
                    gradients.add(&tokens, others.flatten_all()?.to_vec1()?)?;
                }
                let places = grad.narrow(1, before, edge * edge)?.transpose(1, 2)?;
                gradients.add(&map, places.flatten_all()?.to_vec1()?)
            });
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests;
