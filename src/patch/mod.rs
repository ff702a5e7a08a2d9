//! Square windows of mammograms: cut, labelled, split by patient, stored once.

pub mod manifest;
mod store;

pub use manifest::{Manifest, Member, Patch};
pub use store::Store;
#[cfg(test)]
pub(crate) use store::header as store_header;
