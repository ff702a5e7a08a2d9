//! What the families of networks have in common: a trunk of maps and a classifier of the last of them.

use std::fmt::Debug;

use anyhow::{Context, Result};
use candle_core::Tensor;

use super::field;
use super::layers::Window;
use super::parameters::Parameters;
use super::pass::Pass;
use super::silence::Silence;
use super::{
    Ends, Family, alexnet, chain, convnext, densenet, efficientnet, inception, inverted, mobilenet,
    resnet, tower, vgg,
};
use architecture::Architecture;
use base::Field;

/// A network's layers with their parameters.
pub(super) trait Body: Debug + Send + Sync {
    /// The last maps of images of any size, or `None` when the pass has all that it wants before. A pass that
    /// begins at a probe point is given that layer's maps in the place of images ([`Pass::section`]).
    fn trunk(&self, images: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Option<Tensor>>;

    /// Logits that follow from the last maps.
    fn classify(&self, maps: &Tensor, pass: &mut Pass<'_>) -> candle_core::Result<Tensor>;

    /// How many units a layer has.
    fn units(&self, layer: &str) -> Option<usize>;

    /// The windows between the input and a layer along its longest path, in order.
    fn windows(&self, layer: &str) -> Vec<Window>;

    /// The windows between the input and the last maps, in order; `last` is the last probe point.
    fn all_windows(&self, last: &str) -> Vec<Window> {
        self.windows(last)
    }

    /// Where the units of a layer look, in pixels of an input of `_input` pixels on a side.
    fn field(&self, layer: &str, _input: u32) -> Field {
        field::field(self.windows(layer))
    }

    /// Whether maps of a larger image are those of its parts side by side.
    fn slides(&self) -> bool {
        true
    }

    /// How many values the last maps have where everything before the last layer stays as it is, in one place;
    /// `None` where all of the network can be trained.
    fn features(&self) -> Option<usize> {
        None
    }

    /// The layer that weights the means of the last probe point's maps into logits, with nothing between.
    fn linear_head(&self) -> Option<&'static str> {
        None
    }

    /// The classifier over maps of the last probe point, for silencing its units; `None` where it has no
    /// hidden layers.
    fn silence(&self, _maps: &Tensor) -> Option<candle_core::Result<Silence>> {
        None
    }

    /// Whether [`Body::silence`] gives something.
    fn silences(&self) -> bool {
        false
    }
}

/// Builds the layers of an architecture.
pub(super) fn body(
    architecture: &Architecture,
    ends: Ends,
    parameters: &mut Parameters,
) -> Result<Box<dyn Body>> {
    let name = architecture.name;
    let built = match architecture.family {
        Family::AlexNet => Some(boxed(chain::Chain::new(alexnet::plan(), ends, parameters))),
        Family::Vgg => vgg::plan(name).map(|plan| boxed(chain::Chain::new(plan, ends, parameters))),
        Family::Inception => Some(boxed(inception::Inception::new(ends, parameters))),
        Family::ResNet => {
            resnet::Plan::of(name).map(|plan| boxed(resnet::ResNet::new(plan, ends, parameters)))
        }
        Family::DenseNet => densenet::Plan::of(name)
            .map(|plan| boxed(densenet::DenseNet::new(plan, ends, parameters))),
        Family::EfficientNet => efficientnet::plan(name)
            .map(|plan| boxed(inverted::Inverted::new(plan, ends, parameters))),
        Family::MobileNet => {
            mobilenet::plan(name).map(|plan| boxed(inverted::Inverted::new(plan, ends, parameters)))
        }
        Family::ConvNext => convnext::Plan::of(name)
            .map(|plan| boxed(convnext::ConvNext::new(plan, ends, parameters))),
        Family::Tower(_) => {
            tower::Plan::of(name).map(|plan| boxed(tower::Tower::new(plan, ends, parameters)))
        }
    };
    built.with_context(|| format!("{name} is in no plan of its family"))?
}

fn boxed<B: Body + 'static>(body: Result<B>) -> Result<Box<dyn Body>> {
    Ok(Box::new(body?))
}

/// What weight files call the ends of a family's networks.
pub(super) struct Landmarks {
    /// The first convolution.
    pub stem: &'static str,
    /// The last layers, whose shape depends on the classes, the network's own first.
    pub heads: &'static [&'static str],
    /// A part that inference does without.
    pub optional: Option<&'static str>,
    /// Whether the one layer that takes the network's features is its last layer under any name.
    pub adopts: bool,
}

/// The landmarks of a family.
pub(super) fn landmarks(family: Family) -> Landmarks {
    let (stem, heads): (&str, &'static [&'static str]) = match family {
        Family::AlexNet => (chain::STEM_LAYER, &[alexnet::HEAD]),
        Family::Vgg => (chain::STEM_LAYER, &[vgg::HEAD]),
        Family::Inception => (inception::STEM_LAYER, &[inception::HEAD, inception::AUXILIARY_HEAD]),
        Family::ResNet => (resnet::STEM_LAYER, &[resnet::HEAD]),
        Family::DenseNet => (densenet::STEM_LAYER, &[densenet::HEAD]),
        Family::EfficientNet => (efficientnet::STEM_LAYER, &[efficientnet::HEAD]),
        Family::MobileNet => (mobilenet::STEM_LAYER, &[mobilenet::HEAD]),
        Family::ConvNext => (convnext::STEM_LAYER, &[convnext::HEAD]),
        Family::Tower(kind) => return tower::landmarks(kind),
    };
    let optional = (family == Family::Inception).then_some(inception::AUXILIARY);
    Landmarks { stem, heads, optional, adopts: true }
}
