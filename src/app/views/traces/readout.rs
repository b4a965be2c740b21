//! What stands still can be read: panned, zoomed, with the values under the pointer and two cursors with the difference.

use super::signals::Group;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::widgets::grid;
use egui::{Color32, Grid, Label, RichText, ScrollArea, Ui};
use egui_plot::{LineStyle, PlotUi, VLine};
use std::ops::RangeInclusive;

/// Width of the table of values at the cursors.
pub const TABLE_WIDTH: f32 = 340.0;
/// Of it, what names take at most.
const NAME_WIDTH: f32 = 130.0;
/// Simulated time across the plots at least, and at most, ms.
const SPANS: RangeInclusive<f64> = 0.5..=600_000.0;
/// Points of the wheel for a factor of e.
const WHEEL: f32 = 200.0;
/// The cursors: a solid line and a dashed one.
const NAMES: [&str; 2] = ["A", "B"];

/// What is looked at in plots that stand still.
#[derive(Default)]
pub struct Readout {
    /// The time across the plots, ms; None: the window up to the newest sample.
    span: Option<RangeInclusive<f64>>,
    /// Times of the cursors, ms.
    cursors: Vec<f64>,
    /// The time under the pointer, ms.
    pointer: Option<f64>,
}

impl Readout {
    /// The plots move on by themselves: nothing of this applies any longer.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// The time across the plots, where `usual` would be.
    pub fn span(&self, usual: RangeInclusive<f64>) -> RangeInclusive<f64> {
        self.span.clone().unwrap_or(usual)
    }

    /// Whether a table of values is to be shown.
    pub fn has_cursors(&self) -> bool {
        !self.cursors.is_empty()
    }

    /// The time under the pointer, ms.
    pub fn pointer(&self) -> Option<f64> {
        self.pointer
    }

    /// A new frame begins: the pointer is nowhere until a plot says where.
    pub fn begin_frame(&mut self) -> Marks {
        Marks { pointer: self.pointer.take(), cursors: self.cursors.clone() }
    }

    /// Takes in what was done with one of the plots, which show `span`.
    pub fn take(&mut self, done: Gesture, span: &RangeInclusive<f64>) {
        let width = span.end() - span.start();
        match done {
            Gesture::None => {}
            Gesture::Pan(by) => self.span = Some(span.start() - by..=span.end() - by),
            Gesture::Zoom(factor, around) => {
                let factor = (width * factor).clamp(*SPANS.start(), *SPANS.end()) / width;
                self.span = Some(around - (around - span.start()) * factor..=around + (span.end() - around) * factor);
            }
            Gesture::Cursor(time) => {
                if self.cursors.len() == NAMES.len() {
                    self.cursors.clear();
                }
                self.cursors.push(time);
            }
            Gesture::Back => (self.span, self.cursors) = (None, Vec::new()),
        }
    }

    /// Takes in where the pointer is in one of the plots.
    pub fn point(&mut self, time: Option<f64>) {
        self.pointer = time.or(self.pointer);
    }

    /// The values at the cursors, and their differences.
    pub fn table(&mut self, ui: &mut Ui, groups: &[Group], state: &ViewState) {
        let [first, second] = [0, 1].map(|i| self.cursors.get(i).copied());
        let Some(first) = first else { return };
        ui.horizontal(|ui| {
            let text = match second {
                Some(second) if second != first => {
                    let apart = second - first;
                    format!("B - A = {} ms, 1 / |B - A| = {} Hz", grid::short(apart), grid::short(1000.0 / apart.abs()))
                }
                _ => "Click for a second cursor".to_string(),
            };
            ui.weak(text);
            if ui.small_button("x").on_hover_text("Remove the cursors").clicked() {
                self.cursors.clear();
            }
        });
        ScrollArea::both().auto_shrink([false, true]).show(ui, |ui| {
            Grid::new("values at the cursors").spacing([8.0, 2.0]).show(ui, |ui| {
                ui.label("");
                NAMES.iter().take(self.cursors.len()).for_each(|name| _ = ui.strong(*name));
                if second.is_some() {
                    ui.strong("B - A");
                }
                ui.end_row();
                name(ui, RichText::new("time, ms"));
                self.cursors.iter().for_each(|time| _ = ui.monospace(format!("{time:.1}")));
                second.iter().for_each(|second| _ = ui.monospace(format!("{:.1}", second - first)));
                ui.end_row();
                for group in groups {
                    name(ui, RichText::new(&group.name).weak());
                    ui.end_row();
                    for signal in &group.signals {
                        name(ui, RichText::new(&signal.name).color(signal.color));
                        let values = [Some(first), second].map(|time| time.and_then(|time| signal.at(state, time)));
                        values.iter().flatten().for_each(|&value| _ = ui.monospace(grid::short(value)));
                        if let [Some(at_first), Some(at_second)] = values {
                            ui.monospace(grid::short(at_second - at_first));
                        }
                        ui.end_row();
                    }
                }
            });
        });
    }
}

/// A name that leaves room for the values beside it.
fn name(ui: &mut Ui, text: RichText) {
    ui.scope(|ui| {
        ui.set_max_width(NAME_WIDTH);
        ui.add(Label::new(text).wrap());
    });
}

/// What was done with a plot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gesture {
    None,
    /// By so many ms to the right.
    Pan(f64),
    /// By this factor around this time, ms.
    Zoom(f64, f64),
    /// A cursor at this time, ms.
    Cursor(f64),
    /// Everything as it was when it came to rest.
    Back,
}

/// Where the pointer was in the frame before, and where the cursors are.
pub struct Marks {
    pointer: Option<f64>,
    cursors: Vec<f64>,
}

impl Marks {
    /// Draws them; what was done, and where the pointer is.
    pub fn show(&self, plot: &mut PlotUi<'_>, dark: bool) -> (Gesture, Option<f64>) {
        let line = |name: &str, at: f64, color: Color32| VLine::new(name, at).color(color).width(1.0).allow_hover(false);
        if let Some(pointer) = self.pointer {
            plot.vline(line("", pointer, Color32::GRAY).style(LineStyle::dotted_loose()));
        }
        let styles = [LineStyle::Solid, LineStyle::dashed_dense()];
        for ((name, &cursor), style) in NAMES.iter().zip(&self.cursors).zip(styles) {
            plot.vline(line(name, cursor, theme::exact(dark)).style(style));
        }
        let response = plot.response();
        let pointer = plot.pointer_coordinate().map(|point| point.x).filter(|_| response.hovered() || response.dragged());
        let wheel = plot.ctx().input(|input| input.smooth_scroll_delta().y) * if response.hovered() { 1.0 } else { 0.0 };
        let pinch = plot.ctx().input(egui::InputState::zoom_delta);
        let done = match pointer {
            Some(_) if response.double_clicked() => Gesture::Back,
            Some(time) if response.clicked() => Gesture::Cursor(time),
            Some(_) if response.dragged() => Gesture::Pan(f64::from(plot.pointer_coordinate_drag_delta().x)),
            Some(time) if pinch != 1.0 => Gesture::Zoom(1.0 / f64::from(pinch), time),
            Some(time) if wheel != 0.0 => Gesture::Zoom(f64::from(-wheel / WHEEL).exp(), time),
            _ => Gesture::None,
        };
        (done, pointer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_the_pointer_stays_there_and_a_third_cursor_begins_anew() {
        let mut readout = Readout::default();
        let usual = 600.0..=1000.0;
        readout.take(Gesture::Zoom(0.5, 900.0), &readout.span(usual.clone()));
        assert_eq!(readout.span(usual.clone()), 750.0..=950.0);
        readout.take(Gesture::Pan(50.0), &readout.span(usual.clone()));
        assert_eq!(readout.span(usual.clone()), 700.0..=900.0);
        readout.take(Gesture::Zoom(1e-9, 800.0), &readout.span(usual.clone()));
        let span = readout.span(usual.clone());
        assert!((span.end() - span.start() - SPANS.start()).abs() < 1e-9 && span.contains(&800.0), "{span:?}");
        for (time, cursors) in [(1.0, 1), (2.0, 2), (3.0, 1)] {
            readout.take(Gesture::Cursor(time), &span);
            assert_eq!(readout.cursors.len(), cursors);
        }
        readout.take(Gesture::Back, &span);
        assert!(readout.span(usual.clone()) == usual && !readout.has_cursors());
    }
}
