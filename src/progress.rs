//! How long work reports itself: a terminal shows a bar, a log shows lines, a test shows nothing.

/// Told of a stage's progress, from any thread.
pub trait Progress: Sync {
    /// A piece of work begins: `total` steps of `what`.
    fn start(&self, what: &str, total: u64);
    /// `n` more steps are done.
    fn advance(&self, n: u64);
    /// The piece of work is over.
    fn finish(&self);
    /// A line for the user.
    fn say(&self, line: &str);
}

/// Says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _what: &str, _total: u64) {}
    fn advance(&self, _n: u64) {}
    fn finish(&self) {}
    fn say(&self, _line: &str) {}
}
