//! Inception v3 (Szegedy et al. 2016) as torchvision has it. Its input is normalised again from
//! ImageNet's mean and deviation to 0.5 and 0.5 (`transform_input`), as torchvision does with its
//! pretrained weights.

use anyhow::Result;
use candle_core::Tensor;

use super::Ends;
use super::body::Body;
use super::layers::{
    Activation, Engine, Window, average_pool, concatenate, dropout, global_average, max_pool,
};
use super::normed::{self, Constants, Normed};
use super::parameters::{Parameters, Start};
use super::pass::{Pass, Section};
use super::plain::Dense;
use architecture::inception::LAYERS;

/// The first convolution.
pub(super) const STEM_LAYER: &str = "Conv2d_1a_3x3.conv";
/// The last layer.
pub(super) const HEAD: &str = "fc";
/// The auxiliary classifier.
pub(super) const AUXILIARY: &str = "AuxLogits";
/// The last layer of the auxiliary classifier.
pub(super) const AUXILIARY_HEAD: &str = "AuxLogits.fc";

/// Those of its batch normalisation.
const CONSTANTS: Constants = Constants { epsilon: 1e-3, ..Constants::DEFAULT };
/// Deviation of the random weights, except where torchvision says otherwise.
const DEVIATION: f32 = 0.1;
/// Windows of the poolings: within a block beside convolutions, and where maps shrink.
const MEAN: Window = Window::square(3, 1, 1);
const GREATEST: Window = Window::square(3, 2, 0);
/// Pooling and convolution of the auxiliary classifier.
const AUXILIARY_POOL: Window = Window::square(5, 3, 0);
const AUXILIARY_WINDOW: Window = Window::square(5, 1, 0);
/// The block that the auxiliary classifier sees.
const AUXILIARY_BLOCK: &str = "Mixed_6e";

/// A convolution: name, units, window.
type Conv = (&'static str, usize, Window);

/// A step of a branch.
#[derive(Clone, Copy)]
enum Step {
    Conv(Conv),
    /// Two convolutions of the same input, one after the other in the output.
    Pair([Conv; 2]),
    Average,
    Max,
}

impl Step {
    /// The window that covers the step's.
    fn window(self) -> Window {
        match self {
            Step::Conv((.., window)) => window,
            Step::Pair([(.., a), (.., b)]) => Window {
                kernel: [a.kernel[0].max(b.kernel[0]), a.kernel[1].max(b.kernel[1])],
                padding: [a.padding[0].max(b.padding[0]), a.padding[1].max(b.padding[1])],
                stride: a.stride,
                dilation: a.dilation,
            },
            Step::Average => MEAN,
            Step::Max => GREATEST,
        }
    }
}

const fn square(name: &'static str, units: usize, kernel: usize) -> Step {
    Step::Conv((name, units, Window::square(kernel, 1, kernel / 2)))
}

const fn strided(name: &'static str, units: usize) -> Step {
    Step::Conv((name, units, Window::square(3, 2, 0)))
}

/// One row of windows as long as `kernel`, and one column.
const fn row(kernel: usize) -> Window {
    Window { kernel: [1, kernel], stride: 1, padding: [0, kernel / 2], dilation: 1 }
}

const fn column(kernel: usize) -> Window {
    Window { kernel: [kernel, 1], stride: 1, padding: [kernel / 2, 0], dilation: 1 }
}

fn stem() -> Vec<Step> {
    vec![
        Step::Conv(("Conv2d_1a_3x3", 32, Window::square(3, 2, 0))),
        Step::Conv(("Conv2d_2a_3x3", 32, Window::square(3, 1, 0))),
        square("Conv2d_2b_3x3", 64, 3),
        Step::Max,
        square("Conv2d_3b_1x1", 80, 1),
        Step::Conv(("Conv2d_4a_3x3", 192, Window::square(3, 1, 0))),
        Step::Max,
    ]
}

/// 35 x 35 maps at the usual input of 299 pixels.
fn wide(pooled: usize) -> Vec<Vec<Step>> {
    vec![
        vec![square("branch1x1", 64, 1)],
        vec![square("branch5x5_1", 48, 1), square("branch5x5_2", 64, 5)],
        vec![
            square("branch3x3dbl_1", 64, 1),
            square("branch3x3dbl_2", 96, 3),
            square("branch3x3dbl_3", 96, 3),
        ],
        vec![Step::Average, square("branch_pool", pooled, 1)],
    ]
}

/// From 35 x 35 to 17 x 17.
fn first_reduction() -> Vec<Vec<Step>> {
    vec![
        vec![strided("branch3x3", 384)],
        vec![
            square("branch3x3dbl_1", 64, 1),
            square("branch3x3dbl_2", 96, 3),
            strided("branch3x3dbl_3", 96),
        ],
        vec![Step::Max],
    ]
}

/// 17 x 17 maps, convolved by rows and columns of seven.
fn factorised(width: usize) -> Vec<Vec<Step>> {
    vec![
        vec![square("branch1x1", 192, 1)],
        vec![
            square("branch7x7_1", width, 1),
            Step::Conv(("branch7x7_2", width, row(7))),
            Step::Conv(("branch7x7_3", 192, column(7))),
        ],
        vec![
            square("branch7x7dbl_1", width, 1),
            Step::Conv(("branch7x7dbl_2", width, column(7))),
            Step::Conv(("branch7x7dbl_3", width, row(7))),
            Step::Conv(("branch7x7dbl_4", width, column(7))),
            Step::Conv(("branch7x7dbl_5", 192, row(7))),
        ],
        vec![Step::Average, square("branch_pool", 192, 1)],
    ]
}

/// From 17 x 17 to 8 x 8.
fn second_reduction() -> Vec<Vec<Step>> {
    vec![
        vec![square("branch3x3_1", 192, 1), strided("branch3x3_2", 320)],
        vec![
            square("branch7x7x3_1", 192, 1),
            Step::Conv(("branch7x7x3_2", 192, row(7))),
            Step::Conv(("branch7x7x3_3", 192, column(7))),
            strided("branch7x7x3_4", 192),
        ],
        vec![Step::Max],
    ]
}

/// 8 x 8 maps, in rows and columns of three side by side.
fn expanded() -> Vec<Vec<Step>> {
    vec![
        vec![square("branch1x1", 320, 1)],
        vec![
            square("branch3x3_1", 384, 1),
            Step::Pair([("branch3x3_2a", 384, row(3)), ("branch3x3_2b", 384, column(3))]),
        ],
        vec![
            square("branch3x3dbl_1", 448, 1),
            square("branch3x3dbl_2", 384, 3),
            Step::Pair([("branch3x3dbl_3a", 384, row(3)), ("branch3x3dbl_3b", 384, column(3))]),
        ],
        vec![Step::Average, square("branch_pool", 192, 1)],
    ]
}

/// The blocks after the stem, in order.
fn blocks() -> [(&'static str, Vec<Vec<Step>>); 11] {
    [
        ("Mixed_5b", wide(32)),
        ("Mixed_5c", wide(64)),
        ("Mixed_5d", wide(64)),
        ("Mixed_6a", first_reduction()),
        ("Mixed_6b", factorised(128)),
        ("Mixed_6c", factorised(160)),
        ("Mixed_6d", factorised(160)),
        (AUXILIARY_BLOCK, factorised(192)),
        ("Mixed_7a", second_reduction()),
        ("Mixed_7b", expanded()),
        ("Mixed_7c", expanded()),
    ]
}

/// A step with its parameters.
#[derive(Debug)]
enum Part {
    Conv(Normed),
    Pair([Normed; 2]),
    Average,
    Max,
}

impl Part {
    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        match self {
            Part::Conv(conv) => conv.run(x, None, Activation::Relu, pass),
            Part::Pair([a, b]) => {
                let relu = Activation::Relu;
                let maps = [a.run(x, None, relu, pass)?, b.run(x, None, relu, pass)?];
                concatenate(&maps, &mut pass.engine)
            }
            Part::Average => average_pool(x, MEAN, &mut pass.engine),
            Part::Max => max_pool(x, GREATEST, &mut pass.engine),
        }
    }
}

/// One step after the other.
#[derive(Debug)]
struct Branch(Vec<Part>);

impl Branch {
    /// Adds the parameters, whose names begin with `prefix`; also returns the units of the output.
    fn new(
        prefix: &str,
        steps: &[Step],
        mut channels: usize,
        parameters: &mut Parameters,
    ) -> Result<(Branch, usize)> {
        let mut parts = Vec::new();
        for step in steps {
            let mut conv = |(name, units, window): Conv| {
                let start = Start::Normal(DEVIATION);
                normed(&format!("{prefix}{name}"), channels, units, window, start, parameters)
            };
            let (part, units) = match *step {
                Step::Conv(plan) => (Part::Conv(conv(plan)?), plan.1),
                Step::Pair([a, b]) => (Part::Pair([conv(a)?, conv(b)?]), a.1 + b.1),
                Step::Average => (Part::Average, channels),
                Step::Max => (Part::Max, channels),
            };
            parts.push(part);
            channels = units;
        }
        Ok((Branch(parts), channels))
    }

    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        self.0.iter().try_fold(x.clone(), |x, part| part.run(&x, pass))
    }
}

/// torchvision's `BasicConv2d`.
fn normed(
    name: &str,
    channels: usize,
    units: usize,
    window: Window,
    start: Start,
    parameters: &mut Parameters,
) -> Result<Normed> {
    let (conv, norm) = (format!("{name}.conv"), format!("{name}.bn"));
    let (groups, constants) = (1, CONSTANTS);
    let plan = normed::Plan { conv, norm, channels, units, window, groups, start, constants };
    Normed::new(plan, parameters)
}

/// Branches side by side; their outputs follow one another as channels.
#[derive(Debug)]
struct Block {
    name: &'static str,
    branches: Vec<Branch>,
    units: usize,
}

impl Block {
    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let outputs = self
            .branches
            .iter()
            .map(|branch| branch.run(x, pass))
            .collect::<candle_core::Result<Vec<_>>>()?;
        concatenate(&outputs, &mut pass.engine)
    }
}

/// A classifier's last layer.
fn head(
    name: &str,
    classes: usize,
    channels: usize,
    deviation: f32,
    parameters: &mut Parameters,
) -> Result<Dense> {
    let bias = Start::default_of(channels);
    Dense::new(name, [channels, classes], Start::Normal(deviation), bias, parameters)
}

/// The classifier half-way, which helps training along.
#[derive(Debug)]
struct Auxiliary {
    convolutions: [Normed; 2],
    head: Dense,
}

impl Auxiliary {
    fn new(channels: usize, classes: usize, parameters: &mut Parameters) -> Result<Auxiliary> {
        let mut conv = |name: &str, channels, units, window, deviation| {
            let name = format!("{AUXILIARY}.{name}");
            normed(&name, channels, units, window, Start::Normal(deviation), parameters)
        };
        let convolutions = [
            conv("conv0", channels, 128, Window::POINT, DEVIATION)?,
            conv("conv1", 128, 768, AUXILIARY_WINDOW, 0.01)?,
        ];
        let head = head(AUXILIARY_HEAD, classes, 768, 0.001, parameters)?;
        Ok(Auxiliary { convolutions, head })
    }

    fn run(&self, x: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let mut x = average_pool(x, AUXILIARY_POOL, &mut pass.engine)?;
        for conv in &self.convolutions {
            x = conv.run(&x, None, Activation::Relu, pass)?;
        }
        let x = global_average(&x, None, &mut pass.engine)?;
        self.head.run(&x, pass)
    }
}

/// The network's parameters.
#[derive(Debug)]
pub(super) struct Inception {
    stem: Branch,
    blocks: Vec<Block>,
    auxiliary: Auxiliary,
    head: Dense,
}

impl Inception {
    pub(super) fn new(ends: Ends, parameters: &mut Parameters) -> Result<Inception> {
        let Ends { channels, outputs } = ends;
        let (stem, mut channels) = Branch::new("", &stem(), channels, parameters)?;
        let mut made = Vec::new();
        let mut auxiliary = None;
        for (name, plan) in blocks() {
            let (mut branches, mut units) = (Vec::new(), 0);
            for steps in plan {
                let (branch, of_branch) =
                    Branch::new(&format!("{name}."), &steps, channels, parameters)?;
                branches.push(branch);
                units += of_branch;
            }
            made.push(Block { name, branches, units });
            parameters.mark(layer_of(name));
            channels = units;
            if name == AUXILIARY_BLOCK {
                auxiliary = Some(Auxiliary::new(channels, outputs, parameters)?);
            }
        }
        let auxiliary = match auxiliary {
            Some(auxiliary) => auxiliary,
            None => anyhow::bail!("{AUXILIARY_BLOCK} is not among the blocks"),
        };
        let head = head(HEAD, outputs, channels, DEVIATION, parameters)?;
        Ok(Inception { stem, blocks: made, auxiliary, head })
    }
}

impl Body for Inception {
    /// Leaves the auxiliary logits in the pass where it wants them.
    fn trunk(&self, images: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Option<Tensor>> {
        let mut x = images.clone();
        if !pass.is_ahead() {
            // Grey images come with mean and deviation 0.5 already.
            if x.dim(1)? != 1 {
                x = transform(&x, &mut pass.engine)?;
            }
            x = self.stem.run(&x, pass)?;
        }
        for block in &self.blocks {
            let layer = layer_of(block.name);
            match pass.section(layer) {
                Section::Skipped => continue,
                Section::Given => {}
                Section::Computed => {
                    x = block.run(&x, pass)?;
                    if let Some(layer) = layer
                        && pass.probe(layer, &mut x)?
                    {
                        return Ok(None);
                    }
                }
            }
            if block.name == AUXILIARY_BLOCK && pass.wants_auxiliary() {
                pass.auxiliary = Some(self.auxiliary.run(&x, pass)?);
            }
        }
        Ok(Some(x))
    }

    fn classify(&self, maps: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let mut x = global_average(maps, None, &mut pass.engine)?;
        if let Some(chance) = &mut pass.chance {
            x = dropout(&x, &mut chance.dropout, &mut pass.engine)?;
        }
        self.head.run(&x, pass)
    }

    fn units(&self, layer: &str) -> Option<usize> {
        self.blocks.iter().find(|block| layer_of(block.name) == Some(layer)).map(|b| b.units)
    }

    fn windows(&self, layer: &str) -> Vec<Window> {
        let reach = |steps: &Vec<Step>| {
            steps.iter().map(|step| step.window().kernel.iter().sum::<usize>() - 2).sum::<usize>()
        };
        let mut windows: Vec<Window> = stem().into_iter().map(Step::window).collect();
        for (name, branches) in blocks() {
            let longest = branches.into_iter().max_by_key(reach).unwrap_or_default();
            windows.extend(longest.into_iter().map(Step::window));
            if layer_of(name) == Some(layer) {
                break;
            }
        }
        windows
    }

    fn linear_head(&self) -> Option<&'static str> {
        Some(HEAD)
    }
}

/// The probe point behind a block.
fn layer_of(block: &str) -> Option<&'static str> {
    LAYERS.iter().copied().find(|layer| layer.eq_ignore_ascii_case(block))
}

/// torchvision's `transform_input`: from ImageNet's normalisation to mean and deviation 0.5.
fn transform(images: &Tensor, engine: &mut Engine) -> candle_core::Result<Tensor> {
    const SCALE: [f32; 3] = [0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5];
    const SHIFT: [f32; 3] = [(0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5];
    let spread = |values: [f32; 3]| Tensor::new(&values, images.device())?.reshape((1, 3, 1, 1));
    #[cfg(feature = "cuda")]
    if let Engine::Cuda(engine) = engine {
        return engine.recolour(images, SCALE, SHIFT);
    }
    engine.apply(images, |images| {
        images.broadcast_mul(&spread(SCALE)?)?.broadcast_add(&spread(SHIFT)?)
    })
}
