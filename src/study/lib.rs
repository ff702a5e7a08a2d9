//! The reader study: what experts say the units show, and how far they agree.

pub mod answer;
pub mod automatic;
pub mod code;
pub mod consensus;
pub mod expert;
mod form;
pub mod import;
pub mod labels;
mod questions;
pub mod reading;
pub mod report;
pub mod selection;
mod sheet;
pub mod statistics;
pub mod suggest;
mod table;
pub mod time;

pub use answer::schema;
