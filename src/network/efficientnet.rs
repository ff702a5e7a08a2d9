//! EfficientNets (Tan & Le 2019) as torchvision has them: one network, widened and deepened together.

use super::inverted::{Bottleneck, End, Plan, STEM};
use super::layers::Activation;
use super::margin::Margin;
use super::normed::Constants;
use super::parameters::Start;
use architecture::efficientnet::LAYERS;

pub(super) use super::inverted::STEM_LAYER;

/// The last layer.
pub(super) const HEAD: &str = "classifier.1";

/// The stages of blocks of B0 (table 1): how often they widen, kernel, stride, channels, blocks.
const STAGES: [(usize, usize, usize, usize, usize); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];
/// Channels of B0's first convolution.
const STEM_UNITS: usize = 32;
/// Share of the images that go without the last block, in training; it grows from none at the first.
const SKIPPED: f64 = 0.2;

/// Channels `width` times as many, as a multiple of eight that is not a tenth less.
pub(super) fn widened(channels: usize, width: f64) -> usize {
    let wanted = channels as f64 * width;
    let near = ((wanted + 4.0) as usize / 8 * 8).max(8);
    if (near as f64) < 0.9 * wanted { near + 8 } else { near }
}

/// The member of the family of this name.
pub(super) fn plan(name: &str) -> Option<Plan> {
    // How much wider and deeper than B0, and the share of dropout.
    let (width, depth, dropout) = match name {
        "efficientnet_b0" => (1.0, 1.0, 0.2),
        "efficientnet_b1" => (1.0, 1.1, 0.2),
        "efficientnet_b2" => (1.1, 1.2, 0.3),
        "efficientnet_b3" => (1.2, 1.4, 0.3),
        "efficientnet_b4" => (1.4, 1.8, 0.4),
        "efficientnet_b5" => (1.6, 2.2, 0.4),
        "efficientnet_b6" => (1.8, 2.6, 0.5),
        "efficientnet_b7" => (2.0, 3.1, 0.5),
        _ => return None,
    };
    // Those of the weights that torchvision publishes, up to B4 and from there on.
    let constants = match name {
        "efficientnet_b5" | "efficientnet_b6" | "efficientnet_b7" => {
            Constants { epsilon: 1e-3, share: 0.01 }
        }
        _ => Constants::DEFAULT,
    };
    Some(scaled([width, depth], constants, dropout))
}

/// One in TensorFlow's way: so many times as wide and as deep as B0, with the constants of its batch normalisation, and
/// with paddings that follow from the edge of the images that it was made for, whatever it is shown.
pub(super) fn as_in_tensorflow(scale: [f64; 2], mut edge: usize) -> Plan {
    let mut plan = scaled(scale, Constants { epsilon: 1e-3, share: 0.01 }, 0.0);
    let mut next = |kernel: usize, stride: usize| {
        let margin = Margin::same(kernel, stride, edge);
        edge = edge.div_ceil(stride);
        margin
    };
    let [kernel, stride] = STEM;
    plan.margin = next(kernel, stride);
    for block in &mut plan.bottlenecks {
        block.margin = next(block.kernel, block.stride);
    }
    plan
}

/// B0 as much wider and deeper, as torchvision pads it.
fn scaled([width, depth]: [f64; 2], constants: Constants, dropout: f32) -> Plan {
    let deepened = |blocks: usize| (blocks as f64 * depth).ceil() as usize;
    let all: usize = STAGES.iter().map(|&(.., blocks)| deepened(blocks)).sum();
    let mut channels = widened(STEM_UNITS, width);
    let first = End { name: "features.0".into(), units: channels, probe: Some(LAYERS[0]) };
    let mut bottlenecks = Vec::new();
    for (stage, (wider, kernel, stride, units, blocks)) in STAGES.into_iter().enumerate() {
        let (stage, units, blocks) = (stage + 1, widened(units, width), deepened(blocks));
        for block in 0..blocks {
            bottlenecks.push(Bottleneck {
                name: format!("features.{stage}.{block}"),
                expanded: widened(channels, wider as f64),
                units,
                kernel,
                stride: if block == 0 { stride } else { 1 },
                margin: Margin::half(kernel),
                squeezed: Some((channels / 4).max(1)),
                activation: Activation::Silu,
                skipped: (SKIPPED * bottlenecks.len() as f64 / all as f64) as f32,
                probe: (block + 1 == blocks).then_some(LAYERS[stage]),
            });
            channels = units;
        }
    }
    Plan {
        first,
        margin: Margin::half(STEM[0]),
        bottlenecks,
        last: End { name: "features.8".into(), units: 4 * channels, probe: Some(LAYERS[8]) },
        activation: Activation::Silu,
        gate: [Activation::Silu, Activation::Sigmoid],
        constants,
        hidden: None,
        head: HEAD,
        dropout,
        start: |outputs| Start::Uniform(1.0 / (outputs as f32).sqrt()),
    }
}
