//! The reader study: what experts say the units show.

pub mod answer;
