//! ConvNeXts (Liu et al. 2022) as torchvision has them. What it does with the channels last, a normalisation
//! and two fully connected layers at every position, happens here where the maps lie.

use anyhow::Result;
use candle_core::{Tensor, Var};

use super::Ends;
use super::body::Body;
use super::layers::{Activation, Affine, Window, flatten, layer_norm, squeeze};
use super::parameters::{Parameters, Start};
use super::pass::{Pass, Section};
use super::plain::{Convolution, Dense};
use architecture::convnext::LAYERS;

/// The first layer.
pub(super) const STEM_LAYER: &str = "features.0.0";
/// The last layer.
pub(super) const HEAD: &str = "classifier.2";

const STEM: Window = Window::square(4, 4, 0);
const DEPTHWISE: Window = Window::square(7, 1, 3);
const HALVE: Window = Window::square(2, 2, 0);
/// How many times as many channels a block has in the middle.
const WIDER: usize = 4;
/// What a block's output is multiplied by at first.
const LAYER_SCALE: f32 = 1e-6;
const START: Start = Start::Normal(0.02);
/// Added to the variance.
const EPSILON: f32 = 1e-6;

/// Which member of the family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// Blocks of each stage.
    blocks: [usize; 4],
    /// Channels of each stage.
    channels: [usize; 4],
    /// Share of the images that go without the last block, in training; it grows from none at the first.
    skipped: f64,
}

impl Plan {
    /// The member of this name.
    pub(super) fn of(name: &str) -> Option<Plan> {
        let (blocks, channels, skipped) = match name {
            "convnext_tiny" => ([3, 3, 9, 3], [96, 192, 384, 768], 0.1),
            "convnext_small" => ([3, 3, 27, 3], [96, 192, 384, 768], 0.4),
            "convnext_base" => ([3, 3, 27, 3], [128, 256, 512, 1024], 0.5),
            _ => return None,
        };
        Some(Plan { blocks, channels, skipped })
    }
}

/// A normalisation over the channels.
#[derive(Debug)]
struct Norm([Var; 2]);

impl Norm {
    fn new(name: &str, channels: usize, parameters: &mut Parameters) -> Result<Norm> {
        let [one, zero] = [1.0, 0.0].map(Start::Constant);
        parameters.add_layer(name, &[channels], one, zero).map(Norm)
    }

    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let [gain, offset] = self.0.each_ref().map(|var| pass.weight(var));
        let affine = Affine { gain: &gain, offset: &offset, epsilon: EPSILON };
        layer_norm(x, affine, &mut pass.engine)
    }
}

#[derive(Debug)]
struct Block {
    name: String,
    scale: Var,
    depthwise: Convolution,
    norm: Norm,
    widen: Convolution,
    narrow: Convolution,
    skipped: f32,
}

impl Block {
    fn new(
        name: String,
        channels: usize,
        skipped: f32,
        parameters: &mut Parameters,
    ) -> Result<Block> {
        let scale = Start::Constant(LAYER_SCALE);
        let scale = parameters.add(format!("{name}.layer_scale"), &[channels, 1, 1], scale)?;
        let [part_0, part_3, part_5] = [0, 3, 5].map(|part| format!("{name}.block.{part}"));
        let depthwise =
            Convolution::new(&part_0, &[channels, 1, 7, 7], DEPTHWISE, START, parameters)?;
        let norm = Norm::new(&format!("{name}.block.2"), channels, parameters)?;
        let wide = WIDER * channels;
        let mut dense = |name: &str, shape: [usize; 2]| {
            Convolution::new(name, &shape, Window::POINT, START, parameters)
        };
        let widen = dense(&part_3, [wide, channels])?;
        let narrow = dense(&part_5, [channels, wide])?;
        Ok(Block { name, scale, depthwise, norm, widen, narrow, skipped })
    }

    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let y = self.depthwise.run(x, Activation::Identity, pass)?;
        let y = self.norm.run(&y, pass)?;
        let y = self.widen.run(&y, Activation::Gelu, pass)?;
        let rows = match &pass.chance {
            Some(chance) if self.skipped > 0.0 => {
                Some(chance.rows(&self.name, self.skipped, x.dim(0)?))
            }
            _ => None,
        };
        self.narrow.run_scaled(&y, &self.scale, rows.as_deref(), x, pass)
    }
}

/// Half the size, before all stages but the first.
#[derive(Debug)]
struct Downsampling {
    norm: Norm,
    halve: Convolution,
}

/// The network's parameters.
#[derive(Debug)]
pub(super) struct ConvNext {
    plan: Plan,
    stem: (Convolution, Norm),
    stages: Vec<(Option<Downsampling>, Vec<Block>)>,
    norm: Norm,
    head: Dense,
}

impl ConvNext {
    pub(super) fn new(plan: Plan, ends: Ends, parameters: &mut Parameters) -> Result<ConvNext> {
        let Plan { blocks, channels, skipped } = plan;
        let shape = [channels[0], ends.channels, 4, 4];
        let convolution = Convolution::new(STEM_LAYER, &shape, STEM, START, parameters)?;
        let stem = (convolution, Norm::new("features.0.1", channels[0], parameters)?);
        let all: usize = blocks.iter().sum();
        let (mut stages, mut before) = (Vec::new(), 0);
        for stage in 0..4 {
            let (units, place) = (channels[stage], 2 * stage);
            let downsampling = match stage.checked_sub(1) {
                Some(previous) => {
                    let [norm, halve] = [0, 1].map(|part| format!("features.{place}.{part}"));
                    let norm = Norm::new(&norm, channels[previous], parameters)?;
                    let shape = [units, channels[previous], 2, 2];
                    let halve = Convolution::new(&halve, &shape, HALVE, START, parameters)?;
                    Some(Downsampling { norm, halve })
                }
                None => None,
            };
            let mut made = Vec::new();
            for block in 0..blocks[stage] {
                let name = format!("features.{}.{block}", place + 1);
                let share = skipped * (before + block) as f64 / (all - 1) as f64;
                made.push(Block::new(name, units, share as f32, parameters)?);
            }
            before += blocks[stage];
            parameters.mark(Some(LAYERS[stage]));
            stages.push((downsampling, made));
        }
        let [.., last] = channels;
        let norm = Norm::new("classifier.0", last, parameters)?;
        let bias = Start::Constant(0.0);
        let head = Dense::new(HEAD, [last, ends.outputs], START, bias, parameters)?;
        Ok(ConvNext { plan, stem, stages, norm, head })
    }
}

impl Body for ConvNext {
    fn trunk(&self, images: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Option<Tensor>> {
        let mut x = images.clone();
        if !pass.is_ahead() {
            let (stem, norm) = &self.stem;
            x = stem.run(&x, Activation::Identity, pass)?;
            x = norm.run(&x, pass)?;
        }
        for ((downsampling, blocks), layer) in self.stages.iter().zip(LAYERS) {
            if pass.section(Some(layer)) != Section::Computed {
                continue;
            }
            if let Some(Downsampling { norm, halve }) = downsampling {
                x = norm.run(&x, pass)?;
                x = halve.run(&x, Activation::Identity, pass)?;
            }
            for block in blocks {
                x = block.run(&x, pass)?;
            }
            if pass.probe(layer, &mut x)? {
                return Ok(None);
            }
        }
        Ok(Some(x))
    }

    fn classify(&self, maps: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let x = squeeze(maps, &mut pass.engine)?;
        let x = self.norm.run(&x, pass)?;
        let x = flatten(&x, &mut pass.engine)?;
        self.head.run(&x, pass)
    }

    fn units(&self, layer: &str) -> Option<usize> {
        Some(self.plan.channels[LAYERS.iter().position(|known| *known == layer)?])
    }

    fn windows(&self, layer: &str) -> Vec<Window> {
        let mut windows = vec![STEM];
        for (blocks, name) in self.plan.blocks.into_iter().zip(LAYERS) {
            windows.extend([DEPTHWISE].repeat(blocks));
            if *name == layer {
                break;
            }
            windows.push(HALVE);
        }
        windows
    }
}
