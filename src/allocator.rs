//! What stays in memory while a window is open: what glibc's allocator keeps of what was freed, and code that only the start has run.
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
        release_code();
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = own_pages_from(phase);
}

/// Lets go of the pages of code that are mapped from files. A renderer without a graphics card compiles its shaders with some 40 MB of code of
/// which nothing runs again; what does run again is mapped anew, a few pages at a time, from the system's cache.
#[cfg(target_os = "linux")]
fn release_code() {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap_or_default();
    for [start, end] in untouched_code(&maps) {
        // SAFETY: these are pages that can only be read and run, mapped from a file and equal to it: whoever comes back to them reads the same
        // from there. Where the system refuses, they stay.
        unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
    }
}

/// Addresses of the code that is mapped from files and was not written to, of the text of /proc/self/smaps. (Debuggers and overlays write to
/// code: theirs would be lost.)
#[cfg(target_os = "linux")]
fn untouched_code(maps: &str) -> Vec<[usize; 2]> {
    let mut found = Vec::new();
    let mut current = None;
    for line in maps.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        match fields[..] {
            [range, permissions, _, _, _, ref path @ ..] => {
                let is_code = permissions == "r-xp" && matches!(path, [path] if path.starts_with('/') && !path.starts_with("/memfd:"));
                let bounds = || range.split_once('-').map(|(start, end)| [start, end].map(|at| usize::from_str_radix(at, 16)));
                current = match bounds() {
                    Some([Ok(start), Ok(end)]) if is_code => Some([start, end]),
                    _ => None,
                };
            }
            ["Anonymous:", kib, "kB"] => found.extend(current.take().filter(|_| kib == "0")),
            _ => {}
        }
    }
    found
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn code_is_let_go_of_where_it_is_that_of_its_file_and_runs_on() {
        let maps = "\
7f00-7fa0 r-xp 00000000 fe:00 1  /usr/lib/libLLVM.so\nRss:  40 kB\nAnonymous:   0 kB\nVmFlags: rd ex mr mw me\n\
7fa0-7fb0 r-xp 00000000 fe:00 2  /usr/lib/hooked.so\nAnonymous:   4 kB\n\
7fb0-7fc0 r--p 00000000 fe:00 1  /usr/lib/libLLVM.so\nAnonymous:   0 kB\n\
7fc0-7fd0 r-xs 00000000 00:01 3  /memfd:code (deleted)\nAnonymous:   0 kB\n\
7fd0-7fe0 r-xp 00000000 00:01 4  /memfd:code\nAnonymous:   0 kB\n\
7fe0-7ff0 r-xp 00000000 00:00 0\nAnonymous:   0 kB\n";
        assert_eq!(untouched_code(maps), [[0x7f00, 0x7fa0]]);
        assert!(!untouched_code(&std::fs::read_to_string("/proc/self/smaps").unwrap()).is_empty(), "this program is one of them");
        release_code();
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
