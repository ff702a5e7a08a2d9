//! The VGG networks (Simonyan & Zisserman 2015) as torchvision has them, without batch
//! normalisation.

use super::chain::{Dense, Plan, Step};
use super::layers::Window;
use super::parameters::Start;
use architecture::vgg::{LAYERS_11, LAYERS_13, LAYERS_16, LAYERS_19};

/// The last layer.
pub(super) const HEAD: &str = "classifier.6";

/// Units of the convolutions of each block.
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];
const CONVOLUTION: Window = Window::square(3, 1, 1);

/// Convolutions of each block and the names of the last ones, for the member of this name.
fn blocks(name: &str) -> Option<([usize; 5], &'static [&'static str])> {
    match name {
        "vgg11" => Some(([1, 1, 2, 2, 2], LAYERS_11)),
        "vgg13" => Some(([2, 2, 2, 2, 2], LAYERS_13)),
        "vgg16" => Some(([2, 2, 3, 3, 3], LAYERS_16)),
        "vgg19" => Some(([2, 2, 4, 4, 4], LAYERS_19)),
        _ => None,
    }
}

/// The member of the family of this name.
pub(super) fn plan(name: &str) -> Option<Plan> {
    let (counts, layers) = blocks(name)?;
    let mut steps = Vec::new();
    // Place in `features`: a convolution and its ReLU take two, a pooling one.
    let mut index = 0;
    for ((count, units), layer) in counts.into_iter().zip(WIDTHS).zip(layers) {
        for i in 0..count {
            let last = i + 1 == count;
            let probe = last.then_some(*layer);
            steps.push(Step { index, units, window: CONVOLUTION, probe, pooled: last });
            index += 2;
        }
        index += 1;
    }
    Some(Plan {
        steps,
        pool: Window::square(2, 2, 0),
        pooled: 7,
        classifier: [
            Dense { index: 0, dropout: false },
            Dense { index: 3, dropout: true },
            Dense { index: 6, dropout: true },
        ],
        start,
    })
}

/// As torchvision: convolutions Kaiming normal by fan out, fully connected layers normal with
/// deviation 0.01, biases zero.
fn start(shape: &[usize], _last: bool) -> [Start; 2] {
    let weight = match shape {
        [units, _, rows, columns] => Start::kaiming(units * rows * columns),
        _ => Start::Normal(0.01),
    };
    [weight, Start::Constant(0.0)]
}
