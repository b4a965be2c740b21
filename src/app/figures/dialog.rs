//! The dialog that says how a figure is to be written, with a picture of it.

use super::drawing::{Layout, points_across};
use super::filter_fields::{ALL_FILTERS, colours, filter_fields};
use super::known::Known;
use super::{COLUMNS, FigureRequest, FigureSettings};
use crate::app::actions::{Action, ExportSettings};
use crate::app::paths::full_path;
use crate::app::theme;
use crate::app::views::ViewKind;
use crate::app::widgets::number_field::drag_value;
use crate::app::widgets::switch::Switches as _;
use crate::export::ending;
use egui::{ColorImage, Context, Rect, ScrollArea, TextEdit, TextureHandle, TextureOptions, Ui, Window, pos2, vec2};
use std::collections::HashMap;
use std::path::PathBuf;

/// Dots and points of the preview's longer side.
pub(in crate::app) const PREVIEW: f32 = 380.0;
/// What is saved where no figure is chosen.
const WHOLE: &str = "The whole view";
/// The endings that there are, and whether each is a picture.
const ENDINGS: [(&str, bool); 5] = [("png", true), ("svg", true), ("pdf", true), ("csv", false), ("npy", false)];

/// Points across that a view needs to be drawn in whole.
const WHOLE_VIEW: f32 = 600.0;

/// What the preview shows: a view, a figure of it, how it is written, and the number of the model.
type Shown = (ViewKind, Option<String>, FigureSettings, u64);

/// What is chosen and typed, and what of it was drawn.
#[derive(Default)]
pub(in crate::app) struct FigureDialog {
    open: Option<ViewKind>,
    figure: Option<String>,
    /// The filters weight by weight are chosen, in place of what is drawn.
    filters: bool,
    /// File names by view and figure, as they were typed.
    names: HashMap<(ViewKind, Option<String>), String>,
    pub(in crate::app) settings: FigureSettings,
    previewed: Option<Shown>,
    preview: Option<TextureHandle>,
    /// Figures that are to be drawn and written.
    requests: Vec<FigureRequest>,
    /// The figure that is being laid out, a pass a frame.
    pub(in crate::app) under_way: Option<UnderWay>,
}

/// A figure that is being laid out, and what for.
pub(in crate::app) struct UnderWay {
    pub(in crate::app) layout: Layout,
    pub(in crate::app) kind: ViewKind,
    /// The file that is asked for; None: the preview.
    pub(in crate::app) request: Option<FigureRequest>,
}

impl FigureDialog {
    /// Opens it for a view, or closes it where it is open for that one.
    pub(in crate::app) fn open(&mut self, kind: ViewKind) {
        self.open = (self.open != Some(kind)).then_some(kind);
        (self.figure, self.filters, self.previewed, self.preview) = (None, false, None, None);
    }

    /// Has a figure drawn and written.
    pub(in crate::app) fn request(&mut self, request: FigureRequest) {
        self.requests.push(request);
    }

    /// Takes the picture in that the preview asked for.
    pub(in crate::app) fn take_preview(&mut self, ctx: &Context, image: ColorImage) {
        self.preview = Some(ctx.load_texture("figure", image, TextureOptions::LINEAR));
    }

    /// The view that it is open for.
    pub(in crate::app) fn view(&self) -> Option<ViewKind> {
        self.open
    }

    /// The figure that was asked for first.
    pub(in crate::app) fn take_request(&mut self) -> Option<FigureRequest> {
        (!self.requests.is_empty()).then(|| self.requests.remove(0))
    }

    /// The view and the figure of it whose picture is to be shown, where another one is, or one of another model than this.
    pub(in crate::app) fn take_wanted_preview(&mut self, model_id: u64) -> Option<(ViewKind, Option<String>)> {
        let kind = self.open.filter(|kind| self.is_drawn(*kind))?;
        let shown = Some((kind, self.figure.clone(), self.settings.clone(), model_id));
        let is_new = self.previewed != shown;
        self.previewed = shown;
        is_new.then(|| (kind, self.figure.clone()))
    }

    /// Whether a picture of the view is chosen.
    fn is_drawn(&self, kind: ViewKind) -> bool {
        !self.filters && ENDINGS.iter().any(|(of, is_picture)| *is_picture && ending(&self.path(kind)) == *of)
    }

    /// Draws it where it is open. `export` says how filters are written weight by weight.
    pub(in crate::app) fn ui(&mut self, ctx: &Context, known: &Known, export: &ExportSettings, actions: &mut Vec<Action>) {
        let Some(kind) = self.open else { return };
        self.figure.take_if(|name| known.figures.iter().all(|(figure, _)| figure != name));
        let mut is_open = !ctx.input(|i| i.key_pressed(egui::Key::Escape));
        Window::new(format!("Figure of {}", kind.title()))
            .id(egui::Id::unique("figure"))
            .default_pos(ctx.content_rect().center_top() + vec2(-340.0, 60.0))
            .open(&mut is_open)
            .resizable(false)
            .show(ctx, |ui| {
                let is_wide = ctx.content_rect().width() > 760.0;
                let room = (ctx.content_rect().height() - 170.0).max(120.0);
                ScrollArea::vertical().max_height(room).show(ui, |ui| {
                    let layout =
                        if is_wide { egui::Layout::left_to_right(egui::Align::Min) } else { egui::Layout::top_down(egui::Align::Min) };
                    ui.with_layout(layout, |ui| {
                        ui.vertical(|ui| {
                            ui.set_width(300.0);
                            ui.set_min_height(PREVIEW); // the button below keeps its place whatever is chosen
                            self.fields(ui, kind, known, export, actions);
                        });
                        if self.is_drawn(kind) {
                            self.preview(ui);
                        }
                    });
                });
                ui.separator();
                let typed = if self.filters { &export.path } else { self.name(kind) };
                let path = full_path(typed, None);
                let button = ui.add_enabled(!typed.trim().is_empty(), egui::Button::new("Save to file"));
                if button.on_hover_text(path.display().to_string()).clicked() {
                    if self.filters {
                        actions.push(Action::Export);
                        return;
                    }
                    self.settings.folder = path.parent().map(PathBuf::from).unwrap_or_default();
                    actions.push(Action::SaveView(FigureRequest { kind, figure: self.figure.clone(), path }));
                }
            });
        if !is_open {
            self.open = None;
        }
    }

    fn path(&self, kind: ViewKind) -> PathBuf {
        PathBuf::from(self.name(kind).trim())
    }

    fn name(&self, kind: ViewKind) -> &str {
        self.names.get(&(kind, self.figure.clone())).map_or("", String::as_str)
    }

    fn fields(&mut self, ui: &mut Ui, kind: ViewKind, known: &Known, export: &ExportSettings, actions: &mut Vec<Action>) {
        let names = known.figures.iter().map(|(name, _)| Some(name));
        for name in std::iter::once(None).chain(names) {
            let chosen = !self.filters && self.figure.as_ref() == name;
            if ui.radio(chosen, name.map_or(WHOLE, String::as_str)).clicked() {
                (self.figure, self.filters) = (name.cloned(), false);
            }
        }
        if kind == ViewKind::ReceptiveFields && ui.radio(self.filters, ALL_FILTERS).clicked() {
            self.filters = true;
        }
        if self.filters {
            let mut settings = export.clone();
            filter_fields(ui, &mut settings, actions);
            if settings != *export {
                actions.push(Action::SetExport(settings));
            }
            return;
        }
        let folder = self.settings.folder.clone();
        let proposed = match &self.figure {
            Some(figure) => format!("{}-{}.png", kind.name(), slug(figure)),
            None => format!("{}.png", kind.name()),
        };
        let name = self.names.entry((kind, self.figure.clone())).or_insert_with(|| folder.join(proposed).display().to_string());
        ui.horizontal_wrapped(|ui| {
            for (ending, _) in ENDINGS {
                let chosen = name.ends_with(&format!(".{ending}"));
                if ui.switch(chosen, ending.to_uppercase()).clicked() {
                    *name = PathBuf::from(&*name).with_extension(ending).display().to_string();
                }
            }
        });
        let label = ui.label("File");
        ui.add(TextEdit::singleline(name).desired_width(280.0)).labelled_by(label.id);
        let path = full_path(name, None);
        // One line, however long it is: nothing below it moves while it is typed.
        let shown = path.display().to_string();
        ui.add(egui::Label::new(egui::RichText::new(&shown).weak()).truncate()).on_hover_text(shown);
        let of_path = ending(&path);
        if ENDINGS.iter().any(|(of, is_picture)| *is_picture && *of == of_path) {
            self.picture_fields(ui, &of_path, known);
        }
    }

    /// What concerns pictures; what has no effect on this ending is left out.
    fn picture_fields(&mut self, ui: &mut Ui, ending: &str, known: &Known) {
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
            if self.figure.is_some() || !known.is_as_high_as_it_is {
                let mut height = settings.width_mm * settings.ratio;
                let before = height;
                number(ui, "Height", &mut height, 10.0..=1000.0, " mm");
                if height != before {
                    settings.ratio = height / settings.width_mm;
                }
                let drawn = self.preview.as_ref().map(|texture| texture.size_vec2()).map(|size| settings.width_mm * size.y / size.x);
                // The row is there before it has something to say, so that nothing below it moves.
                ui.label("");
                match drawn.filter(|drawn| (drawn / height - 1.0).abs() > 0.03) {
                    Some(drawn) => ui
                        .weak(format!("drawn {drawn:.0} mm high"))
                        .on_hover_text("It has a shape of its own, or what it shows needs another height"),
                    None => ui.weak(" "),
                };
                ui.end_row();
            }
            if self.figure.is_none() {
                // The row keeps its room, as the one above does.
                ui.label("");
                let across = points_across(settings);
                if across < WHOLE_VIEW {
                    let needed = settings.width_mm * WHOLE_VIEW / across;
                    let text = format!("too narrow for these letters: {needed:.0} mm");
                    let tip = "A view that is narrower than in a small window loses what stands at its right: choose a wider figure, smaller letters, or one of its figures by itself";
                    ui.colored_label(theme::caution(ui.visuals().dark_mode), text).on_hover_text(tip);
                } else {
                    ui.weak(" ");
                }
                ui.end_row();
            }
            number(ui, "Letters", &mut settings.font_pt, 3.0..=40.0, " pt");
            number(ui, "Lines", &mut settings.line_width, 0.2..=8.0, " x");
            if ending == "png" {
                number(ui, "Resolution", &mut settings.dpi, 36.0..=1200.0, " dpi");
            }
        });
        colours(ui, &mut settings.colours);
        ui.checkbox(&mut settings.axis_names, "Names of the axes");
        if self.figure.is_some() {
            ui.checkbox(&mut settings.title, "Title and names of the lines");
        }
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
            ui.painter().text(
                rect.center(),
                egui::Align2::CENTER_CENTER,
                "...",
                egui::FontId::proportional(14.0),
                ui.visuals().text_color(),
            );
            return;
        };
        let size = texture.size_vec2();
        let place = Rect::from_center_size(rect.center(), size * (PREVIEW / size.max_elem()).min(1.0));
        ui.painter().image(texture.id(), place, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), egui::Color32::WHITE);
    }
}

/// A name of letters and digits for a file.
fn slug(name: &str) -> String {
    let words =
        name.to_lowercase().split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(String::from).collect::<Vec<_>>();
    words.join("-")
}

fn number(ui: &mut Ui, name: &str, value: &mut f32, range: std::ops::RangeInclusive<f32>, unit: &str) {
    let label = ui.label(name);
    ui.add(drag_value(value).range(range).speed(0.25).max_decimals(1).suffix(unit)).labelled_by(label.id);
    ui.end_row();
}
