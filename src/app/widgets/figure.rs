//! Figures: the single plots and pictures of a view, known by name, so that each can be saved by itself.

use crate::app::widgets::greek::greek;
use egui::{Color32, Context, Id, Rect, Ui};
use egui_plot::{Line, Plot, PlotPoints, PlotResponse, PlotUi};

/// A figure's name and where it was drawn in this frame, its axes included.
pub type Marked = (String, Rect);

fn list() -> Id {
    Id::unique("figures of the view being drawn")
}

fn saved() -> Id {
    Id::unique("the view being drawn is saved")
}

fn titles() -> Id {
    Id::unique("titles of the view being drawn")
}

/// How figures of a view are drawn that becomes a file.
#[derive(Clone, Copy)]
pub struct Shown {
    /// The axes are named.
    pub axis_names: bool,
}

/// Says that the view drawn next becomes a file: then it draws curves, not their triangles.
pub fn set_saved(ctx: &Context, shown: Shown) {
    ctx.data_mut(|data| data.insert_temp(saved(), shown));
}

/// Whether the view being drawn becomes a file.
pub fn is_saved(ctx: &Context) -> bool {
    shown(ctx).is_some()
}

fn shown(ctx: &Context) -> Option<Shown> {
    ctx.data(|data| data.get_temp(saved()))
}

/// Places of the titles drawn since the last call.
pub fn take_titles(ctx: &Context) -> Vec<Rect> {
    ctx.data_mut(|data| data.remove_temp(titles())).unwrap_or_default()
}

/// Says that what stands in `rect` is a figure of this name.
pub fn mark(ui: &Ui, name: impl Into<String>, rect: Rect) {
    let marked = (name.into(), rect);
    ui.ctx().data_mut(|data| data.get_temp_mut_or_default::<Vec<Marked>>(list()).push(marked));
}

/// The figures marked since the last call.
pub fn take(ctx: &Context) -> Vec<Marked> {
    ctx.data_mut(|data| data.remove_temp(list())).unwrap_or_default()
}

/// Says that what stands in `rect` is the title of the figure below it.
pub fn mark_title(ui: &Ui, rect: Rect) {
    if is_saved(ui.ctx()) {
        ui.data_mut(|data| data.get_temp_mut_or_default::<Vec<Rect>>(titles()).push(rect));
    }
}

/// The title of a plot, and the names of its lines each in its colour, in place of a legend over the data.
pub fn title<'a>(ui: &mut Ui, title: &str, lines: impl IntoIterator<Item = (&'a str, Color32)>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        let mut place = ui.strong(greek(title)).rect;
        for (name, color) in lines {
            place = place.union(ui.colored_label(color, greek(name)).rect);
        }
        mark_title(ui, place);
    });
}

/// A line through all of its points. (A line of which two points share a column of pixels would be drawn as a band from column to column, and
/// steps as wedges; [`thinned`](super::decimate::thinned) leaves so many points that none is too many.)
pub fn line<'a>(name: impl Into<String>, points: impl Into<PlotPoints<'a>>) -> Line<'a> {
    Line::new(name, points).allow_band(false)
}

/// Points of a plot; those that are not finite are left out, since no axis can hold them.
pub fn points(mut points: Vec<[f64; 2]>) -> PlotPoints<'static> {
    points.retain(|point| point.iter().all(|value| value.is_finite()));
    points.into()
}

/// A plot as it was drawn: its name, its place with its axes, and the place within them.
#[cfg(test)]
pub type PlotPlace = (String, [Rect; 2]);

#[cfg(test)]
fn plots() -> Id {
    Id::unique("plots that were drawn")
}

/// The plots that were drawn since the last call.
#[cfg(test)]
pub fn take_plots(ctx: &Context) -> Vec<PlotPlace> {
    ctx.data_mut(|data| data.remove_temp(plots())).unwrap_or_default()
}

/// Remembers where a plot was drawn, for the tests of its axes.
pub fn note_plot<R>(_ui: &Ui, _name: &str, _place: Rect, _shown: &PlotResponse<R>) {
    #[cfg(test)]
    _ui.ctx().data_mut(|data| {
        let place = (_name.to_string(), [_place, *_shown.transform.frame()]);
        data.get_temp_mut_or_default::<Vec<PlotPlace>>(plots()).push(place);
    });
}

/// A plot that is a figure.
pub trait Figure<'a> {
    /// Shows the plot and marks it as a figure of this name.
    fn figure<R>(self, ui: &mut Ui, name: impl Into<String>, build: impl FnOnce(&mut PlotUi<'a>) -> R + 'a) -> PlotResponse<R>;
}

impl<'a> Figure<'a> for Plot<'a> {
    fn figure<R>(self, ui: &mut Ui, name: impl Into<String>, build: impl FnOnce(&mut PlotUi<'a>) -> R + 'a) -> PlotResponse<R> {
        let name = name.into();
        let is_named = shown(ui.ctx()).is_none_or(|shown| shown.axis_names);
        let plot = if is_named { self } else { self.x_axis_label("").y_axis_label("") };
        let shown = ui.scope(|ui| plot.show(ui, build));
        note_plot(ui, &name, shown.response.rect, &shown.inner);
        mark(ui, name, shown.response.rect);
        shown.inner
    }
}
