//! Any bytes or arrays, read and diagnosed as a file of samples: an error, or figures for each unit.

#![no_main]

use heescope::experiment::samples::SampleFile;
use heescope::export::FileError;
use heescope_fuzz::{archive, count, with_file};
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fn diagnose(path: &Path) -> Result<(), FileError> {
    let mut file = SampleFile::open(path)?;
    let mut found = Vec::new();
    for layer in file.layers()? {
        file.diagnose(&layer, &|_| (), &mut found)?;
    }
    assert!(!found.is_empty() && found.iter().all(|unit| unit.figures.ess_bulk.is_nan() || unit.figures.ess_bulk > 0.0));
    Ok(())
}

fuzz_target!(|bytes: &[u8]| with_file("samples.npz", &archive(bytes), |path| count(diagnose(path).is_ok())));
