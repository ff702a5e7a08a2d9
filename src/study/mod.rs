//! The reader study: what experts say the units show.

pub mod answer;
pub mod import;
pub mod labels;
pub mod suggest;
mod time;
