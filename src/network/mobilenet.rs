//! The third MobileNets (Howard et al. 2019) as torchvision has them.

use super::efficientnet::widened;
use super::inverted::{Bottleneck, End, Plan, STEM};
use super::layers::Activation::{self, Hardswish, Relu};
use super::margin::Margin;
use super::normed::Constants;
use super::parameters::Start;
use architecture::mobilenet::{LAYERS_LARGE, LAYERS_SMALL};

pub(super) use super::inverted::STEM_LAYER;

/// The last layer.
pub(super) const HEAD: &str = "classifier.3";

/// Channels of the first convolution.
const STEM_UNITS: usize = 16;

/// A row of the paper's tables: kernel, channels in the middle, channels at the end, whether channels have
/// gates, activation, stride.
type Row = (usize, usize, usize, bool, Activation, usize);

/// Table 1.
const LARGE: &[Row] = &[
    (3, 16, 16, false, Relu, 1),
    (3, 64, 24, false, Relu, 2),
    (3, 72, 24, false, Relu, 1),
    (5, 72, 40, true, Relu, 2),
    (5, 120, 40, true, Relu, 1),
    (5, 120, 40, true, Relu, 1),
    (3, 240, 80, false, Hardswish, 2),
    (3, 200, 80, false, Hardswish, 1),
    (3, 184, 80, false, Hardswish, 1),
    (3, 184, 80, false, Hardswish, 1),
    (3, 480, 112, true, Hardswish, 1),
    (3, 672, 112, true, Hardswish, 1),
    (5, 672, 160, true, Hardswish, 2),
    (5, 960, 160, true, Hardswish, 1),
    (5, 960, 160, true, Hardswish, 1),
];
/// Table 2.
const SMALL: &[Row] = &[
    (3, 16, 16, true, Relu, 2),
    (3, 72, 24, false, Relu, 2),
    (3, 88, 24, false, Relu, 1),
    (5, 96, 40, true, Hardswish, 2),
    (5, 240, 40, true, Hardswish, 1),
    (5, 240, 40, true, Hardswish, 1),
    (5, 120, 48, true, Hardswish, 1),
    (5, 144, 48, true, Hardswish, 1),
    (5, 288, 96, true, Hardswish, 2),
    (5, 576, 96, true, Hardswish, 1),
    (5, 576, 96, true, Hardswish, 1),
];

/// The member of the family of this name.
pub(super) fn plan(name: &str) -> Option<Plan> {
    let (rows, layers, hidden) = match name {
        "mobilenet_v3_large" => (LARGE, LAYERS_LARGE, 1280),
        "mobilenet_v3_small" => (SMALL, LAYERS_SMALL, 1024),
        _ => return None,
    };
    let probe = |name: &str| layers.iter().copied().find(|layer| *layer == name);
    let bottleneck = |(i, row): (usize, &Row)| {
        let (kernel, expanded, units, gated, activation, stride) = *row;
        let number = i + 1;
        Bottleneck {
            name: format!("features.{number}"),
            expanded,
            units,
            kernel,
            stride,
            margin: Margin::half(kernel),
            squeezed: gated.then(|| widened(expanded / 4, 1.0)),
            activation,
            skipped: 0.0,
            probe: probe(&format!("bneck{number}")),
        }
    };
    let bottlenecks: Vec<Bottleneck> = rows.iter().enumerate().map(bottleneck).collect();
    let last = End {
        name: format!("features.{}", rows.len() + 1),
        units: 6 * bottlenecks.last()?.units,
        probe: probe("conv_last"),
    };
    Some(Plan {
        first: End { name: "features.0".into(), units: STEM_UNITS, probe: None },
        margin: Margin::half(STEM[0]),
        bottlenecks,
        last,
        activation: Hardswish,
        gate: [Relu, Activation::Hardsigmoid],
        constants: Constants { epsilon: 1e-3, share: 0.01 },
        hidden: Some(("classifier.0", hidden)),
        head: HEAD,
        dropout: 0.2,
        start: |_| Start::Normal(0.01),
    })
}
