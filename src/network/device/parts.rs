//! Passes over batches that go on in smaller parts where a device's memory is short.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Error, Result};

use super::shortage::is_out_of_memory;

/// How many images a pass takes at once: as many as it is given, until the device runs out of memory;
/// then half as many, and half of that, for as long as the pass lasts.
///
/// Only for passes in which images do not see each other: those without training.
#[derive(Debug)]
pub(crate) struct Parts {
    most: AtomicUsize,
}

impl Default for Parts {
    fn default() -> Self {
        Self { most: AtomicUsize::new(usize::MAX) }
    }
}

impl Parts {
    /// Runs `pass` over consecutive ranges of `0..count`, in order, and returns what each gave.
    ///
    /// # Errors
    /// Those of `pass`; that memory ran out only where a single image does not fit.
    pub(crate) fn each<T>(
        &self,
        count: usize,
        pass: impl FnMut(Range<usize>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.each_while(is_out_of_memory, count, pass)
    }

    fn each_while<T>(
        &self,
        is_short: impl Fn(&Error) -> bool,
        count: usize,
        mut pass: impl FnMut(Range<usize>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let (mut results, mut done) = (Vec::new(), 0);
        while done < count {
            let size = self.most.load(Ordering::Relaxed).min(count - done);
            match pass(done..done + size) {
                Ok(result) => {
                    results.push(result);
                    done += size;
                }
                Err(error) if size > 1 && is_short(&error) => {
                    self.most.store(size / 2, Ordering::Relaxed)
                }
                Err(error) => return Err(error),
            }
        }
        Ok(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pass over a device with room for so many images.
    fn with_room(room: usize) -> impl FnMut(Range<usize>) -> Result<Vec<usize>> {
        move |part| if part.len() <= room { Ok(part.collect()) } else { anyhow::bail!("short") }
    }

    #[test]
    fn a_pass_goes_on_in_halves_and_stays_with_them() {
        let parts = Parts::default();
        let short = |error: &Error| error.to_string() == "short";
        assert_eq!(parts.each_while(short, 10, with_room(10)).unwrap().len(), 1);
        let found = parts.each_while(short, 32, with_room(5)).unwrap();
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [4; 8]);
        assert_eq!(found.concat(), (0..32).collect::<Vec<_>>());
        // The next batch does not run out again.
        let mut calls = 0;
        let mut pass = with_room(5);
        let counted = |part| {
            calls += 1;
            pass(part)
        };
        assert_eq!(
            parts.each_while(short, 10, counted).unwrap().concat(),
            (0..10).collect::<Vec<_>>()
        );
        assert_eq!(calls, 3);
    }

    #[test]
    fn what_does_not_fit_by_itself_and_other_errors_are_errors() {
        let short = |error: &Error| error.to_string() == "short";
        assert!(Parts::default().each_while(short, 4, with_room(0)).is_err());
        let parts = Parts::default();
        assert!(parts.each_while(|_| false, 4, with_room(1)).is_err());
        assert_eq!(parts.most.load(Ordering::Relaxed), usize::MAX);
    }
}
