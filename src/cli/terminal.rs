//! What a person at the terminal, or a log file, sees of long work.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use base::number::grouped;
use base::progress::Progress;

/// How often a log file hears of work that is still going on.
const LINE_EVERY: Duration = Duration::from_secs(60);
/// From when on a rate says something: the first steps are slower, or faster, than those that follow.
const SETTLED: Duration = Duration::from_secs(5);

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
    /// Whether what was there already goes without saying: the verb answers a question.
    answers: bool,
    bars: Option<MultiProgress>,
    /// At most one for each thread that began some: networks may be worked on at the same time.
    current: Mutex<Vec<(ThreadId, Work)>>,
}

#[derive(Debug)]
struct Work {
    what: String,
    note: String,
    total: u64,
    done: u64,
    began: Instant,
    told: Instant,
    bar: Option<ProgressBar>,
}

impl Work {
    /// How far it has come after this time, for a log file.
    fn line(&self, elapsed: Duration) -> String {
        let Work { what, note, total, done, .. } = self;
        let seconds = elapsed.as_secs_f64();
        let left = seconds / (*done).max(1) as f64 * total.saturating_sub(*done) as f64;
        let left = HumanDuration(Duration::from_secs(left as u64));
        let speed = rate(*done as f64 / seconds);
        let note = if note.is_empty() { String::new() } else { format!("; {note}") };
        format!("{what}: {}/{}, {speed}, about {left} left{note}", grouped(*done), grouped(*total))
    }
}

/// Steps in a second, or in a minute where they take longer, with no more digits than stay the same.
fn rate(each_second: f64) -> String {
    match each_second {
        fast if fast >= 100.0 => format!("{}/s", grouped(fast.round() as u64)),
        some if some >= 1.0 => format!("{some:.1}/s"),
        slow => format!("{:.1}/min", 60.0 * slow),
    }
}

/// What a bar says: `alexnet [===>   ] 2,500/10,000, 42.0/s, 3 minutes left  loss 0.512`.
fn style() -> ProgressStyle {
    let style =
        ProgressStyle::with_template("{prefix} [{bar:24}] {human_pos}/{human_len}{pace}  {msg}");
    let pace = |state: &ProgressState, out: &mut dyn fmt::Write| {
        if state.elapsed() >= SETTLED && state.pos() > 0 {
            let left = HumanDuration(state.eta());
            let _ = write!(out, ", {}, {left} left", rate(state.per_sec()));
        }
    };
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    style.with_key("pace", pace).progress_chars("=> ")
}

impl Terminal {
    /// For standard output and standard error as they are; for a verb that `answers` a question or does
    /// something to the project.
    pub(super) fn new(verbosity: Verbosity, answers: bool) -> Self {
        let bars = io::stderr().is_terminal() && verbosity > Verbosity::Quiet;
        let bars = bars.then(MultiProgress::new);
        Self { verbosity, answers, bars, current: Mutex::default() }
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
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    fn works(&self) -> MutexGuard<'_, Vec<(ThreadId, Work)>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The work that this thread began; of a thread that began none, it helps with the last.
fn own(works: &mut [(ThreadId, Work)]) -> Option<&mut Work> {
    let mine = works.iter().position(|(thread, _)| *thread == thread::current().id());
    let at = mine.or(works.len().checked_sub(1))?;
    works.get_mut(at).map(|(_, work)| work)
}

impl Progress for Terminal {
    fn start(&self, what: &str, total: u64) {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(total).with_style(style()));
            bar.set_prefix(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        let now = Instant::now();
        let what = what.to_owned();
        let work = Work { what, note: String::new(), total, done: 0, began: now, told: now, bar };
        let mut works = self.works();
        works.retain(|(thread, _)| *thread != thread::current().id());
        works.push((thread::current().id(), work));
    }

    fn advance(&self, n: u64) {
        let mut works = self.works();
        let Some(work) = own(&mut works) else { return };
        work.done += n;
        if let Some(bar) = &work.bar {
            bar.inc(n);
        } else if self.verbosity > Verbosity::Quiet && work.told.elapsed() >= LINE_EVERY {
            work.told = Instant::now();
            drop(writeln!(io::stdout(), "{}", work.line(work.began.elapsed())));
        }
    }

    fn note(&self, text: &str) {
        let mut works = self.works();
        let Some(work) = own(&mut works) else { return };
        match &work.bar {
            Some(bar) => bar.set_message(text.to_owned()),
            None => text.clone_into(&mut work.note),
        }
    }

    fn finish(&self) {
        let mut works = self.works();
        let mine = works.iter().position(|(thread, _)| *thread == thread::current().id());
        if let Some((_, Work { bar: Some(bar), .. })) = mine.map(|mine| works.remove(mine)) {
            bar.finish_and_clear();
        }
    }

    fn fresh(&self, what: &str) {
        let line = format!("{what} is fresh");
        if self.answers { self.detail(&line) } else { self.say(&line) }
    }

    fn say(&self, line: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.print(line);
        }
    }

    fn warn(&self, line: &str) {
        let print = || drop(writeln!(io::stderr(), "warning: {line}"));
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_speed_time_left_and_the_figures() {
        let now = Instant::now();
        let mut work = Work {
            what: "alexnet".into(),
            note: "epoch 2/9, loss 0.512, AUC 0.831".into(),
            total: 10_000,
            done: 2_500,
            began: now,
            told: now,
            bar: None,
        };
        assert_eq!(
            work.line(Duration::from_secs(600)),
            "alexnet: 2,500/10,000, 4.2/s, about 30 minutes left; epoch 2/9, loss 0.512, AUC 0.831"
        );
        work.done = 100;
        assert!(
            work.line(Duration::from_secs(600)).starts_with("alexnet: 100/10,000, 10.0/min, about")
        );
        work.done = 2_500;
        work.note.clear();
        assert!(work.line(Duration::from_secs(60)).ends_with("about 3 minutes left"));
    }
}
