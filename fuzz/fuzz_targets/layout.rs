//! Any text, read as what the window keeps between two runs (RON): the window opens and draws, with it or without.

#![no_main]

use heescope::app::{App, Options};
use heescope::engine::Snapshot;
use heescope_fuzz::{Still, count, draw};
use libfuzzer_sys::fuzz_target;

/// The values of both keys, in memory.
struct Kept(String);

impl eframe::Storage for Kept {
    fn get_string(&self, _: &str) -> Option<String> {
        Some(self.0.clone())
    }

    fn set_string(&mut self, _: &str, _: String) {}

    fn remove_string(&mut self, _: &str) {}

    fn flush(&mut self) {}
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let ctx = egui::Context::default();
    let still = Still::new(Snapshot::synthetic(heescope::Config::default()));
    let mut app = App::new(&ctx, Box::new(still), Options::default()).expect("a helper thread starts");
    count(app.restore(Some(&Kept(text.into()))));
    draw(&ctx, &mut app);
});
