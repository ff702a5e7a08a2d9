//! DenseNets (Huang et al. 2017) as torchvision has them: every layer of a block sees what all before it
//! made, and adds a few maps of its own.

use anyhow::Result;
use candle_core::Tensor;

use super::Ends;
use super::body::Body;
use super::layers::{Activation, Beside, Window, average_pool, flatten, max_pool, squeeze};
use super::normed::{self, Constants, Norm, Normed};
use super::parameters::{Parameters, Start};
use super::pass::{Pass, Section};
use super::plain::{Convolution, Dense};
use architecture::densenet::LAYERS;

/// The first layer.
pub(super) const STEM_LAYER: &str = "features.conv0";
/// The last layer.
pub(super) const HEAD: &str = "classifier";

const STEM: Window = Window::square(7, 2, 3);
const POOL: Window = Window::square(3, 2, 1);
const STEM_UNITS: usize = 64;
/// Maps that a layer adds (the paper's k).
const GROWTH: usize = 32;
/// Maps that a layer's 3x3 convolution sees.
const BOTTLENECK: usize = 4 * GROWTH;
const GROW: Window = Window::square(3, 1, 1);
/// Average of a transition.
const HALVE: Window = Window::square(2, 2, 0);

/// Which member of the family: layers of each block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan([usize; 4]);

impl Plan {
    /// The member of this name.
    pub(super) fn of(name: &str) -> Option<Plan> {
        Some(Plan(match name {
            "densenet121" => [6, 12, 24, 16],
            "densenet169" => [6, 12, 32, 32],
            "densenet201" => [6, 12, 48, 32],
            _ => return None,
        }))
    }

    /// Channels before and after each block; a transition halves them.
    fn channels(self) -> [[usize; 2]; 4] {
        let mut channels = STEM_UNITS;
        self.0.map(|layers| {
            let (before, after) = (channels, channels + layers * GROWTH);
            channels = after / 2;
            [before, after]
        })
    }
}

#[derive(Debug)]
struct Layer {
    norm: Norm,
    /// With the second normalisation.
    narrow: Normed,
    grow: Convolution,
}

impl Layer {
    fn new(name: &str, channels: usize, parameters: &mut Parameters) -> Result<Layer> {
        let norm = Norm::new(&format!("{name}.norm1"), channels, Constants::DEFAULT, parameters)?;
        let plan = normed::Plan {
            conv: format!("{name}.conv1"),
            norm: format!("{name}.norm2"),
            channels,
            units: BOTTLENECK,
            window: Window::POINT,
            groups: 1,
            start: Start::kaiming(channels),
            constants: Constants::DEFAULT,
        };
        let narrow = Normed::new(plan, parameters)?;
        let start = Start::kaiming(BOTTLENECK * 9);
        let name = format!("{name}.conv2");
        let grow = Convolution::bare(&name, [BOTTLENECK, GROWTH], GROW, start, parameters)?;
        Ok(Layer { norm, narrow, grow })
    }

    /// The maps that it adds.
    fn run(&self, x: &Beside, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let x = self.norm.rectified_beside(x, pass)?;
        let x = self.narrow.run(&x, None, Activation::Relu, pass)?;
        self.grow.run(&x, Activation::Identity, pass)
    }
}

/// Half as many maps of half the size, between two blocks.
#[derive(Debug)]
struct Transition {
    norm: Norm,
    narrow: Convolution,
}

impl Transition {
    fn new(name: &str, channels: usize, parameters: &mut Parameters) -> Result<Transition> {
        let norm = Norm::new(&format!("{name}.norm"), channels, Constants::DEFAULT, parameters)?;
        let (name, start) = (format!("{name}.conv"), Start::kaiming(channels));
        let sizes = [channels, channels / 2];
        let narrow = Convolution::bare(&name, sizes, Window::POINT, start, parameters)?;
        Ok(Transition { norm, narrow })
    }

    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let x = self.norm.rectified(x, pass)?;
        // torchvision convolves first. Both are linear and one has no window, so that their order changes
        // rounding alone; this one has a quarter of the products.
        let x = average_pool(&x, HALVE, &mut pass.engine)?;
        self.narrow.run(&x, Activation::Identity, pass)
    }
}

/// The network's parameters.
#[derive(Debug)]
pub(super) struct DenseNet {
    plan: Plan,
    stem: Normed,
    blocks: Vec<(Vec<Layer>, Option<Transition>)>,
    norm: Norm,
    head: Dense,
}

impl DenseNet {
    pub(super) fn new(plan: Plan, ends: Ends, parameters: &mut Parameters) -> Result<DenseNet> {
        let stem = normed::Plan {
            conv: STEM_LAYER.to_owned(),
            norm: "features.norm0".to_owned(),
            channels: ends.channels,
            units: STEM_UNITS,
            window: STEM,
            groups: 1,
            start: Start::kaiming(ends.channels * 49),
            constants: Constants::DEFAULT,
        };
        let stem = Normed::new(stem, parameters)?;
        let mut blocks = Vec::new();
        for (i, ([before, after], count)) in plan.channels().into_iter().zip(plan.0).enumerate() {
            let number = i + 1;
            let mut layers = Vec::new();
            for layer in 0..count {
                let name = format!("features.denseblock{number}.denselayer{}", layer + 1);
                layers.push(Layer::new(&name, before + layer * GROWTH, parameters)?);
            }
            parameters.mark(Some(LAYERS[i]));
            let transition = (number < plan.0.len()).then(|| {
                Transition::new(&format!("features.transition{number}"), after, parameters)
            });
            blocks.push((layers, transition.transpose()?));
        }
        let [.., [_, channels]] = plan.channels();
        let norm = Norm::new("features.norm5", channels, Constants::DEFAULT, parameters)?;
        let (weight, bias) = (Start::default_of(channels), Start::Constant(0.0));
        let head = Dense::new(HEAD, [channels, ends.outputs], weight, bias, parameters)?;
        Ok(DenseNet { plan, stem, blocks, norm, head })
    }
}

impl Body for DenseNet {
    fn trunk(&self, images: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Option<Tensor>> {
        let mut x = images.clone();
        if !pass.is_ahead() {
            x = self.stem.run(&x, None, Activation::Relu, pass)?;
            x = max_pool(&x, POOL, &mut pass.engine)?;
        }
        for ((layers, transition), probe) in self.blocks.iter().zip(LAYERS) {
            match pass.section(Some(probe)) {
                Section::Skipped => continue,
                Section::Given => {}
                Section::Computed => {
                    let mut maps = Beside::new(x);
                    for layer in layers {
                        let added = layer.run(&maps, pass)?;
                        maps.push(added, &mut pass.engine)?;
                    }
                    x = maps.joined(&mut pass.engine)?;
                    if pass.probe(probe, &mut x)? {
                        return Ok(None);
                    }
                }
            }
            x = match transition {
                Some(transition) => transition.run(&x, pass)?,
                None => self.norm.rectified(&x, pass)?,
            };
        }
        Ok(Some(x))
    }

    fn classify(&self, maps: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let x = squeeze(maps, &mut pass.engine)?;
        let x = flatten(&x, &mut pass.engine)?;
        self.head.run(&x, pass)
    }

    fn units(&self, layer: &str) -> Option<usize> {
        let block = LAYERS.iter().position(|known| *known == layer)?;
        Some(self.plan.channels()[block][1])
    }

    fn windows(&self, layer: &str) -> Vec<Window> {
        let mut windows = vec![STEM, POOL];
        for (count, name) in self.plan.0.into_iter().zip(LAYERS) {
            windows.extend([Window::POINT, GROW].repeat(count));
            if *name == layer {
                break;
            }
            windows.push(HALVE);
        }
        windows
    }
}
