//! The window in which one's own images are looked at before anything is learned from them.

use crate::app::actions::{Action, PathField};
use crate::app::paths::full_path;
use crate::app::theme;
use crate::app::widgets::number_field::drag_value;
use crate::app::widgets::path_field::{IMAGES, path_field};
use crate::data::{DataError, ImagePreview, ImagesReport, MOST_FILES, PictureSize, PreviewRequest, Progress, patches};
use crate::engine::{BackgroundJob, Command, JobContext};
use crate::experiment::Config;
use crate::export::mosaic::{Colours, Layout, Scale, render};
use crossbeam_channel::Receiver;
use egui::{Button, ColorImage, Context, ProgressBar, TextureHandle, TextureOptions, Ui, Window, vec2};
use ndarray::{Array2, ArrayView2, s};
use std::sync::Arc;
use std::time::Duration;

/// Patches that are shown.
const PATCHES: usize = 64;
/// Points between the border of a picture and that of a patch that is cut from it.
const BORDER: usize = 4;
/// Sides to which pictures can be reduced.
const SIDES: std::ops::RangeInclusive<usize> = 64..=2048;
/// Points of the longer side of the pictures and of the patches.
const SHEET: f32 = 250.0;
/// Between two looks at how far the reading is.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Looks at what it is asked for; the answer says what that was.
type PreviewJob = BackgroundJob<PreviewRequest, (PreviewRequest, Result<ImagePreview, DataError>)>;

/// What is chosen, and what was seen of it.
#[derive(Default)]
pub(super) struct OwnImages {
    is_open: bool,
    /// Pixels of the longer side to which pictures are reduced, and whether they are whitened; None: as the configuration has it.
    longest_side: Option<usize>,
    whitening: Option<bool>,
    job: Option<PreviewJob>,
    progress: Arc<Progress>,
    asked: Option<PreviewRequest>,
    seen: Option<Seen>,
}

/// What was seen, and pictures of it.
struct Seen {
    request: PreviewRequest,
    outcome: Result<(ImagesReport, usize), DataError>,
    pictures: Option<TextureHandle>,
    patches: Option<TextureHandle>,
}

impl Drop for OwnImages {
    fn drop(&mut self) {
        self.progress.cancel();
    }
}

/// Reads on a thread of its own; None where the system gives none.
fn start(progress: Arc<Progress>) -> Option<PreviewJob> {
    let body = move |requests: Receiver<PreviewRequest>, job: &JobContext<_>| {
        for request in requests {
            progress.clear();
            let found = request.preview(&progress);
            progress.clear();
            job.report((request, found));
        }
    };
    BackgroundJob::spawn("own images", 1, 4, body).ok()
}

impl OwnImages {
    /// Opens it.
    pub(super) fn open(&mut self) {
        self.is_open = true;
        self.asked = None; // files may have changed
    }

    /// Draws it where it is open. `path` is that of the images.
    pub(super) fn ui(&mut self, ctx: &Context, path: &mut String, config: &Config, actions: &mut Vec<Action>) {
        if !self.is_open {
            return;
        }
        let mut is_open = true;
        let room = ctx.content_rect().size() - vec2(40.0, 150.0);
        Window::new("Your images")
            .id(egui::Id::unique("own images"))
            .default_pos(ctx.content_rect().center_top() + vec2(-290.0, 50.0))
            .open(&mut is_open)
            .resizable(false)
            .show(ctx, |ui| {
                ui.set_width(room.x.clamp(200.0, 2.0 * SHEET + 24.0));
                let has_path = !path.trim().is_empty();
                egui::ScrollArea::vertical().max_height(room.y.max(120.0)).show(ui, |ui| {
                    self.choices(ui, path, config, actions);
                    if has_path {
                        self.ask(ctx, &self.request(path, config));
                        self.found(ui);
                    }
                });
                if has_path {
                    self.learn(ui, path, config, actions);
                }
            });
        self.is_open &= is_open;
        if !self.is_open {
            self.progress.cancel();
        }
    }

    /// The configuration that would learn from them.
    fn config(&self, path: &str, config: &Config) -> Config {
        let mut config = config.clone();
        config.use_images(vec![full_path(path, None)]);
        config.data.longest_side = self.longest_side.unwrap_or(config.data.longest_side);
        config.data.whitening = self.whitening.unwrap_or(config.data.whitening);
        config
    }

    fn request(&self, path: &str, config: &Config) -> PreviewRequest {
        let Config { data, model, dynamics, .. } = self.config(path, config);
        let observed = model.layers.first().map_or(0, |layer| layer.size);
        let contrast_normalisation = data.contrast_normalisation;
        PreviewRequest {
            source: data.source,
            preparation: data.preparation(),
            patches: patches::Settings { side: data.patch, count: PATCHES, border: BORDER, contrast_normalisation },
            paths: data.paths,
            size: PictureSize::Usually(observed),
            seed: dynamics.seed,
        }
    }

    /// Where the images are, and what becomes of them.
    fn choices(&mut self, ui: &mut Ui, path: &mut String, config: &Config, actions: &mut Vec<Action>) {
        ui.horizontal_wrapped(|ui| {
            let label = ui.label("Images");
            if path_field(ui, &label, IMAGES, path) {
                self.asked = None;
            }
            for (text, field) in [("File", PathField::ImageFile), ("Folder", PathField::Images)] {
                if ui.button(text).clicked() {
                    actions.push(Action::Dialog(field));
                }
            }
            let again = ui.add_enabled(self.seen.is_some(), Button::new("Look again"));
            if again.on_hover_text("Reads the files once more: they may have changed").clicked() {
                self.asked = None;
            }
        });
        if config.data.source.is_whole() {
            ui.weak("Whole images: the model takes their size where it can.");
            return;
        }
        let side = config.data.patch;
        ui.weak(format!("Patches of {side} x {side} pixels are cut from them."));
        let now = self.config(path, config).data;
        ui.horizontal(|ui| {
            let label = ui.label("Reduce to");
            let mut longest = if now.longest_side == 0 { *SIDES.end() } else { now.longest_side };
            let field = ui.add(drag_value(&mut longest).range(SIDES).suffix(" pixels")).labelled_by(label.id);
            let tip = "Along the longer side. A photograph of thousands of pixels is smooth at the size of a patch: hardly any Gabor filters are learned from it";
            if field.on_hover_text(tip).changed() {
                self.longest_side = Some(longest);
            }
            let mut whitening = now.whitening;
            let tip = "Flattens the spectrum of each picture before patches are cut, as the retina does; else only mean and variance are set";
            if ui.checkbox(&mut whitening, "Whiten").on_hover_text(tip).changed() {
                self.whitening = Some(whitening);
            }
        });
    }

    /// Has it looked at, where that was not asked for yet, and takes what was seen.
    fn ask(&mut self, ctx: &Context, request: &PreviewRequest) {
        if self.job.is_none() {
            self.job = start(self.progress.clone());
        }
        let Some(job) = &self.job else { return };
        let reports: Vec<_> = job.reports().collect();
        for (of, found) in reports.into_iter().filter(|(of, found)| of == request && *found != Err(DataError::Cancelled)) {
            self.seen = Some(Seen::new(ctx, of, found));
        }
        // Not while a path is being typed or a number dragged: the beginning of a path may be a folder of everything.
        let is_chosen = !ctx.egui_wants_keyboard_input() && !ctx.input(|i| i.pointer.any_down());
        if self.asked.as_ref() != Some(request) && is_chosen {
            self.progress.cancel(); // of what was asked for before
            if job.submit(request.clone()) {
                self.asked = Some(request.clone());
                self.seen = None;
            }
        }
        if self.seen.as_ref().is_none_or(|seen| seen.request != *request) {
            ctx.request_repaint_after(PROGRESS_INTERVAL);
        }
    }

    fn found(&self, ui: &mut Ui) {
        let Some(seen) = &self.seen else {
            let (what, done, total) = self.progress.state().unwrap_or(("reading images", 0, 0));
            ui.add(ProgressBar::new(done as f32 / total.max(1) as f32).text(format!("{what}: {done} of {total}")));
            return;
        };
        let (report, files) = match &seen.outcome {
            Ok(found) => found,
            Err(error) => {
                ui.colored_label(theme::alarm(ui.visuals().dark_mode), error.to_string());
                return;
            }
        };
        if seen.patches.is_some() && *files > MOST_FILES {
            ui.weak(format!("The first {MOST_FILES} of {files} files are looked at here; all are read for learning."));
        }
        list(ui, report);
        let is_wide = ui.available_width() > 2.0 * SHEET;
        let layout = if is_wide { egui::Layout::left_to_right(egui::Align::Min) } else { egui::Layout::top_down(egui::Align::Min) };
        ui.with_layout(layout, |ui| {
            let sheet = |ui: &mut Ui, title: &str, texture: &Option<TextureHandle>| {
                let Some(texture) = texture else { return };
                ui.vertical(|ui| {
                    ui.weak(title);
                    let size = texture.size_vec2();
                    let shown = egui::Image::new((texture.id(), size * (SHEET / size.max_elem())));
                    ui.add(shown.alt_text(title));
                });
            };
            sheet(ui, "Pictures", &seen.pictures);
            sheet(ui, "Patches, as they are learned", &seen.patches);
        });
    }

    fn learn(&mut self, ui: &mut Ui, path: &str, config: &Config, actions: &mut Vec<Action>) {
        let is_usable = self.seen.as_ref().is_some_and(|seen| seen.outcome.is_ok());
        let button = Button::new(egui::RichText::new("Learn from them").strong());
        if ui.add_enabled(is_usable, button).on_hover_text("Begins a run of its own; the present one stays in the list").clicked() {
            let commands = [Command::Load(Box::new(self.config(path, config))), Command::Run];
            actions.extend(commands.map(Action::Send));
            self.is_open = false;
        }
    }
}

impl Seen {
    fn new(ctx: &Context, request: PreviewRequest, found: Result<ImagePreview, DataError>) -> Self {
        let dark = ctx.theme() == egui::Theme::Dark;
        let load = |name: &str, image: ColorImage| ctx.load_texture(name, image, TextureOptions::NEAREST);
        let (mut pictures, mut patches) = (None, None);
        let outcome = found.map(|look| {
            pictures = Some(load("own pictures", contact_sheet(&look.pictures, dark)));
            patches = (!look.patches.is_empty()).then(|| load("own patches", patch_sheet(look.patches.view(), request.patches.side, dark)));
            (look.report, look.files)
        });
        Self { request, outcome, pictures, patches }
    }
}

/// How many images are used, and a list of the others that stays.
pub(super) fn list(ui: &mut Ui, report: &ImagesReport) {
    if report.lines().next().is_none() {
        ui.weak(report.summary());
        return;
    }
    egui::CollapsingHeader::new(report.summary()).id_salt("images").show(ui, |ui| {
        egui::ScrollArea::vertical().id_salt("images left out").max_height(160.0).show(ui, |ui| {
            report.lines().for_each(|line| drop(ui.small(line)));
        });
    });
}

/// Pictures of any size side by side, in a square of cells.
fn contact_sheet(pictures: &[Array2<f32>], dark: bool) -> ColorImage {
    let columns = ((pictures.len() as f64).sqrt().ceil() as usize).max(1);
    let side = |axis: usize| pictures.iter().map(|picture| picture.shape()[axis]).max().unwrap_or(1) + 2;
    let [tall, wide] = [side(0), side(1)];
    let size = [columns * wide, pictures.len().div_ceil(columns).max(1) * tall];
    let mut sheet = ColorImage::filled(size, egui::Color32::from_gray(if dark { 30 } else { 225 }));
    for (i, picture) in pictures.iter().enumerate() {
        let (rows, across) = picture.dim();
        let corner = [i / columns * tall + (tall - rows) / 2, i % columns * wide + (wide - across) / 2];
        for ((row, column), value) in picture.indexed_iter() {
            let grey = egui::Color32::from_gray((value.clamp(0.0, 1.0) * 255.0).round() as u8);
            sheet.pixels[(corner[0] + row) * size[0] + corner[1] + column] = grey;
        }
    }
    sheet
}

/// Patches, `[count, side^2]`, as the filters are drawn that are learned from them.
fn patch_sheet(patches: ArrayView2<f32>, side: usize, dark: bool) -> ColorImage {
    let count = patches.nrows().min(PATCHES);
    let layout = Layout::new(count, [side; 2], 1);
    let shown = patches.slice(s![..count, ..]);
    let picture = render(shown.t(), &Vec::from_iter(0..count), layout, Scale::PerFilter, Colours::usual(dark));
    ColorImage::from_rgb([picture.width() as usize, picture.height() as usize], picture.as_raw())
}
