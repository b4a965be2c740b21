//! The stimulus of a tiny model as bars, with its values to drag.

use crate::app::actions::Action;
use crate::app::theme;
use crate::app::widgets::figure::{self, Figure as _};
use crate::app::widgets::grid;
use crate::app::widgets::number_field::drag_value;
use crate::engine::{Command, Snapshot};
use egui::Ui;
use egui_plot::{Bar, BarChart, Plot};

/// Values of a fixed or held stimulus, each to be dragged.
pub fn values(ui: &mut Ui, snapshot: &Snapshot, actions: &mut Vec<Action>) {
    let mut values = snapshot.stimulus.stimulus.clone();
    let mut changed = false;
    ui.horizontal_wrapped(|ui| {
        for (i, value) in values.iter_mut().enumerate() {
            let label = ui.label(format!("x0[{i}]"));
            let field = drag_value(value).speed(0.02).max_decimals(3);
            changed |= ui.add(field).labelled_by(label.id).on_hover_text("Drag, or click and type: the chains follow").changed();
        }
    });
    if changed && values.iter().all(|v| v.is_finite()) {
        actions.push(Action::Send(Command::SetStimulus(values)));
    }
}

/// Several series side by side.
pub fn bars(ui: &mut Ui, series: [(&str, &[f32]); 3]) {
    let units = series[0].1.len() as f64;
    let whole = |mark: egui_plot::GridMark| {
        if mark.value.fract() == 0.0 && (0.0..units).contains(&mark.value) { format!("x0[{}]", mark.value) } else { String::new() }
    };
    let names = [0, 1, 2].map(|k| (series[k].0, theme::SERIES[k]));
    figure::title(ui, "", names);
    grid::numbered(Plot::new("stimulus bars"))
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .include_y(0.0)
        .include_x(-0.6)
        .include_x(units - 0.4)
        .x_axis_formatter(move |mark, _| whole(mark))
        .figure(ui, "stimulus", move |plot| {
            for (k, (name, values)) in series.into_iter().enumerate() {
                let bar = |(i, value): (usize, &f32)| Bar::new(i as f64 + (k as f64 - 1.0) * 0.25, f64::from(*value)).width(0.22);
                let finite = values.iter().enumerate().filter(|(_, value)| value.is_finite());
                let chart = BarChart::new(name.to_string(), finite.map(bar).collect());
                plot.bar_chart(chart.color(theme::SERIES[k]));
            }
        });
}
