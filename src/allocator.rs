//! What stays in memory while a window is open: what glibc's allocator keeps of what was freed, and the renderer's code that only the start has run.
//! Elsewhere nothing is done: allocator and system decide.
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
    #[cfg(target_os = "linux")]
    if phase == WindowPhase::Running {
        release_renderer_code();
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = own_pages_from(phase);
}

/// Lets go of the pages of a software renderer's code: it compiles its shaders with some 40 MB of which nothing runs again. What does run again is
/// mapped anew, a few pages at a time, from the system's cache. Called on the window's thread, which alone loads and unloads a renderer.
#[cfg(target_os = "linux")]
fn release_renderer_code() {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    for [start, end] in maps.lines().filter_map(renderer_code) {
        // SAFETY: these are pages of a loaded library that can only be read and run, and are equal to its file: whoever comes back to them
        // reads the same from there. The library stays loaded meanwhile, as this thread is the one that would unload it.
        unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
    }
}

/// Where a line of /proc/self/maps has code of Mesa's software renderer or of the compiler that it uses.
#[cfg(target_os = "linux")]
fn renderer_code(line: &str) -> Option<[usize; 2]> {
    let mut fields = line.split_whitespace();
    let (range, permissions, path) = (fields.next()?, fields.next()?, fields.nth(3)?);
    let name = path.strip_prefix('/')?.rsplit('/').next()?;
    let is_renderer = ["libLLVM", "libgallium"].iter().any(|start| name.starts_with(start)) || name == "swrast_dri.so";
    let (start, end) = range.split_once('-')?;
    let [start, end] = [start, end].map(|at| usize::from_str_radix(at, 16).ok());
    (permissions == "r-xp" && is_renderer).then_some([start?, end?])
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_a_software_renderer_is_let_go_of() {
        let found: Vec<_> = [
            "7f00-7fa0 r-xp 00000000 fe:00 1  /usr/lib/libLLVM-15.so.1",
            "7fa0-7fb0 r-xp 00001000 fe:00 2  /usr/lib/dri/swrast_dri.so",
            "7fb0-7fc0 r--p 00002000 fe:00 1  /usr/lib/libLLVM-15.so.1",
            "7fc0-7fd0 rw-p 00002000 fe:00 1  /usr/lib/libLLVM-15.so.1",
            "7fd0-7fe0 r-xp 00000000 fe:00 3  /usr/lib/libc.so.6",
            "7fe0-7ff0 r-xp 00000000 00:00 0 ",
            "not a line of this kind",
        ]
        .into_iter()
        .filter_map(renderer_code)
        .collect();
        assert_eq!(found, [[0x7f00, 0x7fa0], [0x7fa0, 0x7fb0]], "relocated data and all else stay");
    }

    /// No other test of this binary allocates as much: it would disturb this one.
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
