//! A film of a view: the frames of a recording, each drawn anew at the size of the film, without a display.

use crate::app::film_settings::{FilmRequest, FilmSettings};
use crate::app::gabor_fitter::{FitPriority, FitsInTurn};
use crate::app::offscreen::{FrameOf, Offscreen};
use crate::app::state::ViewState;
use crate::app::views::{View, ViewKind, registry};
use crate::engine::Snapshot;
use crate::engine::recording::RecordedRun;
use crate::export::FileError;
use crate::export::film::{FilmFormat, FilmWriter};
use egui::{Align, Layout, Ui};
use image::RgbImage;

/// Between two passes of fits, s of the recording; and passes at most before the film begins.
const FITS_INTERVAL: f64 = 1.0;
const FITS_BEFORE: f64 = 60.0;

/// Writes a film. `goes_on` is told how many frames are done and how many there are in all, and asked whether to go on. Answers whether the
/// film was written to its end: one that was stopped or has failed leaves nothing behind. Errors name the file or the setting.
pub fn write_film(request: &FilmRequest, goes_on: &mut dyn FnMut(usize, usize) -> bool) -> Result<bool, FileError> {
    let FilmRequest { recording, path, settings } = request;
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
    if !goes_on(frames, frames) {
        return Ok(false);
    }
    writer.finish(&mut || goes_on(frames, frames))
}

/// A view and what it has been shown, drawn at a size of its own.
struct ViewDrawing<'a> {
    settings: &'a FilmSettings,
    offscreen: Offscreen,
    view: Box<dyn View>,
    state: ViewState,
    fits: FitsInTurn,
    /// When filters were fitted last, s of the recording.
    fitted: Option<f64>,
}

impl<'a> ViewDrawing<'a> {
    fn new(settings: &'a FilmSettings) -> Self {
        Self {
            settings,
            offscreen: Offscreen::new(settings.dark),
            view: registry::create(settings.view),
            state: ViewState::default(),
            fits: FitsInTurn::default(),
            fitted: None,
        }
    }

    /// Takes in a snapshot that was shown at this moment, s.
    fn absorb(&mut self, seconds: f64, mut snapshot: Snapshot) {
        snapshot.state.clock.running = true; // as in a window that replays it
        self.state.absorb(Box::new(snapshot));
        let is_early = seconds < self.settings.from;
        let pause = if is_early { FITS_INTERVAL.max(self.settings.from / FITS_BEFORE) } else { FITS_INTERVAL };
        let is_due = self.fitted.is_none_or(|at| seconds - at >= pause);
        let Some(latest) = self.state.latest.as_ref().filter(|_| is_due && self.view.fit_priority() == FitPriority::Visible) else {
            return;
        };
        if self.state.fits.as_ref().is_none_or(|fits| fits.stale(latest)) {
            self.fitted = Some(seconds);
            let fits = self.fits.fit(latest);
            fits.into_iter().for_each(|fits| self.state.take_fits(fits));
        }
    }

    /// The picture at this moment, s.
    fn draw(&mut self, seconds: f64) -> RgbImage {
        let of = self.frame_at(seconds);
        let Self { offscreen, view, state, settings, .. } = self;
        offscreen.draw(of, |ui| frame(ui, settings.view, view.as_mut(), state))
    }

    fn frame_at(&self, seconds: f64) -> FrameOf {
        FrameOf { size: self.settings.size.map(u32::from), scale: self.settings.scale(), seconds }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::offscreen::FIRST_LAYOUTS;
    use crate::engine::recording::RecordingWriter;
    use crate::engine::{Command, Engine, Pace};
    use crate::experiment::presets;
    use egui_kittest::{TestRenderer, wgpu::WgpuTestRenderer};
    use image::{AnimationDecoder, codecs::gif::GifDecoder};
    use std::path::{Path, PathBuf};

    /// A recording of a preset at full speed.
    fn recorded(folder: &Path, preset: &str) -> PathBuf {
        let path = folder.join(format!("{preset}.heerec"));
        let mut config = presets::by_name(preset).unwrap();
        (config.data.patches, config.dynamics.threads) = (300, 1);
        let engine = Engine::start(config, || {}).unwrap();
        engine.send(Command::SetPace(Pace::Full));
        RecordingWriter::create(&path).unwrap().record(&engine, 1.2, 30.0, &mut |_| true).unwrap();
        path
    }

    fn settings(view: ViewKind) -> FilmSettings {
        FilmSettings { view, from: 0.2, to: Some(1.0), rate: 5.0, size: [640, 400], ..FilmSettings::default() }
    }

    /// Everything that was recorded up to a moment, drawn for the first time.
    fn fresh<'a>(recording: &Path, settings: &'a FilmSettings, seconds: f64) -> ViewDrawing<'a> {
        let mut run = RecordedRun::open(recording).unwrap();
        let mut drawing = ViewDrawing::new(settings);
        for number in 0..run.shown_by(seconds).max(1) {
            drawing.absorb(run.moment(number), run.read(number..number + 1).unwrap().unwrap());
        }
        drawing
    }

    /// Share of the values of two pictures that are more than `levels` apart, and how far they are apart in the mean.
    fn difference(a: &[u8], b: &[u8], levels: u8) -> (f64, f64) {
        assert_eq!(a.len(), b.len());
        let apart: Vec<u8> = a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).collect();
        let many = apart.iter().filter(|&&by| by > levels).count();
        (many as f64 / a.len() as f64, apart.iter().map(|&by| f64::from(by)).sum::<f64>() / a.len() as f64)
    }

    #[test]
    fn a_film_has_its_frames_their_size_and_times_and_is_the_same_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let recording = recorded(folder.path(), "bars");
        for view in [ViewKind::Traces, ViewKind::ReceptiveFields, ViewKind::Population] {
            let written = |name: &str| {
                let path = folder.path().join(name);
                let mut told = Vec::new();
                let request = FilmRequest { recording: recording.clone(), path: path.clone(), settings: settings(view) };
                let is_whole = write_film(&request, &mut |done, all| {
                    told.push((done, all));
                    true
                });
                assert!(is_whole.unwrap() && told.is_sorted() && told.last() == Some(&(4, 4)), "{told:?}");
                std::fs::read(path).unwrap()
            };
            let bytes = written("a.gif");
            assert!(bytes == written("b.gif"), "{}: the same bytes", view.title());
            let frames = GifDecoder::new(std::io::Cursor::new(bytes)).unwrap().into_frames().collect_frames().unwrap();
            assert_eq!(frames.len(), 4);
            assert!(frames.iter().all(|frame| frame.buffer().dimensions() == (640, 400) && frame.delay().numer_denom_ms().0 == 200));
            let (changed, _) = difference(frames[0].buffer().as_raw(), frames[3].buffer().as_raw(), 8);
            assert!(changed > 0.002, "{}: {changed} of the picture has changed", view.title());
            // What the file shows last is that moment, in 256 colours.
            let settings = settings(view);
            let shown = fresh(&recording, &settings, 0.8).draw(0.8);
            let last = image::DynamicImage::ImageRgba8(frames[3].buffer().clone()).into_rgb8();
            let (far, mean) = difference(last.as_raw(), shown.as_raw(), 24);
            assert!(far < 0.003 && mean < 1.0, "{}: {far} of the values are far off, {mean} in the mean", view.title());
        }
    }

    #[test]
    fn a_frame_in_the_midst_is_what_a_first_drawing_of_that_moment_shows_in_every_view() {
        let folder = tempfile::tempdir().unwrap();
        let (bars, ridge) = (recorded(folder.path(), "bars"), recorded(folder.path(), "ridge"));
        for view in ViewKind::ALL {
            // The axes of Posterior depend on where they stood before, unless the posterior is known.
            let recording = if view == ViewKind::Posterior { &ridge } else { &bars };
            let settings = settings(view);
            let mut run = RecordedRun::open(recording).unwrap();
            let mut drawing = ViewDrawing::new(&settings);
            let (mut shown, mut picture) = (0, RgbImage::new(1, 1));
            for seconds in [0.2, 0.4, 0.6, 0.8] {
                let until = run.shown_by(seconds).max(1);
                for number in shown..until {
                    drawing.absorb(run.moment(number), run.read(number..number + 1).unwrap().unwrap());
                }
                (shown, picture) = (until, drawing.draw(seconds));
            }
            let first = fresh(recording, &settings, 0.8).draw(0.8);
            let (far, mean) = difference(picture.as_raw(), first.as_raw(), 2); // places are rounded
            assert!(far == 0.0 && mean < 1e-3, "{}: {far} of the values are more than 2 of 255 off, {mean} in the mean", view.title());
        }
    }

    #[test]
    fn frames_are_what_a_graphics_card_draws() {
        let folder = tempfile::tempdir().unwrap();
        let recording = recorded(folder.path(), "bars");
        for (view, scale) in
            [(ViewKind::Traces, 1.0), (ViewKind::ReceptiveFields, 1.5), (ViewKind::Posterior, 1.0), (ViewKind::Stimulus, 2.0)]
        {
            let settings = FilmSettings { scale: Some(scale), dark: scale > 1.0, ..settings(view) };
            let mut drawing = fresh(&recording, &settings, 1.0);
            let mut card = WgpuTestRenderer::new();
            let mut last = None;
            for _ in 0..FIRST_LAYOUTS {
                let of = drawing.frame_at(1.0);
                let ViewDrawing { offscreen, view, state, .. } = &mut drawing;
                let mut output = offscreen.lay_out(of, |ui| frame(ui, settings.view, view.as_mut(), state));
                card.handle_delta(&mut output.textures_delta.clone());
                drawing.offscreen.rasteriser.set_textures(&mut output.textures_delta);
                output.textures_delta.clear();
                last = Some(output);
            }
            let output = last.unwrap();
            let drawn = image::DynamicImage::ImageRgba8(card.render(&drawing.offscreen.ctx, &output).unwrap()).into_rgb8();
            let triangles = drawing.offscreen.ctx.tessellate(output.shapes, output.pixels_per_point);
            let background = drawing.offscreen.background();
            let own = drawing.offscreen.rasteriser.draw(&triangles, [640, 400], scale, background);
            assert_eq!(own.dimensions(), drawn.dimensions());
            let (far, mean) = difference(own.as_raw(), drawn.as_raw(), 3);
            assert!(far < 1e-4 && mean < 0.05, "{}: {far} of the values are more than 3 of 255 off, {mean} in the mean", view.title());
            let colours: std::collections::HashSet<_> = own.pixels().map(|pixel| pixel.0).collect();
            assert!(colours.len() > 20, "{}: {} colours", view.title(), colours.len());
        }
    }

    #[test]
    fn what_is_no_film_is_refused_and_a_film_that_is_stopped_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let recording = recorded(folder.path(), "bars");
        let usual = settings(ViewKind::Traces);
        let refused = |name: &str, settings: FilmSettings| {
            let request = FilmRequest { recording: recording.clone(), path: folder.path().join(name), settings };
            write_film(&request, &mut |_, _| panic!("no frame is drawn")).unwrap_err().to_string()
        };
        for (name, settings, words) in [
            ("a.avi", usual.clone(), "a.avi: a name that ends in .gif, .mp4 or .webm is needed"),
            ("a.gif", FilmSettings { rate: 51.0, ..usual.clone() }, "rate = 51 is out of range: 0.5 to 50 frames a second in a GIF"),
            ("a.mp4", FilmSettings { rate: 0.0, ..usual.clone() }, "rate = 0 is out of range: 0.5 to 60"),
            ("a.gif", FilmSettings { size: [0, 400], ..usual.clone() }, "size = 0x400 is out of range: 64 to 4096"),
            ("a.gif", FilmSettings { size: [640, 5000], ..usual.clone() }, "size = 640x5000 is out of range"),
            ("a.gif", FilmSettings { scale: Some(f32::NAN), ..usual.clone() }, "scale = NaN is out of range"),
            ("a.gif", FilmSettings { from: 1.0, to: Some(1.0), ..usual.clone() }, "from 1 to 1 s is no part of it"),
            ("a.gif", FilmSettings { from: -1.0, ..usual.clone() }, "from -1 to 1 s is no part of it"),
            ("a.gif", FilmSettings { to: Some(9.0), ..usual.clone() }, "bars.heerec: from 0.2 to 9 s is no part of it: it is 1."),
            ("none/a.gif", usual.clone(), "none/a.gif"),
        ] {
            let text = refused(name, settings);
            assert!(text.contains(words), "{text}");
        }
        let stopped = |name: &str, after: usize| {
            let request = FilmRequest { recording: recording.clone(), path: folder.path().join(name), settings: usual.clone() };
            write_film(&request, &mut |done, _| done < after).unwrap()
        };
        assert!([0, 1, 3, 4].iter().all(|&after| !stopped("a.gif", after)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the recording alone");
    }

    #[test]
    fn large_films_have_large_letters() {
        let scale = |size: [u16; 2], scale: Option<f32>| FilmSettings { size, scale, ..FilmSettings::default() }.scale();
        assert_eq!((scale([960, 600], None), scale([1920, 1080], None), scale([1920, 800], None)), (1.0, 1.5, 10.0 / 9.0));
        assert_eq!(scale([3840, 2160], Some(2.0)), 2.0);
    }
}
