//! Does what people ask for: commands to the engine, undo, exports, dialogs, shortcuts.

use super::App;
use crate::app::actions::{Action, ExportSettings, PathField};
use crate::app::background::TaskResult;
use crate::app::error::WindowError;
use crate::app::view_export::Drawn;
use crate::app::views::ViewKind;
use crate::app::widgets::picture;
use crate::engine::{Command, Pace};
use crate::export::filters::Format;
use crate::export::{check_ending, check_output, ending, save_png, write_atomically};
use crate::model::{Hierarchy, receptive_field};
use crate::studies::fits::{self, groups};
use egui::{ColorImage, Context, Key, Modifiers};
use std::path::{Path, PathBuf};

impl App {
    /// Does one thing that was asked for.
    pub(super) fn perform(&mut self, action: Action) {
        match action {
            Action::Send(command) => self.send(command),
            Action::Change { key, to, from } => {
                self.history.record(key, to, from);
                self.simulation.queue(Command::SetParameter { key, value: to });
            }
            Action::Watch(watch) => self.simulation.queue(Command::Watch(watch)),
            Action::ToggleSpeed => {
                let full = self.state.latest.as_ref().is_some_and(|s| s.clock.pace == Pace::Full);
                self.simulation.toggle_full_speed(full);
            }
            Action::SaveView { kind, figure, path } => self.save_view(kind, figure, path),
            Action::SetExport(settings) => self.state.export = settings,
            Action::Export => self.export_filters(),
            Action::Dialog(field) => self.open_dialog(field),
        }
    }

    fn send(&mut self, command: Command) {
        if matches!(command, Command::Run | Command::Reset | Command::Load(_)) {
            self.stop_reason = None;
        }
        if matches!(command, Command::Load(_) | Command::LoadModel(_) | Command::UseImages(_) | Command::Back) {
            // Values of another model are not to be brought back into this one.
            self.history.clear();
        }
        self.simulation.queue(command);
    }

    /// Writes the filters of the model shown as the settings say.
    fn export_filters(&mut self) {
        let settings = self.state.export.clone();
        let Some(snapshot) = self.state.latest.as_ref().filter(|s| !s.weights.is_empty()) else { return };
        match snapshot.model() {
            Ok(model) => self.in_background("export", move || Some(TaskResult::Exported(write_filters(&model, &settings)))),
            Err(error) => self.show_error(&WindowError::Model(error.to_string())),
        }
    }

    /// Has a path chosen; the answer goes into its field.
    fn open_dialog(&mut self, field: PathField) {
        let export = self.state.export.clone();
        self.in_background("dialog", move || choose_path(field, &export).map(|path| TaskResult::Chosen(field, path)));
    }

    /// Numbers are written at once; a picture when the view has been drawn again.
    fn save_view(&mut self, kind: ViewKind, figure: Option<String>, path: PathBuf) {
        match ending(&path).as_str() {
            "png" | "svg" => self.workspace.request_export(kind, figure, path),
            "csv" | "npy" => match self.workspace.table(kind, figure.as_deref(), &self.state) {
                Some(table) => {
                    let write = move || table.save(&path).map(|()| path).map_err(WindowError::file);
                    self.in_background("export", move || Some(TaskResult::Exported(write())));
                }
                None => self.notifications.error(&format!("{} holds no table now: save it as PNG or SVG", kind.title())),
            },
            _ => {
                let text = format!("{}: a name that ends in .png, .svg, .csv or .npy is needed", path.display());
                self.notifications.error(&text);
            }
        }
    }

    /// A view that was asked for and is drawn becomes a file once the screenshot of this frame has come.
    pub(super) fn save_drawn_view(&mut self, ui: &egui::Ui) {
        let Some((request, drawn)) = self.workspace.take_export() else { return };
        let Some(drawn) = drawn else {
            let text = format!("{} is not in sight: bring its tab to the front", request.kind.title());
            self.notifications.error(&text);
            return;
        };
        let (background, scale, path) = (ui.visuals().panel_fill, ui.ctx().pixels_per_point(), request.path);
        let reporter = self.background.reporter(ui.ctx());
        ui.ctx().request_screenshot(move |screenshot| {
            let written = write_picture(&path, &drawn, background, &screenshot, scale);
            reporter.report(TaskResult::Exported(written.map(|()| path)));
        });
    }

    fn in_background(&mut self, task: &'static str, work: impl FnOnce() -> Option<TaskResult> + Send + 'static) {
        if let Err(error) = self.background.spawn(task, work) {
            self.show_error(&error);
        }
    }

    /// Does what the keys pressed in this frame ask for.
    pub(super) fn shortcuts(&mut self, ctx: &Context) {
        if ctx.egui_wants_keyboard_input() {
            return;
        }
        let pressed = |modifiers: Modifiers, key| ctx.input_mut(|i| i.consume_key(modifiers, key));
        if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z)
            && let Some(parameter) = self.history.redo()
        {
            self.simulation.queue(parameter);
        }
        if pressed(Modifiers::COMMAND, Key::Z)
            && let Some(parameter) = self.history.undo()
        {
            self.simulation.queue(parameter);
        }
        if pressed(Modifiers::COMMAND, Key::E) {
            self.perform(Action::Export);
        }
        if pressed(Modifiers::NONE, Key::F1) {
            self.panels.help = !self.panels.help;
        }
        let running = self.state.latest.as_ref().is_some_and(|s| s.clock.running);
        for (key, action) in [
            (Key::Space, Action::Send(if running { Command::Pause } else { Command::Run })),
            (Key::S, Action::Send(Command::Step(1))),
            (Key::R, Action::Send(Command::Reset)),
            (Key::F, Action::ToggleSpeed),
        ] {
            if pressed(Modifiers::NONE, key) {
                self.perform(action);
            }
        }
    }
}

/// Writes the filters of a layer; of a layer that sets a scale the groups of filters that its units drive.
fn write_filters(model: &Hierarchy, settings: &ExportSettings) -> Result<PathBuf, WindowError> {
    let ExportSettings { path, format, scale, zoom, layer, outlines } = settings;
    let path = PathBuf::from(path.trim());
    if let Some(ending) = format.ending() {
        check_ending(&path, ending).and_then(|()| check_output(&path)).map_err(WindowError::file)?; // before filters are fitted
    }
    let written = if groups::sets_scale(model, *layer) {
        groups::save(&path, model, *layer, *format)
    } else {
        let pixels = receptive_field::filters(model, *layer, None);
        fits::save(&path, pixels.view(), model.image_shape(), *format, *scale, *zoom, *outlines)
    };
    written.map(|()| path).map_err(WindowError::file)
}

/// Asks for a path in a dialog of the desktop; None where it was closed without one.
fn choose_path(field: PathField, export: &ExportSettings) -> Option<PathBuf> {
    let dialog = rfd::FileDialog::new();
    match field {
        PathField::Images => dialog.pick_folder(),
        PathField::ImageFile => dialog
            .add_filter("images", &["png", "jpg", "jpeg", "tif", "tiff", "webp", "bmp", "npz", "npy", "gz", "idx3-ubyte", "idx", "bin"])
            .add_filter("every file", &["*"]) // MNIST's names have no ending
            .pick_file(),
        PathField::Open => dialog.add_filter("model", &["npz"]).pick_file(),
        PathField::Export if export.format == Format::EachPng => dialog.pick_folder(),
        PathField::Export => dialog.set_file_name(&export.path).save_file(),
    }
}

/// Writes what was drawn: an SVG of its shapes, or the part of the screenshot where it stands.
fn write_picture(path: &Path, drawn: &Drawn, background: egui::Color32, screenshot: &ColorImage, scale: f32) -> Result<(), WindowError> {
    if ending(path) == "svg" {
        let text = picture::svg(&drawn.shapes, drawn.rect, background, screenshot, scale);
        return write_atomically(path, text.as_bytes()).map_err(WindowError::file);
    }
    let cut = picture::crop(screenshot, drawn.rect, scale).ok_or(WindowError::EmptyPicture)?;
    save_png(path, &cut).map_err(WindowError::file)
}
