//! How long work tells what it is doing.

/// Receives the events of long work; a terminal draws bars, a pipe gets plain lines.
pub trait Progress: Sync {
    /// `what` begins and will take `total` steps.
    fn start(&self, what: &str, total: u64);
    /// `n` more steps are done.
    fn advance(&self, n: u64);
    /// Shows a short figure beside the bar, such as the loss.
    fn note(&self, text: &str);
    /// The work that was started is over.
    fn finish(&self);
    /// A result was there already.
    fn fresh(&self, what: &str) {
        self.say(&format!("{what} is fresh"));
    }
    /// A line worth keeping.
    fn say(&self, line: &str);
    /// What a user should know, also where nothing else is said.
    fn warn(&self, line: &str);
}

/// Says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn start(&self, _: &str, _: u64) {}
    fn advance(&self, _: u64) {}
    fn note(&self, _: &str) {}
    fn finish(&self) {}
    fn say(&self, _: &str) {}
    fn warn(&self, _: &str) {}
}
