//! What glibc's allocator keeps of freed memory. Elsewhere nothing is done: the allocator decides.

/// Blocks of this many bytes or more come from the system one by one, and go back to it when they are freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// From 32 KiB on: while the graphics driver compiles its programs and the first model is built, which leave much behind them.
    Start = 32 * 1024,
    /// From 256 KiB on: frames and snapshots mostly reuse what they freed, without a page fault for every page.
    Run = 256 * 1024,
}

/// From now on, in all threads.
pub fn hand_back(from: Blocks) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes two numbers and changes only when the allocator asks the system for memory; glibc allows it at any time,
    // from any thread, under a lock of its own.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, from as i32);
        libc::mallopt(libc::M_TRIM_THRESHOLD, from as i32);
        // Few threads allocate at the same time: two heaps are enough, and each keeps some of what is freed in it.
        libc::mallopt(libc::M_ARENA_MAX, 2);
        if from == Blocks::Run {
            libc::malloc_trim(0);
        }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = from;
}
