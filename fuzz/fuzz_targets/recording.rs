//! Any bytes, read as a recording, or as the CBOR of its one snapshot: an error, or snapshots that the window draws.

#![no_main]

use heescope::app::{App, Options};
use heescope::engine::recording::{RecordedRun, Replay};
use heescope_fuzz::{count, draw, with_file};
use libfuzzer_sys::fuzz_target;
use std::io::Write;

/// Weights of a model that is drawn, at most: larger ones are allowed and take their time.
const MOST: usize = 1 << 20;

/// A recording whose lengths and checksum are right, so that what is in the snapshot comes under test.
fn recording(bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(b"heescope") {
        return bytes.into();
    }
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    let packed = packed.finish().unwrap();
    let length = u32::try_from(packed.len()).unwrap().to_le_bytes();
    [b"heescope recording 1\n", length.as_slice(), &0f64.to_le_bytes(), &packed].concat()
}

fuzz_target!(|bytes: &[u8]| {
    with_file("a.heerec", &recording(bytes), |path| {
        let Ok(mut run) = RecordedRun::open(path) else { return count(false) };
        let all = run.read(0..run.len());
        count(all.is_ok());
        let Ok(Some(snapshot)) = all else { return };
        if snapshot.weights.iter().map(|w| w.len()).sum::<usize>() > MOST {
            return;
        }
        let ctx = egui::Context::default();
        let replay = Replay::new(run, 0.0);
        let mut app = App::new(&ctx, Box::new(replay), Options::default()).expect("a helper thread starts");
        draw(&ctx, &mut app);
    });
});
