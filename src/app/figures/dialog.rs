//! The dialog that says how a figure is to be written, with a picture of it.

use super::drawing::{Content, LaidOut};
use super::known::Known;
use super::{COLUMNS, FigureRequest, FigureSettings};
use crate::app::App;
use crate::app::actions::Action;
use crate::app::background::TaskResult;
use crate::app::error::WindowError;
use crate::app::paths::full_path;
use crate::app::state::ViewState;
use crate::app::views::ViewKind;
use crate::app::widgets::number_field::drag_value;
use crate::engine::Snapshot;
use crate::export::{FileError, ending, write_atomically};
use egui::{ColorImage, Context, Rect, ScrollArea, TextEdit, TextureHandle, TextureOptions, Ui, Window, pos2, vec2};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Dots and points of the preview's longer side.
const PREVIEW: f32 = 380.0;
/// What is saved where no figure is chosen.
const WHOLE: &str = "The whole view";
/// The endings that there are, and whether each is a picture.
const ENDINGS: [(&str, bool); 5] = [("png", true), ("svg", true), ("pdf", true), ("csv", false), ("npy", false)];
/// The ending of the file beside a figure.
const CAPTION: &str = "txt";

/// What the preview shows.
type Shown = (ViewKind, Option<String>, FigureSettings);

/// What is chosen and typed, and what of it was drawn.
#[derive(Default)]
pub(in crate::app) struct FigureDialog {
    open: Option<ViewKind>,
    figure: Option<String>,
    /// File names by view, as they were typed.
    names: HashMap<ViewKind, String>,
    pub(in crate::app) settings: FigureSettings,
    previewed: Option<Shown>,
    preview: Option<TextureHandle>,
    /// Figures that are to be drawn and written in the next frame.
    requests: Vec<FigureRequest>,
}

impl FigureDialog {
    /// Opens it for a view, or closes it where it is open for that one.
    pub(in crate::app) fn open(&mut self, kind: ViewKind) {
        self.open = (self.open != Some(kind)).then_some(kind);
        (self.figure, self.previewed, self.preview) = (None, None, None);
    }

    /// Has a figure drawn and written.
    pub(in crate::app) fn request(&mut self, request: FigureRequest) {
        self.requests.push(request);
    }

    /// Takes the picture in that the preview asked for.
    pub(in crate::app) fn take_preview(&mut self, ctx: &Context, image: ColorImage) {
        self.preview = Some(ctx.load_texture("figure", image, TextureOptions::LINEAR));
    }

    /// Draws it where it is open.
    fn ui(&mut self, ctx: &Context, known: &Known, actions: &mut Vec<Action>) {
        let Some(kind) = self.open else { return };
        self.figure.take_if(|name| known.figures.iter().all(|(figure, _)| figure != name));
        let mut is_open = true;
        Window::new(format!("Figure of {}", kind.title())).id(egui::Id::unique("figure")).open(&mut is_open).resizable(false).show(ctx, |ui| {
            let is_wide = ctx.content_rect().width() > 760.0;
            let room = (ctx.content_rect().height() - 120.0).max(160.0);
            ScrollArea::vertical().max_height(room).show(ui, |ui| {
                let layout = if is_wide { egui::Layout::left_to_right(egui::Align::Min) } else { egui::Layout::top_down(egui::Align::Min) };
                ui.with_layout(layout, |ui| {
                    ui.vertical(|ui| {
                        ui.set_width(300.0);
                        self.fields(ui, kind, known, actions);
                    });
                    if ENDINGS.iter().any(|(of, is_picture)| *is_picture && ending(&self.path(kind)) == *of) {
                        self.preview(ui);
                    }
                });
            });
        });
        if !is_open {
            self.open = None;
        }
    }

    fn path(&self, kind: ViewKind) -> PathBuf {
        PathBuf::from(self.names.get(&kind).map_or("", String::as_str).trim())
    }

    fn fields(&mut self, ui: &mut Ui, kind: ViewKind, known: &Known, actions: &mut Vec<Action>) {
        ui.radio_value(&mut self.figure, None, WHOLE);
        for (name, _) in &known.figures {
            ui.radio_value(&mut self.figure, Some(name.clone()), name);
        }
        let folder = self.settings.folder.clone();
        let name = self.names.entry(kind).or_insert_with(|| folder.join(format!("{}.png", kind.name())).display().to_string());
        ui.horizontal_wrapped(|ui| {
            for (ending, _) in ENDINGS {
                let chosen = name.ends_with(&format!(".{ending}"));
                if ui.selectable_label(chosen, ending.to_uppercase()).clicked() {
                    *name = PathBuf::from(&*name).with_extension(ending).display().to_string();
                }
            }
        });
        let label = ui.label("File");
        ui.add(TextEdit::singleline(name).desired_width(280.0)).labelled_by(label.id);
        let path = full_path(name, None);
        ui.weak(path.display().to_string());
        let of_path = ending(&path);
        if ENDINGS.iter().any(|(of, is_picture)| *is_picture && *of == of_path) {
            self.picture_fields(ui, &of_path);
        }
        if ui.button("Save to file").clicked() {
            if let Some(folder) = path.parent() {
                self.settings.folder = folder.to_path_buf();
            }
            actions.push(Action::SaveView(FigureRequest { kind, figure: self.figure.clone(), path }));
            self.open = None;
        }
    }

    /// What concerns pictures; what has no effect on this ending is left out.
    fn picture_fields(&mut self, ui: &mut Ui, ending: &str) {
        let settings = &mut self.settings;
        egui::Grid::new("figure settings").num_columns(2).show(ui, |ui| {
            number(ui, "Width", &mut settings.width_mm, 20.0..=500.0, " mm");
            ui.label("");
            ui.horizontal(|ui| {
                for (name, width) in COLUMNS {
                    if ui.small_button(name).on_hover_text(format!("{width} mm")).clicked() {
                        settings.width_mm = width;
                    }
                }
            });
            ui.end_row();
            let mut height = settings.width_mm * settings.ratio;
            let before = height;
            number(ui, "Height", &mut height, 10.0..=1000.0, " mm");
            if height != before {
                settings.ratio = height / settings.width_mm;
            }
            number(ui, "Letters", &mut settings.font_pt, 3.0..=40.0, " pt");
            number(ui, "Lines", &mut settings.line_width, 0.2..=8.0, " x");
            if ending == "png" {
                number(ui, "Resolution", &mut settings.dpi, 36.0..=1200.0, " dpi");
            }
        });
        ui.checkbox(&mut settings.dark, "Dark").on_hover_text("Light letters on a dark ground");
        if ending == "svg" {
            ui.checkbox(&mut settings.outlines, "Letters as outlines")
                .on_hover_text("They look the same wherever the file is opened; else they stay text, in a font that is found there");
        }
        ui.checkbox(&mut settings.caption, "Caption in a text file")
            .on_hover_text("What the figure shows, of which run, with seed, version and configuration, beside it under the same name");
    }

    fn preview(&self, ui: &mut Ui) {
        let (rect, _) = ui.allocate_exact_size(vec2(PREVIEW, PREVIEW), egui::Sense::hover());
        let Some(texture) = &self.preview else {
            ui.painter().text(rect.center(), egui::Align2::CENTER_CENTER, "...", egui::FontId::proportional(14.0), ui.visuals().text_color());
            return;
        };
        let size = texture.size_vec2();
        let place = Rect::from_center_size(rect.center(), size * (PREVIEW / size.max_elem()).min(1.0));
        ui.painter().image(texture.id(), place, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), egui::Color32::WHITE);
    }
}

fn number(ui: &mut Ui, name: &str, value: &mut f32, range: std::ops::RangeInclusive<f32>, unit: &str) {
    let label = ui.label(name);
    ui.add(drag_value(value).range(range).speed(0.25).max_decimals(1).suffix(unit)).labelled_by(label.id);
    ui.end_row();
}

/// The file beside a figure.
pub(in crate::app) fn caption_path(path: &Path) -> PathBuf {
    path.with_extension(CAPTION)
}

/// What a figure shows and how it came about.
fn caption(request: &FigureRequest, state: &ViewState, snapshot: &Snapshot) -> String {
    let config = &snapshot.config;
    let sizes: Vec<String> = config.model.layers.iter().map(|layer| layer.size.to_string()).collect();
    let mut text = String::new();
    let what = request.figure.as_deref().map_or_else(String::new, |figure| format!("{figure}, "));
    let _ = writeln!(text, "{what}{} of the run {} (preset {}).", request.kind.title(), snapshot.run, config.model.name);
    let _ = writeln!(
        text,
        "Layers of {} units; {} images learned, {:.2} s simulated at dt = {:.3} ms; n = {} networks; seed {}.",
        sizes.join(", "),
        snapshot.clock.images,
        snapshot.clock.time_ms / 1e3,
        snapshot.governor.dt_ms,
        config.stimulus.batch,
        config.dynamics.seed
    );
    if let Some(fits) = state.fits.as_ref().filter(|fits| fits.of.model == snapshot.model_id) {
        let (share, median) = fits.summary();
        let _ = writeln!(text, "{} filters, {:.0} % of them Gabor-like, median R^2 {median:.2}.", fits.gabors.len(), 100.0 * share);
    }
    let _ = writeln!(text, "heescope {}.\n\nConfiguration:\n\n{}", env!("CARGO_PKG_VERSION"), config.to_toml());
    text
}

impl App {
    /// The dialog, and the figures that were asked for: while the views show what they have shown in this frame.
    pub(in crate::app) fn figure_dialog(&mut self, ctx: &Context, actions: &mut Vec<Action>) {
        for request in std::mem::take(&mut self.figures.requests) {
            self.write_figure(&request);
        }
        let Some(kind) = self.figures.open else { return };
        let known = self.workspace.figures(kind);
        self.figures.ui(ctx, &known, actions);
        let shown = (kind, self.figures.figure.clone(), self.figures.settings.clone());
        let is_picture = ENDINGS.iter().any(|(of, is_picture)| *is_picture && ending(&self.figures.path(kind)) == *of);
        if is_picture && self.figures.previewed.as_ref() != Some(&shown) && !ctx.input(|i| i.pointer.any_down()) {
            let dpi = PREVIEW * 25.4 / self.figures.settings.width_mm.max(1.0);
            if let Some(laid_out) = self.lay_out(kind, self.figures.figure.clone(), dpi) {
                let picture = move || {
                    let picture = laid_out.picture()?;
                    let size = [picture.width() as usize, picture.height() as usize];
                    Some(TaskResult::Preview(ColorImage::from_rgb(size, picture.as_raw())))
                };
                self.in_background("preview", picture);
            }
            self.figures.previewed = Some(shown);
        }
    }

    fn lay_out(&mut self, kind: ViewKind, figure: Option<String>, dpi: f32) -> Option<LaidOut> {
        let content = figure.map_or(Content::View, Content::Figure);
        self.workspace.lay_out(kind, content, &self.figures.settings, dpi, &self.state)
    }

    /// Lays a figure out and has it written, with its caption where that was asked for.
    fn write_figure(&mut self, request: &FigureRequest) {
        let Some(laid_out) = self.lay_out(request.kind, request.figure.clone(), self.figures.settings.dpi) else {
            let text = format!("{} has no such figure now: open the view and choose again", request.kind.title());
            self.notifications.error(&text);
            return;
        };
        let Some(snapshot) = &self.state.latest else { return };
        let caption = self.figures.settings.caption.then(|| caption(request, &self.state, snapshot));
        let title = request.figure.clone().unwrap_or_else(|| request.kind.title().to_string());
        let path = request.path.clone();
        let write = move || -> Result<PathBuf, WindowError> {
            laid_out.write(&path, &title)?;
            if let Some(caption) = caption {
                write_atomically(&caption_path(&path), caption.as_bytes()).map_err(|error: FileError| WindowError::file(error))?;
            }
            Ok(path)
        };
        self.in_background("export", move || Some(TaskResult::Exported(write())));
    }
}
