//! A figure drawn anew at the size that it is printed in, apart from the window, and written.

use super::FigureSettings;
use crate::app::error::WindowError;
use crate::app::offscreen::{FrameOf, Offscreen};
use crate::app::pictures::{PdfOptions, SvgOptions, crop, pdf, svg};
use crate::app::widgets::figure;
use crate::export::{ending, save_png, write_atomically};
use egui::epaint::{ClippedShape, Shape};
use egui::{Color32, ColorImage, FullOutput, Rect, Ui, vec2};
use std::path::Path;

/// Size of the letters in the window, points.
const LETTERS: f32 = 12.5;
/// Millimetres of a typographic point, and of an inch.
const PT_MM: f32 = 25.4 / 72.0;
const INCH_MM: f32 = 25.4;
/// Points of a side of what is laid out, at least and at most.
const SIDES: std::ops::RangeInclusive<f32> = 160.0..=8000.0;
/// Layouts that look for the size at which one figure of a view has its own.
const SEARCHES: usize = 6;
/// Misfit from which on no better size is looked for.
const CLOSE: f32 = 0.01;
/// Points around a figure: labels of axes reach a little out of it; and above the topmost ones of a view, where their titles stand.
const MARGIN: egui::Vec2 = vec2(6.0, 4.0);
const TITLES: f32 = 24.0;

/// What is to be drawn.
pub(in crate::app) enum Content {
    /// One figure of a view.
    Figure(String),
    /// All figures of a view, in the arrangement of the window.
    View,
    /// Everything that is drawn, as high as it is.
    AsHighAsItIs,
}

/// A figure that was laid out: pixels and file are made of it on another thread.
pub(in crate::app) struct LaidOut {
    offscreen: Offscreen,
    output: FullOutput,
    of: FrameOf,
    rect: Rect,
    settings: FigureSettings,
}

/// What the next pass of a layout does.
#[derive(Clone, Copy)]
enum Pass {
    /// The first frame has no fonts.
    First,
    /// Looks for the size of the view: places depend on what stood where before, so that each size is drawn twice.
    Search { step: usize, is_settled: bool },
    /// The size that was found, once more.
    Fit { is_settled: bool },
    /// With letters in the size of the pixels.
    Print { scale: f32, is_settled: bool },
}

/// What a pass has come to.
pub(in crate::app) enum Progress {
    /// Others follow.
    GoesOn,
    /// The view does not draw such a figure.
    IsNotThere,
    /// It is laid out.
    Done(Box<LaidOut>),
}

/// A figure that is being laid out, a pass of the view at a time: each takes about as long as a frame.
pub(in crate::app) struct Layout {
    content: Content,
    settings: FigureSettings,
    dpi: f32,
    offscreen: Offscreen,
    wanted: egui::Vec2,
    size: [f32; 2],
    best: Option<(f32, [f32; 2], Rect)>,
    pass: Pass,
}

impl Layout {
    /// Of a view that has the size of `window` in points on screen. `dpi` dots an inch.
    pub(in crate::app) fn new(content: Content, settings: &FigureSettings, dpi: f32, window: [f32; 2]) -> Self {
        let settings = settings.within_limits();
        let offscreen = Offscreen::new(settings.dark);
        figure::set_saved(&offscreen.ctx, true);
        // Points across, so that letters have their size in print.
        let across = limited(settings.width_mm / (settings.font_pt * PT_MM / LETTERS));
        let size = match content {
            Content::Figure(_) => window.map(|side| side.max(*SIDES.start())),
            Content::View => [across, across * settings.ratio],
            Content::AsHighAsItIs => [across, *SIDES.end()],
        };
        let wanted = vec2(across, across * settings.ratio);
        Self { content, settings, dpi, offscreen, wanted, size, best: None, pass: Pass::First }
    }

    /// Whether everything that is drawn belongs to it.
    pub(in crate::app) fn is_as_high_as_it_is(&self) -> bool {
        matches!(self.content, Content::AsHighAsItIs)
    }

    /// Draws the view once more.
    pub(in crate::app) fn pass(&mut self, view: impl FnMut(&mut Ui)) -> Progress {
        let scale = if let Pass::Print { scale, .. } = self.pass { scale } else { 1.0 };
        let of = FrameOf { size: self.size.map(|side| (side * scale).ceil() as u32), scale, seconds: 0.0 };
        let (output, place) = self.draw(of, view);
        self.pass = match self.pass {
            Pass::First => Pass::Search { step: 0, is_settled: false },
            Pass::Search { step, is_settled: false } => Pass::Search { step, is_settled: true },
            Pass::Fit { is_settled: false } => Pass::Fit { is_settled: true },
            Pass::Print { scale, is_settled: false } => Pass::Print { scale, is_settled: true },
            Pass::Search { step, is_settled: true } => {
                if let Some(rect) = place {
                    let misfit = misfit(self.size, rect, self.wanted, &self.content);
                    if self.best.is_none_or(|(least, ..)| misfit < least) {
                        self.best = Some((misfit, self.size, rect));
                    }
                }
                // A figure that is too small for a view of that size is left out of it: then the last one that was there counts.
                let Some((misfit, from, rect)) = self.best else { return Progress::IsNotThere };
                if misfit < CLOSE || step + 1 == SEARCHES {
                    self.size = from;
                    Pass::Fit { is_settled: false }
                } else {
                    self.size = next(from, rect, self.wanted, &self.content, step % 2 == 0).map(limited);
                    Pass::Search { step: step + 1, is_settled: false }
                }
            }
            Pass::Fit { is_settled: true } => {
                let Some(rect) = place else { return Progress::IsNotThere };
                Pass::Print { scale: self.settings.width_mm / INCH_MM * self.dpi / rect.width(), is_settled: false }
            }
            Pass::Print { is_settled: true, .. } => {
                let Some(rect) = place else { return Progress::IsNotThere };
                let offscreen = std::mem::replace(&mut self.offscreen, Offscreen::new(self.settings.dark));
                return Progress::Done(Box::new(LaidOut { offscreen, output, of, rect, settings: self.settings.clone() }));
            }
        };
        Progress::GoesOn
    }

    /// Draws a frame of the view: what was drawn, and where what is wanted stands in it.
    fn draw(&mut self, of: FrameOf, mut view: impl FnMut(&mut Ui)) -> (FullOutput, Option<Rect>) {
        let mut bottom = 0.0_f32;
        let mut output = self.offscreen.lay_out_once(of, |ui| bottom = ui.scope(|ui| view(ui)).response.rect.bottom());
        let figures = figure::take(&self.offscreen.ctx);
        self.offscreen.keep_textures(&mut output);
        let place = match &self.content {
            Content::Figure(name) => figures.iter().find(|(known, _)| known == name).map(|(_, rect)| rect.expand2(MARGIN)),
            Content::View => figures.iter().map(|(_, rect)| *rect).reduce(Rect::union).map(|all| {
                let above = figures.iter().map(|(_, rect)| rect.top()).fold(f32::INFINITY, f32::min);
                all.with_min_y(above - TITLES).expand2(MARGIN)
            }),
            Content::AsHighAsItIs => Some(Rect::from_min_size(egui::Pos2::ZERO, vec2(self.size[0], bottom + 2.0 * MARGIN.y))),
        };
        (output, place)
    }
}

fn limited(side: f32) -> f32 {
    side.clamp(*SIDES.start(), *SIDES.end())
}

/// How far what was laid out is from what is wanted: 0 where it has its width and, as far as it has no shape of its own, its height.
fn misfit(size: [f32; 2], rect: Rect, wanted: egui::Vec2, content: &Content) -> f32 {
    let width = (rect.width() / wanted.x).ln().abs();
    match content {
        Content::Figure(_) => width + 0.3 * (rect.height() / wanted.y).ln().abs(),
        Content::View => width,
        Content::AsHighAsItIs => (size[1] - rect.height()).abs() / size[1],
    }
}

/// The size of a view that is tried next: with both sides as the figure needs them, or, where it has a shape of its own, larger or smaller as
/// it is.
fn next(size: [f32; 2], rect: Rect, wanted: egui::Vec2, content: &Content, stretched: bool) -> [f32; 2] {
    let [across, up] = [wanted.x / rect.width(), wanted.y / rect.height()];
    match content {
        Content::Figure(_) if stretched => [size[0] * across, size[1] * up],
        Content::Figure(_) => [size[0] * across, size[1] * across],
        Content::View => [size[0] * across, size[1]],
        Content::AsHighAsItIs => [size[0], rect.height()],
    }
}

impl LaidOut {
    /// The shapes with lines as wide as was asked for, and the pixels of the whole frame.
    fn paint(&mut self) -> (Vec<ClippedShape>, ColorImage) {
        let mut shapes = std::mem::take(&mut self.output.shapes);
        if self.settings.line_width != 1.0 {
            shapes.iter_mut().for_each(|clipped| widen(&mut clipped.shape, self.settings.line_width));
        }
        let picture = self.offscreen.paint(shapes.clone(), self.of);
        (shapes, ColorImage::from_rgb(self.of.size.map(|side| side as usize), picture.as_raw()))
    }

    /// Its pixels.
    pub(in crate::app) fn picture(mut self) -> Option<image::RgbImage> {
        let (_, pixels) = self.paint();
        crop(&pixels, self.rect, self.of.scale)
    }

    /// Writes it as a PNG, an SVG or a PDF, by the ending. Errors name the file.
    pub(in crate::app) fn write(mut self, path: &Path, title: &str) -> Result<(), WindowError> {
        let (shapes, pixels) = self.paint();
        let (scale, width_mm) = (self.of.scale, self.settings.width_mm);
        let background: Color32 = self.offscreen.background();
        match ending(path).as_str() {
            "svg" => {
                let options = SvgOptions { pixels: &pixels, scale, width_mm: Some(width_mm), outlines: self.settings.outlines, title };
                write_atomically(path, svg(&shapes, self.rect, background, &options).as_bytes()).map_err(WindowError::file)
            }
            "pdf" => {
                let options = PdfOptions { pixels: &pixels, scale, width_mm, title };
                write_atomically(path, &pdf(&shapes, self.rect, background, &options)).map_err(WindowError::file)
            }
            _ => {
                let picture = crop(&pixels, self.rect, scale).ok_or(WindowError::EmptyPicture)?;
                save_png(path, &picture).map_err(WindowError::file)
            }
        }
    }
}

/// Makes every line of a shape so many times as wide.
fn widen(shape: &mut Shape, factor: f32) {
    match shape {
        Shape::Vec(shapes) => shapes.iter_mut().for_each(|shape| widen(shape, factor)),
        Shape::LineSegment { stroke, .. } => stroke.width *= factor,
        Shape::Path(path) => path.stroke.width *= factor,
        Shape::Circle(circle) => circle.stroke.width *= factor,
        Shape::Ellipse(ellipse) => ellipse.stroke.width *= factor,
        _ => {}
    }
}

/// Lays a figure out with as many passes as it needs; None where the view does not draw it.
#[cfg(test)]
pub(in crate::app) fn lay_out(
    content: Content,
    settings: &FigureSettings,
    dpi: f32,
    window: [f32; 2],
    mut view: impl FnMut(&mut Ui),
) -> Option<LaidOut> {
    let mut layout = Layout::new(content, settings, dpi, window);
    loop {
        match layout.pass(&mut view) {
            Progress::GoesOn => {}
            Progress::IsNotThere => return None,
            Progress::Done(laid_out) => return Some(*laid_out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::figures::known::KnownFigures;
    use crate::app::views::tests::{at_work, fitted, taken_in, wave};
    use crate::app::views::{ViewKind, registry};
    use crate::experiment::presets;

    /// What a window of 1000 x 700 points has, and each figure of every view of these presets laid out apart from it.
    #[test]
    fn every_figure_of_every_view_is_drawn_by_itself_in_the_size_asked_for() {
        let settings = FigureSettings { width_mm: 85.0, ratio: 0.75, ..FigureSettings::default() };
        let mut count = 0;
        for preset in ["ridge", "dead-leaves", "digits", "v1-v2"] {
            let snapshot = at_work(presets::by_name(preset).unwrap(), wave);
            let fits = fitted(&snapshot, wave);
            let state = taken_in(snapshot, fits);
            let snapshot = state.latest.as_deref().unwrap();
            for kind in ViewKind::ALL {
                let (ctx, mut view, mut known) = (egui::Context::default(), registry::create(kind), KnownFigures::default());
                for _ in 0..3 {
                    let screen = Rect::from_min_size(egui::Pos2::ZERO, vec2(680.0, 580.0));
                    let input = egui::RawInput { screen_rect: Some(screen), ..Default::default() };
                    let draw = |ui: &mut Ui| {
                        egui::CentralPanel::default()
                            .show(ui, |ui| known.watch(ui, kind, |ui| view.ui(ui, &state, snapshot, &mut Vec::new())));
                    };
                    ctx.run_ui(input, draw).textures_delta.clear();
                }
                let known = known.of(kind);
                for (name, _) in known.figures {
                    let content = Content::Figure(name.clone());
                    let at = format!("{name} of {} in {preset}", kind.title());
                    let laid_out = lay_out(content, &settings, 100.0, known.size, |ui| view.ui(ui, &state, snapshot, &mut Vec::new()));
                    let picture = laid_out.unwrap_or_else(|| panic!("{at} is not drawn")).picture().unwrap();
                    assert!(picture.width().abs_diff(335) <= 2, "{at}: {} pixels wide", picture.width());
                    assert!((30..1400).contains(&picture.height()), "{at}: {} pixels high", picture.height());
                    let first = *picture.get_pixel(0, 0);
                    let drawn = picture.pixels().filter(|pixel| **pixel != first).count();
                    assert!(drawn > 200, "{at}: {drawn} pixels are drawn");
                    count += 1;
                }
            }
        }
        assert!(count > 60, "{count} figures");
    }
}
