//! A plane with a point a unit: the pointer names one, a click chooses the nearest, and what is pointed at can be enlarged.

use crate::app::theme;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::viewport::{LARGEST, Viewport};
use egui::{Ui, Vec2};
use egui_plot::{HoverPosition, Plot, PlotBounds, PlotUi, Points};

/// How much the plane is enlarged at most.
const MOST: f32 = 200.0;
/// Points between the pointer and a unit that it chooses, at most.
const NEAR: f32 = 12.0;

/// A unit and where it stands.
pub type Placed = (usize, [f64; 2]);

/// What is to be drawn.
pub struct Plane<'a> {
    pub name: &'static str,
    pub plot: Plot<'a>,
    /// All that can be in sight.
    pub whole: PlotBounds,
    pub units: Vec<Placed>,
    /// The unit that is drawn larger and in another colour.
    pub chosen: Option<usize>,
    /// What the axes are, with their units, for the label at the pointer.
    pub axes: [&'static str; 2],
    /// Drawn before the units.
    pub behind: Box<dyn FnOnce(&mut PlotUi<'a>) + 'a>,
}

/// The part of the plane that is in sight.
#[derive(Default)]
pub struct PlaneOfUnits {
    viewport: Viewport,
}

impl PlaneOfUnits {
    /// A phrase for captions; empty where all of it is in sight.
    pub fn caption(&self) -> String {
        self.viewport.caption()
    }

    /// Draws the plane; answers which unit was clicked.
    pub fn ui(&mut self, ui: &mut Ui, Plane { name, plot, whole, units, chosen, axes, behind }: Plane<'_>) -> Option<usize> {
        let bounds = part(&whole, self.viewport.shares());
        let (named, drawn) = (units.clone(), units.clone());
        let plot = plot.label_formatter(move |at| match at {
            HoverPosition::NearDataPoint { position: p, .. } => {
                let unit = named.iter().find(|(_, q)| (q[0] - p.x).abs() + (q[1] - p.y).abs() < 1e-9);
                unit.map(|(unit, [x, y])| format!("unit {unit}: {} {x:.2}, {} {y:.2}", axes[0], axes[1]))
            }
            HoverPosition::Elsewhere { .. } => None,
        });
        let shown = plot.figure(ui, name, move |plot| {
            plot.set_plot_bounds(bounds);
            behind(plot);
            let (these, others): (Vec<Placed>, Vec<Placed>) = drawn.into_iter().partition(|(unit, _)| Some(*unit) == chosen);
            let points = |of: Vec<Placed>| Points::new(name, figure::points(of.into_iter().map(|(_, at)| at).collect()));
            plot.points(points(others).color(theme::SERIES[0]).radius(2.8));
            plot.points(points(these).color(theme::SERIES[1]).radius(4.2));
        });
        if !figure::is_saved(ui.ctx()) {
            self.viewport.follow(ui, &shown.response, *shown.transform.frame(), LARGEST / MOST);
        }
        let at = shown.response.interact_pointer_pos().filter(|_| shown.response.clicked())?;
        let away = |(_, q): &Placed| (shown.transform.position_from_point(&(*q).into()) - at).length();
        let nearest = units.iter().min_by(|a, b| away(a).total_cmp(&away(b)));
        nearest.filter(|unit| away(unit) <= NEAR).map(|(unit, _)| *unit)
    }
}

/// The bounds of a part of the whole, which is told from the upper left corner.
fn part(whole: &PlotBounds, [corner, size]: [Vec2; 2]) -> PlotBounds {
    let [width, height] = [whole.width(), whole.height()];
    let (left, top) = (whole.min()[0] + f64::from(corner.x) * width, whole.max()[1] - f64::from(corner.y) * height);
    PlotBounds::from_min_max([left, top - f64::from(size.y) * height], [left + f64::from(size.x) * width, top])
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Event, Modifiers, MouseWheelUnit, PointerButton, Pos2, Rect, TouchPhase, vec2};

    /// Units on a grid of the unit square.
    fn units() -> Vec<Placed> {
        (0..100).map(|unit| (unit, [(unit % 10) as f64 / 10.0, (unit / 10) as f64 / 10.0])).collect()
    }

    /// What was chosen and which place the frame has after these events, each in a frame of its own.
    fn after(ctx: &egui::Context, plane: &mut PlaneOfUnits, events: impl IntoIterator<Item = Event>) -> (Option<usize>, Rect) {
        let (mut chosen, mut place) = (None, Rect::NOTHING);
        for (i, event) in events.into_iter().enumerate() {
            let time = Some(ctx.input(|input| input.time) + 0.05 + i as f64 * 1e-3);
            let screen_rect = Some(Rect::from_min_size(Pos2::ZERO, vec2(600.0, 500.0)));
            let input = egui::RawInput { screen_rect, time, events: vec![event], ..Default::default() };
            let mut output = ctx.run_ui(input, |ui| {
                let off = |plot: Plot<'static>| plot.allow_drag(false).allow_zoom(false).allow_scroll(false).allow_boxed_zoom(false);
                let drawn = Plane {
                    name: "plane",
                    plot: off(Plot::new("plane")),
                    whole: PlotBounds::from_min_max([0.0; 2], [1.0; 2]),
                    units: units(),
                    chosen: None,
                    axes: ["x", "y"],
                    behind: Box::new(|_| ()),
                };
                chosen = plane.ui(ui, drawn).or(chosen);
            });
            output.textures_delta.clear();
            place = figure::take_plots(ctx).first().map_or(place, |(_, [_, frame])| *frame);
        }
        (chosen, place)
    }

    #[test]
    fn a_click_chooses_the_unit_there_also_where_the_plane_is_enlarged() {
        let (ctx, mut plane) = (egui::Context::default(), PlaneOfUnits::default());
        let (_, frame) = after(&ctx, &mut plane, (0..3).map(|_| Event::PointerGone));
        let place = |x: f32, y: f32| frame.left_bottom() + vec2(x, -y) * frame.size();
        let click = |pos: Pos2| {
            let button = |pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
            [Event::PointerMoved(pos), button(true), button(false), Event::PointerMoved(pos)]
        };
        assert_eq!(after(&ctx, &mut plane, click(place(0.303, 0.702))).0, Some(73));
        assert_eq!(after(&ctx, &mut plane, click(place(0.35, 0.75))).0, None, "no unit is near");
        let wheel = |delta: f32| Event::MouseWheel {
            unit: MouseWheelUnit::Point,
            delta: vec2(0.0, delta),
            phase: TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: Modifiers::NONE,
        };
        // Around a unit, so that it stays where it is, and its neighbours leave the plane.
        let at = place(0.3, 0.7);
        let enlarge =
            [Event::PointerMoved(at)].into_iter().chain((0..4).map(|_| wheel(200.0))).chain((0..20).map(|_| Event::PointerMoved(at)));
        after(&ctx, &mut plane, enlarge);
        assert!(plane.viewport.zoom() > 10.0 && plane.caption().contains("enlarged"), "{}", plane.caption());
        assert_eq!(after(&ctx, &mut plane, click(at)).0, Some(73));
        assert_eq!(after(&ctx, &mut plane, click(place(0.9, 0.1))).0, None, "the units that stood there are out of sight");
    }

    #[test]
    fn a_part_is_told_from_the_upper_left_corner_and_plots_from_the_lower_one() {
        let whole = PlotBounds::from_min_max([10.0, 20.0], [20.0, 40.0]);
        assert_eq!(part(&whole, Viewport::default().shares()), whole);
        assert_eq!(part(&whole, [vec2(0.5, 0.0), vec2(0.25, 0.5)]), PlotBounds::from_min_max([15.0, 30.0], [17.5, 40.0]));
    }
}
