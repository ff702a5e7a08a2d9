//! Networks of inverted residual blocks (Sandler et al. 2018): a block widens its maps, convolves each
//! channel on its own, weighs the channels by what is in the whole map (squeeze and excitation; Hu, Shen &
//! Sun 2018) and narrows them again, without an activation at its end. The EfficientNets and the third
//! MobileNets fill in the [`Plan`].

use anyhow::Result;
use candle_core::Tensor;

use super::Ends;
use super::body::Body;
use super::layers::{
    Activation, Branch, Window, activate, dropout_of, flatten, gated, residual, squeeze,
};
use super::margin::Margin;
use super::normed::{self, Constants, Normed};
use super::parameters::{Parameters, Start};
use super::pass::{Pass, Section};
use super::plain::{Convolution, Dense};

/// The first layer.
pub(super) const STEM_LAYER: &str = "features.0.0";
/// Edge of its kernel, and the step of that.
pub(super) const STEM: [usize; 2] = [3, 2];

/// A block.
#[derive(Debug, Clone)]
pub(super) struct Bottleneck {
    /// Below which name its tensors are.
    pub name: String,
    /// Channels between its 1x1 convolutions.
    pub expanded: usize,
    /// Channels of its output.
    pub units: usize,
    /// Edge of its kernel, and the step of that.
    pub kernel: usize,
    pub stride: usize,
    /// Zeros around the maps that its kernel slides over.
    pub margin: Margin,
    /// Channels that the gates of its channels follow from, if it has gates.
    pub squeezed: Option<usize>,
    pub activation: Activation,
    /// Share of the images of training that go without it, where its input is added to its output.
    pub skipped: f32,
    /// Name of its output as a probe point.
    pub probe: Option<&'static str>,
}

impl Bottleneck {
    fn window(&self) -> Window {
        self.margin.window(self.kernel, self.stride)
    }
}

/// A 1x1 or the first convolution around the blocks.
#[derive(Debug)]
pub(super) struct End {
    pub name: String,
    pub units: usize,
    /// Name of its output as a probe point.
    pub probe: Option<&'static str>,
}

/// What sets one network apart from another.
#[derive(Debug)]
pub(super) struct Plan {
    pub first: End,
    /// Zeros around images.
    pub margin: Margin,
    pub bottlenecks: Vec<Bottleneck>,
    pub last: End,
    /// Of the first and the last convolution, and of the hidden layer.
    pub activation: Activation,
    /// What follows the squeezing layer, and what makes gates.
    pub gate: [Activation; 2],
    pub constants: Constants,
    /// Name and units of a hidden layer before the last.
    pub hidden: Option<(&'static str, usize)>,
    /// Name of the last layer.
    pub head: &'static str,
    /// Share of the values before it that training sets to zero.
    pub dropout: f32,
    /// What the weight of a fully connected layer of so many outputs starts from.
    pub start: fn(outputs: usize) -> Start,
}

impl Plan {
    /// The window of the first convolution.
    fn stem(&self) -> Window {
        let [kernel, stride] = STEM;
        self.margin.window(kernel, stride)
    }

    /// Adds a convolution and its batch normalisation, `name.0` and `name.1`.
    fn normed(
        &self,
        name: &str,
        [channels, units]: [usize; 2],
        window: Window,
        groups: usize,
        parameters: &mut Parameters,
    ) -> Result<Normed> {
        let [rows, columns] = window.kernel;
        let plan = normed::Plan {
            conv: format!("{name}.0"),
            norm: format!("{name}.1"),
            channels,
            units,
            window,
            groups,
            start: Start::kaiming(units * rows * columns),
            constants: self.constants,
        };
        Normed::new(plan, parameters)
    }
}

/// The gates of a block's channels.
#[derive(Debug)]
struct Gates {
    layers: [Convolution; 2],
    activations: [Activation; 2],
}

impl Gates {
    fn new(
        name: &str,
        [channels, squeezed]: [usize; 2],
        activations: [Activation; 2],
        parameters: &mut Parameters,
    ) -> Result<Gates> {
        let mut layer = |name: String, [inputs, outputs]: [usize; 2]| {
            let (shape, start) = ([outputs, inputs, 1, 1], Start::kaiming(outputs));
            Convolution::new(&name, &shape, Window::POINT, start, parameters)
        };
        let first = layer(format!("{name}.fc1"), [channels, squeezed])?;
        let second = layer(format!("{name}.fc2"), [squeezed, channels])?;
        Ok(Gates { layers: [first, second], activations })
    }

    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let mut gates = squeeze(x, &mut pass.engine)?;
        for (layer, activation) in self.layers.iter().zip(self.activations) {
            gates = layer.run(&gates, activation, pass)?;
        }
        gated(x, &gates, &mut pass.engine)
    }
}

#[derive(Debug)]
struct Block {
    plan: Bottleneck,
    expand: Option<Normed>,
    depthwise: Normed,
    gates: Option<Gates>,
    project: Normed,
    /// Whether its input is added to its output.
    residual: bool,
}

impl Block {
    fn new(
        plan: &Plan,
        block: &Bottleneck,
        channels: usize,
        parameters: &mut Parameters,
    ) -> Result<Block> {
        let mut place = 0;
        // torchvision numbers what is there.
        let mut next = || {
            place += 1;
            format!("{}.block.{}", block.name, place - 1)
        };
        let Bottleneck { expanded, units, .. } = *block;
        let expand = (expanded != channels)
            .then(|| plan.normed(&next(), [channels, expanded], Window::POINT, 1, parameters))
            .transpose()?;
        let sizes = [expanded; 2];
        let depthwise = plan.normed(&next(), sizes, block.window(), expanded, parameters)?;
        let gates = block
            .squeezed
            .map(|squeezed| Gates::new(&next(), [expanded, squeezed], plan.gate, parameters))
            .transpose()?;
        let project = plan.normed(&next(), [expanded, units], Window::POINT, 1, parameters)?;
        let residual = block.stride == 1 && channels == units;
        Ok(Block { plan: block.clone(), expand, depthwise, gates, project, residual })
    }

    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let activation = self.plan.activation;
        let mut y = match &self.expand {
            Some(expand) => expand.run(x, None, activation, pass)?,
            None => x.clone(),
        };
        y = self.plan.margin.widened(&y, &mut pass.engine)?;
        y = self.depthwise.run(&y, None, activation, pass)?;
        if let Some(gates) = &self.gates {
            y = gates.run(&y, pass)?;
        }
        if !self.residual {
            return self.project.run(&y, None, Activation::Identity, pass);
        }
        let Bottleneck { name, skipped, .. } = &self.plan;
        let rows = match &pass.chance {
            Some(chance) if *skipped > 0.0 => chance.rows(name, *skipped, x.dim(0)?),
            _ => return self.project.run(&y, Some(x), Activation::Identity, pass),
        };
        let branch = self.project.run(&y, None, Activation::Identity, pass)?;
        let factors = Branch { scale: None, rows: Some(&rows) };
        residual(&branch, factors, x, &mut pass.engine)
    }
}

/// The network's parameters.
#[derive(Debug)]
pub(super) struct Inverted {
    plan: Plan,
    first: Normed,
    blocks: Vec<Block>,
    last: Normed,
    hidden: Option<Dense>,
    head: Dense,
}

impl Inverted {
    pub(super) fn new(plan: Plan, ends: Ends, parameters: &mut Parameters) -> Result<Inverted> {
        let mut channels = plan.first.units;
        let sizes = [ends.channels, channels];
        let first = plan.normed(&plan.first.name, sizes, plan.stem(), 1, parameters)?;
        parameters.mark(plan.first.probe);
        let mut blocks = Vec::new();
        for block in &plan.bottlenecks {
            blocks.push(Block::new(&plan, block, channels, parameters)?);
            parameters.mark(block.probe);
            channels = block.units;
        }
        let sizes = [channels, plan.last.units];
        let last = plan.normed(&plan.last.name, sizes, Window::POINT, 1, parameters)?;
        parameters.mark(plan.last.probe);
        channels = plan.last.units;
        let mut dense = |name: &str, outputs: usize| -> Result<Dense> {
            let (sizes, bias) = ([channels, outputs], Start::Constant(0.0));
            channels = outputs;
            Dense::new(name, sizes, (plan.start)(outputs), bias, parameters)
        };
        let hidden = plan.hidden.map(|(name, units)| dense(name, units)).transpose()?;
        let head = dense(plan.head, ends.outputs)?;
        Ok(Inverted { plan, first, blocks, last, hidden, head })
    }
}

impl Body for Inverted {
    fn trunk(&self, images: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Option<Tensor>> {
        let probed = |probe: Option<&str>, x: &mut Tensor, pass: &mut Pass<'_>| match probe {
            Some(layer) => pass.probe(layer, x),
            None => Ok(false),
        };
        let Plan { activation, .. } = self.plan;
        let mut x = images.clone();
        if pass.section(self.plan.first.probe) == Section::Computed {
            x = self.plan.margin.widened(&x, &mut pass.engine)?;
            x = self.first.run(&x, None, activation, pass)?;
            if probed(self.plan.first.probe, &mut x, pass)? {
                return Ok(None);
            }
        }
        for block in &self.blocks {
            if pass.section(block.plan.probe) != Section::Computed {
                continue;
            }
            x = block.run(&x, pass)?;
            if probed(block.plan.probe, &mut x, pass)? {
                return Ok(None);
            }
        }
        if pass.section(self.plan.last.probe) == Section::Computed {
            x = self.last.run(&x, None, activation, pass)?;
            if probed(self.plan.last.probe, &mut x, pass)? {
                return Ok(None);
            }
        }
        Ok(Some(x))
    }

    fn classify(&self, maps: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let x = squeeze(maps, &mut pass.engine)?;
        let mut x = flatten(&x, &mut pass.engine)?;
        if let Some(hidden) = &self.hidden {
            x = hidden.run(&x, pass)?;
            x = activate(&x, self.plan.activation, &mut pass.engine)?;
        }
        if let Some(chance) = &mut pass.chance {
            x = dropout_of(&x, self.plan.dropout, &mut chance.dropout, &mut pass.engine)?;
        }
        self.head.run(&x, pass)
    }

    fn units(&self, layer: &str) -> Option<usize> {
        let Plan { first, bottlenecks, last, .. } = &self.plan;
        let ends = [first, last].map(|end| (end.probe, end.units));
        let blocks = bottlenecks.iter().map(|block| (block.probe, block.units));
        let mut all = blocks.chain(ends);
        all.find(|(probe, _)| *probe == Some(layer)).map(|(_, units)| units)
    }

    /// Without the gates: each is one number for a whole map, which follows from the whole image, and says how
    /// much a unit counts, not where.
    fn windows(&self, layer: &str) -> Vec<Window> {
        let mut windows = vec![self.plan.stem()];
        if self.plan.first.probe == Some(layer) {
            return windows;
        }
        for block in &self.plan.bottlenecks {
            windows.push(block.window());
            if block.probe == Some(layer) {
                break;
            }
        }
        windows
    }

    fn linear_head(&self) -> Option<&'static str> {
        self.hidden.is_none().then_some(self.plan.head)
    }
}
