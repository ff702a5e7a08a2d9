//! Residual networks (He et al. 2016) as torchvision has them: the stride of a bottleneck sits on
//! its 3x3 convolution.

use anyhow::Result;
use candle_core::{Tensor, Var};

use super::layers::{Window, global_average, linear, max_pool, relu};
use super::normed::{self, Normed};
use super::parameters::{Parameters, Start};
use super::pass::Pass;
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
/// Added to the variance.
const EPSILON: f32 = 1e-5;
/// Edge of the maps' window that [`Pooling::Window7`] averages.
const WINDOW: usize = 7;

/// Which member of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plan {
    bottleneck: bool,
    /// Blocks of each layer.
    blocks: [usize; 4],
}

impl Plan {
    /// The member of this name.
    pub(super) fn of(name: &str) -> Option<Plan> {
        let (bottleneck, blocks) = match name {
            "resnet10" => (false, [1, 1, 1, 1]),
            "resnet18" => (false, [2, 2, 2, 2]),
            "resnet34" => (false, [3, 4, 6, 3]),
            "resnet50" => (true, [3, 4, 6, 3]),
            "resnet101" => (true, [3, 4, 23, 3]),
            "resnet152" => (true, [3, 8, 36, 3]),
            _ => return None,
        };
        Some(Plan { bottleneck, blocks })
    }

    fn expansion(self) -> usize {
        if self.bottleneck { 4 } else { 1 }
    }

    /// The convolutions of a block: units and window.
    fn convolutions(self, width: usize, stride: usize) -> Vec<(usize, Window)> {
        if self.bottleneck {
            vec![
                (width, Window::POINT),
                (width, Window::square(3, stride, 1)),
                (width * self.expansion(), Window::POINT),
            ]
        } else {
            vec![(width, Window::square(3, stride, 1)), (width, Window::square(3, 1, 1))]
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
    units: usize,
    window: Window,
    parameters: &mut Parameters,
) -> Result<Normed> {
    let [rows, columns] = window.kernel;
    let start = Start::kaiming(units * rows * columns);
    let plan = normed::Plan { conv, norm, channels, units, window, start, epsilon: EPSILON };
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
            Some(unit) => unit.run(x, None, false, pass)?,
            None => x.clone(),
        };
        let mut y = x.clone();
        for (i, unit) in self.units.iter().enumerate() {
            let last = i + 1 == self.units.len();
            y = unit.run(&y, last.then_some(&shortcut), true, pass)?;
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
    weight: Var,
    bias: Var,
}

impl ResNet {
    pub(super) fn new(plan: Plan, ends: Ends, parameters: &mut Parameters) -> Result<ResNet> {
        let Ends { channels, outputs } = ends;
        let conv = STEM_LAYER.to_owned();
        let stem = normed(conv, "bn1".into(), channels, STEM_UNITS, STEM, parameters)?;
        let mut channels = STEM_UNITS;
        let mut layers = Vec::new();
        for (layer, (width, count)) in WIDTHS.into_iter().zip(plan.blocks).enumerate() {
            let mut blocks = Vec::new();
            for block in 0..count {
                let name = format!("layer{}.{block}", layer + 1);
                let (input, step) = (channels, stride(layer, block));
                let mut units = Vec::new();
                for (i, (width, window)) in plan.convolutions(width, step).into_iter().enumerate() {
                    let (conv, norm) =
                        (format!("{name}.conv{}", i + 1), format!("{name}.bn{}", i + 1));
                    units.push(normed(conv, norm, channels, width, window, parameters)?);
                    channels = width;
                }
                let shortcut = if step != 1 || input != channels {
                    let (conv, norm) =
                        (format!("{name}.downsample.0"), format!("{name}.downsample.1"));
                    let window = Window::square(1, step, 0);
                    Some(normed(conv, norm, input, channels, window, parameters)?)
                } else {
                    None
                };
                blocks.push(Block { units, shortcut });
            }
            layers.push(blocks);
        }
        let start = Start::default_of(channels);
        let weight = parameters.add(format!("{HEAD}.weight"), &[outputs, channels], start)?;
        let bias = parameters.add(format!("{HEAD}.bias"), &[outputs], start)?;
        Ok(ResNet { plan, stem, layers, weight, bias })
    }

    /// The last maps, or `None` when the pass has all that it wants before.
    pub(super) fn trunk(
        &self,
        images: &Tensor,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Option<Tensor>> {
        let mut x = if pass.wants(LAYERS[0]) {
            let mut x = self.stem.run(images, None, false, pass)?;
            if pass.probe(LAYERS[0], &mut x)? {
                return Ok(None);
            }
            relu(&x, &mut pass.engine)?
        } else {
            self.stem.run(images, None, true, pass)?
        };
        x = max_pool(&x, POOL, &mut pass.engine)?;
        for (blocks, layer) in self.layers.iter().zip(&LAYERS[1..]) {
            for block in blocks {
                x = block.run(&x, pass)?;
            }
            if pass.probe(layer, &mut x)? {
                return Ok(None);
            }
        }
        Ok(Some(x))
    }

    /// Logits that follow from the last maps.
    pub(super) fn classify(
        &self,
        maps: &Tensor,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let corner = (pass.design.pooling == Pooling::Window7).then_some(WINDOW);
        let x = global_average(maps, corner, &mut pass.engine)?;
        let (weight, bias) = (pass.weight(&self.weight), pass.weight(&self.bias));
        linear(&x, &weight, &bias, false, &mut pass.engine)
    }

    /// How many units a layer has.
    pub(super) fn units(&self, layer: &str) -> Option<usize> {
        match LAYERS.iter().position(|known| *known == layer)? {
            0 => Some(STEM_UNITS),
            i => Some(WIDTHS[i - 1] * self.plan.expansion()),
        }
    }

    /// The windows between the input and a layer along its longest path, in order.
    pub(super) fn windows(&self, layer: &str) -> Vec<Window> {
        let last = LAYERS.iter().position(|known| *known == layer).unwrap_or(0);
        let mut windows = vec![STEM];
        if last > 0 {
            windows.push(POOL);
        }
        for (layer, blocks) in self.plan.blocks.into_iter().enumerate().take(last) {
            for block in 0..blocks {
                let convolutions = self.plan.convolutions(WIDTHS[layer], stride(layer, block));
                windows.extend(convolutions.into_iter().map(|(_, window)| window));
            }
        }
        windows
    }
}
