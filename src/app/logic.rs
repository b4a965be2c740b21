//! Takes in what the engine and the helper threads have for the window; draws nothing.

use super::{App, Background, Kind, Shot, WindowPhase};
use crate::app::actions::{Action, Field};
use crate::app::widgets::picture;
use crate::engine::{Command, Event, Pace};
use crate::export::filters;
use anyhow::Context as _;
use egui::Context;
use egui_tiles::Tile;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Frames with a model until the start is over: all views in sight have been drawn, and the graphics driver has what it needs.
const STARTING: u32 = 60;

impl App {
    /// Before a frame: a core for it, and what has come.
    pub(super) fn begin_frame(&mut self, ctx: &Context) {
        let hidden = ctx.input(|i| i.viewport().visible()) == Some(false); // then nothing is drawn
        let waited = if hidden { Duration::ZERO } else { self.engine.lease_core() };
        self.waited = [waited, self.waited[0]];
        self.begun = Instant::now();
        self.drain(ctx);
    }

    /// Says some frames after the first picture that the start is over.
    pub(super) fn end_start(&mut self) {
        let Some(frames) = self.starting.filter(|_| self.state.latest.is_some()) else { return };
        self.starting = (frames < STARTING).then_some(frames + 1);
        if self.starting.is_none()
            && let Some(on_phase) = self.on_phase
        {
            on_phase(WindowPhase::Running);
        }
    }

    /// Takes in what the engine and the helpers have for the window.
    pub fn drain(&mut self, ctx: &Context) {
        while let Some(command) = self.pending.pop_front() {
            if !self.engine.send(command.clone()) {
                self.pending.push_front(command);
                break;
            }
        }
        if let Some(snapshot) = self.engine.take_snapshot() {
            if let Pace::StepsPerSecond(_) = snapshot.clock.pace {
                self.slow = snapshot.clock.pace;
            }
            // A model without an image layer shows its picture in Posterior, the others in the mosaic.
            let tiny = snapshot.stimulus.stimulus.len() <= 3;
            if self.tiny.replace(tiny) != Some(tiny) {
                let front = if tiny { Kind::Posterior } else { Kind::ReceptiveFields };
                self.tree.make_active(|_, tile| matches!(tile, Tile::Pane(kind) if *kind == front));
            }
            self.state.absorb(snapshot);
        }
        if let Some(fits) = self.fitter.take() {
            self.state.take_fits(fits);
        }
        for event in self.engine.events().collect::<Vec<_>>() {
            match event {
                Event::Loaded(_) => self.halted = None,
                Event::Warning(text) => self.warn(&format!("Left out: {text}")),
                Event::Failed(text) => self.complain(&text),
                Event::Saved(path) => self.report(&format!("Saved {}", path.display())),
                Event::Halted(reason) => self.halted = Some(reason),
            }
        }
        for done in self.background.1.try_iter().collect::<Vec<_>>() {
            match done {
                Background::Exported(Ok(path)) => self.report(&format!("Exported {}", path.display())),
                Background::Exported(Err(error)) => self.complain(&format!("{error:#}")),
                Background::Chosen(Field::Images | Field::ImageFile, path) => self.side.images = path.display().to_string(),
                Background::Chosen(Field::Open | Field::Save, path) => self.side.model = path.display().to_string(),
                Background::Chosen(Field::Export, path) => {
                    let format = path.extension().and_then(|e| e.to_str()).and_then(|ending| match ending {
                        "png" => Some(filters::Format::Png),
                        "svg" => Some(filters::Format::Svg),
                        "npy" => Some(filters::Format::Npy),
                        "csv" => Some(filters::Format::Csv),
                        _ => None,
                    });
                    let export = &mut self.state.export;
                    export.format = format.unwrap_or(export.format);
                    export.path = path.display().to_string();
                }
                Background::Shot(result) => {
                    *self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = result.err();
                    ctx.send_viewport_cmd(egui::ViewportCommand::Close);
                }
            }
        }
        let dropped: Vec<PathBuf> = ctx.input(|i| i.raw.dropped_files.iter().map(|f| f.path().to_path_buf()).collect());
        if !dropped.is_empty() {
            self.act(Action::Send(Command::UseImages(dropped)));
        }
        if self.shot.as_ref().is_some_and(|shot| self.start.elapsed() >= shot.after)
            && let Some(Shot { path, .. }) = self.shot.take()
        {
            let (sender, waker) = (self.background.0.clone(), ctx.clone());
            ctx.request_screenshot(move |image| {
                let picture = picture::crop(&image, egui::Rect::EVERYTHING, 1.0);
                let result = picture.context("an empty picture").and_then(|picture| crate::export::save_png(&path, &picture));
                let _ = sender.try_send(Background::Shot(result)); // the queue is empty this early
                waker.request_repaint();
            });
        }
        if self.shot.is_some() {
            ctx.request_repaint_after(Duration::from_millis(50));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Options;
    use crate::experiment::presets;

    #[test]
    fn a_hidden_window_asks_for_no_core() {
        let ctx = Context::default();
        let mut config = presets::by_name("dead-leaves").unwrap();
        config.data.patches = 500;
        config.dynamics.threads = 0;
        let mut app = App::new(&ctx, Options { config, full_speed: true, ..Options::default() }).unwrap();
        let mut waited = |hidden: bool| {
            let begin = Instant::now();
            let mut waited = Duration::ZERO;
            while waited.is_zero() && begin.elapsed() < Duration::from_secs(if hidden { 1 } else { 20 }) {
                if hidden {
                    let mut input = egui::RawInput::default();
                    input.viewports.entry(input.viewport_id).or_default().minimized = Some(true);
                    ctx.run_ui(input, |_| {}).textures_delta.clear();
                    app.begin_frame(&ctx);
                } else {
                    app.compute_frame(&ctx, begin.elapsed().as_secs_f64());
                }
                waited = app.waited[0];
            }
            waited
        };
        assert!(!waited(false).is_zero(), "one that is seen waits for its core");
        assert!(waited(true).is_zero(), "a hidden one does not");
    }
}
