//! What glibc's allocator keeps of freed memory while a window is open. Elsewhere nothing is done: the allocator decides.
//!
//! The setting holds for the whole process, so the program makes it and the library does not.

use heescope::app::WindowPhase;

/// Blocks of at least so many bytes come from the system one by one, and go back to it when they are freed.
const fn own_pages_from(phase: WindowPhase) -> i32 {
    match phase {
        // The graphics driver compiles its programs and the first model is built, which leave much behind them.
        WindowPhase::Opening => 32 * 1024,
        // Frames and snapshots mostly reuse what they freed, without a page fault for every page.
        WindowPhase::Running => 256 * 1024,
    }
}

/// Tells the allocator what suits `phase`, for all threads from now on.
pub fn set_policy(phase: WindowPhase) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: mallopt takes two numbers and changes only when the allocator asks the system for memory; glibc allows it at any time,
    // from any thread, under a lock of its own.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, own_pages_from(phase));
        libc::mallopt(libc::M_TRIM_THRESHOLD, own_pages_from(phase));
        // Few threads allocate at the same time: two heaps are enough, and each keeps some of what is freed in it.
        libc::mallopt(libc::M_ARENA_MAX, 2);
        if phase == WindowPhase::Running {
            libc::malloc_trim(0);
        }
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = own_pages_from(phase);
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    /// The only test of this binary: others that allocate at the same time would disturb it.
    #[test]
    fn blocks_come_from_the_system_one_by_one_from_their_size_on() {
        // The allocator puts such a block 16 bytes behind the beginning of its own pages.
        let own_pages = |size: usize| {
            let blocks: Vec<Vec<u8>> = (0..16).map(|_| vec![1; size]).collect();
            blocks.iter().filter(|block| block.as_ptr() as usize % 4096 == 16).count()
        };
        let kept = 100 * 1024;
        set_policy(WindowPhase::Running);
        assert!(own_pages(kept) < 4 && own_pages(own_pages_from(WindowPhase::Running) as usize + 4096) == 16);
        set_policy(WindowPhase::Opening);
        assert!(own_pages(kept) > 12); // some may still find room among what was freed before
        set_policy(WindowPhase::Running);
    }
}
