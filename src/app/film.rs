//! A film of a view: the frames of a recording, each drawn anew at the size of the film, without a display.

use crate::app::gabor_fitter::{FitPriority, FitsInTurn};
use crate::app::rasteriser::Rasteriser;
use crate::app::state::ViewState;
use crate::app::views::{View, ViewKind, registry};
use crate::app::widgets::{figure, whole_frame};
use crate::engine::Snapshot;
use crate::engine::recording::RecordedRun;
use crate::export::FileError;
use crate::export::film::{FilmFormat, FilmWriter};
use egui::{Align, CentralPanel, Context, Layout, Pos2, RawInput, Rect, Theme, Ui, Vec2};
use image::RgbImage;
use std::path::Path;

/// Pixels of a side.
const SIDES: std::ops::RangeInclusive<u16> = 64..=4096;
/// Pixels a point.
const SCALES: std::ops::RangeInclusive<f32> = 0.5..=8.0;
/// The size in points at which everything has the room that it is made for; larger films have larger letters.
const ROOM: [f32; 2] = [1280.0, 720.0];
/// How often a frame is laid out before it is drawn: places depend on what stood where before. The first needs more.
const LAYOUTS: usize = 2;
const FIRST_LAYOUTS: usize = 4;
/// The longest side of a texture.
const TEXTURE_SIDE: usize = 8192;
/// Between two passes of fits, s of the recording; and passes at most before the film begins.
const FITS_INTERVAL: f64 = 1.0;
const FITS_BEFORE: f64 = 60.0;

/// What a film shows and how.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmSettings {
    /// The view.
    pub view: ViewKind,
    /// Where in the recording it begins, s.
    pub from: f64,
    /// Where it ends, s; None: where the recording does.
    pub to: Option<f64>,
    /// Frames a second.
    pub rate: f64,
    /// Width and height, pixels.
    pub size: [u16; 2],
    /// Pixels a point; None: as many as make letters legible at this size.
    pub scale: Option<f32>,
    /// Light letters on a dark ground, or dark ones on a light ground.
    pub dark: bool,
}

impl Default for FilmSettings {
    fn default() -> Self {
        Self { view: ViewKind::ReceptiveFields, from: 0.0, to: None, rate: 25.0, size: [960, 600], scale: None, dark: false }
    }
}

impl FilmSettings {
    /// Pixels a point.
    fn scale(&self) -> f32 {
        let [width, height] = self.size.map(f32::from);
        self.scale.unwrap_or((width / ROOM[0]).min(height / ROOM[1]).max(1.0))
    }

    /// An error where rate, size or scale cannot be those of a film in this format.
    fn check(&self, format: FilmFormat) -> Result<(), FileError> {
        let [slowest, fastest] = format.rates();
        if !(slowest..=fastest).contains(&self.rate) {
            let range = if format == FilmFormat::Gif { "0.5 to 50 frames a second in a GIF" } else { "0.5 to 60 frames a second" };
            return Err(FileError::OutOfRange { key: "rate", value: self.rate.to_string(), range });
        }
        if !self.size.iter().all(|side| SIDES.contains(side)) {
            let [width, height] = self.size;
            return Err(FileError::OutOfRange { key: "size", value: format!("{width}x{height}"), range: "64 to 4096 pixels a side" });
        }
        match self.scale.filter(|scale| !SCALES.contains(scale)) {
            Some(scale) => Err(FileError::OutOfRange { key: "scale", value: scale.to_string(), range: "0.5 to 8 pixels a point" }),
            None => Ok(()),
        }
    }

    /// Where the film ends, s. A recording that was to last for ten seconds ends with its last snapshot, a little earlier: up to the next
    /// whole second that snapshot stays.
    fn end(&self, path: &Path, seconds: f64) -> Result<f64, FileError> {
        let to = self.to.unwrap_or(seconds);
        let is_within = self.from >= 0.0 && (self.from < to || self.to.is_none() && self.from == to) && to <= seconds.ceil();
        if is_within {
            return Ok(to);
        }
        let problem = format!("from {} to {to} s is no part of it: it is {seconds:.3} seconds long", self.from);
        Err(FileError::content(path, problem))
    }
}

/// Writes a film of the recording in `recording` under `path`, whose ending tells the format. `goes_on` is told how many frames are done
/// and how many there are in all, and asked whether to go on. Answers whether the film was written to its end: one that was stopped or has
/// failed leaves nothing behind. Errors name the file or the setting.
pub fn write_film(
    recording: &Path,
    path: &Path,
    settings: &FilmSettings,
    goes_on: &mut dyn FnMut(usize, usize) -> bool,
) -> Result<bool, FileError> {
    settings.check(FilmFormat::of(path)?)?;
    let mut run = RecordedRun::open(recording)?;
    let to = settings.end(recording, run.seconds())?;
    let frames = (((to - settings.from) * settings.rate).round() as usize).max(1);
    let mut writer = FilmWriter::create(path, settings.size, settings.rate)?;
    let mut drawing = ViewDrawing::new(settings);
    let mut shown = 0;
    for frame in 0..frames {
        let seconds = settings.from + frame as f64 / settings.rate;
        let until = run.shown_by(seconds).max(1);
        for number in shown..until {
            if !goes_on(frame, frames) {
                return Ok(false);
            }
            let at = run.moment(number);
            if let Some(snapshot) = run.read(number..number + 1)? {
                drawing.absorb(at, snapshot);
            }
        }
        shown = shown.max(until);
        if !goes_on(frame, frames) {
            return Ok(false);
        }
        match writer.add(drawing.draw(seconds)) {
            // What ends this program may have ended the one that writes.
            Err(_) if !goes_on(frame, frames) => return Ok(false),
            added => added?,
        }
    }
    goes_on(frames, frames);
    writer.finish().map(|()| true)
}

/// A view and what it has been shown, drawn at a size of its own.
struct ViewDrawing<'a> {
    settings: &'a FilmSettings,
    ctx: Context,
    view: Box<dyn View>,
    state: ViewState,
    rasteriser: Rasteriser,
    fits: FitsInTurn,
    /// When filters were fitted last, s of the recording.
    fitted: Option<f64>,
    is_first: bool,
}

impl<'a> ViewDrawing<'a> {
    fn new(settings: &'a FilmSettings) -> Self {
        let ctx = Context::default();
        ctx.set_theme(if settings.dark { Theme::Dark } else { Theme::Light });
        whole_frame::ask(&ctx);
        Self {
            settings,
            ctx,
            view: registry::create(settings.view),
            state: ViewState::default(),
            rasteriser: Rasteriser::default(),
            fits: FitsInTurn::default(),
            fitted: None,
            is_first: true,
        }
    }

    /// Takes in a snapshot that was shown at this moment, s.
    fn absorb(&mut self, seconds: f64, mut snapshot: Snapshot) {
        snapshot.state.clock.running = true; // as in a window that replays it
        self.state.absorb(Box::new(snapshot));
        let is_early = seconds < self.settings.from;
        let pause = if is_early { FITS_INTERVAL.max(self.settings.from / FITS_BEFORE) } else { FITS_INTERVAL };
        let is_due = self.fitted.is_none_or(|at| seconds - at >= pause);
        let Some(latest) = self.state.latest.as_ref().filter(|_| is_due && self.view.fit_priority() == FitPriority::Visible) else { return };
        if self.state.fits.as_ref().is_none_or(|fits| fits.stale(latest)) {
            self.fitted = Some(seconds);
            let fits = self.fits.fit(latest);
            fits.into_iter().for_each(|fits| self.state.take_fits(fits));
        }
    }

    /// The picture at this moment, s.
    fn draw(&mut self, seconds: f64) -> RgbImage {
        let (scale, size) = (self.settings.scale(), self.settings.size.map(u32::from));
        let points = Vec2::from(self.settings.size.map(f32::from)) / scale;
        let layouts = if std::mem::take(&mut self.is_first) { FIRST_LAYOUTS } else { LAYOUTS };
        let mut picture = RgbImage::new(size[0], size[1]);
        for layout in 1..=layouts {
            let mut input = RawInput {
                screen_rect: Some(Rect::from_min_size(Pos2::ZERO, points)),
                time: Some(seconds),
                max_texture_side: Some(TEXTURE_SIDE),
                focused: false,
                ..RawInput::default()
            };
            input.viewports.entry(input.viewport_id).or_default().native_pixels_per_point = Some(scale);
            let Self { ctx, view, state, settings, rasteriser, .. } = self;
            let mut output = ctx.run_ui(input, |ui| {
                CentralPanel::default().show(ui, |ui| frame(ui, settings.view, view.as_mut(), state));
            });
            figure::take(ctx);
            rasteriser.set_textures(&mut output.textures_delta);
            if layout == layouts {
                let background = ctx.global_style().visuals.panel_fill;
                let triangles = ctx.tessellate(output.shapes, output.pixels_per_point);
                picture = rasteriser.draw(&triangles, size, output.pixels_per_point, background);
            }
            rasteriser.free(&mut output.textures_delta);
        }
        picture
    }
}

/// A view under its title, with the moment of the run.
fn frame(ui: &mut Ui, kind: ViewKind, view: &mut dyn View, state: &ViewState) {
    let Some(snapshot) = &state.latest else { return };
    ui.horizontal(|ui| {
        ui.heading(kind.title());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let (name, clock) = (&snapshot.config.model.name, &snapshot.clock);
            ui.weak(format!("{name}, {:.1} s simulated, {} images", clock.time_ms / 1e3, clock.images));
        });
    });
    view.ui(ui, state, snapshot, &mut Vec::new());
}
