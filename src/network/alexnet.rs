//! AlexNet as torchvision has it ("One weird trick", Krizhevsky 2014).

use anyhow::Result;
use candle_core::{Tensor, Var};

use super::Pass;
use super::layers::{Window, adaptive_average, convolution, dropout, linear, max_pool, relu};
use super::parameters::{Parameters, Start};

/// Probe points.
pub(super) const LAYERS: &[&str] = &["conv1", "conv2", "conv3", "conv4", "conv5"];
/// The last layer.
pub(super) const HEAD: &str = "classifier.6";
/// Below it the last pooling has nothing to pool.
pub(super) const SMALLEST_INPUT: u32 = 63;

/// A convolution: its index in `features`, its units, its window, and whether pooling follows it.
struct Plan {
    index: usize,
    units: usize,
    window: Window,
    pooled: bool,
}

const fn plan(index: usize, units: usize, window: Window, pooled: bool) -> Plan {
    Plan { index, units, window, pooled }
}

const PLANS: [Plan; 5] = [
    plan(0, 64, Window::square(11, 4, 2), true),
    plan(3, 192, Window::square(5, 1, 2), true),
    plan(6, 384, Window::square(3, 1, 1), false),
    plan(8, 256, Window::square(3, 1, 1), false),
    plan(10, 256, Window::square(3, 1, 1), true),
];
const POOL: Window = Window::square(3, 2, 0);
/// Edge of the maps that the classifier sees.
const POOLED: usize = 6;
const HIDDEN: usize = 4096;

/// Weight and bias.
#[derive(Debug)]
struct Affine {
    weight: Var,
    bias: Var,
}

/// The network's parameters.
#[derive(Debug)]
pub(super) struct AlexNet {
    features: Vec<Affine>,
    classifier: [Affine; 3],
}

impl AlexNet {
    pub(super) fn new(classes: usize, parameters: &mut Parameters) -> Result<AlexNet> {
        let mut affine = |name: String, shape: &[usize], last: bool| -> Result<Affine> {
            let fan = shape[1..].iter().product();
            let [weight, bias] = if last {
                [Start::default_of(fan); 2]
            } else {
                [Start::kaiming(fan), Start::Constant(0.0)]
            };
            Ok(Affine {
                weight: parameters.add(format!("{name}.weight"), shape, weight)?,
                bias: parameters.add(format!("{name}.bias"), &shape[..1], bias)?,
            })
        };
        let mut channels = 3;
        let mut features = Vec::new();
        for Plan { index, units, window, .. } in PLANS {
            let [rows, columns] = window.kernel;
            let shape = [units, channels, rows, columns];
            features.push(affine(format!("features.{index}"), &shape, false)?);
            channels = units;
        }
        let classifier = [
            affine("classifier.1".into(), &[HIDDEN, channels * POOLED * POOLED], false)?,
            affine("classifier.4".into(), &[HIDDEN, HIDDEN], false)?,
            affine(HEAD.into(), &[classes, HIDDEN], true)?,
        ];
        Ok(AlexNet { features, classifier })
    }

    /// Logits, or `None` when the pass has all that it wants before.
    pub(super) fn run(
        &self,
        images: &Tensor,
        pass: &mut Pass<'_>,
    ) -> candle_core::Result<Option<Tensor>> {
        let mut x = images.clone();
        for ((layer, plan), affine) in LAYERS.iter().zip(PLANS).zip(&self.features) {
            let (weight, bias) = (pass.weight(&affine.weight), pass.weight(&affine.bias));
            x = convolution(&x, &weight, Some(&bias), plan.window)?;
            if pass.probe(layer, &x) {
                return Ok(None);
            }
            x = relu(&x)?;
            if plan.pooled {
                x = max_pool(&x, POOL)?;
            }
        }
        x = adaptive_average(&x, POOLED)?.flatten_from(1)?;
        for (i, affine) in self.classifier.iter().enumerate() {
            let last = i + 1 == self.classifier.len();
            if let (Some(rng), false) = (&mut pass.dropout, last) {
                x = dropout(&x, rng)?;
            }
            x = linear(&x, &pass.weight(&affine.weight), &pass.weight(&affine.bias))?;
            if !last {
                x = relu(&x)?;
            }
        }
        Ok(Some(x))
    }
}

fn position(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == layer)
}

/// How many units a layer has.
pub(super) fn units(layer: &str) -> Option<usize> {
    position(layer).map(|i| PLANS[i].units)
}

/// The windows between the input and a layer, in order.
pub(super) fn windows(layer: &str) -> Vec<Window> {
    let Some(last) = position(layer) else { return vec![] };
    let mut windows = Vec::new();
    for (i, plan) in PLANS.iter().take(last + 1).enumerate() {
        windows.push(plan.window);
        if plan.pooled && i < last {
            windows.push(POOL);
        }
    }
    windows
}
