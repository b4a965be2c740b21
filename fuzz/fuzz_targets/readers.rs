//! Any bytes, read as a set of images: an error or a sound set.

#![no_main]

use heescope::data::{Part, PictureSize, Progress, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("data");
    if std::fs::write(&path, bytes).is_err() {
        return;
    }
    // A picture is read in a folder only, everything else alone as well.
    for place in [path, folder.path().to_path_buf()] {
        if let Ok((set, _)) = read(&[place], Part::All, PictureSize::Own, &Progress::default()) {
            assert_eq!(set.pixels.dim(), (set.len(), set.rows * set.columns));
            assert!(set.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
            assert!(set.labels.is_none_or(|labels| labels.len() == set.pixels.nrows()));
        }
    }
});
