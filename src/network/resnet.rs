//! Residual networks (He et al. 2016) as torchvision has them: the stride of a bottleneck sits on
//! its 3x3 convolution. Its channels may be in groups (ResNeXt; Xie et al. 2017), or be more than usual (wide
//! ResNets; Zagoruyko & Komodakis 2016).

use anyhow::Result;
use candle_core::Tensor;

use super::body::Body;
use super::layers::{Activation, Window, global_average, max_pool, relu};
use super::normed::{self, Constants, Normed};
use super::parameters::{Parameters, Start};
use super::pass::{Pass, Section};
use super::plain::Dense;
use super::{Ends, Pooling};
use architecture::resnet::LAYERS;

/// The first layer.
pub(super) const STEM_LAYER: &str = "conv1";
/// The last layer.
pub(super) const HEAD: &str = "fc";

const STEM: Window = Window::square(7, 2, 3);
const POOL: Window = Window::square(3, 2, 1);
const STEM_UNITS: usize = 64;
/// Width of the blocks of each layer, before a bottleneck's expansion.
const WIDTHS: [usize; 4] = [64, 128, 256, 512];
/// Edge of the maps' window that [`Pooling::Window7`] averages.
const WINDOW: usize = 7;

/// Which member of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    bottleneck: bool,
    /// Blocks of each layer.
    blocks: [usize; 4],
    /// Groups of a bottleneck's 3x3 convolution, and channels of each in the first layer.
    groups: [usize; 2],
}

impl Plan {
    /// The member of this name.
    pub(super) fn of(name: &str) -> Option<Plan> {
        const ONE: [usize; 2] = [1, 64];
        let (bottleneck, blocks, groups) = match name {
            "resnet10" => (false, [1, 1, 1, 1], ONE),
            "resnet18" => (false, [2, 2, 2, 2], ONE),
            "resnet34" => (false, [3, 4, 6, 3], ONE),
            "resnet50" => (true, [3, 4, 6, 3], ONE),
            "resnet101" => (true, [3, 4, 23, 3], ONE),
            "resnet152" => (true, [3, 8, 36, 3], ONE),
            "resnext50_32x4d" => (true, [3, 4, 6, 3], [32, 4]),
            "resnext101_32x8d" => (true, [3, 4, 23, 3], [32, 8]),
            "wide_resnet50_2" => (true, [3, 4, 6, 3], [1, 128]),
            "wide_resnet101_2" => (true, [3, 4, 23, 3], [1, 128]),
            _ => return None,
        };
        Some(Plan { bottleneck, blocks, groups })
    }

    fn expansion(self) -> usize {
        if self.bottleneck { 4 } else { 1 }
    }

    /// The convolutions of a block: units, window and groups.
    fn convolutions(self, width: usize, stride: usize) -> Vec<(usize, Window, usize)> {
        if self.bottleneck {
            let [groups, channels] = self.groups;
            let inner = width / WIDTHS[0] * channels * groups;
            vec![
                (inner, Window::POINT, 1),
                (inner, Window::square(3, stride, 1), groups),
                (width * self.expansion(), Window::POINT, 1),
            ]
        } else {
            vec![(width, Window::square(3, stride, 1), 1), (width, Window::square(3, 1, 1), 1)]
        }
    }
}

/// Stride of block `block` of layer `layer`, both from 0.
fn stride(layer: usize, block: usize) -> usize {
    if layer > 0 && block == 0 { 2 } else { 1 }
}

/// Adds a convolution and its batch normalisation: Kaiming normal by fan out, as torchvision.
fn normed(
    conv: String,
    norm: String,
    channels: usize,
    (units, window, groups): (usize, Window, usize),
    parameters: &mut Parameters,
) -> Result<Normed> {
    let [rows, columns] = window.kernel;
    let start = Start::kaiming(units * rows * columns);
    let constants = Constants::DEFAULT;
    let plan = normed::Plan { conv, norm, channels, units, window, groups, start, constants };
    Normed::new(plan, parameters)
}

#[derive(Debug)]
struct Block {
    units: Vec<Normed>,
    shortcut: Option<Normed>,
}

impl Block {
    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let shortcut = match &self.shortcut {
            Some(unit) => unit.run(x, None, Activation::Identity, pass)?,
            None => x.clone(),
        };
        let mut y = x.clone();
        for (i, unit) in self.units.iter().enumerate() {
            let last = i + 1 == self.units.len();
            y = unit.run(&y, last.then_some(&shortcut), Activation::Relu, pass)?;
        }
        Ok(y)
    }
}

/// The network's parameters.
#[derive(Debug)]
pub(super) struct ResNet {
    plan: Plan,
    stem: Normed,
    layers: Vec<Vec<Block>>,
    head: Dense,
}

impl ResNet {
    pub(super) fn new(plan: Plan, ends: Ends, parameters: &mut Parameters) -> Result<ResNet> {
        let Ends { channels, outputs } = ends;
        let conv = STEM_LAYER.to_owned();
        let stem = normed(conv, "bn1".into(), channels, (STEM_UNITS, STEM, 1), parameters)?;
        parameters.mark(Some(LAYERS[0]));
        let mut channels = STEM_UNITS;
        let mut layers = Vec::new();
        for (layer, (width, count)) in WIDTHS.into_iter().zip(plan.blocks).enumerate() {
            let mut blocks = Vec::new();
            for block in 0..count {
                let name = format!("layer{}.{block}", layer + 1);
                let (input, step) = (channels, stride(layer, block));
                let mut units = Vec::new();
                for (i, convolution) in plan.convolutions(width, step).into_iter().enumerate() {
                    let (conv, norm) =
                        (format!("{name}.conv{}", i + 1), format!("{name}.bn{}", i + 1));
                    units.push(normed(conv, norm, channels, convolution, parameters)?);
                    channels = convolution.0;
                }
                let shortcut = if step != 1 || input != channels {
                    let (conv, norm) =
                        (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
                    let convolution = (channels, Window::square(1, step, 0), 1);
                    Some(normed(conv, norm, input, convolution, parameters)?)
                } else {
                    None
                };
                blocks.push(Block { units, shortcut });
            }
            layers.push(blocks);
            parameters.mark(Some(LAYERS[layer + 1]));
        }
        let start = Start::default_of(channels);
        let head = Dense::new(HEAD, [channels, outputs], start, start, parameters)?;
        Ok(ResNet { plan, stem, layers, head })
    }
}

impl Body for ResNet {
    fn trunk(&self, images: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Option<Tensor>> {
        let stem = pass.section(Some(LAYERS[0]));
        let mut x = match stem {
            Section::Skipped => images.clone(),
            Section::Given => relu(images, &mut pass.engine)?,
            Section::Computed if pass.wants(LAYERS[0]) => {
                let mut x = self.stem.run(images, None, Activation::Identity, pass)?;
                if pass.probe(LAYERS[0], &mut x)? {
                    return Ok(None);
                }
                relu(&x, &mut pass.engine)?
            }
            Section::Computed => self.stem.run(images, None, Activation::Relu, pass)?,
        };
        if stem != Section::Skipped {
            x = max_pool(&x, POOL, &mut pass.engine)?;
        }
        for (blocks, layer) in self.layers.iter().zip(&LAYERS[1..]) {
            if pass.section(Some(layer)) != Section::Computed {
                continue;
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
        let corner = (pass.design.pooling == Pooling::Window7).then_some(WINDOW);
        let x = global_average(maps, corner, &mut pass.engine)?;
        self.head.run(&x, pass)
    }

    fn units(&self, layer: &str) -> Option<usize> {
        match LAYERS.iter().position(|known| *known == layer)? {
            0 => Some(STEM_UNITS),
            i => Some(WIDTHS[i - 1] * self.plan.expansion()),
        }
    }

    fn windows(&self, layer: &str) -> Vec<Window> {
        let last = LAYERS.iter().position(|known| *known == layer).unwrap_or(0);
        let mut windows = vec![STEM];
        if last > 0 {
            windows.push(POOL);
        }
        for (layer, blocks) in self.plan.blocks.into_iter().enumerate().take(last) {
            for block in 0..blocks {
                let convolutions = self.plan.convolutions(WIDTHS[layer], stride(layer, block));
                windows.extend(convolutions.into_iter().map(|(_, window, _)| window));
            }
        }
        windows
    }

    fn linear_head(&self) -> Option<&'static str> {
        Some(HEAD)
    }
}
