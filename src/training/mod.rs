//! Training and evaluation of networks.

pub mod record;
