//! What the allocator is told, in a process without other tests that allocate.

#![cfg(all(target_os = "linux", target_env = "gnu"))]

use heescope::app::allocator::{Blocks, hand_back};

#[test]
fn blocks_come_from_the_system_one_by_one_from_their_size_on() {
    // The allocator puts such a block 16 bytes behind the beginning of its own pages.
    let own_pages = |size: usize| {
        let blocks: Vec<Vec<u8>> = (0..16).map(|_| vec![1; size]).collect();
        blocks.iter().filter(|block| block.as_ptr() as usize % 4096 == 16).count()
    };
    let kept = 100 * 1024;
    hand_back(Blocks::Run);
    assert!(own_pages(kept) < 4 && own_pages(Blocks::Run as usize + 4096) == 16);
    hand_back(Blocks::Start);
    assert!(own_pages(kept) > 12); // some may still find room among what was freed before
    hand_back(Blocks::Run);
}
