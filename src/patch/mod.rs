//! Square windows of mammograms: cut, labelled, split by patient, stored once.

pub mod label;
pub mod manifest;
mod store;
pub mod window;

pub use manifest::{Manifest, Member, Patch};
pub use store::Store;
