//! Square windows of mammograms: cut, labelled, split by patient, stored once.

pub mod export;
pub mod label;
pub mod prepare;
mod split;
pub mod window;

pub use label::Area;

#[cfg(test)]
#[path = "../../tests/support/real_data.rs"]
mod real_data;
