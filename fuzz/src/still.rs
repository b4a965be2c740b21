//! A window without a screen.

use heescope::app::App;
use heescope::engine::{Command, Event, Snapshot, SnapshotSource};
use std::cell::Cell;

/// Shows one snapshot twice, and nobody takes commands.
pub struct Still {
    left: Cell<u8>,
    snapshot: Snapshot,
}

impl Still {
    /// Of this snapshot.
    pub fn new(snapshot: Snapshot) -> Self {
        Self { left: 2.into(), snapshot }
    }
}

impl SnapshotSource for Still {
    fn send(&self, _: Command) -> bool {
        true
    }

    fn take(&self) -> Option<Box<Snapshot>> {
        let left = self.left.replace(self.left.get().saturating_sub(1));
        (left > 0).then(|| Box::new(self.snapshot.clone()))
    }

    fn events(&self) -> Vec<Event> {
        Vec::new()
    }
}

/// Draws three frames, which nobody paints.
pub fn draw(ctx: &egui::Context, app: &mut App) {
    for _ in 0..3 {
        let mut drawn = ctx.run_ui(egui::RawInput::default(), |ui| {
            app.drain(ui.ctx());
            app.frame(ui);
        });
        drawn.textures_delta.clear();
    }
}
