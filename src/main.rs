//! unit-atlas
fn main() {}
