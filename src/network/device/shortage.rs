//! What would fit where a device is out of memory.

use std::fmt;

use anyhow::{Error, Result};
use candle_core::Device;

use super::{describe, nvidia};

/// Memory of a device, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// What a pass could take.
    pub(super) free: u64,
    /// All of it, whoever has it.
    pub(super) total: u64,
}

/// Whether this says that a device's memory ran out.
pub(super) fn is_out_of_memory(error: &Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<candle_core::Error>())
        .any(nvidia::is_out_of_memory)
}

/// A pass over a batch that a device has no memory for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    device: String,
    batch: usize,
    room: Room,
    /// Bytes that the batch would take, and the largest that fits; unknown where nothing fits that is
    /// large enough to count up from.
    would: Option<(u64, usize)>,
}

impl Shortage {
    /// What is behind an `error` of a pass over `batch` images, if that is that memory ran out. Runs `pass`
    /// over smaller batches, whose peaks say what the whole one asks for.
    pub fn of(
        error: &Error,
        device: &Device,
        batch: usize,
        pass: impl FnMut(usize) -> Result<()>,
    ) -> Option<Shortage> {
        if !is_out_of_memory(error) {
            return None;
        }
        device.synchronize().ok()?;
        let room = nvidia::room(device)?;
        let would = extrapolate(batch, room.free, peaks(device, batch, pass));
        Some(Shortage { device: describe(device), batch, room, would })
    }
}

/// Peaks of the largest batch that fits of halves of `batch`, and of its half.
fn peaks(
    device: &Device,
    batch: usize,
    mut pass: impl FnMut(usize) -> Result<()>,
) -> Option<[(usize, u64); 2]> {
    let mut measure = |images: usize| -> Option<(usize, u64)> {
        let (result, peak) = nvidia::peak(device, || pass(images));
        result.ok()?;
        Some((images, peak?))
    };
    let halves = std::iter::successors(Some(batch / 2), |images| Some(images / 2));
    let mut large = None;
    // Two at least: some networks cannot be trained on one.
    for images in halves.take_while(|images| *images >= 2) {
        match (large, measure(images)) {
            (Some(large), Some(small)) => return Some([small, large]),
            (_, found) => large = found,
        }
    }
    None
}

/// What a batch asks for and how large a one has room, from the peaks of two smaller ones: memory grows by
/// the image.
fn extrapolate(batch: usize, free: u64, peaks: Option<[(usize, u64); 2]>) -> Option<(u64, usize)> {
    let [(few, low), (more, high)] = peaks?;
    let each = high.saturating_sub(low) / (more - few) as u64;
    if each == 0 {
        return None;
    }
    let asked = high + each * (batch - more) as u64;
    let beside = free.saturating_sub(high) / each;
    // The whole one did not fit, whatever the sum says.
    Some((asked, (more + beside as usize).min(batch - 1)))
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gigabytes = |bytes: u64| bytes as f64 / 1e9;
        let Self { device, batch, room: Room { free, total }, would } = self;
        let (free, total) = (gigabytes(*free), gigabytes(*total));
        write!(f, "a step with {batch} patches does not fit into the memory of {device}: ")?;
        match would {
            Some((asked, largest)) => write!(
                f,
                "it asks for about {:.1} GB, and {free:.1} of {total:.1} GB are free; {largest} patches \
                 fit (`batch: {largest}`)",
                gigabytes(*asked)
            ),
            None => write!(
                f,
                "{free:.1} of {total:.1} GB are free, and batches that are much smaller do not fit either"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_batch_asks_for_follows_from_smaller_ones() {
        // 1 GB and 2 GB per image: 32 ask for 65, and 11 fit 24.
        let gigabytes = |n: u64| n * 1_000_000_000;
        let peaks = Some([(4, gigabytes(9)), (8, gigabytes(17))]);
        assert_eq!(extrapolate(32, gigabytes(24), peaks), Some((gigabytes(65), 11)));
        // What was counted up from is taken from what fits, and what did not fit is never advised.
        assert_eq!(extrapolate(16, gigabytes(40), peaks), Some((gigabytes(33), 15)));
        assert_eq!(extrapolate(16, gigabytes(40), None), None);
        assert_eq!(extrapolate(16, gigabytes(40), Some([(4, 7), (8, 7)])), None);
    }

    #[test]
    fn a_shortage_says_what_was_asked_what_is_free_and_what_fits() {
        let room = Room { free: 22_400_000_000, total: 25_400_000_000 };
        let of = |would| Shortage { device: "cuda:0 (a card)".into(), batch: 32, room, would };
        assert_eq!(
            of(Some((41_900_000_000, 17))).to_string(),
            "a step with 32 patches does not fit into the memory of cuda:0 (a card): it asks for about \
             41.9 GB, and 22.4 of 25.4 GB are free; 17 patches fit (`batch: 17`)"
        );
        assert!(of(None).to_string().contains("22.4 of 25.4 GB are free"));
    }

    #[test]
    fn other_errors_are_no_shortage() {
        let error = anyhow::anyhow!("out of memory");
        let unasked = |_| -> Result<()> { panic!("nothing is measured") };
        assert_eq!(Shortage::of(&error, &Device::Cpu, 32, unasked), None);
    }
}
