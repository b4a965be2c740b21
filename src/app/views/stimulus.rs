//! Stimulus: what network 0 sees, its posterior mean's reconstruction, and what is left.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::figure::{self, Figure as _};
use crate::engine::{Command, Snapshot};
use crate::export::filters::tile;
use crate::export::mosaic::diverging;
use crate::export::table::Table;
use egui::{Color32, Rect, Sense, Ui, vec2};
use egui_plot::{Bar, BarChart, Legend, Plot};

/// Observed units that are drawn as bars rather than as a picture, at most.
const FEW: usize = 8;

/// What the view keeps: nothing.
#[derive(Default)]
pub struct Stimulus;

impl View for Stimulus {
    fn ui(&mut self, ui: &mut Ui, _: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        let s = &snapshot.stimulus;
        if s.stimulus.is_empty() {
            ui.label("No stimulus yet: choose a preset on the left.");
            return;
        }
        let residual: Vec<f32> = s.stimulus.iter().zip(&s.reconstruction).map(|(x, r)| x - r).collect();
        ui.horizontal_wrapped(|ui| {
            if ui.button("Next").on_hover_text("Another stimulus now").clicked() {
                actions.push(Action::Send(Command::NextStimulus));
            }
            let mut held = s.held;
            if snapshot.config.stimulus.steps_per_stimulus > 0
                && ui.checkbox(&mut held, "Hold").on_hover_text("Keep this stimulus in every network; learning rests").changed()
            {
                actions.push(Action::Send(Command::HoldStimulus(held)));
            }
            let variance = residual.iter().map(|r| r * r).sum::<f32>() / residual.len() as f32;
            ui.label(format!("residual variance {variance:.3} averaged over {} steps", s.steps));
        });
        if s.stimulus.len() <= FEW {
            bars(ui, [("stimulus x0", &s.stimulus), ("posterior mean", &s.reconstruction), ("residual", &residual)]);
            return;
        }
        let top = s.stimulus.iter().fold(1.0f32, |t, v| t.max(v.abs())) /* at least one standard deviation: faint patches look faint */;
        let [rows, columns] = tile(s.stimulus.len());
        let width = ((ui.available_width() - 24.0) / 3.0).clamp(20.0, 260.0);
        let cell = (width / columns as f32).min((ui.available_height() - 30.0).max(20.0) / rows as f32);
        ui.horizontal_top(|ui| {
            for (name, values) in [("Stimulus x0", &s.stimulus), ("Posterior mean", &s.reconstruction), ("Residual", &residual)] {
                ui.vertical(|ui| {
                    ui.label(name);
                    let (rect, response) = ui.allocate_exact_size(vec2(cell * columns as f32, cell * rows as f32), Sense::hover());
                    figure::mark(ui, name, rect);
                    for (i, value) in values.iter().enumerate() {
                        let corner = rect.min + vec2((i % columns) as f32, (i / columns) as f32) * cell;
                        let [r, g, b] = diverging(value / top, ui.visuals().dark_mode);
                        ui.painter().rect_filled(
                            Rect::from_min_size(corner, vec2(cell + 0.5, cell + 0.5)),
                            0.0,
                            Color32::from_rgb(r, g, b),
                        );
                    }
                    let under = response.hover_pos().map(|p| (p - rect.min) / cell).map(|p| p.y as usize * columns + p.x as usize);
                    if let Some((i, value)) = under.and_then(|i| values.get(i).map(|v| (i, v))) {
                        response.on_hover_text(format!("pixel {i}: {value:+.3}"));
                    }
                });
            }
        });
        ui.weak(format!("One colour scale: strongest colour {top:.2}"));
    }

    fn table(&self, _: &ViewState, snapshot: &Snapshot) -> Option<Table> {
        let mut table = Table::default();
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        table.push("x0", wide(&snapshot.stimulus.stimulus));
        table.push("posterior_mean", wide(&snapshot.stimulus.reconstruction));
        (!snapshot.stimulus.stimulus.is_empty()).then_some(table)
    }
}

fn bars(ui: &mut Ui, series: [(&str, &Vec<f32>); 3]) {
    let units = series[0].1.len() as f64;
    let whole = |mark: egui_plot::GridMark| {
        if mark.value.fract() == 0.0 && (0.0..units).contains(&mark.value) { format!("x0[{}]", mark.value) } else { String::new() }
    };
    Plot::new("stimulus bars")
        .legend(Legend::default())
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
                let chart = BarChart::new(name.to_string(), values.iter().enumerate().map(bar).collect());
                plot.bar_chart(chart.color(theme::SERIES[k]));
            }
        });
}
