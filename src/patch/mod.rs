//! Square windows of mammograms: cut, labelled, split by patient, stored once.

pub mod export;
pub mod label;
pub mod manifest;
pub mod prepare;
mod split;
mod store;
pub mod window;

pub use manifest::{Manifest, Member, Patch};
pub use store::Store;
#[cfg(test)]
pub(crate) use store::header as store_header;
