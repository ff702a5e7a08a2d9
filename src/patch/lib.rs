//! Square windows of mammograms: cut, labelled, split by patient, stored once (the paper's section 2.2).
//!
//! In: a [`source::Source`] and the project's settings. Out: the data set's folder, a [`record::Manifest`] and a
//! [`record::Store`] of pixels ([`prepare`]), or PNG files of the patches ([`export`]).

pub mod export;
pub mod label;
pub mod prepare;
mod split;
pub mod window;

pub use label::Area;

#[cfg(test)]
#[path = "../../tests/support/real_data.rs"]
mod real_data;
