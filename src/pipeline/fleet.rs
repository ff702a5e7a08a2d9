//! Networks on all the devices of a project at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::Result;
use candle_core::Device;

use super::Pipeline;
use network::device;

impl Pipeline<'_> {
    /// Does something for each network: one after the other on one device; on several, each takes the next
    /// network as soon as it has none. `work` is given a pipeline that computes on the device in question.
    ///
    /// # Errors
    /// The first of `work`; networks that are being worked on then are finished, and no others begun.
    pub fn each_network<'n>(
        &self,
        networks: impl IntoIterator<Item = &'n config::Network>,
        work: impl Fn(&Pipeline<'_>, &config::Network) -> Result<()> + Sync,
    ) -> Result<()> {
        let networks: Vec<_> = networks.into_iter().collect();
        if networks.len() < 2 || self.config.device != base::Device::AllCuda {
            return networks.into_iter().try_for_each(|network| work(self, network));
        }
        let devices = device::open_all(self.config.device, |line| self.progress.say(line))?;
        let pipelines: Vec<_> = devices.into_iter().map(|device| self.on(device)).collect();
        deal(&pipelines, &networks, |pipeline, network| work(pipeline, network))
    }

    /// The same project on a device of its own.
    fn on(&self, device: Device) -> Pipeline<'_> {
        let Self { config, progress, .. } = *self;
        Pipeline {
            layout: self.layout.clone(),
            device: device.into(),
            recordings: self.recordings.clone(),
            reading: self.reading.clone(),
            file: self.file.clone(),
            config,
            progress,
        }
    }
}

/// Lets workers take items in order, each the next when it is done with one.
fn deal<W: Sync, I: Sync>(
    workers: &[W],
    items: &[I],
    work: impl Fn(&W, &I) -> Result<()> + Sync,
) -> Result<()> {
    let next = AtomicUsize::new(0);
    let failure = Mutex::new(None);
    thread::scope(|scope| {
        for worker in workers.iter().take(items.len()) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = work(worker, item) {
                        // Nobody takes another.
                        next.store(items.len(), Ordering::Relaxed);
                        let mut failure = failure.lock().unwrap_or_else(PoisonError::into_inner);
                        failure.get_or_insert(error);
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn every_item_is_taken_once_and_workers_work_at_the_same_time() {
        // Nobody passes before both are there.
        let both = Barrier::new(2);
        let taken = Mutex::new(Vec::new());
        deal(&["a", "b"], &[0, 1, 2, 3], |worker, item| {
            both.wait();
            taken.lock().unwrap().push((*item, *worker));
            Ok(())
        })
        .unwrap();
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        assert_eq!(taken.iter().map(|(item, _)| *item).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert!(["a", "b"].iter().all(|w| taken.iter().filter(|(_, by)| by == w).count() == 2));
    }

    #[test]
    fn an_error_ends_the_dealing() {
        let begun = AtomicUsize::new(0);
        let error = deal(&[()], &[0, 1, 2], |(), item| {
            begun.fetch_add(1, Ordering::Relaxed);
            anyhow::ensure!(*item < 1, "{item} failed");
            Ok(())
        })
        .unwrap_err();
        assert_eq!((error.to_string().as_str(), begun.into_inner()), ("1 failed", 2));
    }
}
