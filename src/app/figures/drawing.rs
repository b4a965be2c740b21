//! A figure laid out anew at the size that it is printed in, apart from the window.

use super::FigureSettings;
use super::laid_out::LaidOut;
use crate::app::offscreen::{FrameOf, Offscreen};
use crate::app::theme;
use crate::app::widgets::{figure, whole_frame};
use egui::epaint::{ClippedShape, Shape};
use egui::{Color32, Context, FontId, FullOutput, Rect, Ui, WidgetRect, vec2};
use std::time::{Duration, Instant};

/// Size of the letters in the window, points.
const LETTERS: f32 = 12.5;
/// Millimetres of a typographic point, and of an inch.
const PT_MM: f32 = 25.4 / 72.0;
const INCH_MM: f32 = 25.4;
/// Points of a side of what is laid out, at least and at most.
const SIDES: std::ops::RangeInclusive<f32> = 160.0..=8000.0;
/// Figures that stand beside one another in a view, at most.
const COLUMNS_OF_A_VIEW: f32 = 4.0;
/// A usual view's longer side, points: the search begins at no larger one where the figure needs none.
const USUAL_SIDE: f32 = 1600.0;
/// For so long a figure waits for values of its view that are being computed, then it is drawn without them.
const PATIENCE: Duration = Duration::from_secs(20);
/// Pixels of a figure at most: 600 dots an inch of an A4 page are 35 million.
pub(super) const MOST_PIXELS: f32 = 6.4e7;
/// A figure that is too small for the letters asked for has letters so many times as large at most, and letters are never of more pixels
/// than [`LARGEST_LETTER`].
const ENLARGED: f32 = 3.0;
const LARGEST_LETTER: f32 = 300.0;
/// Time that letters are made for in one frame.
const LETTERS_TIME: Duration = Duration::from_millis(4);
/// Pixels a point from which on letters stand at whole pixels: each is made once, and not for every quarter of a pixel.
const WHOLE_PIXELS: f32 = 2.0;
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

/// What the next pass of a layout does.
#[derive(Clone, Copy)]
enum Pass {
    /// Fonts are read; nothing is drawn yet.
    First,
    /// Looks for the size of the view: places depend on what stood where before, so that each size is drawn twice.
    Search { step: usize, is_settled: bool },
    /// The size that was found, once more.
    Fit { is_settled: bool },
    /// Letters in the size of the pixels are made, some a frame: those of this number and later ones.
    Letters { scale: f32, next: usize },
    /// With these letters.
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
    /// Points of a side of the view at most.
    most: f32,
    size: [f32; 2],
    best: Option<(f32, [f32; 2], Rect)>,
    /// The letters that were drawn last, each in its font.
    letters: Vec<(FontId, char)>,
    pass: Pass,
    /// Since when values of the view are waited for.
    lacking_since: Option<Instant>,
}

impl Layout {
    /// Of a view that has the size of `window` in points on screen. `dpi` dots an inch.
    pub(in crate::app) fn new(content: Content, settings: &FigureSettings, dpi: f32, window: [f32; 2]) -> Self {
        let settings = settings.within_limits();
        let offscreen = Offscreen::beside_window(settings.dark);
        if usual_scale(&settings, dpi) >= WHOLE_PIXELS {
            offscreen.ctx.all_styles_mut(|style| style.visuals.text_options.subpixel_binning = false);
        }
        let shown = figure::Shown { axis_names: settings.axis_names };
        figure::set_saved(&offscreen.ctx, shown);
        theme::set_colour_map(&offscreen.ctx, settings.colours);
        let across = limited(points_across(&settings));
        let wanted = vec2(across, across * settings.ratio);
        // A view of many columns is some times as wide as one of its figures; a larger one would only take longer to draw.
        let most = limited((COLUMNS_OF_A_VIEW * wanted.max_elem()).max(USUAL_SIDE));
        let size = match content {
            Content::Figure(_) => window.map(|side| limited(side * (most / window[0].max(window[1])).min(1.0))),
            Content::View => [across, across * settings.ratio],
            Content::AsHighAsItIs => [across, *SIDES.end()],
        };
        Self {
            content,
            settings,
            dpi,
            offscreen,
            wanted,
            most,
            size,
            best: None,
            letters: Vec::new(),
            pass: Pass::First,
            lacking_since: None,
        }
    }

    /// Whether everything that is drawn belongs to it.
    pub(in crate::app) fn is_as_high_as_it_is(&self) -> bool {
        matches!(self.content, Content::AsHighAsItIs)
    }

    /// Draws the view once more.
    pub(in crate::app) fn pass(&mut self, view: impl FnMut(&mut Ui)) -> Progress {
        if let Pass::Letters { scale, next } = self.pass {
            let next = self.make_letters(scale, next);
            self.pass = if next < self.letters.len() { Pass::Letters { scale, next } } else { Pass::Print { scale, is_settled: false } };
            return Progress::GoesOn;
        }
        let scale = if let Pass::Print { scale, .. } = self.pass { scale } else { 1.0 };
        let of = FrameOf { size: self.size.map(|side| (side * scale).ceil() as u32), scale, seconds: 0.0 };
        let (output, place) = if matches!(self.pass, Pass::First) { self.draw(of, |_| {}) } else { self.draw(of, view) };
        if whole_frame::take_lacking(&self.offscreen.ctx) && self.lacking_since.get_or_insert_with(Instant::now).elapsed() < PATIENCE {
            return Progress::GoesOn;
        }
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
                    if !self.is_as_high_as_it_is() {
                        self.size = self.size.map(|side| side.min(self.most));
                    }
                    Pass::Search { step: step + 1, is_settled: false }
                }
            }
            Pass::Fit { is_settled: true } => {
                let Some(rect) = place else { return Progress::IsNotThere };
                self.letters = letters(&output.shapes);
                Pass::Letters { scale: self.scale(rect), next: 0 }
            }
            Pass::Letters { .. } => self.pass, // which was dealt with before
            Pass::Print { is_settled: true, .. } => {
                let Some(rect) = place else { return Progress::IsNotThere };
                let offscreen = std::mem::replace(&mut self.offscreen, Offscreen::beside_window(self.settings.dark));
                return Progress::Done(Box::new(LaidOut::new(offscreen, output.shapes, of.scale, rect, self.settings.clone())));
            }
        };
        Progress::GoesOn
    }

    /// Pixels a point with which a figure has the dots asked for, as far as that can be drawn.
    fn scale(&self, rect: Rect) -> f32 {
        let usual = usual_scale(&self.settings, self.dpi);
        let wanted = self.settings.width_mm / INCH_MM * self.dpi / rect.width();
        wanted.min(ENLARGED * usual).min(LARGEST_LETTER / LETTERS).min((MOST_PIXELS / rect.area().max(1.0)).sqrt())
    }

    /// Makes letters from this number on, as many as a frame has time for; the number that comes next.
    fn make_letters(&mut self, scale: f32, mut next: usize) -> usize {
        let begin = Instant::now();
        while let Some((font, letter)) = self.letters.get(next).cloned() {
            let of = FrameOf { size: self.size.map(|side| (side * scale).ceil() as u32), scale, seconds: 0.0 };
            let draw = |ui: &mut Ui| _ = ui.painter().text(egui::Pos2::ZERO, egui::Align2::LEFT_TOP, letter, font.clone(), Color32::WHITE);
            let mut output = self.offscreen.lay_out_once(of, draw);
            self.offscreen.keep_textures(&mut output);
            next += 1;
            if begin.elapsed() > LETTERS_TIME {
                break;
            }
        }
        next
    }

    /// Draws a frame of the view: what was drawn, and where what is wanted stands in it.
    fn draw(&mut self, of: FrameOf, mut view: impl FnMut(&mut Ui)) -> (FullOutput, Option<Rect>) {
        let mut bottom = 0.0_f32;
        let mut output = self.offscreen.lay_out_once(of, |ui| bottom = ui.scope(|ui| view(ui)).response.rect.bottom());
        let (figures, titles) = (figure::take(&self.offscreen.ctx), figure::take_titles(&self.offscreen.ctx));
        self.offscreen.keep_textures(&mut output);
        // What stands above is a title or left out: no control is part of a figure.
        let above = |rect: Rect, top: f32| {
            let all = rect.with_min_y(rect.top().min(top)).expand2(MARGIN);
            all.with_min_y(all.top().max(below_controls(&self.offscreen.ctx, rect.top())))
        };
        let place = match &self.content {
            Content::Figure(name) => figures.iter().find(|(known, _)| known == name).map(|(_, rect)| {
                let title = title_of(*rect, &titles).filter(|_| self.settings.title);
                let all = title.map_or(*rect, |title| rect.union(title));
                let shown = above(all, all.top());
                shown.with_min_y(shown.top().max(below_text(&output.shapes, all.top())))
            }),
            Content::View => {
                let top = figures.iter().map(|(_, rect)| rect.top()).fold(f32::INFINITY, f32::min) - TITLES;
                figures.iter().map(|(_, rect)| *rect).chain(titles).reduce(Rect::union).map(|all| above(all, top))
            }
            Content::AsHighAsItIs => Some(Rect::from_min_size(egui::Pos2::ZERO, vec2(self.size[0], bottom + 2.0 * MARGIN.y))),
        };
        (output, place)
    }
}

/// Points across, so that letters have their size in print.
pub(super) fn points_across(settings: &FigureSettings) -> f32 {
    settings.width_mm / (settings.font_pt * PT_MM / LETTERS)
}

/// Pixels a point with which letters have the size asked for.
fn usual_scale(settings: &FigureSettings, dpi: f32) -> f32 {
    settings.font_pt * PT_MM / LETTERS / INCH_MM * dpi
}

/// Where the controls end that stand above `top`: those are left out of a figure.
fn below_controls(ctx: &Context, top: f32) -> f32 {
    let is_control = |widget: &&WidgetRect| widget.sense.interactive() && widget.rect.bottom() <= top + 1.0;
    ctx.viewport(|viewport| {
        let widgets = viewport.prev_pass.widgets.layers().flat_map(|(_, widgets)| widgets);
        widgets.filter(is_control).map(|widget| widget.rect.bottom()).fold(0.0, f32::max)
    })
}

/// Where the text ends that stands right above `top`: no part of its letters belongs to a figure.
fn below_text(shapes: &[ClippedShape], top: f32) -> f32 {
    let bottoms = shapes.iter().filter_map(|clipped| match &clipped.shape {
        Shape::Text(text) => Some(text.visual_bounding_rect().bottom()),
        _ => None,
    });
    bottoms.filter(|bottom| (-2.0 * MARGIN.y..=1.0).contains(&(bottom - top))).fold(0.0, f32::max)
}

/// The title that stands right above a figure.
fn title_of(figure: Rect, titles: &[Rect]) -> Option<Rect> {
    let is_above =
        |title: &&Rect| (-2.0..TITLES).contains(&(figure.top() - title.bottom())) && title.x_range().intersects(figure.x_range());
    titles.iter().filter(is_above).max_by(|a, b| a.bottom().total_cmp(&b.bottom())).copied()
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

/// The different letters of what was drawn, each in its font.
fn letters(shapes: &[ClippedShape]) -> Vec<(FontId, char)> {
    fn add(shape: &Shape, found: &mut Vec<(FontId, char)>) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| add(shape, found)),
            Shape::Text(text) => {
                for section in &text.galley.job.sections {
                    let part = text.galley.job.text.get(section.byte_range.start.0..section.byte_range.end.0).unwrap_or_default();
                    for letter in part.chars().filter(|letter| !letter.is_whitespace()) {
                        let of = (section.format.font_id.clone(), letter);
                        if !found.contains(&of) {
                            found.push(of);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    shapes.iter().for_each(|clipped| add(&clipped.shape, &mut found));
    found
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
    use crate::app::widgets::background_value::BackgroundValue;
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

    #[test]
    fn title_names_of_axes_and_colours_are_as_they_were_asked_for() {
        let snapshot = at_work(presets::by_name("dead-leaves").unwrap(), wave);
        let fits = fitted(&snapshot, wave);
        let state = taken_in(snapshot, fits);
        let snapshot = state.latest.as_deref().unwrap();
        let drawn = |kind: ViewKind, name: &str, settings: &FigureSettings| {
            let mut view = registry::create(kind);
            let draw = |ui: &mut Ui| view.ui(ui, &state, snapshot, &mut Vec::new());
            lay_out(Content::Figure(name.into()), settings, 100.0, [680.0, 580.0], draw).unwrap()
        };
        let usual = FigureSettings::default();
        let texts = |laid_out: &LaidOut| {
            let inside = |clipped: &&ClippedShape| laid_out.rect.contains_rect(clipped.shape.visual_bounding_rect());
            let text =
                |clipped: &ClippedShape| if let Shape::Text(text) = &clipped.shape { Some(text.galley.text().to_string()) } else { None };
            laid_out.shapes.iter().filter(inside).filter_map(text).collect::<Vec<_>>()
        };
        let change = |title: bool| texts(&drawn(ViewKind::Learning, "Weight change and norm", &FigureSettings { title, ..usual.clone() }));
        let [titled, untitled] = [true, false].map(change);
        assert!(titled.contains(&"mean norm of a column".into()) && titled.len() == untitled.len() + 3, "{titled:?}, {untitled:?}");
        let raced = taken_in(at_work(presets::by_name("ridge").unwrap(), wave), None);
        let distance = |axis_names: bool| {
            let (settings, mut view) = (FigureSettings { axis_names, ..usual.clone() }, registry::create(ViewKind::Posterior));
            let draw = |ui: &mut Ui| view.ui(ui, &raced, raced.latest.as_deref().unwrap(), &mut Vec::new());
            let laid_out = lay_out(Content::Figure("distance to the posterior".into()), &settings, 100.0, [900.0, 700.0], draw).unwrap();
            texts(&laid_out).contains(&"s simulated".to_string())
        };
        assert_eq!([true, false].map(distance), [true, false]);
        let whole = |kind: ViewKind| {
            let mut view = registry::create(kind);
            let draw = |ui: &mut Ui| view.ui(ui, &state, snapshot, &mut Vec::new());
            texts(&lay_out(Content::View, &usual, 100.0, [680.0, 580.0], draw).unwrap())
        };
        let [filters, learning] = [ViewKind::ReceptiveFields, ViewKind::Learning].map(whole);
        assert!(filters.iter().all(|text| !text.contains("scale")), "controls are left out: {filters:?}");
        assert!(learning.iter().any(|text| text.contains("Residual variance")), "titles are not: {learning:?}");
        let pictures = crate::export::mosaic::ColourMap::ALL
            .map(|colours| drawn(ViewKind::ReceptiveFields, "filters", &FigureSettings { colours, ..usual.clone() }).picture().unwrap());
        let is_grey = |picture: &image::RgbImage| {
            let grey = picture.pixels().filter(|p| p[0].abs_diff(p[1]) < 24 && p[1].abs_diff(p[2]) < 24).count();
            grey as f64 > 0.99 * f64::from(picture.width() * picture.height())
        };
        assert_eq!(pictures.each_ref().map(is_grey), [false, false, true]);
        assert!(pictures[0] != pictures[1]);
    }

    /// The curves of a figure may take seconds: the passes go on meanwhile, on the thread of the window, and the figure has them in the
    /// end. (Were they computed in a pass, that pass would wait for ever.)
    #[test]
    fn a_figure_waits_for_what_is_being_computed_and_no_pass_computes_it() {
        let (go, wait) = crossbeam_channel::bounded::<()>(1);
        let mut value = BackgroundValue::<u8, &str>::default();
        let mut draw = |ui: &mut Ui| {
            let wait = wait.clone();
            let found = value.of(ui, &1, move |_| wait.recv_timeout(Duration::from_secs(10)).map_or("too late", |()| "computed"));
            let place = ui.allocate_exact_size(vec2(200.0, 150.0), egui::Sense::hover()).0;
            figure::mark(ui, "the figure", place);
            ui.label(found.copied().unwrap_or("not yet"));
        };
        let settings = FigureSettings::default();
        let mut layout = Layout::new(Content::View, &settings, 100.0, [680.0, 580.0]);
        for _ in 0..40 {
            assert!(matches!(layout.pass(&mut draw), Progress::GoesOn), "it is not done without its value");
        }
        go.send(()).unwrap();
        while matches!(layout.pass(&mut draw), Progress::GoesOn) {}
        assert_eq!(value.found(), Some(&(1, "computed")));
    }

    /// A figure of a view that is as large as a large display is looked for at no more than its own size needs.
    #[test]
    fn the_search_begins_no_larger_than_usual() {
        let begin = |width_mm, window| {
            Layout::new(Content::Figure("filters".into()), &FigureSettings { width_mm, ..FigureSettings::default() }, 300.0, window).size
        };
        assert_eq!(begin(85.0, [680.0, 580.0]), [680.0, 580.0]);
        assert_eq!(begin(85.0, [3200.0, 1800.0]), [1600.0, 900.0]);
        assert_eq!(begin(400.0, [3200.0, 1800.0]), [3200.0, 1800.0]);
    }

    /// Narrow figures with small letters and large ones of many dots: what is painted is the figure alone, and its letters are there
    /// before the pass that needs them.
    #[test]
    fn figures_of_any_size_have_a_bounded_number_of_pixels() {
        let state = taken_in(at_work(presets::by_name("digits").unwrap(), wave), None);
        let snapshot = state.latest.as_deref().unwrap();
        for (width_mm, font_pt, dpi, ratio) in
            [(1e-9, 3.0, 1200.0, 0.75), (1e-9, 40.0, 1200.0, 5.0), (500.0, 40.0, 1200.0, 5.0), (85.0, 3.0, 36.0, 0.1)]
        {
            let settings = FigureSettings { width_mm, font_pt, dpi, ratio, ..FigureSettings::default() };
            for kind in [ViewKind::ReceptiveFields, ViewKind::Learning, ViewKind::Traces] {
                let mut view = registry::create(kind);
                let mut draw = |ui: &mut Ui| view.ui(ui, &state, snapshot, &mut Vec::new());
                let mut layout = Layout::new(Content::View, &settings, dpi, [680.0, 580.0]);
                let (mut made, mut needed) = (0, 0);
                let laid_out = loop {
                    match layout.pass(&mut draw) {
                        Progress::GoesOn if matches!(layout.pass, Pass::Letters { .. }) => {
                            made += 1;
                            needed = layout.letters.len();
                        }
                        Progress::GoesOn => {}
                        Progress::IsNotThere => break None,
                        Progress::Done(laid_out) => break Some(laid_out),
                    }
                };
                let Some(laid_out) = laid_out else { continue };
                assert!(made > 0 && needed > 10, "{made} frames of letters for {needed}");
                let [width, height] = laid_out.of.size.map(|side| side as f32);
                let shown = format!("{width_mm} mm, {font_pt} pt, {dpi} dpi, {ratio}: {} of {width} x {height}", kind.title());
                assert!(width * height <= 1.01 * MOST_PIXELS && laid_out.of.scale * LETTERS <= LARGEST_LETTER, "{shown}");
                assert_eq!(laid_out.rect.min, egui::Pos2::ZERO);
            }
        }
    }

    /// A figure of large letters and many dots: the pass that draws it finds its letters made. (Were they made for every quarter of a
    /// pixel, most of them would be missing.)
    #[test]
    fn the_pass_that_draws_a_figure_makes_no_letters() {
        let state = taken_in(at_work(presets::by_name("digits").unwrap(), wave), None);
        let snapshot = state.latest.as_deref().unwrap();
        let settings = FigureSettings { width_mm: 500.0, font_pt: 40.0, dpi: 1200.0, ..FigureSettings::default() };
        let mut view = registry::create(ViewKind::ReceptiveFields);
        let mut draw = |ui: &mut Ui| view.ui(ui, &state, snapshot, &mut Vec::new());
        let mut layout = Layout::new(Content::Figure("filters".into()), &settings, 1200.0, [680.0, 580.0]);
        // Pixels of letters that were made so far.
        let made = |layout: &Layout| {
            let image = layout.offscreen.ctx.fonts(|fonts| fonts.image());
            image.pixels.iter().filter(|pixel| pixel.a() > 0).count() as f64
        };
        let mut of_print = None;
        loop {
            let before = matches!(layout.pass, Pass::Print { is_settled: false, .. }).then(|| made(&layout));
            let progress = layout.pass(&mut draw);
            if let Some(before) = before {
                of_print = Some([before, made(&layout)]);
            }
            if !matches!(progress, Progress::GoesOn) {
                break;
            }
        }
        let [before, after] = of_print.unwrap();
        assert!(before > 1e5, "the letters are large: {before} pixels");
        assert!(after <= 1.1 * before, "letters are made in the pass that draws the figure: {before} pixels, then {after}");
    }
}
