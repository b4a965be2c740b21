//! Traces: membrane, adaptation, the two parts of the input, and the interneurons of chosen units.

use crate::app::actions::Action;
use crate::app::state::ViewState;
use crate::app::theme;
use crate::app::views::View;
use crate::app::widgets::decimate::min_max;
use crate::engine::{MAX_TRACED, Snapshot, TraceSample, Watch};
use egui::Ui;
use egui_plot::{Legend, Line, Plot, PlotPoints};
use std::collections::VecDeque;

/// What the view keeps.
pub struct Traces {
    window_ms: f64,
    units: String,
    shown_for: Option<Watch>,
}

impl Default for Traces {
    fn default() -> Self {
        Self { window_ms: 400.0, units: String::new(), shown_for: None }
    }
}

impl View for Traces {
    fn ui(&mut self, ui: &mut Ui, state: &ViewState, snapshot: &Snapshot, actions: &mut Vec<Action>) {
        if self.shown_for.as_ref() != Some(&snapshot.watch) {
            self.shown_for = Some(snapshot.watch.clone());
            self.units = snapshot.watch.trace_units.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        }
        ui.horizontal_wrapped(|ui| {
            let label = ui.label("Units");
            let field = ui.add(egui::TextEdit::singleline(&mut self.units).desired_width(90.0)).labelled_by(label.id);
            if field.on_hover_text(format!("Numbers, at most {MAX_TRACED}; or click a filter")).lost_focus() {
                let units: Vec<usize> = self.units.split([',', ' ']).filter_map(|t| t.parse().ok()).collect();
                if units != snapshot.watch.trace_units {
                    actions.push(Action::Watch(Watch { trace_units: units, ..snapshot.watch.clone() }));
                }
            }
            let label = ui.label("Window");
            let slider = egui::Slider::new(&mut self.window_ms, 10.0..=10_000.0).logarithmic(true).suffix(" ms").max_decimals(0);
            ui.add(slider).labelled_by(label.id);
        });
        let Some(last) = state.traces.iter().filter_map(|t| t.back()).map(|s| s.time_ms).reduce(f64::max) else {
            ui.label("No samples yet: press Run, or click a filter to trace its unit.");
            return;
        };
        let names: Vec<String> = snapshot.watch.trace_units.iter().map(|u| format!("unit {u}")).collect();
        let height = ((ui.available_height() - 60.0) / 4.0).max(60.0);
        let first = last - self.window_ms;
        let buckets = ui.available_width() as usize;
        let series = |value: fn(&TraceSample) -> f32, tag: &str| -> Vec<Line<'static>> {
            let draw = |(i, trace): (usize, &VecDeque<TraceSample>)| {
                let start = trace.partition_point(|s| s.time_ms < first);
                let points = min_max(trace.range(start..).map(|s| [s.time_ms, f64::from(value(s))]), buckets);
                Line::new(format!("{}{tag}", names.get(i).map_or("", String::as_str)), PlotPoints::from(points))
                    .color(theme::SERIES[i % 6])
                    .width(1.3)
            };
            state.traces.iter().enumerate().map(draw).collect()
        };
        let plot = |ui: &mut Ui, name: &str, lines: Vec<Line<'static>>| {
            ui.small(name);
            Plot::new(name.to_string())
                .height(height)
                .legend(Legend::default().position(egui_plot::Corner::LeftTop))
                .link_axis(egui::Id::unique("trace axes"), [true, false])
                .allow_scroll(false)
                .x_axis_formatter(|mark, _| format!("{:.0} ms", mark.value))
                .include_x(first)
                .include_x(last)
                .show(ui, |plot| lines.into_iter().for_each(|line| plot.line(line)));
        };
        plot(ui, "Membrane x", series(|s| s.x, ""));
        plot(ui, "Adaptation v", series(|s| s.v, ""));
        let one = |lines: Vec<Line<'static>>| lines.into_iter().take(1);
        let likelihood = one(series(|s| s.likelihood, ": from below (likelihood)"));
        let prior = one(series(|s| s.prior, ": from above (prior)")).map(|l| l.color(theme::SERIES[1]));
        plot(ui, "Input current I of the first unit, in its two parts", likelihood.chain(prior).collect());
        if let Some(samples) = state.interneurons.first() {
            let start = samples.partition_point(|s| s.time_ms < first);
            let points = |value: fn(&crate::engine::InterneuronSample) -> f32| {
                PlotPoints::from(min_max(samples.range(start..).map(|s| [s.time_ms, f64::from(value(s))]), buckets))
            };
            let dark = ui.visuals().dark_mode;
            let lines = vec![
                Line::new("<T(y)> sampled", points(|s| s.sampled)).color(theme::SERIES[2]),
                Line::new("A'(eta) exact", points(|s| s.exact)).color(theme::exact(dark)),
                Line::new("T(x) observed", points(|s| s.observed)).color(theme::SERIES[4]),
            ];
            plot(ui, "Interneurons of the first unit's strongest pixel", lines);
        }
    }
}
