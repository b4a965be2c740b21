//! Any text, read as what the window keeps between two runs (RON): the window opens and draws, with it or without.

#![no_main]

use heescope::app::{App, Options};
use heescope::engine::{Command, Event, Snapshot, SnapshotSource};
use heescope_fuzz::count;
use libfuzzer_sys::fuzz_target;

/// Two snapshots, and nobody who takes commands.
struct Still(std::cell::Cell<u8>);

impl SnapshotSource for Still {
    fn send(&self, _: Command) -> bool {
        true
    }

    fn take(&self) -> Option<Box<Snapshot>> {
        let left = self.0.replace(self.0.get().saturating_sub(1));
        (left > 0).then(|| Box::new(Snapshot::synthetic(heescope::Config::default())))
    }

    fn events(&self) -> Vec<Event> {
        Vec::new()
    }
}

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
    let mut app = App::new(&ctx, Box::new(Still(2.into())), Options::default()).expect("a helper thread starts");
    count(app.restore(Some(&Kept(text.into()))));
    for _ in 0..3 {
        let mut drawn = ctx.run_ui(egui::RawInput::default(), |ui| {
            app.drain(ui.ctx());
            app.frame(ui);
        });
        drawn.textures_delta.clear(); // nothing paints them
    }
});
