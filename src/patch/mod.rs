//! Square windows of mammograms: cut, labelled, split by patient, stored once.

pub mod manifest;

pub use manifest::{Manifest, Member, Patch};
