//! Trains convolutional networks on mammograms, dissects their units and renders an atlas of what
//! each unit sees.
//!
//! The flow is one way: [`source`] → [`patch`] → [`training`] → [`dissection`] → [`atlas`]; each
//! stage reads the artifacts of the one before and writes its own (see [`artifact`]). The modules
//! below are listed from the top floor down; a floor uses only the floors below it.

pub mod artifact;
pub mod atlas;
pub mod config;
pub mod dissection;
pub mod lexicon;
pub mod mammogram;
pub mod patch;
pub mod source;
pub mod study;
pub mod training;
