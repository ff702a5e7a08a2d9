//! Networks that are one chain: convolutions with ReLU and max pooling, an adaptive average, and
//! three fully connected layers. AlexNet and the VGG networks fill in the [`Plan`].

use anyhow::Result;
use candle_core::{Tensor, Var};

use super::Ends;
use super::body::Body;
use super::layers::{
    Activation, Engine, Fixed, Window, adaptive_average, convolution, convolution_fixed, dropout,
    flatten, linear, max_pool, relu,
};
use super::parameters::{Parameters, Start};
use super::pass::{Pass, Section};
use super::silence::Silence;
use architecture::Precision;

/// A convolution: its index in `features`, its units, its window, its name as a probe point, and
/// whether pooling follows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub index: usize,
    pub units: usize,
    pub window: Window,
    pub probe: Option<&'static str>,
    pub pooled: bool,
}

/// A fully connected layer below the classes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dense {
    /// Its index in `classifier`.
    pub index: usize,
    /// Whether its input goes through dropout.
    pub dropout: bool,
}

/// What sets one chain apart from another.
#[derive(Debug)]
pub(super) struct Plan {
    pub steps: Vec<Step>,
    pub pool: Window,
    /// Edge of the maps that the classifier sees.
    pub pooled: usize,
    pub classifier: [Dense; 3],
    /// What weight and bias of a layer start from, given the weight's shape and whether the layer
    /// is the last.
    pub start: fn(shape: &[usize], last: bool) -> [Start; 2],
}

/// The first layer.
pub(super) const STEM_LAYER: &str = "features.0";
/// Units of the hidden fully connected layers.
const HIDDEN: usize = 4096;

/// Weight and bias.
#[derive(Debug)]
struct Affine {
    weight: Var,
    bias: Var,
}

impl Affine {
    fn detached(&self) -> (Tensor, Tensor) {
        (self.weight.as_detached_tensor(), self.bias.as_detached_tensor())
    }

    /// Convolves and rectifies with `relu`.
    fn convolve(
        &self,
        x: &Tensor,
        window: Window,
        relu: bool,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Tensor> {
        let fixed = pass.fixed(&self.weight, || {
            let (weight, bias) = self.detached();
            Ok(Fixed::new(weight, bias))
        })?;
        if let Some(fixed) = fixed {
            let activation = if relu { Activation::Relu } else { Activation::Identity };
            return convolution_fixed(x, &fixed, window, None, activation, &mut pass.engine);
        }
        let (weight, bias) = (pass.weight(&self.weight), pass.weight(&self.bias));
        convolution(x, &weight, Some(&bias), window, relu, &mut pass.engine)
    }
}

/// The network's parameters.
#[derive(Debug)]
pub(super) struct Chain {
    plan: Plan,
    features: Vec<Affine>,
    classifier: [Affine; 3],
}

impl Chain {
    pub(super) fn new(plan: Plan, ends: Ends, parameters: &mut Parameters) -> Result<Chain> {
        let affine =
            |name: String, shape: &[usize], last: bool, to: &mut Parameters| -> Result<Affine> {
                let [weight, bias] = (plan.start)(shape, last);
                Ok(Affine {
                    weight: to.add(format!("{name}.weight"), shape, weight)?,
                    bias: to.add(format!("{name}.bias"), &shape[..1], bias)?,
                })
            };
        let Ends { mut channels, outputs } = ends;
        let mut features = Vec::new();
        for Step { index, units, window, probe, .. } in &plan.steps {
            let [rows, columns] = window.kernel;
            let shape = [*units, channels, rows, columns];
            features.push(affine(format!("features.{index}"), &shape, false, parameters)?);
            parameters.mark(*probe);
            channels = *units;
        }
        let shapes =
            [[HIDDEN, channels * plan.pooled * plan.pooled], [HIDDEN, HIDDEN], [outputs, HIDDEN]];
        let last = shapes.len() - 1;
        let mut layer = |i: usize| {
            let name = format!("classifier.{}", plan.classifier[i].index);
            affine(name, &shapes[i], i == last, parameters)
        };
        let classifier = [layer(0)?, layer(1)?, layer(2)?];
        Ok(Chain { plan, features, classifier })
    }

    fn position(&self, layer: &str) -> Option<usize> {
        self.plan.steps.iter().position(|step| step.probe == Some(layer))
    }

    /// The windows of the first `steps`, with their poolings.
    fn trunk_windows(&self, steps: usize) -> Vec<Window> {
        let steps = self.plan.steps.iter().take(steps);
        steps
            .flat_map(|step| [Some(step.window), step.pooled.then_some(self.plan.pool)])
            .flatten()
            .collect()
    }
}

impl Body for Chain {
    fn trunk(&self, images: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Option<Tensor>> {
        let mut x = images.clone();
        for (step, affine) in self.plan.steps.iter().zip(&self.features) {
            // A probe point lies before the ReLU.
            match pass.section(step.probe) {
                Section::Skipped => continue,
                Section::Given => x = relu(&x, &mut pass.engine)?,
                Section::Computed => {
                    let probe = step.probe.filter(|layer| pass.wants(layer));
                    x = affine.convolve(&x, step.window, probe.is_none(), pass)?;
                    if let Some(layer) = probe {
                        if pass.probe(layer, &mut x)? {
                            return Ok(None);
                        }
                        x = relu(&x, &mut pass.engine)?;
                    }
                }
            }
            if step.pooled {
                x = max_pool(&x, self.plan.pool, &mut pass.engine)?;
            }
        }
        Ok(Some(x))
    }

    fn classify(&self, maps: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor> {
        let mut x = adaptive_average(maps, self.plan.pooled, &mut pass.engine)?;
        x = flatten(&x, &mut pass.engine)?;
        for (i, (dense, affine)) in self.plan.classifier.iter().zip(&self.classifier).enumerate() {
            if let (Some(chance), true) = (&mut pass.chance, dense.dropout) {
                x = dropout(&x, &mut chance.dropout, &mut pass.engine)?;
            }
            let (weight, bias) = (pass.weight(&affine.weight), pass.weight(&affine.bias));
            let hidden = i + 1 < self.classifier.len();
            x = linear(&x, &weight, &bias, hidden, &mut pass.engine)?;
        }
        Ok(x)
    }

    fn units(&self, layer: &str) -> Option<usize> {
        self.position(layer).map(|i| self.plan.steps[i].units)
    }

    fn windows(&self, layer: &str) -> Vec<Window> {
        let Some(last) = self.position(layer) else { return vec![] };
        let mut windows = self.trunk_windows(last + 1);
        if self.plan.steps[last].pooled {
            windows.pop();
        }
        windows
    }

    fn all_windows(&self, _last: &str) -> Vec<Window> {
        self.trunk_windows(self.plan.steps.len())
    }

    fn silences(&self) -> bool {
        true
    }

    fn silence(&self, maps: &Tensor) -> Option<candle_core::Result<Silence>> {
        let silence = || {
            let mut engine = Engine::of(maps.device(), Precision::F32)?;
            let mut x = relu(maps, &mut engine)?;
            if self.plan.steps.last().is_some_and(|step| step.pooled) {
                x = max_pool(&x, self.plan.pool, &mut engine)?;
            }
            let pooled = adaptive_average(&x, self.plan.pooled, &mut engine)?.flatten_from(2)?;
            Ok(Silence { pooled, classifier: self.classifier.each_ref().map(Affine::detached) })
        };
        Some(silence())
    }
}
