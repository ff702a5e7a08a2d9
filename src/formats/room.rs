//! Memory for decoding. Each decoder is bounded by the size of one image; what is here bounds all that decode at
//! the same time, however many threads there are: who comes when the room is taken waits.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::MAX_PIXELS;

/// Bytes that images take at most while they are decoded, all together: a dozen of the size of DDSM's, or two of
/// the largest in the form that takes most.
const ALL: u64 = 2 << 30;
/// Bytes per pixel while most forms are decoded: samples of 16 bits, as they are read and as they are turned, the
/// grey that is shown, and the packed file.
const PER_PIXEL: u64 = 8;

static ROOM: Room = Room { taken: Mutex::new(0), freed: Condvar::new() };

#[derive(Debug)]
struct Room {
    taken: Mutex<u64>,
    freed: Condvar,
}

/// Room that is taken until this is dropped.
///
/// Nothing may be waited for meanwhile that takes room itself, on this thread or, as parallel iterators do, on
/// others.
#[derive(Debug)]
#[must_use]
pub struct Taken<'a> {
    room: &'a Room,
    bytes: u64,
}

/// Takes the room that decoding an image of so many pixels needs, as soon as there is some.
pub fn for_pixels(pixels: u64) -> Taken<'static> {
    ROOM.take(PER_PIXEL * pixels.min(MAX_PIXELS))
}

/// As [`for_pixels`], where samples are decoded as numbers of 32 or 64 bits.
pub(crate) fn for_wide_pixels(pixels: u64) -> Taken<'static> {
    ROOM.take(2 * PER_PIXEL * pixels.min(MAX_PIXELS))
}

impl Room {
    fn take(&self, bytes: u64) -> Taken<'_> {
        // What is larger than all room takes all of it.
        let bytes = bytes.min(ALL);
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let full = |taken: &mut u64| *taken + bytes > ALL;
        let mut taken = self.freed.wait_while(taken, full).unwrap_or_else(PoisonError::into_inner);
        *taken += bytes;
        Taken { room: self, bytes }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *self.room.taken.lock().unwrap_or_else(PoisonError::into_inner) -= self.bytes;
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn no_more_than_all_room_is_taken_by_any_number_of_threads() {
        let room = Room { taken: Mutex::new(0), freed: Condvar::new() };
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let (room, now, most) = (&room, &now, &most);
                scope.spawn(move || {
                    for turn in 0..20 {
                        // A few need more than there is.
                        let wanted = ALL / 7 * ((thread * 5 + turn) % 9 + 1);
                        let taken = room.take(wanted);
                        let all = now.fetch_add(taken.bytes, Ordering::SeqCst) + taken.bytes;
                        most.fetch_max(all, Ordering::SeqCst);
                        std::thread::yield_now();
                        now.fetch_sub(taken.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        let most = most.into_inner();
        assert!(most <= ALL && most > ALL / 2, "{most}");
        assert_eq!(*room.taken.lock().unwrap(), 0, "all is given back");
    }

    #[test]
    fn a_thread_that_fails_gives_its_room_back() {
        let room = Room { taken: Mutex::new(0), freed: Condvar::new() };
        std::thread::scope(|scope| {
            let failed = scope.spawn(|| {
                let _taken = room.take(ALL);
                panic!("as a decoder might");
            });
            assert!(failed.join().is_err());
        });
        drop(room.take(ALL));
    }
}
