//! The reader study: what experts say the units show.

pub mod answer;
pub mod code;
pub mod import;
pub mod labels;
pub mod selection;
pub mod suggest;
pub(crate) mod time;
