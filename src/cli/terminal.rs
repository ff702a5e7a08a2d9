//! What a person at the terminal, or a log file, sees of long work.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::progress::Progress;

/// How often a log file hears of work that is still going on.
const LINE_EVERY: Duration = Duration::from_secs(60);

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Verbosity {
    /// Errors and what was skipped.
    Quiet,
    /// Results and progress.
    Normal,
    /// Details too.
    Verbose,
}

/// Bars on a terminal, plain lines otherwise.
#[derive(Debug)]
pub(super) struct Terminal {
    verbosity: Verbosity,
    bars: bool,
    current: Mutex<Option<Work>>,
}

#[derive(Debug)]
struct Work {
    what: String,
    total: u64,
    done: u64,
    began: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Terminal {
    /// For standard output and standard error as they are.
    pub(super) fn new(verbosity: Verbosity) -> Self {
        let bars = io::stderr().is_terminal() && verbosity > Verbosity::Quiet;
        Self { verbosity, bars, current: Mutex::new(None) }
    }

    /// A line for those who asked for details.
    pub(super) fn detail(&self, line: &str) {
        if self.verbosity == Verbosity::Verbose {
            self.print(line);
        }
    }

    /// What the verb was asked for, whatever the verbosity.
    pub(super) fn result(&self, line: &str) {
        self.print(line);
    }

    fn print(&self, line: &str) {
        // A closed pipe is the reader's choice, not our failure.
        let print = || drop(writeln!(io::stdout(), "{line}"));
        match self.work().as_ref().and_then(|work| work.bar.as_ref()) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn work(&self) -> std::sync::MutexGuard<'_, Option<Work>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Terminal {
    fn start(&self, what: &str, total: u64) {
        let bar = self.bars.then(|| {
            let style = ProgressStyle::with_template(
                "{prefix} [{bar:24}] {human_pos}/{human_len}, {per_sec}, {eta} left  {msg}",
            );
            let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total).with_style(style.progress_chars("=> "));
            bar.set_prefix(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        let now = Instant::now();
        let what = what.to_owned();
        *self.work() = Some(Work { what, total, done: 0, began: now, told: now, bar });
    }

    fn advance(&self, n: u64) {
        let mut guard = self.work();
        let Some(work) = guard.as_mut() else { return };
        work.done += n;
        if let Some(bar) = &work.bar {
            bar.inc(n);
        } else if self.verbosity > Verbosity::Quiet && work.told.elapsed() >= LINE_EVERY {
            work.told = Instant::now();
            let seconds = work.began.elapsed().as_secs_f64();
            let left = seconds / work.done as f64 * work.total.saturating_sub(work.done) as f64;
            let Work { what, done, total, .. } = work;
            drop(writeln!(io::stdout(), "{what}: {done}/{total}, about {left:.0} s left"));
        }
    }

    fn note(&self, text: &str) {
        if let Some(bar) = self.work().as_ref().and_then(|work| work.bar.as_ref()) {
            bar.set_message(text.to_owned());
        }
    }

    fn finish(&self) {
        if let Some(Work { bar: Some(bar), .. }) = self.work().take() {
            bar.finish_and_clear();
        }
    }

    fn say(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.print(line);
        }
    }
}
