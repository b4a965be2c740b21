//! Any bytes, read as the one picture of a folder (PNG, JPEG, TIFF, WebP, BMP): an error, a notice or a sound set.

#![no_main]

use heescope::data::{Part, PictureSize, Progress, read};
use heescope_fuzz::{assert_sound, count, with_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    with_file("picture.png", bytes, |path| {
        let Some(folder) = path.parent() else { return };
        let outcome = read(&[folder.into()], Part::All, PictureSize::Own, &Progress::default());
        count(outcome.is_ok());
        if let Ok((set, _)) = outcome {
            assert_sound(&set);
        }
    });
});
