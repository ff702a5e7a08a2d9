//! The networks there are, by name: their probe points, the inputs they take, and the choices within
//! them. No tensor is made here, so that a project file can be checked, and a page written, without one.

pub mod alexnet;
mod architectures;
pub mod convnext;
pub mod densenet;
mod design;
pub mod efficientnet;
pub mod inception;
pub mod mobilenet;
pub mod namer;
pub mod resnet;
pub mod tower;
pub mod vgg;

pub use architectures::{ARCHITECTURES, Architecture, BUILTIN, Family, MAX_INPUT};
pub use design::{
    AUXILIARY_LAYER, Design, MIN_AUXILIARY_INPUT, Pooling, Precision, WINDOW7_INPUTS,
};
