//! What is known of a unit, computed once per build.

mod mentions;
pub mod naming;
mod story;

pub use mentions::{Mention, Terms, mentions};
pub use story::{carried, sentence};
