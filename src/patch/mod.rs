//! Square windows of mammograms: cut, labelled, split by patient, stored once.

pub mod export;
pub mod label;
pub mod manifest;
pub mod prepare;
mod split;
mod store;
pub mod tally;
pub mod window;

pub(crate) use label::Area;
pub use manifest::{Fractions, Given, Manifest, Member, Patch, Share};
pub use store::Store;
#[cfg(test)]
pub(crate) use store::header as store_header;
