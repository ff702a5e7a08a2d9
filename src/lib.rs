//! Trains convolutional networks on mammograms, dissects their units and renders an atlas of what
//! each unit sees.
//!
//! The flow is one way: [`source`] → [`patch`] → [`training`] → [`dissection`] → [`explanation`] →
//! [`atlas`]; each stage reads the artifacts of the one before and writes its own (see [`artifact`]), and
//! [`pipeline`] runs them in order.

pub mod artifact;
pub mod atlas;
pub mod cli;
pub mod config;
pub mod device;
pub mod dissection;
pub mod explanation;
pub mod figure;
pub mod lexicon;
pub mod mammogram;
mod memory;
pub mod network;
pub mod patch;
pub mod pipeline;
pub mod progress;
pub mod seed;
pub mod serve;
pub mod source;
mod spreadsheet;
pub mod study;
pub mod training;
pub mod yaml;
