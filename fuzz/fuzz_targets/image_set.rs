//! Any bytes, read as a set of images (IDX, NPY, NPZ, CIFAR-10, each also compressed): an error or a sound set.

#![no_main]

use heescope::data::{Part, PictureSize, Progress, read};
use heescope_fuzz::{assert_sound, count, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("data", bytes, |path| {
        let outcome = read(&[path.into()], Part::All, PictureSize::Own, &Progress::default());
        count(outcome.is_ok());
        if let Ok((set, _)) = outcome {
            assert_sound(&set);
        }
    });
});
