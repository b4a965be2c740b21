//! Does what people ask for: commands to the engine, undo, exports, dialogs, shortcuts.

use super::{App, Background, Edit};
use crate::app::actions::{Action, ExportSettings, Field};
use crate::app::views::Kind;
use crate::app::widgets::picture;
use crate::engine::{Command, Pace};
use crate::export::filters;
use crate::model::receptive_field;
use crate::studies::fits::{self, groups};
use anyhow::Context as _;
use egui::{Context, Key, Modifiers};
use std::path::PathBuf;

/// Changes that can be undone at most.
const UNDO: usize = 200;

impl App {
    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Send(command) => {
                if matches!(command, Command::Run | Command::Reset | Command::Load(_)) {
                    self.halted = None;
                }
                if matches!(command, Command::Load(_) | Command::LoadModel(_) | Command::UseImages(_) | Command::Back) {
                    // Values of another model are not to be brought back into this one.
                    self.undo.clear();
                    self.redo.clear();
                }
                self.queue(command);
            }
            Action::Change { to, from } => {
                let gesture = self.gesture;
                let same = |last: &&mut Edit| last.gesture == gesture && std::mem::discriminant(&last.to) == std::mem::discriminant(&to);
                match self.undo.last_mut().filter(same) {
                    Some(last) => last.to = to,
                    None => self.undo.push(Edit { to, from, gesture }),
                }
                if self.undo.len() > UNDO {
                    self.undo.remove(0);
                }
                self.redo.clear();
                self.pending.push_back(Command::SetParameter(to));
            }
            Action::Watch(watch) => self.pending.push_back(Command::Watch(watch)),
            Action::ToggleSpeed => {
                let full = self.state.latest.as_ref().is_some_and(|s| s.clock.pace == Pace::Full);
                self.pending.push_back(Command::SetPace(if full { self.slow } else { Pace::Full }));
            }
            Action::SaveView { kind, figure, path } => self.save_view(kind, figure, path),
            Action::SetExport(settings) => self.state.export = settings,
            Action::Export => {
                let ExportSettings { path, format, scale, zoom, layer, outlines } = self.state.export.clone();
                let path = PathBuf::from(path.trim());
                let Some(snapshot) = self.state.latest.as_ref().filter(|s| !s.weights.is_empty()) else { return };
                let model = match snapshot.model() {
                    Ok(model) => model,
                    Err(error) => {
                        self.complain(&error.to_string());
                        return;
                    }
                };
                let job = move || {
                    let written = if groups::sets_scale(&model, layer) {
                        groups::save(&path, &model, layer, format)
                    } else {
                        let pixels = receptive_field::filters(&model, layer, None);
                        fits::save(&path, pixels.view(), format, scale, zoom, outlines)
                    };
                    Some(Background::Exported(written.map(|()| path).map_err(Into::into)))
                };
                self.in_background("export", job);
            }
            Action::Dialog(field) => {
                let export = self.state.export.clone();
                let job = move || {
                    let dialog = rfd::FileDialog::new();
                    let chosen = match field {
                        Field::Images => dialog.pick_folder(),
                        Field::ImageFile => dialog
                            .add_filter("images", &["png", "jpg", "jpeg", "npz", "npy", "gz", "idx3-ubyte", "idx", "bin"])
                            .add_filter("every file", &["*"]) // MNIST's names have no ending
                            .pick_file(),
                        Field::Open => dialog.add_filter("model", &["npz"]).pick_file(),
                        Field::Save => dialog.set_file_name("model.npz").save_file(),
                        Field::Export if export.format == filters::Format::EachPng => dialog.pick_folder(),
                        Field::Export => dialog.set_file_name(&export.path).save_file(),
                    };
                    chosen.map(|path| Background::Chosen(field, path))
                };
                self.in_background("dialog", job);
            }
        }
    }

    /// Queues a command. Of stimuli and masks that wait in a row the latest of each kind counts, so that a fast drag never piles up.
    fn queue(&mut self, command: Command) {
        let replaceable = |c: &Command| matches!(c, Command::SetStimulus(_) | Command::FreePixels(_));
        let same = |c: &Command| std::mem::discriminant(c) == std::mem::discriminant(&command);
        let waiting = self.pending.iter_mut().rev().take_while(|c| replaceable(c));
        match waiting.into_iter().find(|c| replaceable(&command) && same(c)) {
            Some(older) => *older = command,
            None => self.pending.push_back(command),
        }
    }

    /// Numbers are written at once; a picture when the view has been drawn again.
    fn save_view(&mut self, kind: Kind, figure: Option<String>, path: PathBuf) {
        match path.extension().and_then(|e| e.to_str()) {
            Some("png" | "svg") => self.saving.wanted = Some((kind, figure, path)),
            Some("csv" | "npy") => {
                let table = self.state.latest.as_ref().zip(self.views.get(kind.title())).and_then(|(snapshot, view)| {
                    let own = figure.and_then(|figure| view.figure_table(&figure, &self.state, snapshot));
                    own.or_else(|| view.table(&self.state, snapshot))
                });
                match table {
                    Some(table) => self.in_background("export", move || Some(Background::Exported(table.save(&path).map(|()| path)))),
                    None => self.complain(&format!("{} holds no table now: save it as PNG or SVG", kind.title())),
                }
            }
            _ => self.complain(&format!("{}: a name that ends in .png, .svg, .csv or .npy is needed", path.display())),
        }
    }

    /// A view that was asked for and is drawn becomes a file once the screenshot of this frame has come.
    pub(super) fn save_drawn(&mut self, ui: &egui::Ui) {
        let Some((kind, _, path)) = self.saving.wanted.take() else { return };
        let Some((rect, shapes)) = self.saving.drawn.take() else {
            self.complain(&format!("{} is not in sight: bring its tab to the front", kind.title()));
            return;
        };
        let (background, scale, waker) = (ui.visuals().panel_fill, ui.ctx().pixels_per_point(), ui.ctx().clone());
        let sender = self.background.0.clone();
        ui.ctx().request_screenshot(move |screenshot| {
            let written = match path.extension().and_then(|e| e.to_str()) {
                Some("svg") => {
                    let text = picture::svg(&shapes, rect, background, &screenshot, scale);
                    crate::export::write_atomically(&path, text.as_bytes())
                }
                _ => picture::crop(&screenshot, rect, scale)
                    .context("an empty picture")
                    .and_then(|picture| crate::export::save_png(&path, &picture)),
            };
            let _ = sender.try_send(Background::Exported(written.map(|()| path))); // 16 unread results: the window is gone
            waker.request_repaint();
        });
    }

    fn in_background(&mut self, name: &str, job: impl FnOnce() -> Option<Background> + Send + 'static) {
        let sender = self.background.0.clone();
        let body = move || {
            if let Some(done) = job() {
                let _ = sender.try_send(done); // 16 unread results: the window is gone
            }
        };
        if let Err(error) = std::thread::Builder::new().name(name.into()).spawn(body) {
            self.complain(&format!("cannot start the {name}: {error}"));
        }
    }

    pub(super) fn shortcuts(&mut self, ctx: &Context) {
        if ctx.egui_wants_keyboard_input() {
            return;
        }
        let pressed = |modifiers: Modifiers, key| ctx.input_mut(|i| i.consume_key(modifiers, key));
        if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)
            && let Some(edit) = self.redo.pop()
        {
            self.pending.push_back(Command::SetParameter(edit.to));
            self.undo.push(edit);
        }
        if pressed(Modifiers::COMMAND, Key::Z)
            && let Some(edit) = self.undo.pop()
        {
            self.pending.push_back(Command::SetParameter(edit.from));
            self.redo.push(edit);
        }
        if pressed(Modifiers::COMMAND, Key::E) {
            self.act(Action::Export);
        }
        if pressed(Modifiers::NONE, Key::F1) {
            self.help = !self.help;
        }
        let running = self.state.latest.as_ref().is_some_and(|s| s.clock.running);
        for (key, action) in [
            (Key::Space, Action::Send(if running { Command::Pause } else { Command::Run })),
            (Key::S, Action::Send(Command::Step(1))),
            (Key::R, Action::Send(Command::Reset)),
            (Key::F, Action::ToggleSpeed),
        ] {
            if pressed(Modifiers::NONE, key) {
                self.act(action);
            }
        }
    }
}
