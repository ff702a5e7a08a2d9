//! How the C library hands out memory. Nothing happens where it is not glibc.

use std::sync::Once;

/// Asks the C library to keep the memory of large freed buffers instead of returning it to the
/// system. Every training step allocates the same hundreds of megabytes again; fetching and clearing
/// their pages anew takes a quarter of AlexNet's time. Once per process.
pub fn keep_freed() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // No buffer gets a mapping of its own, which ends with it; the heap never shrinks.
        set(M_MMAP_MAX, 0);
        set(M_TRIM_THRESHOLD, -1);
    });
}

/// Asks the C library to fetch memory in large steps, before any is asked for. Reading and rendering a
/// large atlas makes millions of small strings in every thread; growing each thread's heap bit by bit takes
/// a tenth of a rebuild.
pub fn grow_in_large_steps() {
    set(M_TOP_PAD, 64 << 20);
}

/// From `malloc.h`.
const M_TRIM_THRESHOLD: i32 = -1;
/// See [`M_TRIM_THRESHOLD`].
const M_TOP_PAD: i32 = -2;
/// See [`M_TRIM_THRESHOLD`].
const M_MMAP_MAX: i32 = -4;

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn set(parameter: i32, value: i32) {
    use std::ffi::c_int;
    unsafe extern "C" {
        fn mallopt(param: c_int, value: c_int) -> c_int;
    }
    // SAFETY: glibc's own signature; it locks what it changes. A refusal leaves the allocator as it was,
    // which is slower and no error.
    unsafe {
        mallopt(parameter, value);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn set(_: i32, _: i32) {}
