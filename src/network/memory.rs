//! Keeping freed memory for the next step.

use std::sync::Once;

/// Asks the C library to keep the memory of large freed buffers instead of returning it to the
/// system. Every training step allocates the same hundreds of megabytes again; fetching and clearing
/// their pages anew takes a quarter of AlexNet's time. Once per process; nothing happens where the C
/// library is not glibc.
pub(super) fn keep_freed() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        {
            use std::ffi::c_int;
            /// From `malloc.h`.
            const M_TRIM_THRESHOLD: c_int = -1;
            const M_MMAP_MAX: c_int = -4;
            unsafe extern "C" {
                fn mallopt(param: c_int, value: c_int) -> c_int;
            }
            // SAFETY: glibc's own signature; it locks what it changes. A refusal leaves the allocator
            // as it was, which is slower and no error.
            unsafe {
                // No buffer gets a mapping of its own, which ends with it; the heap never shrinks.
                mallopt(M_MMAP_MAX, 0);
                mallopt(M_TRIM_THRESHOLD, -1);
            }
        }
    });
}
