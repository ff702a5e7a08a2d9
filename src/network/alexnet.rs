//! AlexNet as torchvision has it ("One weird trick", Krizhevsky 2014).

use super::chain::{Dense, Plan, Step};
use super::layers::Window;
use super::parameters::Start;
use architecture::alexnet::LAYERS;

/// The last layer.
pub(super) const HEAD: &str = "classifier.6";

pub(super) fn plan() -> Plan {
    let steps = [
        (0, 64, Window::square(11, 4, 2), true),
        (3, 192, Window::square(5, 1, 2), true),
        (6, 384, Window::square(3, 1, 1), false),
        (8, 256, Window::square(3, 1, 1), false),
        (10, 256, Window::square(3, 1, 1), true),
    ];
    let step = |((index, units, window, pooled), layer): (_, &&'static str)| Step {
        index,
        units,
        window,
        probe: Some(*layer),
        pooled,
    };
    Plan {
        steps: steps.into_iter().zip(LAYERS).map(step).collect(),
        pool: Window::square(3, 2, 0),
        pooled: 6,
        classifier: [
            Dense { index: 1, dropout: true },
            Dense { index: 4, dropout: true },
            Dense { index: 6, dropout: false },
        ],
        start,
    }
}

/// He et al. 2015 below the last layer, which starts as PyTorch's default.
fn start(shape: &[usize], last: bool) -> [Start; 2] {
    let fan = shape[1..].iter().product();
    if last { [Start::default_of(fan); 2] } else { [Start::kaiming(fan), Start::Constant(0.0)] }
}
